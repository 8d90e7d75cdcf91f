/* A query's own data at this node: frozen, and held against what stands on the ledger. Rows that
 * nobody has hashed since they changed are hashed beside the node's thread. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "exchange/node/node_own.h"

static bool is_own(const struct node *node, const struct contract_table *t)
{
    return strcmp(t->provider, node->config.home.alias) == 0;
}

/* The dataset as it stands on the ledger. A query reads the newest version at its height: once
 * there is a newer one, these are not its rows any more. */
static fm_status published(json_t **value, struct node *node, const struct node_query *q,
                           const struct contract_table *t, const char **rule, struct base_err *err)
{
    fm_status st = node_state(node, value, err, "dataset/%s/%s", t->provider, t->dataset);

    if (st == FM_OK && (uint64_t)json_integer_value(json_object_get(*value, "height")) >
                           session_get_facts(q->session)->height) {
        *rule = "dataset.changed";
        st = base_err_set(err, FM_E_REFUSED,
                          "table %s was published anew after the query was opened", t->dataset);
    }
    return st;
}

/* What is wrong with our own data is our business: others learn the rule, the log has the detail.
 */
static fm_status as_refusal(struct base_err *err)
{
    if (err->code != FM_E_MEMORY)
        err->code = FM_E_REFUSED;
    return err->code;
}

/* What is said of one table with ready. */
static fm_status compare(json_t *inputs, struct node_rows *rows, const struct contract_table *t,
                         const json_t *value, const uint8_t root[32], const char **rule,
                         struct base_err *err)
{
    uint8_t want[32];

    if (base_json_get_hex(want, 32, value, "root", err) != FM_OK)
        return err->code;
    if (memcmp(root, want, 32) != 0) {
        *rule = "dataset.changed";
        return base_err_set(err, FM_E_REFUSED,
                            "table %s is not what was published: publish it again", t->dataset);
    }
    memcpy(rows->root, root, sizeof rows->root);
    rows->rooted = true;
    if (json_array_append_new(inputs, json_pack("{s:s,s:O,s:O}", "table", t->table, "data_version",
                                                json_object_get(value, "data_version"), "root",
                                                json_object_get(value, "root"))) != 0)
        return base_err_memory(err, "inputs");
    return FM_OK;
}

/* ---- hashing ---- */

/* The query may be over, and freed, before it comes back. */
struct hashing {
    char query_hex[65];
    struct node_rows *rows;
    uint8_t secret[32];
    uint8_t root[32];
    uint64_t version;
};

static void hashing_free(struct hashing *h)
{
    node_rows_free(h->rows);
    base_wipe(h->secret, sizeof h->secret);
    free(h);
}

static fm_status hashing_run(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct hashing *h = ctx;

    return node_rows_hash(h->root, h->rows, h->secret, h->version, stop, err);
}

static fm_status next_tables(struct node *node, struct node_query *q, bool *all, const char **rule,
                             struct base_err *err);

/* While the rows were hashed the world went on: all that this node said yes to is looked at again.
 */
static fm_status hashed(struct node *node, struct node_query *q, struct hashing *h, bool *all,
                        const char **rule, struct base_err *err)
{
    const struct contract_table *t = &q->contract.tables[q->rows_at];
    json_t *value = NULL;
    fm_status st = node_authority(node, q, rule, err);

    if (st != FM_OK)
        return st;
    *rule = "node.data";
    st = published(&value, node, q, t, rule, err);
    if (st == FM_OK)
        st = compare(q->inputs, h->rows, t, value, h->root, rule, err);
    json_decref(value);
    if (st != FM_OK)
        return as_refusal(err);
    q->rows[q->rows_at++] = h->rows;
    h->rows = NULL;
    return next_tables(node, q, all, rule, err);
}

static void hashing_done(struct node *node, void *ctx, const struct node_reply *reply,
                         const struct base_err *why)
{
    struct hashing *h = ctx;
    struct node_query *q = node_query_find(node, h->query_hex);
    const char *rule = "node.data";
    struct base_err err = *why;
    bool all = false;

    (void)reply;
    if (err.code == FM_OK)
        node_rows_remember(&node->roots, h->rows, h->version, h->root);
    if (q != NULL && session_get_state(q->session) == SESSION_PREPARING) {
        if (err.code == FM_OK)
            (void)!hashed(node, q, h, &all, &rule, &err);
        else
            (void)as_refusal(&err);
        if (all || err.code != FM_OK)
            session_on_prepared(q->session, all ? q->inputs : NULL, rule, &err,
                                base_clock_unix_ms(node->config.clock));
    }
    hashing_free(h);
}

/* Takes the rows along. */
static fm_status hash_beside(struct node *node, struct node_query *q, uint64_t version,
                             struct base_err *err)
{
    struct chore_work work = {hashing_run, hashing_done, NULL};
    struct hashing *h = calloc(1, sizeof *h);
    fm_status st;

    if (h == NULL)
        return base_err_memory(err, "rows");
    memcpy(h->query_hex, q->query_hex, sizeof h->query_hex);
    memcpy(h->secret, did_secret_bytes(node->config.salts), sizeof h->secret);
    h->version = version;
    h->rows = q->rows[q->rows_at];
    q->rows[q->rows_at] = NULL;
    work.ctx = h;
    st = node_chore_start(node, &work, NULL, q, err);
    if (st != FM_OK)
        hashing_free(h);
    return st;
}

/* ---- before ready ---- */

/* One table: its rows are ours to use (*rows_at moves on), or being hashed. */
static fm_status next_table(struct node *node, struct node_query *q, const char **rule,
                            struct base_err *err)
{
    const struct contract_table *t = &q->contract.tables[q->rows_at];
    struct node_rows **rows = &q->rows[q->rows_at];
    json_t *value = NULL;
    uint8_t root[32];
    uint64_t version = 0;
    fm_status st = published(&value, node, q, t, rule, err);

    node_rows_free(*rows); /* of an attempt before */
    *rows = NULL;
    if (st == FM_OK)
        st = node_rows_open(rows, node->config.home.data, t->dataset,
                            json_object_get(value, "schema"), err);
    if (st == FM_OK) {
        version = (uint64_t)json_integer_value(json_object_get(value, "data_version"));
        if (!node_rows_recall(root, &node->roots, *rows, version)) {
            st = hash_beside(node, q, version, err);
        } else {
            st = compare(q->inputs, *rows, t, value, root, rule, err);
            q->rows_at++;
        }
    }
    json_decref(value);
    return st == FM_OK ? FM_OK : as_refusal(err);
}

/* All of them from rows_at on, until one must be hashed. */
static fm_status next_tables(struct node *node, struct node_query *q, bool *all, const char **rule,
                             struct base_err *err)
{
    fm_status st = FM_OK;

    while (st == FM_OK && q->rows_at < q->contract.table_count) {
        unsigned at = q->rows_at;
        if (!is_own(node, &q->contract.tables[at])) {
            q->rows_at++;
            continue;
        }
        st = next_table(node, q, rule, err);
        if (q->rows_at == at)
            return st;
    }
    *all = st == FM_OK;
    return st;
}

fm_status node_own_rows(struct node *node, struct node_query *q, json_t **inputs, const char **rule,
                        struct base_err *err)
{
    bool all = false;
    fm_status st;

    *inputs = NULL;
    *rule = "node.data";
    q->rows_at = 0;
    json_decref(q->inputs);
    q->inputs = json_array();
    if (q->inputs == NULL)
        return base_err_memory(err, "inputs");
    st = next_tables(node, q, &all, rule, err);
    if (all)
        *inputs = json_incref(q->inputs);
    return st;
}
