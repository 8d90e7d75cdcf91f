/* State lines and the checkpoint: everything that is checked against the end of the log. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/state_proof.h"
#include "ledger/verify/verify_impl.h"

/* ---- state ---- */

static bool text_is(const json_t *object, const char *name, const char *want)
{
    const char *s = json_string_value(json_object_get(object, name));

    return s != NULL && strcmp(s, want) == 0;
}

/* What the state says about a member, a document or the parameters must be what was followed. A
 * difference means that a change of identity is among the payloads that are not disclosed, or that
 * the log contradicts its state. */
static fm_status check_against_members(struct ledger_verifier *v, const char *key,
                                       const json_t *value, struct base_err *err)
{
    const struct ledger_members *m = v->out->members;
    const struct ledger_identity *member;
    char hash[65];
    bool good = true;

    if (strncmp(key, "member/", 7) == 0) {
        member = ledger_members_by_alias(m, key + 7);
        good =
            (member != NULL) == (value != NULL) &&
            (member == NULL || (text_is(value, "did", did_document_id(member->doc)) &&
                                text_is(value, "status", member->active ? "active" : "suspended")));
        v->out->standings += good && member != NULL;
    } else if (strncmp(key, "did/", 4) == 0 && strchr(key + 4, '/') == NULL) {
        member = ledger_members_by_did(m, key + 4);
        if (member != NULL)
            base_hex(hash, did_document_hash32(member->doc), 32);
        good =
            (member != NULL) == (value != NULL) && (member == NULL || text_is(value, "hash", hash));
        v->out->documents += good && member != NULL;
    } else if (strcmp(key, "param") == 0) {
        good = ledger_members_are_params(m, value) &&
               json_integer_value(json_object_get(value, "epoch")) == v->epoch &&
               text_is(value, "sequencer", v->sequencer);
        v->out->parameters = good;
    }
    if (!good)
        return ledger_verify_fail(err, "'%s' is not what the disclosed transactions lead to", key);
    return FM_OK;
}

static fm_status check_state_order(struct ledger_verifier *v, struct base_err *err)
{
    char *key = malloc(strlen(v->reader.key) + 1);

    if (key == NULL)
        return base_err_memory(err, "verifier");
    memcpy(key, v->reader.key, strlen(v->reader.key) + 1);
    v->out->check = "order";
    if (v->last_state != NULL && strcmp(v->last_state, key) >= 0) {
        free(key);
        return ledger_verify_fail(err, "state lines are not sorted by key");
    }
    free(v->last_state);
    v->last_state = key;
    return FM_OK;
}

/* H of a state line's value. In a compact bundle that of a member's DID leaves the document out:
 * the one that was followed belongs there. */
static fm_status hash_value(struct ledger_verifier *v, uint8_t out32[32], struct base_err *err)
{
    const struct ledger_identity *member =
        strncmp(v->reader.key, "did/", 4) == 0
            ? ledger_members_by_did(v->out->members, v->reader.key + 4)
            : NULL;
    json_t *whole;
    fm_status st;

    if (!v->out->compact || member == NULL)
        return base_json_hash(out32, v->reader.value, err);
    if (json_object_get(v->reader.value, "document") != NULL)
        return ledger_verify_fail(err, "in a compact bundle a document stands for itself");
    whole = json_copy((json_t *)(uintptr_t)v->reader.value);
    if (whole == NULL || json_object_set(whole, "document",
                                         (json_t *)(uintptr_t)did_document_json(member->doc)) != 0)
        st = base_err_memory(err, "verifier");
    else
        st = base_json_hash(out32, whole, err);
    json_decref(whole);
    return st;
}

fm_status ledger_verify_state(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_state_proof *proof;
    uint8_t path[32], value_hash[32];
    fm_status st = check_state_order(v, err);

    if (st != FM_OK)
        return st;
    v->out->check = "state";
    if (!v->after_block)
        return ledger_verify_fail(err, "the log does not end with a block leaf");
    proof = malloc(sizeof *proof);
    if (proof == NULL)
        return base_err_memory(err, "verifier");
    ledger_state_path(path, v->reader.key);
    st = ledger_state_proof_parse(proof, v->reader.proof, err);
    if (st == FM_OK && v->reader.value == NULL) {
        st = ledger_state_verify_absent(proof, v->out->state_root, path, err);
    } else if (st == FM_OK && proof->leaf) {
        st = ledger_verify_fail(err, "a proof of presence names no other leaf");
    } else if (st == FM_OK) {
        st = hash_value(v, value_hash, err);
        if (st == FM_OK)
            st = ledger_state_verify_present(proof, v->out->state_root, path, value_hash, err);
    }
    free(proof);
    if (st == FM_OK)
        st = check_against_members(v, v->reader.key, v->reader.value, err);
    v->out->states++;
    return st;
}

/* ---- checkpoint ---- */

static fm_status check_cosignatures(struct ledger_verifier *v, struct base_err *err)
{
    const struct ledger_checkpoint *c = &v->out->checkpoint;
    const char *before = "";

    for (size_t i = 0; i < c->n; i++) {
        const struct ledger_identity *member =
            ledger_members_by_did(v->out->members, c->cosigner[i].name);
        fm_status st;
        v->out->check = "cosignature";
        if (member == NULL || !member->active)
            return ledger_verify_fail(err, "%s is no active member", c->cosigner[i].name);
        if (strcmp(before, member->alias) >= 0)
            return ledger_verify_fail(err, "cosigners are not in the order of their aliases");
        before = member->alias;
        st = ledger_cosignature_verify(&c->cosigner[i], c, member->doc, v->rules, err);
        if (st != FM_OK)
            return base_err_prefix(err, "%s", member->alias);
    }
    v->out->check = "quorum";
    if (c->n < v->terms->quorum)
        return ledger_verify_fail(err, "%zu members cosigned, %llu are needed", c->n,
                                  (unsigned long long)v->terms->quorum);
    return FM_OK;
}

fm_status ledger_verify_checkpoint(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_checkpoint *c = &v->out->checkpoint;
    fm_status st;

    v->out->check = "checkpoint";
    if (!v->after_block)
        return ledger_verify_fail(err, "the log does not end with a block leaf");
    st = ledger_checkpoint_parse(c, v->reader.checkpoint, strlen(v->reader.checkpoint), err);
    if (st != FM_OK)
        return st;
    v->out->check = "chain";
    if (memcmp(c->chain, v->out->chain, 32) != 0)
        return ledger_verify_fail(err, "the checkpoint is for another ledger");
    v->out->check = "root";
    ledger_log_root(v->out->root, &v->log);
    if (c->size != v->log.size || memcmp(c->root, v->out->root, 32) != 0)
        return ledger_verify_fail(err, "the checkpoint is over another log");
    v->out->check = "epoch";
    if (c->epoch != (uint64_t)v->epoch)
        return ledger_verify_fail(err, "the checkpoint says epoch %llu, the log %lld",
                                  (unsigned long long)c->epoch, (long long)v->epoch);
    st = ledger_verify_shown(v, err);
    return st == FM_OK ? check_cosignatures(v, err) : st;
}
