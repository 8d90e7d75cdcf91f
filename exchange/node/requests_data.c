/* dataset.publish: a table's declaration goes to the ledger, with the salted root of its rows;
 * never a row. */
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/requests_own.h"

/* The schema to declare: the one given, or the one stored beside the table by the import. */
static fm_status declared_schema(json_t **out, struct node *node, const char *table,
                                 const json_t *request, struct base_err *err)
{
    const json_t *given = json_object_get(request, "schema");
    struct data_schema schema = {0};
    struct data_notes notes = {0};
    struct data_store *store = NULL;
    enum data_origin origin;
    fm_status st;

    *out = NULL;
    if (given != NULL)
        st = data_schema_from_json(&schema, given, err);
    else {
        st = data_store_open(&store, node->config.home.data, err);
        if (st == FM_OK)
            st = data_store_schema(&schema, &origin, &notes, store, table, err);
        if (st == FM_OK && origin != DATA_DECLARED)
            st = base_err_set(err, FM_E_REFUSED,
                              "table %s has no declared schema: nothing public is derived from "
                              "data; give one with "
                              "--schema, or import with one",
                              table);
    }
    if (st == FM_OK)
        st = data_schema_to_json(out, &schema, err);
    data_notes_release(&notes);
    data_schema_release(&schema);
    data_store_free(store);
    return st;
}

/* The next data version, and a schema version that is higher if the schema changed. */
static fm_status next_version(struct node *node, int64_t *data_version, const char *table,
                              const json_t *schema, struct base_err *err)
{
    struct base_err none = {0};
    json_t *value = NULL;
    fm_status st = FM_OK;

    *data_version = 1;
    if (node_state(node, &value, &none, "dataset/%s/%s", node->config.home.alias, table) == FM_OK) {
        const json_t *before = json_object_get(value, "schema");
        *data_version = json_integer_value(json_object_get(value, "data_version")) + 1;
        if (!json_equal(before, (json_t *)(uintptr_t)schema) &&
            json_integer_value(json_object_get(schema, "version")) <=
                json_integer_value(json_object_get(before, "version")))
            st = base_err_set(err, FM_E_CONFLICT,
                              "the schema of %s changed: raise its version above %lld", table,
                              (long long)json_integer_value(json_object_get(before, "version")));
    }
    json_decref(value);
    return st;
}

static fm_status build(json_t **body, struct node *node, const json_t *request,
                       struct base_err *err)
{
    struct node_rows *rows = NULL;
    json_t *schema = NULL;
    const char *table;
    uint8_t root[32];
    char root_hex[65];
    int64_t version = 1;
    fm_status st = base_json_get_str(&table, request, "table", err);

    if (st == FM_OK)
        st = declared_schema(&schema, node, table, request, err);
    if (st == FM_OK)
        st = next_version(node, &version, table, schema, err);
    if (st == FM_OK)
        st = node_rows_open(&rows, node->config.home.data, table, schema, err);
    if (st == FM_OK)
        st = data_store_check(rows->store, table, &rows->schema, err);
    if (st == FM_OK)
        st = node_rows_root(root, &node->roots, rows, did_secret_bytes(node->config.salts),
                            (uint64_t)version, err);
    if (st == FM_OK) {
        base_hex(root_hex, root, 32);
        *body =
            json_pack("{s:s,s:O,s:I,s:s,s:I}", "dataset", table, "schema", schema, "data_version",
                      (json_int_t)version, "root", root_hex, "rows", (json_int_t)rows->schema.rows);
        if (*body == NULL)
            st = base_err_memory(err, "dataset");
    }
    node_rows_free(rows);
    json_decref(schema);
    return st;
}

void node_request_dataset_publish(struct node *node, const json_t *request,
                                  const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *body = NULL;

    reply->progress(reply->ctx, "checking every row against the schema, and hashing");
    if (build(&body, node, request, &err) == FM_OK)
        node_submit_and_reply(node, LEDGER_TX_DATASET_PUBLISH, body, reply);
    else
        node_reply_error(reply, &err);
}

void node_request_dataset_list(struct node *node, const json_t *request,
                               const struct node_reply *reply)
{
    struct base_err err = {0};
    json_t *datasets = NULL;

    (void)request;
    if (node_datasets(node, &datasets, &err) == FM_OK)
        node_reply_value(reply, json_pack("{s:O}", "datasets", datasets));
    else
        node_reply_error(reply, &err);
    json_decref(datasets);
}
