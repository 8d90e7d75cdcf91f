/* Officers, k of m: a transaction that needs several signatures goes from hand to hand as a file, a
 * transaction like any other with as many proofs as it has by now, and is submitted by the hand
 * that makes it complete. */
#ifndef FIRMIANA_EXCHANGE_CLI_OFFICERS_H
#define FIRMIANA_EXCHANGE_CLI_OFFICERS_H

#include "did/document.h"
#include "exchange/cli/common.h"

/* This member's current document, from its node. */
fm_status officers_document(struct did_document **out, const struct cli_args *args,
                            struct base_err *err) FM_CHECK;

/* An officer's public key, as a person names it: its Multikey text, or the path of its key file.
 * FM_E_ARG if it is neither. */
fm_status officers_key(struct did_key *out, const char *name, struct base_err *err) FM_CHECK;

/* Adds this officer's signature to the transaction (a reference is taken): complete, it is
 * submitted and waited for; else it is written to path (NULL: WHAT-ID.json here) for the next
 * officer. FM_E_REFUSED: the key is none of the member's officers'; FM_E_CONFLICT: it has signed
 * already. */
fm_status officers_sign(const struct cli_args *args, json_t *tx, const struct did_secret *key,
                        const struct did_document *doc, const char *path, const char *what,
                        struct base_err *err) FM_CHECK;

#endif
