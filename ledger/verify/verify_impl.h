/* Inside verify.h: what its files share. Each check names itself in v->out->check before it looks,
 * so that a failure says which it was. */
#ifndef FIRMIANA_LEDGER_VERIFY_IMPL_H
#define FIRMIANA_LEDGER_VERIFY_IMPL_H

#include "did/key_did.h"
#include "ledger/proof/epoch.h"
#include "ledger/proof/log.h"
#include "ledger/proof/log_proof.h"
#include "ledger/verify/id_map.h"
#include "ledger/verify/verify.h"

/* A result of a compact bundle, until its block's leaf says under which root it must be. */
struct ledger_open_result {
    uint64_t leaf;
    uint8_t hash[32];
    struct ledger_log_proof *proof; /* owned */
};

/* The block whose leaves are being read; its height and time are known only when its block leaf
 * comes. */
struct ledger_open_block {
    struct ledger_log txs, results;
    int64_t min_not_after, max_not_after; /* over disclosed transactions */
    uint64_t min_leaf, max_leaf;          /* whose they are */
    uint64_t bytes;
    uint64_t vouched;     /* leaves that are no transactions: they come first */
    uint32_t least_rules; /* the newest rules version that a disclosed transaction's type needs */
    uint64_t rules_leaf;  /* whose */
    size_t first_query;   /* queries opened from here on */
    struct ledger_open_result *results_of; /* of a compact bundle: those of its leaves so far */
    size_t n_results_of, cap_results_of;
    size_t *changed; /* places in out->keys: documents changed in this block */
    size_t n_changed, cap_changed;
    size_t *lists; /* status lists anchored in this block */
    size_t n_lists, cap_lists;
    size_t *closed; /* queries closed in this block */
    size_t n_closed, cap_closed;
};

/* Who may withdraw a consent: "" for nobody. */
struct ledger_verified_subject {
    char key[DID_KEY_DID_TEXT];
    char attestor[DID_ALIAS_MAX + 1];
};

struct ledger_verifier {
    struct ledger_verified *out;
    struct ledger_bundle_reader reader;
    const struct ledger_terms *terms;
    struct ledger_log log;
    struct ledger_open_block block;
    uint64_t begin;   /* the leaf behind the last block leaf that was disclosed */
    bool after_block; /* the last leaf was a block leaf */
    uint8_t prev[32]; /* H(payload) of the last block leaf */
    int64_t epoch;
    uint32_t rules; /* of the newest block: its cosignatures' too */
    char sequencer[DID_ALIAS_MAX + 1];
    struct ledger_epoch_head *ends; /* of every block leaf, in order */
    size_t n_ends, cap_ends;
    struct ledger_id_map seen;      /* transaction id -> not_after */
    struct ledger_id_map queries;   /* id -> index in out->queries */
    struct ledger_id_map contracts; /* id -> index in out->contracts */
    struct ledger_id_map consents;  /* id -> index in subjects */
    struct ledger_id_map lists;     /* H(issuer, its id) -> index in out->lists */
    struct ledger_verified_subject *subjects;
    size_t n_subjects, cap_subjects;
    char *last_state;                   /* key of the last state line */
    struct ledger_deposit *deposit;     /* to find; NULL: none */
    struct ledger_statement *statement; /* to hold against the log; NULL: none, or done */
};

/* FM_E_INVALID with a text. */
fm_status ledger_verify_fail(struct base_err *err, const char *fmt, ...) FM_PRINTF(2, 3);

/* reader's line is a transaction's leaf, or a block's. */
fm_status ledger_verify_tx(struct ledger_verifier *v, struct base_err *err) FM_CHECK;
fm_status ledger_verify_block(struct ledger_verifier *v, struct base_err *err) FM_CHECK;

/* verify_compact.c: reader's line leaves leaves out; it is a transaction's leaf, whose result has a
 * proof; and the block leaf that it reads has those that stood before it, and this result_root. */
fm_status ledger_verify_skip(struct ledger_verifier *v, struct base_err *err) FM_CHECK;
fm_status ledger_verify_proven(struct ledger_verifier *v, struct base_err *err) FM_CHECK;
fm_status ledger_verify_results(struct ledger_verifier *v, uint64_t txs, const uint8_t root32[32],
                                struct base_err *err) FM_CHECK;
/* What state lines must have shown, at the checkpoint. */
fm_status ledger_verify_shown(struct ledger_verifier *v, struct base_err *err) FM_CHECK;
void ledger_verify_results_clear(struct ledger_open_block *block);

/* An accepted transaction of contracts, consents and queries; others pass. */
fm_status ledger_verify_accepted(struct ledger_verifier *v, const struct ledger_tx *tx,
                                 const struct ledger_identity *sender,
                                 struct base_err *err) FM_CHECK;

/* An accepted epoch transaction: the block that it stands in must say the new epoch. */
fm_status ledger_verify_epoch(struct ledger_verifier *v, const struct ledger_tx *tx,
                              const struct ledger_identity *sender, struct base_err *err) FM_CHECK;

/* reader's payload is what the engine vouches for about a validator. */
fm_status ledger_verify_misbehavior(struct ledger_verifier *v, struct base_err *err) FM_CHECK;
/* Those of the block that closes at this height were done before it. */
fm_status ledger_verify_misbehavior_heights(struct ledger_verifier *v, uint64_t height,
                                            struct base_err *err) FM_CHECK;
/* What a suspension rests on was proven of that member, or it was refused; others pass. */
fm_status ledger_verify_ground(struct ledger_verifier *v, const struct ledger_tx *tx,
                               enum ledger_rule rule, struct base_err *err) FM_CHECK;

/* ledger_members_apply(), noting which keys came with whose change (verify_keys.c). */
fm_status ledger_verify_apply(struct ledger_verifier *v, const struct ledger_tx *tx,
                              const struct ledger_identity *sender, struct base_err *err) FM_CHECK;
void ledger_verify_keys_close(struct ledger_verifier *v, int64_t time_ms);
void ledger_verified_keys_release(struct ledger_verified *report);

/* An accepted status.publish; others pass. */
fm_status ledger_verify_status(struct ledger_verifier *v, const struct ledger_tx *tx,
                               const struct ledger_identity *sender, struct base_err *err) FM_CHECK;

/* Looks whether an accepted transaction is the deposit of the certificate. */
fm_status ledger_verify_deposit(struct ledger_verifier *v, const struct ledger_tx *tx,
                                const struct ledger_identity *sender,
                                struct base_err *err) FM_CHECK;

/* reader's line is a state, or the checkpoint. */
fm_status ledger_verify_state(struct ledger_verifier *v, struct base_err *err) FM_CHECK;
fm_status ledger_verify_checkpoint(struct ledger_verifier *v, struct base_err *err) FM_CHECK;

/* True if a missing predecessor may be among the payloads that are not disclosed. */
bool ledger_verify_may_be_hidden(const struct ledger_verifier *v);

/* Room for one more item; FM_E_MEMORY. */
fm_status ledger_verify_room(void **array, size_t *cap, size_t n, size_t size,
                             struct base_err *err) FM_CHECK;

#endif
