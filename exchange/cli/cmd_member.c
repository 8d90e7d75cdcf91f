/* firmiana member ..., firmiana did ...: who belongs, and under which keys. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/keys.h"

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *item;
    size_t i;
    fm_status st = cli_call(&value, args, "member.list", NULL, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        printf("%-16s %-10s %-28s %s\n", "alias", "status", "endpoint", "did");
        json_array_foreach(json_object_get(value, "members"), i, item)
            printf("%-16s %-10s %-28s %s\n", cli_text(item, "alias"), cli_text(item, "status"),
                   cli_text(item, "endpoint"), cli_text(item, "did"));
    }
    json_decref(value);
    return st;
}

static const struct cli_option list_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_member_list = {"member list", "",  0, 0, "the ledger's members", NULL,
                                            list_options,  list};

static fm_status whoami(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *role;
    size_t i;
    fm_status st = cli_call(&value, args, "whoami", NULL, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        printf("%s at %s:", cli_text(value, "person"), cli_text(value, "alias"));
        json_array_foreach(json_object_get(value, "roles"), i, role)
            printf(" %s", json_string_value(role));
        printf("\n");
    }
    json_decref(value);
    return st;
}

const struct cli_command cli_whoami = {
    "whoami",
    "",
    0,
    0,
    "who you are to the node, and your roles",
    "The kernel tells the node which user asks; node.json says which roles that user or group has: "
    "operator, analyst,\n"
    "officer, auditor. Without \"roles\" there, the node's own user (and root) has them all, and "
    "nobody else has any.",
    list_options,
    whoami};

static fm_status suspend(const struct cli_args *args, struct base_err *err)
{
    return cli_submit_by_officer(
        args, LEDGER_TX_MEMBER_SUSPEND,
        json_pack("{s:s,s:s}", "alias", args->operands[0], "reason", cli_value(args, "reason")),
        "proposal to suspend", err);
}

static const struct cli_option suspend_options[] = {
    CLI_HOME_OPTION,
    {"reason", "TEXT", "why, on the ledger", CLI_REQUIRED},
    CLI_KEY_OPTION,
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_member_suspend = {
    "member suspend",
    "ALIAS",
    1,
    1,
    "propose to suspend a member (its officer's vote counts as accepting)",
    NULL,
    suspend_options,
    suspend};

static fm_status did_show(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    fm_status st =
        cli_call(&value, args, "member.get", json_pack("{s:s}", "name", args->operands[0]), err);

    if (st == FM_OK)
        st = cli_print_json(json_object_get(value, "document"), err);
    json_decref(value);
    return st;
}

const struct cli_command cli_did_show = {
    "did show", "ALIAS",      1,       1, "a member's current DID document (an alias or a DID)",
    NULL,       list_options, did_show};

static fm_status did_deactivate(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    fm_status st = cli_call(&value, args, "me", NULL, err);

    if (st == FM_OK)
        st = cli_submit_by_officer(
            args, LEDGER_TX_DID_DEACTIVATE,
            json_pack("{s:O}", "previous", json_object_get(value, "document_hash")), "deactivation",
            err);
    json_decref(value);
    return st;
}

static const struct cli_option officer_options[] = {CLI_HOME_OPTION,    CLI_KEY_OPTION,
                                                    CLI_PARTIAL_OPTION, CLI_PASSPHRASE_OPTION,
                                                    CLI_JSON_OPTION,    {0}};

const struct cli_command cli_did_deactivate = {
    "did deactivate",
    "",
    0,
    0,
    "an officer ends this member's DID: for good after 72 hours",
    NULL,
    officer_options,
    did_deactivate};
