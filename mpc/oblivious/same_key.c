#include "mpc/oblivious/same_key.h"
#include "mpc/choice.h"

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum { COLUMNS = 64 };

fm_status mpc_same_key(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    struct mpc_share *equal[COLUMNS] = {NULL};
    fm_status status;

    *z = NULL;
    if (count == 0 || count > COLUMNS)
        return base_err_set(err, FM_E_ARG, "same key: %zu columns: 1 to %d", count, COLUMNS);
    status = mpc_equal_list(equal, x, y, count, err);
    while (status == FM_OK && count > 1) { /* halves: the lower with the upper */
        struct mpc_share *both[COLUMNS / 2] = {NULL};
        size_t half = count / 2;
        size_t rest = count - half; /* the middle one waits, if there is one */

        status = mpc_and_list(both, (const struct mpc_share *const *)equal,
                              (const struct mpc_share *const *)equal + rest, half, err);
        if (status != FM_OK)
            break;
        for (size_t i = 0; i < half; i++) {
            mpc_share_free(equal[i]);
            mpc_share_free(equal[rest + i]);
            equal[i] = both[i];
            equal[rest + i] = NULL;
        }
        count = rest;
    }
    if (status == FM_OK) {
        *z = equal[0];
        equal[0] = NULL;
    }
    mpc_share_free_all(equal, COLUMNS);
    return status;
}

/* Counting: 8 n / 3 bytes and some 6 rounds; mpc_any(): n / 8 bytes and a round for each halving.
 */
static bool counting_pays(const struct mpc_share *x)
{
    enum { COUNTED_FROM = 512 };
    struct mpc_way count = {.bytes = 8 * x->n / 3, .rounds = 6};
    struct mpc_way halve = {.bytes = x->n / 8, .rounds = 0};

    for (size_t n = x->n; n > 1; n = (n + 1) / 2)
        halve.rounds++;
    return x->n >= COUNTED_FROM && mpc_choose(x->session->profile, count, halve) == MPC_FEW_ROUNDS;
}

fm_status mpc_some(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_share *count = NULL;
    struct mpc_share *none = NULL;
    fm_status status;

    *z = NULL;
    if (!counting_pays(x))
        return mpc_any(z, x, err);
    status = mpc_bit_count_list(&count, &x, 1, err);
    if (status == FM_OK)
        status = mpc_equal_public(&none, count, 0, err);
    if (status == FM_OK)
        status = mpc_not(z, none, err);
    mpc_share_free(count);
    mpc_share_free(none);
    return status;
}
