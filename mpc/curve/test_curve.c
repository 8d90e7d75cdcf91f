/* Points against OpenSSL's, hashing to P-256 against RFC 9380's vectors, and to SM2's curve against
 * the map as RFC 9380 defines it, in OpenSSL's numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "mpc/curve/curve_own.h"

enum { MOST = 70 };

static struct base_err err;
static BN_CTX *numbers;

/* One curve, ours and OpenSSL's. */
struct both {
    const struct mpc_curve *ours;
    EC_GROUP *theirs;
};

static struct both curves[2];

static int set_up(void **state)
{
    (void)state;
    numbers = BN_CTX_new();
    curves[0] = (struct both){mpc_curve_sm2(), EC_GROUP_new_by_curve_name(NID_sm2)};
    curves[1] = (struct both){mpc_curve_p256(), EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    return numbers == NULL || curves[0].theirs == NULL || curves[1].theirs == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    EC_GROUP_free(curves[0].theirs);
    EC_GROUP_free(curves[1].theirs);
    BN_CTX_free(numbers);
    return 0;
}

static void put(uint8_t out33[33], const struct both *b, const EC_POINT *p)
{
    memset(out33, 0, 33);
    if (!EC_POINT_is_at_infinity(b->theirs, p))
        assert_int_equal(
            EC_POINT_point2oct(b->theirs, p, POINT_CONVERSION_COMPRESSED, out33, 33, numbers), 33);
}

static void same(const struct both *b, const struct mpc_curve_point *p, const EC_POINT *q)
{
    uint8_t mine[33], theirs[33];

    mpc_curve_put(mine, p, b->ours);
    put(theirs, b, q);
    assert_memory_equal(mine, theirs, 33);
    assert_int_equal(mpc_curve_is_neutral(p), EC_POINT_is_at_infinity(b->theirs, q));
}

/* A scalar of 256 bits: at random, with long runs of ones and zeros, or one of the borders. */
static void draw(uint64_t *x, const struct both *b, unsigned kind)
{
    assert_int_equal(RAND_bytes((unsigned char *)x, 32), 1);
    if (kind % 4 == 1)
        for (int i = 0; i < 4; i++)
            x[i] = x[i] & 1 ? ~(uint64_t)0 << (x[i] >> 58) : 0;
    if (kind % 8 == 2)
        memset(x, 0, 32);
    if (kind % 8 == 6) /* the order, and its neighbours */
        memcpy(x, mpc_curve_order(b->ours), 32), x[0] += kind / 8 % 3, x[0] -= 1;
    if (kind % 16 == 3)
        memset(x, 0xff, 32);
}

static BIGNUM *number(const uint64_t *x)
{
    uint8_t bytes[32];

    for (int i = 0; i < 4; i++)
        base_store_u64(bytes + 8 * i, x[3 - i]);
    return BN_bin2bn(bytes, 32, NULL);
}

/* Points at random, both forms; some are neutral or the generator. */
static void points(struct mpc_curve_point *mine, EC_POINT **theirs, size_t n, const struct both *b)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t x[4];
        BIGNUM *s;
        uint8_t bytes[33];

        draw(x, b, i % 11 == 5 ? 2 : i % 11 == 7 ? 14 : 0);
        s = number(x);
        theirs[i] = EC_POINT_new(b->theirs);
        assert_int_equal(EC_POINT_mul(b->theirs, theirs[i], s, NULL, NULL, numbers), 1);
        BN_free(s);
        put(bytes, b, theirs[i]);
        if (bytes[0] == 0)
            mpc_curve_neutral(&mine[i], b->ours);
        else
            assert_true(mpc_curve_get(&mine[i], bytes, b->ours));
        same(b, &mine[i], theirs[i]);
    }
}

static void sums_are_openssls(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 17, 63, 64, 65, MOST};
    static struct mpc_curve_point mine[MOST], z;
    static uint64_t x[4 * MOST];
    EC_POINT *theirs[MOST], *sum;

    (void)state;
    for (int c = 0; c < 2; c++) {
        const struct both *b = &curves[c];
        points(mine, theirs, MOST, b);
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            sum = EC_POINT_new(b->theirs);
            EC_POINT_set_to_infinity(b->theirs, sum);
            for (size_t i = 0; i < lengths[l]; i++) {
                EC_POINT *t = EC_POINT_new(b->theirs);
                BIGNUM *s;
                draw(x + 4 * i, b, (unsigned)(i + l));
                s = number(x + 4 * i);
                assert_int_equal(EC_POINT_mul(b->theirs, t, NULL, theirs[i], s, numbers), 1);
                assert_int_equal(EC_POINT_add(b->theirs, sum, sum, t, numbers), 1);
                EC_POINT_free(t);
                BN_free(s);
            }
            assert_int_equal(mpc_curve_sum(&z, x, mine, lengths[l], b->ours, &err), FM_OK);
            same(b, &z, sum);
            EC_POINT_free(sum);
        }
        for (size_t i = 0; i < MOST; i++)
            EC_POINT_free(theirs[i]);
    }
}

/* p + q for q = p, -p, neutral and others; the sum may stand where an operand stood. */
static void every_pair_has_a_sum(void **state)
{
    struct mpc_curve_point mine[6], z;
    EC_POINT *theirs[6], *sum;

    (void)state;
    for (int c = 0; c < 2; c++) {
        const struct both *b = &curves[c];
        uint8_t bytes[33];
        points(mine, theirs, 6, b); /* mine[5]: neutral */
        put(bytes, b, theirs[0]);
        bytes[0] ^= 1;
        assert_true(mpc_curve_get(&mine[1], bytes, b->ours));
        assert_int_equal(EC_POINT_oct2point(b->theirs, theirs[1], bytes, 33, numbers), 1);
        mpc_curve_generator(&mine[2], b->ours);
        assert_int_equal(EC_POINT_copy(theirs[2], EC_GROUP_get0_generator(b->theirs)), 1);
        sum = EC_POINT_new(b->theirs);
        for (int i = 0; i < 36; i++) {
            assert_int_equal(EC_POINT_add(b->theirs, sum, theirs[i / 6], theirs[i % 6], numbers),
                             1);
            mpc_curve_plus(&z, &mine[i / 6], &mine[i % 6], b->ours);
            same(b, &z, sum);
            z = mine[i / 6];
            mpc_curve_plus(&z, &z, &mine[i % 6], b->ours);
            same(b, &z, sum);
            z = mine[i % 6];
            mpc_curve_plus(&z, &mine[i / 6], &z, b->ours);
            same(b, &z, sum);
        }
        EC_POINT_free(sum);
        for (int i = 0; i < 6; i++)
            EC_POINT_free(theirs[i]);
    }
}

/* What OpenSSL reads we read, alike; what it refuses we refuse. */
static void bytes_are_strict(void **state)
{
    struct mpc_curve_point mine;
    EC_POINT *theirs;
    unsigned taken = 0;

    (void)state;
    for (int c = 0; c < 2; c++) {
        const struct both *b = &curves[c];
        theirs = EC_POINT_new(b->theirs);
        for (int i = 0; i < 400; i++) {
            uint8_t bytes[33], x[32];
            int ok;
            assert_int_equal(RAND_bytes(bytes, sizeof bytes), 1);
            bytes[0] = (uint8_t)(i < 390 ? 2 + i % 2 : i - 390);
            if (i % 8 == 7) /* about p, which is no number below p */
                for (int k = 0; k < 4; k++)
                    base_store_u64(bytes + 1 + 8 * k,
                                   b->ours->f.p[3 - k] + (k == 3 ? (uint64_t)(i / 8) - 20 : 0));
            ok = (bytes[0] == 2 || bytes[0] == 3) &&
                 EC_POINT_oct2point(b->theirs, theirs, bytes, 33, numbers) == 1;
            assert_int_equal(mpc_curve_get(&mine, bytes, b->ours), ok);
            if (!ok) {
                assert_true(mpc_curve_is_neutral(&mine));
                continue;
            }
            taken++;
            same(b, &mine, theirs);
            assert_true(mpc_curve_x(x, &mine, b->ours));
            assert_memory_equal(x, bytes + 1, 32);
            assert_true(mpc_curve_from_x(&mine, x, b->ours));
            mpc_curve_put(bytes, &mine, b->ours);
            assert_int_equal(bytes[0], 2);
            assert_memory_equal(x, bytes + 1, 32);
        }
        EC_POINT_free(theirs);
    }
    assert_in_range(taken, 200, 600);
}

/* ---- hashing ---- */

static void hex32(uint8_t out[32], const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_true(text != NULL && base_unhex(out, 32, text + 2, strlen(text + 2)));
}

static void hashing_is_as_published(void **state)
{
    json_t *all = json_load_file(
        "../shared/data/vectors/hash_to_curve/P256_XMD_SHA-256_SSWU_RO_.json", 0, NULL);
    const json_t *v;
    const char *dst = json_string_value(json_object_get(all, "dst"));
    size_t i;

    (void)state;
    if (all == NULL)
        skip();
    assert_int_equal(json_array_size(json_object_get(all, "vectors")), 5);
    json_array_foreach(json_object_get(all, "vectors"), i, v)
    {
        const char *message = json_string_value(json_object_get(v, "msg"));
        uint8_t want[33], y[32], got[33];
        struct mpc_curve_point p;

        hex32(want + 1, json_object_get(v, "P"), "x");
        hex32(y, json_object_get(v, "P"), "y");
        want[0] = (uint8_t)(2 | (y[31] & 1));
        mpc_curve_hash(&p, message, strlen(message), dst, strlen(dst), mpc_curve_p256());
        mpc_curve_put(got, &p, mpc_curve_p256());
        assert_memory_equal(got, want, 33);
    }
    json_decref(all);
}

/* SM3 of up to four parts. */
static void sm3(uint8_t out[32], const void *const *part, const size_t *len, int n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestInit_ex(ctx, EVP_sm3(), NULL), 1);
    for (int i = 0; i < n; i++)
        assert_int_equal(EVP_DigestUpdate(ctx, part[i], len[i]), 1);
    assert_int_equal(EVP_DigestFinal_ex(ctx, out, NULL), 1);
    EVP_MD_CTX_free(ctx);
}

/* g(x) = x^3 + a x + b, with OpenSSL's own a, b, p. */
static void right_side(BIGNUM *g, const BIGNUM *x, const BIGNUM *a, const BIGNUM *b,
                       const BIGNUM *p)
{
    assert_int_equal(BN_mod_sqr(g, x, p, numbers), 1);
    assert_int_equal(BN_mod_add(g, g, a, p, numbers), 1);
    assert_int_equal(BN_mod_mul(g, g, x, p, numbers), 1);
    assert_int_equal(BN_mod_add(g, g, b, p, numbers), 1);
}

/* 6.6.2 as it is defined: with inversions and a Legendre symbol, and no step of ours. */
static EC_POINT *map_as_defined(const BIGNUM *u)
{
    const EC_GROUP *group = curves[0].theirs;
    BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new(), *zu2 = BN_new(), *t = BN_new(),
           *x = BN_new(), *g = BN_new(), *y = BN_new();
    EC_POINT *point = EC_POINT_new(group);

    assert_int_equal(EC_GROUP_get_curve(group, p, a, b, numbers), 1);
    assert_int_equal(BN_mod_sqr(zu2, u, p, numbers) & BN_mul_word(zu2, 9), 1);
    assert_int_equal(BN_sub(zu2, p, zu2) & BN_nnmod(zu2, zu2, p, numbers), 1);
    assert_int_equal(BN_mod_sqr(t, zu2, p, numbers) & BN_mod_add(t, t, zu2, p, numbers), 1);
    assert_false(BN_is_zero(t));
    assert_non_null(BN_mod_inverse(t, t, p, numbers));
    BN_add_word(t, 1);
    assert_int_equal(BN_mod_mul(x, t, b, p, numbers), 1); /* (-b / a)(1 + tv1) */
    assert_non_null(BN_mod_inverse(t, a, p, numbers));
    assert_int_equal(BN_mod_mul(x, x, t, p, numbers) & BN_sub(x, p, x), 1);
    right_side(g, x, a, b, p);
    if (BN_kronecker(g, p, numbers) < 0) {
        assert_int_equal(BN_mod_mul(x, x, zu2, p, numbers), 1);
        right_side(g, x, a, b, p);
    }
    assert_non_null(BN_mod_sqrt(y, g, p, numbers));
    if (BN_is_odd(y) != BN_is_odd(u))
        assert_int_equal(BN_sub(y, p, y), 1);
    assert_int_equal(EC_POINT_set_affine_coordinates(group, point, x, y, numbers), 1);
    BN_free(p), BN_free(a), BN_free(b), BN_free(zu2), BN_free(t), BN_free(x), BN_free(g),
        BN_free(y);
    return point;
}

static EC_POINT *hash_as_defined(const char *message, const char *dst)
{
    static const uint8_t zeros[64], length[3] = {0, 96, 0};
    uint8_t tag[64], first[32], out[128], mixed[33];
    size_t dst_len = strlen(dst);
    EC_POINT *sum = NULL;
    BIGNUM *p = BN_new();

    memcpy(tag, dst, dst_len);
    tag[dst_len] = (uint8_t)dst_len;
    sm3(first, (const void *[]){zeros, message, length, tag},
        (size_t[]){64, strlen(message), 3, dst_len + 1}, 4);
    for (uint8_t i = 1; i <= 3; i++) {
        for (int k = 0; k < 32; k++)
            mixed[k] = first[k] ^ (i > 1 ? out[32 * (i - 2) + k] : 0);
        mixed[32] = i;
        sm3(out + 32 * (i - 1), (const void *[]){mixed, tag}, (size_t[]){33, dst_len + 1}, 2);
    }
    assert_int_equal(EC_GROUP_get_curve(curves[0].theirs, p, NULL, NULL, numbers), 1);
    for (int i = 0; i < 2; i++) {
        BIGNUM *u = BN_bin2bn(out + 48 * i, 48, NULL);
        EC_POINT *q;
        assert_int_equal(BN_nnmod(u, u, p, numbers), 1);
        q = map_as_defined(u);
        if (i == 0) {
            sum = q;
        } else {
            assert_int_equal(EC_POINT_add(curves[0].theirs, sum, sum, q, numbers), 1);
            EC_POINT_free(q);
        }
        BN_free(u);
    }
    BN_free(p);
    return sum;
}

static void hashing_to_sm2_is_as_defined(void **state)
{
    static const char dst[] = "QUUX-V01-CS02-with-SM2_XMD:SM3_SSWU_RO_";
    char message[100];

    (void)state;
    for (int i = 0; i < 60; i++) {
        struct mpc_curve_point p;
        EC_POINT *want;

        (void)snprintf(message, sizeof message, "%.*s%d", i, "abcdefghijklmnopqrstuvwxyz", i);
        want = hash_as_defined(message, dst);
        mpc_curve_hash(&p, message, strlen(message), dst, sizeof dst - 1, mpc_curve_sm2());
        same(&curves[0], &p, want);
        EC_POINT_free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_openssls), cmocka_unit_test(every_pair_has_a_sum),
        cmocka_unit_test(bytes_are_strict), cmocka_unit_test(hashing_is_as_published),
        cmocka_unit_test(hashing_to_sm2_is_as_defined)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
