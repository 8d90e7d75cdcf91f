/* Inside firmiana-verify: what it checks besides bundles, a file to each kind. */
#ifndef FIRMIANA_LEDGER_FIRMIANA_VERIFY_OWN_H
#define FIRMIANA_LEDGER_FIRMIANA_VERIFY_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct verify_options {
    const char *bundle, *opening, *keys, *ca, *document;
    int64_t quorum; /* 0: not given */
    bool json, help, chain_given;
    uint8_t chain[32];
};

/* A certificate, which begins otherwise than a bundle. */
bool verify_is_certificate(const char *path);
fm_status verify_certificate(const struct verify_options *o, struct base_err *err) FM_CHECK;

/* A signed document's file, which begins otherwise than both. */
bool verify_is_signed(const char *path);
fm_status verify_signed(const struct verify_options *o, struct base_err *err) FM_CHECK;

/* A folder that firmiana ledger publish wrote. */
fm_status verify_published(const struct verify_options *o, struct base_err *err) FM_CHECK;

#endif
