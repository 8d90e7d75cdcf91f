#include <string.h>

#include "base/json.h"
#include "ledger/proof/shape.h"
#include "ledger/verify/verify_impl.h"

/* ---- results ---- */

static const struct ledger_member ok_shape[] = {
    {"code", LEDGER_IS_NAME, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member refused_shape[] = {
    {"code", LEDGER_IS_NAME, false},
    {"rule", LEDGER_IS_NAME, false},
    {"detail", LEDGER_IS_TEXT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static fm_status read_result(struct ledger_verifier *v, enum ledger_rule *rule,
                             struct base_err *err)
{
    const json_t *result = v->reader.result;
    const char *code = json_string_value(json_object_get(result, "code"));
    bool ok = code != NULL && strcmp(code, "ok") == 0;
    fm_status st;

    v->out->check = "result";
    *rule = LEDGER_RULE_OK;
    if (result == NULL)
        return ledger_verify_fail(err, "a transaction stands with its result");
    st = ledger_shape_check(result, ok ? ok_shape : refused_shape, err);
    if (st != FM_OK || ok)
        return st;
    *rule = ledger_rule_find(json_string_value(json_object_get(result, "rule")));
    if (strcmp(code, "refused") != 0 || *rule == LEDGER_RULE_COUNT || *rule == LEDGER_RULE_OK ||
        ledger_rule_drops(*rule))
        return ledger_verify_fail(err, "neither ok nor refused by a rule of the ledger");
    return FM_OK;
}

/* ---- the transaction ---- */

static fm_status check_envelope(struct ledger_verifier *v, const struct ledger_tx *tx,
                                const struct ledger_identity **sender, struct base_err *err)
{
    struct ledger_open_block *b = &v->block;

    v->out->check = "chain";
    if (memcmp(tx->chain, v->out->chain, 32) != 0)
        return ledger_verify_fail(err, "the transaction is for another ledger");
    v->out->check = "transaction";
    if (v->reader.payload_len > (size_t)v->terms->tx_bytes)
        return ledger_verify_fail(err, "%zu bytes, more than tx_bytes", v->reader.payload_len);
    b->bytes += v->reader.payload_len;
    if (b->bytes > (uint64_t)v->terms->block_bytes)
        return ledger_verify_fail(err, "its block is longer than block_bytes");
    *sender = ledger_members_by_did(v->out->members, tx->sender);
    if (*sender == NULL)
        return ledger_verify_fail(err, "its sender %s is no member", tx->sender);
    if (ledger_tx_since(tx) > b->least_rules) {
        b->least_rules = ledger_tx_since(tx);
        b->rules_leaf = v->reader.leaf;
    }
    v->out->check = "repeat";
    if (ledger_id_map_get(&v->seen, tx->id) != NULL)
        return ledger_verify_fail(err, "the transaction is on the log already");
    if (tx->not_after < b->min_not_after) {
        b->min_not_after = tx->not_after;
        b->min_leaf = v->reader.leaf;
    }
    if (tx->not_after > b->max_not_after) {
        b->max_not_after = tx->not_after;
        b->max_leaf = v->reader.leaf;
    }
    /* One that expired before the last block can never be valid again: its id may be forgotten. */
    return ledger_id_map_put(&v->seen, tx->id, tx->not_after, v->out->time_ms, err);
}

/* Proofs first; then the result must agree with whose they are and whether the sender may act at
 * all. */
static fm_status check_signers(struct ledger_verifier *v, const struct ledger_tx *tx,
                               const struct ledger_identity *sender, enum ledger_rule rule,
                               struct base_err *err)
{
    bool own_document = tx->type == LEDGER_TX_DID_UPDATE || tx->type == LEDGER_TX_DID_RECOVER ||
                        tx->type == LEDGER_TX_DID_DEACTIVATE;
    enum ledger_rule must = LEDGER_RULE_OK;
    struct ledger_tx_auth auth;
    fm_status st;

    v->out->check = "proof";
    st = ledger_tx_authenticate(&auth, tx, sender->doc, v->terms->rules_version, err);
    if (st != FM_OK)
        return st;
    v->out->check = "result";
    if (auth.rule != LEDGER_RULE_OK)
        must = auth.rule;
    else if (!sender->active && !own_document)
        must = LEDGER_RULE_MEMBER_SUSPENDED;
    if (must != LEDGER_RULE_OK && rule != must)
        return ledger_verify_fail(err, "it must be refused by %s", ledger_rule_code(must));
    if (must == LEDGER_RULE_OK &&
        (rule == LEDGER_RULE_AUTH_ROLE || rule == LEDGER_RULE_AUTH_THRESHOLD))
        return ledger_verify_fail(err, "refused by %s, but the right keys signed",
                                  ledger_rule_code(rule));
    return FM_OK;
}

static fm_status check_tx(struct ledger_verifier *v, const struct ledger_tx *tx,
                          enum ledger_rule rule, struct base_err *err)
{
    const struct ledger_identity *sender = NULL;
    fm_status st = check_envelope(v, tx, &sender, err);

    if (st == FM_OK)
        st = check_signers(v, tx, sender, rule, err);
    if (st == FM_OK)
        st = ledger_verify_ground(v, tx, rule, err);
    if (st == FM_OK && v->statement != NULL) {
        v->out->check = "statement";
        st = ledger_statement_see(v->statement, tx, rule, err);
    }
    if (st != FM_OK || rule != LEDGER_RULE_OK)
        return st;
    v->out->by_type[tx->type]++;
    st = ledger_verify_deposit(v, tx, sender, err);
    if (st == FM_OK)
        st = ledger_verify_status(v, tx, sender, err);
    if (st != FM_OK)
        return st;
    /* A consent's, query's or receipt's signers are those of before this transaction. */
    if (tx->type == LEDGER_TX_EPOCH && v->out->compact)
        return ledger_verify_fail(err,
                                  "what a change of epochs rests on is not in a compact bundle");
    if (tx->type == LEDGER_TX_EPOCH_APPROVE || tx->type == LEDGER_TX_EPOCH_PROMISE)
        return ledger_verify_fail(err, "it stands inside an epoch transaction, never alone");
    st = tx->type == LEDGER_TX_EPOCH ? ledger_verify_epoch(v, tx, sender, err)
                                     : ledger_verify_accepted(v, tx, sender, err);
    if (st != FM_OK)
        return st;
    v->out->check = "identity";
    return ledger_verify_apply(v, tx, sender, err);
}

fm_status ledger_verify_tx(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_tx tx = {0};
    enum ledger_rule rule;
    uint8_t hash[32];
    fm_status st = read_result(v, &rule, err);

    if (st != FM_OK)
        return st;
    if (v->out->compact)
        st = ledger_verify_proven(v, err);
    if (st != FM_OK)
        return st;
    v->out->check = "block";
    if (v->terms->rules_version > LEDGER_RULES_VERSION)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "from here on the ledger follows rules version %lu, this program knows "
                            "1 to %d: use a newer one",
                            (unsigned long)v->terms->rules_version, LEDGER_RULES_VERSION);
    if (v->out->blocks == 0 ||
        v->block.txs.size - v->block.vouched == (uint64_t)v->terms->block_txs)
        return ledger_verify_fail(err, v->out->blocks == 0 ? "the log begins with the genesis block"
                                                           : "more transactions than block_txs");
    if (ledger_misbehavior_is(v->reader.payload)) {
        v->out->check = "misbehavior";
        if (rule != LEDGER_RULE_OK)
            return ledger_verify_fail(err, "nothing can refuse what was proven of a validator");
        st = ledger_verify_misbehavior(v, err);
        if (st != FM_OK)
            return st;
    } else if (v->reader.payload != NULL) {
        v->out->check = "transaction";
        st = ledger_tx_parse_json(&tx, (json_t *)(uintptr_t)v->reader.payload, err);
        if (st == FM_OK)
            st = check_tx(v, &tx, rule, err);
        ledger_tx_release(&tx);
        if (st != FM_OK)
            return st;
    }
    v->out->transactions++;
    *(rule == LEDGER_RULE_OK ? &v->out->accepted : &v->out->refused) += 1;
    v->out->by_rule[rule] += rule != LEDGER_RULE_OK;
    v->out->hidden += v->reader.payload == NULL;
    v->out->hidden_accepted += v->reader.payload == NULL && rule == LEDGER_RULE_OK;
    v->after_block = false;
    ledger_log_leaf_hash(hash, v->reader.payload_hash);
    ledger_log_append(&v->block.txs, hash, NULL);
    ledger_log_leaf_hash(hash, v->reader.result_hash);
    ledger_log_append(&v->block.results, hash, NULL);
    return FM_OK;
}
