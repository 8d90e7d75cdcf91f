/* The ledger's parameters as votes change them: format.md section 12. */
#include "base/json.h"
#include "ledger/proof/limits.h"
#include "ledger/verify/members_impl.h"

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void ledger_members_set_limits(struct ledger_members *m, const json_t *limits)
{
    m->terms.tx_bytes = number(limits, "tx_bytes");
    m->terms.block_txs = number(limits, "block_txs");
    m->terms.block_bytes = number(limits, "block_bytes");
    m->terms.not_after_ms = number(limits, "not_after_ms");
    m->terms.consent_uses = number(limits, "consent_uses");
}

static json_t *limits_with(const struct ledger_members *m, const json_t *body)
{
    json_t *some = json_object_get(body, "limits"), *all = json_copy(m->limits);

    if (all != NULL && some != NULL && json_object_update(all, some) != 0) {
        json_decref(all);
        all = NULL;
    }
    return all;
}

bool ledger_members_can_change(const struct ledger_members *m, const json_t *body)
{
    size_t active = ledger_members_active(m);
    const json_t *rules = json_object_get(body, "rules");
    uint64_t quorum = (uint64_t)number(body, "quorum");
    json_t *limits = limits_with(m, body);
    bool agree = limits == NULL || ledger_limits_agree(limits);

    json_decref(limits);
    return agree && (quorum == 0 || (quorum <= active && active / 2 < quorum)) &&
           (rules == NULL || number(rules, "version") > (int64_t)m->terms.rules_version);
}

fm_status ledger_members_change(struct ledger_members *m, const json_t *body, struct base_err *err)
{
    const json_t *rules = json_object_get(body, "rules");
    json_t *limits = limits_with(m, body);

    if (limits == NULL)
        return base_err_memory(err, "members");
    json_decref(m->limits);
    m->limits = limits;
    if (json_object_get(body, "quorum") != NULL) {
        m->terms.quorum = (uint64_t)number(body, "quorum");
        m->quorum_set = true;
    }
    if (rules != NULL) {
        m->next_rules = number(rules, "version");
        m->next_rules_height = number(rules, "height");
    }
    return FM_OK;
}

/* Deactivations, and those undone, against the block's time. */
static fm_status end_undoing(struct ledger_members *m, int64_t time_ms, struct base_err *err)
{
    for (size_t i = 0; i < m->n; i++) {
        struct ledger_identity *member = &m->member[i];
        if (member->must_before != 0 && time_ms >= member->must_before)
            return ledger_members_refute(err, "it undoes a deactivation that is final");
        if (member->ended)
            member->undo_before = time_ms + DID_OVERRIDE_MS;
        member->must_before = 0;
        member->ended = false;
    }
    return FM_OK;
}

fm_status ledger_members_end_block(struct ledger_members *m, uint64_t height, int64_t time_ms,
                                   struct base_err *err)
{
    bool begins = m->next_rules != 0 && (uint64_t)m->next_rules_height <= height + 1;
    size_t active = ledger_members_active(m);

    if (begins) {
        m->terms.rules_version = m->next_rules > UINT32_MAX ? UINT32_MAX : (uint32_t)m->next_rules;
        m->next_rules = 0;
    }
    if (m->terms.rules_version >= 2 && (begins || m->joined) && m->terms.quorum <= active / 2) {
        m->terms.quorum = active / 2 + 1;
        m->quorum_set = true;
    }
    if (m->quorum_set)
        m->quorum_since = height;
    m->joined = m->quorum_set = false;
    ledger_members_set_limits(m, m->limits);
    return end_undoing(m, time_ms, err);
}

bool ledger_members_are_params(const struct ledger_members *m, const json_t *param)
{
    const json_t *next = json_object_get(param, "next_rules");

    return number(param, "quorum") == (int64_t)m->terms.quorum &&
           number(param, "quorum_since") == (int64_t)m->quorum_since &&
           json_equal(json_object_get(param, "limits"), m->limits) != 0 &&
           number(param, "rules_version") == (int64_t)m->terms.rules_version &&
           (next != NULL) == (m->next_rules != 0) && number(next, "version") == m->next_rules &&
           (next == NULL || number(next, "height") == m->next_rules_height);
}
