/* firmiana governance ...: what the members decide by vote: who belongs, in which roles and under
 * which keys, and the ledger's parameters. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/governance.h"
#include "exchange/cli/keys.h"

/* ---- listing ---- */

static fm_status fetch(json_t **value, const struct cli_args *args, int all, struct base_err *err)
{
    return cli_call(value, args, "governance.list", json_pack("{s:b}", "all", all), err);
}

static void print_votes(const json_t *votes, int accept)
{
    const json_t *vote;
    size_t i;
    bool first = true;

    json_array_foreach(votes, i, vote)
    {
        if (json_is_true(json_object_get(vote, "accept")) != accept)
            continue;
        printf("%s%s", first ? (accept ? "; for: " : "; against: ") : ", ",
               cli_text(vote, "alias"));
        first = false;
    }
}

static void print_names(const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach(names, i, name) printf("%s%s", i > 0 ? "," : " ", json_string_value(name));
}

static void print_limits(const json_t *limits)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)limits, name, value)
        printf(" %s=%" JSON_INTEGER_FORMAT, name, json_integer_value(value));
}

static void print_proposal(const json_t *p)
{
    const json_t *body = json_object_get(p, "body"), *rules = json_object_get(body, "rules");

    printf("%.16s  %-17s %s", cli_text(p, "proposal"), cli_text(p, "kind"),
           cli_text(body, "alias"));
    print_names(json_object_get(body, "roles"));
    if (json_object_get(body, "quorum") != NULL)
        printf("quorum=%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(body, "quorum")));
    print_limits(json_object_get(body, "limits"));
    if (rules != NULL)
        printf(" rules %" JSON_INTEGER_FORMAT " from block %" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(rules, "version")),
               json_integer_value(json_object_get(rules, "height")));
    printf(": %s", cli_text(p, "status"));
    print_votes(json_object_get(p, "votes"), 1);
    print_votes(json_object_get(p, "votes"), 0);
    if (cli_text(body, "reason")[0] != '\0')
        printf("; \"%s\"", cli_text(body, "reason"));
    if (cli_text(body, "ground")[0] != '\0')
        printf("; ground %.12s", cli_text(body, "ground"));
    printf("\n");
}

static void print_param(const json_t *value)
{
    const json_t *param = json_object_get(value, "param");
    const json_t *next = json_object_get(param, "next_rules");
    json_int_t active = json_integer_value(json_object_get(value, "active"));

    printf("%" JSON_INTEGER_FORMAT " active members: %" JSON_INTEGER_FORMAT
           " votes decide, %" JSON_INTEGER_FORMAT
           " must cosign; rules version %" JSON_INTEGER_FORMAT,
           active, active / 2 + 1, json_integer_value(json_object_get(param, "quorum")),
           json_integer_value(json_object_get(param, "rules_version")));
    if (next != NULL)
        printf(", %" JSON_INTEGER_FORMAT " from block %" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(next, "version")),
               json_integer_value(json_object_get(next, "height")));
    printf("\nlimits:");
    print_limits(json_object_get(param, "limits"));
    printf("\n");
}

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    const json_t *item;
    json_t *value;
    size_t i;
    fm_status st = fetch(&value, args, cli_flag(args, "all"), err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        print_param(value);
        if (json_array_size(json_object_get(value, "proposals")) == 0)
            puts(cli_flag(args, "all") ? "no proposals" : "no open proposals");
        json_array_foreach(json_object_get(value, "proposals"), i, item) print_proposal(item);
        json_array_foreach(json_object_get(value, "misbehavior"), i, item)
            cli_print_misbehavior("proven: ", item);
    }
    json_decref(value);
    return st;
}

static const struct cli_option list_options[] = {
    CLI_HOME_OPTION, {"all", NULL, "decided ones too", CLI_OPTIONAL}, CLI_JSON_OPTION, {0}};

const struct cli_command cli_governance_list = {
    "governance list",
    "",
    0,
    0,
    "the ledger's parameters, what is up for a vote, and who voted",
    NULL,
    list_options,
    list};

/* ---- voting ---- */

/* The open proposal whose id begins with these digits. */
static fm_status find(char id[65], const struct cli_args *args, const char *digits,
                      struct base_err *err)
{
    json_t *value;
    fm_status st = fetch(&value, args, 1, err);

    if (st == FM_OK)
        st = cli_find_id(id, json_object_get(value, "proposals"), "proposal", digits, "a proposal",
                         err);
    json_decref(value);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "governance vote");
}

static fm_status submit_vote(const struct cli_args *args, const char *id, struct base_err *err)
{
    return cli_submit_by_officer(
        args, LEDGER_TX_MEMBER_VOTE,
        json_pack("{s:s,s:b}", "proposal", id, "accept", (int)!cli_flag(args, "against")), "vote",
        err);
}

static fm_status vote(const struct cli_args *args, struct base_err *err)
{
    char id[65];
    fm_status st = find(id, args, args->operands[0], err);

    return st == FM_OK ? submit_vote(args, id, err) : st;
}

/* By the whole id, open or not: the ledger says what it thinks of it. */
static fm_status member_vote(const struct cli_args *args, struct base_err *err)
{
    const char *id = args->operands[0];
    uint8_t id32[32];

    if (!base_unhex(id32, 32, id, strlen(id)))
        return base_err_set(
            err, FM_E_ARG,
            "member vote: PROPOSAL is the 64 hex digits of the proposing transaction");
    return submit_vote(args, id, err);
}

static const struct cli_option vote_options[] = {
    CLI_HOME_OPTION,
    {"against", NULL, "vote against (default: for)", CLI_OPTIONAL},
    CLI_KEY_OPTION,
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_governance_vote = {
    "governance vote",
    "PROPOSAL",
    1,
    1,
    "an officer votes on a proposal (its first digits, from governance list)",
    "More than half of the active members decide; it takes effect with the deciding vote.",
    vote_options,
    vote};

const struct cli_command cli_member_vote = {
    "member vote", "PROPOSAL",   1,          1, "an officer votes on a proposal",
    NULL,          vote_options, member_vote};
