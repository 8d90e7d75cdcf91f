/* b2a: right at every width, sign, length and profile, on both of its ways; and its exact costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mpc/circuit/adder.h"
#include "mpc/kernels.h"
#include "mpc/rep3/b2a.h"
#include "mpc/share.h"
#include "mpc/test_world.h"

struct job {
    size_t n;
    unsigned width;
    const uint64_t *values; /* of any width: the low bits count */
    uint64_t sent[3];
    uint64_t rounds;
};

static int64_t read_as(uint64_t value, unsigned width, enum mpc_sign sign)
{
    unsigned rest = 64 - width;

    return sign == MPC_SIGNED ? (int64_t)(value << rest) >> rest : (int64_t)(value << rest >> rest);
}

static fm_status convert(struct mpc_session *s, const struct job *job, const struct mpc_share *x,
                         enum mpc_sign sign, struct base_err *err)
{
    int64_t *out = calloc(job->n + 1, 8);
    struct mpc_share *z = NULL;
    fm_status status = mpc_b2a(&z, x, sign, err);

    if (status == FM_OK)
        status = tell(z, 2, out, err);
    for (size_t i = 0; status == FM_OK && mpc_session_self(s) == 2 && i < job->n; i++)
        if (out[i] != read_as(job->values[i], job->width, sign))
            status = base_err_set(err, FM_E_INVALID, "width %u, sign %d, n %zu: element %zu",
                                  job->width, sign, job->n, i);
    mpc_share_free(z);
    free(out);
    return status;
}

static fm_status both_signs(struct mpc_session *s, void *arg, struct base_err *err)
{
    const struct job *job = arg;
    struct mpc_share *x;

    TRY(feed_bits(s, &x, 0, job->values, job->n, job->width, err));
    TRY(convert(s, job, x, MPC_SIGNED, err));
    return job->width == 64 ? FM_OK : convert(s, job, x, MPC_UNSIGNED, err);
}

static void check(size_t n, unsigned width, enum mpc_profile profile, uint64_t seed)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = profile};
    uint64_t *values = calloc(n + 1, 8);
    struct test_rng rng = {seed};
    struct job job = {.n = n, .width = width, .values = values};

    for (size_t i = 0; i < n; i++) /* small widths: every value, in turn */
        values[i] = width <= 7 ? i : (uint64_t)rng_value(&rng);
    world_must_run(&w, both_signs, &job);
    world_clear(&w);
    free(values);
}

static void every_width_is_right(void **state)
{
    (void)state;
    for (unsigned width = 1; width <= 64; width++) {
        check(width <= 7 ? 1024 : 129, width, MPC_FEW_BYTES, width);
        check(width <= 7 ? 1024 : 129, width, MPC_FEW_ROUNDS, width);
        check(65536 / width + 130, width, MPC_FEW_ROUNDS, width); /* too long to be injected */
    }
    for (size_t n = 0; n <= 65; n += n == 1 ? 62 : 1)
        check(n, 33, MPC_FEW_BYTES, n + 1);
}

/* Several units, of all three dealers. */
static void long_columns_are_right(void **state)
{
    static const unsigned widths[] = {2, 20, 53, 54, 55, 56, 63, 64};

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        check(32768 * 3 + 77, widths[i], MPC_FEW_ROUNDS, i + 1);
}

static fm_status measured(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct job *job = arg;
    struct mpc_share *x;
    struct mpc_share *z;
    struct mpc_stats before;
    struct mpc_stats after;

    TRY(feed_bits(s, &x, 0, job->values, job->n, job->width, err));
    TRY(mpc_coin(s, (uint8_t[8]){0}, 8, err)); /* all clocks agree from here on */
    TRY(mpc_coin(s, (uint8_t[8]){0}, 8, err));
    mpc_session_stats(s, &before);
    TRY(mpc_b2a(&z, x, MPC_SIGNED, err));
    mpc_session_stats(s, &after);
    job->sent[mpc_session_self(s)] = after.bytes_sent - before.bytes_sent;
    job->rounds = after.rounds - before.rounds;
    return FM_OK;
}

static fm_status idle(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct job *job = arg;
    struct mpc_share *x;

    TRY(feed_bits(s, &x, 0, job->values, job->n, job->width, err));
    TRY(mpc_coin(s, (uint8_t[8]){0}, 8, err));
    return mpc_coin(s, (uint8_t[8]){0}, 8, err);
}

static void costs(size_t n, unsigned width, enum mpc_profile profile, uint64_t bytes,
                  uint64_t rounds)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = profile};
    struct world without = w;
    uint64_t *values = calloc(n + 1, 8);
    struct job job = {.n = n, .width = width, .values = values};
    uint64_t sent;

    world_must_run(&without, idle, &job);
    world_must_run(&w, measured, &job);
    sent = job.sent[0] + job.sent[1] + job.sent[2];
    if (sent != bytes || job.rounds != rounds || w.depth - without.depth != rounds)
        fail_msg("b2a, n = %zu, width %u: %llu bytes in %llu rounds (measured %llu), not %llu in "
                 "%llu",
                 n, width, (unsigned long long)sent, (unsigned long long)job.rounds,
                 (unsigned long long)(w.depth - without.depth), (unsigned long long)bytes,
                 (unsigned long long)rounds);
    world_clear(&w);
    world_clear(&without);
    free(values);
}

/* As rep3.h has it: bit by bit. */
static uint64_t masked_bytes(unsigned k, size_t n)
{
    uint64_t words = (n + 63) / 64;

    return 24 * words * mpc_sum_cost(k < 64 ? k + 1 : 64, MPC_FEW_BYTES).ands + 16 * k * words +
           8 * n + (k < 64 ? 24 * n : 0);
}

static void it_costs_what_it_says(void **state)
{
    static const struct {
        unsigned width;
        unsigned planes; /* of words, over all parties, by masked wires */
        unsigned rounds;
    } wires[] = {{2, 131, 4},  {15, 214, 6}, {20, 257, 8}, {32, 321, 8},
                 {53, 522, 8}, {63, 622, 8}, {64, 621, 7}};

    (void)state;
    for (unsigned width = 1; width <= 64; width += width < 4 || width > 61 ? 1 : 6) {
        enum mpc_profile p = MPC_FEW_BYTES;

        costs(1000, width, MPC_FEW_ROUNDS, 24 * 1000 * width, 2);
        if (width == 1)
            costs(1000, 1, p, 24 * 1000, 2);
        else
            costs(1000, width, p, masked_bytes(width, 1000), width < 64 ? width + 2 : 64);
    }
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
        size_t n = 65536 / wires[i].width + 70; /* too long to be injected */

        costs(n, wires[i].width, MPC_FEW_ROUNDS, 8 * (wires[i].planes * mpc_plane_words(n) + n),
              wires[i].rounds);
    }
}

static void the_aim_is_met(void **state)
{
    uint64_t few, mean;

    (void)state;
    (void)rep3_b2a_cost(&mean, 64, 64000, MPC_FEW_ROUNDS);
    (void)rep3_b2a_cost(&few, 64, 64000, MPC_FEW_BYTES);
    for (unsigned k = 4; k <= 64; k += 10) {
        uint64_t bytes;
        unsigned rounds = rep3_b2a_cost(&bytes, k, 64000, MPC_FEW_ROUNDS);

        print_message("b2a, %u bits: %.1f bytes, %u rounds\n", k, (double)bytes / 3 / 64000,
                      rounds);
    }
    assert_true(mean <= 29 * 3 * 64000);
    assert_true(few <= 20 * 3 * 64000);
}

/* At 64 positions one component of the result is the opened t itself: of x = 0, r and nothing else.
 * Half of all bits are ones, to 8 standard deviations, in every component at every party. */
static fm_status looks_uniform(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct job *job = arg;
    struct mpc_share *x;
    struct mpc_share *z;

    TRY(feed_bits(s, &x, 0, job->values, job->n, 64, err));
    TRY(mpc_b2a(&z, x, MPC_SIGNED, err));
    for (unsigned c = 0; c < 2; c++) {
        int64_t ones = (int64_t)mpc_k_popcount(mpc_comp(z, c), job->n * 64);
        int64_t off = ones - (int64_t)job->n * 32;

        if (off * off > 64 * 16 * (int64_t)job->n)
            return base_err_set(err, FM_E_INVALID, "component %u: %lld ones", c, (long long)ones);
    }
    return FM_OK;
}

static void what_is_opened_is_masked(void **state)
{
    static const uint64_t zeros[3000];
    (void)state;
    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++) {
        struct world w = {.row = mpc_protocol_find("rep3"), .profile = p};
        struct job job = {.n = 3000, .width = 64, .values = zeros};

        world_must_run(&w, looks_uniform, &job);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_is_right),     cmocka_unit_test(long_columns_are_right),
        cmocka_unit_test(what_is_opened_is_masked), cmocka_unit_test(it_costs_what_it_says),
        cmocka_unit_test(the_aim_is_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
