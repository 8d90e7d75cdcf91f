/* A consortium of four in memory, for tests: keys from a seed, a log without rules. It writes
 * whatever it is told, lies included, and hashes and cosigns it properly: so what a verifier finds,
 * it finds by its own checks. */
#ifndef FIRMIANA_LEDGER_TEST_WORLD_H
#define FIRMIANA_LEDGER_TEST_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/profile.h"
#include "did/document.h"
#include "did/draft.h"
#include "ledger/proof/bundle.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/log.h"
#include "ledger/proof/state_proof.h"
#include "ledger/proof/tx.h"

#define WORLD_MEMBERS 4 /* bank_a, bank_b, bank_c, regulator: indices 0 to 3 */
#define WORLD_NEW 4     /* carol_credit, who is no member at first */
#define WORLD_QUORUM 3

struct world_member {
    const char *alias;
    struct did_secret *channel, *node, *officer[2], *recovery;
    struct did_secret *old_node; /* the one before the last rotation, or NULL */
    struct did_document *doc;    /* current; threshold 2 for bank_a, 1 for the others */
    const char *did;
};

struct world_page {
    uint8_t id[LEDGER_STATE_ID_MAX];
    size_t id_len, len;
    uint8_t page[LEDGER_STATE_PAGE_MAX];
};

struct world {
    struct world_member m[WORLD_MEMBERS + 1];
    json_t *genesis;
    uint8_t chain[32];
    uint64_t secrets; /* how many were made */

    struct ledger_log log, txs, results;
    uint64_t height, epoch;
    int64_t time_ms;
    int64_t step_ms; /* between blocks */
    uint8_t prev[32], state_root[32];
    struct world_page page[64];
    size_t n_pages;
    struct base_buf bundle; /* lines so far */
    json_t *overrides;      /* members of the next block leaf to lie about; NULL: none */
};

/* Writes the genesis line and block 0, for the first so many members (1: the shortest bundle there
 * is), and for all four. */
void world_init_of(struct world *w, size_t members, int quorum);
static inline void world_init(struct world *w)
{
    world_init_of(w, WORLD_MEMBERS, WORLD_QUORUM);
}
void world_release(struct world *w);

/* Of worlds made from now on; 0: the first that has the profile (base/test_profile.h). */
extern int world_rules_version;
/* The rules version of its genesis and blocks. */
static inline int world_rules(void)
{
    return world_rules_version != 0 ? world_rules_version : base_profile_is_national() ? 2 : 1;
}
struct did_secret *world_secret(struct world *w);

/* A signed transaction with a body in jansson's pack format, by whom the type asks for (all
 * officers that the threshold needs; the recovery key). Valid for an hour. The caller owns it. */
json_t *world_tx(struct world *w, enum ledger_tx_type type, size_t sender, json_t *body);
json_t *world_tx_unsigned(struct world *w, enum ledger_tx_type type, size_t sender, json_t *body);
void world_sign(json_t *tx, const struct did_secret *secret); /* with the type's purpose */

/* Puts a transaction on the log: rule OK or the refusing one. Takes the reference. Returns its
 * leaf. */
uint64_t world_put(struct world *w, json_t *tx, enum ledger_rule rule);
/* The same without disclosing its payload. */
uint64_t world_hide(struct world *w, json_t *tx, enum ledger_rule rule);
uint64_t world_block(struct world *w); /* returns the block leaf's index */

/* A state value for the next block leaf; proofs for the last one. */
void world_state(struct world *w, const char *key, json_t *value);
void world_prove(struct world *w, const char *key, const json_t *value);

/* Cosigned by the members whose bits are set. */
void world_checkpoint(struct world *w, unsigned cosigners);

/* ---- bodies ---- */

json_t *world_contract(struct world *w);
void world_id(uint8_t out32[32], const json_t *body); /* H(JCS(body)) */
/* A consent signed by subject's key. */
json_t *world_consent(struct world *w, const struct did_secret *subject);
json_t *world_open(struct world *w, const json_t *contract);
/* A receipt for that query.open, signed by the node keys of the members whose bits are set. */
json_t *world_receipt(struct world *w, const json_t *open, enum ledger_outcome_kind outcome,
                      unsigned signers);
/* Version n + 1 of a member's document, with a new node key; the member's own keys and doc follow.
 */
json_t *world_next_document(struct world *w, size_t member, bool recovery);

#endif
