/* Every table row compared with every probing row. Pairs stand probing row by probing row, and in
 * each from the table's last row to its first, so that the first match in a row of n pairs is the
 * one to take. Which pairs stand where is public: what a row of pairs has in common is found by
 * local moves (gather) and plain sums. */
#include <stdlib.h>

#include "mpc/choice.h"
#include "mpc/circuit/compare.h"
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/join_state.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

struct pairs {
    const struct mpc_find_state *f;
    size_t n;
    size_t m;
    size_t all; /* n * m */
    uint32_t *map;
    struct mpc_share *match; /* of pairs: not taken yet */
};

static double key_bits(const struct mpc_lookup *by)
{
    double bits = 0;

    for (size_t k = 0; k < by->keys; k++)
        bits += by->table.key[k]->domain == MPC_BITS ? by->table.key[k]->width
                                                     : mpc_range_width(by->table.key[k]->range);
    return bits;
}

/* Bytes of both ways, roughly: a sort makes some 1.2 log2 N comparisons a row of 3/4 bytes a bit.
 */
bool mpc_find_pairs_pay(const struct mpc_find_state *f)
{
    enum { ROUNDS_SAVED = 60 }; /* at least */
    double all = (double)f->n * (double)f->m;
    double rows = (double)f->n + (double)f->m;
    double slots = (double)f->per_key;
    double values = (double)f->by->values_len;
    double bits = key_bits(f->by);
    double log = 1;
    double by_pairs, by_sort;

    while ((double)(UINT64_C(1) << (unsigned)log) < rows)
        log++;
    if (all <= MPC_FIND_PAIRS_MOST && f->s->profile == MPC_FEW_ROUNDS)
        return true;
    by_pairs = all * (bits / 2 + slots * (8 + (values > 0 ? 24 + 24 * values : 0)));
    by_sort = rows * (0.9 * log * (bits + log) + 64 * (2 + slots * values));
    if (mpc_link_of(f->s->profile) != NULL)
        by_sort += ROUNDS_SAVED * (double)mpc_round_bytes(f->s->profile);
    return all < UINT32_MAX / 2 && by_pairs < by_sort;
}

/* z[j * n + r] = x[r-th from the last], of the table; or x[j], of the probing rows. */
static fm_status of_table(struct mpc_share **z, struct pairs *p, const struct mpc_share *x,
                          struct base_err *err)
{
    for (size_t at = 0; at < p->all; at++)
        p->map[at] = (uint32_t)(p->n - 1 - at % p->n);
    return mpc_gather(z, x, p->map, p->all, err);
}

static fm_status of_probe(struct mpc_share **z, struct pairs *p, const struct mpc_share *x,
                          struct base_err *err)
{
    for (size_t at = 0; at < p->all; at++)
        p->map[at] = (uint32_t)(at / p->n);
    return mpc_gather(z, x, p->map, p->all, err);
}

static fm_status match_pairs(struct pairs *p, struct base_err *err)
{
    const struct mpc_lookup *by = p->f->by;
    struct mpc_share *x[MPC_SORT_KEYS] = {NULL};
    struct mpc_share *y[MPC_SORT_KEYS] = {NULL};
    struct mpc_share *usable[2] = {NULL};
    struct mpc_share *t[2] = {NULL};
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < by->keys; k++) {
        status = of_table(&x[k], p, by->table.key[k], err);
        if (status == FM_OK)
            status = of_probe(&y[k], p, by->probe.key[k], err);
    }
    if (status == FM_OK)
        status = mpc_same_key(&t[0], (const struct mpc_share *const *)x,
                              (const struct mpc_share *const *)y, by->keys, err);
    mpc_share_free_all(x, MPC_SORT_KEYS);
    mpc_share_free_all(y, MPC_SORT_KEYS);
    if (status == FM_OK)
        status = of_table(&usable[0], p, p->f->usable[0], err);
    if (status == FM_OK)
        status = of_probe(&usable[1], p, p->f->usable[1], err);
    if (status == FM_OK)
        status = mpc_and(&t[1], usable[0], usable[1], err);
    if (status == FM_OK)
        status = mpc_and(&p->match, t[0], t[1], err);
    mpc_share_free_all(usable, 2);
    mpc_share_free_all(t, 2);
    return status;
}

/* z[at] = x[at - by] in the same row of pairs; where that has no such place 0. */
static fm_status shift(struct mpc_share **z, struct pairs *p, const struct mpc_share *x, size_t by,
                       struct base_err *err)
{
    struct mpc_share *zero;
    struct mpc_share *both = NULL;
    fm_status status = mpc_bits_constant(x->session, &zero, 0, 1, 1, err);

    *z = NULL;
    if (status == FM_OK)
        status = mpc_concat(&both, (const struct mpc_share *const[]){x, zero}, 2, err);
    for (size_t at = 0; at < p->all; at++)
        p->map[at] = (uint32_t)(at % p->n < by ? p->all : at - by);
    if (status == FM_OK)
        status = mpc_gather(z, both, p->map, p->all, err);
    mpc_share_free(zero);
    mpc_share_free(both);
    return status;
}

/* taken: the first match of each row of pairs; match: the others. any: of each row, has it one? */
static fm_status take_first(struct mpc_share **taken, struct mpc_share **any, struct pairs *p,
                            struct base_err *err)
{
    struct mpc_share *up_to = NULL; /* a match here or before */
    struct mpc_share *before = NULL;
    struct mpc_share *others = NULL;
    fm_status status = mpc_slice(&up_to, p->match, 0, p->all, err);

    for (size_t by = 1; status == FM_OK && by < p->n; by *= 2) {
        struct mpc_share *above = NULL;
        struct mpc_share *both = NULL;

        status = shift(&above, p, up_to, by, err);
        if (status == FM_OK)
            status = mpc_or(&both, up_to, above, err);
        mpc_share_free(above);
        mpc_share_free(up_to);
        up_to = both;
    }
    if (status == FM_OK)
        status = shift(&before, p, up_to, 1, err);
    if (status == FM_OK)
        status = mpc_and(&others, p->match, before, err);
    if (status == FM_OK)
        status = mpc_xor(taken, p->match, others, err);
    for (size_t j = 0; j < p->m; j++)
        p->map[j] = (uint32_t)(j * p->n + p->n - 1);
    if (status == FM_OK)
        status = mpc_gather(any, up_to, p->map, p->m, err);
    mpc_share_free(up_to);
    mpc_share_free(before);
    mpc_share_free(p->match);
    p->match = others;
    return status;
}

/* z[j] = the sum (XOR) over its row of pairs, at most one of which is not 0. */
static fm_status sum_rows(struct mpc_share **z, struct pairs *p, const struct mpc_share *x,
                          struct base_err *err)
{
    struct mpc_share *sums;
    struct mpc_share *ends = NULL;
    fm_status status = mpc_prefix(&sums, x, err);

    *z = NULL;
    for (size_t j = 0; j < p->m; j++)
        p->map[j] = (uint32_t)(j * p->n + p->n - 1);
    if (status == FM_OK)
        status = mpc_gather(&ends, sums, p->map, p->m, err);
    if (status == FM_OK)
        status = mpc_steps(z, ends, err);
    mpc_share_free(sums);
    mpc_share_free(ends);
    return status;
}

/* The values of the pairs taken. */
static fm_status take_values(struct mpc_share **z, struct pairs *p, const struct mpc_share *taken,
                             struct base_err *err)
{
    const struct mpc_lookup *by = p->f->by;
    struct mpc_share *x[MPC_LOOKUP_VALUES] = {NULL};
    struct mpc_share *ring = NULL;
    fm_status status = mpc_bit2a(&ring, taken, err);

    for (size_t i = 0; status == FM_OK && i < by->values_len; i++)
        status = of_table(&x[i], p, by->values[i], err);
    if (status == FM_OK)
        status = mpc_keep_columns(x, by->values_len, taken, ring, err);
    for (size_t i = 0; status == FM_OK && i < by->values_len; i++) {
        struct mpc_range r = by->values[i]->range;

        status = sum_rows(&z[i], p, x[i], err);
        r = (struct mpc_range){r.lo < 0 ? r.lo : 0, r.hi > 0 ? r.hi : 0};
        if (status == FM_OK && z[i]->domain == MPC_RING64)
            status = mpc_share_narrow(z[i], r, err);
    }
    mpc_share_free(ring);
    mpc_share_free_all(x, MPC_LOOKUP_VALUES);
    return status;
}

/* Appends x, which it takes over, to *all. */
static fm_status append(struct mpc_share **all, struct mpc_share *x, struct base_err *err)
{
    struct mpc_share *longer;
    fm_status status;

    if (*all == NULL) {
        *all = x;
        return FM_OK;
    }
    status = mpc_concat(&longer, (const struct mpc_share *const[]){*all, x}, 2, err);
    mpc_share_free(x);
    if (status == FM_OK) {
        mpc_share_free(*all);
        *all = longer;
    }
    return status;
}

static fm_status take_slot(struct mpc_found *out, struct pairs *p, struct base_err *err)
{
    struct mpc_share *value[MPC_LOOKUP_VALUES] = {NULL};
    struct mpc_share *taken = NULL;
    struct mpc_share *any = NULL;
    fm_status status = take_first(&taken, &any, p, err);

    if (status == FM_OK)
        status = append(&out->match, any, err);
    if (status == FM_OK && p->f->by->values_len > 0)
        status = take_values(value, p, taken, err);
    for (size_t i = 0; status == FM_OK && i < p->f->by->values_len; i++) {
        status = append(&out->value[i], value[i], err);
        value[i] = NULL;
    }
    mpc_share_free(taken);
    mpc_share_free_all(value, MPC_LOOKUP_VALUES);
    return status;
}

/* No pair at all. */
static fm_status nothing(struct mpc_found *out, const struct mpc_find_state *f,
                         struct base_err *err)
{
    size_t rows = f->per_key * f->m;
    fm_status status = mpc_bits_constant(f->s, &out->match, 0, 1, rows, err);

    if (status == FM_OK)
        status = mpc_bits_constant(f->s, &out->repeated, 0, 1, 1, err);
    for (size_t i = 0; status == FM_OK && i < f->by->values_len; i++) {
        const struct mpc_share *x = f->by->values[i];

        status = x->domain == MPC_RING64
                     ? mpc_constant(f->s, &out->value[i], 0, rows, err)
                     : mpc_bits_constant(f->s, &out->value[i], 0, x->width, rows, err);
    }
    return status;
}

fm_status mpc_find_pairs(struct mpc_found *out, struct mpc_find_state *f, struct base_err *err)
{
    struct pairs p = {.f = f, .n = f->n, .m = f->m, .all = f->n * f->m};
    fm_status status;

    if (p.all == 0)
        return nothing(out, f, err);
    if (p.all / p.n != p.m || p.all >= UINT32_MAX)
        return base_err_set(err, FM_E_LIMIT, "find: %zu and %zu rows are too many for all pairs",
                            p.n, p.m);
    p.map = malloc((p.all + 1) * sizeof *p.map);
    if (p.map == NULL)
        return mpc_no_memory(f->s, "find", err);
    status = match_pairs(&p, err);
    for (size_t slot = 0; status == FM_OK && slot < f->per_key; slot++)
        status = take_slot(out, &p, err);
    if (status == FM_OK)
        status = mpc_some(&out->repeated, p.match, err);
    mpc_share_free(p.match);
    free(p.map);
    return status;
}
