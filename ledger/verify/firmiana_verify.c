/* firmiana-verify: checks a bundle, offline, with no node and no database. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/moment.h"
#include "ledger/transparency/tlog_proof.h"
#include "ledger/verify/firmiana_verify_own.h"
#include "ledger/verify/issued.h"
#include "ledger/verify/signed.h"
#include "ledger/verify/verify_print.h"

static fm_status read_file(void *ctx, void *out, size_t len, size_t *got, struct base_err *err)
{
    FILE *f = ctx;

    errno = 0;
    *got = fread(out, 1, len, f);
    if (ferror(f))
        return base_err_errno(err, "read");
    return FM_OK;
}

static fm_status load_statement(struct ledger_statement **out, const char *path,
                                struct base_err *err)
{
    json_t *json = NULL;
    fm_status st = base_json_load_file(&json, path, LEDGER_STATEMENT_MAX, err);

    if (st == FM_OK)
        st = ledger_statement_new(out, json, err);
    json_decref(json);
    if (st == FM_E_INPUT) /* a malformed statement is one that is not valid */
        st = err->code = FM_E_INVALID;
    return st;
}

static fm_status verify(const struct verify_options *o, FILE *f, struct ledger_statement *statement,
                        struct base_err *err)
{
    const struct ledger_bundle_source source = {read_file, f};
    struct ledger_verified *report;
    struct base_err print = {0};
    fm_status st =
        ledger_verify_statement(&report, &source, o->chain_given ? o->chain : NULL, statement, err);

    if (st == FM_OK && o->json)
        st = ledger_verify_print_json(stdout, report, statement, NULL, err);
    else if (st == FM_OK) {
        st = ledger_verify_print_text(stdout, report, o->chain_given, err);
        if (st == FM_OK && statement != NULL)
            ledger_statement_print(stdout, statement, report);
        if (st == FM_OK && o->x509 != NULL)
            st = verify_x509(o, report, err);
    } else if (st == FM_E_INVALID && o->json &&
               ledger_verify_print_json(stdout, report, NULL, err->text, &print) != FM_OK)
        (void)fprintf(stderr, "firmiana-verify: %s\n", print.text);
    ledger_verified_free(report);
    return st;
}

static fm_status verify_named(const struct verify_options *o, struct base_err *err)
{
    struct ledger_statement *statement = NULL;
    fm_status st = o->opening != NULL ? load_statement(&statement, o->opening, err) : FM_OK;
    FILE *f = NULL;

    if (st != FM_OK)
        return base_err_prefix(err, "%s", o->opening);
    f = strcmp(o->bundle, "-") == 0 ? stdin : fopen(o->bundle, "rb");
    st = f == NULL ? base_err_errno(err, "open") : verify(o, f, statement, err);
    if (f != NULL && f != stdin)
        (void)fclose(f);
    ledger_statement_free(statement);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", o->bundle);
}

fm_status verify_print_report(json_t *report, struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st =
        report != NULL ? base_json_canonical(&text, report, err) : base_err_memory(err, "report");

    if (st == FM_OK)
        st = base_buf_status(&text, "report", err);
    if (st == FM_OK)
        puts(base_buf_cstr(&text));
    base_buf_release(&text);
    json_decref(report);
    return st;
}

static enum verify_kind kind_of(const char *text)
{
    static const char bundle[] = "{\"bundle\":";

    return ledger_tlog_proof_begins(text)                  ? VERIFY_PROOF
           : ledger_signed_begins(text)                    ? VERIFY_SIGNED
           : ledger_issued_begins(text)                    ? VERIFY_CREDENTIAL
           : ledger_certificate_begins(text)               ? VERIFY_CERTIFICATE
           : strncmp(text, bundle, sizeof bundle - 1) == 0 ? VERIFY_BUNDLE
                                                           : VERIFY_UNKNOWN;
}

/* What a file is tells how it begins; standard input is a bundle. */
static fm_status find_kind(enum verify_kind *out, const char *path, struct base_err *err)
{
    char text[17] = "";
    struct stat s;
    FILE *f;

    *out = VERIFY_BUNDLE;
    if (strcmp(path, "-") == 0)
        return FM_OK;
    *out = VERIFY_PUBLISHED;
    if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        return FM_OK;
    f = fopen(path, "rb");
    if (f == NULL)
        return base_err_errno(err, path);
    *out = kind_of(fread(text, 1, sizeof text - 1, f) > 0 ? text : "");
    (void)fclose(f);
    return *out != VERIFY_UNKNOWN
               ? FM_OK
               : base_err_set(err, FM_E_INVALID, "%s: not a file that firmiana-verify knows", path);
}

static fm_status verify_file(const struct verify_options *o, struct base_err *err)
{
    enum verify_kind kind;
    fm_status st = find_kind(&kind, o->bundle, err);

    if (st == FM_OK)
        st = verify_options_fit(o, kind, err);
    if (st != FM_OK)
        return st;
    switch (kind) {
    case VERIFY_PROOF:
        return verify_proof(o, err);
    case VERIFY_SIGNED:
        return verify_signed(o, err);
    case VERIFY_CREDENTIAL:
        return verify_issued(o, err);
    case VERIFY_CERTIFICATE:
        return verify_certificate(o, err);
    case VERIFY_PUBLISHED:
        return verify_published(o, err);
    default:
        return verify_named(o, err);
    }
}

int main(int argc, char **argv)
{
    struct base_err err = {0};
    struct verify_options o;
    fm_status st;

    base_json_harden();
    st = verify_options_read(&o, argc, argv, &err);
    if (st == FM_OK && o.help)
        return fputs(verify_usage, stdout) < 0 || fflush(stdout) != 0 ? fm_status_exit(FM_E_IO) : 0;
    if (st == FM_OK)
        st = verify_file(&o, &err);
    if (st != FM_OK)
        (void)fprintf(stderr, "firmiana-verify: %s\n", base_err_shown(&err));
    return fm_status_exit(st);
}
