/* firmiana credential verify: what verifiers do, without any node. */
#include <stdio.h>
#include <string.h>

#include "base/json_any.h"
#include "base/text.h"
#include "did/credential/credential.h"
#include "did/credential/jwt.h"
#include "did/credential/sd_vc.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/trail.h"

static void put_line(const char *label, const char *text)
{
    printf("%-7s ", label);
    cli_put_foreign(text);
    putchar('\n');
}

static void say(const struct credential_facts *facts)
{
    char until[DID_MOMENT_TEXT] = "for ever";
    struct base_err ignored = {0};

    if (facts->valid_until_s != INT64_MAX &&
        did_moment_format(until, facts->valid_until_s, &ignored) != FM_OK)
        until[0] = '\0';
    put_line("valid", facts->form);
    put_line("issuer", facts->issuer);
    put_line("until", until);
}

/* What a verifier asked to be signed, only a presentation can answer. */
static fm_status refuse_unasked(const struct cli_args *args, struct base_err *err)
{
    return cli_value(args, "challenge") == NULL
               ? FM_OK
               : base_err_set(err, FM_E_AUTH,
                              "a credential, and no presentation: nobody signed for this request");
}

/* One credential, or a presentation with its own. */
static fm_status judge(struct credential_facts *facts, size_t *count, const char **holder,
                       const json_t *value, const struct cli_args *args,
                       const struct credential_verifier *verifier, struct base_err *err)
{
    const char *challenge = cli_value(args, "challenge"), *domain = cli_value(args, "domain");
    fm_status st;

    *count = 1;
    *holder = NULL;
    if (!credential_has_type(value, "VerifiablePresentation")) {
        st = refuse_unasked(args, err);
        return st != FM_OK ? st : credential_verify(&facts[0], value, verifier, err);
    }
    if (challenge == NULL)
        return base_err_set(err, FM_E_ARG,
                            "a presentation needs --challenge and --domain, as they were given to "
                            "its holder");
    return credential_verify_presentation(facts, count, holder, value, challenge, domain, verifier,
                                          err);
}

/* What was found, whatever the form was. */
struct found {
    struct credential_facts facts[CREDENTIAL_SUBJECTS_MAX];
    struct credential_sd_facts sd;
    size_t count;
    const char *holder;
    json_t *value; /* what the facts borrow from: of an SD-JWT, its claims */
};

static fm_status judge_sd(struct found *found, const char *text, const struct cli_args *args,
                          const struct credential_verifier *verifier, struct base_err *err)
{
    const struct credential_sd_request request = {cli_value(args, "challenge"),
                                                  cli_value(args, "domain")};
    bool is_asked = request.nonce != NULL;
    fm_status st;

    if (!is_asked && text[0] != '\0' && text[strlen(text) - 1] != '~')
        return base_err_set(err, FM_E_ARG,
                            "a presentation needs --challenge and --domain, as they were given to "
                            "its holder");
    st = credential_sd_verify(&found->sd, &found->value, text, is_asked ? &request : NULL, verifier,
                              err);
    found->facts[0] = found->sd.common;
    found->holder = found->sd.is_bound ? found->sd.holder : NULL;
    return st;
}

/* The same of what a file has: JSON, which found has then, a JWT or an SD-JWT. */
static fm_status judge_text(struct found *found, const char *text, const struct cli_args *args,
                            const struct credential_verifier *verifier, struct base_err *err)
{
    fm_status st;

    found->count = 1;
    if (found->value != NULL)
        return judge(found->facts, &found->count, &found->holder, found->value, args, verifier,
                     err);
    if (strchr(text, '~') != NULL)
        return judge_sd(found, text, args, verifier, err);
    st = refuse_unasked(args, err);
    return st != FM_OK
               ? st
               : credential_jwt_verify(&found->facts[0], &found->value, text, verifier, err);
}

/* What was said of the subject, without what the lines above say already. */
static fm_status print_claims(const json_t *claims, struct base_err *err)
{
    static const char *const told[] = {"iss", "vct", "exp", "cnf"};
    const char *name;
    json_t *value;
    fm_status st = FM_OK;

    json_object_foreach((json_t *)(uintptr_t)claims, name, value)
    {
        struct base_buf text = {0};
        bool is_told = false;
        for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
            is_told |= strcmp(told[i], name) == 0;
        if (is_told || st != FM_OK)
            continue;
        st = base_json_any_canonical(&text, value, err);
        if (st == FM_OK) {
            printf("claim   %-24s ", BASE_LINE(name));
            cli_put_foreign(base_buf_cstr(&text));
            putchar('\n');
        }
        base_buf_release(&text);
    }
    return st;
}

static fm_status print_found(const struct found *found, const json_t *judged, struct base_err *err)
{
    const json_t *line;
    size_t i;

    if (found->holder != NULL)
        put_line("holder", found->holder);
    for (i = 0; i < found->count; i++)
        say(&found->facts[i]);
    json_array_foreach(judged, i, line) put_line("status", json_string_value(line));
    if (found->sd.type == NULL)
        return FM_OK;
    put_line("type", found->sd.type);
    return print_claims(found->value, err);
}

static json_t *facts_json(const struct credential_facts *facts)
{
    bool ends = facts->valid_until_s != INT64_MAX;
    json_t *out = json_pack("{s:s, s:s, s:I}", "form", facts->form, "issuer", facts->issuer,
                            "valid_from", (json_int_t)facts->valid_from_s);

    if (ends)
        (void)json_object_set_new(out, "valid_until",
                                  json_integer((json_int_t)facts->valid_until_s));
    return out;
}

static fm_status print_found_json(const struct found *found, json_t *judged, struct base_err *err)
{
    json_t *out =
        json_pack("{s:s*, s:[], s:O}", "holder", found->holder, "credentials", "status", judged);
    fm_status st;

    for (size_t i = 0; i < found->count; i++)
        (void)json_array_append_new(json_object_get(out, "credentials"),
                                    facts_json(&found->facts[i]));
    if (found->sd.type != NULL) {
        json_t *only = json_array_get(json_object_get(out, "credentials"), 0);
        (void)json_object_set_new(only, "type", json_string(found->sd.type));
        (void)json_object_set(only, "claims", found->value);
    }
    st = cli_print_json(out, err);
    json_decref(out);
    return st;
}

/* Schemas that do not come with this program: of the credential, or of each that is shown. */
static fm_status check_schemas(const struct found *found, const struct credential_schemas *more,
                               struct base_err *err)
{
    const json_t *held = json_object_get(found->value, "verifiableCredential"), *one;
    size_t i;
    fm_status st = FM_OK;

    if (found->sd.type != NULL)
        return credential_check_claims(found->value, CREDENTIAL_SCHEMA_PART, more, err);
    if (!json_is_array(held))
        return credential_check_schemas(held != NULL ? held : found->value, more, err);
    json_array_foreach(held, i, one) st =
        st != FM_OK ? st : credential_check_schemas(one, more, err);
    return st;
}

static fm_status verify(const struct cli_args *args, struct base_err *err)
{
    struct credential_files files;
    struct found found = {0};
    struct base_buf buf = {0};
    const char *text;
    fm_status st = credential_files_open(&files, args, credential_now_s(), err);

    if (st == FM_OK)
        st = credential_asked(args, CREDENTIAL_CHALLENGE_MIN, err);
    if (st == FM_OK)
        st = cli_verdict(credential_read_text(&buf, &text, &found.value, args->operands[0], err),
                         err);
    if (st == FM_OK) {
        st = judge_text(&found, text, args, &files.verifier, err);
        if (st == FM_OK)
            st = check_schemas(&found, &files.more, err);
        st = cli_verdict(st, err);
        if (st != FM_OK)
            st = base_err_prefix(err, "%s", args->operands[0]);
    }
    if (st == FM_OK)
        st = cli_flag(args, "json") ? print_found_json(&found, files.judged, err)
                                    : print_found(&found, files.judged, err);
    credential_files_release(&files);
    base_buf_release(&buf);
    json_decref(found.value);
    return st;
}

static const struct cli_option verify_options[] = {
    {"home", "DIR", "ask this member's node for the documents of did:firmiana (default: none)",
     CLI_OPTIONAL},
    {"document", "FILE",
     "the DID document of an issuer (did:firmiana, did:web), or what did resolve printed",
     CLI_REPEATED},
    {"list", "FILE", "a status list of an issuer", CLI_REPEATED},
    {"trail", "FILE",
     "an exported trail (audit export): keys are those of its end, and of status lists the newest "
     "that is anchored there is needed",
     CLI_OPTIONAL},
    CLI_CHAIN_OPTION,
    CREDENTIAL_SCHEMA_OPTION,
    {"challenge", "TEXT", "of a presentation: what was asked to be signed", CLI_OPTIONAL},
    {"domain", "TEXT", "of a presentation: who asked", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_credential_verify = {
    "credential verify",
    "FILE",
    1,
    1,
    "verify a credential or a presentation; one that is revoked, suspended or expired is invalid",
    "did:key needs nothing. A did:firmiana needs its document, from --document (did show), from "
    "the "
    "node of --home or from --trail;\na did:web needs it from --document.",
    verify_options,
    verify};
