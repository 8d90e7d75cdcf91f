/* firmiana wallet export, scan: documents out of a wallet, as text or as QR codes, and back. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_any.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/wallet_args.h"
#include "exchange/cli/wallet_out.h"
#include "exchange/wallet/code.h"
#include "exchange/wallet/consent.h"

enum { SCANNED_MAX = 1 << 20 };

static fm_status pick(json_t **out, const struct wallet *w, const struct cli_args *args,
                      struct base_err *err)
{
    bool opening = cli_flag(args, "opening"), revocation = cli_flag(args, "revocation");
    bool credential = cli_flag(args, "credential");
    json_t *record;
    fm_status st;

    *out = NULL;
    if (opening + revocation + credential > 1)
        return base_err_set(err, FM_E_ARG, "--opening, --revocation and --credential: one of them");
    st = wallet_record(&record, w, credential ? "credentials" : "consents",
                       credential ? "credential" : "consent", args->operands[0], err);
    if (st == FM_OK && opening)
        return wallet_consent_opening(out, w, record, err);
    if (st != FM_OK)
        return st;
    *out = json_incref(json_object_get(record, credential   ? "credential"
                                               : revocation ? "revocation"
                                                            : "consent"));
    return *out != NULL ? FM_OK
                        : base_err_set(err, FM_E_NOT_FOUND,
                                       "the consent has not been withdrawn: wallet revoke");
}

static fm_status export(const struct cli_args *args, struct base_err *err)
{
    struct wallet_file f = {.lock = -1};
    json_t *value = NULL;
    fm_status st = wallet_out_check(args, err);

    if (st == FM_OK && cli_flag(args, "json") &&
        (cli_flag(args, "out") || cli_flag(args, "qr") || cli_flag(args, "image")))
        st = base_err_set(err, FM_E_ARG,
                          "--json is for standard output: without --out, --qr, --image");
    if (st == FM_OK)
        st = wallet_args_open(&f, args, WALLET_TO_READ, err);
    if (st == FM_OK)
        st = pick(&value, &f.w, args, err);
    if (st == FM_OK)
        st = cli_flag(args, "json") ? cli_print_json(value, err) : wallet_out_put(args, value, err);
    json_decref(value);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option export_options[] = {
    WALLET_FILE_OPTION,
    {"opening", NULL, "what the grantee needs to use the consent, and nobody else", CLI_OPTIONAL},
    {"revocation", NULL, "the signed revocation", CLI_OPTIONAL},
    {"credential", NULL, "ID is a credential's", CLI_OPTIONAL},
    WALLET_OUT_OPTIONS,
    CLI_PASSPHRASE_OPTION,
    {"json", NULL, "print it as JSON: an SD-JWT as a string", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_wallet_export = {
    "wallet export",
    "ID",
    1,
    1,
    "a signed consent once more, its opening or revocation, or a credential: text or QR codes",
    "ID is enough of its first digits (wallet consents, wallet credentials).",
    export_options,
    export};

static fm_status read_object(json_t **out, struct base_buf *text, const char *path,
                             struct base_err *err)
{
    fm_status st = base_json_any_parse(out, base_buf_cstr(text), text->len, err);

    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

static fm_status scan(const struct cli_args *args, struct base_err *err)
{
    struct base_buf lines = {0}, text = {0};
    json_t *value = NULL;
    fm_status st = cli_fresh(cli_value(args, "out"), err);

    if (st == FM_OK)
        st = base_file_read(&lines, args->operands[0], SCANNED_MAX, err);
    if (st == FM_OK && (st = wallet_codes_join(&text, base_buf_cstr(&lines), err)) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK && !credential_is_token(base_buf_cstr(&text)))
        st = read_object(&value, &text, args->operands[0], err);
    else if (st == FM_OK && (value = json_string(base_buf_cstr(&text))) == NULL)
        st = base_err_set(err, FM_E_INPUT, "%s: what was scanned is no text", args->operands[0]);
    if (st == FM_OK)
        st = credential_put_out(args, value, err);
    json_decref(value);
    base_buf_release_secret(&lines);
    base_buf_release_secret(&text);
    return st;
}

static const struct cli_option scan_options[] = {CREDENTIAL_OUT_OPTION, {0}};

const struct cli_command cli_wallet_scan = {
    "wallet scan",
    "FILE",
    1,
    1,
    "the document that scanned QR codes make up: consents, presentations, revocations",
    "FILE has what a scanner read, a line for each code, in any order: zbarimg -q --raw *.png "
    "| firmiana wallet scan /dev/stdin",
    scan_options,
    scan};
