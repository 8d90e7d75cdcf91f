/* firmiana contract ...: what may be asked, and who allows it. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/keys.h"
#include "exchange/contract/contract.h"
#include "ledger/machine/contract_shape.h"
#include "ledger/proof/tx.h"

static const struct cli_option plain_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

static fm_status add_key(json_t *spec, const char *path, struct base_err *err)
{
    json_t *key;
    fm_status st = base_json_load_file(&key, path, 1 << 18, err);

    if (st == FM_OK && json_object_set(spec, "key", key) != 0)
        st = base_err_set(err, FM_E_INPUT, "the specification must be a JSON object");
    json_decref(key);
    return st;
}

static fm_status draft(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    json_t *spec = NULL, *value = NULL;
    fm_status st = base_json_load_file(&spec, args->operands[0], 1 << 20, err);

    if (st == FM_OK && cli_value(args, "key") != NULL)
        st = add_key(spec, cli_value(args, "key"), err);
    if (st == FM_OK)
        st = cli_call(&value, args, "contract.draft", json_pack("{s:O}", "spec", spec), err);
    if (st == FM_OK && out != NULL)
        st = cli_write_json(out, json_object_get(value, "contract"), 0644, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame_lines(value);
        printf("contract %s\n%s\nuses:\n%s", cli_text(value, "id"), cli_text(value, "plan_text"),
               cli_text(value, "uses_text"));
    }
    json_decref(spec);
    json_decref(value);
    return st;
}

static const struct cli_option draft_options[] = {
    CLI_HOME_OPTION,
    {"out", "FILE", "write the contract here, for contract propose", CLI_OPTIONAL},
    {"key", "KEY.json", "of protocol aggregate: what key deal wrote", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_contract_draft = {
    "contract draft",
    "SPEC.json",
    1,
    1,
    "compile a contract against the published datasets and show its uses",
    "SPEC.json: {\"name\", \"version\", \"purpose\", \"sql\", \"compute\": [3 aliases], "
    "\"recipients\": [aliases],\n"
    "\"link\"?: what lies between the three: \"lan\" (default), \"metro\", \"wan\",\n"
    "\"parameters\": [{\"name\": \"$1\", \"type\", \"range\"?, \"hidden\", \"subject\"}], "
    "\"minimum_group\",\n"
    "\"consent\": {\"requirement\": \"none\", \"basis\"} or {\"requirement\": \"subject\", "
    "\"parameter\", \"modes\"},\n"
    "\"valid_for\": \"365d\", \"protocol\"?: \"rep3\" or, with --key, \"aggregate\": then "
    "\"compute\" are those who decrypt,\n"
    "and \"contributors\"? (default 2) the fewest providers; or \"psi-sum\": the two whose tables "
    "are joined}",
    draft_options,
    draft};

/* What the ledger and the nodes would refuse whatever the state: found here, it costs no quota. */
static fm_status check_file(uint8_t id32[32], const json_t *contract, const char *path,
                            struct base_err *err)
{
    struct contract c = {0};
    fm_status st = ledger_contract_check_shape(contract, UINT32_MAX, err);

    if (st == FM_OK)
        st = contract_parse(&c, contract, err);
    memcpy(id32, c.id, 32);
    contract_release(&c);
    return st == FM_OK ? st : base_err_prefix(err, "%s", path);
}

static fm_status propose(const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[0];
    uint8_t id[32];
    json_t *contract;
    fm_status st = base_json_load_file(&contract, path, 1 << 20, err);

    if (st == FM_OK)
        st = check_file(id, contract, path, err);
    if (st == FM_OK)
        st = cli_submit_named(args, "contract.propose", json_incref(contract), "contract", id, err);
    json_decref(contract);
    return st;
}

const struct cli_command cli_contract_propose = {
    "contract propose", "CONTRACT.json", 1, 1, "put a drafted contract on the ledger", NULL,
    plain_options,      propose};

/* Asks the node to fetch, recompile and compare: prints what an officer is about to allow. */
static fm_status check(json_t **value, const struct cli_args *args, struct base_err *err)
{
    return cli_call(value, args, "contract.check",
                    json_pack("{s:s}", "contract", args->operands[0]), err);
}

static fm_status show(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    fm_status st = check(&value, args, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame_lines(value);
        printf("%s\n%s\nuses:\n%s\nauthorizations:\n%s", cli_text(value, "summary"),
               cli_text(value, "plan_text"), cli_text(value, "uses_text"),
               cli_text(value, "authorizations_text"));
    }
    json_decref(value);
    return st;
}

const struct cli_command cli_contract_show = {
    "contract show",
    "CONTRACT",
    1,
    1,
    "recompile a contract, compare, and show plan, uses and authorizations",
    NULL,
    plain_options,
    show};

static void print_contract(const json_t *item)
{
    const json_t *authorized;
    size_t i;

    printf("%-18.16s %-24s %-10s %-20s ", cli_text(item, "id"), BASE_LINE(cli_text(item, "name")),
           cli_text(item, "asker"), CLI_MOMENT(item, "expires"));
    json_array_foreach(json_object_get(item, "authorizations"), i, authorized)
    {
        bool active = strcmp(cli_text(authorized, "status"), "active") == 0;
        printf("%s%s: %s%s", i > 0 ? ", " : "", cli_text(authorized, "provider"),
               active ? "until " : cli_text(authorized, "status"),
               active ? CLI_MOMENT(authorized, "expires") : "");
    }
    printf("\n");
}

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    const json_t *item;
    json_t *value;
    fm_status st = cli_call(&value, args, "contract.list", NULL, err);
    size_t i;

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        printf("%-18s %-24s %-10s %-20s %s\n", "contract", "name", "asker", "until",
               "authorized by its providers");
        json_array_foreach(json_object_get(value, "contracts"), i, item) print_contract(item);
    }
    json_decref(value);
    return st;
}

const struct cli_command cli_contract_list = {
    "contract list",
    "",
    0,
    0,
    "the ledger's contracts: who asks, and who has authorized until when",
    NULL,
    plain_options,
    list};

static fm_status authorize(const struct cli_args *args, struct base_err *err)
{
    int64_t runs = 1000, valid_ms = 365LL * 86400000, now = base_clock_unix_ms(base_clock_system());
    const char *valid = cli_value(args, "valid-for");
    json_t *value = NULL, *body;
    fm_status st = cli_int(&runs, args, "runs", 1, 1000000000, err);

    if (st == FM_OK && valid != NULL)
        st = cli_duration(&valid_ms, valid, "valid-for", err);
    if (st == FM_OK)
        st = check(&value, args, err);
    if (st == FM_OK && !cli_flag(args, "json")) {
        json_t *shown = json_deep_copy(value); /* what is signed stays as it came */
        cli_tame_lines(shown);
        printf("%s%s\nthis authorization allows exactly these uses of your columns:\n%s",
               cli_text(shown, "summary"), cli_text(shown, "diff_text"),
               cli_text(shown, "own_uses_text"));
        json_decref(shown);
    }
    if (st == FM_OK) {
        body = json_pack("{s:O,s:O,s:O,s:I,s:I}", "contract", json_object_get(value, "id"),
                         "uses_hash", json_object_get(value, "own_uses_hash"), "uses",
                         json_object_get(value, "own_uses"), "expires",
                         (json_int_t)(now + valid_ms), "runs", (json_int_t)runs);
        st = body == NULL ? base_err_set(err, FM_E_REFUSED,
                                         "this member provides no table of the contract: there is "
                                         "nothing to authorize")
                          : cli_submit_by_officer(args, LEDGER_TX_AUTHORIZATION_GRANT, body,
                                                  "authorization", err);
    }
    json_decref(value);
    return st;
}

static const struct cli_option authorize_options[] = {
    CLI_HOME_OPTION,
    {"key", "FILE", "the officer's sealed key (default: HOME/keys/officer.json)", CLI_OPTIONAL},
    CLI_PARTIAL_OPTION,
    {"runs", "N", "how many queries it allows (default 1000)", CLI_OPTIONAL},
    {"valid-for", "TIME", "how long it holds: 90d, 12h (default 365d)", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_contract_authorize = {
    "contract authorize",
    "CONTRACT",
    1,
    1,
    "an officer allows a contract's uses of this member's columns",
    "The node fetches the contract from the ledger, compiles its SQL itself and compares; what is "
    "signed is exactly\n"
    "the set of uses that it shows.",
    authorize_options,
    authorize};

static fm_status revoke(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *body;
    const char *reason = cli_value(args, "reason");
    fm_status st = check(&value, args, err);

    if (st == FM_OK) {
        body = json_pack("{s:O}", "contract", json_object_get(value, "id"));
        if (reason != NULL)
            (void)json_object_set_new(body, "reason", json_string(reason));
        st = cli_submit_by_officer(args, LEDGER_TX_AUTHORIZATION_REVOKE, body, "revocation", err);
    }
    json_decref(value);
    return st;
}

static const struct cli_option revoke_options[] = {
    CLI_HOME_OPTION,
    {"key", "FILE", "the officer's sealed key (default: HOME/keys/officer.json)", CLI_OPTIONAL},
    {"reason", "TEXT", "why, on the ledger", CLI_OPTIONAL},
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_contract_revoke = {
    "contract revoke", "CONTRACT", 1, 1, "an officer withdraws this member's authorization", NULL,
    revoke_options,    revoke};
