/* P-256 by OpenSSL: generators, sums of products; scalars mod the group's order. Where the profile
 * is national, proof_points_sm2.c has the points. */
/* EC_POINTs_mul shares the doublings of many products, a third of their time; 3.0 marks it as old
 * and has nothing in its place. */
#define OPENSSL_API_COMPAT 0x10101000L

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/profile.h"
#include "base/secret.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_slots_own.h"

enum { PIECE = 128 }; /* products at once: 1.5 kB of OpenSSL's tables each */

static const uint64_t p256_order[SLOTS_SCALAR] = {0xf3b9cac2fc632551, 0xbce6faada7179e84,
                                                  0xffffffffffffffff, 0xffffffff00000000};

const uint64_t *mpc_pai_slots_order(void)
{
    return base_profile_is_national() ? mpc_curve_order(mpc_curve_sm2()) : p256_order;
}

/* ---- scalars ---- */

void mpc_pai_scalar_add(uint64_t *z, const uint64_t *x, const uint64_t *y)
{
    mp_limb_t less[SLOTS_SCALAR], carry = mpn_add_n(z, x, y, SLOTS_SCALAR);
    mp_limb_t borrow = mpn_sub_n(less, z, mpc_pai_slots_order(), SLOTS_SCALAR);

    mpc_pai_limbs_pick(z, less, SLOTS_SCALAR, (mp_limb_t)0 - (carry | (borrow ^ 1)));
}

void mpc_pai_scalar_negate(uint64_t *z, const uint64_t *x)
{
    mp_limb_t zero = mpc_pai_limbs_zero(x, SLOTS_SCALAR);

    (void)mpn_sub_n(z, mpc_pai_slots_order(), x, SLOTS_SCALAR);
    for (size_t i = 0; i < SLOTS_SCALAR; i++)
        z[i] &= ~zero;
}

fm_status mpc_pai_scalar_mul(uint64_t *z, const uint64_t *x, const uint64_t *y,
                             struct base_err *err)
{
    return mpc_pai_limbs_mulmod(z, x, y, mpc_pai_slots_order(), SLOTS_SCALAR, err);
}

fm_status mpc_pai_scalar_mul_add(uint64_t *z, const uint64_t *x, const uint64_t *y,
                                 struct base_err *err)
{
    uint64_t product[SLOTS_SCALAR];
    fm_status st = mpc_pai_scalar_mul(product, x, y, err);

    if (st == FM_OK)
        mpc_pai_scalar_add(z, z, product);
    return st;
}

/* ---- generators ---- */

static fm_status trouble(struct base_err *err)
{
    return base_err_set(err, FM_E_MEMORY, "paillier: OpenSSL cannot compute on P-256");
}

/* The first x of hash(label, index, counter) with a point; the even one. */
static EC_POINT *hash_to_point(const EC_GROUP *group, uint64_t index, BN_CTX *ctx)
{
    static const char label[] = "firmiana paillier slots generator 1";
    EC_POINT *p = EC_POINT_new(group);
    BIGNUM *x = BN_new();
    bool found = false;

    for (uint64_t i = 0; p != NULL && x != NULL && !found && i < 256; i++) {
        struct base_hash h;
        uint8_t at[16], hash[32];
        base_store_u64(at, index);
        base_store_u64(at + 8, i);
        base_hash_init(&h);
        base_hash_update(&h, label, sizeof label);
        base_hash_update(&h, at, sizeof at);
        base_hash_final(&h, hash);
        found = BN_bin2bn(hash, sizeof hash, x) != NULL &&
                EC_POINT_set_compressed_coordinates(group, p, x, 0, ctx) == 1;
    }
    BN_free(x);
    if (!found) {
        EC_POINT_free(p);
        p = NULL;
    }
    return p;
}

fm_status mpc_pai_generators_new(struct mpc_pai_generators **out, size_t bits, struct base_err *err)
{
    struct mpc_pai_generators *g = calloc(1, sizeof *g);
    BN_CTX *ctx;
    bool made;

    *out = NULL;
    if (g == NULL)
        return base_err_memory(err, "paillier: generators");
    g->count = bits;
    if (base_profile_is_national()) {
        fm_status st = mpc_pai_sm2_generators(g, err);
        *out = g;
        if (st != FM_OK)
            mpc_pai_generators_free(g), *out = NULL;
        return st;
    }
    ctx = BN_CTX_new();
    made = ctx != NULL;
    if (made) {
        g->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        g->g = calloc(bits + 1, sizeof(EC_POINT *));
        made = g->group != NULL && g->g != NULL;
    }
    if (made)
        made = (g->h = hash_to_point(g->group, 0, ctx)) != NULL;
    for (size_t i = 0; made && i < bits; i++)
        made = (g->g[i] = hash_to_point(g->group, i + 1, ctx)) != NULL;
    BN_CTX_free(ctx);
    if (!made) {
        mpc_pai_generators_free(g);
        return trouble(err);
    }
    *out = g;
    return FM_OK;
}

void mpc_pai_generators_free(struct mpc_pai_generators *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; g->g != NULL && i < g->count; i++)
        EC_POINT_free(g->g[i]);
    EC_POINT_free(g->h);
    EC_GROUP_free(g->group);
    free(g->g);
    free(g->own);
    free(g);
}

/* ---- sums of products ---- */

static BIGNUM *number(const uint64_t *x)
{
    uint8_t bytes[8 * SLOTS_SCALAR];
    BIGNUM *n = BN_secure_new();

    mpc_pai_limbs_store(bytes, sizeof bytes, x, SLOTS_SCALAR);
    if (n != NULL && BN_bin2bn(bytes, sizeof bytes, n) == NULL) {
        BN_clear_free(n);
        n = NULL;
    }
    base_wipe(bytes, sizeof bytes);
    return n;
}

/* sum += product of points and scalars. */
static bool add_piece(EC_POINT *sum, const EC_GROUP *group, EC_POINT *const *points,
                      const uint64_t *x, size_t n, BN_CTX *ctx)
{
    const EC_POINT *from[PIECE];
    const BIGNUM *by[PIECE];
    BIGNUM *own[PIECE] = {NULL};
    EC_POINT *part = EC_POINT_new(group);
    bool done = part != NULL;

    for (size_t i = 0; done && i < n; i++) {
        from[i] = points[i];
        by[i] = own[i] = number(x + SLOTS_SCALAR * i);
        done = own[i] != NULL;
    }
    done = done && EC_POINTs_mul(group, part, NULL, n, from, by, ctx) == 1 &&
           EC_POINT_add(group, sum, sum, part, ctx) == 1;
    for (size_t i = 0; i < n; i++)
        BN_clear_free(own[i]);
    EC_POINT_clear_free(part);
    return done;
}

static bool add_products(EC_POINT *sum, const EC_GROUP *group, EC_POINT *const *points,
                         const uint64_t *x, size_t n, BN_CTX *ctx)
{
    bool done = true;

    for (size_t at = 0; done && at < n; at += PIECE)
        done = add_piece(sum, group, points + at, x + SLOTS_SCALAR * at,
                         n - at < PIECE ? n - at : PIECE, ctx);
    return done;
}

/* A new point; the caller's to free. */
static EC_POINT *combine(const struct mpc_pai_generators *g, const struct slots_combination *c,
                         BN_CTX *ctx)
{
    EC_POINT *sum = EC_POINT_new(g->group);
    BIGNUM *at_g = number(c->at_g), *at_h = number(c->at_h);
    bool done = sum != NULL && at_g != NULL && at_h != NULL && ctx != NULL &&
                EC_POINT_mul(g->group, sum, at_g, g->h, at_h, ctx) == 1 &&
                add_products(sum, g->group, g->g, c->x, c->count, ctx);

    BN_clear_free(at_g);
    BN_clear_free(at_h);
    if (!done) {
        EC_POINT_clear_free(sum);
        sum = NULL;
    }
    return sum;
}

fm_status mpc_pai_points_commit(uint8_t *out33, const struct mpc_pai_generators *g,
                                const struct slots_combination *c, struct base_err *err)
{
    BN_CTX *ctx;
    EC_POINT *sum;
    bool done;

    if (g->own != NULL)
        return mpc_pai_sm2_commit(out33, g, c, err);
    ctx = BN_CTX_secure_new();
    sum = combine(g, c, ctx);
    done = sum != NULL && EC_POINT_point2oct(g->group, sum, POINT_CONVERSION_COMPRESSED, out33,
                                             SLOTS_POINT, ctx) == SLOTS_POINT;

    EC_POINT_clear_free(sum);
    BN_CTX_free(ctx);
    return done ? FM_OK : trouble(err);
}

fm_status mpc_pai_points_vanish(bool *zero, const struct mpc_pai_generators *g,
                                const struct slots_combination *c, const struct slots_point *points,
                                const uint64_t *y, size_t n, struct base_err *err)
{
    EC_POINT **p256, *sum;
    BN_CTX *ctx;
    bool done;

    if (g->own != NULL)
        return mpc_pai_sm2_vanish(zero, g, c, points, y, n, err);
    p256 = calloc(n + 1, sizeof(EC_POINT *));
    ctx = BN_CTX_new();
    sum = combine(g, c, ctx);
    for (size_t i = 0; p256 != NULL && i < n; i++)
        p256[i] = points[i].p256;
    done = p256 != NULL && sum != NULL && add_products(sum, g->group, p256, y, n, ctx);
    *zero = done && EC_POINT_is_at_infinity(g->group, sum) == 1;
    EC_POINT_free(sum);
    BN_CTX_free(ctx);
    free(p256);
    return done ? FM_OK : trouble(err);
}

bool mpc_pai_point_read(struct slots_point *p, const struct mpc_pai_generators *g,
                        const uint8_t *bytes33)
{
    if (g->own != NULL)
        return mpc_curve_get(&p->sm2, bytes33, mpc_curve_sm2());
    p->p256 = EC_POINT_new(g->group);
    return p->p256 != NULL &&
           EC_POINT_oct2point(g->group, p->p256, bytes33, SLOTS_POINT, NULL) == 1;
}

void mpc_pai_point_release(struct slots_point *p)
{
    EC_POINT_free(p->p256);
    p->p256 = NULL;
}
