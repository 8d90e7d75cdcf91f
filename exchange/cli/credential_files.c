#include "exchange/cli/credential_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_any.h"
#include "base/random.h"
#include "did/credential/document_key.h"
#include "did/credential/places.h"
#include "did/keystore.h"
#include "did/moment.h"
#include "exchange/cli/common.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/trail.h"

/* ---- keys and output ---- */

int64_t credential_now_s(void)
{
    return base_clock_unix_ms(base_clock_system()) / 1000;
}

fm_status credential_own_key(struct did_secret **out, char method[DID_KEY_METHOD_TEXT],
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

fm_status credential_read_text(struct base_buf *buf, const char **text, json_t **json,
                               const char *path, struct base_err *err)
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
    st = base_json_any_parse(json, base_buf_cstr(buf), buf->len, err);
    if (st == FM_OK && !json_is_object(*json))
        st = base_err_set(err, FM_E_INPUT, "line 1, column 1: must be a JSON object");
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

fm_status credential_asked(const struct cli_args *args, size_t challenge_min, struct base_err *err)
{
    const char *challenge = cli_value(args, "challenge"), *domain = cli_value(args, "domain");

    if ((challenge == NULL) != (domain == NULL))
        return base_err_set(err, FM_E_ARG, "--challenge and --domain go together");
    if (challenge != NULL && (challenge[0] == '\0' || domain[0] == '\0'))
        return base_err_set(err, FM_E_ARG, "--%s is empty: who asks names itself and a fresh text",
                            domain[0] == '\0' ? "domain" : "challenge");
    if (challenge != NULL && strlen(challenge) < challenge_min)
        return base_err_set(
            err, FM_E_ARG,
            "--challenge: %zu bytes can be guessed: at least %zu, random, and fresh "
            "for each request",
            strlen(challenge), challenge_min);
    return FM_OK;
}

fm_status credential_own_places(const struct cli_args *args, const json_t *credentials,
                                struct base_err *err)
{
    char folder[4096];
    int n = snprintf(folder, sizeof folder, "%s.places", cli_value(args, "key"));

    return n > 0 && n < (int)sizeof folder
               ? credential_places_take(folder, credentials, err)
               : base_err_set(err, FM_E_ARG, "--key: the path is too long");
}

static fm_status put_out(const struct cli_args *args, const json_t *value, unsigned mode,
                         struct base_err *err)
{
    const char *out = cli_value(args, "out");

    if (json_is_string(value) && out == NULL)
        return printf("%s\n", json_string_value(value)) > 0
                   ? FM_OK
                   : base_err_errno(err, "standard output");
    if (json_is_string(value))
        return base_file_write(out, json_string_value(value), json_string_length(value), mode, err);
    return out == NULL ? cli_print_json(value, err) : cli_write_json(out, value, mode, err);
}

fm_status credential_put_out(const struct cli_args *args, const json_t *value, struct base_err *err)
{
    return put_out(args, value, 0600, err);
}

fm_status credential_put_public(const struct cli_args *args, const json_t *value,
                                struct base_err *err)
{
    return put_out(args, value, 0644, err);
}

/* ---- documents ---- */

/* One of did:web is kept as it is: nothing but the caller's word says that it is that DID's. */
static fm_status add_web(struct credential_files *f, const json_t *json, struct base_err *err)
{
    return json_object_set(f->web, json_string_value(json_object_get(json, "id")),
                           (json_t *)(uintptr_t)json) == 0
               ? FM_OK
               : base_err_memory(err, "documents");
}

static bool is_of(const json_t *json, const char *method)
{
    const char *id = json_string_value(json_object_get(json, "id"));

    return id != NULL && strncmp(id, method, strlen(method)) == 0;
}

static fm_status add_document(struct credential_files *f, const json_t *json, struct base_err *err)
{
    struct did_document **grown =
        realloc(f->documents, (f->document_count + 1) * sizeof(struct did_document *));
    fm_status st;

    if (grown == NULL)
        return base_err_memory(err, "documents");
    f->documents = grown;
    st = did_document_parse(&grown[f->document_count], json, DID_RULES_VERSION, err);
    if (st == FM_OK)
        f->document_count++;
    return st;
}

static const struct did_document *find_document(const struct credential_files *f, const char *did)
{
    for (size_t i = 0; i < f->document_count; i++)
        if (strcmp(did_document_id(f->documents[i]), did) == 0)
            return f->documents[i];
    return NULL;
}

/* What a file holds: a document, or the result of resolving a DID. */
static fm_status add_file(struct credential_files *f, const char *path, struct base_err *err)
{
    const json_t *document;
    json_t *json;
    fm_status st = base_json_load_file(&json, path, DID_DOCUMENT_MAX, err);

    if (st != FM_OK)
        return st;
    document = json_object_get(json, "didDocument");
    if (document == NULL)
        document = json;
    st = is_of(document, "did:web:") ? add_web(f, document, err) : add_document(f, document, err);
    json_decref(json);
    return st != FM_OK ? base_err_prefix(err, "%s", path) : FM_OK;
}

/* The node's, kept for the next question. */
static fm_status ask_node(struct credential_files *f, const char *did, struct base_err *err)
{
    struct base_err none = {0};
    const char *home;
    json_t *value;
    fm_status st;

    if (cli_home(&home, f->args, &none) != FM_OK)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "the document of %.120s is not at hand: give it with --document, or "
                            "name a member's node with --home",
                            did);
    st = cli_call(&value, f->args, "member.get", json_pack("{s:s}", "name", did), err);
    if (st == FM_OK)
        st = add_document(f, json_object_get(value, "document"), err);
    if (st == FM_OK && find_document(f, did) == NULL)
        st = base_err_set(err, FM_E_PEER, "the node answered with another document than %.120s's",
                          did);
    json_decref(value);
    return st;
}

fm_status credential_files_document(const struct did_document **out, struct credential_files *f,
                                    const char *did, struct base_err *err)
{
    const struct ledger_identity *member =
        f->trail == NULL ? NULL : ledger_members_by_did(f->trail->members, did);
    fm_status st = FM_OK;

    *out = member == NULL ? NULL : member->doc;
    if (*out != NULL)
        return FM_OK;
    if (f->trail != NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "%.120s is no member of the trail's ledger", did);
    if (find_document(f, did) == NULL)
        st = ask_node(f, did, err);
    *out = st == FM_OK ? find_document(f, did) : NULL;
    return st;
}

static fm_status find_web_key(struct credential_files *f, struct did_key *out, const char *did,
                              const char *method, enum did_role role, struct base_err *err)
{
    const json_t *document = json_object_get(f->web, did);

    return document != NULL
               ? credential_document_key(out, document, method, role, DID_RULES_VERSION, err)
               : base_err_set(
                     err, FM_E_NOT_FOUND,
                     "the document of %.120s is not at hand: fetch it with did resolve and "
                     "give it with --document",
                     did);
}

static fm_status find_key(void *ctx, struct did_key *out, const char *method, enum did_role role,
                          struct base_err *err)
{
    struct credential_files *f = ctx;
    const struct did_document *doc;
    char did[DID_METHOD_TEXT];
    fm_status st;

    if (strncmp(method, "did:key:", 8) == 0)
        return did_proof_resolve_did_key(NULL, out, method, role, err);
    if (did_method_split(did, method) && strncmp(did, "did:web:", 8) == 0)
        return find_web_key(f, out, did, method, role, err);
    if (!did_method_split(did, method) || strncmp(did, "did:firmiana:", 13) != 0)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "'%.80s': known here are keys of did:key, did:firmiana and did:web",
                            method);
    st = credential_files_document(&doc, f, did, err);
    return st == FM_OK ? did_document_key(doc, out, role, method, err) : st;
}

/* ---- lists ---- */

static fm_status note(struct credential_files *f, const char *id, const char *text,
                      struct base_err *err)
{
    char line[256];

    (void)snprintf(line, sizeof line, "%.120s: %.120s", id, text);
    return json_array_append_new(f->judged, json_string(line)) == 0
               ? FM_OK
               : base_err_memory(err, "status lists");
}

/* Is it the newest that its issuer anchored (format.md section 16)? */
static fm_status check_fresh(struct credential_files *f, const json_t *list, const char *id,
                             struct base_err *err)
{
    const char *issuer = credential_id_of(list, "issuer");
    char when[DID_MOMENT_TEXT], end[DID_MOMENT_TEXT], text[160];
    const struct ledger_verified_list *newest = NULL;
    uint8_t digest[32];
    fm_status st = issuer == NULL ? base_err_set(err, FM_E_INPUT, "it has no issuer")
                                  : ledger_verified_list(&newest, f->trail, issuer, id, err);

    if (st == FM_OK)
        st = did_moment_format(end, f->trail->time_ms / 1000, err);
    if (st == FM_OK && newest == NULL) {
        (void)snprintf(text, sizeof text, "never anchored on the trail's ledger, up to %s", end);
        return note(f, id, text, err);
    }
    if (st == FM_OK)
        st = did_moment_format(when, newest->time_ms / 1000, err);
    if (st == FM_OK)
        st = base_json_hash(digest, list, err);
    if (st == FM_OK && memcmp(digest, newest->digest, sizeof digest) != 0)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "not the newest that the trail has, version %lld of %s: fetch that, or a "
                          "newer trail",
                          (long long)newest->version, when);
    if (st != FM_OK)
        return st;
    (void)snprintf(text, sizeof text, "version %lld of %s, the newest up to %s",
                   (long long)newest->version, when, end);
    return note(f, id, text, err);
}

static fm_status find_list(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    struct credential_files *f = ctx;
    fm_status st = FM_OK;

    *out = json_incref(json_object_get(f->lists, id));
    if (*out == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "not at hand: fetch it and give it with --list");
    if (f->trail != NULL)
        st = check_fresh(f, *out, id, err);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

static fm_status add_list(struct credential_files *f, const char *path, struct base_err *err)
{
    json_t *list;
    const char *id;
    fm_status st = base_json_load_file(&list, path, CREDENTIAL_FILE_MAX, err);

    if (st != FM_OK)
        return st;
    if (base_json_get_str(&id, list, "id", err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    else if (json_object_set(f->lists, id, list) != 0)
        st = base_err_memory(err, path);
    json_decref(list);
    return st;
}

/* ---- schemas ---- */

static fm_status find_schema(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    struct credential_files *f = ctx;

    *out = json_incref(json_object_get(f->schemas, id));
    return *out != NULL ? FM_OK
                        : base_err_set(err, FM_E_NOT_FOUND, "not at hand: give it with --schema");
}

static fm_status add_schema(struct credential_files *f, const char *path, struct base_err *err)
{
    json_t *schema;
    const char *id;
    fm_status st = base_json_load_file(&schema, path, CREDENTIAL_FILE_MAX, err);

    if (st != FM_OK)
        return st;
    st = base_json_get_str(&id, schema, "$id", err);
    if (st == FM_OK)
        st = credential_json_schema_check(schema, err);
    if (st != FM_OK)
        st = base_err_prefix(err, "%s", path);
    else if (json_object_set(f->schemas, id, schema) != 0)
        st = base_err_memory(err, path);
    json_decref(schema);
    return st;
}

fm_status credential_files_schemas(struct credential_files *f, const struct cli_args *args,
                                   struct base_err *err)
{
    const char *path;
    fm_status st = FM_OK;

    f->schemas = json_object();
    f->more = (struct credential_schemas){find_schema, f};
    for (size_t i = 0; st == FM_OK && (path = cli_value_at(args, "schema", i)) != NULL; i++)
        st = add_schema(f, path, err);
    return st;
}

/* ---- all of them ---- */

/* Checks the trail, and that no document was given that it knows as an old one. */
static fm_status read_trail(struct credential_files *f, const char *path, struct base_err *err)
{
    FILE *file = fopen(path, "rb");
    fm_status st =
        file == NULL ? base_err_errno(err, path) : cli_trail_verify(&f->trail, f->args, file, err);

    if (st == FM_OK)
        st = ledger_verified_complete(f->trail, err);
    if (file != NULL)
        (void)fclose(file);
    for (size_t i = 0; st == FM_OK && i < f->document_count; i++) {
        const char *did = did_document_id(f->documents[i]);
        const struct ledger_identity *member = ledger_members_by_did(f->trail->members, did);
        if (member != NULL &&
            memcmp(did_document_hash32(member->doc), did_document_hash32(f->documents[i]), 32) != 0)
            st = base_err_set(
                err, FM_E_INVALID,
                "the document of %.120s that was given is not that of the trail's end", did);
    }
    return st != FM_OK ? base_err_prefix(err, "%s", path) : FM_OK;
}

fm_status credential_files_open(struct credential_files *f, const struct cli_args *args,
                                int64_t now_s, struct base_err *err)
{
    const char *path;
    fm_status st = FM_OK;

    *f = (struct credential_files){.args = args,
                                   .lists = json_object(),
                                   .web = json_object(),
                                   .judged = json_array(),
                                   .resolver = {find_key, f},
                                   .source = {find_list, f}};
    f->verifier = (struct credential_verifier){&f->resolver, &f->source, DID_RULES_VERSION, now_s};
    if (f->lists == NULL)
        return base_err_memory(err, "status lists");
    st = credential_files_schemas(f, args, err);
    for (size_t i = 0; st == FM_OK && (path = cli_value_at(args, "document", i)) != NULL; i++) {
        st = add_file(f, path, err);
    }
    if (st == FM_OK && (path = cli_value(args, "trail")) != NULL)
        st = read_trail(f, path, err);
    for (size_t i = 0; st == FM_OK && (path = cli_value_at(args, "list", i)) != NULL; i++)
        st = add_list(f, path, err);
    return st;
}

void credential_files_release(struct credential_files *f)
{
    for (size_t i = 0; i < f->document_count; i++)
        did_document_free(f->documents[i]);
    free(f->documents);
    json_decref(f->lists);
    json_decref(f->schemas);
    json_decref(f->web);
    json_decref(f->judged);
    ledger_verified_free(f->trail);
    *f = (struct credential_files){0};
}
