/* Draws: as another program computes them, uniform, without repetition; seeds need every share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "ledger/proof/lottery.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* By Python, from the header's words (hashlib, int.from_bytes): seed = H("seed"). */
static void known_draws(void **state)
{
    static const uint32_t want[] = {7, 0, 4, 1, 2, 9, 6, 8, 3, 5},
                          want_many[] = {121257, 306035, 314062, 211816, 177790,
                                         322969, 203016, 207646, 73552,  403804};
    uint32_t got[10];
    uint8_t seed[32];

    (void)state;
    base_hash(seed, "seed", 4);
    must(ledger_lottery_draw(got, seed, 10, 10, &err));
    assert_memory_equal(got, want, sizeof want);
    must(ledger_lottery_draw(got, seed, 500000, 10, &err));
    assert_memory_equal(got, want_many, sizeof want_many);
    assert_int_equal(ledger_lottery_draw(got, seed, 5, 6, &err), FM_E_ARG);
    assert_int_equal(ledger_lottery_draw(got, seed, 5, 0, &err), FM_E_ARG);
}

/* Every order of four comes up, about as often: 24 orders, 24000 draws, 5 standard deviations. */
static void draws_are_fair(void **state)
{
    unsigned seen[256] = {0};

    (void)state;
    for (uint32_t i = 0; i < 24000; i++) {
        uint32_t w[4], code = 0;
        uint8_t seed[32];

        base_hash(seed, &i, sizeof i);
        must(ledger_lottery_draw(w, seed, 4, 4, &err));
        for (size_t k = 0; k < 4; k++)
            code = code * 4 + w[k];
        assert_true((1u << w[0] | 1u << w[1] | 1u << w[2] | 1u << w[3]) == 15);
        seen[code]++;
    }
    for (size_t i = 0; i < 256; i++)
        assert_true(seen[i] == 0 || (seen[i] > 840 && seen[i] < 1160));
}

static void seeds_need_every_share(void **state)
{
    static const uint8_t id[32] = {5};
    char hex[65];
    uint8_t a[32], b[32];
    json_t *members = json_pack("[s,s]", "bank_a", "bank_b"), *shares = json_object();

    (void)state;
    memset(hex, '1', 64);
    hex[64] = '\0';
    assert_int_equal(json_object_set_new(shares, "bank_a", json_string(hex)), 0);
    assert_int_equal(ledger_lottery_seed(a, id, members, shares, &err), FM_E_NOT_FOUND);
    assert_string_equal(err.text, "bank_b has not revealed its share");
    assert_int_equal(json_object_set_new(shares, "bank_b", json_string(hex)), 0);
    must(ledger_lottery_seed(a, id, members, shares, &err));
    hex[63] = '2';
    assert_int_equal(json_object_set_new(shares, "bank_b", json_string(hex)), 0);
    must(ledger_lottery_seed(b, id, members, shares, &err));
    assert_memory_not_equal(a, b, 32);
    json_decref(members);
    json_decref(shares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_draws),
        cmocka_unit_test(draws_are_fair),
        cmocka_unit_test(seeds_need_every_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
