/* firmiana did resolve, did export: DIDs as others read them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "did/web.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/did_sources.h"
#include "exchange/cli/trail.h"

/* ---- resolve ---- */

static fm_status read_which(struct did_which *out, const struct cli_args *args,
                            struct base_err *err)
{
    const char *version = cli_value(args, "version-id"), *time = cli_value(args, "version-time");
    const char *height = cli_value(args, "at-height");
    fm_status st = FM_OK;

    *out = (struct did_which){0};
    if ((version != NULL) + (time != NULL) + (height != NULL) > 1)
        return base_err_set(err, FM_E_ARG,
                            "say which version once: --version-id, --version-time or --at-height");
    if (version != NULL)
        st = did_which_version(out, version, err);
    else if (time != NULL)
        st = did_which_time(out, time, err);
    else if (height != NULL) {
        st = cli_int(&out->value, args, "at-height", 0, BASE_JSON_MAX_INT, err);
        out->by = DID_AT_HEIGHT;
    }
    return st;
}

/* With null where there is no document, which is why it is not canonical JSON of ours. */
static fm_status print_result(const json_t *result, struct base_err *err)
{
    if (json_dumpf(result, stdout, JSON_SORT_KEYS | JSON_INDENT(2)) != 0 || printf("\n") < 0)
        return base_err_errno(err, "standard output");
    return FM_OK;
}

/* An alias stands for its member's DID, where a node is at hand that knows it. */
static fm_status read_name(const char **url, json_t **member, const struct cli_args *args,
                           struct base_err *err)
{
    bool has_node = cli_value(args, "trail") == NULL &&
                    (cli_value(args, "home") != NULL || getenv("FIRMIANA_HOME") != NULL);
    fm_status st;

    *member = NULL;
    *url = args->operands[0];
    if (strncmp(*url, "did:", 4) == 0 || !did_alias_is_valid(*url))
        return FM_OK;
    if (!has_node)
        return base_err_set(err, FM_E_ARG,
                            "'%s' is not a DID: of an alias --home DIR (or FIRMIANA_HOME) knows it",
                            *url);
    st = cli_call(member, args, "member.get", json_pack("{s:s}", "name", *url), err);
    *url = cli_text(*member, "did");
    return st;
}

static fm_status resolve(const struct cli_args *args, struct base_err *err)
{
    struct resolve_sources sources = cli_did_sources(args);
    struct base_err second = {0};
    struct did_which which;
    json_t *result = NULL, *member = NULL;
    const char *url;
    fm_status st = read_which(&which, args, err);

    if (st == FM_OK)
        st = read_name(&url, &member, args, err);
    if (st == FM_OK)
        st = resolve_url(&result, &sources, url, &which, err);
    if (result != NULL && print_result(result, &second) != FM_OK && st == FM_OK)
        st = base_err_set(err, second.code, "%s", second.text);
    if (st == FM_OK && did_resolution_is_deactivated(result))
        st = base_err_set(err, FM_E_INVALID, "deactivated: nothing is signed for it any more");
    json_decref(result);
    json_decref(member);
    return st;
}

static const struct cli_option resolve_options[] = {
    CLI_HOME_OPTION,
    {"trail", "FILE", "an exported trail (audit export) instead of a node: checked whole first",
     CLI_OPTIONAL},
    CLI_CHAIN_OPTION,
    {"at-height", "H", "as it was after block H", CLI_OPTIONAL},
    {"version-id", "N", "its version N", CLI_OPTIONAL},
    {"version-time", "TIME", "as it was then: 2026-11-20T09:51:00Z", CLI_OPTIONAL},
    {"ca", "FILE", "for did:web: trust the CAs in this PEM file alone (default: the system's)",
     CLI_OPTIONAL},
    {0}};

const struct cli_command cli_did_resolve = {
    "did resolve",
    "DID|ALIAS",
    1,
    1,
    "a DID's document, or what a DID URL names: did:firmiana, did:key, did:web",
    "Prints a W3C DID Resolution result, as JSON: document, how it was resolved, which version it "
    "is and which is next.\n"
    "did:firmiana comes from a member's node or from a trail, at any height or version; did:web "
    "over HTTPS, with\n"
    "no redirect followed. With a fragment (DID#key) only that method or service is printed.\n"
    "Exit code: 0; 1 it is deactivated; 2 not a DID; 12 not found; 14 method not known; others as "
    "in the README.",
    resolve_options,
    resolve};

/* ---- export ---- */

/* Root, the first so many characters of path, and every folder between it and the file: a web
 * server is another user, so the umask does not matter. */
static fm_status make_folders(char *path, size_t root, struct base_err *err)
{
    for (char *slash = path + root - 1; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        if (mkdir(path, 0755) == 0 ? chmod(path, 0755) != 0 : errno != EEXIST)
            return base_err_errno(err, path);
        *slash = '/';
    }
    return FM_OK;
}

static fm_status write_document(const char *root, const char *file, const json_t *document,
                                struct base_err *err)
{
    struct base_buf path = {0}, text = {0};
    fm_status st;

    base_buf_putf(&path, "%s/%s", root, file);
    st = base_json_canonical(&text, document, err);
    base_buf_put_u8(&text, '\n');
    (void)base_buf_cstr(&path);
    if (st == FM_OK && (path.failed || text.failed))
        st = base_err_memory(err, "did:web document");
    if (st == FM_OK)
        st = make_folders((char *)path.p, strlen(root), err);
    if (st == FM_OK)
        st = base_file_write((const char *)path.p, text.p, text.len, 0644, err);
    base_buf_release(&path);
    base_buf_release(&text);
    return st;
}

static fm_status export_web(const struct cli_args *args, struct base_err *err)
{
    const char *name = cli_value(args, "member");
    const char *root = args->operands[0][0] != '\0' ? args->operands[0] : ".";
    char did[DID_URL_TEXT], file[DID_URL_TEXT];
    struct did_document *doc = NULL;
    json_t *value = NULL, *me = NULL, *document = NULL;
    fm_status st = did_web_place(did, file, cli_value(args, "web"), err);

    if (st == FM_OK && name == NULL) {
        st = cli_call(&me, args, "me", NULL, err);
        name = cli_text(me, "did");
    }
    if (st == FM_OK)
        st = cli_call(&value, args, "member.get", json_pack("{s:s}", "name", name), err);
    if (st == FM_OK)
        st = did_document_parse(&doc, json_object_get(value, "document"), DID_RULES_VERSION, err);
    if (st == FM_OK)
        st = did_web_export(&document, doc, did, err);
    if (st == FM_OK)
        st = write_document(root, file, document, err);
    if (st == FM_OK)
        printf("%s: %s/%s, of version %lld of %s\n", did, root, file,
               (long long)did_document_version(doc), did_document_alias(doc));
    json_decref(document);
    did_document_free(doc);
    json_decref(value);
    json_decref(me);
    return st;
}

static const struct cli_option export_options[] = {
    CLI_HOME_OPTION,
    {"web", "HOST[:PORT][/PATH]", "where it will stand: bank-a.example is did:web:bank-a.example",
     CLI_REQUIRED},
    {"member", "ALIAS", "whose document (default: one's own)", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_did_export = {
    "did export",
    "DIR",
    1,
    1,
    "write a member's current document as did:web, for a web server to serve",
    "DIR is the root of the server's files: the document goes to DIR/.well-known/did.json, or "
    "DIR/PATH/did.json.\n"
    "It says in alsoKnownAs which DID it is on the ledger. Export it anew after every change of "
    "keys: what rests on\n"
    "did:web rests on the web server and its certificate, not on the ledger.",
    export_options,
    export_web};
