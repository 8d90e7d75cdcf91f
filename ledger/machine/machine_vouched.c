/* Entries that the engine vouches for: what it has proven of validators (format.md section 15). */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/machine/machine_admit.h"
#include "ledger/proof/misbehavior.h"

/* FM_E_REFUSED, with the reason: it leaves no trace. */
static fm_status check(struct ledger_context *c, const struct ledger_misbehavior *what,
                       const char *key, struct base_err *err)
{
    const json_t *there = NULL;
    fm_status st = FM_OK;

    if (what->member[0] != '\0') {
        st = ledger_member_get(c, &there, what->member, err);
        if (st == FM_OK && there == NULL)
            return base_err_set(err, FM_E_REFUSED, "there is no member %s", what->member);
    }
    if (st == FM_OK && what->height >= c->height)
        return base_err_set(err, FM_E_REFUSED, "block %llu is not before this one",
                            (unsigned long long)what->height);
    if (st == FM_OK)
        st = ledger_view_get(c->view, &there, key, err);
    if (st == FM_OK && there != NULL)
        return base_err_set(err, FM_E_REFUSED, "it is recorded already");
    return st;
}

/* The body, and where it was recorded. */
static fm_status put(struct ledger_context *c, const json_t *payload, const char *key,
                     struct base_err *err)
{
    json_t *value = json_copy(json_object_get(payload, "body"));

    if (value != NULL &&
        json_object_set_new(value, "recorded", json_integer((json_int_t)c->height)) != 0) {
        json_decref(value);
        value = NULL;
    }
    return ledger_view_put(c->view, key, value, err);
}

static fm_status run(struct ledger_machine *machine, struct ledger_context *c,
                     const json_t *payload, struct ledger_outcome *out, struct base_err *err)
{
    struct ledger_misbehavior what;
    char key[LEDGER_KEY_TEXT], id[LEDGER_HASH_TEXT];
    fm_status st = ledger_misbehavior_read(&what, payload, machine->chain, err);

    if (st == FM_OK && c->rules_version < LEDGER_MISBEHAVIOR_SINCE)
        st = base_err_set(err, FM_E_REFUSED, "before rules version %d", LEDGER_MISBEHAVIOR_SINCE);
    base_hex(id, out->id, 32);
    if (st == FM_OK)
        st = check(c, &what, ledger_key(key, "misbehavior", id), err);
    if (st == FM_OK)
        st = put(c, payload, key, err);
    if (st == FM_OK)
        (void)snprintf(out->alias, sizeof out->alias, "%s", what.member);
    return st;
}

fm_status ledger_vouched_run(struct ledger_machine *machine, struct ledger_context *c,
                             const struct ledger_bytes *bytes, struct ledger_outcome *out,
                             struct base_err *err)
{
    struct base_err why = {0};
    json_t *payload = NULL;
    fm_status st = base_json_parse_canonical(&payload, bytes->p, bytes->len, &why);

    memset(out, 0, sizeof *out);
    base_hash(out->id, bytes->p, bytes->len);
    c->view = &machine->view;
    if (st == FM_OK)
        st = run(machine, c, payload, out, &why);
    json_decref(payload);
    if (st == FM_OK) {
        out->verdict = LEDGER_OK;
        out->type = LEDGER_MISBEHAVIOR_TYPE;
        return ledger_view_keep(&machine->view, err);
    }
    ledger_view_drop(&machine->view);
    if (st != FM_E_INPUT && st != FM_E_REFUSED) {
        *err = why;
        return st;
    }
    out->verdict = LEDGER_DROPPED;
    out->rule = LEDGER_DROP_MALFORMED;
    ledger_detail_set(out->detail, why.text);
    return FM_OK;
}
