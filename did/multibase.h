/* Base58btc, multibase 'z' and W3C Multikey. One text for each byte string and one byte string for
 * each text: base58btc is a bijection (a leading '1' is a leading zero byte, the rest is a number
 * without leading zeros), so what decodes also re-encodes to the same text. Public data only. */
#ifndef FIRMIANA_DID_MULTIBASE_H
#define FIRMIANA_DID_MULTIBASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "did/suite.h"

/* Appends. Time is quadratic in len: for keys, hashes and signatures, not for files. */
void did_base58_encode(struct base_buf *out, const uint8_t *bytes, size_t len);
/* False if a character is outside the alphabet or the value does not fit into cap bytes. */
bool did_base58_decode(uint8_t *out, size_t cap, size_t *out_len, const char *text,
                       size_t text_len) FM_CHECK;

/* 'z' and base58btc. Decoding fails with FM_E_INPUT for any other base, and when the bytes are not
 * exactly len. */
void did_multibase_encode(struct base_buf *out, const uint8_t *bytes, size_t len);
fm_status did_multibase_decode(uint8_t *out, size_t len, const char *text,
                               struct base_err *err) FM_CHECK;

/* Multikey: multibase of the suite's multicodec prefix and the key: "z6Mk..." for Ed25519.
 * W3C Controlled Identifiers 1.0, section 2.2.2. */
#define DID_MULTIKEY_TEXT 64 /* enough for every suite, with the closing NUL */
fm_status did_multikey_encode(char out[DID_MULTIKEY_TEXT], const struct did_key *key,
                              struct base_err *err) FM_CHECK;
/* FM_E_INPUT (not a Multikey, unknown suite) or FM_E_AUTH (the suite's rule refuses the key). */
fm_status did_multikey_decode(struct did_key *out, const char *text, uint32_t rules_version,
                              struct base_err *err) FM_CHECK;

#endif
