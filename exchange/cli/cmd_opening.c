/* firmiana audit opening, audit opened: a member shows what it put into a psi-sum query; anyone
 * holds it against the commitment that both sides signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/trail.h"
#include "ledger/verify/verify.h"
#include "mpc/psi/psi.h"

enum { FILE_MOST = 256 << 20, ID_MOST = 32 };

static fm_status opening(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    json_t *value = NULL;
    fm_status st = cli_call_for(&value, args, "audit.opening",
                                json_pack("{s:s}", "query", args->operands[0]), 600000, err);

    if (st == FM_OK)
        st = cli_write_json(out, value, 0600, err);
    if (st == FM_OK)
        printf("%s: the %zu rows of %s that went into query %.12s, as %s. It holds them in clear: "
               "for whoever is entitled to see them\n",
               out, json_array_size(json_object_get(value, "rows")), cli_text(value, "table"),
               cli_text(value, "query"), cli_text(value, "side"));
    json_decref(value);
    return st;
}

static const struct cli_option opening_options[] = {
    CLI_HOME_OPTION, {"out", "FILE", "a new file for the opening", CLI_REQUIRED}, {0}};

const struct cli_command cli_audit_opening = {
    "audit opening",
    "QUERY",
    1,
    1,
    "open what this member put into a psi-sum query: rows, salt and scalar",
    "The rows are read out of the member's file as the query read them: what is opened matches the "
    "receipt only if the file\n"
    "still holds them. Whoever gets FILE checks it: firmiana audit opened FILE TRAIL.",
    opening_options,
    opening};

/* ---- the commitment, made again ---- */

struct rows {
    struct mpc_psi_rows psi;
    uint8_t *ids;
    int64_t *values;
    const int64_t **column;
};

static fm_status bad_row(size_t i, struct base_err *err)
{
    return base_err_set(err, FM_E_INPUT, "member 'rows': row %zu is malformed", i);
}

static fm_status take_row(struct rows *r, size_t i, size_t columns, size_t n, const json_t *row,
                          struct base_err *err)
{
    const char *hex = json_string_value(json_array_get(row, 0));

    if (hex == NULL || json_array_size(row) != 1 + columns ||
        !base_unhex(r->ids + i * r->psi.id_len, r->psi.id_len, hex, strlen(hex)))
        return bad_row(i, err);
    for (size_t k = 0; k < columns; k++) {
        const char *text = json_string_value(json_array_get(row, 1 + k));
        char *end = NULL;
        if (text == NULL || text[0] == '\0')
            return bad_row(i, err);
        r->values[k * n + i] = strtoll(text, &end, 10);
        if (*end != '\0')
            return bad_row(i, err);
    }
    return FM_OK;
}

static fm_status take_rows(struct rows *r, const json_t *file, size_t columns, struct base_err *err)
{
    const json_t *list = json_object_get(file, "rows");
    size_t n = json_array_size(list);
    int64_t id_bytes;
    fm_status st = base_json_get_int(&id_bytes, file, "id_bytes", err);

    if (st == FM_OK && (id_bytes < 1 || id_bytes > ID_MOST || columns > MPC_PSI_COLUMNS))
        st = base_err_set(err, FM_E_INPUT, "member 'id_bytes' or 'columns' is out of range");
    if (st != FM_OK)
        return st;
    r->ids = calloc(n + 1, (size_t)id_bytes);
    r->values = calloc(n * columns + 1, sizeof *r->values);
    r->column = calloc(columns + 1, sizeof *r->column);
    if (r->ids == NULL || r->values == NULL || r->column == NULL)
        return base_err_memory(err, "rows");
    for (size_t k = 0; k < columns; k++)
        r->column[k] = r->values + k * n;
    r->psi = (struct mpc_psi_rows){n, r->ids, (size_t)id_bytes, r->column};
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = take_row(r, i, columns, n, json_array_get(list, i), err);
    return st;
}

static fm_status recommit(char out[65], const json_t *file, struct base_err *err)
{
    uint8_t bytes[MPC_PSI_OPENING], hash[32];
    bool matcher = strcmp(cli_text(file, "side"), "matcher") == 0;
    struct rows r = {.ids = NULL};
    int64_t columns;
    fm_status st = base_json_get_hex(bytes, 32, file, "salt", err);

    if (st == FM_OK)
        st = base_json_get_hex(bytes + 32, 32, file, "scalar", err);
    if (st == FM_OK)
        st = base_json_get_hex(bytes + 64, 32, file, "terms", err);
    if (st == FM_OK)
        st = base_json_get_int(&columns, file, "columns", err);
    if (st == FM_OK && !matcher && strcmp(cli_text(file, "side"), "holder") != 0)
        st = base_err_set(err, FM_E_INPUT, "member 'side' must be matcher or holder");
    if (st == FM_OK)
        st = take_rows(&r, file, columns < 0 ? SIZE_MAX : (size_t)columns, err);
    if (st == FM_OK) {
        mpc_psi_commitment_of(hash, bytes, matcher ? MPC_PSI_MATCHER : MPC_PSI_HOLDER, &r.psi,
                              (size_t)columns);
        base_hex(out, hash, 32);
    }
    free(r.ids);
    free(r.values);
    free(r.column);
    return st;
}

/* ---- what was signed ---- */

static bool commits(const json_t *receipt, const json_t *file, const char *commitment, bool *seen)
{
    const json_t *inputs = json_object_get(receipt, "inputs");

    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *in = json_array_get(inputs, i);
        if (strcmp(cli_text(in, "provider"), cli_text(file, "member")) != 0 ||
            strcmp(cli_text(in, "table"), cli_text(file, "table")) != 0)
            continue;
        *seen = true;
        if (strcmp(cli_text(in, "commitment"), commitment) == 0)
            return true;
    }
    return false;
}

/* In a bundle that is known to be valid: a receipt of that query and attempt. */
static fm_status find(const json_t *file, const char *commitment, FILE *f, struct base_err *err)
{
    const struct ledger_bundle_source source = {cli_trail_read, f};
    struct ledger_bundle_reader r;
    bool found = false, seen = false;
    fm_status st;

    ledger_bundle_reader_init(&r, &source);
    do {
        const json_t *receipt;
        st = ledger_bundle_next(&r, err);
        if (st != FM_OK || r.kind != LEDGER_BUNDLE_LEAF || r.payload == NULL || r.result == NULL ||
            strcmp(cli_text(r.result, "code"), "ok") != 0)
            continue;
        receipt = json_object_get(json_object_get(r.payload, "body"), "receipt");
        if (strcmp(cli_text(receipt, "query"), cli_text(file, "query")) == 0 &&
            json_equal(json_object_get(receipt, "attempt"), json_object_get(file, "attempt")))
            found = found || commits(receipt, file, commitment, &seen);
    } while (st == FM_OK && r.kind != LEDGER_BUNDLE_END);
    ledger_bundle_reader_release(&r);
    if (st == FM_OK && !seen)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "the trail shows no receipt with an input of %s to query %.12s",
                          cli_text(file, "member"), cli_text(file, "query"));
    if (st == FM_OK && !found)
        st =
            base_err_set(err, FM_E_INVALID,
                         "these are not the rows that %s committed to in query %.12s: its file was "
                         "changed since, or the opening was",
                         cli_text(file, "member"), cli_text(file, "query"));
    return st;
}

static fm_status opened_in(const struct cli_args *args, const json_t *file, FILE *f,
                           struct base_err *err)
{
    struct ledger_verified *report = NULL;
    char commitment[65];
    fm_status st = cli_trail_verify(&report, args, f, err);

    if (st == FM_OK)
        st = recommit(commitment, file, err);
    if (st == FM_OK)
        st = find(file, commitment, f, err);
    if (st == FM_OK) {
        printf("valid: %s put these %zu rows of %s into query %.12s, and both sides signed the "
               "commitment %.16s to them\n",
               cli_text(file, "member"), json_array_size(json_object_get(file, "rows")),
               cli_text(file, "table"), cli_text(file, "query"), commitment);
        cli_trail_print(stdout, args, report);
    }
    ledger_verified_free(report);
    return st;
}

static fm_status opened(const struct cli_args *args, struct base_err *err)
{
    json_t *file;
    FILE *f;
    fm_status st = cli_verdict(base_json_load_file(&file, args->operands[0], FILE_MOST, err), err);

    if (st != FM_OK)
        return st;
    f = fopen(args->operands[1], "rb");
    if (strcmp(cli_text(file, "type"), "FirmianaPsiInput") != 0)
        st = base_err_set(err, FM_E_INPUT, "%s: it is not what audit opening wrote",
                          args->operands[0]);
    else
        st = f == NULL ? base_err_errno(err, args->operands[1]) : opened_in(args, file, f, err);
    if (f != NULL)
        (void)fclose(f);
    json_decref(file);
    return st;
}

static const struct cli_option opened_options[] = {CLI_CHAIN_OPTION, {0}};

const struct cli_command cli_audit_opened = {
    "audit opened",
    "FILE TRAIL",
    2,
    2,
    "check an opening of audit opening against a trail: no node, no network",
    "TRAIL is a bundle of audit export. Everything in it is verified first.",
    opened_options,
    opened};
