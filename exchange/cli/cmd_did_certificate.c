/* firmiana did attach, did certificate: which organisation a DID is, by an X.509 certificate. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "did/keystore.h"
#include "did/moment.h"
#include "did/x509.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/did_sources.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/trail.h"

#define PEM_MAX ((size_t)4 << 20)

/* ---- documents ---- */

/* A member's document: from --document, else resolved, as it was at that moment (0: now). */
static fm_status find_document(struct did_document **out, const struct cli_args *args,
                               const char *did, int64_t at_ms, struct base_err *err)
{
    struct resolve_sources sources = cli_did_sources(args);
    struct did_which which = {at_ms != 0 ? DID_AT_TIME : DID_NEWEST, at_ms};
    const char *path = cli_value(args, "document");
    json_t *result = NULL, *json = NULL;
    fm_status st;

    *out = NULL;
    if (path != NULL) {
        st = base_json_load_file(&json, path, DID_DOCUMENT_MAX, err);
    } else {
        st = resolve_did(&result, &sources, did, &which, err);
        json = json_incref(json_object_get(result, "didDocument"));
    }
    if (st == FM_OK)
        st = did_document_parse(out, json, DID_RULES_VERSION, err);
    json_decref(json);
    json_decref(result);
    return st;
}

/* ---- attach ---- */

static fm_status own_did(const char **did, json_t **me, const struct cli_args *args,
                         struct base_err *err)
{
    fm_status st;

    *did = cli_value(args, "did");
    if (*did != NULL)
        return FM_OK;
    st = cli_call(me, args, "me", NULL, err);
    *did = cli_text(*me, "did");
    return st;
}

/* Which method of the document the key is, and in which role it signs a record. */
static fm_status own_method(const char **method, enum did_role *role,
                            const struct did_document *doc, const struct did_key *key,
                            struct base_err *err)
{
    size_t n;
    const struct did_method *all = did_document_methods(doc, &n);

    for (size_t i = 0; i < n; i++) {
        if (!did_key_equal(&all[i].key, key) ||
            (all[i].roles & (DID_ROLE_ASSERTION | DID_ROLE_INVOCATION)) == 0)
            continue;
        *method = all[i].id;
        *role = (all[i].roles & DID_ROLE_ASSERTION) != 0 ? DID_ROLE_ASSERTION : DID_ROLE_INVOCATION;
        return FM_OK;
    }
    return base_err_set(err, FM_E_ARG,
                        "--key: it is neither an officer's nor the node's assertion key in version "
                        "%lld of %s's document",
                        (long long)did_document_version(doc), did_document_alias(doc));
}

static fm_status open_key(struct did_secret **out, const struct cli_args *args,
                          struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    fm_status st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_keystore_load(out, NULL, cli_value(args, "key"), pass, err);
    did_passphrase_free(pass);
    return st;
}

static fm_status attach(const struct cli_args *args, struct base_err *err)
{
    const char *did, *method = NULL;
    enum did_role role = DID_ROLE_ASSERTION;
    struct did_document *doc = NULL;
    struct did_secret *secret = NULL;
    struct base_buf pem = {0};
    json_t *me = NULL, *record = NULL;
    fm_status st = own_did(&did, &me, args, err);

    if (st == FM_OK)
        st = find_document(&doc, args, did, 0, err);
    if (st == FM_OK)
        st = base_file_read(&pem, args->operands[0], PEM_MAX, err);
    if (st == FM_OK)
        st = open_key(&secret, args, err);
    if (st == FM_OK)
        st = own_method(&method, &role, doc, did_secret_key(secret), err);
    if (st == FM_OK && did_x509_attach(&record, (const char *)pem.p, pem.len, method, secret, role,
                                       credential_now_s(), err) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "out"), record, 0644, err);
    if (st == FM_OK)
        printf("%s: the certificate, signed for by %s\n", cli_value(args, "out"), method);
    json_decref(record);
    json_decref(me);
    base_buf_release(&pem);
    did_secret_free(secret);
    did_document_free(doc);
    return st;
}

#define DOCUMENT_OPTION                                                                    \
    {                                                                                      \
        "document", "FILE", "the member's DID document (default: from --home or --trail)", \
            CLI_OPTIONAL                                                                   \
    }
#define TRAIL_OPTION                                                                              \
    {                                                                                             \
        "trail", "FILE", "an exported trail instead of a node: checked whole first", CLI_OPTIONAL \
    }

static const struct cli_option attach_options[] = {
    CLI_HOME_OPTION,
    {"did", "DID", "whose (default: the node's member)", CLI_OPTIONAL},
    DOCUMENT_OPTION,
    TRAIL_OPTION,
    CLI_CHAIN_OPTION,
    {"key", "FILE", "the sealed key that signs: the certificate's own, or another of the member's",
     CLI_REQUIRED},
    CLI_PASSPHRASE_OPTION,
    {"out", "FILE", "the record, for whoever wants to know", CLI_REQUIRED},
    {0}};

const struct cli_command cli_did_attach = {
    "did attach",
    "CERTIFICATES.pem",
    1,
    1,
    "bind an X.509 certificate of this member to its DID: a signed record to hand out",
    "The file has the member's certificate first, then those between it and the CA's root. It must "
    "be that of the\n"
    "signing key (a key of the DID document), or have the DID as a URI in its subjectAltName.",
    attach_options,
    attach};

/* ---- certificate ---- */

static void print_moment(const char *name, int64_t unix_s)
{
    char text[DID_MOMENT_TEXT] = "-";
    struct base_err err = {0};

    if (did_moment_format(text, unix_s, &err) == FM_OK)
        printf("%-8s %s\n", name, text);
}

static fm_status print_facts(const struct cli_args *args, const struct did_document *doc,
                             const struct did_x509_facts *f, struct base_err *err)
{
    json_t *json;
    fm_status st;

    if (cli_flag(args, "json")) {
        json =
            json_pack("{s:s,s:s,s:b,s:b,s:s,s:s,s:I,s:I,s:s,s:s}", "alias", did_document_alias(doc),
                      "did", did_document_id(doc), "bound_by_key", (int)f->by_key, "bound_by_name",
                      (int)f->by_name, "subject", f->subject, "issuer", f->issuer, "valid_from",
                      (json_int_t)f->from_s, "valid_until", (json_int_t)f->until_s, "serial",
                      f->serial, "role", did_role_name(f->role));
        st = json != NULL ? cli_print_json(json, err) : base_err_memory(err, "certificate");
        json_decref(json);
        return st;
    }
    printf("valid    %s is %s\n", did_document_alias(doc), f->subject);
    printf("did      %s\n", did_document_id(doc));
    printf("issuer   %s\n", f->issuer);
    printf("serial   %s\n", f->serial);
    printf("bound    %s%s%s\n",
           f->by_key ? "by the certificate's key, which is in the document and "
                       "signed this"
                     : "",
           f->by_key && f->by_name ? "; " : "",
           f->by_name ? "by the CA, which put the DID into the certificate" : "");
    print_moment("from", f->from_s);
    print_moment("until", f->until_s);
    if (cli_value(args, "crl") == NULL)
        puts("revoked  not looked at: give the CA's lists with --crl");
    return FM_OK;
}

static fm_status read_moment(int64_t *at_s, const struct cli_args *args, struct base_err *err)
{
    const char *text = cli_value(args, "at");

    *at_s = credential_now_s();
    return text == NULL || did_moment_parse_any(at_s, text)
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "--at: written like 2026-11-20T09:51:00Z");
}

static fm_status check(const struct cli_args *args, struct base_err *err)
{
    const char *crl = cli_value(args, "crl"), *did;
    struct did_x509_terms terms = {.rules_version = DID_RULES_VERSION};
    struct did_x509_facts facts;
    struct did_document *doc = NULL;
    struct base_buf roots = {0}, crls = {0};
    json_t *record = NULL;
    fm_status st = read_moment(&terms.at_s, args, err);

    if (st == FM_OK)
        st = cli_verdict(base_json_load_file(&record, args->operands[0], DID_X509_RECORD_MAX, err),
                         err);
    if (st == FM_OK && (st = cli_verdict(did_x509_did(&did, record, err), err)) != FM_OK)
        (void)base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK)
        st = base_file_read(&roots, cli_value(args, "ca"), PEM_MAX, err);
    if (st == FM_OK && crl != NULL)
        st = base_file_read(&crls, crl, PEM_MAX, err);
    if (st == FM_OK)
        st = find_document(&doc, args, did,
                           cli_value(args, "at") != NULL ? terms.at_s * 1000 + 999 : 0, err);
    if (st == FM_OK) {
        terms.roots = (const char *)roots.p;
        terms.roots_len = roots.len;
        terms.crls = crl != NULL ? base_buf_cstr(&crls) : NULL;
        terms.crls_len = crls.len;
        st = cli_verdict(did_x509_verify(&facts, record, doc, &terms, err), err);
        if (st == FM_E_INVALID)
            (void)base_err_prefix(err, "%s", args->operands[0]);
    }
    if (st == FM_OK)
        st = print_facts(args, doc, &facts, err);
    did_document_free(doc);
    json_decref(record);
    base_buf_release(&roots);
    base_buf_release(&crls);
    return st;
}

static const struct cli_option check_options[] = {
    {"ca", "FILE", "certificates (PEM) of the CAs to trust, and nothing else", CLI_REQUIRED},
    {"crl", "FILE", "revocation lists (PEM), one for each CA of the chain", CLI_OPTIONAL},
    {"at", "TIME", "at that moment, under the document of then (default: now)", CLI_OPTIONAL},
    CLI_HOME_OPTION,
    DOCUMENT_OPTION,
    TRAIL_OPTION,
    CLI_CHAIN_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_did_certificate = {
    "did certificate",
    "RECORD",
    1,
    1,
    "check which organisation a DID is: the certificate, its chain, and that it belongs to the DID",
    "RECORD is what did attach wrote. Exit code: 0 valid; 1 malformed, not bound to the DID, "
    "expired, not yet valid,\nrevoked, for other uses, or a signature or the chain does not hold.",
    check_options,
    check};
