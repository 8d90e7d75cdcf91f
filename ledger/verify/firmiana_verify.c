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

static const char usage[] =
    "usage: firmiana-verify [--json] [--chain ID] [--opening FILE] BUNDLE\n"
    "       firmiana-verify [--chain ID] --x509 RECORD --ca FILE [--at TIME] BUNDLE\n"
    "       firmiana-verify [--json] [--chain ID] [--ca FILE] CERTIFICATE\n"
    "       firmiana-verify [--json] [--chain ID] [--document FILE] SIGNED\n"
    "       firmiana-verify [--json] [--chain ID] [--list FILE]... CREDENTIAL\n"
    "       firmiana-verify [--json] [--chain ID] --keys FILE --quorum K DIR\n"
    "       firmiana-verify [--json] [--chain ID] --keys FILE --quorum K [--document FILE] PROOF\n"
    "\n"
    "Checks the exported trail of a Firmiana ledger: that it is the whole log from genesis on, "
    "signed by\n"
    "whom it says, and final by a quorum of the members. Needs no network, no node and no trust in "
    "a member.\n"
    "\n"
    "  BUNDLE       the file that `firmiana audit export` wrote; - reads standard input\n"
    "  --chain ID   the ledger that it must be: its chain id, 64 hex digits\n"
    "  --opening FILE  a member's signed statement of who asked about whom, from `firmiana audit\n"
    "               subject --out`: held against what the bundle shows was committed\n"
    "  --x509 RECORD  what `firmiana did attach` wrote: that a member is whom its X.509 "
    "certificate "
    "names,\n"
    "               under the CAs in --ca FILE, now or at TIME (2026-11-20T09:51:00Z)\n"
    "  CERTIFICATE  what `firmiana evidence certificate` wrote: that a document was deposited, and "
    "when\n"
    "  --ca FILE    certificates (PEM) of time-stamp authorities to trust, for a certificate with "
    "a "
    "token\n"
    "  SIGNED       what `firmiana sign` and `firmiana countersign` wrote: who signed a document\n"
    "  --document FILE  the document itself, to be compared\n"
    "  CREDENTIAL   what `firmiana credential extract` wrote: one of a batch, with its proof\n"
    "  --list FILE  a status list of its issuer: what was revoked or suspended\n"
    "  DIR          a log that `firmiana ledger publish` wrote: every tile, and that K of the keys "
    "in\n"
    "               FILE (its DIR/members, from a source that you trust) cosigned it\n"
    "  PROOF        what `firmiana ledger proof` wrote (C2SP tlog-proof): that an entry is in such "
    "a log;\n"
    "               --document: the entry's content, to be compared\n"
    "  --json       one JSON object instead of text\n"
    "  --help       this text\n"
    "\n"
    "exit code: 0 valid, 1 not valid (the first fault is named: line, leaf, check), 2 wrong "
    "arguments,\n"
    "8 the file cannot be read, 10 out of memory, 14 made under rules that this version does not "
    "know\n";

static fm_status read_options(struct verify_options *o, int argc, char **argv, struct base_err *err)
{
    *o = (struct verify_options){0};
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            o->help = true;
            return FM_OK;
        }
        if (strcmp(arg, "--json") == 0) {
            o->json = true;
        } else if (strcmp(arg, "--chain") == 0 && i + 1 < argc) {
            o->chain_given = base_unhex(o->chain, 32, argv[i + 1], strlen(argv[i + 1]));
            if (!o->chain_given)
                return base_err_set(err, FM_E_ARG, "--chain: 64 lower-case hex digits are needed");
            i++;
        } else if (strcmp(arg, "--opening") == 0 && i + 1 < argc) {
            o->opening = argv[++i];
        } else if (strcmp(arg, "--ca") == 0 && i + 1 < argc) {
            o->ca = argv[++i];
        } else if (strcmp(arg, "--document") == 0 && i + 1 < argc) {
            o->document = argv[++i];
        } else if (strcmp(arg, "--x509") == 0 && i + 1 < argc) {
            o->x509 = argv[++i];
        } else if (strcmp(arg, "--at") == 0 && i + 1 < argc) {
            if (!did_moment_parse_any(&o->at_s, argv[++i]))
                return base_err_set(err, FM_E_ARG, "--at: written like 2026-11-20T09:51:00Z");
        } else if (strcmp(arg, "--list") == 0 && i + 1 < argc) {
            if (o->list_count == VERIFY_LISTS_MAX)
                return base_err_set(err, FM_E_ARG, "--list: at most %d", VERIFY_LISTS_MAX);
            o->list[o->list_count++] = argv[++i];
        } else if (strcmp(arg, "--keys") == 0 && i + 1 < argc) {
            o->keys = argv[++i];
        } else if (strcmp(arg, "--quorum") == 0 && i + 1 < argc) {
            o->quorum = strtol(argv[++i], NULL, 10);
            if (o->quorum < 1)
                return base_err_set(err, FM_E_ARG, "--quorum: a number from 1 on is needed");
        } else if (arg[0] == '-' && arg[1] != '\0') {
            return base_err_set(err, FM_E_ARG, "unknown or unfinished option %s: see --help", arg);
        } else if (o->bundle != NULL) {
            return base_err_set(err, FM_E_ARG, "one bundle at a time: see --help");
        } else {
            o->bundle = arg;
        }
    }
    if (o->bundle == NULL)
        return base_err_set(err, FM_E_ARG, "no bundle is named: see --help");
    if (o->x509 != NULL && (o->ca == NULL || o->json))
        return base_err_set(err, FM_E_ARG, "--x509 needs --ca FILE, and goes without --json");
    return FM_OK;
}

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

/* Standard input, and what cannot be read, is taken for a bundle. */
static fm_status verify_file(const struct verify_options *o, struct base_err *err)
{
    char first[3] = {0};
    FILE *f = strcmp(o->bundle, "-") == 0 ? NULL : fopen(o->bundle, "rb");
    bool known = f != NULL && fread(first, 1, 3, f) == 3;

    if (f != NULL)
        (void)fclose(f);
    return !known                             ? verify_named(o, err)
           : ledger_tlog_proof_begins(first)  ? verify_proof(o, err)
           : ledger_signed_begins(first)      ? verify_signed(o, err)
           : ledger_issued_begins(first)      ? verify_issued(o, err)
           : ledger_certificate_begins(first) ? verify_certificate(o, err)
                                              : verify_named(o, err);
}

static bool is_folder(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

int main(int argc, char **argv)
{
    struct base_err err = {0};
    struct verify_options o;
    fm_status st;

    base_json_harden();
    st = read_options(&o, argc, argv, &err);
    if (st == FM_OK && o.help)
        return fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? fm_status_exit(FM_E_IO) : 0;
    if (st == FM_OK)
        st = is_folder(o.bundle) ? verify_published(&o, &err) : verify_file(&o, &err);
    if (st != FM_OK)
        (void)fprintf(stderr, "firmiana-verify: %s\n", err.text);
    return fm_status_exit(st);
}
