/* firmiana sign, countersign: documents signed by members and by people (did/signature.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/keystore.h"
#include "did/scid.h"
#include "did/signature.h"
#include "did/url.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/signed_files.h"
#include "ledger/verify/signed.h"

#define SIGN_KEY_OPTION                                                                   \
    {                                                                                     \
        "key", "FILE",                                                                    \
            "a sealed key: an officer's, or a person's of credential key (default: this " \
            "member's node signs)",                                                       \
            CLI_OPTIONAL                                                                  \
    }

/* ---- signing ---- */

struct signer {
    struct did_secret *secret; /* NULL: the node signs */
    enum did_role role;
    char did[DID_METHOD_TEXT], method[DID_METHOD_TEXT];
};

static fm_status member_did(char out[DID_METHOD_TEXT], const struct cli_args *args,
                            struct base_err *err)
{
    json_t *me = NULL;
    fm_status st = cli_call(&me, args, "me", NULL, err);

    if (st == FM_OK)
        (void)snprintf(out, DID_METHOD_TEXT, "%s", cli_text(me, "did"));
    json_decref(me);
    return st;
}

/* An officer's key signs for the member, any other for its own did:key. */
static fm_status signer_of_key(struct signer *out, const struct cli_args *args,
                               struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    struct did_keyfile info;
    fm_status st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);

    if (st == FM_OK)
        st = did_keystore_load(&out->secret, &info, cli_value(args, "key"), pass, err);
    did_passphrase_free(pass);
    if (st != FM_OK)
        return st;
    if (strcmp(info.role, did_role_name(DID_ROLE_INVOCATION)) == 0) {
        out->role = DID_ROLE_INVOCATION;
        st = member_did(out->did, args, err);
        return st == FM_OK ? ledger_method_id(out->method, out->did, &info.key, err) : st;
    }
    st = did_key_did_encode(out->did, &info.key, err);
    return st == FM_OK ? did_key_method_encode(out->method, &info.key, err) : st;
}

static fm_status find_signer(struct signer *out, const struct cli_args *args, struct base_err *err)
{
    *out = (struct signer){.role = DID_ROLE_ASSERTION};
    return cli_value(args, "key") != NULL ? signer_of_key(out, args, err)
                                          : member_did(out->did, args, err);
}

/* Adds the signature; record may become another object. */
static fm_status add_signature(json_t **record, const struct signer *signer,
                               const struct cli_args *args, struct base_err *err)
{
    json_t *value = NULL, *made;
    fm_status st;

    if (signer->secret != NULL)
        return did_signature_sign(*record, signer->secret, signer->method, signer->role,
                                  credential_now_s(), err);
    st = cli_call(&value, args, "document.sign", json_pack("{s:O}", "record", *record), err);
    made = json_object_get(value, "record");
    if (st == FM_OK && made == NULL)
        st = base_err_set(err, FM_E_PEER, "the node signed nothing: is it of this version?");
    if (st == FM_OK) {
        json_decref(*record);
        *record = json_incref(made);
    }
    json_decref(value);
    return st;
}

/* Signs, checks all signatures as anyone would, and only then writes. */
static fm_status sign_and_save(json_t **record, const struct signer *signer,
                               const struct cli_args *args, const char *path, struct base_err *err)
{
    struct did_signature_report report;
    struct did_signature_keys keys;
    struct credential_files files;
    fm_status st = credential_files_open(&files, args, credential_now_s(), err);

    keys = signed_files_keys(&files);
    if (st == FM_OK)
        st = add_signature(record, signer, args, err);
    if (st == FM_OK)
        st = did_signature_verify(&report, *record, &keys, DID_RULES_VERSION, err);
    if (st == FM_OK)
        st = signed_files_save(path, *record, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_made(json_pack("{s:s, s:I, s:I}", "file", path, "signers",
                                      (json_int_t)report.count, "missing",
                                      (json_int_t)report.missing),
                            err);
    else if (st == FM_OK && report.missing == 0)
        printf("%s: signed by all %zu; firmiana anchor puts it on the ledger\n", path,
               report.count);
    else if (st == FM_OK)
        printf("%s: signed; %zu of %zu signers to come\n", path, report.missing, report.count);
    credential_files_release(&files);
    return st;
}

/* ---- sign ---- */

/* A DID that can sign: what is none would be missing for ever. */
static fm_status check_signer(const char *did, struct base_err *err)
{
    char chain[DID_CHAIN_TEXT], id[DID_SCID_TEXT];
    struct did_url url;
    struct did_key key;
    fm_status st = did_url_parse(&url, did, err);

    if (st == FM_OK && strcmp(url.did, did) != 0)
        st = base_err_set(err, FM_E_ARG, "a signer is a DID, without path, query and fragment");
    if (st == FM_OK && strcmp(url.method, "key") == 0)
        st = did_key_did_decode(&key, did, DID_RULES_VERSION, err);
    if (st == FM_OK && strcmp(url.method, "firmiana") == 0 && !did_scid_split(chain, id, did))
        st = base_err_set(err, FM_E_ARG, "no did:firmiana: that is 32 hex digits, ':' and a hash");
    if (st == FM_E_INPUT || st == FM_E_AUTH)
        st = err->code = FM_E_ARG;
    return st;
}

/* The DIDs of --signer, each an alias or a DID; else of who signs now. */
static fm_status read_signers(json_t *signers, const struct signer *self,
                              const struct cli_args *args, struct base_err *err)
{
    const char *name;
    size_t n = 0;

    for (; (name = cli_value_at(args, "signer", n)) != NULL; n++) {
        json_t *member = NULL;
        const char *did = name;
        fm_status st = FM_OK;
        if (strncmp(name, "did:", 4) != 0) {
            st = cli_call(&member, args, "member.get", json_pack("{s:s}", "name", name), err);
            did = cli_text(member, "did");
        } else {
            st = check_signer(did, err);
        }
        if (st == FM_OK && json_array_append_new(signers, json_string(did)) != 0)
            st = base_err_memory(err, "signers");
        json_decref(member);
        if (st != FM_OK)
            return base_err_prefix(err, "--signer %s", name);
    }
    if (n == 0 && json_array_append_new(signers, json_string(self->did)) != 0)
        return base_err_memory(err, "signers");
    return FM_OK;
}

static fm_status sign(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    struct did_signature_document document;
    struct signer signer = {0};
    json_t *signers = json_array(), *record = NULL;
    fm_status st = cli_fresh(out, err);

    if (st == FM_OK)
        st = ledger_signed_digest(&document, args->operands[0], err);
    if (st == FM_OK)
        st = find_signer(&signer, args, err);
    if (st == FM_OK)
        st = read_signers(signers, &signer, args, err);
    if (st == FM_OK)
        st = did_signature_new(&record, &document, signers, cli_flag(args, "in-order"),
                               cli_value(args, "purpose"), err);
    if (st == FM_OK)
        st = sign_and_save(&record, &signer, args, out, err);
    did_secret_free(signer.secret);
    json_decref(signers);
    json_decref(record);
    return st;
}

static const struct cli_option sign_options[] = {
    CLI_HOME_OPTION,
    {"out", "FILE", "where the signatures go: a file beside the document", CLI_REQUIRED},
    SIGN_KEY_OPTION,
    {"signer", "NAME",
     "a member's alias or a DID that must sign, in this order (default: only who signs now)",
     CLI_REPEATED},
    {"in-order", NULL, "each signs what those before it signed, after them", CLI_OPTIONAL},
    {"purpose", "TEXT", "why, signed with it", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_sign = {
    "sign",
    "FILE",
    1,
    1,
    "sign a document, as this member, its officer, or a person; alone or as the first of several",
    "The document stays where it is and is not copied. For a member signs its node, or as many "
    "officers as its DID\ndocument asks for, each with --key. What signers there are is signed "
    "too: nobody is added or left out later.",
    sign_options,
    sign};

/* ---- countersign ---- */

/* Whether the record is of the document in this file. */
static fm_status compare(const json_t *record, const struct cli_args *args, const char *document,
                         struct base_err *err)
{
    struct ledger_signed s = {0};
    struct did_signature_keys keys;
    struct credential_files files;
    fm_status st = credential_files_open(&files, args, credential_now_s(), err);

    keys = signed_files_keys(&files);
    if (st == FM_OK)
        st = did_signature_verify(&s.signatures, record, &keys, DID_RULES_VERSION, err);
    if (st == FM_OK)
        st = ledger_signed_compare(&s, document, err);
    credential_files_release(&files);
    return st;
}

static fm_status countersign(const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[1];
    struct signer signer = {0};
    json_t *record;
    fm_status st = signed_files_load(&record, path, err);

    if (st == FM_OK)
        st = compare(record, args, args->operands[0], err);
    if (st == FM_OK)
        st = find_signer(&signer, args, err);
    if (st == FM_OK)
        st = sign_and_save(&record, &signer, args, path, err);
    did_secret_free(signer.secret);
    json_decref(record);
    return st;
}

static const struct cli_option countersign_options[] = {
    CLI_HOME_OPTION, SIGN_KEY_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_countersign = {
    "countersign",
    "FILE SIGNED",
    2,
    2,
    "add one's signature to those of others, after checking them and the document",
    NULL,
    countersign_options,
    countersign};
