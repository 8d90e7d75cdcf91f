/* Inside firmiana-verify: what it checks besides bundles, a file to each kind. */
#ifndef FIRMIANA_LEDGER_FIRMIANA_VERIFY_OWN_H
#define FIRMIANA_LEDGER_FIRMIANA_VERIFY_OWN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/transparency/published.h"
#include "ledger/verify/verify.h"

#define VERIFY_LISTS_MAX 16

struct verify_options {
    const char *bundle, *opening, *keys, *ca, *document, *x509;
    const char *list[VERIFY_LISTS_MAX];
    size_t list_count;
    int64_t quorum, at_s, list_age_s; /* 0: not given */
    unsigned given;                   /* which options of the table, a bit each */
    bool json, help, chain_given;
    uint8_t chain[32];
};

enum verify_kind {
    VERIFY_UNKNOWN = 0,
    VERIFY_BUNDLE = 1,
    VERIFY_CERTIFICATE = 2,
    VERIFY_SIGNED = 4,
    VERIFY_CREDENTIAL = 8,
    VERIFY_PUBLISHED = 16,
    VERIFY_PROOF = 32,
    VERIFY_ALL = 63
};

extern const char verify_usage[];
/* FM_E_ARG says what is wrong with the command line; */
fm_status verify_options_read(struct verify_options *o, int argc, char **argv,
                              struct base_err *err) FM_CHECK;
/* and which option does not apply to such a file, or to this one: nothing that was asked for is
 * passed over. */
fm_status verify_options_fit(const struct verify_options *o, enum verify_kind kind,
                             struct base_err *err) FM_CHECK;
fm_status verify_stamp_fits(const struct verify_options *o, bool stamped,
                            struct base_err *err) FM_CHECK;

fm_status verify_certificate(const struct verify_options *o, struct base_err *err) FM_CHECK;
fm_status verify_signed(const struct verify_options *o, struct base_err *err) FM_CHECK;
fm_status verify_issued(const struct verify_options *o, struct base_err *err) FM_CHECK;

/* One canonical line. report is used up; NULL: out of memory. */
fm_status verify_print_report(json_t *report, struct base_err *err) FM_CHECK;

/* A member's X.509 certificate (did/x509.h), against its document and the time at the end of a
 * valid bundle, under the roots of --ca. Prints whose it is. FM_E_INVALID. */
fm_status verify_x509(const struct verify_options *o, const struct ledger_verified *report,
                      struct base_err *err) FM_CHECK;

/* Whom --keys and --quorum say to believe. FM_E_ARG: not given, or not such keys. Released in any
 * case. */
fm_status verify_trust(struct ledger_trust *out, const struct verify_options *o,
                       struct base_err *err) FM_CHECK;
void verify_trust_release(struct ledger_trust *trust);

/* A folder that firmiana ledger publish wrote; what firmiana ledger proof wrote. */
fm_status verify_published(const struct verify_options *o, struct base_err *err) FM_CHECK;
fm_status verify_proof(const struct verify_options *o, struct base_err *err) FM_CHECK;

#endif
