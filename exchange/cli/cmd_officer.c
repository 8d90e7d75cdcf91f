/* firmiana officer ...: the people who sign for a member, k of m of them together. Their keys are
 * opened here, never in the node. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "did/draft.h"
#include "did/keystore.h"
#include "did/moment.h"
#include "did/multibase.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/officers.h"
#include "exchange/cli/profile.h"

enum { TX_MAX = 1 << 22 };

/* ---- keys ---- */

static fm_status create(const struct cli_args *args, struct base_err *err)
{
    struct did_secret *secret = NULL;
    char text[DID_MULTIKEY_TEXT];
    fm_status st =
        cli_new_key(&secret, args, did_suite_usual(), did_role_name(DID_ROLE_INVOCATION), err);

    if (st == FM_OK)
        st = did_multikey_encode(text, did_secret_key(secret), err);
    if (st == FM_OK)
        printf("%s: an officer's key, %s; its public key is\n%s\n", cli_value(args, "out"),
               cli_value(args, "token") != NULL ? "which stays in its token" : "sealed", text);
    did_secret_free(secret);
    return st;
}

static const struct cli_option create_options[] = {
    {"out", "FILE", "where to keep the sealed key", CLI_REQUIRED},
    CLI_TOKEN_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_officer_create = {
    "officer create",
    "",
    0,
    0,
    "an officer makes a key (on the officer's own machine)",
    "The public key that it prints goes to firmiana init --officer or firmiana officer add.",
    create_options,
    create};

/* ---- who they are ---- */

static void print_officers(const struct did_document *doc)
{
    size_t n;
    const struct did_method *m = did_document_methods(doc, &n);

    printf("%s: %zu of %zu officers sign together (document version %lld)\n",
           did_document_alias(doc), did_document_threshold(doc),
           did_document_key_count(doc, DID_ROLE_INVOCATION), (long long)did_document_version(doc));
    for (size_t i = 0; i < n; i++)
        if ((m[i].roles & DID_ROLE_INVOCATION) != 0)
            printf("  %s\n", strrchr(m[i].id, '#') + 1);
}

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    struct did_document *doc;
    fm_status st = officers_document(&doc, args, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(did_document_json(doc), err);
    else if (st == FM_OK)
        print_officers(doc);
    did_document_free(doc);
    return st;
}

static const struct cli_option list_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_officer_list = {
    "officer list", "",           0,   0, "this member's officers, and how many must sign together",
    NULL,           list_options, list};

/* ---- changing who they are ---- */

enum change { ADD, REMOVE };

static fm_status change(const struct cli_args *args, enum change what, struct base_err *err)
{
    struct did_document *doc = NULL, *next = NULL;
    struct did_draft draft = {0};
    struct did_key key;
    int64_t threshold;
    char previous[65];
    fm_status st = officers_key(&key, args->operands[0], err);

    if (st == FM_OK)
        st = officers_document(&doc, args, err);
    if (st == FM_OK)
        st = did_draft_next(&draft, doc, err);
    if (st == FM_OK)
        st = what == ADD ? did_draft_add(&draft, &key, DID_ROLE_INVOCATION, err)
                         : did_draft_remove(&draft, &key, err);
    threshold = (int64_t)draft.threshold;
    if (st == FM_OK)
        st = cli_int(&threshold, args, "threshold", 1, DID_KEYS_MAX, err);
    draft.threshold = (size_t)threshold;
    if (st == FM_OK)
        st = did_draft_build(&next, &draft, DID_RULES_VERSION, err);
    if (st == FM_OK) {
        if (!cli_flag(args, "json"))
            print_officers(next);
        base_hex(previous, did_document_hash32(doc), 32);
        st = cli_submit_by_officer(
            args, LEDGER_TX_DID_UPDATE,
            json_pack("{s:O,s:s}", "document", did_document_json(next), "previous", previous),
            "officers", err);
    }
    did_draft_release(&draft);
    did_document_free(next);
    did_document_free(doc);
    return st;
}

static fm_status add(const struct cli_args *args, struct base_err *err)
{
    return change(args, ADD, err);
}

static fm_status remove_one(const struct cli_args *args, struct base_err *err)
{
    return change(args, REMOVE, err);
}

static const struct cli_option change_options[] = {
    CLI_HOME_OPTION,
    {"threshold", "K", "how many must sign together from then on (default: as before)",
     CLI_OPTIONAL},
    CLI_KEY_OPTION,
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    CLI_PROFILE_OPTION,
    {0}};

const struct cli_command cli_officer_add = {
    "officer add",
    "KEY",
    1,
    1,
    "the officers take in another one: a new version of the member's DID document",
    "KEY is a public key (z6Mk...) or a key file, from firmiana officer create.",
    change_options,
    add};

const struct cli_command cli_officer_remove = {
    "officer remove",
    "KEY",
    1,
    1,
    "the officers let one go",
    "KEY is a public key, as firmiana officer list shows it, or a key file. What the key signed "
    "before stays valid.",
    change_options,
    remove_one};

/* ---- signing what another one began ---- */

static fm_status show_authorization(const struct cli_args *args, const json_t *body,
                                    struct base_err *err)
{
    json_t *value = NULL;
    fm_status st = cli_call(&value, args, "contract.check",
                            json_pack("{s:s}", "contract", cli_text(body, "contract")), err);

    if (st == FM_OK &&
        (strcmp(cli_text(body, "uses_hash"), cli_text(value, "own_uses_hash")) != 0 ||
         !json_equal(json_object_get(body, "uses"), json_object_get(value, "own_uses"))))
        st = base_err_set(err, FM_E_REFUSED,
                          "the file authorizes other uses than this member's node derives from the "
                          "contract: do not sign it");
    if (st == FM_OK)
        printf(
            "%s%s\nthis authorization allows exactly these uses of your columns, %lld times:\n%s",
            cli_text(value, "summary"), cli_text(value, "diff_text"),
            (long long)json_integer_value(json_object_get(body, "runs")),
            cli_text(value, "own_uses_text"));
    json_decref(value);
    return st;
}

/* Where others reach the member, and by which key it orders blocks. */
static void print_services(const struct did_document *doc)
{
    json_t *list = json_object_get(did_document_json(doc), "service"), *item;
    size_t i;

    json_array_foreach(list, i, item)
        printf("  %s: %s\n", cli_text(item, "type"), cli_text(item, "serviceEndpoint"));
}

static fm_status show_update(const json_t *body, struct base_err *err)
{
    struct did_document *next = NULL;
    fm_status st =
        did_document_parse(&next, json_object_get(body, "document"), DID_RULES_VERSION, err);

    if (st == FM_OK) {
        print_officers(next);
        print_services(next);
    }
    did_document_free(next);
    return st;
}

/* What the officer is about to sign: read by this member's own node where it can. */
static fm_status show(const struct cli_args *args, const struct ledger_tx *tx, struct base_err *err)
{
    char until[DID_MOMENT_TEXT];
    fm_status st = did_moment_format(until, tx->not_after / 1000, err);

    if (st == FM_OK)
        printf("%s, to be signed until %s\n", ledger_tx_type_name(tx->type), until);
    if (st != FM_OK)
        return st;
    if (tx->type == LEDGER_TX_AUTHORIZATION_GRANT)
        return show_authorization(args, tx->body, err);
    if (tx->type == LEDGER_TX_DID_UPDATE)
        return show_update(tx->body, err);
    return cli_print_json(tx->body, err);
}

static fm_status check_file(const struct ledger_tx *tx, const struct did_document *doc,
                            struct base_err *err)
{
    if (ledger_tx_type_authority(tx->type) != LEDGER_BY_OFFICERS)
        return base_err_set(err, FM_E_ARG, "a %s is not for officers to sign",
                            ledger_tx_type_name(tx->type));
    if (strcmp(tx->sender, did_document_id(doc)) != 0)
        return base_err_set(err, FM_E_REFUSED, "it is another member's: %.120s", tx->sender);
    if (tx->not_after <= base_clock_unix_ms(base_clock_system()))
        return base_err_set(err, FM_E_REFUSED, "it has expired: begin again");
    return FM_OK;
}

static fm_status sign(const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[0];
    struct did_document *doc = NULL;
    struct did_secret *key = NULL;
    struct ledger_tx tx = {0};
    json_t *json = NULL;
    fm_status st = base_json_load_file(&json, path, TX_MAX, err);

    if (st == FM_OK && ledger_tx_parse_json(&tx, json, err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        st = officers_document(&doc, args, err);
    if (st == FM_OK && check_file(&tx, doc, err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        st = show(args, &tx, err);
    if (st == FM_OK)
        st = cli_officer_key(&key, args, err);
    if (st == FM_OK)
        st = officers_sign(args, json, key, doc, path, ledger_tx_type_name(tx.type), err);
    ledger_tx_release(&tx);
    did_document_free(doc);
    did_secret_free(key);
    json_decref(json);
    return st;
}

static const struct cli_option sign_options[] = {
    CLI_HOME_OPTION, CLI_KEY_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_officer_sign = {
    "officer sign",
    "FILE",
    1,
    1,
    "the next officer signs what another one began; the last one submits it",
    "FILE is what contract authorize, officer add, member vote and the like wrote where more "
    "officers must sign. Before\n"
    "it is signed, this member's own node reads the contract again and shows it; a file with other "
    "uses is refused.",
    sign_options,
    sign};
