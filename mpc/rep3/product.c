/* mul, dot, and: Araki et al., CCS 2016, section 2.2. */
#include <stdlib.h>

#include "mpc/kernels.h"
#include "mpc/rep3/state.h"

struct factors {
    const struct mpc_share *x;
    const struct mpc_share *y;
};

typedef void product_kernel(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                            const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n);

/* Feeds a kernel with words of both generators, as many at a time as both have ready. */
static void masked_product(struct rep3 *r, product_kernel *kernel, uint64_t *z, const uint64_t *xa,
                           const uint64_t *xb, const uint64_t *ya, const uint64_t *yb, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t have;
        size_t have1;
        const uint64_t *r0 = mpc_joint_peek(&r->own, &have);
        const uint64_t *r1 = mpc_joint_peek(&r->next, &have1);

        have = have1 < have ? have1 : have;
        have = n - at < have ? n - at : have;
        kernel(z + at, xa + at, xb + at, ya + at, yb + at, r0, r1, have);
        mpc_joint_take(&r->own, have);
        mpc_joint_take(&r->next, have);
        at += have;
    }
}

static void compute_mul(struct mpc_session *s, const struct rep3_cell *cell, size_t from,
                        size_t count)
{
    const struct factors *f = cell->job;

    masked_product(rep3_of(s), mpc_k_rep3_mul, cell->za + from, mpc_comp(f->x, 0) + from,
                   mpc_comp(f->x, 1) + from, mpc_comp(f->y, 0) + from, mpc_comp(f->y, 1) + from,
                   count);
}

static void compute_dot(struct mpc_session *s, const struct rep3_cell *cell, size_t from,
                        size_t count)
{
    struct rep3 *r = rep3_of(s);
    const struct factors *f = cell->job;
    uint64_t own;
    uint64_t next;

    (void)from;
    (void)count;
    mpc_joint_fill(&r->own, &own, 1);
    mpc_joint_fill(&r->next, &next, 1);
    cell->za[0] = own - next;
    if (f->x->n > 0)
        cell->za[0] += mpc_k_rep3_dot(mpc_comp(f->x, 0), mpc_comp(f->x, 1), mpc_comp(f->y, 0),
                                      mpc_comp(f->y, 1), f->x->n);
}

/* Sums of products of pairs of columns. */
struct columns {
    const struct mpc_share *const *x;
    const struct mpc_share *const *y;
    size_t count;
};

enum { BLOCK = 1024 }; /* words of the sum, kept in the first cache while all columns pass */

static void mask_zeros(struct rep3 *r, uint64_t *z, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t have;
        size_t have1;
        const uint64_t *r0 = mpc_joint_peek(&r->own, &have);
        const uint64_t *r1 = mpc_joint_peek(&r->next, &have1);

        have = have1 < have ? have1 : have;
        have = n - at < have ? n - at : have;
        mpc_k_sub(z + at, r0, r1, have);
        mpc_joint_take(&r->own, have);
        mpc_joint_take(&r->next, have);
        at += have;
    }
}

static void add_product(uint64_t *z, const struct mpc_share *x, const struct mpc_share *y,
                        size_t from, size_t n)
{
    const uint64_t *xa = mpc_comp(x, 0) + from;
    const uint64_t *xb = mpc_comp(x, 1) + from;
    const uint64_t *ya = mpc_comp(y, 0);
    const uint64_t *yb = mpc_comp(y, 1);

    if (y->n == 1) {
        mpc_k_add_scaled(z, xa, ya[0] + yb[0], n);
        mpc_k_add_scaled(z, xb, ya[0], n);
    } else
        mpc_k_rep3_mul_add(z, xa, xb, ya + from, yb + from, n);
}

static void compute_columns(struct mpc_session *s, const struct rep3_cell *cell, size_t from,
                            size_t count)
{
    const struct columns *c = cell->job;

    mask_zeros(rep3_of(s), cell->za + from, count);
    for (size_t at = 0; at < count; at += BLOCK) {
        size_t n = count - at < BLOCK ? count - at : BLOCK;

        for (size_t k = 0; k < c->count; k++)
            add_product(cell->za + from + at, c->x[k], c->y[k], from + at, n);
    }
}

static void compute_and(struct mpc_session *s, const struct rep3_cell *cell, size_t from,
                        size_t count)
{
    const struct mpc_gate *g = cell->job;
    uint64_t *z = cell->za + from;

    masked_product(rep3_of(s), mpc_k_rep3_and, z, mpc_wire_words(g->x, 0) + from,
                   mpc_wire_words(g->x, 1) + from, mpc_wire_words(g->y, 0) + from,
                   mpc_wire_words(g->y, 1) + from, count);
    if (g->w.share != NULL) /* adding our component before sending adds it on both sides */
        mpc_k_xor(z, z, mpc_wire_words(g->w, 0) + from, count);
}

static fm_status ring_products(struct mpc_session *s, struct mpc_share *const *z,
                               const struct mpc_share *const *x, const struct mpc_share *const *y,
                               size_t count, rep3_cell_fn *compute, struct base_err *err)
{
    struct rep3_cell *cells = calloc(count, sizeof *cells);
    struct factors *factors = calloc(count, sizeof *factors);
    fm_status status;

    if (cells == NULL || factors == NULL) {
        status = base_err_memory(err, "product");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        factors[i] = (struct factors){x[i], y[i]};
        cells[i] = (struct rep3_cell){mpc_comp(z[i], 0), mpc_comp(z[i], 1), z[i]->n, &factors[i]};
    }
    status = rep3_reshare(s, cells, count, compute, err);
out:
    free(factors);
    free(cells);
    return status;
}

fm_status rep3_mul(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y, size_t count,
                   struct base_err *err)
{
    return ring_products(s, z, x, y, count, compute_mul, err);
}

fm_status rep3_dot(struct mpc_session *s, struct mpc_share *const *z,
                   const struct mpc_share *const *x, const struct mpc_share *const *y, size_t count,
                   struct base_err *err)
{
    return ring_products(s, z, x, y, count, compute_dot, err);
}

fm_status rep3_dot_columns(struct mpc_session *s, struct mpc_share *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           size_t count, struct base_err *err)
{
    struct columns columns = {x, y, count};
    struct rep3_cell cell = {mpc_comp(z, 0), mpc_comp(z, 1), z->n, &columns};

    return rep3_reshare(s, &cell, 1, compute_columns, err);
}

fm_status rep3_and(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                   struct base_err *err)
{
    struct rep3_cell *cells = calloc(count, sizeof *cells);
    fm_status status;

    if (cells == NULL)
        return base_err_memory(err, "product");
    for (size_t i = 0; i < count; i++)
        cells[i] = (struct rep3_cell){mpc_wire_words(gates[i].z, 0), mpc_wire_words(gates[i].z, 1),
                                      gates[i].z.share->plane_words, &gates[i]};
    status = rep3_reshare(s, cells, count, compute_and, err);
    free(cells);
    return status;
}
