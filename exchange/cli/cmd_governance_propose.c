/* firmiana governance propose: a change that the members vote on, from its options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/governance.h"
#include "exchange/cli/keys.h"

/* What an institution of each kind usually does; --as takes single roles too. */
static json_t *roles_of(const char *as)
{
    static const char *const single[] = {"asker", "provider", "compute", "regulator", "witness"};

    if (strcmp(as, "bank") == 0)
        return json_pack("[s,s,s]", "asker", "provider", "compute");
    if (strcmp(as, "agency") == 0)
        return json_pack("[s,s]", "asker", "provider");
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (strcmp(as, single[i]) == 0)
            return json_pack("[s]", as);
    return NULL;
}

/* --as, or `otherwise`; a reference. */
static fm_status want_roles(json_t **out, const struct cli_args *args, const json_t *otherwise,
                            struct base_err *err)
{
    const char *as = cli_value(args, "as");

    *out = as != NULL ? roles_of(as) : json_incref((json_t *)(uintptr_t)otherwise);
    return *out != NULL ? FM_OK
                        : base_err_set(err, FM_E_ARG,
                                       "--as must be bank, agency, regulator, witness, asker, "
                                       "provider or compute");
}

/* What every member.json has, and a slip for another file has not. */
static fm_status check_member(const json_t *member, struct base_err *err)
{
    struct base_err why = {0};
    const char *text;
    json_t *part;

    if (base_json_get_str(&text, member, "alias", &why) != FM_OK ||
        base_json_get_str(&text, member, "endpoint", &why) != FM_OK ||
        base_json_get_object(&part, member, "document", &why) != FM_OK ||
        base_json_get_array(&part, member, "roles", &why) != FM_OK)
        return base_err_set(err, FM_E_INPUT, "%.200s: is it a member.json of firmiana init?",
                            why.text);
    return FM_OK;
}

/* A member.json of firmiana init, whose document still has placeholders, as a proposal. */
static fm_status join_body(json_t **body, const struct cli_args *args, struct base_err *err)
{
    const char *path = cli_value(args, "join");
    struct did_document *raw = NULL, *doc = NULL;
    json_t *member = NULL, *me = NULL, *roles = NULL;
    uint8_t chain[32];
    fm_status st = base_json_load_file(&member, path, 1 << 20, err);

    if (st == FM_OK && check_member(member, err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        st = cli_call(&me, args, "me", NULL, err);
    if (st == FM_OK)
        st = base_json_get_hex(chain, 32, me, "chain", err);
    if (st == FM_OK && (did_document_parse(&raw, json_object_get(member, "document"),
                                           DID_RULES_VERSION, err) != FM_OK ||
                        did_document_bind(&doc, raw, chain, DID_RULES_VERSION, err) != FM_OK))
        st = base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        st = want_roles(&roles, args, json_object_get(member, "roles"), err);
    if (st == FM_OK)
        *body = json_pack("{s:O,s:O,s:O,s:O}", "alias", json_object_get(member, "alias"),
                          "document", did_document_json(doc), "roles", roles, "endpoint",
                          json_object_get(member, "endpoint"));
    did_document_free(raw);
    did_document_free(doc);
    json_decref(roles);
    json_decref(member);
    json_decref(me);
    return st;
}

static fm_status change_body(json_t **body, const struct cli_args *args, struct base_err *err)
{
    const char *alias = cli_value(args, "change"), *endpoint = cli_value(args, "endpoint");
    json_t *member = NULL, *roles = NULL;
    fm_status st = cli_call(&member, args, "member.get", json_pack("{s:s}", "name", alias), err);

    if (st == FM_OK)
        st = want_roles(&roles, args, json_object_get(member, "roles"), err);
    if (st == FM_OK)
        *body = json_pack("{s:s,s:O,s:s}", "alias", alias, "roles", roles, "endpoint",
                          endpoint != NULL ? endpoint : cli_text(member, "endpoint"));
    json_decref(roles);
    json_decref(member);
    return st;
}

/* Of suspend and reinstate; a suspension may name what it rests on. */
static fm_status standing_body(json_t **body, const struct cli_args *args, struct base_err *err)
{
    const char *alias = cli_value(args, "suspend"), *ground = cli_value(args, "ground");
    json_t *known = NULL;
    char id[65];
    fm_status st = FM_OK;

    *body = json_pack("{s:s,s:s}", "alias", alias != NULL ? alias : cli_value(args, "reinstate"),
                      "reason", cli_value(args, "reason"));
    if (ground == NULL)
        return *body != NULL ? FM_OK : base_err_memory(err, "proposal");
    if (alias == NULL)
        return base_err_set(err, FM_E_ARG, "governance propose: --ground goes with --suspend");
    st = cli_call(&known, args, "governance.list", json_pack("{s:b}", "all", 0), err);
    if (st == FM_OK)
        st = cli_find_id(id, json_object_get(known, "misbehavior"), "id", ground, "a ground", err);
    json_decref(known);
    if (st == FM_OK && json_object_set_new(*body, "ground", json_string(id)) != 0)
        st = base_err_memory(err, "proposal");
    return st;
}

static fm_status rekey_body(json_t **body, const struct cli_args *args, struct base_err *err)
{
    json_t *document;
    fm_status st;

    if (cli_value(args, "document") == NULL)
        return base_err_set(err, FM_E_ARG,
                            "governance propose: --rekey needs --document FILE, the next version "
                            "of the member's DID document");
    st = base_json_load_file(&document, cli_value(args, "document"), 1 << 20, err);
    if (st != FM_OK)
        return st;
    *body = json_pack("{s:s,s:o,s:s}", "alias", cli_value(args, "rekey"), "document", document,
                      "reason", cli_value(args, "reason"));
    return FM_OK;
}

/* "NAME=VALUE" and "VERSION@BLOCK". */
static fm_status split(char name[64], int64_t *value, const char *text, char at, const char *form,
                       struct base_err *err)
{
    const char *sign = strchr(text, at);
    char *end = NULL;

    *value = sign != NULL ? strtoll(sign + 1, &end, 10) : 0;
    if (sign == NULL || sign == text || sign - text >= 64 || end == sign + 1 || *end != '\0' ||
        *value < 0 || *value > BASE_JSON_MAX_INT)
        return base_err_set(err, FM_E_ARG, "governance propose: '%s' must be %s", text, form);
    (void)snprintf(name, 64, "%.*s", (int)(sign - text), text);
    return FM_OK;
}

static fm_status put_limits(json_t *body, const struct cli_args *args, struct base_err *err)
{
    json_t *limits = json_object();
    const char *text;
    char name[64];
    int64_t value;
    fm_status st = limits != NULL ? FM_OK : base_err_memory(err, "limits");

    for (size_t i = 0; st == FM_OK && (text = cli_value_at(args, "limit", i)) != NULL; i++) {
        st = split(name, &value, text, '=', "NAME=NUMBER (see governance list)", err);
        if (st == FM_OK && json_object_get(limits, name) != NULL)
            st = base_err_set(err, FM_E_ARG, "governance propose: --limit %s is given twice", name);
        if (st == FM_OK && json_object_set_new(limits, name, json_integer(value)) != 0)
            st = base_err_memory(err, "limits");
    }
    if (st == FM_OK && json_object_size(limits) > 0 && json_object_set(body, "limits", limits) != 0)
        st = base_err_memory(err, "limits");
    json_decref(limits);
    return st;
}

static fm_status parameter_body(json_t **body, const struct cli_args *args, struct base_err *err)
{
    const char *rules = cli_value(args, "rules");
    int64_t quorum = 0, height = 0, number = 0;
    char version[64], *end;
    fm_status st = cli_int(&quorum, args, "quorum", 1, 1000, err);

    *body = json_pack("{s:s}", "reason", cli_value(args, "reason"));
    if (st == FM_OK && *body == NULL)
        st = base_err_memory(err, "parameters");
    if (st == FM_OK)
        st = put_limits(*body, args, err);
    if (st == FM_OK && rules != NULL)
        st = split(version, &height, rules, '@', "VERSION@BLOCK, as 2@5000", err);
    if (st == FM_OK && rules != NULL) {
        number = strtoll(version, &end, 10);
        if (*end != '\0' || number < 1 || number > UINT32_MAX)
            st = base_err_set(err, FM_E_ARG,
                              "governance propose: '%s' must be VERSION@BLOCK, as 2@5000", rules);
    }
    if (st == FM_OK && rules != NULL &&
        json_object_set_new(*body, "rules",
                            json_pack("{s:I,s:I}", "version", (json_int_t)number, "height",
                                      (json_int_t)height)) != 0)
        st = base_err_memory(err, "parameters");
    if (st == FM_OK && quorum > 0 &&
        json_object_set_new(*body, "quorum", json_integer(quorum)) != 0)
        st = base_err_memory(err, "parameters");
    return st;
}

static const struct {
    const char *option;
    enum ledger_tx_type type;
    bool reason; /* is one asked for? */
    fm_status (*body)(json_t **body, const struct cli_args *args, struct base_err *err);
} kinds[] = {
    {"join", LEDGER_TX_MEMBER_PROPOSE, false, join_body},
    {"suspend", LEDGER_TX_MEMBER_SUSPEND, true, standing_body},
    {"reinstate", LEDGER_TX_MEMBER_REINSTATE, true, standing_body},
    {"change", LEDGER_TX_MEMBER_CHANGE, false, change_body},
    {"rekey", LEDGER_TX_MEMBER_REKEY, true, rekey_body},
    {"quorum", LEDGER_TX_PARAMETER_PROPOSE, true, parameter_body},
    {"limit", LEDGER_TX_PARAMETER_PROPOSE, true, parameter_body},
    {"rules", LEDGER_TX_PARAMETER_PROPOSE, true, parameter_body},
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

static fm_status propose(const struct cli_args *args, struct base_err *err)
{
    size_t chosen = N_KINDS;
    json_t *body = NULL;
    fm_status st = FM_OK;

    for (size_t i = 0; i < N_KINDS; i++) {
        if (!cli_flag(args, kinds[i].option))
            continue;
        if (chosen != N_KINDS && kinds[chosen].type != kinds[i].type)
            return base_err_set(err, FM_E_ARG,
                                "governance propose: --%s and --%s are two proposals: make one "
                                "after the other",
                                kinds[chosen].option, kinds[i].option);
        chosen = i;
    }
    if (chosen == N_KINDS)
        return base_err_set(err, FM_E_ARG,
                            "governance propose: one of --join, --suspend, --reinstate, --change, "
                            "--rekey, --quorum, --limit and --rules says what");
    if (kinds[chosen].reason && cli_value(args, "reason") == NULL)
        return base_err_set(err, FM_E_ARG, "governance propose: --%s needs --reason TEXT",
                            kinds[chosen].option);
    st = kinds[chosen].body(&body, args, err);
    if (st != FM_OK) {
        json_decref(body);
        return st;
    }
    return cli_submit_by_officer(args, kinds[chosen].type, body, "proposal", err);
}

static const struct cli_option propose_options[] = {
    CLI_HOME_OPTION,
    {"join", "FILE", "a new member, by the member.json of its firmiana init", CLI_OPTIONAL},
    {"suspend", "ALIAS", "a member loses its vote, its queries and its channels", CLI_OPTIONAL},
    {"ground", "ID", "with --suspend: what was proven of its validator (governance list)",
     CLI_OPTIONAL},
    {"reinstate", "ALIAS", "a suspended member comes back", CLI_OPTIONAL},
    {"change", "ALIAS", "other roles (--as) or another address (--endpoint)", CLI_OPTIONAL},
    {"rekey", "ALIAS", "new keys (--document) for a member that lost its own", CLI_OPTIONAL},
    {"quorum", "K", "how many members must cosign", CLI_OPTIONAL},
    {"limit", "NAME=N", "a limit of the ledger, as governance list shows them", CLI_REPEATED},
    {"rules", "V@BLOCK", "rules version V from that block on", CLI_OPTIONAL},
    {"as", "ROLE", "bank, agency, regulator, witness; or asker, provider, compute alone",
     CLI_OPTIONAL},
    {"endpoint", "ADDRESS", "with --change: where its node is reached", CLI_OPTIONAL},
    {"document", "FILE", "with --rekey: the next version of its DID document", CLI_OPTIONAL},
    {"reason", "TEXT", "why, on the ledger", CLI_OPTIONAL},
    CLI_KEY_OPTION,
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_governance_propose = {
    "governance propose",
    "",
    0,
    0,
    "an officer proposes a change that the members vote on (and votes for it)",
    "--quorum, --limit and --rules may stand together. A quorum is more than half of the active "
    "members; one that\nnew members make too small rises by itself. Before --rules every member "
    "installs a program that has them:\none that lacks them stops before that block and says so.",
    propose_options,
    propose};
