/* Admission: what a transaction must be before its rules are asked (format.md section 2). And the
 * machine's own struct.
 *
 * Parsing and signatures are most of the machine's work, and are pure functions of a transaction's
 * bytes and one document. So they are done ahead, for a batch of transactions, by several threads
 * where that pays; what the serial part then finds changed (the sender's document, by an earlier
 * transaction of the same batch) is done again. A verdict on signatures is remembered under the
 * hash of the bytes, the document and rules_version: check and execution share it. */
#ifndef FIRMIANA_LEDGER_MACHINE_ADMIT_H
#define FIRMIANA_LEDGER_MACHINE_ADMIT_H

#include "ledger/machine/machine_rule.h"

#define LEDGER_BATCH 256           /* fewer than LEDGER_DOCUMENTS */
#define LEDGER_VERDICTS (1U << 14) /* remembered verdicts; 48 bytes each */

/* Both memories below are sets of so many slots, the newest first, the oldest forgotten: what waits
 * for a block is found again as long as it takes less than half of them, whatever its hashes. */
#define LEDGER_WAYS 8

struct ledger_verdict_slot {
    uint8_t key[32];
    bool used;
    bool authentic;
    enum ledger_rule rule;
};

/* Parsed transactions: a sequencer looks at each three times (on arrival, when it proposes, when it
 * executes), its submitter twice. By the hash of their bytes; short ones alone, so that what they
 * take is bounded: some 10 KB each. */
#define LEDGER_PARSED (1U << 12)
#define LEDGER_PARSED_BYTES 4096

struct ledger_parsed_slot {
    uint8_t hash[32];
    struct ledger_tx tx; /* json NULL: free */
};

struct ledger_machine {
    struct ledger_view view;
    struct ledger_documents documents;
    struct ledger_verdict_slot *verdicts;
    struct ledger_parsed_slot *parsed;
    uint8_t chain[32];
    char chain_text[LEDGER_HASH_TEXT];
    unsigned threads;
    uint32_t newest_rules; /* that it follows */
};

/* One transaction on its way through admission. */
struct ledger_prepared {
    struct ledger_bytes bytes;
    struct ledger_tx tx; /* released by ledger_prepared_release() */
    uint8_t bytes_hash[32];
    bool was_parsed;                /* before this call */
    bool unseen;                    /* its id, in the source; a block may bring it */
    const struct did_document *doc; /* the one that key and verdict are about */
    uint8_t key[32];                /* of the verdict */
    bool verdict_known, verdict_remembered, authentic;
    enum ledger_rule auth_rule;
    enum ledger_rule drop; /* LEDGER_RULE_OK, or why it is dropped */
    char detail[LEDGER_DETAIL_TEXT];
    fm_status world; /* an error that is no verdict */
    struct base_err err;
};

/* What becomes of parsed transactions: those that wait are kept, those of a block that is executed
 * are taken out: nobody asks for them again, and what is kept for long costs most to free. */
enum ledger_parsed_use { LEDGER_PARSED_KEEP, LEDGER_PARSED_TAKE };

/* Parses and authenticates txs[0..n), n <= LEDGER_BATCH, as far as that can be known before any of
 * them ran. limits: param.limits. */
fm_status ledger_prepare(struct ledger_machine *machine, struct ledger_prepared *prepared,
                         enum ledger_parsed_use use, const struct ledger_bytes *txs, size_t n,
                         const json_t *param, int64_t time_ms, struct base_err *err) FM_CHECK;
/* For one batch of so many: a single transaction, which is most of what is checked, takes no more.
 * NULL: no memory. */
struct ledger_prepared *ledger_prepared_new(size_t count);
void ledger_prepared_release(struct ledger_prepared *prepared, size_t n);

/* Decides admission now, against the state as the view has it. Fills c (tx, sender, member,
 * document). FM_OK: admitted if p->drop is LEDGER_RULE_OK; then p->auth_rule is the first rule to
 * look at. */
fm_status ledger_admit(struct ledger_machine *machine, struct ledger_context *c,
                       struct ledger_prepared *p, struct base_err *err) FM_CHECK;

/* Admission, the sender's role, and its type's rules: what it changes is in the view when this
 * returns, unless it is dropped. c: of the block. */
fm_status ledger_machine_run_one(struct ledger_machine *machine, struct ledger_context *c,
                                 struct ledger_prepared *p, struct ledger_outcome *out,
                                 struct base_err *err) FM_CHECK;

/* An entry that the engine vouches for (block.h): puts misbehavior/ID, once. Dropped without a
 * trace: malformed, recorded before, of a member that there is not, or before
 * LEDGER_MISBEHAVIOR_SINCE. c: of the block. */
fm_status ledger_vouched_run(struct ledger_machine *machine, struct ledger_context *c,
                             const struct ledger_bytes *bytes, struct ledger_outcome *out,
                             struct base_err *err) FM_CHECK;

/* param, with a reference for the caller: the cache may lose its own meanwhile. FM_E_UNSUPPORTED:
 * the block to come, at this height, follows rules that this program does not have. */
fm_status ledger_param_get(struct ledger_machine *machine, json_t **param, uint64_t height,
                           struct base_err *err) FM_CHECK;
/* The end of a block that is not empty: rules that were voted for the next one begin, and members
 * that joined raise a quorum that they make too small. */
fm_status ledger_param_settle(struct ledger_machine *machine, uint64_t height,
                              struct base_err *err) FM_CHECK;

/* Puts seen/ID. */
fm_status ledger_remember_id(struct ledger_context *c, struct base_err *err) FM_CHECK;

#endif
