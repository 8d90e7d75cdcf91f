#include "exchange/data/root.h"

#include <string.h>

#include "base/secret.h"
#include "exchange/data/leaves.h"
#include "exchange/data/row_bytes.h"
#include "ledger/proof/log.h"
#include "ledger/proof/log_proof.h"

/* ---- the tree ---- */

/* What one pass over the rows keeps of the row that is to be proved: its bytes, its salt, and the
 * perfect subtrees beside its path. Those that stand at the right edge are in the frontier. */
struct wanted {
    uint64_t index;
    struct base_buf row;
    uint8_t salt[DATA_SALT_SIZE];
    uint8_t beside[64][32];
    const struct ledger_log *log;
};

static void keep_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct wanted *w = ctx;

    if (index == (w->index >> level ^ 1))
        memcpy(w->beside[level], hash32, 32);
}

static fm_status kept_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                           struct base_err *err)
{
    const struct wanted *w = ctx;
    uint64_t size = w->log->size;

    if (index == (w->index >> level ^ 1) && (index + 1) << level <= size) {
        memcpy(out32, w->beside[level], 32);
        return FM_OK;
    }
    /* The frontier's subtree of 2^level leaves begins where the higher bits of the size end. */
    if ((size >> level & 1) != 0 && index == (size >> level ^ 1)) {
        memcpy(out32, w->log->node[level], 32);
        return FM_OK;
    }
    return base_err_set(err, FM_E_NOT_FOUND, "row proof: node %u/%llu was not kept", level,
                        (unsigned long long)index);
}

struct pass {
    struct ledger_log log;
    struct data_leaves *leaves;
    uint64_t rows;
    struct wanted *wanted;
};

static fm_status add_row(struct pass *pass, const struct data_cell *row, size_t columns,
                         struct base_err *err)
{
    if (pass->wanted != NULL && pass->wanted->index == pass->rows)
        data_row_encode(&pass->wanted->row, row, columns);
    pass->rows++;
    return data_leaves_add(pass->leaves, row, columns, err);
}

static fm_status add_rows(struct pass *pass, const struct data_row_source *source,
                          const struct data_schema *schema, struct base_err *err)
{
    const struct data_cell *row;
    fm_status st;

    do {
        st = source->next(source->ctx, &row, err);
        if (st == FM_OK && row != NULL && pass->rows == (uint64_t)schema->rows)
            st = base_err_set(err, FM_E_INPUT, "row root: more rows than the %lld declared",
                              (long long)schema->rows);
        if (st == FM_OK && row != NULL)
            st = add_row(pass, row, schema->column_count, err);
    } while (st == FM_OK && row != NULL);
    while (st == FM_OK && pass->rows < (uint64_t)schema->rows)
        st = add_row(pass, NULL, 0, err);
    return st;
}

/* All rows, then padding up to the declared count. */
static fm_status run_pass(struct pass *pass, uint8_t root32[32],
                          const struct data_row_source *source, const struct data_schema *schema,
                          const struct data_version_key *key, struct base_err *err)
{
    const struct ledger_log_sink sink = {keep_node, pass->wanted};
    struct wanted *wanted = pass->wanted;
    fm_status st =
        data_leaves_open(&pass->leaves, &pass->log, wanted != NULL ? &sink : NULL, key, err);

    memset(root32, 0, 32);
    if (st != FM_OK)
        return st;
    st = add_rows(pass, source, schema, err);
    if (st == FM_OK)
        st = data_leaves_finish(pass->leaves, err);
    if (st == FM_OK && wanted != NULL)
        st = data_leaves_salt(wanted->salt, pass->leaves, wanted->index, err);
    if (st == FM_OK && wanted != NULL)
        st = base_buf_status(&wanted->row, "row proof", err);
    if (st == FM_OK)
        ledger_log_root(root32, &pass->log);
    data_leaves_free(pass->leaves);
    pass->leaves = NULL;
    return st;
}

fm_status data_root_compute(uint8_t root32[32], const struct data_row_source *source,
                            const struct data_schema *schema, const struct data_version_key *key,
                            struct base_err *err)
{
    struct pass pass = {.wanted = NULL};

    return run_pass(&pass, root32, source, schema, key, err);
}

/* ---- proofs ---- */

#define PROOF_FORMAT "firmiana-row-proof-1"

static fm_status proof_json(json_t **out, const struct wanted *wanted,
                            const struct ledger_log_proof *path, struct base_err *err)
{
    struct base_buf row = {0};
    char salt[2 * DATA_SALT_SIZE + 1];
    fm_status st;

    *out = NULL;
    base_hex(salt, wanted->salt, DATA_SALT_SIZE);
    base_buf_put_hex(&row, wanted->row.p, wanted->row.len);
    st = base_buf_status(&row, "row proof", err);
    if (st == FM_OK) {
        *out = json_pack("{s:s, s:I, s:o, s:s, s:s}", "format", PROOF_FORMAT, "index",
                         (json_int_t)wanted->index, "path", ledger_log_proof_json(path), "row",
                         base_buf_cstr(&row), "salt", salt);
        if (*out == NULL)
            st = base_err_memory(err, "row proof");
    }
    base_wipe(salt, sizeof salt);
    base_buf_release_secret(&row);
    return st;
}

fm_status data_root_prove(json_t **proof, uint8_t root32[32], const struct data_row_source *source,
                          const struct data_schema *schema, const struct data_version_key *key,
                          uint64_t index, struct base_err *err)
{
    struct wanted wanted = {.index = index};
    struct pass pass = {.wanted = &wanted};
    const struct ledger_log_source nodes = {kept_node, &wanted};
    struct ledger_log_proof path;
    fm_status st;

    *proof = NULL;
    if (index >= (uint64_t)schema->rows)
        return base_err_set(err, FM_E_ARG, "row proof: row %llu is beyond the %lld declared",
                            (unsigned long long)index, (long long)schema->rows);
    wanted.log = &pass.log;
    st = run_pass(&pass, root32, source, schema, key, err);
    if (st == FM_OK)
        st = ledger_log_prove_inclusion(&path, index, pass.log.size, &nodes, err);
    if (st == FM_OK)
        st = proof_json(proof, &wanted, &path, err);
    base_wipe(wanted.salt, sizeof wanted.salt);
    base_buf_release_secret(&wanted.row);
    return st;
}

/* The members of a proof; *row is the decoded bytes. */
static fm_status proof_read(int64_t *index, struct ledger_log_proof *path, uint8_t salt[],
                            struct base_buf *row, const json_t *proof, struct base_err *err)
{
    static const char *const members[] = {"format", "index", "path", "row", "salt", NULL};
    const char *format, *hex;
    json_t *array;
    fm_status st;

    if (!json_is_object(proof))
        return base_err_set(err, FM_E_INPUT, "must be an object");
    st = base_json_only(proof, members, err);
    if (st == FM_OK)
        st = base_json_get_str(&format, proof, "format", err);
    if (st == FM_OK && strcmp(format, PROOF_FORMAT) != 0)
        st = base_err_set(err, FM_E_INPUT, "the format is not " PROOF_FORMAT);
    if (st == FM_OK)
        st = base_json_get_int(index, proof, "index", err);
    if (st == FM_OK)
        st = base_json_get_array(&array, proof, "path", err);
    if (st == FM_OK)
        st = ledger_log_proof_parse(path, array, err);
    if (st == FM_OK)
        st = base_json_get_hex(salt, DATA_SALT_SIZE, proof, "salt", err);
    if (st == FM_OK)
        st = base_json_get_str(&hex, proof, "row", err);
    if (st == FM_OK) {
        size_t len = strlen(hex) / 2;
        uint8_t *bytes = base_buf_extend(row, len);
        if (bytes == NULL)
            return base_err_memory(err, "row");
        if (!base_unhex(bytes, len, hex, strlen(hex)))
            st = base_err_set(err, FM_E_INPUT, "member 'row' must be lower-case hex");
    }
    return st;
}

fm_status data_root_verify(json_t **row, const json_t *proof, const uint8_t root32[32],
                           const struct data_schema *schema, struct base_err *err)
{
    struct base_buf bytes = {0}, scratch = {0};
    struct ledger_log_proof path;
    uint8_t salt[DATA_SALT_SIZE], leaf[32];
    int64_t index = 0;
    fm_status st = proof_read(&index, &path, salt, &bytes, proof, err);

    *row = NULL;
    if (st == FM_OK && (index < 0 || index >= schema->rows))
        st = base_err_set(err, FM_E_INVALID, "row %lld is beyond the %lld declared",
                          (long long)index, (long long)schema->rows);
    if (st == FM_OK)
        st = data_leaf_hash(leaf, &scratch, salt, bytes.p, bytes.len, err);
    if (st == FM_OK)
        st = ledger_log_verify_inclusion(&path, leaf, (uint64_t)index, (uint64_t)schema->rows,
                                         root32, err);
    if (st == FM_OK)
        st = data_row_to_json(row, bytes.p, bytes.len, schema, (uint64_t)index, err);
    base_buf_release_secret(&bytes);
    base_buf_release_secret(&scratch);
    return st == FM_OK ? st : base_err_prefix(err, "row proof");
}
