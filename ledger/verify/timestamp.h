/* RFC 3161 time stamps over an anchor, by OpenSSL: an authority outside the ledger says when it saw
 * the anchor. What it stamps is the hash of the anchor's 32 bytes by the deposit's own algorithm.
 */
#ifndef FIRMIANA_LEDGER_TIMESTAMP_H
#define FIRMIANA_LEDGER_TIMESTAMP_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* Appends a DER TimeStampReq that asks for the authority's certificate. nonce: fresh randomness.
 * FM_E_UNSUPPORTED: this OpenSSL has no such hash. */
fm_status ledger_timestamp_request(struct base_buf *out, const char *algorithm,
                                   const uint8_t anchor32[32], uint64_t nonce,
                                   struct base_err *err) FM_CHECK;

/* Takes the token out of a DER TimeStampResp to that request, and appends it. FM_E_REFUSED: the
 * authority did; FM_E_INVALID: it is not for this anchor and nonce; FM_E_INPUT: malformed. The
 * signature is not checked. */
fm_status ledger_timestamp_take(struct base_buf *token, const char *algorithm,
                                const uint8_t anchor32[32], uint64_t nonce, const void *response,
                                size_t len, struct base_err *err) FM_CHECK;

struct ledger_timestamp {
    int64_t time_ms;
    int64_t accuracy_ms; /* as it says; -1: it does not */
};

/* A token over this anchor. ca_file: PEM certificates to trust, under which the signature is then
 * checked; NULL: it is not, and the time is only what the token says. FM_E_INVALID, FM_E_INPUT. */
fm_status ledger_timestamp_check(struct ledger_timestamp *out, const char *algorithm,
                                 const uint8_t anchor32[32], const void *token, size_t len,
                                 const char *ca_file, struct base_err *err) FM_CHECK;

#endif
