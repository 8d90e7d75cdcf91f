/* dataset.prove: one row of a version of one's own dataset, opened for whoever is entitled to see
 * it. dataset.forget: rows of older versions are kept no longer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "exchange/data/kept.h"
#include "exchange/data/root.h"
#include "exchange/node/requests_own.h"

/* ---- a row ---- */

struct proving {
    char table[DATA_NAME_MAX + 1];
    int64_t version;
    json_t *key; /* "COLUMN=VALUE", or NULL: by index */
    uint64_t index;
    uint8_t secret[32], published[32];
    char kept[HOME_PATH];   /* versions.db */
    struct node_rows *rows; /* the table as it is; NULL: it cannot be read, and why: */
    struct base_err no_rows;
    json_t *proof;
};

static void proving_free(struct proving *p)
{
    if (p == NULL)
        return;
    node_rows_free(p->rows);
    json_decref(p->key);
    json_decref(p->proof);
    base_wipe(p->secret, sizeof p->secret);
    free(p);
}

/* Rows that can be read from the first one on, again and again. */
struct rows_of {
    struct data_row_source (*from_start)(void *ctx);
    void *ctx;
    const struct data_schema *schema;
};

/* The row's source, which ends once *stop is set. */
struct stoppable {
    struct data_row_source inner;
    const atomic_bool *stop;
};

static fm_status next_unless_stopped(void *ctx, const struct data_cell **row, struct base_err *err)
{
    const struct stoppable *s = ctx;

    if (atomic_load_explicit(s->stop, memory_order_relaxed))
        return base_err_set(err, FM_E_CANCELLED, "stopped while the rows were hashed");
    return s->inner.next(s->inner.ctx, row, err);
}

static fm_status prove_from(struct proving *p, const struct rows_of *rows, const atomic_bool *stop,
                            struct base_err *err)
{
    const struct data_version_key key = {p->secret, (uint64_t)p->version};
    struct stoppable s = {.stop = stop};
    const struct data_row_source source = {next_unless_stopped, &s};
    uint8_t root[32];
    fm_status st = FM_OK;

    s.inner = rows->from_start(rows->ctx);
    if (p->key != NULL) {
        st = data_root_find(&p->index, &source, rows->schema, json_string_value(p->key), err);
        s.inner = rows->from_start(rows->ctx);
    }
    if (st == FM_OK)
        st = data_root_prove(&p->proof, root, &source, rows->schema, &key, p->index, err);
    if (st == FM_OK && memcmp(root, p->published, 32) != 0)
        st = base_err_set(err, FM_E_CONFLICT, "it is not what was published");
    return st;
}

static struct data_row_source kept_rows(void *ctx)
{
    return data_kept_source(ctx);
}

static struct data_row_source table_rows(void *ctx)
{
    return data_rows_source(ctx);
}

/* The table as it is may still be, or be again, what that version published. */
static fm_status prove_table(struct proving *p, const atomic_bool *stop, const char *not_kept,
                             struct base_err *err)
{
    struct data_rows *all = NULL;
    struct base_err why = p->no_rows;
    fm_status st = why.code;

    if (st == FM_OK)
        st = data_rows_open(&all, p->rows->store, p->table, &p->rows->schema, NULL, 0, &why);
    if (st == FM_OK) {
        const struct rows_of rows = {table_rows, all, &p->rows->schema};
        st = prove_from(p, &rows, stop, &why);
    }
    data_rows_free(all);
    if (st == FM_OK || st == FM_E_CANCELLED || st == FM_E_MEMORY) {
        *err = why;
        return st;
    }
    json_decref(p->proof);
    p->proof = NULL;
    return base_err_set(err, FM_E_CONFLICT,
                        "%s, version %lld: %s; and table %s cannot stand for it: %s", p->table,
                        (long long)p->version, not_kept, p->table, why.text);
}

static fm_status prove(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct proving *p = ctx;
    struct data_kept *kept;
    char not_kept[BASE_ERR_TEXT];
    fm_status st = data_kept_open(&kept, p->kept, p->secret, p->table, p->published, err);

    if (st == FM_OK) {
        const struct rows_of rows = {kept_rows, kept, data_kept_schema(kept)};
        st = prove_from(p, &rows, stop, err);
        data_kept_free(kept);
        if (st == FM_E_CONFLICT && p->proof != NULL) { /* a proof, of another root */
            json_decref(p->proof);
            p->proof = NULL;
            st = base_err_set(err, FM_E_CORRUPT, "%s: the kept rows are not what was published",
                              p->kept);
        }
        if (st != FM_E_CORRUPT)
            return st;
    }
    if (st == FM_E_MEMORY)
        return st;
    /* Not kept, or damaged: the table may still be that version. */
    (void)snprintf(not_kept, sizeof not_kept, "%s", err->text);
    return prove_table(p, stop, not_kept, err);
}

static void proved(struct node *node, void *ctx, const struct node_reply *reply,
                   const struct base_err *why)
{
    struct proving *p = ctx;
    struct base_err err = *why;

    if (reply != NULL && err.code == FM_OK)
        node_reply_value(
            reply, json_pack("{s:s, s:s, s:s, s:s, s:I, s:O}", "type", "FirmianaRow", "chain",
                             node->chain_hex, "member", node->config.home.alias, "dataset",
                             p->table, "data_version", (json_int_t)p->version, "proof", p->proof));
    else if (reply != NULL)
        node_reply_error(reply, &err);
    proving_free(p);
}

/* The root of a version of the dataset whose newest is given. */
static fm_status root_of(uint8_t root32[32], struct node *node, const char *table,
                         const json_t *newest, int64_t version, struct base_err *err)
{
    json_t *value = NULL;
    fm_status st;

    if (version == json_integer_value(json_object_get(newest, "data_version")))
        return base_json_get_hex(root32, 32, newest, "root", err);
    st = node_state(node, &value, err, "version/%s/%s/%lld", node->config.home.alias, table,
                    (long long)version);
    if (st == FM_E_NOT_FOUND)
        st =
            base_err_set(err, FM_E_NOT_FOUND,
                         "%s, version %lld: the ledger's state has no root of it: it was published "
                         "before rules version 2",
                         table, (long long)version);
    if (st == FM_OK)
        st = base_json_get_hex(root32, 32, value, "root", err);
    json_decref(value);
    return st;
}

/* The root of the version asked for, and the newest version's declaration. */
static fm_status find_published(struct proving *p, json_t **newest, struct node *node,
                                const json_t *request, struct base_err *err)
{
    const char *alias = node->config.home.alias;
    const json_t *asked = json_object_get(request, "version");
    int64_t last;
    fm_status st = node_state(node, newest, err, "dataset/%s/%s", alias, p->table);

    if (st == FM_E_NOT_FOUND)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "%s published no dataset %s: firmiana dataset list shows what is "
                            "published",
                            alias, p->table);
    if (st != FM_OK)
        return st;
    last = p->version = json_integer_value(json_object_get(*newest, "data_version"));
    if (asked != NULL)
        st = base_json_get_int(&p->version, request, "version", err);
    if (st == FM_OK && (p->version < 1 || p->version > last))
        st = base_err_set(err, FM_E_NOT_FOUND, "%s has versions 1 to %lld, and no version %lld",
                          p->table, (long long)last, (long long)p->version);
    return st == FM_OK ? root_of(p->published, node, p->table, *newest, p->version, err) : st;
}

/* "row": its place; or "key": a value that it alone has. */
static fm_status which_row(struct proving *p, const json_t *request, struct base_err *err)
{
    json_t *key = json_object_get(request, "key");
    int64_t index = 0;
    fm_status st = FM_OK;

    if (json_is_string(key))
        p->key = json_incref(key);
    else
        st = base_json_get_int(&index, request, "row", err);
    if (st == FM_OK && index < 0)
        st = base_err_set(err, FM_E_ARG, "member 'row' must be 0 or more");
    p->index = (uint64_t)index;
    return st;
}

static fm_status proving_new(struct proving **out, struct node *node, const json_t *request,
                             struct base_err *err)
{
    struct proving *p = calloc(1, sizeof *p);
    json_t *newest = NULL;
    const char *table;
    fm_status st =
        p != NULL ? base_json_get_str(&table, request, "table", err) : base_err_memory(err, "row");

    if (st == FM_OK && strlen(table) > DATA_NAME_MAX)
        st = base_err_set(err, FM_E_ARG, "--table: longer than %d bytes", DATA_NAME_MAX);
    if (st == FM_OK) {
        memcpy(p->table, table, strlen(table) + 1);
        st = which_row(p, request, err);
    }
    if (st == FM_OK)
        st = find_published(p, &newest, node, request, err);
    if (st == FM_OK)
        st = home_path(p->kept, node->config.home.dir, "versions.db", err);
    if (st == FM_OK) {
        if (node_rows_open(&p->rows, node->config.home.data, p->table,
                           json_object_get(newest, "schema"), &p->no_rows) != FM_OK)
            p->rows = NULL; /* the version may be kept all the same */
        memcpy(p->secret, did_secret_bytes(node->config.salts), sizeof p->secret);
    } else {
        proving_free(p);
        p = NULL;
    }
    json_decref(newest);
    *out = p;
    return st;
}

void node_request_dataset_prove(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    struct chore_work work = {prove, proved, NULL};
    struct base_err err = {0};
    struct proving *p = NULL;

    reply->progress(reply->ctx, "hashing every row");
    if (proving_new(&p, node, request, &err) == FM_OK) {
        work.ctx = p;
        if (node_chore_start(node, &work, reply, reply->ctx, &err) == FM_OK)
            return;
        proving_free(p);
    }
    node_reply_error(reply, &err);
}

/* ---- forgetting ---- */

struct forgetting {
    char kept[HOME_PATH];
    char table[DATA_NAME_MAX + 1];
    int64_t before;
    uint8_t root[32]; /* of version `before`, if it is on the ledger */
    bool has_root;
    struct data_forgotten done;
};

static fm_status forget(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct forgetting *f = ctx;

    (void)stop; /* one transaction: done or not */
    return data_kept_forget(&f->done, f->kept, f->table, f->before, f->has_root ? f->root : NULL,
                            err);
}

static void forgot(struct node *node, void *ctx, const struct node_reply *reply,
                   const struct base_err *why)
{
    struct forgetting *f = ctx;
    struct base_err err = *why;

    (void)node;
    if (reply != NULL && err.code == FM_OK)
        node_reply_value(reply,
                         json_pack("{s:s, s:I, s:I, s:I}", "dataset", f->table, "versions",
                                   (json_int_t)f->done.versions, "rows", (json_int_t)f->done.rows,
                                   "oldest", (json_int_t)f->done.oldest));
    else if (reply != NULL)
        node_reply_error(reply, &err);
    free(f);
}

/* Without a root there, all that was kept with that number stays. */
static fm_status root_to_stay(struct forgetting *f, struct node *node, struct base_err *err)
{
    json_t *newest = NULL;
    fm_status st =
        node_state(node, &newest, err, "dataset/%s/%s", node->config.home.alias, f->table);

    if (st == FM_OK)
        st = root_of(f->root, node, f->table, newest, f->before, err);
    f->has_root = st == FM_OK;
    json_decref(newest);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

void node_request_dataset_forget(struct node *node, const json_t *request,
                                 const struct node_reply *reply)
{
    struct forgetting *f = calloc(1, sizeof *f);
    const struct chore_work work = {forget, forgot, f};
    struct base_err err = {0};
    const char *table = "";
    fm_status st = f != NULL ? base_json_get_str(&table, request, "table", &err)
                             : base_err_memory(&err, "dataset");

    if (st == FM_OK)
        st = base_json_get_int(&f->before, request, "before", &err);
    if (st == FM_OK && strlen(table) > DATA_NAME_MAX)
        st = base_err_set(&err, FM_E_ARG, "--table: longer than %d bytes", DATA_NAME_MAX);
    if (st == FM_OK)
        st = home_path(f->kept, node->config.home.dir, "versions.db", &err);
    if (st == FM_OK) {
        memcpy(f->table, table, strlen(table) + 1);
        st = root_to_stay(f, node, &err);
    }
    if (st == FM_OK) {
        err = (struct base_err){0};
        reply->progress(reply->ctx, "erasing");
        if (node_chore_start(node, &work, reply, reply->ctx, &err) == FM_OK)
            return;
    }
    free(f);
    node_reply_error(reply, &err);
}
