/* firmiana credential present, verify: what holders and verifiers do, without any node. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "did/credential/credential.h"
#include "did/credential/jwt.h"
#include "did/key_did.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/keys.h"

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
        st = credential_own_key(&secret, method, args, err);
    if (st == FM_OK)
        st = credential_present(&shown, held, secret, method, cli_value(args, "challenge"),
                                cli_value(args, "domain"), credential_now_s(), err);
    if (st == FM_OK)
        st = credential_put_out(args, shown, err);
    did_secret_free(secret);
    json_decref(held);
    json_decref(shown);
    return st;
}

static const struct cli_option present_options[] = {
    {"key", "FILE", "the holder's sealed key", CLI_REQUIRED},
    {"challenge", "TEXT", "what the verifier asked to be signed: its own, and fresh", CLI_REQUIRED},
    {"domain", "TEXT", "who the verifier is", CLI_REQUIRED},
    CREDENTIAL_OUT_OPTION,
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
    printf("valid   %s\nissuer  %s\nuntil   %s\n", facts->form, facts->issuer, until);
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

/* The same of a file's text, which is JSON or a JWT. *value holds what the facts borrow from. */
static fm_status judge_text(struct credential_facts *facts, size_t *count, const char **holder,
                            json_t **value, struct base_buf *text, const struct cli_args *args,
                            const struct credential_verifier *verifier, struct base_err *err)
{
    const char *from = base_buf_cstr(text);
    fm_status st;

    from += strspn(from, " \t\r\n");
    if (*from == '{') {
        st = base_json_parse(value, base_buf_cstr(text), text->len, err);
        return st != FM_OK ? st : judge(facts, count, holder, *value, args, verifier, err);
    }
    *count = 1;
    *holder = NULL;
    while (text->len > 0 && strchr(" \t\r\n", text->p[text->len - 1]) != NULL)
        text->p[--text->len] = '\0';
    return credential_jwt_verify(&facts[0], value, from, verifier, err);
}

static fm_status verify(const struct cli_args *args, struct base_err *err)
{
    struct credential_facts facts[CREDENTIAL_SUBJECTS_MAX];
    struct credential_files files;
    struct base_buf text = {0};
    json_t *value = NULL;
    const char *holder;
    size_t count;
    fm_status st = credential_files_open(&files, args, credential_now_s(), err);

    if (st == FM_OK)
        st = base_file_read(&text, args->operands[0], CREDENTIAL_FILE_MAX, err);
    if (st == FM_OK) {
        st = judge_text(facts, &count, &holder, &value, &text, args, &files.verifier, err);
        if (st != FM_OK)
            st = base_err_prefix(err, "%s", args->operands[0]);
    }
    base_buf_release(&text);
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
