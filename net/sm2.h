/* SM2 for channels, by OpenSSL: identity keys that sign (GB/T 32918.2-2016, with SM3 and the
 * signer's ID of GM/T 0009-2012), and ephemeral keys of the same curve (GB/T 32918.5-2017) for
 * Diffie-Hellman. Secret scalars pass through OpenSSL's Montgomery ladder, whose time does not
 * depend on them. */
#ifndef FIRMIANA_NET_SM2_H
#define FIRMIANA_NET_SM2_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { NET_SM2_POINT = 33, NET_SM2_SIGNATURE_MAX = 72 }; /* compressed; DER */

/* The key of a secret, 1 to order - 2, big-endian. FM_E_ARG: out of that range; FM_E_MEMORY. */
fm_status net_sm2_from_secret(EVP_PKEY **out, const uint8_t secret32[32],
                              struct base_err *err) FM_CHECK;
/* The compressed public key of an SM2 key. False if it is of another kind. */
bool net_sm2_public(uint8_t out33[NET_SM2_POINT], const EVP_PKEY *key) FM_CHECK;

/* signature: *len bytes of at most NET_SM2_SIGNATURE_MAX. */
fm_status net_sm2_sign(uint8_t *signature, size_t *len, EVP_PKEY *key, const void *message,
                       size_t message_len, struct base_err *err) FM_CHECK;
/* FM_E_AUTH: not a key, or not its signature. */
fm_status net_sm2_verify(const uint8_t key33[NET_SM2_POINT], const uint8_t *signature, size_t len,
                         const void *message, size_t message_len, struct base_err *err) FM_CHECK;

/* An ephemeral key pair; never used twice, never stored. */
fm_status net_sm2_ephemeral(EVP_PKEY **out, uint8_t public33[NET_SM2_POINT],
                            struct base_err *err) FM_CHECK;
/* x of the common point. FM_E_PEER: theirs is no point of the curve. out32 is secret. */
fm_status net_sm2_agree(uint8_t out32[32], EVP_PKEY *ephemeral,
                        const uint8_t theirs33[NET_SM2_POINT], struct base_err *err) FM_CHECK;

#endif
