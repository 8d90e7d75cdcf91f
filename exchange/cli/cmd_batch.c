/* firmiana credential batch: many certificates under one anchor (ledger/verify/issued.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/random.h"
#include "did/credential/status_list.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/credential_files.h"
#include "exchange/cli/deposit.h"
#include "exchange/data/csv.h"

enum { AT_ONCE = 64 }; /* credentials in one request to the node */

/* ---- one credential from a row ---- */

/* What the columns are called: "id" is the subject's id, the others are members of the subject. */
static fm_status check_columns(const struct data_csv *csv, const json_t *template,
                               struct base_err *err)
{
    const json_t *subject = json_object_get(template, "credentialSubject");

    if (subject != NULL && !json_is_object(subject))
        return base_err_set(err, FM_E_INPUT, "credentialSubject must be one object, or be missing");
    for (size_t i = 0; i < data_csv_column_count(csv); i++)
        if (json_object_get(subject, data_csv_column(csv, i)) != NULL)
            return base_err_set(err, FM_E_INPUT,
                                "column '%.64s' is in the template's credentialSubject too",
                                data_csv_column(csv, i));
    return FM_OK;
}

static fm_status fill_subject(json_t *subject, const struct data_csv *csv,
                              const struct data_csv_field *row, struct base_err *err)
{
    for (size_t i = 0; i < data_csv_column_count(csv); i++) {
        json_t *text;
        if (data_csv_is_null(&row[i]))
            continue;
        text = json_stringn(row[i].text, row[i].len);
        if (text == NULL || json_object_set_new(subject, data_csv_column(csv, i), text) != 0)
            return base_err_set(err, FM_E_INPUT, "line %llu, column %llu: not text",
                                (unsigned long long)row[i].line, (unsigned long long)row[i].column);
    }
    return FM_OK;
}

/* The template with this row's subject and, with --list, the next place there. */
static fm_status make_one(json_t **out, const json_t *template, const struct data_csv *csv,
                          const struct data_csv_field *row, const struct cli_args *args,
                          int64_t index, struct base_err *err)
{
    const char *list = cli_value(args, "list");
    json_t *subject, *entry;
    fm_status st = FM_OK;

    *out = json_deep_copy(template);
    subject = json_object_get(*out, "credentialSubject");
    if (*out != NULL && subject == NULL) {
        (void)json_object_set_new(*out, "credentialSubject", json_object());
        subject = json_object_get(*out, "credentialSubject");
    }
    if (subject == NULL)
        return base_err_memory(err, "credential");
    st = fill_subject(subject, csv, row, err);
    if (st != FM_OK || list == NULL)
        return st;
    st = credential_status_entry(&entry, list, "revocation", (size_t)index, err);
    if (st == FM_OK && json_object_set_new(*out, "credentialStatus", entry) != 0)
        st = base_err_memory(err, "credential");
    return st;
}

/* ---- signing ---- */

struct batch {
    const struct cli_args *args;
    struct did_secret *secret; /* NULL: the node signs */
    char method[DID_KEY_METHOD_TEXT];
    json_t *waiting; /* to be signed */
    FILE *out;
    struct evidence_receipt receipt;
    bool kept; /* the receipt is on the disk: from here on the ledger may know it */
    struct data_csv *csv;
    struct ledger_line line;
};

static fm_status sign_waiting(struct batch *b, struct base_err *err)
{
    json_t *value = NULL, *made;
    fm_status st = FM_OK;

    if (b->secret != NULL) {
        for (size_t i = 0; st == FM_OK && i < json_array_size(b->waiting); i++)
            st = credential_issue(json_array_get(b->waiting, i), b->secret, b->method,
                                  credential_now_s(), err);
        return st == FM_OK ? credential_own_places(b->args, b->waiting, err) : st;
    }
    st = cli_call(&value, b->args, "credential.issue",
                  json_pack("{s:O, s:b}", "credentials", b->waiting, "jwt", 0), err);
    made = json_object_get(value, "credentials");
    if (st == FM_OK && json_array_size(made) != json_array_size(b->waiting))
        st = base_err_set(err, FM_E_PEER, "the node signed nothing: is it of this version?");
    if (st == FM_OK) {
        json_decref(b->waiting);
        b->waiting = json_incref(made);
    }
    json_decref(value);
    return st;
}

static fm_status write_line(struct batch *b, const json_t *credential, struct base_err *err)
{
    const json_t *id = json_object_get(json_object_get(credential, "credentialSubject"), "id");
    struct base_buf line = {0};
    uint8_t digest[32];
    char row[32];
    fm_status st = base_json_canonical(&line, credential, err);

    base_buf_put_u8(&line, '\n');
    (void)snprintf(row, sizeof row, "%zu", b->receipt.n + 1);
    if (st == FM_OK)
        st = base_buf_status(&line, "credential", err);
    if (st == FM_OK) {
        st = cli_deposit_digest(digest, b->receipt.algorithm, &line, err);
        if (st == FM_OK && fwrite(line.p, 1, line.len, b->out) != line.len)
            st = base_err_errno(err, cli_value(b->args, "out"));
    }
    if (st == FM_OK)
        st = evidence_receipt_add(&b->receipt, digest, id != NULL ? json_string_value(id) : row,
                                  base_random_system(), err);
    base_buf_release(&line);
    return st;
}

static fm_status flush(struct batch *b, struct base_err *err)
{
    size_t first = b->receipt.n + 1;
    fm_status st = sign_waiting(b, err);

    for (size_t i = 0; st == FM_OK && i < json_array_size(b->waiting); i++)
        st = write_line(b, json_array_get(b->waiting, i), err);
    if (st != FM_OK)
        return base_err_prefix(err, "rows %zu to %zu", first,
                               first + json_array_size(b->waiting) - 1);
    (void)json_array_clear(b->waiting);
    ledger_line_tell(&b->line, "signing: bytes of rows", data_csv_bytes_read(b->csv),
                     data_csv_bytes_total(b->csv));
    return FM_OK;
}

static fm_status sign_rows(struct batch *b, const json_t *template, struct base_err *err)
{
    const struct data_csv_field *row = NULL;
    int64_t index = 0;
    fm_status st = cli_int(&index, b->args, "index", 0, CREDENTIAL_STATUS_MAX - 1, err);

    while (st == FM_OK && (st = data_csv_next(&row, b->csv, err)) == FM_OK && row != NULL) {
        json_t *one;
        if (index >= CREDENTIAL_STATUS_MAX)
            return base_err_set(err, FM_E_LIMIT, "more rows than a status list has places");
        st = make_one(&one, template, b->csv, row, b->args, index++, err);
        if (st == FM_OK && json_array_append(b->waiting, one) != 0)
            st = base_err_memory(err, "credentials");
        json_decref(one);
        if (st == FM_OK && json_array_size(b->waiting) == AT_ONCE)
            st = flush(b, err);
    }
    if (st == FM_OK && json_array_size(b->waiting) > 0)
        st = flush(b, err);
    ledger_line_wipe(&b->line);
    if (st == FM_OK && b->receipt.n == 0)
        st = base_err_set(err, FM_E_INPUT, "%s: no rows", b->args->operands[1]);
    return st;
}

/* ---- batch ---- */

static fm_status open_batch(struct batch *b, const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    json_t *me = NULL;
    fm_status st = FM_OK;

    (void)snprintf(b->receipt.algorithm, sizeof b->receipt.algorithm, "%s",
                   cli_flag(args, "sm3") ? "sm3" : ledger_evidence_usual());
    if (b->waiting == NULL)
        return base_err_memory(err, "credentials");
    st = cli_fresh(out, err);
    if (st != FM_OK)
        return st;
    st = cli_call(&me, args, "me", NULL, err);
    if (st == FM_OK)
        st = base_json_get_hex(b->receipt.chain, 32, me, "chain", err);
    json_decref(me);
    if (st == FM_OK && cli_value(args, "key") != NULL)
        st = credential_own_key(&b->secret, b->method, args, err);
    if (st == FM_OK && (b->out = fopen(out, "wx")) == NULL)
        st = base_err_errno(err, out);
    return st;
}

/* The credentials are on the disk before their digests are on the ledger. */
static fm_status settle(struct batch *b, struct base_err *err)
{
    const char *out = cli_value(b->args, "out");
    char path[4096];
    int n = snprintf(path, sizeof path, "%s.receipt", out);
    fm_status st = n < 0 || n >= (int)sizeof path
                       ? base_err_set(err, FM_E_ARG, "--out: the path is too long")
                       : FM_OK;

    if (st == FM_OK && (fflush(b->out) != 0 || fsync(fileno(b->out)) != 0))
        st = base_err_errno(err, out);
    if (st == FM_OK)
        st = evidence_receipt_seal(&b->receipt, err);
    if (st == FM_OK)
        st = evidence_receipt_save(&b->receipt, path, err);
    b->kept = st == FM_OK;
    if (st == FM_OK && (st = cli_deposit_submit(b->args, &b->receipt, err)) != FM_OK)
        (void)base_err_prefix(
            err, "signed, not deposited (evidence deposit --receipt %s tries again)", path);
    if (st == FM_OK && !cli_flag(b->args, "json"))
        printf("%s: %zu credentials under one anchor; keep it with %s: firmiana credential extract "
               "makes a holder's file\n",
               out, b->receipt.n, path);
    return st;
}

static fm_status batch(const struct cli_args *args, struct base_err *err)
{
    json_t *template = NULL;
    struct batch b = {.args = args, .waiting = json_array()};
    fm_status st = base_json_load_file(&template, args->operands[0], CREDENTIAL_FILE_MAX, err);

    if (st == FM_OK)
        st = data_csv_open(&b.csv, args->operands[1], 0, err);
    if (st == FM_OK && (st = check_columns(b.csv, template, err)) != FM_OK)
        (void)base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK)
        st = open_batch(&b, args, err);
    if (st == FM_OK) {
        st = sign_rows(&b, template, err);
        if (st == FM_OK)
            st = settle(&b, err);
        if (st != FM_OK && !b.kept) /* nothing of it is on the ledger */
            (void)unlink(cli_value(args, "out"));
    }
    if (b.out != NULL)
        (void)fclose(b.out);
    evidence_receipt_release(&b.receipt);
    did_secret_free(b.secret);
    json_decref(b.waiting);
    json_decref(template);
    data_csv_free(b.csv);
    return st;
}

static const struct cli_option batch_options[] = {
    CLI_HOME_OPTION,
    {"out", "FILE", "the credentials, a line each; what the proofs need stands in FILE.receipt",
     CLI_REQUIRED},
    {"key", "FILE", "a sealed key of credential key (default: this member's node signs)",
     CLI_OPTIONAL},
    {"list", "URL", "the status list that they are all in, from --index on", CLI_OPTIONAL},
    {"index", "N", "the first one's place there (default: 0)", CLI_OPTIONAL},
    CLI_SM3_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_credential_batch = {
    "credential batch",
    "TEMPLATE ROWS.csv",
    2,
    2,
    "sign a credential for each row, and put all of them on the ledger under one anchor",
    "TEMPLATE is a credential as for credential issue; a row's columns become members of its "
    "credentialSubject (id: the\nholder's DID). The ledger gets one hash, whatever the number.",
    batch_options,
    batch};
