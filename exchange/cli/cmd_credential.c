/* firmiana credential ...: verifiable credentials that others can read (did/credential): a member
 * signs through its node, a person or a company with a sealed did:key of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "did/credential/credential.h"
#include "did/credential/status_list.h"
#include "did/document.h"
#include "did/key_did.h"
#include "did/keystore.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/keys.h"

#define KEY_OPTION                                                                           \
    {                                                                                        \
        "key", "FILE", "a sealed key of credential key (default: this member's node signs)", \
            CLI_OPTIONAL                                                                     \
    }
#define OUT_OPTION                                                                  \
    {                                                                               \
        "out", "FILE", "where to write it (default: standard output)", CLI_OPTIONAL \
    }

static int64_t now_s(void)
{
    return base_clock_unix_ms(base_clock_system()) / 1000;
}

static fm_status put_out(const struct cli_args *args, const json_t *value, struct base_err *err)
{
    const char *out = cli_value(args, "out");

    return out == NULL ? cli_print_json(value, err) : cli_write_json(out, value, 0644, err);
}

/* ---- key ---- */

static fm_status key(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out"), *name = cli_value(args, "suite");
    const struct did_suite *suite = did_suite_by_name(name == NULL ? "ed25519" : name);
    struct did_passphrase *pass = NULL;
    struct did_secret *secret = NULL;
    char did[DID_KEY_DID_TEXT];
    fm_status st;

    if (suite == NULL)
        return base_err_set(err, FM_E_ARG, "--suite %s: there are ed25519, p256 and sm2", name);
    st = cli_passphrase(&pass, args, CLI_PASSPHRASE_NEW, err);
    if (st == FM_OK)
        st = did_secret_generate(&secret, suite, base_random_system(), err);
    if (st == FM_OK)
        st = did_key_did_encode(did, did_secret_key(secret), err);
    if (st == FM_OK)
        st = did_keystore_save(out, DID_KEYSTORE_NEW, secret, "subject", now_s(), pass, NULL,
                               base_random_system(), err);
    if (st == FM_OK)
        printf("%s\n", did);
    did_secret_free(secret);
    did_passphrase_free(pass);
    return st;
}

static const struct cli_option key_options[] = {
    {"out", "FILE", "where to keep the sealed key", CLI_REQUIRED},
    {"suite", "NAME", "ed25519 (default), p256 or sm2", CLI_OPTIONAL},
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

/* The key of --key, and its verification method. */
static fm_status own_key(struct did_secret **out, char method[DID_KEY_METHOD_TEXT],
                         const struct cli_args *args, struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    fm_status st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_keystore_load(out, NULL, cli_value(args, "key"), pass, err);
    if (st == FM_OK)
        st = did_key_method_encode(method, did_secret_key(*out), err);
    did_passphrase_free(pass);
    return st;
}

/* Signs in place by --key, or has the node do it. credential is replaced. */
static fm_status sign(json_t **credential, const struct cli_args *args, struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    struct did_secret *secret;
    json_t *value = NULL, *signed_one;
    fm_status st;

    if (cli_value(args, "key") != NULL) {
        st = own_key(&secret, method, args, err);
        if (st == FM_OK)
            st = credential_issue(*credential, secret, method, now_s(), err);
        did_secret_free(secret);
        return st;
    }
    st = cli_call(&value, args, "credential.issue", json_pack("{s:O}", "credential", *credential),
                  err);
    if (st == FM_OK)
        st = base_json_get_object(&signed_one, value, "credential", err);
    if (st == FM_OK) {
        json_decref(*credential);
        *credential = json_incref(signed_one);
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
        st = put_out(args, credential, err);
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
    OUT_OPTION,
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
        st = credential_status_list(&made, id, did, purpose, &bits, now_s(), err);
    if (st == FM_OK)
        st = sign(&made, args, err);
    if (st == FM_OK)
        st = put_out(args, made, err);
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
    OUT_OPTION,
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

/* ---- presenting ---- */

static fm_status present(const struct cli_args *args, struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    struct did_secret *secret = NULL;
    json_t *held = json_array(), *shown = NULL;
    fm_status st = held == NULL ? base_err_memory(err, "presentation") : FM_OK;

    for (size_t i = 0; st == FM_OK && i < args->operand_count; i++) {
        json_t *one;
        st = base_json_load_file(&one, args->operands[i], CREDENTIAL_FILE_MAX, err);
        if (st == FM_OK && json_array_append_new(held, one) != 0)
            st = base_err_memory(err, "presentation");
    }
    if (st == FM_OK)
        st = own_key(&secret, method, args, err);
    if (st == FM_OK)
        st = credential_present(&shown, held, secret, method, cli_value(args, "challenge"),
                                cli_value(args, "domain"), now_s(), err);
    if (st == FM_OK)
        st = put_out(args, shown, err);
    did_secret_free(secret);
    json_decref(held);
    json_decref(shown);
    return st;
}

static const struct cli_option present_options[] = {
    {"key", "FILE", "the holder's sealed key", CLI_REQUIRED},
    {"challenge", "TEXT", "what the verifier asked to be signed: its own, and fresh", CLI_REQUIRED},
    {"domain", "TEXT", "who the verifier is", CLI_REQUIRED},
    OUT_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_credential_present = {
    "credential present",
    "FILE...",
    1,
    CLI_MAX_OPERANDS,
    "show credentials to one verifier, at its request, and to no other",
    NULL,
    present_options,
    present};

/* ---- verifying ---- */

static void say(const struct credential_facts *facts)
{
    char until[DID_MOMENT_TEXT] = "for ever";
    struct base_err ignored = {0};

    if (facts->valid_until_s != INT64_MAX &&
        did_moment_format(until, facts->valid_until_s, &ignored) != FM_OK)
        until[0] = '\0';
    printf("valid   %s\nissuer  %s\nuntil   %s\n", facts->proof.key.suite->cryptosuite,
           facts->issuer, until);
}

/* One credential, or a presentation with its own. */
static fm_status judge(struct credential_facts *facts, size_t *count, const char **holder,
                       const json_t *value, const struct cli_args *args,
                       const struct credential_verifier *verifier, struct base_err *err)
{
    const char *challenge = cli_value(args, "challenge"), *domain = cli_value(args, "domain");

    *count = 1;
    *holder = NULL;
    if (!credential_has_type(value, "VerifiablePresentation"))
        return credential_verify(&facts[0], value, verifier, err);
    if (challenge == NULL || domain == NULL)
        return base_err_set(err, FM_E_ARG,
                            "a presentation needs --challenge and --domain, as they were given to "
                            "its holder");
    return credential_verify_presentation(facts, count, holder, value, challenge, domain, verifier,
                                          err);
}

static fm_status verify(const struct cli_args *args, struct base_err *err)
{
    struct credential_facts facts[CREDENTIAL_SUBJECTS_MAX];
    struct credential_files files;
    json_t *value = NULL;
    const char *holder;
    size_t count;
    fm_status st = credential_files_open(&files, args, now_s(), err);

    if (st == FM_OK)
        st = base_json_load_file(&value, args->operands[0], CREDENTIAL_FILE_MAX, err);
    if (st == FM_OK) {
        st = judge(facts, &count, &holder, value, args, &files.verifier, err);
        if (st != FM_OK)
            st = base_err_prefix(err, "%s", args->operands[0]);
    }
    if (st == FM_OK && holder != NULL)
        printf("holder  %s\n", holder);
    for (size_t i = 0; st == FM_OK && i < count; i++)
        say(&facts[i]);
    credential_files_release(&files);
    json_decref(value);
    return st;
}

static const struct cli_option verify_options[] = {
    {"home", "DIR", "ask this member's node for the documents of did:firmiana (default: none)",
     CLI_OPTIONAL},
    {"document", "FILE", "the DID document of an issuer", CLI_REPEATED},
    {"list", "FILE", "a status list of an issuer", CLI_REPEATED},
    {"challenge", "TEXT", "of a presentation: what was asked to be signed", CLI_OPTIONAL},
    {"domain", "TEXT", "of a presentation: who asked", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_credential_verify = {
    "credential verify",
    "FILE",
    1,
    1,
    "verify a credential or a presentation; one that is revoked, suspended or expired is invalid",
    "did:key needs nothing. A did:firmiana needs its document, from --document (did show) or from "
    "the node of --home.",
    verify_options,
    verify};
