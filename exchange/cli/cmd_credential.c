/* firmiana credential ...: verifiable credentials that others can read (did/credential): a member
 * signs through its node, a person or a company with a sealed did:key of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "did/credential/credential.h"
#include "did/credential/jwt.h"
#include "did/credential/sd_vc.h"
#include "did/credential/status_list.h"
#include "did/key_did.h"
#include "did/keystore.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/keys.h"

#define KEY_OPTION                                                                           \
    {                                                                                        \
        "key", "FILE", "a sealed key of credential key (default: this member's node signs)", \
            CLI_OPTIONAL                                                                     \
    }

/* ---- key ---- */

static fm_status key(const struct cli_args *args, struct base_err *err)
{
    const char *name = cli_value(args, "suite");
    const struct did_suite *suite = name == NULL ? did_suite_usual() : did_suite_by_name(name);
    struct did_secret *secret = NULL;
    char did[DID_KEY_DID_TEXT];
    fm_status st;

    if (suite == NULL)
        return base_err_set(err, FM_E_ARG, "--suite %s: there are ed25519, p256 and sm2", name);
    st = cli_new_key(&secret, args, suite, "subject", err);
    if (st == FM_OK)
        st = did_key_did_encode(did, did_secret_key(secret), err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_made(json_pack("{s:s, s:s, s:s}", "did", did, "file", cli_value(args, "out"),
                                      "suite", suite->name),
                            err);
    else if (st == FM_OK)
        printf("%s\n", did);
    did_secret_free(secret);
    return st;
}

static const struct cli_option key_options[] = {
    {"out", "FILE", "where to keep the sealed key", CLI_REQUIRED},
    {"suite", "NAME", "ed25519 (default), p256 or sm2 (default where the profile is national)",
     CLI_OPTIONAL},
    CLI_TOKEN_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_credential_key = {
    "credential key",
    "",
    0,
    0,
    "a new key for who has no node: sealed in a file, its did:key printed",
    NULL,
    key_options,
    key};

/* ---- signing ---- */

enum form { FORM_JSON, FORM_JWT, FORM_SD_JWT };

static fm_status read_form(enum form *out, const struct cli_args *args, struct base_err *err)
{
    static const char *const names[] = {
        [FORM_JSON] = "json", [FORM_JWT] = "jwt", [FORM_SD_JWT] = "sd-jwt"};
    const char *name = cli_value(args, "format");
    bool has_wish = cli_value(args, "selective") != NULL || cli_value(args, "decoys") != NULL ||
                    cli_value(args, "holder") != NULL;
    size_t i = cli_flag(args, "jwt") ? FORM_JWT : FORM_JSON;

    if (name != NULL)
        for (i = 0; i < 3 && strcmp(names[i], name) != 0; i++)
            ;
    if (i == 3 || (name != NULL && cli_flag(args, "jwt") && i != FORM_JWT))
        return base_err_set(err, FM_E_ARG, "--format %s: there are json, jwt and sd-jwt", name);
    *out = (enum form)i;
    return has_wish && i != FORM_SD_JWT
               ? base_err_set(err, FM_E_ARG,
                              "--selective, --decoys and --holder go with --format sd-jwt")
               : FM_OK;
}

/* What the options say of an SD-JWT: credential_sd_issue_ordered(). */
static fm_status make_order(json_t **out, const struct cli_args *args, struct base_err *err)
{
    const char *holder = cli_value(args, "holder"), *pointer;
    int64_t decoys = 0;
    fm_status st = cli_int(&decoys, args, "decoys", 2, CREDENTIAL_SD_PARTS_MAX, err);

    *out = json_pack("{s:s*, s:I}", "holder", holder, "decoys", (json_int_t)decoys);
    for (size_t i = 0; (pointer = cli_value_at(args, "selective", i)) != NULL; i++) {
        if (i == 0)
            (void)json_object_set_new(*out, "hidden", json_array());
        (void)json_array_append_new(json_object_get(*out, "hidden"), json_string(pointer));
    }
    return st;
}

/* Replaces the credential by what stands in the text, as a JSON string. */
static fm_status put_text(json_t **credential, struct base_buf *text, struct base_err *err)
{
    json_decref(*credential);
    *credential = json_string(base_buf_cstr(text));
    return *credential != NULL ? FM_OK : base_err_memory(err, "JWT");
}

static fm_status sign_by_key(json_t **credential, enum form form, const json_t *order,
                             const struct cli_args *args, struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    json_t *places = json_pack("[o]", json_copy(*credential)); /* as it is before it is signed */
    struct base_buf text = {0};
    struct did_secret *secret;
    fm_status st = credential_own_key(&secret, method, args, err);

    if (st == FM_OK && form == FORM_JSON)
        st = credential_issue(*credential, secret, method, credential_now_s(), err);
    else if (st == FM_OK && form == FORM_JWT)
        st = credential_jwt_issue(&text, *credential, secret, method, err);
    else if (st == FM_OK)
        st = credential_sd_issue_ordered(&text, *credential, order, secret, method,
                                         credential_now_s(), base_random_system(), err);
    if (st == FM_OK)
        st = credential_own_places(args, places, err);
    if (st == FM_OK && form != FORM_JSON)
        st = put_text(credential, &text, err);
    json_decref(places);
    did_secret_free(secret);
    base_buf_release_secret(&text);
    return st;
}

static fm_status sign_by_node(json_t **credential, enum form form, json_t *order,
                              const struct cli_args *args, struct base_err *err)
{
    static const char *const answers[] = {"credential", "jwt", "sd_jwt"};
    json_t *value, *made;
    fm_status st =
        cli_call(&value, args, "credential.issue",
                 json_pack("{s:O, s:b, s:O*}", "credential", *credential, "jwt", form == FORM_JWT,
                           "sd_jwt", form == FORM_SD_JWT ? order : NULL),
                 err);

    made = json_object_get(value, answers[form]);
    if (st == FM_OK && made == NULL)
        st = base_err_set(err, FM_E_PEER, "the node signed nothing: is it of this version?");
    if (st == FM_OK) {
        json_decref(*credential);
        *credential = json_incref(made);
    }
    json_decref(value);
    return st;
}

/* By --key, or by the node. credential is replaced by what was signed, a JWT by its text. */
static fm_status sign(json_t **credential, const struct cli_args *args, struct base_err *err)
{
    json_t *order = NULL;
    enum form form = FORM_JSON;
    fm_status st = read_form(&form, args, err);

    if (st == FM_OK && form == FORM_SD_JWT)
        st = make_order(&order, args, err);
    if (st == FM_OK)
        st = cli_value(args, "key") != NULL ? sign_by_key(credential, form, order, args, err)
                                            : sign_by_node(credential, form, order, args, err);
    json_decref(order);
    return st;
}

/* --list and --index: its place in a status list. */
static fm_status add_status(json_t *credential, const struct cli_args *args, struct base_err *err)
{
    const char *list = cli_value(args, "list");
    int64_t index = -1;
    json_t *entry;
    fm_status st = cli_int(&index, args, "index", 0, CREDENTIAL_STATUS_MAX - 1, err);

    if (st != FM_OK || (list == NULL && index < 0))
        return st;
    if (list == NULL || index < 0)
        return base_err_set(err, FM_E_ARG, "--list and --index go together");
    st = credential_status_entry(&entry, list,
                                 cli_flag(args, "suspension") ? "suspension" : "revocation",
                                 (size_t)index, err);
    if (st == FM_OK && json_object_set_new(credential, "credentialStatus", entry) != 0)
        st = base_err_memory(err, "credential");
    return st;
}

/* The schemas that it names: the node has only those that come with it. */
static fm_status check_schemas(const json_t *credential, const struct cli_args *args,
                               struct base_err *err)
{
    struct credential_files files = {0};
    enum form form = FORM_JSON;
    fm_status st = credential_files_schemas(&files, args, err);

    if (st == FM_OK)
        st = read_form(&form, args, err);
    if (st == FM_OK)
        st = form == FORM_SD_JWT
                 ? credential_check_claims(credential, CREDENTIAL_SCHEMA_WHOLE, &files.more, err)
                 : credential_check_schemas(credential, &files.more, err);
    if (st == FM_E_INVALID)
        (void)base_err_prefix(err, "%s", args->operands[0]);
    credential_files_release(&files);
    return st;
}

static fm_status issue(const struct cli_args *args, struct base_err *err)
{
    json_t *credential = NULL;
    fm_status st = cli_fresh(cli_value(args, "out"), err);

    if (st == FM_OK)
        st = base_json_load_file(&credential, args->operands[0], CREDENTIAL_FILE_MAX, err);
    if (st == FM_OK)
        st = check_schemas(credential, args, err);
    if (st == FM_OK)
        st = add_status(credential, args, err);
    if (st == FM_OK) {
        st = sign(&credential, args, err);
        if (st == FM_E_INPUT || st == FM_E_INVALID) /* what it says, not who signs */
            (void)base_err_prefix(err, "%s", args->operands[0]);
    }
    if (st == FM_OK)
        st = credential_put_out(args, credential, err);
    json_decref(credential);
    return st;
}

static const struct cli_option issue_options[] = {
    CLI_HOME_OPTION,
    KEY_OPTION,
    {"list", "URL", "the id of the status list it is in (see credential list)", CLI_OPTIONAL},
    {"index", "N", "its place there, refused if this issuer gave it to a credential before",
     CLI_OPTIONAL},
    {"suspension", NULL, "the list is for suspensions, which end; not for revocations",
     CLI_OPTIONAL},
    CREDENTIAL_SCHEMA_OPTION,
    {"format", "NAME",
     "json, with a Data Integrity proof (default); jwt (vc+jwt); sd-jwt (SD-JWT VC: its holder "
     "chooses what to show)",
     CLI_OPTIONAL},
    {"jwt", NULL, "the same as --format jwt", CLI_OPTIONAL},
    {"selective", "POINTER",
     "sd-jwt: a claim that its holder may keep hidden: /address/street, /degrees/0, /degrees/* "
     "(default: every one of the top level)",
     CLI_REPEATED},
    {"decoys", "N", "sd-jwt: fill up what is hidden at each place to a multiple of N",
     CLI_OPTIONAL},
    {"holder", "DID", "sd-jwt: the did:key that must sign whenever it is shown", CLI_OPTIONAL},
    CREDENTIAL_OUT_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_credential_issue = {
    "credential issue",
    "FILE",
    1,
    1,
    "sign a credential (W3C data model 2.0, SD-JWT VC), as this member or with a key of one's own",
    "FILE has @context, type, credentialSubject and what else is to be said; issuer is filled in.\n"
    "For sd-jwt it has vct (the type's name), the claims themselves, and exp and nbf in seconds.",
    issue_options,
    issue};

/* ---- status lists ---- */

static fm_status change_bits(struct credential_bits *bits, const struct cli_args *args,
                             const char *option, bool value, struct base_err *err)
{
    const char *text;

    for (size_t i = 0; (text = cli_value_at(args, option, i)) != NULL; i++) {
        char *end;
        unsigned long index = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end != '\0' || index >= bits->count)
            return base_err_set(err, FM_E_ARG, "--%s %s: the list has entries 0 to %zu", option,
                                text, bits->count - 1);
        credential_bits_set(bits, index, value);
    }
    return FM_OK;
}

/* The bits, id and purpose of the list in the file of --from, or of a new one. */
static fm_status list_before(struct credential_bits *bits, json_t **old, const char **id,
                             const char **purpose, const struct cli_args *args,
                             struct base_err *err)
{
    const char *from = cli_value(args, "from"), *text;
    json_t *subject;
    fm_status st;

    *old = NULL;
    if (from == NULL) {
        *id = cli_value(args, "id");
        *purpose = cli_flag(args, "suspension") ? "suspension" : "revocation";
        return *id == NULL ? base_err_set(err, FM_E_ARG, "a new list needs --id URL")
                           : credential_bits_make(bits, CREDENTIAL_STATUS_MIN, err);
    }
    st = base_json_load_file(old, from, CREDENTIAL_FILE_MAX, err);
    if (st != FM_OK)
        return st;
    if ((st = base_json_get_str(id, *old, "id", err)) != FM_OK ||
        (st = base_json_get_object(&subject, *old, "credentialSubject", err)) != FM_OK ||
        (st = base_json_get_str(purpose, subject, "statusPurpose", err)) != FM_OK ||
        (st = base_json_get_str(&text, subject, "encodedList", err)) != FM_OK ||
        (st = credential_bits_decode(bits, text, err)) != FM_OK)
        return base_err_prefix(err, "%s", from);
    return FM_OK;
}

/* The list of --from may be replaced by what it becomes, nothing else. */
static fm_status check_out(const struct cli_args *args, struct base_err *err)
{
    const char *from = cli_value(args, "from"), *out = cli_value(args, "out");

    return from != NULL && out != NULL && strcmp(from, out) == 0 ? FM_OK : cli_fresh(out, err);
}

/* The DID that will sign. */
static fm_status signer_did(char out[DID_METHOD_TEXT], const struct cli_args *args,
                            struct base_err *err)
{
    struct did_keyfile info;
    json_t *me = NULL;
    fm_status st;

    if (cli_value(args, "key") != NULL) {
        st = did_keystore_peek(&info, cli_value(args, "key"), err);
        return st != FM_OK ? st : did_key_did_encode(out, &info.key, err);
    }
    st = cli_call(&me, args, "me", NULL, err);
    if (st == FM_OK)
        (void)snprintf(out, DID_METHOD_TEXT, "%s", cli_text(me, "did"));
    json_decref(me);
    return st;
}

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    struct credential_bits bits = {0};
    const char *id, *purpose;
    char did[DID_METHOD_TEXT];
    json_t *old = NULL, *made = NULL;
    fm_status st = check_out(args, err);

    if (st == FM_OK)
        st = list_before(&bits, &old, &id, &purpose, args, err);
    if (st == FM_OK)
        st = change_bits(&bits, args, "set", true, err);
    if (st == FM_OK && cli_value(args, "clear") != NULL && strcmp(purpose, "suspension") != 0)
        st = base_err_set(err, FM_E_ARG, "--clear: what was revoked stays revoked");
    if (st == FM_OK)
        st = change_bits(&bits, args, "clear", false, err);
    if (st == FM_OK)
        st = signer_did(did, args, err);
    if (st == FM_OK)
        st = credential_status_list(&made, id, did, purpose, &bits, credential_now_s(), err);
    if (st == FM_OK)
        st = sign(&made, args, err);
    if (st == FM_OK)
        st = credential_put_public(args, made, err);
    credential_bits_release(&bits);
    json_decref(old);
    json_decref(made);
    return st;
}

static const struct cli_option list_options[] = {
    CLI_HOME_OPTION,
    KEY_OPTION,
    {"id", "URL", "where a new list will be found", CLI_OPTIONAL},
    {"suspension", NULL, "a new list is for suspensions", CLI_OPTIONAL},
    {"from", "FILE", "the list so far, to be changed", CLI_OPTIONAL},
    {"set", "N", "revoke, or suspend, the credential with that index", CLI_REPEATED},
    {"clear", "N", "end its suspension", CLI_REPEATED},
    CREDENTIAL_OUT_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_credential_list = {
    "credential list",
    "",
    0,
    0,
    "a status list: which of an issuer's credentials are revoked or suspended",
    "A new one with --id, or the one of --from with --set and --clear; signed either way, and then "
    "published under its id.",
    list_options,
    list};
