/* Block 0: from a genesis document to the first state (format.md section 1). */
#include <string.h>

#include "base/json.h"
#include "did/succession.h"
#include "ledger/machine/machine_admit.h"
#include "ledger/proof/limits.h"
#include "ledger/proof/profile.h"

/* A member's first document, brought to life on this chain. */
static fm_status bind_document(struct ledger_context *c, struct did_document **out,
                               const json_t *entry, struct base_err *err)
{
    struct did_document *placeholder = NULL;
    fm_status st =
        did_document_parse(&placeholder, json_object_get(entry, "document"), c->rules_version, err);

    *out = NULL;
    if (st == FM_OK && strcmp(did_document_chain(placeholder), DID_CHAIN_PLACEHOLDER) != 0)
        st = base_err_set(err, FM_E_INPUT, "its DID must have %s in place of a chain",
                          DID_CHAIN_PLACEHOLDER);
    if (st == FM_OK)
        st = did_document_bind(out, placeholder, c->chain, c->rules_version, err);
    if (st == FM_OK)
        st = did_succession_check_first(*out, c->chain, err);
    if (st == FM_OK && strcmp(did_document_alias(*out), ledger_text(entry, "alias")) != 0)
        st = base_err_set(err, FM_E_INPUT, "its alias is %s", did_document_alias(*out));
    did_document_free(placeholder);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "document");
}

static fm_status add_member(struct ledger_context *c, const json_t *entry, struct base_err *err)
{
    static const char *const names[] = {"alias", "document", "roles", "endpoint", NULL};
    struct did_document *doc = NULL;
    char key[LEDGER_KEY_TEXT];
    const json_t *there;
    json_t *object;
    const char *alias;
    fm_status st = base_json_get_str(&alias, entry, "alias", err);

    if (st == FM_OK && !ledger_is_name(alias))
        st = base_err_set(err, FM_E_INPUT, "member 'alias' must be [a-z][a-z0-9_]*, at most 32");
    if (st == FM_OK)
        st = base_json_only(entry, names, err);
    if (st == FM_OK)
        st = base_json_get_object(&object, entry, "document", err);
    if (st == FM_OK)
        st = ledger_member_check_shape(c->rules_version, json_object_get(entry, "roles"),
                                       json_object_get(entry, "endpoint"), err);
    if (st == FM_OK)
        st = bind_document(c, &doc, entry, err);
    if (st == FM_OK)
        st = ledger_state_get(c, &there, "did", did_document_id(doc), err);
    if (st == FM_OK && there != NULL)
        st = base_err_set(err, FM_E_INPUT, "another member has the same DID");
    if (st == FM_OK)
        st = ledger_document_put(c, doc, err);
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key(key, "member", alias),
                             json_pack("{s:s, s:O, s:O, s:s, s:i}", "did", did_document_id(doc),
                                       "roles", json_object_get(entry, "roles"), "endpoint",
                                       json_object_get(entry, "endpoint"), "status", "active",
                                       "since", 0),
                             err);
    did_document_free(doc);
    return st;
}

static fm_status add_members(struct ledger_context *c, const json_t *genesis, struct base_err *err)
{
    const char *before = "";
    json_t *members;
    int64_t quorum;
    size_t i, n;
    fm_status st = base_json_get_array(&members, genesis, "members", err);

    if (st == FM_OK)
        st = base_json_get_int(&quorum, genesis, "quorum", err);
    if (st != FM_OK)
        return st;
    n = json_array_size(members);
    if (quorum < 1 || quorum > (int64_t)n || 2 * quorum <= (int64_t)n)
        return base_err_set(err, FM_E_INPUT,
                            "member 'quorum' must be more than half of the %zu members, and no "
                            "more than all",
                            n);
    for (i = 0; i < n; i++) {
        const json_t *entry = json_array_get(members, i);
        const char *alias = ledger_text(entry, "alias");

        if (!json_is_object(entry))
            return base_err_set(err, FM_E_INPUT, "member 'members' must hold objects");
        st = add_member(c, entry, err);
        if (st != FM_OK)
            return base_err_prefix(err, "members[%zu]", i);
        if (strcmp(before, alias) >= 0)
            return base_err_set(err, FM_E_INPUT,
                                "members[%zu]: aliases must be sorted and different", i);
        before = alias;
    }
    return FM_OK;
}

static fm_status check_head(const json_t *genesis, struct base_err *err)
{
    static const char *const names[] = {"format", "name",      "time",   "rules_version", "members",
                                        "quorum", "sequencer", "limits", "profile",       NULL};
    enum base_profile profile;
    const char *text;
    json_t *limits;
    int64_t n;
    fm_status st;

    if (!json_is_object(genesis))
        return base_err_set(err, FM_E_INPUT, "it is not an object");
    st = base_json_only(genesis, names, err);
    if (st == FM_OK)
        st = base_json_get_int(&n, genesis, "format", err);
    if (st == FM_OK && n != 1)
        st = base_err_set(err, FM_E_INPUT, "member 'format' must be 1");
    if (st == FM_OK)
        st = base_json_get_str(&text, genesis, "name", err);
    if (st == FM_OK && (text[0] == '\0' || strlen(text) > 256))
        st = base_err_set(err, FM_E_INPUT, "member 'name' must have 1 to 256 bytes");
    if (st == FM_OK)
        st = base_json_get_int(&n, genesis, "time", err);
    if (st == FM_OK && n < 0)
        st = base_err_set(err, FM_E_INPUT, "member 'time' must not be negative");
    if (st == FM_OK)
        st = base_json_get_int(&n, genesis, "rules_version", err);
    if (st == FM_OK && (n < 1 || n > LEDGER_RULES_VERSION))
        st = base_err_set(err, n < 1 ? FM_E_INPUT : FM_E_UNSUPPORTED,
                          "member 'rules_version' is %lld, this program has versions 1 to %d",
                          (long long)n, LEDGER_RULES_VERSION);
    if (st == FM_OK)
        st = ledger_profile_of(&profile, genesis, err);
    if (st == FM_OK && profile == BASE_PROFILE_NATIONAL && n < 2)
        st = base_err_set(err, FM_E_INPUT, "profile 'national' needs rules_version 2 or later");
    if (st == FM_OK && profile != base_profile())
        st = base_err_set(err, FM_E_CONFLICT, "its profile is %s, this process's is %s",
                          base_profile_name(profile), base_profile_name(base_profile()));
    if (st == FM_OK)
        st = base_json_get_object(&limits, genesis, "limits", err);
    return st == FM_OK ? ledger_limits_check(limits, LEDGER_LIMITS_ALL, err) : st;
}

static fm_status add_param(struct ledger_context *c, const json_t *genesis, struct base_err *err)
{
    const char *sequencer;
    const json_t *member;
    fm_status st = base_json_get_str(&sequencer, genesis, "sequencer", err);

    if (st == FM_OK && !ledger_is_name(sequencer))
        st = base_err_set(err, FM_E_INPUT, "member 'sequencer' must be an alias");
    if (st == FM_OK)
        st = ledger_member_get(c, &member, sequencer, err);
    if (st == FM_OK && member == NULL)
        st = base_err_set(err, FM_E_INPUT, "member 'sequencer' is no member's alias");
    if (st != FM_OK)
        return st;
    return ledger_view_put(c->view, "param",
                           json_pack("{s:O, s:O, s:i, s:O, s:O}", "quorum",
                                     json_object_get(genesis, "quorum"), "sequencer",
                                     json_object_get(genesis, "sequencer"), "epoch", 0, "limits",
                                     json_object_get(genesis, "limits"), "rules_version",
                                     json_object_get(genesis, "rules_version")),
                           err);
}

fm_status ledger_machine_genesis(struct ledger_machine *machine, struct ledger_step *out,
                                 const json_t *genesis, struct base_err *err)
{
    struct ledger_context c = {.view = &machine->view,
                               .documents = &machine->documents,
                               .chain = machine->chain,
                               .chain_text = machine->chain_text,
                               .rules_version = LEDGER_RULES_VERSION};
    fm_status st = check_head(genesis, err);

    memset(out, 0, sizeof *out);
    if (st == FM_OK)
        c.rules_version = (uint32_t)ledger_int(genesis, "rules_version");
    out->rules_version = c.rules_version;
    if (st == FM_OK)
        st = add_members(&c, genesis, err);
    if (st == FM_OK)
        st = add_param(&c, genesis, err);
    if (st == FM_OK)
        st = ledger_view_keep(&machine->view, err);
    if (st == FM_OK)
        st = ledger_view_updates(&machine->view, out, err);
    ledger_view_reset(&machine->view);
    if (st == FM_E_AUTH || st == FM_E_REFUSED || st == FM_E_CONFLICT) {
        err->code = FM_E_INPUT;
        st = FM_E_INPUT;
    }
    if (st != FM_OK) {
        ledger_step_release(out);
        return base_err_prefix(err, "genesis");
    }
    return FM_OK;
}
