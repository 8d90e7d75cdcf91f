/* The profile of algorithms under which a test runs: $FIRMIANA_PROFILE, as for the program. The
 * same test is so registered twice, once with "national" in its environment. */
#ifndef FIRMIANA_BASE_TEST_PROFILE_H
#define FIRMIANA_BASE_TEST_PROFILE_H

#include <jansson.h>
#include <stdlib.h>

#include "base/profile.h"

/* Before anything is hashed; any number of times. Whether it is national. */
static inline bool test_profile_adopt(void)
{
    const char *name = getenv("FIRMIANA_PROFILE");
    enum base_profile profile;
    struct base_err err = {0};

    if (name == NULL)
        return false;
    if (!base_profile_find(&profile, name) || base_profile_adopt(profile, &err) != FM_OK)
        abort();
    return profile == BASE_PROFILE_NATIONAL;
}

/* In a genesis: "profile", where it is national. */
static inline void test_profile_say(json_t *genesis)
{
    if (base_profile_is_national() &&
        json_object_set_new(genesis, "profile", json_string("national")) != 0)
        abort();
}

/* For a test of what only the other profile has: Ed25519, CometBFT, rules of before there were
 * profiles. Skips it, in a file that includes cmocka.h. */
#define test_profile_international() \
    do {                             \
        if (test_profile_adopt())    \
            skip();                  \
    } while (0)

#endif
