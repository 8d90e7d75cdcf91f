/* What leaves a party: sizes and order of messages do not depend on secrets; what a recipient is
 * sent is masked by a fresh zero-sharing and holds no bits past the column's end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"
#include "mpc/share.h"
#include "mpc/test_world.h"

struct secrets {
    int64_t x[200];
    int64_t y[200];
    uint64_t mask[200];
    int64_t answer[8];
};

static fm_status many_things(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct secrets *k = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *m;
    struct mpc_share *z[12] = {NULL};
    int64_t *out[5];
    struct mpc_perm *perm;
    fm_status status;

    TRY(feed(s, &x, 0, k->x, 200, (struct mpc_range){-5000, 5000}, err));
    TRY(feed(s, &y, 3, k->y, 200, (struct mpc_range){0, 5000}, err));
    TRY(feed_bits(s, &m, 3, k->mask, 200, 1, err));
    TRY(mpc_min_where(&z[0], &z[1], x, m, err));
    TRY(mpc_less(&z[2], x, y, err));
    TRY(mpc_select(&z[3], z[2], x, y, err));
    TRY(mpc_sum_where(&z[4], z[3], m, err));
    TRY(mpc_count(&z[5], m, err));
    TRY(mpc_divide_round(&z[6], z[4], z[5], err));
    TRY(mpc_perm_random(s, &perm, 200, err));
    status = mpc_perm_apply(perm, MPC_FORWARD, &z[7], (const struct mpc_share *const *)&x, 1, err);
    mpc_perm_free(perm);
    TRY(status);
    TRY(mpc_sum(&z[8], z[7], err));
    for (unsigned i = 0; i < 5; i++)
        out[i] = &k->answer[i];
    return mpc_reveal((const struct mpc_share *const[]){z[0], z[1], z[4], z[6], z[8]}, 5,
                      (const unsigned[]){3}, 1, mpc_session_self(s) == 3 ? out : NULL, err);
}

static void what_travels_does_not_depend_on_secrets(void **state)
{
    struct world first = {.row = mpc_protocol_find("rep3"), .outsiders = 2, .trace = true};

    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        struct world w = {.row = first.row, .outsiders = 2, .trace = true};
        struct test_rng rng = {1 + kind};
        struct secrets k = {0};

        for (int i = 0; i < 200 && kind > 0; i++) {
            k.x[i] = kind == 1 ? 5000 : rng_in(&rng, (struct mpc_range){-5000, 5000});
            k.y[i] = kind == 1 ? 0 : rng_in(&rng, (struct mpc_range){0, 5000});
            k.mask[i] = kind == 1 ? 1 : rng_next(&rng) >> 63;
        }
        if (kind == 0) {
            world_must_run(&first, many_things, &k);
            continue;
        }
        world_must_run(&w, many_things, &k);
        for (unsigned p = 0; p < w.parties; p++) {
            assert_true(p == 4 || strlen(w.traces[p]) > 100);
            assert_string_equal(w.traces[p], first.traces[p]);
        }
        world_clear(&w);
    }
    world_clear(&first);
}

/* Everything a party sends to the outsider, party 3, in order. */
static uint64_t seen[3][16];
static size_t seen_len[3];

static void keep_for_outsider(unsigned from, unsigned to, const void *bytes, size_t len)
{
    if (to != 3 || from > 2 || seen_len[from] + len / 8 > 16)
        return;
    memcpy(seen[from] + seen_len[from], bytes, len);
    seen_len[from] += len / 8;
}

/* Reveals the public constants 5 (ring) and ones (70 bits) to the outsider, twice. */
static fm_status reveal_constants(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x[2];
    int64_t value;
    int64_t ones[70];
    int64_t *out[2] = {&value, ones};
    bool told = mpc_session_self(s) == 3;

    (void)arg;
    TRY(mpc_constant(s, &x[0], 5, 1, err));
    TRY(mpc_bits_constant(s, &x[1], -1, 1, 70, err));
    for (unsigned i = 0; i < 2; i++) {
        TRY(mpc_reveal((const struct mpc_share *const *)x, 2, (const unsigned[]){3}, 1,
                       told ? out : NULL, err));
        if (told && (value != 5 || ones[69] != 1))
            return base_err_set(err, FM_E_INVALID, "revealed something else");
    }
    return FM_OK;
}

static void a_recipient_sees_masked_words(void **state)
{
    struct world w = {
        .row = mpc_protocol_find("rep3"), .outsiders = 1, .on_send = keep_for_outsider};

    (void)state;
    memset(seen_len, 0, sizeof seen_len);
    world_must_run(&w, reveal_constants, NULL);
    for (unsigned p = 0; p < 3; p++) {
        assert_int_equal(seen_len[p], 2 * 3); /* 1 word of ring, 2 of bits, twice */
        for (unsigned i = 0; i < 6; i++) {
            /* components of a constant are 0, 5 or all ones: unmasked they would be sent like that
             */
            if (i % 3 != 2) {
                assert_int_not_equal(seen[p][i], 0);
                assert_int_not_equal(seen[p][i], 5);
                assert_int_not_equal(seen[p][i], UINT64_MAX);
            } else {
                assert_int_equal(seen[p][i] >> 6, 0); /* elements 64..69, and nothing past them */
            }
        }
        assert_int_not_equal(seen[p][0], seen[p][3]); /* and freshly each time */
        assert_int_not_equal(seen[p][1], seen[p][4]);
    }
    for (unsigned i = 0; i < 6; i += 3) {
        assert_int_equal(seen[0][i] + seen[1][i] + seen[2][i], 5);
        assert_int_equal(seen[0][i + 1] ^ seen[1][i + 1] ^ seen[2][i + 1], UINT64_MAX);
        assert_int_equal(seen[0][i + 2] ^ seen[1][i + 2] ^ seen[2][i + 2], 0x3f);
    }
}

/* No word that party p ever sends may be a function of data alone: two runs on the same data share
 * no words, as seeds are fresh. Checked over a whole program. */
enum { KEPT = 20000 };
static uint64_t words[2][3][KEPT];
static size_t words_len[2][3];
static unsigned run_now;

static void keep_all(unsigned from, unsigned to, const void *bytes, size_t len)
{
    size_t n = len / 8;

    if (from > 2 || to > 2 || /* a revealed bit is one of two words */
        words_len[run_now][from] + n > KEPT)
        return;
    memcpy(words[run_now][from] + words_len[run_now][from], bytes, n * 8);
    words_len[run_now][from] += n;
}

static void no_message_repeats_in_another_run(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 2, .on_send = keep_all};
    struct secrets k = {0};

    (void)state;
    memset(words_len, 0, sizeof words_len);
    for (run_now = 0; run_now < 2; run_now++)
        world_must_run(&w, many_things, &k);
    for (unsigned p = 0; p < 3; p++) {
        unsigned same = 0;

        assert_int_equal(words_len[0][p], words_len[1][p]);
        assert_true(words_len[0][p] > 1000);
        for (size_t i = 0; i < words_len[0][p]; i++)
            same += words[0][p][i] == words[1][p][i];
        assert_int_equal(same, 0);
    }
}

/* Of public zeros all components are 0, and whatever an operation sends of them unmasked would be
 * 0, too. No word that a compute party sends may be. n is a whole number of words: bits past the
 * end of a column that is opened are cleared. */
static size_t zero_words;
static size_t all_words;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static void count_zeros(unsigned from, unsigned to, const void *bytes, size_t len)
{
    (void)from;
    (void)to;
    pthread_mutex_lock(&counting);
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t word;

        memcpy(&word, (const uint8_t *)bytes + i, 8);
        zero_words += word == 0;
        all_words++;
    }
    pthread_mutex_unlock(&counting);
}

/* Components of a shuffled column are fresh: were they not, the last messages would not be masked.
 */
static fm_status is_fresh(const struct mpc_share *z, struct base_err *err)
{
    for (unsigned c = 0; c < 2; c++)
        for (size_t i = 0; i < z->comp_words; i++)
            if (mpc_comp(z, c)[i] == 0)
                return base_err_set(err, FM_E_INVALID, "component %u: word %zu is 0", c, i);
    return FM_OK;
}

static fm_status permute_zeros(struct mpc_session *s, const struct mpc_share *const *x,
                               struct base_err *err)
{
    struct mpc_perm *perm;
    struct mpc_share *z[2];
    struct mpc_share *back[2];

    for (unsigned turn = 0; turn < 3; turn++) {
        TRY(mpc_perm_random(s, &perm, 640, err));
        TRY(mpc_perm_apply(perm, MPC_FORWARD, z, x, 2, err));
        TRY(mpc_perm_apply(perm, MPC_INVERSE, back, (const struct mpc_share *const *)z, 2, err));
        mpc_perm_free(perm);
        for (unsigned i = 0; i < 2; i++)
            TRY(is_fresh(z[i], err));
        mpc_share_free_all(z, 2);
        mpc_share_free_all(back, 2);
    }
    return FM_OK;
}

static fm_status convert_zeros(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x;
    struct mpc_share *b;
    struct mpc_share *one;
    struct mpc_share *z[6];
    const struct mpc_share *two[2];
    const unsigned limbs[2] = {43, 21};

    (void)arg;
    TRY(mpc_constant(s, &x, 0, 640, err));
    TRY(mpc_share_narrow(x, (struct mpc_range){0, 0}, err));
    TRY(mpc_bits_constant(s, &b, 0, 23, 640, err));
    TRY(mpc_bits_constant(s, &one, 0, 1, 640, err));
    TRY(permute_zeros(s, (const struct mpc_share *const[]){x, b}, err));
    for (unsigned width = 1; width <= 64; width += 9) {
        TRY(mpc_msb_list(&z[0], (const struct mpc_share *const *)&x, &width, 1, err));
        TRY(mpc_eqz_list(&z[1], (const struct mpc_share *const *)&x, &width, 1, err));
        TRY(mpc_a2b_list(&z[2], (const struct mpc_share *const *)&x, &width, 1, err));
        TRY(mpc_b2a(&z[3], z[2], MPC_SIGNED, err));
    }
    two[0] = two[1] = x;
    for (unsigned width = 1; width <= 64; width += 21) {
        TRY(mpc_msb_diff_list(&z[0], two, two + 1, &width, 1, err));
        TRY(mpc_eqz_diff_list(&z[1], two, two + 1, &width, 1, err));
    }
    TRY(mpc_msb_linked(&z[0], two, limbs, 2, err));
    TRY(mpc_dot_columns(&z[1], two, two, 2, err));
    TRY(mpc_b2a(&z[3], b, MPC_SIGNED, err));
    for (unsigned width = 20; width <= 64; width += 22) { /* too long to be injected */
        TRY(mpc_bits_constant(s, &b, 0, width, 4096, err));
        TRY(mpc_b2a(&z[3], b, MPC_SIGNED, err));
        if (width < 64)
            TRY(mpc_b2a(&z[3], b, MPC_UNSIGNED, err));
    }
    TRY(mpc_bit2a(&z[4], one, err));
    return mpc_mul(&z[5], x, x, err);
}

static void nothing_is_sent_unmasked(void **state)
{
    (void)state;
    for (unsigned profile = 0; profile < 2; profile++) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .profile = (enum mpc_profile)profile,
                          .on_send = count_zeros};

        zero_words = all_words = 0;
        world_must_run(&w, convert_zeros, NULL);
        world_clear(&w);
        assert_true(all_words > 10000);
        assert_int_equal(zero_words, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_travels_does_not_depend_on_secrets),
        cmocka_unit_test(a_recipient_sees_masked_words),
        cmocka_unit_test(nothing_is_sent_unmasked),
        cmocka_unit_test(no_message_repeats_in_another_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
