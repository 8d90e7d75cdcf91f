#include <assert.h>
#include <string.h>

#include "ledger/proof/limits.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/proof/shape.h"
#include "ledger/proof/tx_impl.h"

/* ---- the table of types: format.md section 3 ---- */

static const struct ledger_member member_propose[] = {
    {"alias", LEDGER_IS_ALIAS, false}, {"document", LEDGER_IS_OBJECT, false},
    {"roles", LEDGER_IS_ARRAY, false}, {"endpoint", LEDGER_IS_TEXT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member member_suspend[] = {
    {"alias", LEDGER_IS_ALIAS, false},
    {"reason", LEDGER_IS_TEXT, false},
    {"ground", LEDGER_IS_HASH, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member member_reinstate[] = {
    {"alias", LEDGER_IS_ALIAS, false},
    {"reason", LEDGER_IS_TEXT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member member_change[] = {
    {"alias", LEDGER_IS_ALIAS, false},
    {"roles", LEDGER_IS_ARRAY, false},
    {"endpoint", LEDGER_IS_TEXT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member member_rekey[] = {
    {"alias", LEDGER_IS_ALIAS, false},
    {"document", LEDGER_IS_OBJECT, false},
    {"reason", LEDGER_IS_TEXT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member parameter_propose[] = {
    {"reason", LEDGER_IS_TEXT, false},  {"quorum", LEDGER_IS_COUNT, true},
    {"limits", LEDGER_IS_OBJECT, true}, {"rules", LEDGER_IS_OBJECT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member parameter_rules[] = {
    {"version", LEDGER_IS_COUNT, false},
    {"height", LEDGER_IS_COUNT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member member_vote[] = {
    {"proposal", LEDGER_IS_HASH, false},
    {"accept", LEDGER_IS_BOOL, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member did_next[] = {
    {"document", LEDGER_IS_OBJECT, false},
    {"previous", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member did_deactivate[] = {
    {"previous", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member dataset_publish[] = {
    {"dataset", LEDGER_IS_NAME, false},       {"schema", LEDGER_IS_OBJECT, false},
    {"data_version", LEDGER_IS_COUNT, false}, {"root", LEDGER_IS_HASH, false},
    {"rows", LEDGER_IS_NUMBER, false},        {"changes", LEDGER_IS_HASH, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member lottery_open[] = {
    {"name", LEDGER_IS_TEXT, false},     {"root", LEDGER_IS_HASH, false},
    {"count", LEDGER_IS_COUNT, false},   {"winners", LEDGER_IS_COUNT, false},
    {"members", LEDGER_IS_ARRAY, false}, {"close", LEDGER_IS_NUMBER, false},
    {"reveal", LEDGER_IS_NUMBER, false}, {"repeats", LEDGER_IS_HASH, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member lottery_commit[] = {
    {"lottery", LEDGER_IS_HASH, false},
    {"commitment", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member lottery_reveal[] = {
    {"lottery", LEDGER_IS_HASH, false},
    {"share", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member evidence_deposit[] = {
    {"algorithm", LEDGER_IS_NAME, false}, {"count", LEDGER_IS_COUNT, false},
    {"root", LEDGER_IS_HASH, false},      {"token", LEDGER_IS_HASH, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member status_publish[] = {
    {"list", LEDGER_IS_TEXT, false},
    {"version", LEDGER_IS_COUNT, false},
    {"digest", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member authorization_grant[] = {
    {"contract", LEDGER_IS_HASH, false}, {"uses_hash", LEDGER_IS_HASH, false},
    {"uses", LEDGER_IS_ARRAY, false},    {"expires", LEDGER_IS_NUMBER, false},
    {"runs", LEDGER_IS_NUMBER, false},   {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member authorization_revoke[] = {
    {"contract", LEDGER_IS_HASH, false},
    {"reason", LEDGER_IS_TEXT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member consent_grant[] = {
    {"consent", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member consent_revoke[] = {
    {"revocation", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member query_open[] = {
    {"contract", LEDGER_IS_HASH, false},   {"height", LEDGER_IS_NUMBER, false},
    {"consents", LEDGER_IS_ARRAY, false},  {"parameters", LEDGER_IS_HASH, false},
    {"requester", LEDGER_IS_HASH, false},  {"compute", LEDGER_IS_ALIASES, false},
    {"deadline", LEDGER_IS_NUMBER, false}, {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member query_receipt[] = {
    {"receipt", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static const struct ledger_member epoch_approve[] = {
    {"epoch", LEDGER_IS_COUNT, false},
    {"sequencer", LEDGER_IS_ALIAS, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member epoch_promise[] = {
    {"epoch", LEDGER_IS_COUNT, false},
    {"sequencer", LEDGER_IS_ALIAS, false},
    {"head", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member epoch_head[] = {
    {"epoch", LEDGER_IS_NUMBER, false},
    {"size", LEDGER_IS_COUNT, false},
    {"root", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member epoch[] = {
    {"epoch", LEDGER_IS_COUNT, false},     {"sequencer", LEDGER_IS_ALIAS, false},
    {"approvals", LEDGER_IS_ARRAY, false}, {"promises", LEDGER_IS_ARRAY, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

/* A contract is the whole body; its inside is the machine's to judge (contract.shape). */
static const struct {
    const char *name;
    enum ledger_authority authority;
    const struct ledger_member *body; /* NULL: any object */
    uint32_t since;                   /* rules version */
} type_table[LEDGER_TX_TYPE_COUNT] = {
    [LEDGER_TX_MEMBER_PROPOSE] = {"member.propose", LEDGER_BY_OFFICERS, member_propose, 1},
    [LEDGER_TX_MEMBER_SUSPEND] = {"member.suspend", LEDGER_BY_OFFICERS, member_suspend, 1},
    [LEDGER_TX_MEMBER_REINSTATE] = {"member.reinstate", LEDGER_BY_OFFICERS, member_reinstate, 2},
    [LEDGER_TX_MEMBER_CHANGE] = {"member.change", LEDGER_BY_OFFICERS, member_change, 2},
    [LEDGER_TX_MEMBER_REKEY] = {"member.rekey", LEDGER_BY_OFFICERS, member_rekey, 2},
    /* Version 1 has it too, since nothing else could lead out of that. */
    [LEDGER_TX_PARAMETER_PROPOSE] = {"parameter.propose", LEDGER_BY_OFFICERS, parameter_propose, 1},
    [LEDGER_TX_MEMBER_VOTE] = {"member.vote", LEDGER_BY_OFFICERS, member_vote, 1},
    [LEDGER_TX_DID_UPDATE] = {"did.update", LEDGER_BY_OFFICERS, did_next, 1},
    [LEDGER_TX_DID_RECOVER] = {"did.recover", LEDGER_BY_RECOVERY, did_next, 1},
    [LEDGER_TX_DID_DEACTIVATE] = {"did.deactivate", LEDGER_BY_OFFICERS, did_deactivate, 1},
    [LEDGER_TX_DATASET_PUBLISH] = {"dataset.publish", LEDGER_BY_NODE, dataset_publish, 1},
    [LEDGER_TX_EVIDENCE_DEPOSIT] = {"evidence.deposit", LEDGER_BY_NODE, evidence_deposit, 2},
    [LEDGER_TX_LOTTERY_OPEN] = {"lottery.open", LEDGER_BY_NODE, lottery_open, 2},
    [LEDGER_TX_LOTTERY_COMMIT] = {"lottery.commit", LEDGER_BY_NODE, lottery_commit, 2},
    [LEDGER_TX_LOTTERY_REVEAL] = {"lottery.reveal", LEDGER_BY_NODE, lottery_reveal, 2},
    [LEDGER_TX_CONTRACT_PROPOSE] = {"contract.propose", LEDGER_BY_NODE, NULL, 1},
    [LEDGER_TX_AUTHORIZATION_GRANT] = {"authorization.grant", LEDGER_BY_OFFICERS,
                                       authorization_grant, 1},
    [LEDGER_TX_AUTHORIZATION_REVOKE] = {"authorization.revoke", LEDGER_BY_OFFICERS,
                                        authorization_revoke, 1},
    [LEDGER_TX_CONSENT_GRANT] = {"consent.grant", LEDGER_BY_NODE, consent_grant, 1},
    [LEDGER_TX_CONSENT_REVOKE] = {"consent.revoke", LEDGER_BY_NODE, consent_revoke, 1},
    [LEDGER_TX_QUERY_OPEN] = {"query.open", LEDGER_BY_NODE, query_open, 1},
    [LEDGER_TX_QUERY_CLOSE] = {"query.close", LEDGER_BY_NODE, query_receipt, 1},
    [LEDGER_TX_QUERY_RECEIPT] = {"query.receipt", LEDGER_BY_NODE, query_receipt, 1},
    [LEDGER_TX_EPOCH_APPROVE] = {"epoch.approve", LEDGER_BY_OFFICERS, epoch_approve, 1},
    [LEDGER_TX_EPOCH_PROMISE] = {"epoch.promise", LEDGER_BY_NODE, epoch_promise, 1},
    [LEDGER_TX_EPOCH] = {"epoch", LEDGER_BY_NODE, epoch, 1},
    [LEDGER_TX_STATUS_PUBLISH] = {"status.publish", LEDGER_BY_NODE, status_publish, 3},
};

const char *ledger_tx_type_name(enum ledger_tx_type type)
{
    assert(type < LEDGER_TX_TYPE_COUNT);
    return type_table[type].name;
}

enum ledger_authority ledger_tx_type_authority(enum ledger_tx_type type)
{
    assert(type < LEDGER_TX_TYPE_COUNT);
    return type_table[type].authority;
}

uint32_t ledger_tx_type_since(enum ledger_tx_type type)
{
    assert(type < LEDGER_TX_TYPE_COUNT);
    return type_table[type].since;
}

uint32_t ledger_tx_since(const struct ledger_tx *tx)
{
    uint32_t since = ledger_tx_type_since(tx->type);

    if (tx->type == LEDGER_TX_DATASET_PUBLISH && json_object_get(tx->body, "changes") != NULL)
        return 2;
    if (tx->type == LEDGER_TX_MEMBER_SUSPEND && json_object_get(tx->body, "ground") != NULL)
        return LEDGER_MISBEHAVIOR_SINCE;
    return since;
}

bool ledger_tx_type_is_proposal(enum ledger_tx_type type)
{
    switch (type) {
    case LEDGER_TX_MEMBER_PROPOSE:
    case LEDGER_TX_MEMBER_SUSPEND:
    case LEDGER_TX_MEMBER_REINSTATE:
    case LEDGER_TX_MEMBER_CHANGE:
    case LEDGER_TX_MEMBER_REKEY:
    case LEDGER_TX_PARAMETER_PROPOSE:
        return true;
    default:
        return false;
    }
}

enum ledger_tx_type ledger_tx_type_find(const char *name)
{
    unsigned i = 0;

    while (i < LEDGER_TX_TYPE_COUNT && strcmp(type_table[i].name, name) != 0)
        i++;
    return (enum ledger_tx_type)i;
}

/* ---- bodies ---- */

static const struct ledger_member consent_item[] = {
    {"parameter", LEDGER_IS_COUNT, false},
    {"consent", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

#define CONSENTS_MAX 64

static fm_status check_parameters(const json_t *body, struct base_err *err)
{
    const json_t *limits = json_object_get(body, "limits"), *rules = json_object_get(body, "rules");
    fm_status st = FM_OK;

    if (limits == NULL && rules == NULL && json_object_get(body, "quorum") == NULL)
        return base_err_set(err, FM_E_INPUT, "none of 'quorum', 'limits' and 'rules' is there");
    if (limits != NULL)
        st = ledger_limits_check(limits, LEDGER_LIMITS_SOME, err);
    if (st == FM_OK && rules != NULL)
        st = ledger_shape_check(rules, parameter_rules, err);
    return st;
}

fm_status ledger_tx_check_body(enum ledger_tx_type type, const json_t *body, struct base_err *err)
{
    const struct ledger_member *members = type_table[type].body;
    fm_status st = FM_OK;

    if (members != NULL)
        st = ledger_shape_check(body, members, err);
    if (st == FM_OK && type == LEDGER_TX_QUERY_OPEN)
        st = ledger_shape_check_items(json_object_get(body, "consents"), "consents", CONSENTS_MAX,
                                      consent_item, err);
    if (st == FM_OK && type == LEDGER_TX_PARAMETER_PROPOSE)
        st = check_parameters(body, err);
    if (st == FM_OK && type == LEDGER_TX_EPOCH_PROMISE)
        st = ledger_shape_check(json_object_get(body, "head"), epoch_head, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", type_table[type].name);
}
