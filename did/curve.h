/* What the suites `p256` and `sm2` share: a prime curve of 256 bits with cofactor 1, keys as
 * compressed points of 33 bytes, signatures as r || s of 32 bytes each, big-endian. OpenSSL does
 * the arithmetic of points and numbers; what is accepted is decided by us, so that builds of
 * OpenSSL cannot disagree. For the files of this folder alone. */
#ifndef FIRMIANA_DID_CURVE_H
#define FIRMIANA_DID_CURVE_H

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "did/suite.h"

#define DID_CURVE_KEY 33
#define DID_CURVE_SCALAR 32
#define DID_CURVE_SIGNATURE 64

struct did_curve {
    const char *suite;    /* for error texts */
    const char *key_type; /* "EC", "SM2": as OpenSSL names the keys */
    const char *group_name;
    const EC_GROUP *group;
    const BIGNUM *order, *prime;
};

/* Fills the last three members. False if this OpenSSL does not have the curve. */
bool did_curve_open(struct did_curve *curve);

/* A public key: 02 or 03, then x below p with a point above it, whose y this gives. FM_E_AUTH
 * otherwise; FM_E_MEMORY is no verdict. */
fm_status did_curve_decompress(uint8_t y[DID_KEY_AID], const struct did_curve *curve,
                               const uint8_t key[DID_CURVE_KEY], struct base_err *err);
/* The point of a key whose aid is its y. EC_POINT_free(). */
fm_status did_curve_point(EC_POINT **out, const struct did_curve *curve, const struct did_key *key,
                          BN_CTX *ctx, struct base_err *err);

/* r and s, each from 1 to order - 1. FM_E_AUTH otherwise. */
fm_status did_curve_signature(BIGNUM *r, BIGNUM *s, const struct did_curve *curve,
                              const uint8_t signature[DID_CURVE_SIGNATURE], struct base_err *err);

/* x of a G + b Q, not yet reduced by the order. *infinite: there is no x. */
fm_status did_curve_sum(BIGNUM *x, bool *infinite, const struct did_curve *curve, const BIGNUM *a,
                        const EC_POINT *q, const BIGNUM *b, BN_CTX *ctx, struct base_err *err);

/* 1 / a modulo the order, 0 < a < order. Takes a time that depends on a: public numbers only. */
fm_status did_curve_invert_var(BIGNUM *out, const struct did_curve *curve, const BIGNUM *a,
                               struct base_err *err);

/* A secret, 1 to order - 2 (which both suites allow), ready to sign, and its public key with y.
 * digest, params: as EVP_DigestSignInit_ex() takes them. EVP_MD_CTX_free(). FM_E_INPUT if it is out
 * of range. */
fm_status did_curve_secret(EVP_MD_CTX **out, struct did_key *key, const struct did_curve *curve,
                           const char *digest, const OSSL_PARAM *params,
                           const uint8_t secret[DID_CURVE_SCALAR], struct base_err *err);

/* Signs with OpenSSL. ready is only copied, so that threads may share it. */
fm_status did_curve_sign(const EVP_MD_CTX *ready, uint8_t signature[DID_CURVE_SIGNATURE],
                         const void *message, size_t message_len, const char *suite,
                         struct base_err *err);

#endif
