/* firmiana: the one binary. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/secret.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/manual.h"
#include "exchange/cli/profile.h"

static const struct cli_command *const commands[] = {
    &cli_init,
    &cli_ledger_init,
    &cli_ledger_backup,
    &cli_ledger_restore,
    &cli_ledger_check,
    &cli_ledger_replay,
    &cli_ledger_prune,
    &cli_ledger_publish,
    &cli_ledger_witness,
    &cli_ledger_proof,
    &cli_epoch_show,
    &cli_epoch_propose,
    &cli_epoch_approve,
    &cli_evidence,
    &cli_node,
    &cli_node_check,
    &cli_status,
    &cli_whoami,
    &cli_dataset_describe,
    &cli_dataset_import,
    &cli_dataset_publish,
    &cli_dataset_list,
    &cli_dataset_history,
    &cli_dataset_prove,
    &cli_dataset_forget,
    &cli_dataset_check,
    &cli_key_deal,
    &cli_key_import,
    &cli_key_list,
    &cli_explain,
    &cli_contract_draft,
    &cli_contract_propose,
    &cli_contract_list,
    &cli_contract_show,
    &cli_contract_authorize,
    &cli_contract_revoke,
    &cli_consent_create,
    &cli_consent_revoke,
    &cli_consent_relay,
    &cli_consent_attest,
    &cli_consent_withdraw,
    &cli_consent_key,
    &cli_consent_mandate,
    &cli_credential_key,
    &cli_credential_issue,
    &cli_credential_list,
    &cli_credential_publish,
    &cli_credential_schema,
    &cli_credential_claims,
    &cli_credential_present,
    &cli_credential_verify,
    &cli_credential_batch,
    &cli_credential_extract,
    &cli_wallet_create,
    &cli_wallet_recover,
    &cli_wallet_show,
    &cli_wallet_phrase,
    &cli_wallet_passphrase,
    &cli_wallet_trust,
    &cli_wallet_did,
    &cli_wallet_grant,
    &cli_wallet_revoke,
    &cli_wallet_consents,
    &cli_wallet_find,
    &cli_wallet_receive,
    &cli_wallet_credentials,
    &cli_wallet_present,
    &cli_wallet_remove,
    &cli_wallet_history,
    &cli_wallet_export,
    &cli_wallet_scan,
    &cli_query_run,
    &cli_query_list,
    &cli_query_show,
    &cli_query_answer,
    &cli_audit_list,
    &cli_audit_export,
    &cli_audit_subject,
    &cli_audit_query,
    &cli_audit_opening,
    &cli_audit_opened,
    &cli_sign,
    &cli_countersign,
    &cli_anchor,
    &cli_verify,
    &cli_document_keep,
    &cli_document_get,
    &cli_document_list,
    &cli_document_show,
    &cli_document_drop,
    &cli_evidence_deposit,
    &cli_evidence_certificate,
    &cli_lottery_list,
    &cli_lottery_show,
    &cli_lottery_open,
    &cli_lottery_commit,
    &cli_lottery_reveal,
    &cli_lottery_draw,
    &cli_officer_create,
    &cli_officer_list,
    &cli_officer_add,
    &cli_officer_remove,
    &cli_officer_sign,
    &cli_validator_rotate,
    &cli_member_list,
    &cli_member_suspend,
    &cli_member_vote,
    &cli_governance_propose,
    &cli_governance_vote,
    &cli_governance_list,
    &cli_did_show,
    &cli_did_resolve,
    &cli_did_export,
    &cli_did_key,
    &cli_did_rotate,
    &cli_did_recover,
    &cli_did_attach,
    &cli_did_certificate,
    &cli_did_deactivate,
    &cli_tx_submit,
    &cli_local_query,
    &cli_demo_data,
    &cli_demo,
    NULL,
};

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* What stands behind "help": nothing, a command, or a group. */
static fm_status help(int argc, char **argv, struct base_err *err)
{
    const struct cli_command *command;
    int words;

    if (argc == 1) {
        cli_help_all(commands);
        return FM_OK;
    }
    command = cli_find(commands, argc, argv, &words);
    if (command != NULL && words == argc - 1)
        cli_help_command(command);
    else if (argc == 2 && cli_is_group(commands, argv[1]))
        cli_help_group(commands, argv[1]);
    else
        return cli_unknown_command(commands, argc, argv, err);
    return FM_OK;
}

/* What the program does by itself, without a command: true if that was asked for. */
static bool run_alone(fm_status *st, int argc, char **argv, struct base_err *err)
{
    const char *word = argc > 1 ? argv[1] : "help", *value = argc > 2 ? argv[2] : NULL;

    *st = FM_OK;
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        *st = argc > 1 ? help(argc - 1, argv + 1, err) : help(1, argv, err);
    } else if (word[0] == '-' && asks_for_help(argc, argv)) {
        cli_help_all(commands);
    } else if (strcmp(word, "--manual") == 0) {
        *st = cli_manual_page(commands, value, err);
    } else if (strcmp(word, "--manual-pages") == 0) {
        *st = value != NULL ? cli_manual_pages(commands, value, err)
                            : base_err_set(err, FM_E_ARG,
                                           "--manual-pages needs DIR: a page for each command is "
                                           "written there");
    } else if (strcmp(word, "--completion") == 0) {
        if (value == NULL || strcmp(value, "bash") == 0)
            cli_manual_completion(commands);
        else
            *st =
                base_err_set(err, FM_E_ARG, "--completion %s: there is one for bash alone", value);
    } else if (strcmp(word, "--version") == 0) {
        printf("firmiana %s\n", FIRMIANA_VERSION);
    } else {
        return false;
    }
    return true;
}

static fm_status run(int argc, char **argv, struct base_err *err)
{
    const struct cli_command *command;
    struct cli_args args;
    fm_status st;
    int words;

    if (run_alone(&st, argc, argv, err))
        return st;
    command = cli_find(commands, argc, argv, &words);
    if (command == NULL && argv[argc > 2 ? 2 : 1][0] == '-' && asks_for_help(argc, argv) &&
        cli_is_group(commands, argv[1])) {
        cli_help_group(commands, argv[1]);
        return FM_OK;
    }
    if (command == NULL)
        return cli_unknown_command(commands, argc, argv, err);
    if (asks_for_help(argc, argv)) {
        cli_help_command(command);
        return FM_OK;
    }
    if (words == 1 && argc > 2 && argv[2][0] != '-' && command->max_operands == 0 &&
        cli_nearest_in_group(commands, argv[1], argv[2]) != NULL) /* "node chek" */
        return cli_unknown_command(commands, argc, argv, err);
    if (cli_parse(&args, command, argc, argv, words + 1, err) != FM_OK)
        return err->code;
    if (cli_profile(&args, err) != FM_OK)
        return err->code;
    return command->run(&args, err);
}

int main(int argc, char **argv)
{
    struct base_err err = {0};
    fm_status st = base_secret_harden_process(&err);

    base_json_harden();
    /* SQLite makes files under the umask: nobody else reads a member's rows, replica or sessions.
     */
    (void)umask(077);
    if (st == FM_OK)
        st = run(argc, argv, &err);
    if (st != FM_OK)
        fprintf(stderr, "firmiana: %s\n", base_err_shown(&err));
    return fm_status_exit(st);
}
