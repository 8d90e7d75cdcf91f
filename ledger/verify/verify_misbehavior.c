/* What the engine vouched for about validators (format.md section 15): no signature of its own, but
 * every cosigner's over the log that it stands in; and suspensions that rest on it. */
#include <string.h>

#include "base/json.h"

#include "ledger/verify/verify_impl.h"

fm_status ledger_verify_misbehavior(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_open_block *b = &v->block;
    struct ledger_verified_misbehavior *it;
    fm_status st = ledger_verify_room((void **)&v->out->misbehaviors, &v->out->cap_misbehaviors,
                                      v->out->n_misbehaviors, sizeof *it, err);

    if (st != FM_OK)
        return st;
    it = &v->out->misbehaviors[v->out->n_misbehaviors];
    memcpy(it->id, v->reader.payload_hash, sizeof it->id);
    it->recorded_ms = 0;
    st = ledger_misbehavior_read(&it->what, v->reader.payload, v->out->chain, err);
    if (st != FM_OK)
        return st;
    if (b->vouched != b->txs.size)
        return ledger_verify_fail(err, "it stands behind a transaction of its block");
    if (it->what.member[0] != '\0' &&
        ledger_members_by_alias(v->out->members, it->what.member) == NULL)
        return ledger_verify_fail(err, "there is no member %s", it->what.member);
    if (ledger_id_map_get(&v->seen, it->id) != NULL)
        return ledger_verify_fail(err, "it is on the log already");
    st = ledger_id_map_put(&v->seen, it->id, INT64_MAX, v->out->time_ms, err);
    if (st != FM_OK)
        return st;
    if (LEDGER_MISBEHAVIOR_SINCE > b->least_rules) {
        b->least_rules = LEDGER_MISBEHAVIOR_SINCE;
        b->rules_leaf = v->reader.leaf;
    }
    b->vouched++;
    v->out->n_misbehaviors++;
    return FM_OK;
}

fm_status ledger_verify_misbehavior_heights(struct ledger_verifier *v, uint64_t height,
                                            struct base_err *err)
{
    const struct ledger_verified *out = v->out;

    for (size_t i = out->n_misbehaviors; i > 0 && out->misbehaviors[i - 1].recorded_ms == 0; i--) {
        uint64_t done = out->misbehaviors[i - 1].what.height;

        if (done < height)
            continue;
        v->out->check = "misbehavior";
        return ledger_verify_fail(err, "what was done at height %llu stands in block %llu",
                                  (unsigned long long)done, (unsigned long long)height);
    }
    return FM_OK;
}

fm_status ledger_verify_ground(struct ledger_verifier *v, const struct ledger_tx *tx,
                               enum ledger_rule rule, struct base_err *err)
{
    const char *about = json_string_value(json_object_get(tx->body, "alias"));
    const struct ledger_verified_misbehavior *found = NULL;
    uint8_t id[32];
    bool fits;

    if (tx->type != LEDGER_TX_MEMBER_SUSPEND || json_object_get(tx->body, "ground") == NULL ||
        (rule != LEDGER_RULE_OK && rule != LEDGER_RULE_MEMBER_GROUND))
        return FM_OK;
    v->out->check = "misbehavior";
    if (base_json_get_hex(id, 32, tx->body, "ground", err) != FM_OK)
        return err->code;
    for (size_t i = 0; found == NULL && i < v->out->n_misbehaviors; i++)
        if (memcmp(v->out->misbehaviors[i].id, id, 32) == 0)
            found = &v->out->misbehaviors[i];
    fits = found != NULL && about != NULL && strcmp(found->what.member, about) == 0;
    if (rule == LEDGER_RULE_MEMBER_GROUND)
        return fits ? ledger_verify_fail(err, "refused by %s, but its ground is one",
                                         ledger_rule_code(rule))
                    : FM_OK;
    if (fits || (found == NULL && ledger_verify_may_be_hidden(v)))
        return FM_OK;
    return ledger_verify_fail(err, found == NULL ? "its ground is not on the log"
                                                 : "its ground is not about that member");
}
