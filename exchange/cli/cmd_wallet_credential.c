/* firmiana wallet receive, credentials, present, remove: what others say about a subject. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_any.h"
#include "base/secret.h"
#include "base/text.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/wallet_args.h"
#include "exchange/cli/wallet_out.h"
#include "exchange/wallet/consent.h"
#include "exchange/wallet/holder.h"
#include "exchange/wallet/ledger.h"

/* ---- receive ---- */

static bool is_mandate(const json_t *json)
{
    return json != NULL && strcmp(cli_text(json, "type"), "FirmianaMandate") == 0;
}

static fm_status keep_mandate(struct wallet *w, json_t *mandate, const struct cli_args *args,
                              struct base_err *err)
{
    const char *path = cli_value(args, "opening");
    json_t *opening = NULL;
    uint8_t nonce[32];
    fm_status st;

    if (path == NULL)
        return base_err_set(err, FM_E_ARG,
                            "a mandate needs --opening FILE, which came with it from the member");
    st = base_json_load_file(&opening, path, 65536, err);
    if (st == FM_OK && base_json_get_hex(nonce, 32, opening, "nonce", err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        st = wallet_mandate_keep(w, mandate, nonce, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(mandate, err);
    else if (st == FM_OK)
        printf("mandate of %s, by %s: wallet grant --mandate\n",
               BASE_LINE(cli_text(mandate, "representative")),
               BASE_LINE(cli_text(mandate, "attestor")));
    base_wipe(nonce, sizeof nonce);
    json_decref(opening);
    return st;
}

static fm_status keep_credential(struct wallet *w, const char *text, const struct cli_args *args,
                                 struct base_err *err)
{
    const json_t *record = NULL;
    struct credential_files files;
    fm_status st = credential_files_open(&files, args, credential_now_s(), err);

    if (st == FM_OK && files.trail != NULL) /* it must be of the ledger that the wallet trusts */
        st = wallet_ledger_learn(w, files.trail->chain, files.trail->members, err);
    if (st == FM_OK)
        st = wallet_credential_receive(&record, w, text, &files.verifier, &files.more, err);
    if (st == FM_E_AUTH) /* the issuer's signature, not a key of the own */
        st = err->code = FM_E_INVALID;
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(record, err);
    else if (st == FM_OK)
        printf("%.12s  %s, %s, by %s: valid\n", wallet_text(record, "id"),
               BASE_LINE(wallet_text(record, "type")), wallet_text(record, "form"),
               BASE_LINE(wallet_text(record, "issuer")));
    credential_files_release(&files);
    return st;
}

static fm_status receive(const struct cli_args *args, struct base_err *err)
{
    struct base_buf bytes = {0};
    json_t *json = NULL;
    struct wallet_file f;
    const char *text;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);

    if (st == FM_OK)
        st = base_file_read(&bytes, args->operands[0], WALLET_CREDENTIAL_MAX, err);
    while (bytes.len > 0 && strchr(" \t\r\n", bytes.p[bytes.len - 1]) != NULL)
        bytes.len--;
    text = base_buf_cstr(&bytes);
    if (st == FM_OK) {
        if (!credential_is_token(text) || strlen(text) != bytes.len)
            st = base_json_any_parse(&json, text, bytes.len, err);
        if (st == FM_OK)
            st = is_mandate(json) ? keep_mandate(&f.w, json, args, err)
                                  : keep_credential(&f.w, text, args, err);
        if (st != FM_OK)
            st = base_err_prefix(err, "%s", args->operands[0]);
    }
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    json_decref(json);
    base_buf_release_secret(&bytes);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option receive_options[] = {
    WALLET_FILE_OPTION,
    {"document", "FILE", "the DID document of an issuer that is a member", CLI_REPEATED},
    {"home", "DIR", "or ask this member's node for it (default: none)", CLI_OPTIONAL},
    {"trail", "FILE", "or a trail that shows it (audit export), checked whole", CLI_OPTIONAL},
    {"list", "FILE", "a status list of an issuer", CLI_REPEATED},
    CREDENTIAL_SCHEMA_OPTION,
    {"opening", "FILE", "of a mandate: what came with it", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_wallet_receive = {
    "wallet receive",
    "FILE",
    1,
    1,
    "verify a credential about you and keep it; or a company's mandate",
    "JSON with a proof, or an SD-JWT, whose claims you can then choose to show. It must be about a "
    "DID of this wallet (wallet did).",
    receive_options,
    receive};

/* ---- list ---- */

static void print(const struct wallet *w)
{
    const json_t *c, *identity;
    size_t i, k;

    json_array_foreach(wallet_list(w, "credentials"), i, c)
    {
        const json_t *ends = json_object_get(c, "until");
        const char *peer = "";
        char until[32];
        json_array_foreach(
            wallet_list(w, "identities"), k,
            identity) if (strcmp(wallet_text(identity, "did"), wallet_text(c, "did")) == 0) peer =
            wallet_text(identity, "peer");
        if (wallet_ledger_alias(w, peer) != NULL)
            peer = wallet_ledger_alias(w, peer);
        printf(
            "%.12s  %s, %s\n    issuer     %s\n    about      your DID towards %s\n    until     "
            " %s\n",
            wallet_text(c, "id"), BASE_LINE(wallet_text(c, "type")), wallet_text(c, "form"),
            BASE_LINE(wallet_text(c, "issuer")), BASE_LINE(peer),
            ends != NULL ? wallet_args_moment(until, json_integer_value(ends) * 1000) : "for ever");
    }
    if (i == 0)
        printf("no credentials\n");
}

static fm_status credentials(const struct cli_args *args, struct base_err *err)
{
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_READ, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(wallet_list(&f.w, "credentials"), err);
    else if (st == FM_OK)
        print(&f.w);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option credentials_options[] = {
    WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_wallet_credentials = {
    "wallet credentials", "",         0, 0, "the credentials in the wallet", NULL,
    credentials_options,  credentials};

/* ---- present ---- */

static fm_status present_from(const struct wallet *w, const struct cli_args *args,
                              struct base_err *err)
{
    const char *disclosed[CLI_MAX_OPTIONS], *text;
    struct wallet_request request = {.challenge = cli_value(args, "challenge"),
                                     .domain = cli_value(args, "domain"),
                                     .disclose = disclosed,
                                     .now_s = credential_now_s()};
    json_t *records = json_array(), *record, *shown = NULL;
    fm_status st = records != NULL ? FM_OK : base_err_memory(err, "presentation");

    while ((text = cli_value_at(args, "disclose", request.disclose_count)) != NULL)
        disclosed[request.disclose_count++] = strcmp(text, "all") == 0 ? "" : text;
    for (size_t i = 0; st == FM_OK && i < args->operand_count; i++) {
        st = wallet_record(&record, w, "credentials", "credential", args->operands[i], err);
        if (st == FM_OK && json_array_append(records, record) != 0)
            st = base_err_memory(err, "presentation");
    }
    if (st == FM_OK)
        st = wallet_credential_present(&shown, w, records, &request, err);
    if (st == FM_OK)
        st = wallet_out_put(args, shown, err);
    json_decref(shown);
    json_decref(records);
    return st;
}

static fm_status present(const struct cli_args *args, struct base_err *err)
{
    struct wallet_file f = {.lock = -1};
    fm_status st = credential_asked(args, 1, err);

    if (st == FM_OK)
        st = wallet_out_check(args, err);
    if (st == FM_OK)
        st = wallet_args_open(&f, args, WALLET_TO_READ, err);
    if (st == FM_OK)
        st = present_from(&f.w, args, err);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option present_options[] = {
    WALLET_FILE_OPTION,
    {"challenge", "TEXT", "what the verifier asked to be signed: its own, and fresh", CLI_REQUIRED},
    {"domain", "TEXT", "who the verifier is", CLI_REQUIRED},
    {"disclose", "POINTER",
     "of an SD-JWT: a claim to show, with what it holds (credential claims); 'all'; the rest stays "
     "hidden",
     CLI_REPEATED},
    WALLET_OUT_OPTIONS,
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_wallet_present = {
    "wallet present",
    "ID...",
    1,
    CLI_MAX_OPERANDS,
    "show credentials to one verifier, at its request, and to no other",
    "The verifier learns the DID that they are about. It checks with credential verify.",
    present_options,
    present};

/* ---- remove ---- */

static fm_status remove_one(const struct cli_args *args, struct base_err *err)
{
    struct wallet_file f;
    json_t *record;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);

    if (st == FM_OK)
        st = wallet_record(&record, &f.w, "credentials", "credential", args->operands[0], err);
    if (st == FM_OK)
        st = wallet_credential_remove(&f.w, record, err);
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option remove_options[] = {WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, {0}};

const struct cli_command cli_wallet_remove = {
    "wallet remove", "ID",      1, 1, "remove a credential from the wallet", NULL,
    remove_options,  remove_one};
