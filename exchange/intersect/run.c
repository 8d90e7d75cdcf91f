#include "exchange/intersect/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"

struct intersect_run {
    const struct intersect_config *c;
    const struct intersect_shape *shape;
    enum intersect_side side;
    unsigned peer;
    struct mpc_psi_terms terms;
    struct intersect_rows own;
    struct mpc_pai_djn *key;
    struct mpc_pai_secret *secret;
    struct mpc_psi *psi;
    struct base_hash messages;
};

static const struct sql_source *source_of(const struct intersect_shape *s, enum intersect_side side)
{
    return &s->plan->sources[s->tables[side].source];
}

fm_status intersect_terms(struct mpc_psi_terms *out, const struct intersect_shape *shape,
                          const bool receives[2], struct base_err *err)
{
    *out =
        (struct mpc_psi_terms){.matcher_rows = (size_t)source_of(shape, INTERSECT_MATCHER)->rows,
                               .holder_rows = (size_t)source_of(shape, INTERSECT_HOLDER)->rows,
                               .columns = shape->sum_count,
                               .value_bits = shape->value_bits,
                               .key_bits = INTERSECT_KEY_BITS,
                               .minimum = (size_t)shape->minimum,
                               .recipients = (receives[INTERSECT_MATCHER] ? MPC_PSI_MATCHER : 0u) |
                                             (receives[INTERSECT_HOLDER] ? MPC_PSI_HOLDER : 0u)};
    return mpc_psi_terms_check(out, err);
}

/* ---- own rows ---- */

static void put_id(uint8_t *to, const struct sql_cell *cell, bool text)
{
    if (text)
        base_hash(to, cell->text, cell->len);
    else
        base_store_u64(to, (uint64_t)cell->value);
}

static fm_status take_rows(struct intersect_rows *out, const struct intersect_table *t,
                           struct run_own *own, const struct sql_rows *rows, struct base_err *err)
{
    bool end = false;

    while (!end) {
        const struct sql_cell *key;
        if (run_own_next(own, &end, rows, err) != FM_OK)
            return err->code;
        key = run_own_column(own, t->key);
        if (end || key->null)
            continue;
        put_id(out->ids + out->n * out->id_len, key, out->id_len == BASE_HASH_SIZE);
        for (size_t k = 0; k < out->columns; k++)
            out->sums[k * out->most + out->n] = run_own_node(own, k)->value;
        out->n++;
    }
    return FM_OK;
}

fm_status intersect_rows_load(struct intersect_rows *out, const struct intersect_shape *shape,
                              enum intersect_side side, const struct sql_rows *rows,
                              const struct sql_value *values, struct base_err *err)
{
    const struct intersect_table *t = &shape->tables[side];
    struct run_own own;
    fm_status st;

    *out = (struct intersect_rows){
        .most = (size_t)source_of(shape, side)->rows,
        .id_len = shape->plan->columns[t->key].type.kind == DATA_TEXT ? (size_t)BASE_HASH_SIZE : 8,
        .columns = side == INTERSECT_HOLDER ? shape->sum_count : 0};
    out->ids = calloc(out->most + 1, out->id_len);
    out->sums = calloc(out->most * out->columns + 1, sizeof *out->sums);
    if (out->ids == NULL || out->sums == NULL)
        return base_err_memory(err, "psi-sum");
    for (size_t k = 0; k < out->columns; k++)
        out->column[k] = out->sums + k * out->most;
    st = run_own_open(&own, shape->plan, t->source, t->below, t->below_count, shape->sums,
                      out->columns, values, err);
    if (st != FM_OK)
        return st;
    st = take_rows(out, t, &own, rows, err);
    run_own_close(&own);
    return st;
}

void intersect_rows_release(struct intersect_rows *rows)
{
    if (rows->ids != NULL)
        base_wipe(rows->ids, rows->most * rows->id_len);
    if (rows->sums != NULL)
        base_wipe(rows->sums, rows->most * rows->columns * sizeof *rows->sums);
    free(rows->ids);
    free(rows->sums);
}

/* ---- messages ---- */

static fm_status send_message(struct intersect_run *r, const struct base_buf *bytes,
                              struct base_err *err)
{
    struct net_transport *t = r->c->transport;
    uint8_t len[8];

    base_store_u64(len, bytes->len);
    base_hash_update(&r->messages, bytes->p, bytes->len);
    if (net_send(t, r->c->stream, r->peer, len, sizeof len, err) != FM_OK)
        return err->code;
    return net_send(t, r->c->stream, r->peer, bytes->p, bytes->len, err);
}

static fm_status recv_message(struct intersect_run *r, struct base_buf *out, struct base_err *err)
{
    struct net_transport *t = r->c->transport;
    size_t most = mpc_psi_message_max(r->psi);
    uint8_t said[8], *to;
    uint64_t len;

    base_buf_clear(out);
    if (net_recv(t, r->c->stream, r->peer, said, sizeof said, err) != FM_OK)
        return err->code;
    len = base_load_u64(said);
    if (len == 0 || len > most)
        return base_err_set(err, FM_E_PEER, "%s: a message of %llu bytes, at most %zu are due",
                            t->names[r->peer], (unsigned long long)len, most);
    to = base_buf_extend(out, (size_t)len);
    if (to == NULL)
        return base_err_memory(err, "psi-sum");
    if (net_recv(t, r->c->stream, r->peer, to, (size_t)len, err) != FM_OK)
        return err->code;
    base_hash_update(&r->messages, out->p, out->len);
    return FM_OK;
}

static fm_status one_step(struct intersect_run *r, const struct base_buf *in, struct base_buf *out,
                          struct base_err *err)
{
    fm_status st;

    base_buf_clear(out);
    st = mpc_psi_step(r->psi, in->p, in->len, out, err);
    if (st == FM_E_PEER)
        return base_err_prefix(err, "%s", r->c->transport->names[r->peer]);
    return st == FM_OK && out->len > 0 ? send_message(r, out, err) : st;
}

static fm_status converse(struct intersect_run *r, struct base_err *err)
{
    struct base_buf in = {0}, out = {0};
    unsigned at = 3;
    fm_status st = r->side == INTERSECT_MATCHER ? one_step(r, &in, &out, err) : FM_OK;

    while (st == FM_OK && mpc_psi_waits(r->psi)) {
        if (r->c->progress != NULL)
            r->c->progress(r->c->ctx, at++, 5, "intersect");
        st = recv_message(r, &in, err);
        if (st == FM_OK && r->c->may_open != NULL)
            st = r->c->may_open(r->c->ctx, err);
        if (st == FM_OK)
            st = one_step(r, &in, &out, err);
    }
    base_buf_release(&in);
    base_buf_release(&out);
    return st;
}

/* Before the first point is sent, each side says what it will run with. */
static fm_status commit(struct intersect_run *r, struct intersect_record *record,
                        struct base_err *err)
{
    struct net_transport *t = r->c->transport;
    uint8_t *own = record->input[r->side], *other = record->input[1 - r->side];

    mpc_psi_commitment(r->psi, own);
    mpc_psi_opening(r->psi, record->opening);
    if (net_send(t, r->c->stream, r->peer, own, 32, err) != FM_OK)
        return err->code;
    return net_recv(t, r->c->stream, r->peer, other, 32, err);
}

/* ---- the answer ---- */

static void fill_cell(struct sql_result_cell *cell, const struct intersect_shape *s, size_t item,
                      size_t size, const int64_t *sums)
{
    const struct sql_item *i = &s->group->items[item];

    if (i->fn == SQL_COUNT)
        cell->value = (int64_t)size;
    else if (size == 0)
        cell->state = SQL_CELL_NULL;
    else if (i->fn == SQL_SUM)
        cell->value = sums[s->item_sums[item]];
    else
        cell->value = run_local_average(sums[s->item_sums[item]], (int64_t)size, i->digits);
}

static fm_status answer(struct sql_result *out, const struct intersect_run *r, bool refused,
                        size_t size, const int64_t *sums, struct base_err *err)
{
    const struct intersect_shape *s = r->shape;

    if (sql_result_init(out, s->plan, 1, err) != FM_OK)
        return err->code;
    for (size_t c = 0; c < s->plan->output_count; c++) {
        if (refused) {
            out->cells[c].state = SQL_CELL_SUPPRESSED;
            continue;
        }
        for (size_t i = 0; i < s->group->item_count; i++)
            if (s->group->items[i].column == s->plan->outputs[c].column)
                fill_cell(&out->cells[c], s, i, size, sums);
    }
    return FM_OK;
}

/* Below the minimum there is nothing to show; with a minimum of 1 that is an empty intersection,
 * which is an answer. */
static fm_status conclude(struct sql_result *out, struct intersect_run *r, struct base_err *err)
{
    int64_t sums[INTERSECT_MAX_ITEMS] = {0};
    size_t size = 0;
    fm_status st = mpc_psi_result(r->psi, &size, r->c->receives[r->side] ? sums : NULL, err);
    bool refused = st == FM_E_REFUSED;

    if (st != FM_OK && !refused)
        return st;
    st = r->c->receives[r->side] ? answer(out, r, refused && r->terms.minimum > 1, size, sums, err)
                                 : FM_OK;
    base_wipe(sums, sizeof sums);
    return st;
}

/* ---- all ---- */

static fm_status make_side(struct intersect_run *r, struct base_err *err)
{
    const struct mpc_psi_rows rows = {r->own.n, r->own.ids, r->own.id_len, r->own.column};
    struct mpc_psi_key key;
    fm_status st = FM_OK;

    if (r->side == INTERSECT_MATCHER)
        return mpc_psi_matcher_new(&r->psi, &r->terms, &rows, 1, r->c->random, err);
    if (r->terms.columns > 0)
        st = mpc_pai_djn_generate(&r->key, &r->secret, INTERSECT_KEY_BITS, err);
    if (st != FM_OK)
        return st;
    key = (struct mpc_psi_key){r->key, r->secret};
    return mpc_psi_holder_new(&r->psi, &r->terms, &rows, r->key != NULL ? &key : NULL, 1,
                              r->c->random, err);
}

static fm_status steps(struct sql_result *out, struct intersect_run *r,
                       struct intersect_record *record, struct base_err *err)
{
    fm_status st = intersect_terms(&r->terms, r->shape, r->c->receives, err);

    memcpy(r->terms.session32, r->c->session32, sizeof r->terms.session32);
    if (r->c->progress != NULL)
        r->c->progress(r->c->ctx, 1, 5, "rows");
    if (st == FM_OK)
        st = intersect_rows_load(&r->own, r->shape, r->side,
                                 r->c->rows[r->shape->tables[r->side].source], r->c->values, err);
    if (r->c->progress != NULL)
        r->c->progress(r->c->ctx, 2, 5, "encrypt");
    if (st == FM_OK)
        st = make_side(r, err);
    if (st == FM_OK)
        st = commit(r, record, err);
    if (st == FM_OK)
        st = converse(r, err);
    if (st == FM_OK)
        st = conclude(out, r, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "psi-sum");
}

static void release(struct intersect_run *r)
{
    mpc_psi_free(r->psi);
    mpc_pai_djn_free(r->key);
    mpc_pai_secret_free(r->secret);
    intersect_rows_release(&r->own);
}

fm_status intersect_run(struct sql_result *out, struct intersect_record *record,
                        const struct intersect_config *c, struct base_err *err)
{
    struct intersect_run r = {.c = c, .shape = c->shape};
    unsigned self = c->transport->self;
    fm_status st;

    *out = (struct sql_result){0};
    *record = (struct intersect_record){.runs = self == c->sides[0] || self == c->sides[1]};
    if (!record->runs)
        return FM_OK;
    r.side = self == c->sides[INTERSECT_MATCHER] ? INTERSECT_MATCHER : INTERSECT_HOLDER;
    r.peer = c->sides[1 - r.side];
    base_hash_init(&r.messages);
    st = steps(out, &r, record, err);
    base_hash_final(&r.messages, record->messages);
    release(&r);
    if (st != FM_OK)
        net_abort(c->transport, "error");
    return st;
}
