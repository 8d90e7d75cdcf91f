/* What a depositor keeps of a deposit: each document's name, digest and salt, and the time-stamp
 * token. Whoever has it can have certificates made; without it the anchor shows nothing. As JSON:
 *
 *   {"type": "FirmianaDeposit", "chain", "algorithm", "root",
 *    "items": [{"name", "digest", "salt"} ...], "token"?: base64url} */
#ifndef FIRMIANA_EXCHANGE_EVIDENCE_RECEIPT_H
#define FIRMIANA_EXCHANGE_EVIDENCE_RECEIPT_H

#include <jansson.h>

#include "base/random.h"
#include "ledger/proof/evidence.h"

#define EVIDENCE_RECEIPT_MAX ((size_t)512 << 20) /* bytes of a file */

struct evidence_receipt {
    uint8_t chain[32], root[32];
    char algorithm[8];
    struct ledger_evidence_item *items;
    char **names;
    size_t n, cap;
    struct base_buf token;
};
void evidence_receipt_release(struct evidence_receipt *r); /* {0} is fine */

/* The digest of a whole file, read piece by piece. FM_E_IO names it; FM_E_UNSUPPORTED. */
fm_status evidence_digest_file(uint8_t out32[32], const char *path, const char *algorithm,
                               struct base_err *err) FM_CHECK;

/* One document more, with a fresh salt. name: its last 255 bytes are kept. FM_E_INPUT: it is not
 * UTF-8. */
fm_status evidence_receipt_add(struct evidence_receipt *r, const uint8_t digest32[32],
                               const char *name, const struct base_random *random,
                               struct base_err *err) FM_CHECK;

/* Fills r->root. */
fm_status evidence_receipt_seal(struct evidence_receipt *r, struct base_err *err) FM_CHECK;

fm_status evidence_receipt_save(const struct evidence_receipt *r, const char *path,
                                struct base_err *err) FM_CHECK;
/* Checks that the root is that of the items. FM_E_INPUT names what is wrong. */
fm_status evidence_receipt_load(struct evidence_receipt *out, const char *path,
                                struct base_err *err) FM_CHECK;

/* The certificate of the document with this digest, deposited by transaction tx32. FM_E_NOT_FOUND:
 * it is not among them. */
fm_status evidence_receipt_certify(struct ledger_certificate *out, const struct evidence_receipt *r,
                                   const uint8_t digest32[32], const uint8_t tx32[32],
                                   struct base_err *err) FM_CHECK;

#endif
