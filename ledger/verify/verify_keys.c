/* Which keys a recovery overrode (did/method.md, section 4): while the log goes by, the versions of
 * each member's document that its own transactions brought, and whose keys they had. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/verify/verify_impl.h"

enum { PENDING = -1 }; /* the time of a version whose block has not ended */

static struct ledger_verified_keys *keys_of(const struct ledger_verified *report, size_t member)
{
    for (size_t i = 0; i < report->n_keys; i++)
        if (report->keys[i].member == member)
            return &report->keys[i];
    return NULL;
}

static fm_status add_version(struct ledger_verified_keys *k, const struct did_document *doc,
                             const char *by, int64_t time_ms, struct base_err *err)
{
    const json_t *json = did_document_json(doc);
    json_t *roles =
        json_pack("{s:O*, s:O*}", "assertionMethod", json_object_get(json, "assertionMethod"),
                  "capabilityInvocation", json_object_get(json, "capabilityInvocation"));
    struct did_version v = {.time_ms = time_ms};

    memcpy(v.hash32, did_document_hash32(doc), sizeof v.hash32);
    (void)snprintf(v.by, sizeof v.by, "%s", by);
    if (json_array_append_new(k->methods, roles) != 0)
        return base_err_memory(err, "keys");
    return did_history_add(&k->history, &v, err);
}

/* The member's place in out->keys, where the version that stands before its first change begins. */
static fm_status begin(struct ledger_verified_keys **out, struct ledger_verifier *v,
                       const struct ledger_identity *member, struct base_err *err)
{
    struct ledger_verified *report = v->out;
    fm_status st = FM_OK;

    *out = keys_of(report, member->index);
    if (*out == NULL) {
        st = ledger_verify_room((void **)&report->keys, &report->cap_keys, report->n_keys,
                                sizeof **out, err);
        if (st != FM_OK)
            return st;
        *out = &report->keys[report->n_keys];
        **out = (struct ledger_verified_keys){.member = (uint32_t)member->index,
                                              .methods = json_array()};
        if ((*out)->methods == NULL)
            return base_err_memory(err, "keys");
        report->n_keys++;
    }
    /* Its first, or one that members voted for. */
    if ((*out)->history.n == 0 || memcmp((*out)->history.versions[(*out)->history.n - 1].hash32,
                                         did_document_hash32(member->doc), 32) != 0)
        st = add_version(*out, member->doc, "", 0, err);
    return st;
}

fm_status ledger_verify_apply(struct ledger_verifier *v, const struct ledger_tx *tx,
                              const struct ledger_identity *sender, struct base_err *err)
{
    struct ledger_open_block *b = &v->block;
    struct ledger_verified_keys *k;
    size_t index = sender->index;
    fm_status st;

    if (tx->type != LEDGER_TX_DID_UPDATE && tx->type != LEDGER_TX_DID_RECOVER)
        return ledger_members_apply(v->out->members, tx, err);
    st = begin(&k, v, sender, err);
    if (st == FM_OK)
        st = ledger_members_apply(v->out->members, tx, err);
    if (st == FM_OK)
        st = ledger_verify_room((void **)&b->changed, &b->cap_changed, b->n_changed,
                                sizeof *b->changed, err);
    if (st != FM_OK)
        return st;
    b->changed[b->n_changed++] = (size_t)(k - v->out->keys);
    return add_version(k, ledger_members_at(v->out->members, index)->doc,
                       ledger_tx_type_name(tx->type), PENDING, err);
}

void ledger_verify_keys_close(struct ledger_verifier *v, int64_t time_ms)
{
    struct ledger_open_block *b = &v->block;

    for (size_t i = 0; i < b->n_changed; i++) {
        struct did_history *h = &v->out->keys[b->changed[i]].history;
        for (size_t at = h->n; at > 0 && h->versions[at - 1].time_ms == PENDING; at--)
            h->versions[at - 1].time_ms = time_ms;
    }
    b->n_changed = 0;
}

static bool has_method(const json_t *methods, const char *method)
{
    const json_t *one;
    size_t i;

    json_array_foreach(methods, i, one) if (json_is_string(one) && strcmp(json_string_value(one),
                                                                          method) == 0) return true;
    return false;
}

fm_status ledger_verified_stands(const struct ledger_verified *report, const char *did,
                                 const char *method, enum did_role role, struct base_err *err)
{
    const struct ledger_identity *member = ledger_members_by_did(report->members, did);
    const struct ledger_verified_keys *k = member == NULL ? NULL : keys_of(report, member->index);
    bool overridden = false;

    for (size_t i = 0; k != NULL && i < k->history.n; i++) {
        if (!has_method(json_object_get(json_array_get(k->methods, i), did_role_name(role)),
                        method))
            continue;
        if (did_history_override(&k->history, i) == SIZE_MAX)
            return FM_OK;
        overridden = true;
    }
    return overridden
               ? base_err_set(err, FM_E_INVALID,
                              "the key %.180s came with a change that a recovery within 72 hours "
                              "overrode: it counts as never valid",
                              method)
               : FM_OK;
}

int64_t ledger_verified_open_until(const struct ledger_verified *report, const char *did,
                                   const char *method, enum did_role role)
{
    const struct ledger_identity *member = ledger_members_by_did(report->members, did);
    const struct ledger_verified_keys *k = member == NULL ? NULL : keys_of(report, member->index);
    int64_t until = 0;

    for (size_t i = 0; k != NULL && i < k->history.n; i++) {
        const struct did_version *v = &k->history.versions[i];
        if (!has_method(json_object_get(json_array_get(k->methods, i), did_role_name(role)),
                        method) ||
            did_history_override(&k->history, i) != SIZE_MAX)
            continue;
        if (strcmp(v->by, ledger_tx_type_name(LEDGER_TX_DID_UPDATE)) != 0 ||
            report->time_ms - v->time_ms >= DID_OVERRIDE_MS)
            return 0;
        if (until == 0)
            until = v->time_ms + DID_OVERRIDE_MS; /* the first of them stands first */
    }
    return until;
}

void ledger_verified_keys_release(struct ledger_verified *report)
{
    for (size_t i = 0; i < report->n_keys; i++) {
        did_history_release(&report->keys[i].history);
        json_decref(report->keys[i].methods);
    }
    free(report->keys);
}
