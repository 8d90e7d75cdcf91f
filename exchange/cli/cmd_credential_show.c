/* firmiana credential claims, present, verify: what holders and verifiers do, without any node. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "did/credential/credential.h"
#include "did/credential/jwt.h"
#include "did/credential/sd_vc.h"
#include "did/key_did.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/trail.h"

/* ---- presenting ---- */

/* The text of a file: a token without white space around it, or JSON, which is parsed, *json the
 * caller's. *text is the buffer's. Errors name the file. */
static fm_status read_text(struct base_buf *buf, const char **text, json_t **json, const char *path,
                           struct base_err *err)
{
    fm_status st = base_file_read(buf, path, CREDENTIAL_FILE_MAX, err);

    *json = NULL;
    *text = "";
    if (st != FM_OK)
        return st;
    while (buf->len > 0 && strchr(" \t\r\n", buf->p[buf->len - 1]) != NULL)
        buf->len--;
    *text = base_buf_cstr(buf);
    *text += strspn(*text, " \t\r\n");
    if (credential_is_token(*text) && *text + strlen(*text) == (const char *)buf->p + buf->len)
        return FM_OK;
    st = base_json_parse(json, base_buf_cstr(buf), buf->len, err);
    if (st == FM_OK && !json_is_object(*json))
        st = base_err_set(err, FM_E_INPUT, "line 1, column 1: must be a JSON object");
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

/* The claims of --disclose; "all" is the pointer to the whole. */
static size_t read_disclosed(const char *out[CLI_MAX_OPTIONS], const struct cli_args *args)
{
    size_t n = 0;
    const char *text;

    for (; (text = cli_value_at(args, "disclose", n)) != NULL; n++)
        out[n] = strcmp(text, "all") == 0 ? "" : text;
    return n;
}

static fm_status present_sd(const char *text, const struct cli_args *args, struct base_err *err)
{
    const struct credential_sd_request request = {cli_value(args, "challenge"),
                                                  cli_value(args, "domain")};
    const char *disclosed[CLI_MAX_OPTIONS];
    size_t count = read_disclosed(disclosed, args);
    char method[DID_KEY_METHOD_TEXT];
    struct did_secret *secret = NULL;
    struct base_buf shown = {0};
    json_t *value = NULL;
    fm_status st = credential_own_key(&secret, method, args, err);

    if (st == FM_OK)
        st = credential_sd_present(&shown, text, disclosed, count, secret, &request,
                                   credential_now_s(), err);
    if (st == FM_OK && (value = json_string(base_buf_cstr(&shown))) == NULL)
        st = base_err_memory(err, "presentation");
    if (st == FM_OK)
        st = credential_put_out(args, value, err);
    did_secret_free(secret);
    base_buf_release(&shown);
    json_decref(value);
    return st;
}

/* A credential about somebody else is refused here, where it is not given away yet. */
static fm_status check_own(const json_t *held, const char *method, const struct cli_args *args,
                           struct base_err *err)
{
    char did[DID_METHOD_TEXT];
    const json_t *one;
    fm_status st = did_method_split(did, method) ? FM_OK : FM_E_ARG; /* the key's own: it splits */
    size_t i;

    json_array_foreach(held, i, one)
    {
        st = st != FM_OK ? st : credential_check_subjects(one, did, err);
        if (st != FM_OK)
            return base_err_prefix(err, "%s", args->operands[i]);
    }
    return st;
}

static fm_status present_all(const struct cli_args *args, struct base_err *err)
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
        st = check_own(held, method, args, err);
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

/* One SD-JWT, or any number of credentials in JSON. */
static fm_status present(const struct cli_args *args, struct base_err *err)
{
    struct base_buf buf = {0};
    json_t *json = NULL;
    const char *text;
    fm_status st = credential_asked(args, 1, err);

    if (st == FM_OK)
        st = cli_fresh(cli_value(args, "out"), err);

    if (st == FM_OK)
        st = read_text(&buf, &text, &json, args->operands[0], err);
    if (st == FM_OK && json == NULL && strchr(text, '~') == NULL) {
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "%s: a JWT cannot be shown under a challenge: ask the issuer for an "
                          "SD-JWT, or JSON with a proof",
                          args->operands[0]);
    } else if (st == FM_OK && json == NULL) {
        st = args->operand_count > 1
                 ? base_err_set(err, FM_E_ARG, "an SD-JWT is shown by itself: one FILE")
                 : present_sd(text, args, err);
        if (st != FM_OK && st != FM_E_ARG)
            st = base_err_prefix(err, "%s", args->operands[0]);
    } else if (st == FM_OK && cli_value(args, "disclose") != NULL) {
        st = base_err_set(err, FM_E_ARG, "--disclose goes with an SD-JWT; %s is none",
                          args->operands[0]);
    } else if (st == FM_OK) {
        st = present_all(args, err);
    }
    json_decref(json);
    base_buf_release_secret(&buf);
    return st;
}

static const struct cli_option present_options[] = {
    {"key", "FILE", "the holder's sealed key", CLI_REQUIRED},
    {"challenge", "TEXT", "what the verifier asked to be signed: its own, and fresh", CLI_REQUIRED},
    {"domain", "TEXT", "who the verifier is", CLI_REQUIRED},
    {"disclose", "POINTER",
     "of an SD-JWT: a claim to show, with what it holds (see credential claims); 'all'; the rest "
     "stays hidden",
     CLI_REPEATED},
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

/* ---- what a holder has ---- */

static fm_status claims(const struct cli_args *args, struct base_err *err)
{
    struct base_buf buf = {0};
    const char *text;
    json_t *list = NULL, *json, *one;
    size_t i;
    fm_status st = read_text(&buf, &text, &json, args->operands[0], err);

    if (st == FM_OK && json != NULL)
        st = base_err_set(err, FM_E_INPUT, "%s: no SD-JWT: whoever shows it shows all of it",
                          args->operands[0]);
    if (st == FM_OK && (st = credential_sd_list(&list, text, err)) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(list, err);
    else
        json_array_foreach(list, i, one)
        {
            struct base_buf value = {0};
            st = st != FM_OK ? st : base_json_canonical(&value, json_object_get(one, "value"), err);
            if (st == FM_OK) {
                cli_put_foreign(cli_text(one, "pointer"));
                printf("%*s ",
                       (int)(strlen(cli_text(one, "pointer")) < 24
                                 ? 24 - strlen(cli_text(one, "pointer"))
                                 : 0),
                       "");
                cli_put_foreign(base_buf_cstr(&value));
                putchar('\n');
            }
            base_buf_release_secret(&value);
        }
    base_buf_release_secret(&buf);
    json_decref(json);
    json_decref(list);
    return st;
}

static const struct cli_option claims_options[] = {CLI_JSON_OPTION, {0}};

const struct cli_command cli_credential_claims = {
    "credential claims",
    "FILE",
    1,
    1,
    "what an SD-JWT lets its holder show or keep hidden: a pointer and a value each",
    NULL,
    claims_options,
    claims};

/* ---- schemas ---- */

static fm_status schema(const struct cli_args *args, struct base_err *err)
{
    const char *name = args->operand_count > 0 ? args->operands[0] : NULL;
    struct credential_schema one;

    for (size_t i = 0; credential_schema_at(&one, i); i++) {
        if (name == NULL)
            printf("%-16s %s\n", one.name, one.id);
        else if (strcmp(name, one.name) == 0 || strcmp(name, one.id) == 0)
            return fputs(one.text, stdout) >= 0 ? FM_OK : base_err_errno(err, "standard output");
    }
    return name == NULL ? FM_OK
                        : base_err_set(err, FM_E_NOT_FOUND,
                                       "%.80s: no such schema; credential schema lists them", name);
}

const struct cli_command cli_credential_schema = {
    "credential schema",
    "[NAME]",
    0,
    1,
    "the JSON Schemas that come with firmiana: their ids, or one of them",
    "A credential names one: \"credentialSchema\": {\"id\": ID, \"type\": \"JsonSchema\"}, and is "
    "held against it when it is issued and when it is verified.",
    NULL,
    schema};

/* ---- verifying ---- */

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
        st = base_json_canonical(&text, value, err);
        if (st == FM_OK) {
            printf("claim   %-24s ", name);
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

/* No key of the own and no passphrase is at work here: what is malformed or signed by nobody is
 * not valid, as everywhere where something is checked. */
static fm_status verdict(fm_status st, struct base_err *err)
{
    return st == FM_E_INPUT || st == FM_E_AUTH ? (err->code = FM_E_INVALID) : st;
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
        st = verdict(read_text(&buf, &text, &found.value, args->operands[0], err), err);
    if (st == FM_OK) {
        st = judge_text(&found, text, args, &files.verifier, err);
        if (st == FM_OK)
            st = check_schemas(&found, &files.more, err);
        st = verdict(st, err);
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
