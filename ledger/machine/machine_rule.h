/* What the rules of each transaction type share. A rule function looks at the state through the
 * context's view, refuses or changes it; the machine keeps the changes if it returns FM_OK and
 * throws them away otherwise. A refusal is FM_E_REFUSED, written by ledger_refuse(); every other
 * error is the world's and stops the block.
 *
 * The rules themselves stand in rule_member.c, rule_did.c, rule_data.c, rule_contract.c,
 * rule_consent.c, rule_query.c, rule_receipt.c and rule_epoch.c; machine_rule.c has the table of
 * them, machine_members.c what they ask about members. */
#ifndef FIRMIANA_LEDGER_MACHINE_RULE_H
#define FIRMIANA_LEDGER_MACHINE_RULE_H

#include "did/document.h"
#include "ledger/machine/contract_shape.h"
#include "ledger/machine/machine_documents.h"
#include "ledger/machine/machine_view.h"
#include "ledger/proof/rules.h"
#include "ledger/proof/tx.h"

#define LEDGER_KEY_TEXT 192  /* the longest state key, with the closing NUL */
#define LEDGER_HASH_TEXT 65  /* a hash in hex, with the closing NUL */
#define LEDGER_TABLES_MAX 64 /* in one contract */
/* Members that one contract names, over all its lists: each may have to sign the receipt. */
#define LEDGER_PARTIES_MAX DID_PROOF_SET_MAX

struct ledger_context {
    struct ledger_view *view;
    struct ledger_documents *documents;
    const uint8_t *chain;   /* 32 bytes */
    const char *chain_text; /* the same in hex */
    uint64_t height;        /* of the block */
    int64_t time_ms;        /* of the block */
    uint32_t rules_version; /* param.rules_version */
    const json_t *limits;   /* param.limits */

    const struct ledger_tx *tx; /* parsed: its body has the members that its type asks for */
    const json_t *body;         /* tx->body */
    char id[LEDGER_HASH_TEXT];
    const char *alias;                   /* the sender's */
    const char *did;                     /* the sender's */
    const json_t *member;                /* member/ALIAS of the sender */
    const struct did_document *document; /* the sender's current one */

    enum ledger_rule rule; /* set by ledger_refuse() */
    char detail[LEDGER_DETAIL_TEXT];
};

typedef fm_status ledger_rule_fn(struct ledger_context *c, struct base_err *err);

ledger_rule_fn ledger_rule_member_propose, ledger_rule_member_suspend, ledger_rule_member_vote;
ledger_rule_fn ledger_rule_member_reinstate, ledger_rule_member_change, ledger_rule_member_rekey;
ledger_rule_fn ledger_rule_parameter_propose;
ledger_rule_fn ledger_rule_did_update, ledger_rule_did_recover, ledger_rule_did_deactivate;
ledger_rule_fn ledger_rule_evidence_deposit, ledger_rule_status_publish;
ledger_rule_fn ledger_rule_lottery_open, ledger_rule_lottery_commit, ledger_rule_lottery_reveal;
ledger_rule_fn ledger_rule_dataset_publish, ledger_rule_contract_propose;
ledger_rule_fn ledger_rule_authorization_grant, ledger_rule_authorization_revoke;
ledger_rule_fn ledger_rule_consent_grant, ledger_rule_consent_revoke;
ledger_rule_fn ledger_rule_query_open, ledger_rule_query_close, ledger_rule_query_receipt;
ledger_rule_fn ledger_rule_epoch, ledger_rule_epoch_part;

/* Runs the rules of the transaction's type. The sender's standing (suspended or not) comes first.
 */
fm_status ledger_rule_run(struct ledger_context *c, struct base_err *err) FM_CHECK;

/* Sets rule and detail; FM_E_REFUSED. */
fm_status ledger_refuse(struct ledger_context *c, enum ledger_rule rule, struct base_err *err,
                        const char *fmt, ...) FM_PRINTF(4, 5);
/* A check of ours said FM_E_INPUT, FM_E_AUTH, FM_E_REFUSED or FM_E_CONFLICT about the transaction:
 * it is refused by that rule, with err's text as the detail. Other errors stay what they are. */
fm_status ledger_refuse_as(struct ledger_context *c, enum ledger_rule rule, struct base_err *err);
/* What both write into an outcome: fmt's text as one line of ASCII. */
void ledger_detail_set(char detail[LEDGER_DETAIL_TEXT], const char *text);

/* State keys. */
const char *ledger_key(char out[LEDGER_KEY_TEXT], const char *prefix, const char *name);
const char *ledger_key_2(char out[LEDGER_KEY_TEXT], const char *prefix, const char *first,
                         const char *second);

/* The value under prefix/name, or NULL. */
fm_status ledger_state_get(struct ledger_context *c, const json_t **value, const char *prefix,
                           const char *name, struct base_err *err) FM_CHECK;

/* Members of values that the machine itself wrote: what is missing reads as "" or 0. */
const char *ledger_text(const json_t *value, const char *name);
int64_t ledger_int(const json_t *value, const char *name);
bool ledger_text_is(const json_t *value, const char *name, const char *text);

/* A copy of a value with another status, and this block's height under the name `when`. NULL when
 * memory is out. */
json_t *ledger_with_status(const struct ledger_context *c, const json_t *value, const char *status,
                           const char *when);

/* A param limit. */
int64_t ledger_limit(const struct ledger_context *c, const char *name);

/* Shapes of what comes in. Each is true or false; the caller refuses by its own rule. */
bool ledger_is_hash(const char *text);    /* 64 lower-case hex digits */
bool ledger_is_time(const json_t *value); /* an integer >= 0 */
bool ledger_is_name(const char *text);    /* [a-z][a-z0-9_]*, at most 32 */
/* A non-empty array of distinct names; want: how many, or 0 for 1 .. LEDGER_PARTIES_MAX. */
bool ledger_is_names(const json_t *array, size_t want);
bool ledger_names_has(const json_t *array, const char *name);

/* roles: some of asker, provider, compute, regulator and, from rules version 2 on, witness, in this
 * order, each at most once. endpoint: 1 to 255 printable ASCII characters. FM_E_INPUT says what is
 * wrong. */
fm_status ledger_member_check_shape(uint32_t rules_version, const json_t *roles,
                                    const json_t *endpoint, struct base_err *err) FM_CHECK;

/* A member by alias: *member is NULL if there is none. */
fm_status ledger_member_get(struct ledger_context *c, const json_t **member, const char *alias,
                            struct base_err *err) FM_CHECK;
bool ledger_member_is_active(const json_t *member);
bool ledger_member_has_role(const json_t *member, const char *role);
/* How many members are active. */
fm_status ledger_member_count_active(struct ledger_context *c, size_t *count,
                                     struct base_err *err) FM_CHECK;
/* Puts member/ALIAS with another status, since this height. */
fm_status ledger_member_set_status(struct ledger_context *c, const char *alias, const char *status,
                                   struct base_err *err) FM_CHECK;
/* True if a member may be suspended without leaving fewer active members than the quorum. */
fm_status ledger_member_can_leave(struct ledger_context *c, bool *can,
                                  struct base_err *err) FM_CHECK;

/* The current document of a member (of any status). Borrowed from the machine until the
 * transaction ends. *document is NULL if there is no such DID. */
fm_status ledger_document_get(struct ledger_context *c, const struct did_document **document,
                              const char *did, struct base_err *err) FM_CHECK;
/* Puts did/DID and did/DID/N for a document. */
fm_status ledger_document_put(struct ledger_context *c, const struct did_document *document,
                              struct base_err *err) FM_CHECK;

/* What a sender's next document may do to its validator's key (validator.h, format.md section 12):
 * else refused by did.validator. */
fm_status ledger_validator_check(struct ledger_context *c, const struct did_document *next,
                                 struct base_err *err) FM_CHECK;

/* Before `next` takes the place of its DID's document: puts validator/ADDRESS for the key that it
 * no longer names, if there is one; since LEDGER_MISBEHAVIOR_SINCE. */
fm_status ledger_validator_remember(struct ledger_context *c, const struct did_document *next,
                                    struct base_err *err) FM_CHECK;

/* What an accepted parameter.propose does, and whether it could: refused by member.quorum,
 * parameter.rules or parameter.limits. The body is well formed. */
fm_status ledger_param_change(struct ledger_context *c, const json_t *body,
                              struct base_err *err) FM_CHECK;
fm_status ledger_param_check(struct ledger_context *c, const json_t *body,
                             struct base_err *err) FM_CHECK;

/* ---- between the contract's, the query's and the receipt's rules ---- */

/* The parties of a query under a contract: its asker, compute parties, providers and recipients,
 * each once, borrowed from the contract. Bits say which. */
enum {
    LEDGER_PARTY_ASKER = 1,
    LEDGER_PARTY_COMPUTE = 2,
    LEDGER_PARTY_PROVIDER = 4,
    LEDGER_PARTY_RECIPIENT = 8
};
struct ledger_parties {
    size_t count;
    struct {
        const char *alias;
        unsigned is;
    } who[LEDGER_PARTIES_MAX];
};
/* False if there are more than LEDGER_PARTIES_MAX. The contract's shape is right already. */
bool ledger_parties_of(struct ledger_parties *out, const json_t *contract) FM_CHECK;
unsigned ledger_parties_find(const struct ledger_parties *parties, const char *alias);

/* The contract under an id, whole: NULL if there is none. */
fm_status ledger_contract_get(struct ledger_context *c, const json_t **contract, const char *id,
                              struct base_err *err) FM_CHECK;
/* Members and datasets are (still) as the contract names them, and active: else refused by
 * contract.member, contract.dataset, member.suspended or member.role. */
fm_status ledger_contract_check_world(struct ledger_context *c, const json_t *contract,
                                      struct base_err *err) FM_CHECK;

#endif
