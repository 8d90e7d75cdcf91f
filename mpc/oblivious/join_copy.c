/* Copies of the table's rows at the probing rows of their key. */
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/join_state.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* The table's columns, first in its own order, then in the keys', then copied: whether usable, the
 * keys, the values. */
enum { COLUMNS = 1 + MPC_SORT_KEYS + MPC_LOOKUP_VALUES };

struct copies {
    struct mpc_find_state *f;
    size_t keys;
    size_t values;
    struct mpc_order *sorted; /* of the table's rows */
    struct mpc_share *col[COLUMNS];
    struct mpc_share *same[1 + MPC_LOOKUP_PER_KEY]; /* same[d][p], d > 0: sorted rows p and p - d
                                                       are usable and have the same key */
};

/* The table's own order: how many table rows stand at or above each one in the joint order, less 1,
 * is its place. */
static fm_status sort_table(struct copies *c, struct base_err *err)
{
    const struct mpc_find_state *f = c->f;
    struct mpc_share *ones = NULL;
    struct mpc_share *side = NULL;
    struct mpc_share *ranks = NULL;
    fm_status status = mpc_constant(f->s, &ones, 1, f->n, err);

    if (status == FM_OK)
        status = mpc_find_extend(&side, ones, f->m, err);
    mpc_share_free(ones);
    if (status == FM_OK)
        status = mpc_move_columns(&side, 1, f->joint, MPC_FORWARD, err);
    if (status == FM_OK)
        status = mpc_each_column(&side, 1, mpc_prefix, err);
    if (status == FM_OK)
        status = mpc_move_columns(&side, 1, f->joint, MPC_INVERSE, err);
    if (status == FM_OK)
        status = mpc_slice_columns(&side, 1, 0, f->n, err);
    if (status == FM_OK)
        status = mpc_add_constant(&ranks, side, -1, err);
    if (status == FM_OK)
        status = mpc_order_of_ranks(&c->sorted, ranks, err);
    mpc_share_free(side);
    mpc_share_free(ranks);
    return status;
}

static fm_status sort_columns(struct copies *c, struct base_err *err)
{
    const struct mpc_lookup *by = c->f->by;
    fm_status status = mpc_slice(&c->col[0], c->f->usable[0], 0, c->f->n, err);

    for (size_t k = 0; status == FM_OK && k < c->keys; k++)
        status = mpc_slice(&c->col[1 + k], by->table.key[k], 0, c->f->n, err);
    for (size_t i = 0; status == FM_OK && i < c->values; i++)
        status = mpc_slice(&c->col[1 + c->keys + i], by->values[i], 0, c->f->n, err);
    return status == FM_OK
               ? mpc_move_columns(c->col, 1 + c->keys + c->values, c->sorted, MPC_FORWARD, err)
               : status;
}

/* same[1]. The row above a usable one is usable. */
static fm_status compare_neighbours(struct copies *c, struct base_err *err)
{
    struct mpc_share *above[MPC_SORT_KEYS] = {NULL};
    struct mpc_share *equal = NULL;
    struct mpc_share *t[3] = {NULL};
    size_t n = c->f->n;
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < c->keys; k++)
        status = mpc_rows_above(&above[k], c->col[1 + k], 1, err);
    if (status == FM_OK)
        status = mpc_same_key(&equal, (const struct mpc_share *const *)c->col + 1,
                              (const struct mpc_share *const *)above, c->keys, err);
    if (status == FM_OK)
        status = mpc_and(&t[0], equal, c->col[0], err);
    if (status == FM_OK) /* the first row has none above */
        status = mpc_bits_constant(c->f->s, &t[1], 0, 1, n > 0, err);
    if (status == FM_OK)
        status = mpc_slice(&t[2], t[0], n > 0, n - (n > 0), err);
    if (status == FM_OK)
        status = mpc_concat(&c->same[1], (const struct mpc_share *const[]){t[1], t[2]}, 2, err);
    mpc_share_free(equal);
    mpc_share_free_all(t, 3);
    mpc_share_free_all(above, MPC_SORT_KEYS);
    return status;
}

/* same[d] = same[a] & same[d - a] a rows above, a = ceil(d / 2): in ceil(log2 per_key) rounds. */
static fm_status compare_farther(struct copies *c, struct base_err *err)
{
    size_t most = c->f->per_key;
    fm_status status = FM_OK;

    for (size_t from = 2; status == FM_OK && from <= most;) {
        const struct mpc_share *x[MPC_LOOKUP_PER_KEY];
        const struct mpc_share *y[MPC_LOOKUP_PER_KEY];
        struct mpc_share *above[MPC_LOOKUP_PER_KEY] = {NULL};
        size_t to = 2 * (from - 1) < most ? 2 * (from - 1) : most;
        size_t len = to - from + 1;

        for (size_t d = from; status == FM_OK && d <= to; d++) {
            size_t a = (d + 1) / 2;

            status = mpc_rows_above(&above[d - from], c->same[d - a], a, err);
            x[d - from] = c->same[a];
            y[d - from] = above[d - from];
        }
        if (status == FM_OK)
            status = mpc_and_list(&c->same[from], x, y, len, err);
        mpc_share_free_all(above, MPC_LOOKUP_PER_KEY);
        from = to + 1;
    }
    return status;
}

/* x, columns of the sorted table, become their copies at the probing rows. */
static fm_status copy_down(const struct copies *c, struct mpc_share **x, size_t count,
                           struct base_err *err)
{
    const struct mpc_find_state *f = c->f;
    fm_status status = mpc_each_column(x, count, mpc_steps, err);

    if (status == FM_OK)
        status = mpc_move_columns(x, count, c->sorted, MPC_INVERSE, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share *all;

        status = mpc_find_extend(&all, x[i], f->m, err);
        if (status == FM_OK) {
            mpc_share_free(x[i]);
            x[i] = all;
        }
    }
    if (status == FM_OK)
        status = mpc_move_columns(x, count, f->joint, MPC_FORWARD, err);
    if (status == FM_OK)
        status = mpc_each_column(x, count, mpc_prefix, err);
    if (status == FM_OK)
        status = mpc_move_columns(x, count, f->joint, MPC_INVERSE, err);
    return status == FM_OK ? mpc_slice_columns(x, count, f->n, f->m, err) : status;
}

/* usable, keys: the copies of the last row; a match of it. */
static fm_status match_last(struct mpc_share **z, const struct copies *c,
                            struct mpc_share *const *copy, struct base_err *err)
{
    const struct mpc_find_state *f = c->f;
    struct mpc_share *t[2] = {NULL};
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < c->keys; k++) {
        struct mpc_range r = f->by->table.key[k]->range;

        r = (struct mpc_range){r.lo < 0 ? r.lo : 0, r.hi > 0 ? r.hi : 0};
        if (copy[1 + k]->domain == MPC_RING64)
            status = mpc_share_narrow(copy[1 + k], r, err);
    }
    if (status == FM_OK)
        status = mpc_same_key(&t[0], (const struct mpc_share *const *)copy + 1, f->by->probe.key,
                              c->keys, err);
    if (status == FM_OK)
        status = mpc_and(&t[1], copy[0], f->usable[1], err);
    if (status == FM_OK)
        status = mpc_and(z, t[0], t[1], err);
    mpc_share_free_all(t, 2);
    return status;
}

/* The rows above the last one, one distance after another: of bounded memory. Each gives a match
 * (slot[d][0]) and its values. */
static fm_status copy_slot(struct mpc_share **slot, const struct copies *c, size_t d,
                           const struct mpc_share *last_match, struct base_err *err)
{
    fm_status status = mpc_slice(&slot[0], c->same[d], 0, c->f->n, err);
    struct mpc_share *match = NULL;

    for (size_t i = 0; status == FM_OK && i < c->values; i++)
        status = mpc_rows_above(&slot[1 + i], c->col[1 + c->keys + i], d, err);
    if (status == FM_OK)
        status = copy_down(c, slot, 1 + c->values, err);
    if (status == FM_OK)
        status = mpc_and(&match, slot[0], last_match, err);
    if (status == FM_OK) {
        mpc_share_free(slot[0]);
        slot[0] = match;
    }
    return status;
}

/* all[i] becomes all[i] followed by slot[i]. */
static fm_status append(struct mpc_share **all, struct mpc_share **slot, size_t count,
                        struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share *longer;

        status = mpc_concat(&longer, (const struct mpc_share *const[]){all[i], slot[i]}, 2, err);
        if (status == FM_OK) {
            mpc_share_free(all[i]);
            all[i] = longer;
        }
    }
    mpc_share_free_all(slot, count);
    return status;
}

static fm_status copy_all(struct mpc_found *out, struct copies *c, struct base_err *err)
{
    struct mpc_share *copy[COLUMNS] = {NULL};
    struct mpc_share *all[1 + MPC_LOOKUP_VALUES] = {NULL};
    struct mpc_share *slot[1 + MPC_LOOKUP_VALUES] = {NULL};
    struct mpc_share *last = NULL;
    size_t count = 1 + c->keys + c->values;
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = mpc_slice(&copy[i], c->col[i], 0, c->f->n, err);
    if (status == FM_OK)
        status = copy_down(c, copy, count, err);
    if (status == FM_OK)
        status = match_last(&all[0], c, copy, err);
    for (size_t i = 0; status == FM_OK && i < c->values; i++) {
        all[1 + i] = copy[1 + c->keys + i];
        copy[1 + c->keys + i] = NULL;
    }
    mpc_share_free_all(copy, COLUMNS);
    if (status == FM_OK && c->f->per_key > 1)
        status = mpc_slice(&last, all[0], 0, c->f->m, err);
    for (size_t d = 1; status == FM_OK && d < c->f->per_key; d++) {
        status = copy_slot(slot, c, d, last, err);
        if (status == FM_OK)
            status = append(all, slot, 1 + c->values, err);
    }
    if (status == FM_OK) {
        out->match = all[0];
        all[0] = NULL;
        status = mpc_find_values(out, c->f, all + 1, err);
    }
    mpc_share_free(last);
    mpc_share_free_all(all, 1 + MPC_LOOKUP_VALUES);
    mpc_share_free_all(slot, 1 + MPC_LOOKUP_VALUES);
    return status;
}

fm_status mpc_find_copies(struct mpc_found *out, struct mpc_find_state *f, struct base_err *err)
{
    struct copies c = {.f = f, .keys = f->by->keys, .values = f->by->values_len};
    fm_status status = sort_table(&c, err);

    if (status == FM_OK)
        status = sort_columns(&c, err);
    if (status == FM_OK)
        status = compare_neighbours(&c, err);
    if (status == FM_OK)
        status = compare_farther(&c, err);
    if (status == FM_OK)
        status = mpc_some(&out->repeated, c.same[f->per_key], err);
    if (status == FM_OK)
        status = copy_all(out, &c, err);
    if (status == FM_OK && f->by->path) {
        status = mpc_find_keep_path(&out->path, f, c.sorted, err);
        c.sorted = NULL;
    }
    mpc_share_free_all(c.col, COLUMNS);
    mpc_share_free_all(c.same, 1 + MPC_LOOKUP_PER_KEY);
    mpc_order_free(c.sorted);
    return status;
}
