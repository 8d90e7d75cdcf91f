/* Several threads a party: the same answers, the same bytes, and nobody waits for a lane that
 * failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mpc/circuit/compare.h"
#include "mpc/lanes.h"
#include "mpc/test_world.h"

enum { OPS = 7 };

/* Two columns of each length, the operation's results in the clear at party 1. */
struct job {
    size_t n;
    const int64_t *x;
    const int64_t *y;
    int64_t *out[OPS];
};

static fm_status all_operations(struct mpc_share *const *x, const struct job *job,
                                struct base_err *err)
{
    struct mpc_share *z[OPS] = {NULL};
    struct mpc_share *bits[2];

    TRY(mpc_mul(&z[0], x[0], x[1], err));
    TRY(mpc_less(&z[1], x[0], x[1], err));
    TRY(mpc_equal(&z[2], x[0], x[1], err));
    TRY(mpc_a2b(&bits[0], x[0], err));
    TRY(mpc_a2b(&bits[1], x[1], err));
    TRY(mpc_and(&z[3], bits[0], bits[1], err));
    TRY(mpc_or(&z[4], bits[0], bits[1], err));
    TRY(mpc_b2a(&z[5], z[3], MPC_SIGNED, err));
    TRY(mpc_bit2a(&z[6], z[1], err));
    for (unsigned i = 0; i < OPS; i++)
        TRY(tell(z[i], 1, job->out[i], err));
    mpc_share_free_all(z, OPS);
    mpc_share_free_all(bits, 2);
    return FM_OK;
}

static fm_status program(struct mpc_session *s, void *arg, struct base_err *err)
{
    const struct job *job = arg;
    const struct mpc_range range = {-1000000, 1000000};
    struct mpc_share *x[2];

    TRY(feed(s, &x[0], 0, job->x, job->n, range, err));
    TRY(feed(s, &x[1], 2, job->y, job->n, range, err));
    return all_operations(x, job, err);
}

static void job_new(struct job *job, size_t n, uint64_t seed)
{
    struct test_rng rng = {seed};
    int64_t *x = calloc(n, 8), *y = calloc(n, 8);

    assert_non_null(x);
    assert_non_null(y);
    for (size_t i = 0; i < n; i++) {
        x[i] = rng_in(&rng, (struct mpc_range){-1000000, 1000000});
        y[i] = i % 3 == 0 ? x[i] : rng_in(&rng, (struct mpc_range){-1000000, 1000000});
    }
    *job = (struct job){.n = n, .x = x, .y = y};
    for (unsigned i = 0; i < OPS; i++)
        assert_non_null(job->out[i] = calloc(n, 8));
}

static void job_release(struct job *job)
{
    free((void *)(uintptr_t)job->x);
    free((void *)(uintptr_t)job->y);
    for (unsigned i = 0; i < OPS; i++)
        free(job->out[i]);
}

static void check(const struct job *job)
{
    const uint64_t mask = (UINT64_C(1) << 21) - 1; /* -10^6..10^6 takes 21 bits */

    for (size_t i = 0; i < job->n; i++) {
        int64_t x = job->x[i], y = job->y[i];

        assert_int_equal(job->out[0][i], x * y);
        assert_int_equal(job->out[1][i], x < y);
        assert_int_equal(job->out[2][i], x == y);
        assert_int_equal(job->out[3][i], (uint64_t)(x & y) & mask);
        assert_int_equal(job->out[4][i], (uint64_t)(x | y) & mask);
        assert_int_equal(job->out[5][i], x & y);
        assert_int_equal(job->out[6][i], x < y);
    }
}

static uint64_t bytes_of(const struct world *w)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < w->parties; i++)
        sum += w->stats[i].bytes_sent;
    return sum;
}

/* Lengths about the threshold, whole grains, one more, one less; an outsider and both profiles. Who
 * runs beside whom is the same at every length with lanes: where threads are watched, which takes
 * long, the greatest is left out. */
static void same_answers_same_bytes(void **state)
{
    static const size_t lengths[] = {1000, MPC_LANES_FROM - 1, MPC_LANES_FROM, MPC_LANES_FROM + 1,
#ifndef __SANITIZE_THREAD__
                                     100003
#endif
    };
    static const unsigned streams[] = {2, 3, 7};

    (void)state;
    for (unsigned profile = 0; profile < 2; profile++)
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
            struct world one = {.row = mpc_protocol_find("rep3"), .profile = profile};
            struct job job;

            job_new(&job, lengths[l], 77 + l);
            world_must_run(&one, program, &job);
            check(&job);
            for (size_t k = profile; k < sizeof streams / sizeof streams[0]; k += 1 + profile) {
                struct world many = {
                    .row = one.row, .profile = profile, .outsiders = 1, .streams = streams[k]};

                for (unsigned i = 0; i < OPS; i++)
                    memset(job.out[i], 0, job.n * 8);
                world_must_run(&many, program, &job);
                check(&job);
                /* Dealers go round by chunk and lane, so one party's bytes may differ; the sum does
                 * not, because slices cut no word. */
                assert_int_equal(bytes_of(&many), bytes_of(&one));
                for (unsigned i = 0; i < 3; i++) {
                    assert_int_equal(many.stats[i].rounds, one.stats[i].rounds);
                    assert_int_equal(many.stats[i].and_gates, one.stats[i].and_gates);
                    assert_int_equal(many.stats[i].mul_gates, one.stats[i].mul_gates);
                }
            }
            job_release(&job);
        }
}

static void slices_cover_all_once(void **state)
{
    (void)state;
    for (size_t n = 0; n < 6000; n += 37)
        for (unsigned lanes = 1; lanes < 9; lanes++) {
            assert_int_equal(mpc_lane_begin(n, 0, lanes), 0);
            assert_int_equal(mpc_lane_begin(n, lanes, lanes), n);
            for (unsigned k = 0; k < lanes; k++) {
                assert_true(mpc_lane_begin(n, k, lanes) <= mpc_lane_begin(n, k + 1, lanes));
                assert_int_equal(mpc_lane_begin(n, k, lanes) % MPC_LANE_ELEMENTS, 0);
            }
        }
}

/* A message lost, or a party gone, in any lane: all parties end, and with an error. */
static void faults_in_lanes(void **state)
{
    struct job job;

    (void)state;
    job_new(&job, MPC_LANES_FROM, 5);
    for (uint64_t at = 1;; at += 17) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .streams = 3,
                          .fault_kind = at % 2 == 0 ? NET_LOOP_KILL : NET_LOOP_DROP,
                          .timeout_ms = 400,
                          .fault_party = (unsigned)(at % 3),
                          .fault_at = at};

        if (!world_meets_fault(&w, program, &job))
            break;
    }
    job_release(&job);
}

enum { WORDS = 4, LANES = 3 };

static fm_status draw(struct mpc_session *lane, const void *job, unsigned k, unsigned lanes,
                      struct base_err *err)
{
    uint64_t(*const *out)[WORDS] = job;

    (void)lanes;
    return mpc_protocol_find("rep3")->zero_share(lane, MPC_RING64, (*out)[k], WORDS, err);
}

/* The masks of one lane are no other lane's: one seed, and a key for each stream. */
static fm_status draw_in_all(struct mpc_session *s, void *arg, struct base_err *err)
{
    uint64_t mask[LANES][WORDS] = {{0}};
    uint64_t(*at)[WORDS] = mask;

    (void)arg;
    TRY(mpc_lanes_run(s, draw, &at, err));
    for (unsigned k = 0; k < LANES; k++)
        for (unsigned other = 0; other < k; other++)
            for (unsigned i = 0; i < WORDS; i++)
                for (unsigned j = 0; j < WORDS; j++)
                    if (mask[k][i] == mask[other][j])
                        return base_err_set(err, FM_E_INVALID, "lanes %u and %u share a mask", k,
                                            other);
    return FM_OK;
}

static void lanes_draw_apart(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .streams = LANES};

    (void)state;
    world_must_run(&w, draw_in_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_answers_same_bytes),
        cmocka_unit_test(slices_cover_all_once),
        cmocka_unit_test(faults_in_lanes),
        cmocka_unit_test(lanes_draw_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
