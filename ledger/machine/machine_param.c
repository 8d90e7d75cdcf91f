/* The ledger's parameters: which rules a block follows, and what is settled when it ends (format.md
 * section 12). */
#include "base/json.h"
#include "ledger/machine/machine_admit.h"
#include "ledger/proof/limits.h"

void ledger_machine_set_newest_rules(struct ledger_machine *machine, uint32_t newest)
{
    machine->newest_rules = newest;
}

fm_status ledger_param_get(struct ledger_machine *machine, json_t **param, uint64_t height,
                           struct base_err *err)
{
    const json_t *value;
    int64_t rules;
    fm_status st = ledger_view_get(&machine->view, &value, "param", err);

    *param = NULL;
    if (st != FM_OK)
        return st;
    if (value == NULL)
        return base_err_set(err, FM_E_CORRUPT, "the state has no param");
    rules = ledger_int(value, "rules_version");
    if (rules < 1 || rules > (int64_t)machine->newest_rules)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "from block %llu on the ledger follows rules version %lld, this "
                            "program has %lu: install a newer one",
                            (unsigned long long)height, (long long)rules,
                            (unsigned long)machine->newest_rules);
    *param = json_incref((json_t *)(uintptr_t)value);
    return FM_OK;
}

/* Checkpoints of before are under another quorum. */
static int set_quorum_since(json_t *param, uint64_t height)
{
    return json_object_set_new(param, "quorum_since", json_integer((json_int_t)height));
}

/* ---- the end of a block ---- */

fm_status ledger_param_settle(struct ledger_machine *machine, uint64_t height, struct base_err *err)
{
    struct ledger_context c = {.view = &machine->view};
    const json_t *param, *voted;
    json_t *next;
    int64_t rules;
    size_t active = 0;
    bool begins, small, good = true;
    fm_status st = ledger_view_get(&machine->view, &param, "param", err);

    if (st != FM_OK)
        return st;
    voted = json_object_get(param, "next_rules");
    begins = voted != NULL && ledger_int(voted, "height") <= (int64_t)height + 1;
    rules = ledger_int(begins ? voted : param, begins ? "version" : "rules_version");
    if (rules >= 2 && (begins || ledger_view_has_changed(&machine->view, "member/")))
        st = ledger_member_count_active(&c, &active, err);
    small = 2 * ledger_int(param, "quorum") <= (int64_t)active;
    if (st != FM_OK || (!begins && !small))
        return st;
    next = json_copy((json_t *)(uintptr_t)param);
    if (next != NULL && begins)
        good = json_object_set_new(next, "rules_version", json_integer(rules)) == 0 &&
               json_object_del(next, "next_rules") == 0;
    if (next != NULL && small) /* two quorums meet, however many joined */
        good =
            good &&
            json_object_set_new(next, "quorum", json_integer((json_int_t)(active / 2 + 1))) == 0 &&
            set_quorum_since(next, height) == 0;
    if (!good) {
        json_decref(next);
        next = NULL;
    }
    st = ledger_view_put(&machine->view, "param", next, err);
    return st == FM_OK ? ledger_view_keep(&machine->view, err) : st;
}

/* ---- parameter.propose ---- */

/* The parameters as an accepted body makes them; refused where they cannot be. */
static fm_status changed(struct ledger_context *c, json_t **out, const json_t *body,
                         struct base_err *err)
{
    const json_t *param, *rules = json_object_get(body, "rules");
    json_t *quorum = json_object_get(body, "quorum"), *some = json_object_get(body, "limits");
    json_t *limits, *next;
    size_t active;
    bool good;
    fm_status st = ledger_view_get(c->view, &param, "param", err);

    *out = NULL;
    if (st == FM_OK)
        st = ledger_member_count_active(c, &active, err);
    if (st != FM_OK)
        return st;
    if (quorum != NULL && (json_integer_value(quorum) > (json_int_t)active ||
                           2 * json_integer_value(quorum) <= (json_int_t)active))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_QUORUM, err,
                             "the quorum must be more than half of the %zu active members, and no "
                             "more than all",
                             active);
    if (rules != NULL && ledger_int(rules, "version") <= ledger_int(param, "rules_version"))
        return ledger_refuse(c, LEDGER_RULE_PARAMETER_RULES, err,
                             "the ledger follows rules version %lld already",
                             (long long)ledger_int(param, "rules_version"));
    limits = json_copy(json_object_get(param, "limits"));
    next = json_copy((json_t *)(uintptr_t)param);
    good = limits != NULL && next != NULL &&
           (some == NULL || json_object_update(limits, some) == 0) &&
           json_object_set(next, "limits", limits) == 0 &&
           (quorum == NULL || (json_object_set(next, "quorum", quorum) == 0 &&
                               set_quorum_since(next, c->height) == 0)) &&
           (rules == NULL || json_object_set(next, "next_rules", (json_t *)(uintptr_t)rules) == 0);
    if (good && !ledger_limits_agree(limits))
        st = ledger_refuse(c, LEDGER_RULE_PARAMETER_LIMITS, err,
                           "block_bytes must not be below tx_bytes");
    else if (!good)
        st = base_err_memory(err, "parameters");
    json_decref(limits);
    if (st == FM_OK)
        *out = next;
    else
        json_decref(next);
    return st;
}

fm_status ledger_param_check(struct ledger_context *c, const json_t *body, struct base_err *err)
{
    json_t *next;
    fm_status st = changed(c, &next, body, err);

    json_decref(next);
    return st;
}

fm_status ledger_param_change(struct ledger_context *c, const json_t *body, struct base_err *err)
{
    json_t *next;
    fm_status st = changed(c, &next, body, err);

    return st == FM_OK ? ledger_view_put(c->view, "param", next, err) : st;
}
