/* dataset.history: every version of a dataset that was published. dataset.prove: one row of one's
 * own, opened for whoever is entitled to see it. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/secret.h"
#include "exchange/data/root.h"
#include "exchange/node/requests_own.h"

/* ---- history ---- */

static fm_status add(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    json_t *item = json_copy((json_t *)(uintptr_t)value);
    json_int_t version = strtoll(strrchr(key, '/') + 1, NULL, 10);

    if (item == NULL || json_object_set_new(item, "data_version", json_integer(version)) != 0 ||
        json_array_append_new(ctx, item) != 0)
        return base_err_memory(err, "history");
    return FM_OK;
}

static int by_version(const void *a, const void *b)
{
    json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "data_version"));
    json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "data_version"));

    return (x > y) - (x < y);
}

/* Keys come in byte order: 1, 10, 2. */
static json_t *sorted(const json_t *list)
{
    size_t n = json_array_size(list);
    json_t **items = calloc(n + 1, sizeof *items), *out = json_array();

    for (size_t i = 0; items != NULL && i < n; i++)
        items[i] = json_array_get(list, i);
    if (items != NULL)
        qsort(items, n, sizeof *items, by_version);
    for (size_t i = 0; items != NULL && i < n; i++)
        (void)json_array_append(out, items[i]);
    free(items);
    return out;
}

void node_request_dataset_history(struct node *node, const json_t *request,
                                  const struct node_reply *reply)
{
    const char *member = json_string_value(json_object_get(request, "member")), *dataset;
    json_t *list = json_array();
    struct base_err err = {0};
    char prefix[128];
    fm_status st = base_json_get_str(&dataset, request, "dataset", &err);

    if (member == NULL)
        member = node->config.home.alias;
    if (st == FM_OK)
        (void)snprintf(prefix, sizeof prefix, "version/%.32s/%.64s/", member, dataset);
    if (st == FM_OK)
        st = ledger_reader_list(ledger_chain_reader(node->chain), prefix, add, list, &err);
    if (st == FM_OK && json_array_size(list) == 0)
        st = base_err_set(&err, FM_E_NOT_FOUND,
                          "%.32s published no version of %.64s (since rules version 2)", member,
                          dataset);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s, s:s, s:o}", "member", member, "dataset", dataset,
                                          "versions", sorted(list)));
    else
        node_reply_error(reply, &err);
    json_decref(list);
}

/* ---- a row ---- */

struct proving {
    struct node_rows *rows;
    int64_t version;
    uint64_t index;
    uint8_t secret[32], published[32];
    json_t *proof;
};

static void proving_free(struct proving *p)
{
    if (p == NULL)
        return;
    node_rows_free(p->rows);
    json_decref(p->proof);
    base_wipe(p->secret, sizeof p->secret);
    free(p);
}

static fm_status prove(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct proving *p = ctx;
    const struct data_version_key key = {p->secret, (uint64_t)p->version};
    struct data_row_source source;
    struct data_rows *all;
    uint8_t root[32];
    fm_status st =
        data_rows_open(&all, p->rows->store, p->rows->table, &p->rows->schema, NULL, 0, err);

    (void)stop;
    if (st != FM_OK)
        return st;
    source = data_rows_source(all);
    st = data_root_prove(&p->proof, root, &source, &p->rows->schema, &key, p->index, err);
    data_rows_free(all);
    if (st == FM_OK && memcmp(root, p->published, 32) != 0)
        st = base_err_set(err, FM_E_CONFLICT,
                          "%s is not what version %lld published: its rows changed since; publish "
                          "it, or prove from a home with the data.db of then",
                          p->rows->table, (long long)p->version);
    return st;
}

static void proved(struct node *node, void *ctx, const struct node_reply *reply,
                   const struct base_err *why)
{
    struct proving *p = ctx;
    struct base_err err = *why;

    if (reply != NULL && err.code == FM_OK)
        node_reply_value(reply,
                         json_pack("{s:s, s:s, s:s, s:s, s:I, s:O}", "type", "FirmianaRow", "chain",
                                   node->chain_hex, "member", node->config.home.alias, "dataset",
                                   p->rows->table, "data_version", (json_int_t)p->version, "proof",
                                   p->proof));
    else if (reply != NULL)
        node_reply_error(reply, &err);
    proving_free(p);
}

/* Of the newest version that stands on the ledger. */
static fm_status proving_new(struct proving **out, struct node *node, const json_t *request,
                             struct base_err *err)
{
    struct proving *p = calloc(1, sizeof *p);
    json_t *value = NULL;
    const char *table;
    int64_t index = 0;
    fm_status st =
        p != NULL ? base_json_get_str(&table, request, "table", err) : base_err_memory(err, "row");

    if (st == FM_OK)
        st = base_json_get_int(&index, request, "row", err);
    if (st == FM_OK && index < 0)
        st = base_err_set(err, FM_E_ARG, "member 'row' must be 0 or more");
    if (st == FM_OK)
        st = node_state(node, &value, err, "dataset/%s/%s", node->config.home.alias, table);
    if (st == FM_OK)
        st = base_json_get_hex(p->published, 32, value, "root", err);
    if (st == FM_OK)
        st = node_rows_open(&p->rows, node->config.home.data, table,
                            json_object_get(value, "schema"), err);
    if (st == FM_OK) {
        p->index = (uint64_t)index;
        p->version = json_integer_value(json_object_get(value, "data_version"));
        memcpy(p->secret, did_secret_bytes(node->config.salts), sizeof p->secret);
    } else {
        proving_free(p);
        p = NULL;
    }
    json_decref(value);
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
