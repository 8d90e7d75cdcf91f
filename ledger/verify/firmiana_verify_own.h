/* Inside firmiana-verify: what it checks besides bundles, a file to each kind. */
#ifndef FIRMIANA_LEDGER_FIRMIANA_VERIFY_OWN_H
#define FIRMIANA_LEDGER_FIRMIANA_VERIFY_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/verify/verify.h"

struct verify_options {
    const char *bundle, *opening, *keys, *ca, *document, *x509;
    int64_t quorum, at_s; /* 0: not given */
    bool json, help, chain_given;
    uint8_t chain[32];
};

/* A certificate, which begins otherwise than a bundle. */
bool verify_is_certificate(const char *path);
fm_status verify_certificate(const struct verify_options *o, struct base_err *err) FM_CHECK;

/* A signed document's file, which begins otherwise than both. */
bool verify_is_signed(const char *path);
fm_status verify_signed(const struct verify_options *o, struct base_err *err) FM_CHECK;

/* A member's X.509 certificate (did/x509.h), against its document and the time at the end of a
 * valid bundle, under the roots of --ca. Prints whose it is. FM_E_INVALID. */
fm_status verify_x509(const struct verify_options *o, const struct ledger_verified *report,
                      struct base_err *err) FM_CHECK;

/* A folder that firmiana ledger publish wrote. */
fm_status verify_published(const struct verify_options *o, struct base_err *err) FM_CHECK;

#endif
