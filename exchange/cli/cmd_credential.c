/* firmiana credential ...: verifiable credentials that others can read (did/credential): a member
 * signs through its node, a person or a company with a sealed did:key of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "did/credential/credential.h"
#include "did/credential/jwt.h"
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
    if (st == FM_OK)
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

/* Replaces the credential by the JWT, as a JSON string. */
static fm_status sign_jwt(json_t **credential, const struct did_secret *secret, const char *method,
                          struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = credential_jwt_issue(&text, *credential, secret, method, err);

    if (st == FM_OK) {
        json_decref(*credential);
        *credential = json_string(base_buf_cstr(&text));
        st = *credential != NULL ? FM_OK : base_err_memory(err, "JWT");
    }
    base_buf_release(&text);
    return st;
}

static fm_status sign_by_key(json_t **credential, bool as_jwt, const struct cli_args *args,
                             struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    struct did_secret *secret;
    fm_status st = credential_own_key(&secret, method, args, err);

    if (st == FM_OK)
        st = as_jwt ? sign_jwt(credential, secret, method, err)
                    : credential_issue(*credential, secret, method, credential_now_s(), err);
    did_secret_free(secret);
    return st;
}

/* By --key, or by the node. credential is replaced by what was signed, a JWT by its text. */
static fm_status sign(json_t **credential, const struct cli_args *args, struct base_err *err)
{
    bool as_jwt = cli_flag(args, "jwt");
    json_t *value = NULL, *made;
    fm_status st;

    if (cli_value(args, "key") != NULL)
        return sign_by_key(credential, as_jwt, args, err);
    st = cli_call(&value, args, "credential.issue",
                  json_pack("{s:O, s:b}", "credential", *credential, "jwt", as_jwt), err);
    made = json_object_get(value, as_jwt ? "jwt" : "credential");
    if (st == FM_OK && made == NULL)
        st = base_err_set(err, FM_E_PEER, "the node signed nothing: is it of this version?");
    if (st == FM_OK) {
        json_decref(*credential);
        *credential = json_incref(made);
    }
    json_decref(value);
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

static fm_status issue(const struct cli_args *args, struct base_err *err)
{
    json_t *credential = NULL;
    fm_status st = base_json_load_file(&credential, args->operands[0], CREDENTIAL_FILE_MAX, err);

    if (st == FM_OK)
        st = add_status(credential, args, err);
    if (st == FM_OK)
        st = sign(&credential, args, err);
    if (st == FM_OK)
        st = credential_put_out(args, credential, err);
    json_decref(credential);
    return st;
}

static const struct cli_option issue_options[] = {
    CLI_HOME_OPTION,
    KEY_OPTION,
    {"list", "URL", "the id of the status list it is in (see credential list)", CLI_OPTIONAL},
    {"index", "N", "its place there, never used twice", CLI_OPTIONAL},
    {"suspension", NULL, "the list is for suspensions, which end; not for revocations",
     CLI_OPTIONAL},
    {"jwt", NULL, "as a JWT (vc+jwt, EdDSA or ES256) instead of JSON with a proof", CLI_OPTIONAL},
    CREDENTIAL_OUT_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_credential_issue = {
    "credential issue",
    "FILE",
    1,
    1,
    "sign a credential (W3C data model 2.0), as this member or with a key of one's own",
    "FILE has @context, type, credentialSubject and what else is to be said; issuer is filled in.",
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
    fm_status st = list_before(&bits, &old, &id, &purpose, args, err);

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
        st = credential_put_out(args, made, err);
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
