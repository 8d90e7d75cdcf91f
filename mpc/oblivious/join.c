#include "mpc/oblivious/join.h"

#include "mpc/circuit/aggregate.h"
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* Columns that are copied from the table: first `usable`, then the keys, then the values. */
enum { COPIES = 1 + MPC_SORT_KEYS + MPC_LOOKUP_VALUES };

struct find {
    const struct mpc_lookup *by;
    struct mpc_session *s;
    size_t n; /* table */
    size_t m; /* probing */
    size_t copies;
    struct mpc_share *usable[2]; /* of the table, of the probing rows: valid, and no key is NULL */
    struct mpc_order *joint;     /* of all n + m rows */
    struct mpc_order *sorted;    /* of the table's */
    struct mpc_share *copy[COPIES];
};

static fm_status check_side(const struct find *f, const struct mpc_lookup_side *side,
                            struct base_err *err)
{
    for (size_t k = 0; k <= f->by->keys; k++) {
        const struct mpc_share *x = k < f->by->keys ? side->key[k] : side->valid;
        const struct mpc_share *null = k < f->by->keys && side->null != NULL ? side->null[k] : NULL;

        if (x != NULL && (x->session != f->s || x->n != side->n))
            return base_err_set(err, FM_E_ARG,
                                "find: a column of %zu rows, not %zu, or of another "
                                "session",
                                x->n, side->n);
        if (null != NULL && (null->session != f->s || null->n != side->n))
            return base_err_set(err, FM_E_ARG,
                                "find: NULLs of %zu rows, not %zu, or of another "
                                "session",
                                null->n, side->n);
        if ((null != NULL && (null->domain != MPC_BITS || null->width != 1)) ||
            (k == f->by->keys && x != NULL && (x->domain != MPC_BITS || x->width != 1)))
            return base_err_set(err, FM_E_ARG, "find: truth values are bits of width 1");
    }
    return FM_OK;
}

static fm_status check(const struct find *f, struct base_err *err)
{
    const struct mpc_lookup *by = f->by;
    fm_status status = check_side(f, &by->table, err);

    if (status == FM_OK)
        status = check_side(f, &by->probe, err);
    if (status != FM_OK)
        return status;
    for (size_t k = 0; k < by->keys; k++) {
        const struct mpc_share *x = by->table.key[k];
        const struct mpc_share *y = by->probe.key[k];

        if (x->domain != y->domain || (x->domain == MPC_BITS && x->width != y->width))
            return base_err_set(err, FM_E_ARG, "find: key %zu: domains or widths differ", k);
    }
    for (size_t i = 0; i < by->values_len; i++)
        if (by->values[i]->session != f->s || by->values[i]->n != f->n)
            return base_err_set(err, FM_E_ARG,
                                "find: value column %zu has %zu rows, not %zu, or is "
                                "of another session",
                                i, by->values[i]->n, f->n);
    return FM_OK;
}

/* valid and not null_0 and not null_1 ... */
static fm_status find_usable(struct mpc_share **z, const struct find *f,
                             const struct mpc_lookup_side *side, struct base_err *err)
{
    fm_status status = side->valid != NULL ? mpc_slice(z, side->valid, 0, side->n, err)
                                           : mpc_bits_constant(f->s, z, 1, 1, side->n, err);

    for (size_t k = 0; status == FM_OK && side->null != NULL && k < f->by->keys; k++) {
        struct mpc_share *there = NULL;
        struct mpc_share *both = NULL;

        if (side->null[k] == NULL)
            continue;
        status = mpc_not(&there, side->null[k], err);
        if (status == FM_OK)
            status = mpc_and(&both, *z, there, err);
        mpc_share_free(there);
        if (status == FM_OK) {
            mpc_share_free(*z);
            *z = both;
        }
    }
    return status;
}

static bool some_unusable(const struct mpc_lookup_side *side)
{
    return side->valid != NULL || side->null != NULL;
}

/* The joint order: what is usable first, by key, the table's row before the others. */
static fm_status sort_all(struct find *f, struct base_err *err)
{
    const struct mpc_lookup *by = f->by;
    struct mpc_share *both[MPC_SORT_KEYS] = {NULL};
    struct mpc_sort_key keys[MPC_SORT_KEYS] = {{0}};
    size_t len = 0;
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < by->keys; k++)
        status = mpc_concat(&both[k],
                            (const struct mpc_share *const[]){by->table.key[k], by->probe.key[k]},
                            2, err);
    if (status == FM_OK)
        status = mpc_concat(&both[by->keys],
                            (const struct mpc_share *const[]){f->usable[0], f->usable[1]}, 2, err);
    if (some_unusable(&by->table) || some_unusable(&by->probe))
        keys[len++] = (struct mpc_sort_key){.x = both[by->keys], .flags = MPC_SORT_DESCENDING};
    for (size_t k = 0; k < by->keys; k++)
        keys[len++] = (struct mpc_sort_key){.x = both[k]};
    if (status == FM_OK)
        status = mpc_sort(&f->joint, keys, len, err);
    mpc_share_free_all(both, MPC_SORT_KEYS);
    return status;
}

/* x of n rows, followed by m zeros. */
static fm_status extend(struct mpc_share **z, const struct mpc_share *x, size_t m,
                        struct base_err *err)
{
    struct mpc_share *zeros;
    fm_status status = x->domain == MPC_RING64
                           ? mpc_constant(x->session, &zeros, 0, m, err)
                           : mpc_bits_constant(x->session, &zeros, 0, x->width, m, err);

    if (status == FM_OK)
        status = mpc_concat(z, (const struct mpc_share *const[]){x, zeros}, 2, err);
    mpc_share_free(zeros);
    return status;
}

/* The table's own order: how many table rows stand at or above each one in the joint order, less 1,
 * is its place. */
static fm_status sort_table(struct find *f, struct base_err *err)
{
    struct mpc_share *ones = NULL;
    struct mpc_share *side = NULL;
    struct mpc_share *ranks = NULL;
    fm_status status = mpc_constant(f->s, &ones, 1, f->n, err);

    if (status == FM_OK)
        status = extend(&side, ones, f->m, err);
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
        status = mpc_order_of_ranks(&f->sorted, ranks, err);
    mpc_share_free(side);
    mpc_share_free(ranks);
    return status;
}

/* repeated: in the sorted table, two neighbours with the same key that are both usable. */
static fm_status find_repeated(struct mpc_share **z, const struct find *f, struct base_err *err)
{
    struct mpc_share *side[2][1 + MPC_SORT_KEYS] = {{NULL}, {NULL}};
    struct mpc_share *t[3] = {NULL};
    size_t len = 1 + f->by->keys;
    size_t pairs = f->n > 0 ? f->n - 1 : 0;
    fm_status status = FM_OK;

    for (size_t e = 0; e < 2; e++)
        for (size_t i = 0; status == FM_OK && i < len; i++)
            status = mpc_slice(&side[e][i], f->copy[i], f->n > 0 ? e : 0, pairs, err);
    if (status == FM_OK)
        status = mpc_same_key(&t[0], (const struct mpc_share *const *)side[0] + 1,
                              (const struct mpc_share *const *)side[1] + 1, len - 1, err);
    if (status == FM_OK)
        status = mpc_and(&t[1], side[0][0], side[1][0], err);
    if (status == FM_OK)
        status = mpc_and(&t[2], t[0], t[1], err);
    if (status == FM_OK)
        status = mpc_any(z, t[2], err);
    mpc_share_free_all(t, 3);
    mpc_share_free_all(side[0], len);
    mpc_share_free_all(side[1], len);
    return status;
}

static fm_status copy_columns(struct find *f, struct mpc_found *out, struct base_err *err)
{
    fm_status status = mpc_slice(&f->copy[f->copies++], f->usable[0], 0, f->n, err);

    for (size_t k = 0; status == FM_OK && k < f->by->keys; k++)
        status = mpc_slice(&f->copy[f->copies++], f->by->table.key[k], 0, f->n, err);
    for (size_t i = 0; status == FM_OK && i < f->by->values_len; i++)
        status = mpc_slice(&f->copy[f->copies++], f->by->values[i], 0, f->n, err);
    if (status == FM_OK)
        status = mpc_move_columns(f->copy, f->copies, f->sorted, MPC_FORWARD, err);
    if (status == FM_OK)
        status = find_repeated(&out->repeated, f, err);
    if (status == FM_OK)
        status = mpc_each_column(f->copy, f->copies, mpc_steps, err);
    if (status == FM_OK)
        status = mpc_move_columns(f->copy, f->copies, f->sorted, MPC_INVERSE, err);
    for (size_t i = 0; status == FM_OK && i < f->copies; i++) {
        struct mpc_share *all;

        status = extend(&all, f->copy[i], f->m, err);
        if (status == FM_OK) {
            mpc_share_free(f->copy[i]);
            f->copy[i] = all;
        }
    }
    if (status == FM_OK)
        status = mpc_move_columns(f->copy, f->copies, f->joint, MPC_FORWARD, err);
    if (status == FM_OK)
        status = mpc_each_column(f->copy, f->copies, mpc_prefix, err);
    if (status == FM_OK)
        status = mpc_move_columns(f->copy, f->copies, f->joint, MPC_INVERSE, err);
    return status == FM_OK ? mpc_slice_columns(f->copy, f->copies, f->n, f->m, err) : status;
}

/* A copied ring column has elements of x, or 0 above the first table row. */
static fm_status narrow(struct mpc_share *z, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_range r = {x->range.lo < 0 ? x->range.lo : 0, x->range.hi > 0 ? x->range.hi : 0};

    return z->domain == MPC_RING64 ? mpc_share_narrow(z, r, err) : FM_OK;
}

static fm_status match(struct find *f, struct mpc_found *out, struct base_err *err)
{
    struct mpc_share **value = f->copy + 1 + f->by->keys;
    struct mpc_share *t[2] = {NULL};
    struct mpc_share *ring = NULL;
    fm_status status = FM_OK;

    for (size_t i = 1; status == FM_OK && i < f->copies; i++)
        status = narrow(
            f->copy[i],
            i <= f->by->keys ? f->by->table.key[i - 1] : f->by->values[i - 1 - f->by->keys], err);
    if (status == FM_OK)
        status = mpc_same_key(&t[0], (const struct mpc_share *const *)f->copy + 1, f->by->probe.key,
                              f->by->keys, err);
    if (status == FM_OK)
        status = mpc_and(&t[1], f->copy[0], f->usable[1], err);
    if (status == FM_OK)
        status = mpc_and(&out->match, t[0], t[1], err);
    mpc_share_free_all(t, 2);
    if (status != FM_OK || f->by->values_len == 0)
        return status;
    status = mpc_bit2a(&ring, out->match, err);
    if (status == FM_OK)
        status = mpc_keep_columns(value, f->by->values_len, out->match, ring, err);
    mpc_share_free(ring);
    for (size_t i = 0; status == FM_OK && i < f->by->values_len; i++) {
        out->value[i] = value[i];
        value[i] = NULL;
    }
    return status;
}

fm_status mpc_find(struct mpc_found *out, const struct mpc_lookup *lookup, struct base_err *err)
{
    struct find f = {.by = lookup, .n = lookup->table.n, .m = lookup->probe.n};
    fm_status status;

    *out = (struct mpc_found){0};
    if (lookup->keys == 0 || lookup->keys + 1 > MPC_SORT_KEYS ||
        lookup->values_len > MPC_LOOKUP_VALUES)
        return base_err_set(err, FM_E_ARG, "find: %zu keys, %zu values: 1 to %d, and up to %d",
                            lookup->keys, lookup->values_len, MPC_SORT_KEYS - 1, MPC_LOOKUP_VALUES);
    f.s = lookup->table.key[0]->session;
    status = check(&f, err);
    if (status == FM_OK)
        status = find_usable(&f.usable[0], &f, &lookup->table, err);
    if (status == FM_OK)
        status = find_usable(&f.usable[1], &f, &lookup->probe, err);
    if (status == FM_OK)
        status = sort_all(&f, err);
    if (status == FM_OK)
        status = sort_table(&f, err);
    if (status == FM_OK)
        status = copy_columns(&f, out, err);
    if (status == FM_OK)
        status = match(&f, out, err);
    mpc_share_free_all(f.usable, 2);
    mpc_share_free_all(f.copy, COPIES);
    mpc_order_free(f.joint);
    mpc_order_free(f.sorted);
    if (status != FM_OK)
        mpc_found_release(out);
    return status;
}

void mpc_found_release(struct mpc_found *out)
{
    mpc_share_free(out->match);
    mpc_share_free(out->repeated);
    mpc_share_free_all(out->value, MPC_LOOKUP_VALUES);
    *out = (struct mpc_found){0};
}
