#include "base/profile.h"

#include <stdatomic.h>
#include <string.h>

/* SETTLED beside OPEN: nothing is to be adopted any more. */
enum { SETTLED = 4 };

static _Atomic int current = BASE_PROFILE_OPEN;

enum base_profile base_profile(void)
{
    return (enum base_profile)(atomic_load_explicit(&current, memory_order_acquire) & ~SETTLED);
}

fm_status base_profile_adopt(enum base_profile profile, struct base_err *err)
{
    int was = BASE_PROFILE_OPEN;

    if (profile == BASE_PROFILE_OPEN ? base_profile() == BASE_PROFILE_OPEN
                                     : atomic_compare_exchange_strong(&current, &was, (int)profile))
        return FM_OK;
    if (base_profile() == profile)
        return FM_OK;
    return base_err_set(err, FM_E_CONFLICT,
                        "the ledger's profile is %s, but this program works under %s: name one "
                        "ledger only, and say no other --profile",
                        base_profile_name(profile), base_profile_name(base_profile()));
}

void base_profile_settle(void)
{
    (void)atomic_fetch_or(&current, SETTLED);
}

void base_profile_forget(void)
{
    atomic_store_explicit(&current, BASE_PROFILE_OPEN, memory_order_release);
}

static const char *const names[] = {"open", "international", "national"};

const char *base_profile_name(enum base_profile profile)
{
    return names[profile];
}

bool base_profile_find(enum base_profile *out, const char *name)
{
    for (int p = BASE_PROFILE_INTERNATIONAL; p <= BASE_PROFILE_NATIONAL; p++) {
        if (strcmp(names[p], name) == 0) {
            *out = (enum base_profile)p;
            return true;
        }
    }
    return false;
}
