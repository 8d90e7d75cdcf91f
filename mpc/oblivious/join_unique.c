/* Both sides' keys are unique: in the joint order a match is a probing row right below its table
 * row. Nothing is copied farther than to the next row. */
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/join_state.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* In the joint order. */
struct rows {
    const struct mpc_find_state *f;
    struct mpc_share *table;  /* bits: a row of the table */
    struct mpc_share *usable; /* bits */
    struct mpc_share *key[MPC_SORT_KEYS];
    struct mpc_share *value[MPC_LOOKUP_VALUES];
    struct mpc_share *same; /* bits: usable, and has the key of the row above */
};

static fm_status bring_together(struct rows *r, struct mpc_find_state *f, struct base_err *err)
{
    struct mpc_share *x[2 + MPC_SORT_KEYS + MPC_LOOKUP_VALUES] = {NULL};
    struct mpc_share *ones = NULL;
    size_t keys = f->by->keys;
    size_t count = 2 + keys + f->by->values_len;
    fm_status status = mpc_bits_constant(f->s, &ones, 1, 1, f->n, err);

    if (status == FM_OK)
        status = mpc_find_extend(&x[0], ones, f->m, err);
    mpc_share_free(ones);
    for (size_t k = 0; k <= keys; k++) { /* the keys, and whether usable */
        x[1 + k] = f->both[k];
        f->both[k] = NULL;
    }
    for (size_t i = 0; status == FM_OK && i < f->by->values_len; i++)
        status = mpc_find_extend(&x[2 + keys + i], f->by->values[i], f->m, err);
    if (status == FM_OK)
        status = mpc_move_columns(x, count, f->joint, MPC_FORWARD, err);
    if (status != FM_OK) {
        mpc_share_free_all(x, count);
        return status;
    }
    r->table = x[0];
    for (size_t k = 0; k < keys; k++)
        r->key[k] = x[1 + k];
    r->usable = x[1 + keys];
    for (size_t i = 0; i < f->by->values_len; i++)
        r->value[i] = x[2 + keys + i];
    return FM_OK;
}

/* The row above a usable one is usable; the first row has none above. */
static fm_status compare(struct rows *r, struct base_err *err)
{
    struct mpc_share *above[MPC_SORT_KEYS] = {NULL};
    struct mpc_share *there[2] = {NULL};
    struct mpc_share *t[2] = {NULL};
    size_t n = r->table->n;
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < r->f->by->keys; k++)
        status = mpc_row_above(&above[k], r->key[k], err);
    if (status == FM_OK)
        status = mpc_same_key(&t[0], (const struct mpc_share *const *)r->key,
                              (const struct mpc_share *const *)above, r->f->by->keys, err);
    if (status == FM_OK)
        status = mpc_and(&t[1], t[0], r->usable, err);
    if (status == FM_OK)
        status = mpc_bits_constant(r->f->s, &there[0], 0, 1, n > 0, err);
    if (status == FM_OK)
        status = mpc_slice(&there[1], t[1], n > 0, n - (n > 0), err);
    if (status == FM_OK)
        status = mpc_concat(&r->same, (const struct mpc_share *const *)there, 2, err);
    mpc_share_free_all(above, MPC_SORT_KEYS);
    mpc_share_free_all(there, 2);
    mpc_share_free_all(t, 2);
    return status;
}

/* match = same, and the row above is the table's, and this one is not; repeated: same, and both are
 * of one side. */
static fm_status judge(struct mpc_share **match, struct mpc_share **repeated, const struct rows *r,
                       struct base_err *err)
{
    struct mpc_share *t[5] = {NULL};
    struct mpc_share *z[2] = {NULL};
    fm_status status = mpc_row_above(&t[0], r->table, err);

    if (status == FM_OK)
        status = mpc_xor(&t[1], t[0], r->table, err); /* of two sides: then the table's is above */
    if (status == FM_OK)
        status = mpc_not(&t[2], t[1], err);
    if (status == FM_OK)
        status = mpc_and_list(z, (const struct mpc_share *const[]){r->same, r->same},
                              (const struct mpc_share *const[]){t[1], t[2]}, 2, err);
    if (status == FM_OK)
        status = mpc_some(repeated, z[1], err);
    if (status == FM_OK) {
        *match = z[0];
        z[0] = NULL;
    }
    mpc_share_free_all(t, 5);
    mpc_share_free_all(z, 2);
    return status;
}

/* The row above's values, moved with the match to the probing rows. */
static fm_status take_back(struct mpc_found *out, struct rows *r, struct mpc_share **match,
                           struct base_err *err)
{
    const struct mpc_find_state *f = r->f;
    struct mpc_share *x[1 + MPC_LOOKUP_VALUES] = {NULL};
    size_t count = 1 + f->by->values_len;
    fm_status status;

    x[0] = *match;
    *match = NULL;
    for (size_t i = 1; i < count; i++) {
        x[i] = r->value[i - 1];
        r->value[i - 1] = NULL;
    }
    status = mpc_each_column(x + 1, count - 1, mpc_row_above, err);
    if (status == FM_OK)
        status = mpc_move_columns(x, count, f->joint, MPC_INVERSE, err);
    if (status == FM_OK)
        status = mpc_slice_columns(x, count, f->n, f->m, err);
    if (status == FM_OK) {
        out->match = x[0];
        x[0] = NULL;
        status = mpc_find_values(out, f, x + 1, err);
    }
    mpc_share_free_all(x, count);
    return status;
}

fm_status mpc_find_neighbours(struct mpc_found *out, struct mpc_find_state *f, struct base_err *err)
{
    struct rows r = {.f = f};
    struct mpc_share *match = NULL;
    fm_status status = bring_together(&r, f, err);

    if (status == FM_OK)
        status = compare(&r, err);
    if (status == FM_OK)
        status = judge(&match, &out->repeated, &r, err);
    if (status == FM_OK)
        status = take_back(out, &r, &match, err);
    mpc_share_free(match);
    mpc_share_free(r.table);
    mpc_share_free(r.usable);
    mpc_share_free(r.same);
    mpc_share_free_all(r.key, MPC_SORT_KEYS);
    mpc_share_free_all(r.value, MPC_LOOKUP_VALUES);
    return status;
}
