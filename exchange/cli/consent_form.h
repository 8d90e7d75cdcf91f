/* What consent create and consent attest have in common: a permission as the command line says it,
 * and its opening. */
#ifndef FIRMIANA_EXCHANGE_CLI_CONSENT_FORM_H
#define FIRMIANA_EXCHANGE_CLI_CONSENT_FORM_H

#include "base/bytes.h"
#include "exchange/cli/common.h"
#include "ledger/proof/inner.h"

#define CONSENT_FORM_OPTIONS                                                             \
    {"scheme", "SCHEME", "its scheme: cn.id, cn.uscc, ...", CLI_OPTIONAL},               \
        {"grantee", "ALIAS", "the member that may ask", CLI_OPTIONAL},                   \
        {"contract", "HEX", "for this contract only", CLI_OPTIONAL},                     \
        {"purpose", "TEXT", "or: for any contract with this purpose", CLI_OPTIONAL},     \
        {"uses", "N", "how many queries (default 1)", CLI_OPTIONAL},                     \
        {"valid-for", "TIME", "how long: 30d, 12h, 90s (default 30d)", CLI_OPTIONAL},    \
        {"identifier", "ID",                                                             \
         "the subject's identifier, as the datasets hold it; better: --identifier-file", \
         CLI_OPTIONAL},                                                                  \
    {                                                                                    \
        "identifier-file", "FILE",                                                       \
            "the same from a file: arguments can be seen by every user of this machine", \
            CLI_OPTIONAL                                                                 \
    }

/* Fills *c from the options above, for that ledger, from now on, without mode. The commitment is to
 * the identifier with *nonce32, which is drawn here if it shall be fresh; texts lead into args. */
fm_status consent_form_read(struct ledger_consent *c, uint8_t nonce32[32],
                            const struct cli_args *args, const uint8_t chain32[32],
                            const char *identifier, bool fresh_nonce,
                            struct base_err *err) FM_CHECK;

/* What can be said of the options before anything is read or asked. */
fm_status consent_form_check(const struct cli_args *args, struct base_err *err) FM_CHECK;

/* --identifier or --identifier-file, appended with a closing NUL in reach; release as a secret. */
fm_status consent_form_identifier(struct base_buf *out, const struct cli_args *args,
                                  struct base_err *err) FM_CHECK;

/* 64 hex digits of an option. */
fm_status consent_form_hex(uint8_t out32[32], const struct cli_args *args, const char *name,
                           struct base_err *err) FM_CHECK;

/* What the asker needs to open the commitment towards the providers: no key in it. */
fm_status consent_form_write_opening(const char *path, const uint8_t id32[32],
                                     const uint8_t nonce32[32], struct base_err *err) FM_CHECK;

#endif
