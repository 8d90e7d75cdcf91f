/* firmiana credential claims, present, schema: what holders do, without any node. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_any.h"
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
        st = base_json_any_load_file(&one, args->operands[i], CREDENTIAL_FILE_MAX, err);
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
        st = credential_read_text(&buf, &text, &json, args->operands[0], err);
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
    fm_status st = credential_read_text(&buf, &text, &json, args->operands[0], err);

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
            st = st != FM_OK ? st
                             : base_json_any_canonical(&value, json_object_get(one, "value"), err);
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
    bool as_json = cli_flag(args, "json");
    struct credential_schema one;
    json_t *all = json_array();

    for (size_t i = 0; credential_schema_at(&one, i); i++) {
        if (name == NULL && as_json)
            (void)json_array_append_new(all,
                                        json_pack("{s:s, s:s}", "name", one.name, "id", one.id));
        else if (name == NULL)
            printf("%-16s %s\n", one.name, one.id);
        else if (strcmp(name, one.name) == 0 || strcmp(name, one.id) == 0) {
            json_decref(all);
            return fputs(one.text, stdout) >= 0 ? FM_OK : base_err_errno(err, "standard output");
        }
    }
    if (name == NULL && as_json)
        return cli_print_made(all, err);
    json_decref(all);
    return name == NULL ? FM_OK
                        : base_err_set(err, FM_E_NOT_FOUND,
                                       "%.80s: no such schema; credential schema lists them", name);
}

static const struct cli_option schema_options[] = {CLI_JSON_OPTION, {0}};

const struct cli_command cli_credential_schema = {
    "credential schema",
    "[NAME]",
    0,
    1,
    "the JSON Schemas that come with firmiana: their ids, or one of them",
    "A credential names one: \"credentialSchema\": {\"id\": ID, \"type\": \"JsonSchema\"}, and is "
    "held against it when it is issued and when it is verified.",
    schema_options,
    schema};
