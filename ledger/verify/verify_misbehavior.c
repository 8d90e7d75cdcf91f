/* What the engine vouched for about validators (format.md section 15): no signature of its own, but
 * every cosigner's over the log that it stands in. */
#include <string.h>

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
