/* SM2 signatures with SM3 over any curve and for any signer's ID, as GB/T 32918.2-2016 has them:
 * the suite `sm2` fixes both (suite.h). For the files of this folder and its tests, which hold it
 * against the standard's example over another curve. */
#ifndef FIRMIANA_DID_SM2_OWN_H
#define FIRMIANA_DID_SM2_OWN_H

#include "did/curve.h"

#define DID_SM2_ID_MAX 32

/* What Z of every key begins with: ENTL || ID || a || b || xG || yG (section 5.5). */
struct did_sm2_prefix {
    uint8_t bytes[2 + DID_SM2_ID_MAX + 4 * 32];
    size_t len;
};
/* id: at most DID_SM2_ID_MAX bytes. False for want of memory. */
bool did_sm2_prefix(struct did_sm2_prefix *out, const struct did_curve *curve, const char *id);

/* Z = SM3(prefix || x || y) of the key q, e = SM3(Z || message). */
fm_status did_sm2_hash(uint8_t z32[32], uint8_t e32[32], const struct did_curve *curve,
                       const struct did_sm2_prefix *prefix, const EC_POINT *q, const void *message,
                       size_t message_len, BN_CTX *ctx, struct base_err *err);

/* r + s is not zero and e + x(s G + (r + s) Q) = r modulo the order (section 7.1); r and s are in
 * their range. FM_E_AUTH; FM_E_MEMORY is no verdict. */
fm_status did_sm2_check(const struct did_curve *curve, const EC_POINT *q, const BIGNUM *e,
                        const BIGNUM *r, const BIGNUM *s, BN_CTX *ctx, struct base_err *err);

#endif
