/* firmiana anchor, verify: signed documents on the ledger (ledger/verify/signed.h). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/deposit.h"
#include "exchange/cli/signed_files.h"
#include "exchange/cli/trail.h"
#include "ledger/store/chain.h"

/* ---- anchor ---- */

/* The receipt of one document: these bytes. */
static fm_status receipt_of(struct evidence_receipt *r, const struct cli_args *args,
                            const char *path, struct base_err *err)
{
    const char *slash = strrchr(path, '/');
    uint8_t digest[32];
    json_t *me = NULL;
    fm_status st = cli_call(&me, args, "me", NULL, err);

    if (st == FM_OK)
        st = base_json_get_hex(r->chain, 32, me, "chain", err);
    json_decref(me);
    (void)snprintf(r->algorithm, sizeof r->algorithm, "%s",
                   cli_flag(args, "sm3") ? "sm3" : ledger_evidence_usual());
    if (st == FM_OK)
        st = evidence_digest_file(digest, path, r->algorithm, err);
    if (st == FM_OK)
        st = evidence_receipt_add(r, digest, slash != NULL ? slash + 1 : path, base_random_system(),
                                  err);
    return st == FM_OK ? evidence_receipt_seal(r, err) : st;
}

/* The record's line and its certificate in a new file, checked as anyone would. */
static fm_status write_anchored(const char *fresh, const json_t *record,
                                struct ledger_reader *reader, const struct ledger_certificate *c,
                                struct base_err *err)
{
    struct ledger_signed s = {0};
    FILE *f = NULL;
    fm_status st = signed_files_save(fresh, record, err);

    if (st == FM_OK && ((f = fopen(fresh, "r+b")) == NULL || fseek(f, 0, SEEK_END) != 0))
        st = base_err_errno(err, fresh);
    if (st == FM_OK)
        st = cli_deposit_certify(f, reader, c, err);
    if (st == FM_OK && (fseek(f, 0, SEEK_SET) != 0 || fsync(fileno(f)) != 0))
        st = base_err_errno(err, fresh);
    if (st == FM_OK)
        st = ledger_signed_verify(&s, f, ledger_reader_id(reader), NULL, NULL, err);
    if (f != NULL)
        (void)fclose(f);
    ledger_signed_release(&s);
    return st;
}

static fm_status certify(const struct cli_args *args, const json_t *record,
                         const struct evidence_receipt *r, struct base_err *err)
{
    const char *path = args->operands[0];
    char ledger[HOME_PATH], fresh[4096];
    struct ledger_certificate c = {0};
    struct ledger_reader *reader = NULL;
    uint8_t tx[32];
    int n = snprintf(fresh, sizeof fresh, "%s.part", path);
    fm_status st = n < 0 || n >= (int)sizeof fresh
                       ? base_err_set(err, FM_E_ARG, "the path is too long")
                       : ledger_cli_path(ledger, args, err);

    if (st == FM_OK)
        st = ledger_reader_open(&reader, ledger, err);
    if (st == FM_OK)
        st = cli_deposit_find(tx, reader, r, err);
    if (st == FM_OK)
        st = evidence_receipt_certify(&c, r, r->items[0].digest, tx, err);
    if (st == FM_OK) {
        st = write_anchored(fresh, record, reader, &c, err);
        if (st == FM_OK && rename(fresh, path) != 0)
            st = base_err_errno(err, path);
        if (st == FM_OK)
            st = base_file_sync_folder(path, err);
        if (st != FM_OK)
            (void)unlink(fresh);
    }
    ledger_certificate_release(&c);
    ledger_reader_close(reader);
    return st;
}

/* That every signer has signed, under the keys that hold now. */
static fm_status check_whole(const struct cli_args *args, const char *path, struct base_err *err)
{
    struct ledger_signed s = {0};
    struct did_signature_keys keys;
    struct credential_files files;
    FILE *f = fopen(path, "rb");
    fm_status st = f == NULL ? base_err_errno(err, path)
                             : credential_files_open(&files, args, credential_now_s(), err);

    if (f == NULL)
        return st;
    keys = signed_files_keys(&files);
    if (st == FM_OK) {
        st = ledger_signed_verify(&s, f, NULL, NULL, &keys, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", path);
    }
    (void)fclose(f);
    ledger_signed_release(&s);
    credential_files_release(&files);
    return st;
}

static fm_status anchor(const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[0];
    struct evidence_receipt r = {0};
    json_t *record;
    fm_status st = signed_files_load(&record, path, err);

    if (st == FM_OK)
        st = check_whole(args, path, err);
    if (st == FM_OK)
        st = receipt_of(&r, args, path, err);
    if (st == FM_OK)
        st = cli_deposit_submit(args, &r, err);
    if (st == FM_OK)
        st = certify(args, record, &r, err);
    if (st == FM_OK)
        printf("%s: anchored; firmiana-verify checks it from this file alone\n", path);
    evidence_receipt_release(&r);
    json_decref(record);
    return st;
}

static const struct cli_option anchor_options[] = {
    CLI_HOME_OPTION, CLI_SM3_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_anchor = {
    "anchor",
    "SIGNED",
    1,
    1,
    "put the signatures on the ledger, once all are there: by then they were made, by keys that "
    "were good",
    "A salted digest goes there, and the proof comes into the file, with which it is checked years "
    "later, whatever\nkeys were rotated, lost or stolen since.",
    anchor_options,
    anchor};

/* ---- verify ---- */

static fm_status print(const struct cli_args *args, const struct ledger_signed *s, bool compared,
                       struct base_err *err)
{
    json_t *json;
    fm_status st;

    if (!cli_flag(args, "json")) {
        ledger_signed_print(stdout, s, compared);
        return FM_OK;
    }
    json = ledger_signed_json(s, compared);
    st = json != NULL ? cli_print_json(json, err) : base_err_memory(err, "report");
    json_decref(json);
    return st;
}

static fm_status chain_of(uint8_t chain32[32], bool *given, const struct cli_args *args,
                          struct base_err *err)
{
    const char *text = cli_value(args, "chain");

    *given = text != NULL;
    return text == NULL || base_unhex(chain32, 32, text, strlen(text))
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "--chain: 64 lower-case hex digits are needed");
}

static fm_status verify(const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[0];
    bool compared = args->operand_count == 2, chain_given;
    struct credential_files files = {0};
    struct did_signature_keys keys;
    struct ledger_signed s = {0};
    uint8_t chain[32];
    FILE *f = fopen(path, "rb");
    fm_status st = f == NULL ? base_err_errno(err, path) : chain_of(chain, &chain_given, args, err);

    if (st == FM_OK)
        st = credential_files_open(&files, args, credential_now_s(), err);
    keys = signed_files_keys(&files);
    if (st == FM_OK)
        st = ledger_signed_verify(&s, f, chain_given ? chain : NULL, NULL, &keys, err);
    if (st == FM_OK && compared)
        st = ledger_signed_compare(&s, args->operands[1], err);
    if (st == FM_OK)
        st = print(args, &s, compared, err);
    else if (f != NULL)
        (void)base_err_prefix(err, "%s", path);
    if (f != NULL)
        (void)fclose(f);
    ledger_signed_release(&s);
    credential_files_release(&files);
    return st;
}

static const struct cli_option verify_options[] = {
    CLI_HOME_OPTION,
    {"document", "FILE", "a member's DID document, for signatures that are not anchored",
     CLI_REPEATED},
    CLI_CHAIN_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_verify = {
    "verify",
    "SIGNED [FILE]",
    1,
    2,
    "who signed a document, and by when; with FILE, the document itself is compared",
    "Anchored signatures are checked from their file alone (firmiana-verify does the same). "
    "Before, "
    "members' keys are\nthose of today, from --document or a node.",
    verify_options,
    verify};
