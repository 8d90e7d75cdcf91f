/* The groups: ristretto255, by libsodium, and where the profile is national SM2's curve. */
#include <sodium.h>

#include "base/profile.h"
#include "base/secret.h"
#include "mpc/paillier/limbs.h"
#include "mpc/psi/curve.h"
#include "mpc/psi/psi_own.h"

/* ---- ristretto255 ---- */

_Static_assert(crypto_core_ristretto255_BYTES == PSI_POINT, "a point's bytes");

/* expand_message_xmd (RFC 9380, 5.3.1) for 64 bytes, which is one block of SHA-512. */
static void expand(uint8_t b[64], const void *message, size_t len, const void *dst, size_t dst_len)
{
    static const uint8_t zeros[128], length[3] = {0, 64, 0}, one = 1;
    uint8_t dst_size = (uint8_t)dst_len;
    crypto_hash_sha512_state h;

    crypto_hash_sha512_init(&h);
    crypto_hash_sha512_update(&h, zeros, sizeof zeros);
    crypto_hash_sha512_update(&h, message, len);
    crypto_hash_sha512_update(&h, length, sizeof length);
    crypto_hash_sha512_update(&h, dst, dst_len);
    crypto_hash_sha512_update(&h, &dst_size, 1);
    crypto_hash_sha512_final(&h, b);
    crypto_hash_sha512_init(&h);
    crypto_hash_sha512_update(&h, b, 64);
    crypto_hash_sha512_update(&h, &one, 1);
    crypto_hash_sha512_update(&h, dst, dst_len);
    crypto_hash_sha512_update(&h, &dst_size, 1);
    crypto_hash_sha512_final(&h, b);
    base_wipe(&h, sizeof h);
}

void mpc_psi_hash_to_group(uint8_t out32[32], const void *message, size_t len, const void *dst,
                           size_t dst_len)
{
    uint8_t b[64];

    expand(b, message, len, dst, dst_len);
    (void)crypto_core_ristretto255_from_hash(out32, b);
    base_wipe(b, sizeof b);
}

static const char ristretto_dst[] = "firmiana-psi-sum-V01-ristretto255_XMD:SHA-512_R255MAP_RO_";

static fm_status ristretto_scalar(uint8_t scalar32[32], const uint8_t wide64[64],
                                  struct base_err *err)
{
    (void)err;
    crypto_core_ristretto255_scalar_reduce(scalar32, wide64);
    return FM_OK;
}

static fm_status ristretto_times_hash(unsigned *bad, uint8_t z[][PSI_POINT],
                                      const uint8_t *messages, size_t len, size_t n,
                                      const uint8_t scalar32[32], struct base_err *err)
{
    uint8_t h[MPC_PSI_BATCH][64];

    (void)err;
    for (size_t i = 0; i < n; i++)
        expand(h[i], messages + len * i, len, ristretto_dst, sizeof ristretto_dst - 1);
    *bad = mpc_psi_curve_best()->times_derived(z, (const uint8_t(*)[64])h, n, scalar32);
    base_wipe(h, sizeof h);
    return FM_OK;
}

static fm_status ristretto_times(unsigned *bad, uint8_t z[][PSI_POINT],
                                 const uint8_t x[][PSI_POINT], size_t n, const uint8_t scalar32[32],
                                 struct base_err *err)
{
    (void)err;
    *bad = mpc_psi_curve_best()->times(z, x, n, scalar32);
    return FM_OK;
}

const struct psi_group mpc_psi_ristretto255 = {.name = "ristretto255",
                                               .dst = ristretto_dst,
                                               .scalar = ristretto_scalar,
                                               .times_hash = ristretto_times_hash,
                                               .times = ristretto_times};

/* ---- SM2's curve ---- */

static const char sm2_dst[] = "firmiana-psi-sum-V01-SM2_XMD:SM3_SSWU_RO_";

static fm_status sm2_scalar(uint8_t scalar32[32], const uint8_t wide64[64], struct base_err *err)
{
    mp_limb_t wide[8], scalar[4];
    fm_status st;

    mpc_pai_limbs_load(wide, 8, wide64, 64);
    st = mpc_pai_limbs_mod(scalar, wide, 8, mpc_curve_order(mpc_curve_sm2()), 4, err);
    mpc_pai_limbs_store(scalar32, 32, scalar, 4);
    base_wipe(wide, sizeof wide);
    base_wipe(scalar, sizeof scalar);
    return st;
}

static fm_status sm2_product(unsigned *bad, uint8_t z[PSI_POINT], const struct mpc_curve_point *p,
                             const uint8_t scalar32[32], struct base_err *err)
{
    struct mpc_curve_point product;
    mp_limb_t scalar[4];
    fm_status st;

    mpc_pai_limbs_load(scalar, 4, scalar32, 32);
    st = mpc_curve_sum(&product, scalar, p, 1, mpc_curve_sm2(), err);
    base_wipe(scalar, sizeof scalar);
    *bad = st == FM_OK && !mpc_curve_x(z, &product, mpc_curve_sm2());
    return st;
}

static fm_status sm2_times_hash(unsigned *bad, uint8_t z[][PSI_POINT], const uint8_t *messages,
                                size_t len, size_t n, const uint8_t scalar32[32],
                                struct base_err *err)
{
    struct mpc_curve_point p;
    fm_status st = FM_OK;

    *bad = 0;
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        unsigned none;
        mpc_curve_hash(&p, messages + len * i, len, sm2_dst, sizeof sm2_dst - 1, mpc_curve_sm2());
        st = sm2_product(&none, z[i], &p, scalar32, err);
        *bad |= none << i;
    }
    base_wipe(&p, sizeof p);
    return st;
}

/* Of a point x alone is told: to others it stands for p and -p, whose products have one x again. */
static fm_status sm2_times(unsigned *bad, uint8_t z[][PSI_POINT], const uint8_t x[][PSI_POINT],
                           size_t n, const uint8_t scalar32[32], struct base_err *err)
{
    fm_status st = FM_OK;

    *bad = 0;
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        struct mpc_curve_point p;
        unsigned none = 1;
        if (mpc_curve_from_x(&p, x[i], mpc_curve_sm2()))
            st = sm2_product(&none, z[i], &p, scalar32, err);
        *bad |= none << i;
    }
    return st;
}

const struct psi_group mpc_psi_sm2 = {.name = "SM2's curve",
                                      .dst = sm2_dst,
                                      .scalar = sm2_scalar,
                                      .times_hash = sm2_times_hash,
                                      .times = sm2_times};

const struct psi_group *mpc_psi_group(void)
{
    return base_profile_is_national() ? &mpc_psi_sm2 : &mpc_psi_ristretto255;
}
