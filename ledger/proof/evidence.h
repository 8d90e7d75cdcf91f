/* Evidence (format.md section 13): digests of documents under one anchor on the ledger, and the
 * certificate that shows one of them from the file alone.
 *
 * A document's leaf is H("firmiana/evidence/v1" || 0x00 || algorithm || 0x00 || salt || digest), so
 * that neither the anchor nor another's certificate tells whether a guessed document is among them.
 * The anchor is the RFC 6962 root over the leaves (log.h), one or 2^24 of them. */
#ifndef FIRMIANA_LEDGER_EVIDENCE_H
#define FIRMIANA_LEDGER_EVIDENCE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/proof/log_proof.h"

#define LEDGER_EVIDENCE_MAX (1 << 24)   /* documents under one anchor */
#define LEDGER_EVIDENCE_TOKEN_MAX 32768 /* bytes of a time-stamp token */
#define LEDGER_EVIDENCE_SKEW_MS 5000    /* by how much members' clocks may differ: engine.h */

struct ledger_evidence_item {
    uint8_t digest[32], salt[32];
};

/* "sha256" or "sm3". */
bool ledger_evidence_is_algorithm(const char *name);
/* The profile's: what digests are made by where nobody says. */
const char *ledger_evidence_usual(void);

/* The nodes over n items, 1 <= n <= LEDGER_EVIDENCE_MAX; algorithm is one of the two. FM_E_MEMORY.
 */
struct ledger_evidence_tree;
fm_status ledger_evidence_tree_new(struct ledger_evidence_tree **out, const char *algorithm,
                                   const struct ledger_evidence_item *items, size_t n,
                                   struct base_err *err) FM_CHECK;
void ledger_evidence_tree_free(struct ledger_evidence_tree *tree); /* NULL is allowed */
void ledger_evidence_tree_root(const struct ledger_evidence_tree *tree, uint8_t out32[32]);
fm_status ledger_evidence_tree_prove(const struct ledger_evidence_tree *tree,
                                     struct ledger_log_proof *proof, size_t index,
                                     struct base_err *err) FM_CHECK;

/* The first line of a certificate; behind it stands a bundle that discloses the deposit. */
struct ledger_certificate {
    uint8_t chain[32], tx[32];
    char algorithm[8];
    struct ledger_evidence_item item;
    uint64_t index, count;
    struct ledger_log_proof path;
    char name[256];        /* what the depositor called the document; nothing vouches for it */
    struct base_buf token; /* an RFC 3161 time-stamp token, DER; empty: none */
};
void ledger_certificate_release(struct ledger_certificate *c); /* {0} is fine */

/* A canonical line with its newline. */
fm_status ledger_certificate_encode(struct base_buf *out, const struct ledger_certificate *c,
                                    struct base_err *err) FM_CHECK;
/* Exactly what encoding gives (with or without the newline); FM_E_INPUT names the member. */
fm_status ledger_certificate_parse(struct ledger_certificate *out, const void *line, size_t len,
                                   struct base_err *err) FM_CHECK;

/* That an evidence.deposit's body is this certificate's: algorithm, count, the root over path, and
 * the token. FM_E_INVALID says what is not. */
fm_status ledger_certificate_check(const struct ledger_certificate *c, const json_t *body,
                                   struct base_err *err) FM_CHECK;

#endif
