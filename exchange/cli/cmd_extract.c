/* firmiana credential extract: what a batch gives to one holder (ledger/verify/issued.h). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/deposit.h"
#include "ledger/store/chain.h"
#include "ledger/verify/issued.h"

/* The line of that number, from 1 on. */
static fm_status read_nth(struct base_buf *line, FILE *f, int64_t row, const char *path,
                          struct base_err *err)
{
    int c;

    for (int64_t at = 1; at <= row; at++) {
        base_buf_clear(line);
        while ((c = getc(f)) != EOF && c != '\n' && line->len < LEDGER_ISSUED_MAX)
            base_buf_put_u8(line, (uint8_t)c);
        if (ferror(f))
            return base_err_errno(err, path);
        if (c != '\n')
            return base_err_set(err, FM_E_NOT_FOUND, "%s: it has no row %lld", path,
                                (long long)row);
    }
    base_buf_put_u8(line, '\n');
    return base_buf_status(line, path, err);
}

/* The number of the holder's credential: of its row, or of the first with this subject. */
static fm_status find_row(int64_t *row, const struct evidence_receipt *r,
                          const struct cli_args *args, struct base_err *err)
{
    const char *id = cli_value(args, "id");
    fm_status st;

    *row = 0;
    st = cli_int(row, args, "row", 1, LEDGER_EVIDENCE_MAX, err);
    if (st != FM_OK)
        return st;
    if ((id != NULL) == (*row != 0))
        return base_err_set(err, FM_E_ARG, "one of --row and --id is needed");
    for (size_t i = 0; id != NULL && *row == 0 && i < r->n; i++)
        if (strcmp(r->names[i], id) == 0)
            *row = (int64_t)i + 1;
    return *row != 0 ? FM_OK
                     : base_err_set(err, FM_E_NOT_FOUND, "no credential of it is about %.120s", id);
}

/* Its issuer's proof, with the key of then; whether it was revoked since is not asked here. */
static fm_status holds_proof(void *ctx, const json_t *record, const struct ledger_members *members,
                             struct base_err *err)
{
    struct did_resolver resolver = ledger_anchored_resolver(members);
    struct did_proof proof;

    (void)ctx;
    return did_proof_verify(&proof, record, DID_ROLE_ASSERTION, DID_RULES_VERSION, &resolver, err);
}

/* The credential, its certificate, and a check of both. */
static fm_status write_issued(const char *path, const struct base_buf *line,
                              struct ledger_reader *reader, const struct ledger_certificate *c,
                              struct base_err *err)
{
    FILE *f = fopen(path, "wx+b");
    const struct ledger_anchored_judge none = {holds_proof, NULL};
    struct ledger_anchored issued = {0};
    fm_status st = f == NULL ? base_err_errno(err, path) : FM_OK;

    if (f == NULL)
        return st;
    if (fwrite(line->p, 1, line->len, f) != line->len)
        st = base_err_errno(err, path);
    if (st == FM_OK)
        st = cli_deposit_certify(f, reader, c, err);
    if (st == FM_OK && (fseek(f, 0, SEEK_SET) != 0 || fsync(fileno(f)) != 0))
        st = base_err_errno(err, path);
    if (st == FM_OK)
        st = ledger_anchored_verify(&issued, f, LEDGER_ISSUED_MAX, ledger_reader_id(reader), NULL,
                                    &none, err);
    (void)fclose(f);
    ledger_anchored_release(&issued);
    if (st != FM_OK)
        (void)unlink(path);
    return st;
}

/* The certificate of the row. */
static fm_status certificate_of(struct ledger_certificate *out, struct ledger_reader *reader,
                                const struct evidence_receipt *r, const struct base_buf *line,
                                struct base_err *err)
{
    uint8_t digest[32], tx[32];
    fm_status st = cli_deposit_find(tx, reader, r, err);

    if (st == FM_OK)
        st = cli_deposit_digest(digest, r->algorithm, line, err);
    return st == FM_OK ? evidence_receipt_certify(out, r, digest, tx, err) : st;
}

static fm_status read_row(struct base_buf *line, const struct evidence_receipt *r,
                          const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[0];
    int64_t row;
    FILE *f;
    fm_status st = find_row(&row, r, args, err);

    if (st != FM_OK)
        return st;
    f = fopen(path, "rb");
    if (f == NULL)
        return base_err_errno(err, path);
    st = read_nth(line, f, row, path, err);
    (void)fclose(f);
    return st;
}

static fm_status load_receipt(struct evidence_receipt *out, const char *batch, struct base_err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s.receipt", batch);

    return n < 0 || n >= (int)sizeof path ? base_err_set(err, FM_E_ARG, "the path is too long")
                                          : evidence_receipt_load(out, path, err);
}

static fm_status extract(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    struct ledger_certificate c = {0};
    struct evidence_receipt r = {0};
    struct ledger_reader *reader = NULL;
    struct base_buf line = {0};
    char ledger[HOME_PATH];
    fm_status st = cli_fresh(out, err);

    if (st == FM_OK)
        st = ledger_cli_path(ledger, args, err);
    if (st == FM_OK)
        st = load_receipt(&r, args->operands[0], err);
    if (st == FM_OK)
        st = read_row(&line, &r, args, err);
    if (st == FM_OK)
        st = ledger_reader_open(&reader, ledger, err);
    if (st == FM_OK)
        st = certificate_of(&c, reader, &r, &line, err);
    if (st == FM_OK)
        st = write_issued(out, &line, reader, &c, err);
    if (st == FM_OK)
        printf("%s: for its holder; firmiana-verify checks it from this file alone\n", out);
    ledger_certificate_release(&c);
    evidence_receipt_release(&r);
    ledger_reader_close(reader);
    base_buf_release(&line);
    return st;
}

static const struct cli_option extract_options[] = {
    CLI_HOME_OPTION,
    {"out", "FILE", "the holder's file", CLI_REQUIRED},
    {"row", "N", "which: its row, from 1 on", CLI_OPTIONAL},
    {"id", "ID", "or the first about this subject", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_credential_extract = {
    "credential extract",
    "BATCH",
    1,
    1,
    "the file of one holder of a batch: the credential, and the proof that it was issued then",
    "Nothing of the others is in it but hashes under salts.",
    extract_options,
    extract};
