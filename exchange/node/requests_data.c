/* dataset.publish: a table's declaration goes to the ledger, with the salted root of its rows;
 * never a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/secret.h"
#include "exchange/data/publish.h"
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

/* The next data version, and a schema version that is higher if the schema changed. root32: of the
 * version that stands on the ledger, zeros if there is none. */
static fm_status next_version(struct node *node, int64_t *data_version, uint8_t root32[32],
                              const char *table, const json_t *schema, struct base_err *err)
{
    struct base_err none = {0};
    json_t *value = NULL;
    fm_status st = FM_OK;

    *data_version = 1;
    if (node_state(node, &value, &none, "dataset/%s/%s", node->config.home.alias, table) == FM_OK) {
        const json_t *before = json_object_get(value, "schema");
        *data_version = json_integer_value(json_object_get(value, "data_version")) + 1;
        st = base_json_get_hex(root32, 32, value, "root", err);
        if (st == FM_OK && !json_equal(before, (json_t *)(uintptr_t)schema) &&
            json_integer_value(json_object_get(schema, "version")) <=
                json_integer_value(json_object_get(before, "version")))
            st = base_err_set(err, FM_E_CONFLICT,
                              "the schema of %s changed: raise its version above %lld", table,
                              (long long)json_integer_value(json_object_get(before, "version")));
    }
    json_decref(value);
    return st;
}

/* A publication under way: from the request to its transaction. */
struct publication {
    struct node_rows *rows;
    json_t *schema;
    char table[DATA_NAME_MAX + 1];
    int64_t version;
    uint8_t secret[32];
    char digests[HOME_PATH];
    uint8_t before[32]; /* the root of the version before; zeros: there is none */
    struct data_published published;
};

static void publication_free(struct publication *p)
{
    if (p == NULL)
        return;
    node_rows_free(p->rows);
    json_decref(p->schema);
    base_wipe(p->secret, sizeof p->secret);
    free(p);
}

/* The file is frozen here and now: what is checked and hashed beside the node's thread is what was
 * there when the publication was asked for. */
static fm_status publication_new(struct publication **out, struct node *node, const json_t *request,
                                 struct base_err *err)
{
    struct publication *p = calloc(1, sizeof *p);
    const char *table;
    fm_status st = p != NULL ? base_json_get_str(&table, request, "table", err)
                             : base_err_memory(err, "dataset");

    if (st == FM_OK)
        st = declared_schema(&p->schema, node, table, request, err);
    if (st == FM_OK)
        st = next_version(node, &p->version, p->before, table, p->schema, err);
    if (st == FM_OK)
        st = home_path(p->digests, node->config.home.dir, "versions.db", err);
    if (st == FM_OK)
        st = node_rows_open(&p->rows, node->config.home.data, table, p->schema, err);
    if (st != FM_OK) {
        publication_free(p);
        p = NULL;
    } else {
        memcpy(p->table, p->rows->table, sizeof p->table);
        memcpy(p->secret, did_secret_bytes(node->config.salts), sizeof p->secret);
    }
    *out = p;
    return st;
}

static fm_status publication_run(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct publication *p = ctx;
    const struct data_publish_job job = {
        p->rows->store, p->table, &p->rows->schema, {p->secret, (uint64_t)p->version}, p->digests,
        p->before,      stop};

    return data_publish(&p->published, &job, err);
}

/* {"changes": {"since", "same", "changed", "added", "removed"}}, or {"changes": {"unknown": why}},
 * or {} for a first version; NULL when memory is out. */
static json_t *changes_json(const struct publication *p)
{
    const struct data_changes *c = &p->published.changes;

    if (p->published.unknown[0] != '\0')
        return json_pack("{s:{s:s++}}", "changes", "unknown",
                         "this version's rows could not be kept, and can be proved only while the "
                         "table is as it is: ",
                         p->published.unknown, "");
    if (p->version == 1)
        return json_object();
    if (!c->known)
        return json_pack("{s:{s:s}}", "changes", "unknown",
                         "what was published before is not kept here");
    return json_pack("{s:{s:I,s:I,s:I,s:I,s:I}}", "changes", "since", (json_int_t)(p->version - 1),
                     "same", (json_int_t)c->same, "changed", (json_int_t)c->changed, "added",
                     (json_int_t)c->added, "removed", (json_int_t)c->removed);
}

/* From rules version 2 on the digest of what changed goes along. */
static void put_digest(const struct node *node, json_t *body, const struct data_changes *changes)
{
    char hex[65];

    if (!changes->known || ledger_chain_head(node->chain)->rules_version < 2)
        return;
    base_hex(hex, changes->digest32, 32);
    (void)json_object_set_new(body, "changes", json_string(hex));
}

static void publication_done(struct node *node, void *ctx, const struct node_reply *reply,
                             const struct base_err *why)
{
    struct publication *p = ctx;
    struct base_err err = *why;
    char root_hex[65];
    json_t *body, *changes;

    if (reply == NULL) { /* whoever wanted it has gone: nothing is published behind their back */
        publication_free(p);
        return;
    }
    if (err.code == FM_OK) {
        node_rows_remember(&node->roots, p->rows, (uint64_t)p->version, p->published.root32);
        base_hex(root_hex, p->published.root32, 32);
        body = json_pack("{s:s,s:O,s:I,s:s,s:I}", "dataset", p->table, "schema", p->schema,
                         "data_version", (json_int_t)p->version, "root", root_hex, "rows",
                         (json_int_t)p->rows->schema.rows);
        changes = changes_json(p);
        put_digest(node, body, &p->published.changes);
        if (body == NULL || changes == NULL) {
            (void)base_err_memory(&err, "dataset");
            json_decref(body);
            json_decref(changes);
        } else {
            node_submit_and_tell(node, LEDGER_TX_DATASET_PUBLISH, body, changes, reply);
        }
    }
    publication_free(p);
    if (err.code != FM_OK)
        node_reply_error(reply, &err);
}

void node_request_dataset_publish(struct node *node, const json_t *request,
                                  const struct node_reply *reply)
{
    struct chore_work work = {publication_run, publication_done, NULL};
    struct base_err err = {0};
    struct publication *p = NULL;

    reply->progress(reply->ctx, "checking every row against the schema, and hashing");
    if (publication_new(&p, node, request, &err) == FM_OK) {
        work.ctx = p;
        if (node_chore_start(node, &work, reply, reply->ctx, &err) == FM_OK)
            return;
        publication_free(p);
    }
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
