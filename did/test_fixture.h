/* The fixture of tests about one member's document: bank_a, from a fixed seed. Include after
 * cmocka.h. */
#ifndef FIRMIANA_DID_TEST_FIXTURE_H
#define FIRMIANA_DID_TEST_FIXTURE_H

#include "did/test_tools.h"

static struct tools_random rnd;
static struct tools_member member;

static int setup(void **state)
{
    (void)state;
    tools_random_init(&rnd, 20261120);
    tools_member_init(&member, &rnd, "bank_a");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tools_member_release(&member);
    return 0;
}

#endif
