/* A signed document's file: the record of signatures (did/signature.h), anchored or not
 * (anchored.h). Not anchored, only did:keys can be checked without a member's documents. */
#ifndef FIRMIANA_LEDGER_VERIFY_SIGNED_H
#define FIRMIANA_LEDGER_VERIFY_SIGNED_H

#include <jansson.h>
#include <stdio.h>

#include "did/signature.h"
#include "ledger/verify/anchored.h"

struct ledger_signed {
    struct ledger_anchored file;
    struct did_signature_report signatures; /* texts are the record's */
    int64_t open_until_ms; /* of a key of them: ledger_verified_open_until(); 0 if none */
};
void ledger_signed_release(struct ledger_signed *s); /* {0} is fine */

/* True if a file that begins with this text (16 bytes of it are enough) is of this kind. */
bool ledger_signed_begins(const char *text);

/* The document in a file, by both hashes. name is borrowed: the last part of path. */
fm_status ledger_signed_digest(struct did_signature_document *out, const char *path,
                               struct base_err *err) FM_CHECK;

/* Reads and checks it all; no key of an anchored one may have come with a change that a recovery
 * overrode (ledger_verified_stands()). expect_chain32, ca_file: NULL is allowed; they are for
 * anchored files.
 * keys: for those that are not. FM_E_INVALID says what does not hold; also if all holds but signers
 * are missing, naming the first: out is then whole. Other errors are no verdict. The caller
 * releases *out in any case. */
fm_status ledger_signed_verify(struct ledger_signed *out, FILE *file, const uint8_t *expect_chain32,
                               const char *ca_file, const struct did_signature_keys *keys,
                               struct base_err *err) FM_CHECK;

/* That these are the bytes that were signed. FM_E_INVALID: others. */
fm_status ledger_signed_compare(const struct ledger_signed *s, const char *path,
                                struct base_err *err) FM_CHECK;

/* What it shows, and what not: for people, and as one object (the caller's; NULL: memory).
 * compared: the document itself was. */
void ledger_signed_print(FILE *out, const struct ledger_signed *s, bool compared);
json_t *ledger_signed_json(const struct ledger_signed *s, bool compared);

#endif
