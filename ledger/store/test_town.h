/* A consortium that plays by the rules, for tests of the machine and of replicas: bank_a, bank_b
 * and bank_c ask, provide and compute; the regulator watches; newcomer is not a member at first.
 * Every block runs on a replica in memory and, where there is one, on a replica on disk; their
 * hashes must agree, and all invariants hold, after every block. */
#ifndef FIRMIANA_LEDGER_TEST_TOWN_H
#define FIRMIANA_LEDGER_TEST_TOWN_H

#include <jansson.h>

#include "did/document.h"
#include "ledger/machine/test_memory.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/tx.h"
#include "ledger/store/chain.h"

enum { BANK_A, BANK_B, BANK_C, REGULATOR, NEWCOMER, TOWN_PEOPLE };
#define HOUR_MS 3600000LL
#define DAY_MS (24 * HOUR_MS)

struct town_person {
    const char *alias;
    struct did_secret *channel, *node, *officer[2], *recovery;
    struct did_document *doc; /* current; threshold 2 for bank_a, else 1 */
};

struct town {
    struct town_person who[TOWN_PEOPLE];
    json_t *genesis;
    struct base_buf genesis_bytes;
    uint8_t chain_id[32];
    uint64_t secrets, salt;
    int64_t time_ms; /* of the newest block */
    int64_t busy_ms; /* of the newest block that is not empty */
    struct memory memory;
    struct ledger_chain *chain; /* NULL: memory alone */
    bool validators; /* founders and newcomer name a validator's key from the first document on */
    size_t vouched;  /* so many of the next block's transactions are the engine's own entries */
    bool unchecked;  /* leave the invariants out: they cost as much as the state is large */
};

/* path: where to create the replica on disk; NULL: none. */
void town_init(struct town *t, const char *path);
/* Under these rules from genesis on; above, under version 1. */
void town_init_rules(struct town *t, const char *path, int rules);
/* ... and with validators. */
void town_init_validators(struct town *t, const char *path, int rules);
/* A person's n-th validator's key, and a person's next document, which names another's (or its own)
 * n-th key; n < 0: none. */
struct did_secret *town_validator_secret(int who, int n); /* the caller's */
void town_validator_key(uint8_t out32[32], int who, int n);
json_t *town_validator_document(struct town *t, int who, int whose, int n);
void town_release(struct town *t);

struct did_secret *town_secret(struct town *t);
int64_t town_seconds(const struct town *t);

/* ---- transactions: canonical bytes in a buffer of the caller's ---- */

/* Signed by whom the type asks for. Takes the reference to body. Never the same id twice. */
struct base_buf town_tx(struct town *t, enum ledger_tx_type type, int sender, json_t *body);
/* The parts: an unsigned tree, and its bytes (the reference is taken). */
json_t *town_unsigned(struct town *t, enum ledger_tx_type type, int sender, json_t *body);
struct base_buf town_bytes(json_t *tx);

/* An older program's replica: it follows no newer rules than these. */
void town_older_program(struct ledger_chain *chain, uint32_t newest_rules);

/* One block, step_ms later, of these transactions; outcomes may be NULL. The buffers are released.
 */
void town_block(struct town *t, struct ledger_outcome *outcomes, struct base_buf *txs, size_t n,
                int64_t step_ms);
/* One block of one transaction, a second later; its outcome. */
struct ledger_outcome town_run(struct town *t, struct base_buf tx);
/* Which rules town_run() has seen. */
extern bool town_hit[LEDGER_RULE_COUNT];
/* ... which must be ok; or refused or dropped by that rule, and then it changes nothing but the
 * remembered ids and the quota. */
void town_ok(struct town *t, struct base_buf tx);
void town_refused(struct town *t, struct base_buf tx, enum ledger_rule rule);
void town_wait(struct town *t, int64_t ms); /* an empty block, that much later */

/* ---- bodies ---- */

json_t *town_dataset(struct town *t, int64_t data_version, int64_t schema_version,
                     const char *column);
/* Both as the town sets them up: parameter $1 is the subject. */
json_t *town_contract_subject(struct town *t);
json_t *town_contract_group(struct town *t);
json_t *town_grant(struct town *t, const json_t *contract, int provider, int64_t runs);
json_t *town_open(struct town *t, const json_t *contract, const char *consent_id);
/* A signed consent to bank_a for its purpose, or changed by members of `changes` (NULL: as it is;
 * a null member removes). subject may be NULL: a fresh key. */
json_t *town_consent(struct town *t, struct did_secret *subject, json_t *changes);
json_t *town_revocation(struct town *t, const struct did_secret *subject, const char *consent_id);
/* The next document of a person, with a new node key (and recovery key); the person follows. Then
 * the body that brings it. */
json_t *town_next_document(struct town *t, int who, bool recovery);
json_t *town_update(const uint8_t previous[32], json_t *document);
/* A person's did.deactivate. */
struct base_buf town_deactivate(struct town *t, int who);
/* The body of the person's next document, after the last one or, deactivated, in its place: as
 * before, with a new recovery key. *last is what everyone computed at the deactivation, the
 * caller's. The person follows. */
json_t *town_come_back(struct town *t, int who, struct did_document **last);
/* ... as a did.recover by this recovery key. Takes the reference to body. */
struct base_buf town_recovery(struct town *t, int who, json_t *body, struct did_secret *key);
/* Signed by the people whose bits are set. */
json_t *town_receipt(struct town *t, const json_t *contract, const char *query_id,
                     enum ledger_outcome_kind outcome, bool shared, unsigned signers);

/* The same as transactions. */
struct base_buf town_publish(struct town *t, int who, int64_t data, int64_t schema,
                             const char *column);
struct base_buf town_propose_contract(struct town *t, json_t *contract); /* by bank_a */
struct base_buf town_grant_tx(struct town *t, json_t *body, int who);
struct base_buf town_revoke_tx(struct town *t, const json_t *contract, int who);
/* A copy of a body with one member changed (NULL: removed): a path of at most two names, as
 * "consent.basis". Takes both references. */
json_t *town_with(json_t *body, const char *path, json_t *value);

/* Ids, as 64 hex digits. */
struct town_id {
    char text[65];
};
struct town_id town_hash(const json_t *value);     /* contract ids */
struct town_id town_inner_id(const json_t *inner); /* consents: without proof */
struct town_id town_tx_id(const struct base_buf *tx);

/* Datasets at all banks, a contract (returned; its reference is the caller's), authorizations. */
json_t *town_set_up(struct town *t, json_t *contract);
/* Opens a query under it, with a consent where it needs one; gives its id. */
struct town_id town_ask(struct town *t, const json_t *contract);

/* A checkpoint over the chain's head (or another root) by the people whose bits are set. */
struct base_buf town_checkpoint(struct town *t, unsigned cosigners, const uint8_t *root,
                                uint64_t size);

#endif
