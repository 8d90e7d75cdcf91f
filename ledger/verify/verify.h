/* The one verifier of bundles (format.md section 8). It trusts nothing but the genesis, of which
 * the user knows the hash (the chain id), and the quorum of members that it names.
 *
 * Memory: a few times the longest line, plus for each member its document, for each transaction
 * whose not_after has not passed 41 bytes, and for each query, contract and consent a fixed few
 * hundred bytes: not the file.
 *
 * What fails first is named: the line of the file, the leaf, and the check:
 *   line         the line is not canonical JSON of one of the forms, or not ended
 *   order        lines or leaves do not stand in their order
 *   genesis      it is malformed
 *   chain        something is for another ledger than the genesis, or than the one expected
 *   leaf         a leaf has too much or too little on it
 *   transaction  it is malformed, too large, or its sender is no member
 *   repeat       the transaction is there twice
 *   proof        a proof does not verify under the sender's document at that leaf
 *   result       the result is malformed, or contradicts who signed or who is suspended
 *   identity     an accepted change of members or documents that the rules do not accept
 *   contract, consent, query, receipt: an accepted one that is malformed, not signed as it must be,
 * or has no place block        a block leaf is malformed, or height, time, count or rules do not
 * follow time         a transaction was not valid at its block's time prev, tx_root, result_root:
 * the block leaf's hashes are not those of what came before it state        a state proof does not
 * hold, or contradicts the members as followed checkpoint   malformed, or not at the end of the log
 *   root         the checkpoint is over another log
 *   cosignature  one is not valid, not an active member's, or out of order
 *   quorum       fewer cosignatures than the genesis asks for
 *   status       a status list's version is not the next one
 *   misbehavior  what was proven of a validator is malformed, there twice, of nobody or not of
 *                before its block; or a suspension rests on what is none of that member's
 *   statement    a member's statement is not what the log bears out
 *   certificate  a certificate is not what the log bears out
 *   end          something is missing or left over
 *
 * A compact bundle leaves out ranges of leaves. What it discloses is held to the same: each leaf is
 * in the signed log at its place, each transaction in the block whose leaf says so, with its
 * result; all that changed members or parameters is there, since state lines must show of every
 * member its document and standing, and the parameters, to be those that were followed (check
 * "state"). What falls away is what lies between: links of blocks to blocks that are left out, and
 * tx_root.
 */
#ifndef FIRMIANA_LEDGER_VERIFY_H
#define FIRMIANA_LEDGER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/resolution.h"
#include "ledger/proof/bundle.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/proof/evidence.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/proof/rules.h"
#include "ledger/proof/tx.h"
#include "ledger/verify/members.h"
#include "ledger/verify/statement.h"

#define LEDGER_NO_LEAF UINT64_MAX
#define LEDGER_NO_INDEX UINT32_MAX

/* Strings are owned by the report. */
struct ledger_verified_contract {
    uint8_t id[32];
    char *name, *purpose, *protocol, *asker;
    json_t *needed; /* aliases whose proof a receipt that says done must carry */
};

struct ledger_verified_query {
    uint8_t id[32];
    uint32_t asker;    /* index of the member */
    uint32_t contract; /* index; LEDGER_NO_INDEX if the contract is not disclosed */
    uint64_t height;   /* of the block that opened it */
    int64_t opened_ms; /* that block's time */
    int64_t closed_ms; /* 0 while it is open */
    bool closed;
    enum ledger_outcome_kind outcome; /* when closed */
    uint32_t signers;                 /* of the receipt that closed it */
    uint32_t receipts;                /* filed by single parties */
    char *rule, *party;               /* when closed: NULL if not named */
};

/* What was proven of a validator (format.md section 15). */
struct ledger_verified_misbehavior {
    uint8_t id[32];
    struct ledger_misbehavior what;
    uint64_t recorded;   /* the block */
    int64_t recorded_ms; /* its time; 0 until its leaf came */
};

/* The versions of a member's document around its own changes (did.update, did.recover), and the
 * ids of each that have the roles assertionMethod and capabilityInvocation. */
struct ledger_verified_keys {
    uint32_t member; /* index */
    struct did_history history;
    json_t *methods; /* an array of objects, one a version: role -> ids */
};

/* A status list's newest version (format.md section 16). */
struct ledger_verified_list {
    uint32_t issuer; /* index of the member */
    char *list;      /* its id */
    int64_t version;
    uint8_t digest[32];
    uint64_t height; /* of the block */
    int64_t time_ms; /* its time; 0 until its leaf came */
};

struct ledger_verified {
    uint64_t line, leaf; /* where it failed; leaf is LEDGER_NO_LEAF outside the leaves */
    const char *check;   /* which check failed; "" when valid */

    uint8_t chain[32];
    uint64_t size, blocks, height;
    int64_t time_ms;
    uint8_t root[32], state_root[32];
    uint64_t transactions, accepted, refused;
    uint64_t documents; /* of members, proven by a state line to be those of the end */
    uint64_t standings; /* whether members are suspended, likewise */
    bool parameters;    /* likewise */
    uint64_t hidden, hidden_accepted; /* of them, payloads not disclosed */
    bool compact;
    uint64_t skipped;                       /* leaves that a compact bundle leaves out */
    uint64_t by_type[LEDGER_TX_TYPE_COUNT]; /* accepted ones that are disclosed */
    /* Consents by mode; those that are attested by the very member that they permit something to.
     */
    uint64_t consents_signed, consents_attested, consents_mandated, consents_self_attested;
    uint64_t by_rule[LEDGER_RULE_COUNT]; /* refused ones */
    uint64_t states;                     /* state lines */
    struct ledger_members *members;      /* as of the end; NULL if it failed in the genesis */
    struct ledger_checkpoint checkpoint;

    struct ledger_verified_contract *contracts;
    size_t n_contracts, cap_contracts;
    struct ledger_verified_query *queries;
    size_t n_queries, cap_queries;
    struct ledger_verified_misbehavior *misbehaviors;
    size_t n_misbehaviors, cap_misbehaviors;
    struct ledger_verified_list *lists;
    size_t n_lists, cap_lists;
    struct ledger_verified_keys *keys;
    size_t n_keys, cap_keys;
};

/* Reads a whole bundle. expect_chain32: the chain id that the user trusts, or NULL to take the
 * bundle's own word for it. *out is the report, owned by the caller, also when the bundle is not
 * valid (then it says where it failed and what held until there); NULL only for want of memory.
 * Errors: FM_E_INVALID ("line 12, leaf 10: tx_root: ..."); FM_E_UNSUPPORTED (a genesis of a
 * later version), FM_E_MEMORY and the source's own, which are no verdict. */
fm_status ledger_verify(struct ledger_verified **out, const struct ledger_bundle_source *source,
                        const uint8_t *expect_chain32, struct base_err *err) FM_CHECK;
/* The same, and holds a member's statement against the log (NULL: none). FM_E_INVALID also if the
 * statement is not borne out. */
fm_status ledger_verify_statement(struct ledger_verified **out,
                                  const struct ledger_bundle_source *source,
                                  const uint8_t *expect_chain32, struct ledger_statement *statement,
                                  struct base_err *err) FM_CHECK;

/* What a bundle says about the deposit that a certificate is for. */
struct ledger_deposit {
    const struct ledger_certificate *certificate;
    char depositor[DID_ALIAS_MAX + 1]; /* "" until it was seen */
    uint64_t leaf, height;             /* of its block */
    int64_t time_ms;                   /* of its block */
    uint8_t anchor[32];
    /* The caller's, NULL is allowed: more to check, with the members as they were at the deposit.
     */
    fm_status (*judge)(void *ctx, const struct ledger_members *members, struct base_err *err);
    void *ctx;
};

/* The same, and holds a certificate against the log: its deposit is there, accepted, and its
 * document is under the anchor. deposit->certificate and judge are the caller's, the rest is
 * filled. Checks named "certificate". */
fm_status ledger_verify_certificate(struct ledger_verified **out,
                                    const struct ledger_bundle_source *source,
                                    const uint8_t *expect_chain32, struct ledger_deposit *deposit,
                                    struct base_err *err) FM_CHECK;

/* That no member's keys changed where nothing was disclosed: each change is followed, since all
 * accepted entries are disclosed, or state lines show of every member that its document at the end
 * is the one that was followed (documents chain by "previous", so none between is hidden). Whoever
 * judges by keys of an earlier time asks this first: else who exports a bundle could hide a
 * rotation. FM_E_INVALID. */
fm_status ledger_verified_complete(const struct ledger_verified *report,
                                   struct base_err *err) FM_CHECK;

/* Whether a verification method that had this role of a member's at some leaf counts:
 * FM_E_INVALID if only versions had it that a recovery within 72 hours overrode (did/method.md,
 * section 4). Ask ledger_verified_complete() too. */
fm_status ledger_verified_stands(const struct ledger_verified *report, const char *did,
                                 const char *method, enum did_role role,
                                 struct base_err *err) FM_CHECK;

/* A trail that ends within 72 hours of a change cannot know whether a recovery overrode it. Of a
 * method that only such changes (did.update) gave this role: the moment until which one could, in
 * ms; 0 for any other. */
int64_t ledger_verified_open_until(const struct ledger_verified *report, const char *did,
                                   const char *method, enum did_role role);

/* The newest version of an issuer's status list, NULL if it was never anchored; borrowed. Only
 * where everything is disclosed can nobody have hidden a newer one: else FM_E_INVALID. */
fm_status ledger_verified_list(const struct ledger_verified_list **out,
                               const struct ledger_verified *report, const char *issuer_did,
                               const char *list, struct base_err *err) FM_CHECK;

void ledger_verified_free(struct ledger_verified *report); /* NULL is allowed */

#endif
