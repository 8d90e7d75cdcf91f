#include "exchange/node/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange/data/root.h"

/* The file and its write-ahead log. One that is not there is all zero, and so is an empty log,
 * which SQLite makes and removes as readers come and go. */
static void look(struct stat at[2], const char *path)
{
    char log[600];

    memset(at, 0, 2 * sizeof at[0]);
    (void)snprintf(log, sizeof log, "%s-wal", path);
    if (stat(path, &at[0]) != 0)
        memset(&at[0], 0, sizeof at[0]);
    if (stat(log, &at[1]) != 0 || at[1].st_size == 0)
        memset(&at[1], 0, sizeof at[1]);
}

static bool untouched(const struct stat a[2], const struct stat b[2])
{
    for (int i = 0; i < 2; i++)
        if (a[i].st_dev != b[i].st_dev || a[i].st_ino != b[i].st_ino ||
            a[i].st_size != b[i].st_size || a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec ||
            a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec ||
            a[i].st_ctim.tv_sec != b[i].st_ctim.tv_sec ||
            a[i].st_ctim.tv_nsec != b[i].st_ctim.tv_nsec)
            return false;
    return true;
}

/* Two writes within one tick of the file system's clock leave the same time: what was touched just
 * now may be touched again without showing it. */
static bool settled(const struct stat at[2])
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        if (at[i].st_ctim.tv_sec >= now.tv_sec - 1)
            return false;
    return true;
}

fm_status node_rows_open(struct node_rows **out, const char *path, const char *table,
                         const json_t *schema, struct base_err *err)
{
    struct node_rows *rows = calloc(1, sizeof *rows);
    struct stat frozen[2];
    fm_status st;

    *out = NULL;
    if (rows == NULL)
        return base_err_memory(err, "rows");
    if (strlen(table) >= sizeof rows->table || strlen(path) >= sizeof rows->path) {
        free(rows);
        return base_err_set(err, FM_E_INPUT, "table name or path too long");
    }
    memcpy(rows->table, table, strlen(table) + 1);
    memcpy(rows->path, path, strlen(path) + 1);
    look(rows->before, path);
    st = data_schema_from_json(&rows->schema, schema, err);
    if (st == FM_OK)
        st = data_store_open(&rows->store, path, err);
    if (st != FM_OK) {
        node_rows_free(rows);
        return st;
    }
    /* Only then is the snapshot what `before` describes: a commit between the look and the freeze
     * would otherwise be shared under the root of the rows before it. */
    look(frozen, path);
    rows->steady = untouched(rows->before, frozen) && settled(frozen);
    *out = rows;
    return FM_OK;
}

struct node_rows *node_rows_share(struct node_rows *rows)
{
    rows->others++;
    return rows;
}

void node_rows_free(struct node_rows *rows)
{
    if (rows == NULL)
        return;
    if (rows->others > 0) {
        rows->others--;
        return;
    }
    data_store_free(rows->store);
    data_schema_release(&rows->schema);
    free(rows);
}

bool node_rows_recall(uint8_t root32[32], const struct node_roots *roots,
                      const struct node_rows *rows, uint64_t data_version)
{
    struct base_err err = {0};
    uint8_t schema[32];

    if (!rows->steady || data_schema_hash(schema, &rows->schema, &err) != FM_OK)
        return false;
    for (unsigned i = 0; i < NODE_ROOTS; i++)
        if (strcmp(roots->known[i].table, rows->table) == 0 &&
            roots->known[i].data_version == data_version &&
            memcmp(roots->known[i].schema, schema, 32) == 0 &&
            untouched(roots->known[i].at, rows->before)) {
            memcpy(root32, roots->known[i].root, 32);
            return true;
        }
    return false;
}

void node_rows_remember(struct node_roots *roots, const struct node_rows *rows,
                        uint64_t data_version, const uint8_t root32[32])
{
    struct base_err err = {0};
    unsigned at = roots->next % NODE_ROOTS;

    if (!rows->steady || data_schema_hash(roots->known[at].schema, &rows->schema, &err) != FM_OK)
        return;
    memcpy(roots->known[at].table, rows->table, sizeof rows->table);
    memcpy(roots->known[at].root, root32, 32);
    memcpy(roots->known[at].at, rows->before, sizeof rows->before);
    roots->known[at].data_version = data_version;
    roots->next = (at + 1) % NODE_ROOTS;
}

/* The rows, until somebody says stop. */
struct stoppable {
    struct data_row_source rows;
    const atomic_bool *stop;
};

static fm_status next_row(void *ctx, const struct data_cell **row, struct base_err *err)
{
    const struct stoppable *s = ctx;

    if (atomic_load_explicit(s->stop, memory_order_relaxed))
        return base_err_set(err, FM_E_CANCELLED, "stopped while the rows were hashed");
    return s->rows.next(s->rows.ctx, row, err);
}

fm_status node_rows_hash(uint8_t root32[32], const struct node_rows *rows,
                         const uint8_t secret32[32], uint64_t data_version, const atomic_bool *stop,
                         struct base_err *err)
{
    const struct data_version_key key = {secret32, data_version};
    struct data_row_source source;
    struct stoppable stoppable;
    struct data_rows *all;
    fm_status st = data_rows_open(&all, rows->store, rows->table, &rows->schema, NULL, 0, err);

    if (st != FM_OK)
        return st;
    stoppable = (struct stoppable){data_rows_source(all), stop};
    source = (struct data_row_source){next_row, &stoppable};
    st = data_root_compute(root32, &source, &rows->schema, &key, err);
    data_rows_free(all);
    return st;
}
