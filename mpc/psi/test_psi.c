/* Private intersection sums against the plain intersection; what each side sees; what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/profile.h"
#include "mpc/psi/psi_own.h"

#define OK(call) assert_int_equal((call), FM_OK)

enum { ROWS = 700, COLUMNS = 40, ID = 8 };

static struct mpc_psi_key key;
static uint64_t state;

static uint64_t draw(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int group_setup(void **ctx)
{
    const char *given = getenv("FIRMIANA_SEED");
    struct base_err err;
    struct mpc_pai_djn *k;
    struct mpc_pai_secret *s;

    (void)ctx;
    if (given != NULL)
        state = strtoull(given, NULL, 10);
    else
        OK(base_random_fill(base_random_system(), &state, sizeof state, &err));
    print_message("FIRMIANA_SEED=%llu\n", (unsigned long long)state);
    OK(mpc_pai_djn_generate(&k, &s, 2048, &err));
    key = (struct mpc_psi_key){k, s};
    return sodium_init() < 0;
}

static int group_teardown(void **ctx)
{
    (void)ctx;
    mpc_pai_djn_free((struct mpc_pai_djn *)(uintptr_t)key.key);
    mpc_pai_secret_free((struct mpc_pai_secret *)(uintptr_t)key.secret);
    return 0;
}

/* Two tables, and what a plain intersection says of them. */
struct world {
    uint8_t ids[2][ROWS][ID];
    int64_t values[COLUMNS][ROWS];
    const int64_t *columns[COLUMNS];
    struct mpc_psi_rows rows[2]; /* matcher, holder */
    struct mpc_psi_terms terms;
    size_t size;
    int64_t sums[COLUMNS];
    struct mpc_psi *side[2];
    struct base_buf message[6];
    unsigned messages;
};

/* Identifiers from a small range, so that both have some; each once a side. */
static void world_rows(struct world *w, size_t n, size_t m, size_t range)
{
    size_t count[2] = {n, m}, at[2] = {0, 0};

    for (uint64_t v = 0; at[0] < n || at[1] < m; v++)
        for (int s = 0; s < 2; s++)
            if (at[s] < count[s] && (draw() % range == 0 || v > 20 * ROWS))
                memcpy(w->ids[s][at[s]++], &v, ID);
    for (size_t c = 0; c < COLUMNS; c++) {
        w->columns[c] = w->values[c];
        for (size_t j = 0; j < m; j++) {
            int64_t limit = ((int64_t)1 << w->terms.value_bits) - 1;
            uint64_t how = draw() % 4;
            w->values[c][j] = how == 0   ? limit
                              : how == 1 ? -limit
                                         : (int64_t)(draw() % (uint64_t)limit) - limit / 2;
        }
    }
    w->rows[0] = (struct mpc_psi_rows){n, w->ids[0][0], ID, NULL};
    w->rows[1] = (struct mpc_psi_rows){m, w->ids[1][0], ID, w->columns};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            if (memcmp(w->ids[0][i], w->ids[1][j], ID) == 0) {
                w->size++;
                for (size_t c = 0; c < w->terms.columns; c++)
                    w->sums[c] += w->values[c][j];
            }
}

static struct world *world_new(size_t n, size_t m, size_t columns, unsigned value_bits)
{
    struct world *w = calloc(1, sizeof *w);
    struct base_err err;

    assert_non_null(w);
    w->terms = (struct mpc_psi_terms){.matcher_rows = n + draw() % 5 + 1,
                                      .holder_rows = m + draw() % 5 + 1,
                                      .columns = columns,
                                      .value_bits = value_bits,
                                      .key_bits = 2048,
                                      .minimum = 1,
                                      .recipients = MPC_PSI_MATCHER | MPC_PSI_HOLDER};
    OK(base_random_fill(base_random_system(), w->terms.session32, 32, &err));
    world_rows(w, n, m, 3);
    return w;
}

static void world_free(struct world *w)
{
    mpc_psi_free(w->side[0]);
    mpc_psi_free(w->side[1]);
    for (int i = 0; i < 6; i++)
        base_buf_release(&w->message[i]);
    free(w);
}

static void sides_new(struct world *w)
{
    struct base_err err;

    if (mpc_psi_matcher_new(&w->side[0], &w->terms, &w->rows[0], 2, base_random_system(), &err) !=
            FM_OK ||
        mpc_psi_holder_new(&w->side[1], &w->terms, &w->rows[1], &key, 1, base_random_system(),
                           &err) != FM_OK)
        fail_msg("%s", err.text);
}

/* Message by message until nobody waits, or `stop` messages were made. */
static void play(struct world *w, unsigned stop)
{
    struct base_err err;
    const struct base_buf *in = NULL;

    sides_new(w);
    for (w->messages = 0; w->messages < stop; w->messages++) {
        struct mpc_psi *to = w->side[w->messages % 2];
        struct base_buf *out = &w->message[w->messages];
        if (in != NULL)
            assert_true(mpc_psi_waits(to) && in->len <= mpc_psi_message_max(to));
        if (mpc_psi_step(to, in != NULL ? in->p : NULL, in != NULL ? in->len : 0, out, &err) !=
            FM_OK)
            fail_msg("message %u: %s", w->messages, err.text);
        in = out;
        if (out->len == 0)
            break;
    }
}

static void check_result(const struct world *w, int s)
{
    unsigned mine = s == 0 ? MPC_PSI_MATCHER : MPC_PSI_HOLDER;
    int64_t sums[COLUMNS];
    struct base_err err;
    size_t size = 0;

    memset(sums, 0x55, sizeof sums);
    if (w->size < w->terms.minimum) {
        assert_int_equal(mpc_psi_result(w->side[s], &size, sums, &err), FM_E_REFUSED);
        assert_non_null(strstr(err.text, "below the minimum"));
        return;
    }
    OK(mpc_psi_result(w->side[s], &size, sums, &err));
    assert_int_equal(size, w->size);
    for (size_t c = 0; c < w->terms.columns; c++)
        assert_int_equal(sums[c], w->terms.recipients & mine ? w->sums[c] : 0x5555555555555555);
}

static void test_like_plain(void **ctx)
{
    static const struct {
        size_t n, m, columns;
        unsigned bits, recipients;
    } cases[] = {
        {0, 0, 0, 1, 3},   {1, 1, 0, 1, 3},      {60, 0, 1, 40, 3},  {0, 60, 1, 40, 3},
        {90, 70, 2, 1, 3}, {300, 300, 3, 45, 1}, {40, 700, 1, 1, 2}, {90, 300, 40, 50, 3},
    };

    (void)ctx;
    for (size_t i = 0; i < (base_profile_is_national() ? 5 : sizeof cases / sizeof *cases); i++) {
        struct world *w = world_new(cases[i].n, cases[i].m, cases[i].columns, cases[i].bits);
        w->terms.recipients = cases[i].recipients;
        play(w, 6);
        check_result(w, 0);
        check_result(w, 1);
        world_free(w);
    }
}

/* RFC 9497, appendix A.1.1, OPRF mode, test vector 1: the blinded element of the input 00. */
static void test_hash_to_group(void **ctx)
{
    static const char dst[] = "HashToGroup-OPRFV1-\0-ristretto255-SHA512";
    static const char blind[] = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";
    static const char blinded[] =
        "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c";
    uint8_t scalar[32], want[32], point[32], zero = 0;

    (void)ctx;
    assert_true(base_unhex(scalar, 32, blind, 64) && base_unhex(want, 32, blinded, 64));
    mpc_psi_hash_to_group(point, &zero, 1, dst, sizeof dst - 1);
    assert_int_equal(crypto_scalarmult_ristretto255(point, scalar, point), 0);
    assert_memory_equal(point, want, 32);
}

/* Below the minimum the matcher gives no ciphertext; at the minimum it does. */
static void test_minimum(void **ctx)
{
    struct world *w = world_new(200, 200, 0, 1);

    (void)ctx;
    for (int above = 0; above < 2; above++) {
        w->terms.minimum = w->size + (size_t)above;
        play(w, 6);
        assert_int_equal(w->messages, above ? 3 : 5);
        if (above)
            assert_int_equal(w->message[2].len, PSI_HEAD);
        check_result(w, 0);
        check_result(w, 1);
        for (int i = 0; i < 6; i++)
            base_buf_clear(&w->message[i]);
        mpc_psi_free(w->side[0]);
        mpc_psi_free(w->side[1]);
    }
    w->side[0] = w->side[1] = NULL;
    world_free(w);
}

/* A matcher that counts what is not there, or asks for too little: nothing is decrypted. */
static void test_minimum_is_the_holders_too(void **ctx)
{
    static const char *const says[] = {"the matcher counts", "below the minimum"};
    struct world *w = world_new(100, 100, 1, 30);
    struct base_buf out = {0};
    struct base_err err;

    (void)ctx;
    play(w, 3);
    for (int i = 0; i < 2; i++) { /* the size that it says; the minimum that the holder has */
        enum psi_state before = w->side[1]->state;
        base_store_u64(w->message[2].p + PSI_HEAD, w->size + (i == 0 ? 1 : 0));
        w->side[1]->terms.minimum = w->size + 1;
        assert_int_equal(mpc_psi_step(w->side[1], w->message[2].p, w->message[2].len, &out, &err),
                         FM_E_PEER);
        assert_non_null(strstr(err.text, says[i]));
        assert_null(w->side[1]->masked.w);
        assert_int_equal(out.len, 0);
        w->side[1]->state = before;
    }
    base_buf_release(&out);
    world_free(w);
}

/* Lengths follow the terms alone; no point of one session is one of another's, or of the same
 * session's other messages; what the holder decrypts is as long as the masks. */
static void test_what_is_seen(void **ctx)
{
    struct world *w[2] = {world_new(0, 0, 2, 40), world_new(64, 60, 2, 40)};
    struct base_err err;

    (void)ctx;
    w[1]->terms.matcher_rows = w[1]->terms.holder_rows = 70;
    w[0]->terms = w[1]->terms;
    w[0]->terms.recipients = w[1]->terms.recipients = MPC_PSI_MATCHER;
    OK(base_random_fill(base_random_system(), w[0]->terms.session32, 32, &err));
    w[0]->rows[0] = w[1]->rows[0]; /* nobody has them at the holder's */
    w[1]->terms.minimum = w[0]->terms.minimum = 1;
    play(w[0], 2);
    play(w[1], 6);
    check_result(w[1], 0);
    check_result(w[1], 1);
    assert_int_equal(w[0]->message[0].len, PSI_HEAD + 32 * 70);
    assert_int_equal(w[1]->message[0].len, w[0]->message[0].len);
    /* key, proof: numbers without leading zeros, so the length is that of chance */
    assert_in_range(w[1]->message[1].len, PSI_HEAD + 32 * 140 + 512 * 70 + 40 + 66000,
                    PSI_HEAD + 32 * 140 + 512 * 70 + 40 + 67200);
    assert_int_equal(w[1]->message[2].len, PSI_HEAD + 8 + 32 * 70 + 40 + 512);
    assert_int_equal(w[1]->message[3].len, PSI_HEAD + 256);
    assert_int_equal(w[1]->message[4].len, PSI_HEAD); /* the holder gets no mask */
    for (int i = 0; i < 70; i++)
        for (int j = 0; j < 70; j++) {
            const uint8_t *mine = w[1]->message[0].p + PSI_HEAD + 32 * i;
            assert_memory_not_equal(mine, w[0]->message[0].p + PSI_HEAD + 32 * j, 32);
            assert_memory_not_equal(mine, w[1]->message[1].p + PSI_HEAD + 32 * j, 32);
            assert_memory_not_equal(mine, w[1]->message[1].p + PSI_HEAD + 32 * (70 + j), 32);
        }
    /* sums fill slots * slot_bits bits, masks 40 more: 16 of these are 0 with a chance of 2^-16 */
    unsigned used = (unsigned)(w[1]->side[0]->slots.slots * w[1]->side[0]->slots.slot_bits);
    assert_true(used / 8 + 5 < 256);
    for (unsigned i = 0, any = 0; i < 3; i++) {
        any |= w[1]->message[3].p[PSI_HEAD + 255 - (used + 7) / 8 - i];
        assert_true(i < 2 || any != 0);
    }
    world_free(w[0]);
    world_free(w[1]);
}

/* Flips a bit of each part of each message: an error, no step after it, no result. */
static void test_tampered(void **ctx)
{
    static const struct {
        unsigned message;
        size_t at;
    } flips[] = {{0, 0}, {0, 1}, {0, 9}, {0, PSI_HEAD}, {1, 33}, {2, 20}, {2, PSI_HEAD + 7},
                 {3, 1}};
    struct base_err err;

    (void)ctx;
    for (size_t i = 0; i < 2 * sizeof flips / sizeof *flips; i++) {
        struct world *w = world_new(20, 20, 0, 1);
        struct base_buf out = {0};
        struct mpc_psi *to;
        struct base_buf *m;
        size_t size, at = flips[i / 2].at;
        play(w, flips[i / 2].message + 1);
        m = &w->message[flips[i / 2].message];
        to = w->side[(flips[i / 2].message + 1) % 2];
        if (i % 2 == 0)
            m->p[at] ^= 0x80;
        else
            m->len = at; /* cut */
        if (w->size > 0) {
            assert_int_equal(mpc_psi_step(to, m->p, m->len, &out, &err), FM_E_PEER);
            assert_int_equal(mpc_psi_step(to, m->p, m->len, &out, &err), FM_E_CONFLICT);
            assert_int_equal(mpc_psi_result(to, &size, NULL, &err), FM_E_CONFLICT);
        }
        base_buf_release(&out);
        world_free(w);
    }
}

/* Bytes that are no point, behind all that are. */
static void test_no_point(void **ctx)
{
    struct world *w = world_new(20, 20, 0, 1);
    struct base_buf out = {0};
    struct base_err err;
    uint8_t product[PSI_POINT];
    unsigned bad;

    (void)ctx;
    play(w, 1);
    memset(w->message[0].p + w->message[0].len - PSI_POINT, 0xff, PSI_POINT);
    assert_int_equal(mpc_psi_step(w->side[1], w->message[0].p, w->message[0].len, &out, &err),
                     FM_E_PEER);
    assert_non_null(strstr(err.text, base_profile_is_national() ? "is none of SM2's curve"
                                                                : "is none of ristretto255"));
    if (!base_profile_is_national()) { /* RFC 9496, 4.3.1: a negative number */
        w->message[0].p[PSI_HEAD + PSI_POINT - 1] ^= 0x80;
        OK(mpc_psi_group()->times(&bad, &product,
                                  (const uint8_t(*)[PSI_POINT])(w->message[0].p + PSI_HEAD), 1,
                                  w->side[0]->scalar, &err));
        assert_int_equal(bad, 1);
    }
    base_buf_release(&out);
    world_free(w);
}

static void refused(const struct mpc_psi_terms *terms, const struct mpc_psi_rows *rows,
                    fm_status with)
{
    struct mpc_psi *psi;
    struct base_err err;

    assert_int_equal(mpc_psi_holder_new(&psi, terms, rows, &key, 1, base_random_system(), &err),
                     with);
    assert_null(psi);
}

static void test_refused(void **ctx)
{
    struct world *w = world_new(5, 5, 1, 30);
    struct mpc_psi_terms t;

    (void)ctx;
    t = w->terms, t.holder_rows = 4, refused(&t, &w->rows[1], FM_E_LIMIT);
    t = w->terms, t.minimum = 0, refused(&t, &w->rows[1], FM_E_ARG);
    t = w->terms, t.recipients = 0, refused(&t, &w->rows[1], FM_E_ARG);
    t = w->terms, t.recipients = 4, refused(&t, &w->rows[1], FM_E_ARG);
    t = w->terms, t.key_bits = 3072, refused(&t, &w->rows[1], FM_E_ARG);
    t = w->terms, t.value_bits = 61, refused(&t, &w->rows[1], FM_E_LIMIT);
    t = w->terms, t.matcher_rows = MPC_PSI_ROWS + 1, refused(&t, &w->rows[1], FM_E_ARG);
    t = w->terms, t.columns = MPC_PSI_COLUMNS + 1, refused(&t, &w->rows[1], FM_E_ARG);
    w->values[0][4] = (int64_t)1 << 30;
    refused(&w->terms, &w->rows[1], FM_E_LIMIT);
    w->values[0][4] = 7;
    memcpy(w->ids[1][4], w->ids[1][1], ID);
    refused(&w->terms, &w->rows[1], FM_E_ARG);
    world_free(w);
}

/* Whoever is shown salt, scalar and rows finds the commitment, and every point that was sent. */
static void test_commitment(void **ctx)
{
    struct world *w = world_new(30, 1, 0, 1);
    struct base_err err;
    uint8_t opening[MPC_PSI_OPENING], commitment[32], message[65 + ID] = {1}, point[32];
    unsigned bad;

    (void)ctx;
    play(w, 1);
    mpc_psi_opening(w->side[0], opening);
    mpc_psi_commitment(w->side[0], commitment);
    memcpy(message + 1, w->terms.session32, 32);
    for (size_t i = 0; i < w->terms.matcher_rows; i++) {
        int found = 0;
        struct base_hash h;
        uint8_t at[8];
        if (i < 30)
            memcpy(message + 65, w->ids[0][i], ID);
        else {
            memset(message + 65, 0, ID);
            base_store_u64(at, i);
            base_hash_init(&h);
            base_hash_update(&h, "firmiana psi-sum filler 1", 25);
            base_hash_update(&h, opening, 64);
            base_hash_update(&h, at, sizeof at);
            base_hash_final(&h, message + 33);
        }
        message[0] = i < 30;
        OK(mpc_psi_group()->times_hash(&bad, &point, message, sizeof message, 1, opening + 32,
                                       &err));
        assert_int_equal(bad, 0);
        for (size_t j = 0; j < w->terms.matcher_rows; j++)
            found |= memcmp(point, w->message[0].p + PSI_HEAD + 32 * j, 32) == 0;
        assert_true(found);
    }
    mpc_psi_free(w->side[0]);
    w->ids[0][3][7] ^= 1;
    mpc_psi_free(w->side[1]);
    sides_new(w);
    mpc_psi_commitment(w->side[0], point);
    assert_memory_not_equal(point, commitment, 32);
    world_free(w);
}

static int national_setup(void **ctx)
{
    struct base_err err;

    return base_profile_adopt(BASE_PROFILE_NATIONAL, &err) == FM_OK ? group_setup(ctx) : -1;
}

static int national_teardown(void **ctx)
{
    base_profile_forget();
    return group_teardown(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_to_group), cmocka_unit_test(test_like_plain),
        cmocka_unit_test(test_minimum),       cmocka_unit_test(test_minimum_is_the_holders_too),
        cmocka_unit_test(test_what_is_seen),  cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_no_point),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_commitment),
    };
    const struct CMUnitTest national[] = {
        /* what depends on the group */
        cmocka_unit_test(test_like_plain),
        cmocka_unit_test(test_no_point),
        cmocka_unit_test(test_commitment),
    };
    int failed = cmocka_run_group_tests(tests, group_setup, group_teardown);

    return failed + cmocka_run_group_tests(national, national_setup, national_teardown);
}
