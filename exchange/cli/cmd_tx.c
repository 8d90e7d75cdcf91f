/* firmiana tx submit: any transaction, from its body. For what has no command of its own, and for
 * trying what must be refused. */
#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"

static fm_status submit(const struct cli_args *args, struct base_err *err)
{
    enum ledger_tx_type type = ledger_tx_type_find(args->operands[0]);
    json_t *body;
    fm_status st;

    if (type == LEDGER_TX_TYPE_COUNT)
        return base_err_set(err, FM_E_ARG,
                            "'%s' is not a type of transaction: see ledger/format.md, section 3",
                            args->operands[0]);
    if (base_json_load_file(&body, args->operands[1], 1 << 22, err) != FM_OK)
        return err->code;
    if (!json_is_object(body))
        st = base_err_set(err, FM_E_INPUT, "%s: must be a JSON object", args->operands[1]);
    else if (ledger_tx_type_authority(type) == LEDGER_BY_NODE && !cli_flag(args, "key"))
        st = cli_submit_by_node(args, args->operands[0], json_incref(body), args->operands[0], err);
    else if (cli_flag(args, "key") && !cli_flag(args, "partial"))
        st = cli_submit_by_key(args, NULL, type, json_incref(body), args->operands[0], err);
    else
        st = cli_submit_by_officer(args, type, json_incref(body), args->operands[0], err);
    json_decref(body);
    return st;
}

static const struct cli_option options[] = {
    CLI_HOME_OPTION,
    {"key", "FILE",
     "sign with this sealed key (default: the node's or the "
     "officer's, as the type asks); without --partial it is submitted whatever the key is",
     CLI_OPTIONAL},
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_tx_submit = {
    "tx submit",
    "TYPE BODY.json",
    2,
    2,
    "sign and submit any transaction from its body (ledger/format.md, section 3)",
    NULL,
    options,
    submit};
