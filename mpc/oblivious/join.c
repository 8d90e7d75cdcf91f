#include "mpc/oblivious/join.h"

#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/join_state.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

static fm_status check_side(const struct mpc_find_state *f, const struct mpc_lookup_side *side,
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

static fm_status check(const struct mpc_find_state *f, struct base_err *err)
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
static fm_status find_usable(struct mpc_share **z, const struct mpc_find_state *f,
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
static fm_status sort_all(struct mpc_find_state *f, struct base_err *err)
{
    const struct mpc_lookup *by = f->by;
    struct mpc_share **both = f->both;
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
    if (!by->probe_unique) /* nobody asks for them again */
        mpc_share_free_all(both, MPC_SORT_KEYS);
    return status;
}

/* x of n rows, followed by m zeros. */
fm_status mpc_find_extend(struct mpc_share **z, const struct mpc_share *x, size_t m,
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

fm_status mpc_find_values(struct mpc_found *out, const struct mpc_find_state *f,
                          struct mpc_share **value, struct base_err *err)
{
    struct mpc_share *ring = NULL;
    fm_status status = FM_OK;

    if (f->by->values_len == 0)
        return FM_OK;
    for (size_t i = 0; status == FM_OK && i < f->by->values_len; i++) {
        struct mpc_range r = f->by->values[i]->range;

        r = (struct mpc_range){r.lo < 0 ? r.lo : 0, r.hi > 0 ? r.hi : 0};
        if (value[i]->domain == MPC_RING64)
            status = mpc_share_narrow(value[i], r, err);
    }
    if (status == FM_OK)
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

static fm_status check_lookup(const struct mpc_lookup *l, struct base_err *err)
{
    if (l->keys == 0 || l->keys + 1 > MPC_SORT_KEYS || l->values_len > MPC_LOOKUP_VALUES)
        return base_err_set(err, FM_E_ARG, "find: %zu keys, %zu values: 1 to %d, and up to %d",
                            l->keys, l->values_len, MPC_SORT_KEYS - 1, MPC_LOOKUP_VALUES);
    if (l->path && l->probe_unique)
        return base_err_set(err, FM_E_ARG, "find: no sums where both sides are unique");
    if (l->per_key > MPC_LOOKUP_PER_KEY || (l->probe_unique && l->per_key > 1))
        return base_err_set(err, FM_E_ARG,
                            "find: %zu rows of one key: at most %d, or 1 where both sides are "
                            "unique",
                            l->per_key, MPC_LOOKUP_PER_KEY);
    return FM_OK;
}

static fm_status find_by_method(struct mpc_found *out, struct mpc_find_state *f,
                                struct base_err *err)
{
    const struct mpc_lookup *by = f->by;
    fm_status status;

    if (by->method == MPC_FIND_PAIRS || (by->method == MPC_FIND_CHEAPEST && mpc_find_pairs_pay(f)))
        return mpc_find_pairs(out, f, err);
    status = sort_all(f, err);
    if (status != FM_OK)
        return status;
    return by->probe_unique ? mpc_find_neighbours(out, f, err) : mpc_find_copies(out, f, err);
}

fm_status mpc_find(struct mpc_found *out, const struct mpc_lookup *lookup, struct base_err *err)
{
    struct mpc_find_state f = {.by = lookup,
                               .n = lookup->table.n,
                               .m = lookup->probe.n,
                               .per_key = lookup->per_key > 1 ? lookup->per_key : 1};
    fm_status status = check_lookup(lookup, err);

    *out = (struct mpc_found){0};
    if (status != FM_OK)
        return status;
    f.s = lookup->table.key[0]->session;
    status = check(&f, err);
    if (status == FM_OK)
        status = find_usable(&f.usable[0], &f, &lookup->table, err);
    if (status == FM_OK)
        status = find_usable(&f.usable[1], &f, &lookup->probe, err);
    if (status == FM_OK)
        status = find_by_method(out, &f, err);
    mpc_share_free_all(f.usable, 2);
    mpc_share_free_all(f.both, MPC_SORT_KEYS);
    mpc_order_free(f.joint);
    if (status != FM_OK)
        mpc_found_release(out);
    return status;
}

bool mpc_find_sorts(const struct mpc_lookup *lookup)
{
    const struct mpc_find_state f = {.by = lookup,
                                     .s = lookup->table.key[0]->session,
                                     .n = lookup->table.n,
                                     .m = lookup->probe.n,
                                     .per_key = lookup->per_key > 1 ? lookup->per_key : 1};

    return !mpc_find_pairs_pay(&f);
}

void mpc_found_release(struct mpc_found *out)
{
    mpc_share_free(out->match);
    mpc_share_free(out->repeated);
    mpc_share_free_all(out->value, MPC_LOOKUP_VALUES);
    mpc_find_path_free(out->path);
    *out = (struct mpc_found){0};
}

/* ---- IN ---- */

/* Is a row valid, with the key there or not? One element. */
static fm_status any_row(struct mpc_share **z, const struct mpc_lookup_side *side,
                         const struct mpc_share *null, struct mpc_session *s, struct base_err *err)
{
    struct mpc_share *where = NULL;
    fm_status status;

    *z = NULL;
    if (null == NULL && side->valid == NULL)
        return mpc_bits_constant(s, z, side->n > 0, 1, 1, err);
    if (null == NULL || side->valid == NULL)
        return mpc_some(z, null == NULL ? side->valid : null, err);
    status = mpc_and(&where, null, side->valid, err);
    if (status == FM_OK)
        status = mpc_some(z, where, err);
    mpc_share_free(where);
    return status;
}

/* unknown = valid & ~in & (null ? the table has rows : the table has NULLs). */
static fm_status find_unknown(struct mpc_share **z, const struct mpc_share *in,
                              const struct mpc_lookup *l, struct base_err *err)
{
    struct mpc_session *s = l->table.key[0]->session;
    const struct mpc_share *null = l->probe.null != NULL ? l->probe.null[0] : NULL;
    const struct mpc_share *of_table = l->table.null != NULL ? l->table.null[0] : NULL;
    struct mpc_share *t[8] = {NULL};
    fm_status status = FM_OK;

    if (of_table != NULL)
        status = any_row(&t[0], &l->table, of_table, s, err);
    else
        status = mpc_bits_constant(s, &t[0], 0, 1, 1, err);
    if (status == FM_OK)
        status = mpc_spread(&t[1], t[0], l->probe.n, err);
    if (status == FM_OK && null != NULL) { /* a table with NULLs has rows: OR will do */
        status = any_row(&t[2], &l->table, NULL, s, err);
        if (status == FM_OK)
            status = mpc_spread(&t[3], t[2], l->probe.n, err);
        if (status == FM_OK)
            status = mpc_and(&t[4], t[3], null, err);
        mpc_share_free(t[3]);
        t[3] = t[1];
        t[1] = NULL;
        if (status == FM_OK)
            status = mpc_or(&t[1], t[3], t[4], err);
    }
    if (status == FM_OK)
        status = mpc_not(&t[5], in, err);
    if (status == FM_OK)
        status = mpc_and(&t[6], t[5], t[1], err);
    if (status == FM_OK && l->probe.valid != NULL)
        status = mpc_and(z, t[6], l->probe.valid, err);
    else if (status == FM_OK) {
        *z = t[6];
        t[6] = NULL;
    }
    mpc_share_free_all(t, 8);
    return status;
}

fm_status mpc_find_in(struct mpc_share **in, struct mpc_share **unknown,
                      const struct mpc_lookup *lookup, struct base_err *err)
{
    struct mpc_lookup only = *lookup;
    struct mpc_found found;
    fm_status status;

    *in = *unknown = NULL;
    if (lookup->keys != 1)
        return base_err_set(err, FM_E_ARG, "find in: %zu keys: only 1", lookup->keys);
    only.values = NULL;
    only.values_len = only.per_key = 0;
    only.probe_unique = only.path = false;
    status = mpc_find(&found, &only, err);
    if (status != FM_OK)
        return status;
    status = find_unknown(unknown, found.match, lookup, err);
    if (status == FM_OK) {
        *in = found.match;
        found.match = NULL;
    }
    mpc_found_release(&found);
    return status;
}
