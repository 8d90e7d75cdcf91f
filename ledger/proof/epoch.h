/* The handover of a ledger to another sequencer, as a transaction (format.md section 3, "Epochs"):
 * `epoch` carries the approvals of members' officers, who decide that there shall be another
 * sequencer, and the promises of members' nodes, which see to it that nothing final is lost. No
 * old sequencer is needed: the new one puts the transaction into a block of its own.
 *
 *   approval  "epoch.approve", by the officers of a member (their threshold): epoch N shall be
 *             sequenced by S. More than half of the active members, as for a vote.
 *   promise   "epoch.promise", by the node of a member: I have stopped cosigning in every epoch
 *             before N; for N I follow S and nobody else; the newest state that I have reached is
 *             `head`. A quorum of them.
 *
 * A *state* is (epoch of its block, log size, root). Greater is: of a later epoch, or of the same
 * and longer. What the block with the epoch transaction stands on is its *base*.
 *
 *   E1  a node promises for N once, persists the promise before it tells, and never for less than
 *       it has promised or reached before;
 *   E2  after promising N it cosigns only states of epochs >= N, and makes no block of an earlier;
 *   E3  the base is the greatest head of all promises, M, and holds every head of M's epoch;
 *   E4  a node takes blocks back only to follow a valid epoch transaction of a later epoch than its
 *       head's, and never one that it knows to be final.
 *
 * Nothing final is lost: if a state C of epoch c is cosigned by a quorum, the base of every valid
 * epoch N > c holds C, as long as fewer than 2 quorum - members members lie. By induction over N:
 * the cosigners of C and the promisers of N are two quorums, so they share a member m that does not
 * lie. By E2 it cosigned C before it promised N, and by E4 with the induction it never took C back
 * before that. So m's head holds C and is at least C; so M is at least C. If M is of the epoch of
 * m's head, the base holds m's head by E3 and with it C. Otherwise M is of a later epoch e, c < e <
 * N (or m's head is, and then M too); the log up to M holds the transaction of e, whose base holds
 * C by the induction.  []
 *
 * 2 quorum > members always holds, so this stands when nobody lies, which a disk restored from an
 * old copy counts as; with 2 quorum > members + 1 it stands when one does, the old sequencer for
 * instance. Heads of one epoch that contradict each other show that its sequencer gave out two
 * histories: E3 cannot be met then, and people decide. */
#ifndef FIRMIANA_LEDGER_EPOCH_H
#define FIRMIANA_LEDGER_EPOCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "did/document.h"
#include "ledger/proof/rules.h"

struct ledger_tx;

/* A state that a block's end has. */
struct ledger_epoch_head {
    uint64_t epoch, size;
    uint8_t root[32];
};

/* < 0, 0, > 0: a is less, neither (or the same), greater. */
int ledger_epoch_compare(const struct ledger_epoch_head *a, const struct ledger_epoch_head *b);

/* What an approval, a promise or the whole says. body is that of a parsed transaction of one of
 * these types; sequencer leads into it. head is zero but for promises. */
struct ledger_epoch_part {
    uint64_t epoch;
    const char *sequencer;
    struct ledger_epoch_head head;
};
fm_status ledger_epoch_read(struct ledger_epoch_part *out, const json_t *body,
                            struct base_err *err) FM_CHECK;

/* The body of a promise. The caller owns *out. */
fm_status ledger_epoch_promise_body(json_t **out, uint64_t epoch, const char *sequencer,
                                    const struct ledger_epoch_head *head,
                                    struct base_err *err) FM_CHECK;

/* Those who decide, as the judge sees them. */
struct ledger_electorate {
    uint8_t chain[32];
    uint32_t rules_version;
    uint64_t epoch;        /* the present one */
    size_t active, quorum; /* of members */
    /* The current document of an active member; NULL if the DID is no active member's. Borrowed. */
    fm_status (*document)(void *ctx, const struct did_document **out, const char *did,
                          struct base_err *err);
    /* The state that the log's first `size` leaves end with; size 0: all of them. */
    fm_status (*log_at)(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *err);
    void *ctx;
};

struct ledger_epoch_verdict {
    enum ledger_rule rule;                /* OK, or which one refuses; then err says why */
    struct ledger_epoch_head greatest;    /* M */
    int64_t min_not_after, max_not_after; /* over the approvals: for the block's time */
};

/* One approval or promise alone: of this chain, for a later epoch, by an active member's right
 * keys. FM_E_REFUSED with *rule. */
fm_status ledger_epoch_check_part(const struct ledger_electorate *who, const struct ledger_tx *tx,
                                  enum ledger_rule *rule, struct base_err *err) FM_CHECK;

/* The body of an `epoch` by a member of that alias. FM_OK: valid, if the approvals' times suit the
 * block's. FM_E_REFUSED: out->rule; the base is judged last, so LEDGER_RULE_EPOCH_BASE means that
 * all else is right. Other errors are the world's. */
fm_status ledger_epoch_judge(struct ledger_epoch_verdict *out, const struct ledger_electorate *who,
                             const char *alias, const json_t *body, struct base_err *err) FM_CHECK;

#endif
