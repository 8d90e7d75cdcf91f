/* Who the members are and which keys they have, followed from genesis through the accepted identity
 * transactions, and nothing more of the ledger's rules: what a verifier needs to know whose proof
 * is whose at each leaf.
 *
 * The same rules as the machine's (format.md section 3, "Proposals"), written again and on their
 * own: an accepted transaction that these rules would not accept is a contradiction in the log. */
#ifndef FIRMIANA_LEDGER_MEMBERS_H
#define FIRMIANA_LEDGER_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/document.h"
#include "ledger/proof/tx.h"

/* What genesis fixes, and votes on parameters change. */
struct ledger_terms {
    const char *name;
    int64_t time;
    uint32_t rules_version;
    uint64_t quorum;
    int64_t tx_bytes, block_txs, block_bytes, not_after_ms, consent_uses;
};

struct ledger_identity {
    char alias[DID_ALIAS_MAX + 1];
    struct did_document *doc; /* current; owned by the members */
    bool active;
    size_t index; /* in the order of joining, genesis first: a short name for it */
    /* members.c's: before when (block time) what officers deactivated may be undone, 0 if not. Of
     * the block that is followed, whose time its end tells: that they did; and before when it must
     * be, for what it undid. */
    int64_t undo_before, must_before;
    bool ended;
};

struct ledger_members;

/* Reads a genesis, whose hash is chain32. Errors: FM_E_INPUT with the member that is wrong,
 * FM_E_AUTH (a key), FM_E_REFUSED (a document that cannot be the first), FM_E_UNSUPPORTED
 * (rules_version beyond ours). */
fm_status ledger_members_new(struct ledger_members **out, const json_t *genesis,
                             const uint8_t chain32[32], struct base_err *err) FM_CHECK;
void ledger_members_free(struct ledger_members *members); /* NULL is allowed */

const struct ledger_terms *ledger_members_terms(const struct ledger_members *members);
size_t ledger_members_count(const struct ledger_members *members);
size_t ledger_members_active(const struct ledger_members *members);

/* NULL if there is none. Borrowed until the next apply. */
const struct ledger_identity *ledger_members_at(const struct ledger_members *members, size_t index);
const struct ledger_identity *ledger_members_by_did(const struct ledger_members *members,
                                                    const char *did);
const struct ledger_identity *ledger_members_by_alias(const struct ledger_members *members,
                                                      const char *alias);

/* Resolves the verification methods of members' current documents: for receipts. */
struct did_resolver ledger_members_resolver(const struct ledger_members *members);

/* Follows an accepted transaction, proofs already checked. Types that do not touch identity change
 * nothing, but their sender must be active. FM_E_INVALID: the rules could not have accepted it. */
fm_status ledger_members_apply(struct ledger_members *members, const struct ledger_tx *tx,
                               struct base_err *err) FM_CHECK;

/* The end of a block that is not empty, at this height and time: what was voted in it begins
 * (format.md section 12). FM_E_INVALID: what was accepted in it was not so at that time. */
fm_status ledger_members_end_block(struct ledger_members *members, uint64_t height, int64_t time_ms,
                                   struct base_err *err) FM_CHECK;

/* Whether the state's `param` says of quorum, limits and rules what was followed to the end of the
 * last block. */
bool ledger_members_are_params(const struct ledger_members *members, const json_t *param);

#endif
