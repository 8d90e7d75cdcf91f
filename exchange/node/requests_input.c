/* audit.opening: what this member put into a psi-sum query, and the salt and scalar with which its
 * receipt's commitment is made again. Rows are read out of the member's file as the query read
 * them: if the file is another by now, there is nothing to open any more, and that is said. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "exchange/contract/compile.h"
#include "exchange/intersect/run.h"
#include "exchange/node/job_rows.h"
#include "exchange/node/openings.h"
#include "exchange/node/requests_own.h"

enum { ROWS_MOST = 100000 /* of an answer: some megabytes */ };

/* One opening on its way. */
struct opening {
    char query_hex[65], alias[HOME_ALIAS], table[DATA_NAME_MAX + 1];
    long long attempt;
    struct contract contract;
    struct sql_plan *plan;
    struct intersect_shape shape;
    enum intersect_side side;
    struct sql_value values[CONTRACT_MAX_PARAMETERS];
    struct job_rows rows;
    uint8_t kept[MPC_PSI_OPENING];
    json_t *answer;
};

static void opening_free(struct opening *o)
{
    if (o == NULL)
        return;
    job_rows_release(&o->rows);
    node_plan_free(o->plan);
    contract_release(&o->contract);
    json_decref(o->answer);
    base_wipe(o->kept, sizeof o->kept);
    free(o);
}

/* ---- on the node's thread ---- */

static fm_status find_contract(struct opening *o, struct node *node, struct base_err *err)
{
    json_t *query = NULL, *value = NULL;
    const char *id;
    fm_status st = node_state(node, &query, err, "query/%s", o->query_hex);

    if (st == FM_OK)
        st = base_json_get_str(&id, query, "contract", err);
    if (st == FM_OK)
        st = node_state(node, &value, err, "contract/%.64s", id);
    if (st == FM_OK)
        st = contract_parse(&o->contract, json_object_get(value, "contract"), err);
    if (st == FM_OK && strcmp(o->contract.protocol, "psi-sum") != 0)
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "query %.12s ran under %s: what is opened are inputs of psi-sum",
                          o->query_hex, o->contract.protocol);
    json_decref(query);
    json_decref(value);
    return st;
}

static fm_status find_plan(struct opening *o, struct node *node, struct base_err *err)
{
    json_t *datasets = NULL;
    struct sql_plan *plan = calloc(1, sizeof *plan);
    fm_status st =
        plan != NULL ? node_datasets(node, &datasets, err) : base_err_memory(err, "plan");

    if (st == FM_OK)
        st = contract_compile(plan, &o->contract, datasets, err);
    if (st == FM_OK)
        o->plan = plan;
    else
        free(plan);
    json_decref(datasets);
    return st == FM_OK ? intersect_shape_of(&o->shape, o->plan, err) : st;
}

static fm_status find_values(struct opening *o, struct node *node, struct base_err *err)
{
    json_t *opening = NULL;
    const json_t *list;
    fm_status st =
        o->plan->param_count > 0 ? node_opening_get(node, &opening, o->query_hex, err) : FM_OK;

    list = json_object_get(opening, "parameters");
    for (size_t i = 0; st == FM_OK && i < o->plan->param_count; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(list, i), "value"));
        st = text != NULL ? sql_param_parse(&o->values[i], o->plan, i, text, err)
                          : base_err_set(err, FM_E_NOT_FOUND,
                                         "this node does not know parameter $%zu", i + 1);
    }
    json_decref(opening);
    return st;
}

static fm_status take_attempt(void *ctx, const char *name, long long at_ms, struct base_err *err)
{
    struct opening *o = ctx;

    (void)at_ms;
    (void)err;
    if (strncmp(name, o->query_hex, 64) == 0 && name[64] == '/' && atoll(name + 65) > o->attempt)
        o->attempt = atoll(name + 65);
    return FM_OK;
}

static fm_status find_kept(struct opening *o, struct node *node, struct base_err *err)
{
    struct base_buf bytes = {0};
    char name[96];
    fm_status st;

    o->attempt = -1;
    st = node_sealed_list(node->started, OPENING_INPUT, NULL, take_attempt, o, err);
    (void)snprintf(name, sizeof name, "%s/%lld", o->query_hex, o->attempt);
    if (st == FM_OK)
        st = node_sealed_get(&bytes, node->started, OPENING_INPUT, name, err);
    if (st == FM_E_NOT_FOUND)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "this node keeps no opening of an input to query %.12s", o->query_hex);
    if (st == FM_OK && bytes.len != sizeof o->kept)
        st = base_err_set(err, FM_E_UNSUPPORTED, "the opening was kept by an earlier version");
    if (st == FM_OK)
        memcpy(o->kept, bytes.p, sizeof o->kept);
    base_buf_release_secret(&bytes);
    return st;
}

static fm_status find_rows(struct opening *o, struct node *node, struct base_err *err)
{
    const struct sql_source *source = NULL;
    struct node_rows *rows = NULL;
    json_t *value = NULL;
    fm_status st;

    for (unsigned side = 0; side < 2; side++) {
        const struct sql_source *s = &o->plan->sources[o->shape.tables[side].source];
        if (strcmp(s->member, o->alias) == 0)
            source = s, o->side = (enum intersect_side)side;
    }
    if (source == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "%s put nothing into query %.12s", o->alias,
                            o->query_hex);
    (void)snprintf(o->table, sizeof o->table, "%s", o->plan->tables[source->table].name);
    st = node_state(node, &value, err, "dataset/%s/%s", source->member, source->dataset);
    if (st == FM_OK)
        st = node_rows_open(&rows, node->config.home.data, source->dataset,
                            json_object_get(value, "schema"), err);
    json_decref(value);
    return st == FM_OK ? job_rows_init(&o->rows, rows, o->plan, source->table, &node->columns, err)
                       : st;
}

/* ---- beside it ---- */

static json_t *row_of(const struct intersect_rows *r, size_t i)
{
    char hex[2 * 32 + 1];
    json_t *row = json_array();

    base_hex(hex, r->ids + i * r->id_len, r->id_len);
    if (row == NULL || json_array_append_new(row, json_string(hex)) != 0)
        return row;
    for (size_t k = 0; k < r->columns; k++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%lld", (long long)r->column[k][i]);
        (void)json_array_append_new(row, json_string(number));
    }
    return row;
}

static fm_status answer(struct opening *o, const struct intersect_rows *r, struct base_err *err)
{
    const struct mpc_psi_rows rows = {r->n, r->ids, r->id_len, r->column};
    char commitment[65], salt[65], scalar[65], terms[65];
    uint8_t hash[32];
    json_t *list = json_array();

    mpc_psi_commitment_of(hash, o->kept,
                          o->side == INTERSECT_MATCHER ? MPC_PSI_MATCHER : MPC_PSI_HOLDER, &rows,
                          r->columns);
    base_hex(commitment, hash, 32);
    base_hex(salt, o->kept, 32);
    base_hex(scalar, o->kept + 32, 32);
    base_hex(terms, o->kept + 64, 32);
    for (size_t i = 0; i < r->n; i++)
        if (json_array_append_new(list, row_of(r, i)) != 0)
            break;
    if (json_array_size(list) == r->n)
        o->answer = json_pack(
            "{s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:O,s:s}", "type", "FirmianaPsiInput",
            "query", o->query_hex, "attempt", (json_int_t)o->attempt, "member", o->alias, "table",
            o->table, "side", o->side == INTERSECT_MATCHER ? "matcher" : "holder", "salt", salt,
            "scalar", scalar, "terms", terms, "id_bytes", (json_int_t)r->id_len, "columns",
            (json_int_t)r->columns, "rows", list, "commitment", commitment);
    json_decref(list);
    base_wipe(scalar, sizeof scalar);
    base_wipe(salt, sizeof salt);
    return o->answer != NULL ? FM_OK : base_err_memory(err, "opening");
}

static fm_status opening_run(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct opening *o = ctx;
    const struct sql_rows rows = {job_rows_next, &o->rows};
    struct intersect_rows loaded = {0};
    fm_status st = job_rows_open(&o->rows, err);

    (void)stop;
    if (st == FM_OK)
        st = intersect_rows_load(&loaded, &o->shape, o->side, &rows, o->values, err);
    if (st == FM_OK && loaded.n > ROWS_MOST)
        st = base_err_set(err, FM_E_LIMIT,
                          "%zu rows are more than %d: open them by a query over "
                          "fewer",
                          loaded.n, ROWS_MOST);
    if (st == FM_OK)
        st = answer(o, &loaded, err);
    intersect_rows_release(&loaded);
    return st;
}

static void opening_done(struct node *node, void *ctx, const struct node_reply *reply,
                         const struct base_err *why)
{
    struct opening *o = ctx;
    struct base_err err = *why;

    if (err.code == FM_OK)
        node_log_put(node->config.log, "info", "audit.opening", o->query_hex,
                     "shown: what this member put in, attempt %lld", o->attempt);
    if (reply != NULL && err.code == FM_OK)
        node_reply_value(reply, json_incref(o->answer));
    else if (reply != NULL)
        node_reply_error(reply, &err);
    opening_free(o);
}

void node_request_audit_opening(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    struct chore_work work = {opening_run, opening_done, NULL};
    struct opening *o = calloc(1, sizeof *o);
    struct base_err err = {0};
    const char *digits;
    fm_status st = o != NULL ? base_json_get_str(&digits, request, "query", &err)
                             : base_err_memory(&err, "opening");

    if (st == FM_OK)
        st = node_query_full_id(node, o->query_hex, digits, &err);
    if (st == FM_OK) {
        (void)snprintf(o->alias, sizeof o->alias, "%s", node->config.home.alias);
        st = find_contract(o, node, &err);
    }
    if (st == FM_OK)
        st = find_plan(o, node, &err);
    if (st == FM_OK)
        st = find_kept(o, node, &err);
    if (st == FM_OK)
        st = find_values(o, node, &err);
    if (st == FM_OK)
        st = find_rows(o, node, &err);
    if (st == FM_OK) {
        work.ctx = o;
        st = node_chore_start(node, &work, reply, reply->ctx, &err);
    }
    if (st != FM_OK) {
        opening_free(o);
        node_reply_error(reply, &err);
    }
}
