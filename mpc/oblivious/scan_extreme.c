/* Least and greatest so far, segment by segment: a prefix network over pairs (head, value),
 *
 *     (f, a) o (g, b) = (f | g, g ? b : the better of a and b),
 *
 * which is associative (Blelloch, CMU-CS-90-190, section 1.5). The first row counts as a head. A
 * combination that takes a in place of b where `take` = (a is better) & ~g. */
#include <stdlib.h>

#include "mpc/choice.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/select.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum extreme { LEAST, GREATEST };

struct pairs {
    struct mpc_share *head; /* bits, width 1 */
    struct mpc_share *value;
};

static void release(struct pairs *p)
{
    mpc_share_free(p->head);
    mpc_share_free(p->value);
    *p = (struct pairs){NULL, NULL};
}

/* Pairs number map[0], ..., map[n - 1]. */
static fm_status pick(struct pairs *z, const struct pairs *x, const uint32_t *map, size_t n,
                      struct base_err *err)
{
    fm_status status = mpc_gather(&z->head, x->head, map, n, err);

    return status == FM_OK ? mpc_gather(&z->value, x->value, map, n, err) : status;
}

/* Of a and b, whose segment begins at b where its head is set. */
static fm_status choose(struct mpc_share **z, const struct mpc_share *a, const struct pairs *b,
                        enum extreme which, struct base_err *err)
{
    struct mpc_share *better = NULL;
    struct mpc_share *open = NULL;
    struct mpc_share *take = NULL;
    fm_status status =
        which == LEAST ? mpc_less(&better, a, b->value, err) : mpc_less(&better, b->value, a, err);

    if (status == FM_OK)
        status = mpc_not(&open, b->head, err);
    if (status == FM_OK)
        status = mpc_and(&take, better, open, err);
    if (status == FM_OK)
        status = mpc_select(z, take, a, b->value, err);
    mpc_share_free(better);
    mpc_share_free(open);
    mpc_share_free(take);
    return status;
}

/* Places where the rows of one level come from. */
struct maps {
    uint32_t *a;
    uint32_t *b;
    uint32_t *join;
};

/* z = pairs number a[i] o pairs number b[i], for i < n. */
static fm_status combine(struct pairs *z, const struct pairs *x, const struct maps *m, size_t n,
                         enum extreme which, struct base_err *err)
{
    struct pairs a = {NULL, NULL}, b = {NULL, NULL};
    fm_status status = pick(&a, x, m->a, n, err);

    if (status == FM_OK)
        status = pick(&b, x, m->b, n, err);
    if (status == FM_OK)
        status = choose(&z->value, a.value, &b, which, err);
    if (status == FM_OK)
        status = mpc_or(&z->head, a.head, b.head, err);
    release(&a);
    release(&b);
    return status;
}

/* z[i] = element join[i] of (x, y). */
static fm_status join(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                      const uint32_t *map, size_t n, struct base_err *err)
{
    const struct mpc_share *both[2] = {x, y};
    struct mpc_share *joined;
    fm_status status = mpc_concat(&joined, both, 2, err);

    if (status != FM_OK)
        return status;
    status = mpc_gather(z, joined, map, n, err);
    mpc_share_free(joined);
    return status;
}

/* Level j of Sklansky's network: every row whose bit j is set takes the last row of the block below
 * it. */
static fm_status sklansky_level(struct pairs *x, struct maps *m, unsigned j, enum extreme which,
                                struct base_err *err)
{
    size_t n = x->value->n;
    size_t len = 0;
    struct pairs made = {NULL, NULL}, next = {NULL, NULL};
    fm_status status;

    for (size_t i = 0; i < n; i++) {
        m->join[i] = (uint32_t)i;
        if ((i >> j & 1) == 0)
            continue;
        m->join[i] = (uint32_t)(n + len);
        m->a[len] = (uint32_t)(((i >> j) << j) - 1);
        m->b[len++] = (uint32_t)i;
    }
    status = combine(&made, x, m, len, which, err);
    if (status == FM_OK)
        status = join(&next.head, x->head, made.head, m->join, n, err);
    if (status == FM_OK)
        status = join(&next.value, x->value, made.value, m->join, n, err);
    release(&made);
    release(x);
    *x = next;
    return status;
}

/* The pairs of neighbours: half as many. */
static fm_status ascend(struct pairs *up, const struct pairs *x, struct maps *m, enum extreme which,
                        struct base_err *err)
{
    size_t half = x->value->n / 2;

    for (size_t k = 0; k < half; k++) {
        m->a[k] = (uint32_t)(2 * k);
        m->b[k] = (uint32_t)(2 * k + 1);
    }
    return combine(up, x, m, half, which, err);
}

/* The prefixes of x from those of its pairs of neighbours: odd rows have them, even ones lack
 * themselves. */
static fm_status descend(struct mpc_share **z, const struct mpc_share *above, const struct pairs *x,
                         struct maps *m, enum extreme which, struct base_err *err)
{
    size_t n = x->value->n;
    size_t evens = (n - 1) / 2; /* without row 0 */
    struct mpc_share *a = NULL, *made = NULL, *first = NULL, *known = NULL;
    struct pairs b = {NULL, NULL};
    fm_status status;

    for (size_t k = 0; k < evens; k++) {
        m->a[k] = (uint32_t)k;
        m->b[k] = (uint32_t)(2 * k + 2);
    }
    status = mpc_gather(&a, above, m->a, evens, err);
    if (status == FM_OK)
        status = pick(&b, x, m->b, evens, err);
    if (status == FM_OK)
        status = choose(&made, a, &b, which, err);
    for (size_t i = 0; i < n; i++) /* of (row 0, prefixes of pairs, new ones) */
        m->join[i] = (uint32_t)(i == 0 ? 0 : i % 2 == 1 ? 1 + i / 2 : above->n + i / 2);
    if (status == FM_OK)
        status = mpc_slice(&first, x->value, 0, 1, err);
    if (status == FM_OK)
        status = mpc_concat(&known, (const struct mpc_share *const[]){first, above}, 2, err);
    if (status == FM_OK)
        status = join(z, known, made, m->join, n, err);
    mpc_share_free(a);
    mpc_share_free(made);
    mpc_share_free(first);
    mpc_share_free(known);
    release(&b);
    return status;
}

enum { LEVELS = 33 };

/* x[0] holds the rows; its value becomes the scan. */
static fm_status up_and_down(struct pairs *x, struct maps *m, enum extreme which,
                             struct base_err *err)
{
    unsigned top = 0;
    fm_status status = FM_OK;

    while (status == FM_OK && x[top].value->n > 1) {
        status = ascend(&x[top + 1], &x[top], m, which, err);
        top++;
    }
    for (unsigned j = top; status == FM_OK && j > 0; j--) {
        struct mpc_share *z;

        status = descend(&z, x[j].value, &x[j - 1], m, which, err);
        if (status == FM_OK) {
            mpc_share_free(x[j - 1].value);
            x[j - 1].value = z;
        }
    }
    return status;
}

/* A level for each halving of n / 2 steps each, or twice the levels and 2 n steps in all. A step is
 * a comparison and a choice, some 20 bytes, and a level some 9 rounds. */
static bool few_levels_pay(const struct mpc_share *x)
{
    enum { STEP_BYTES = 20, LEVEL_ROUNDS = 9, FEW_ROUNDS_MOST = 65536 };
    struct mpc_way sklansky = {0, 0, false};
    struct mpc_way sweep = {2 * x->n * STEP_BYTES, 0, false};

    for (size_t n = 1; n < x->n; n *= 2) {
        sklansky.rounds += LEVEL_ROUNDS;
        sklansky.bytes += x->n / 2 * STEP_BYTES;
        sweep.rounds += 2 * LEVEL_ROUNDS;
    }
    if (x->session->profile == MPC_FEW_ROUNDS && x->n > FEW_ROUNDS_MOST)
        return false;
    return mpc_choose(x->session->profile, sklansky, sweep) == MPC_FEW_ROUNDS;
}

static fm_status network(struct pairs *x, struct maps *m, enum extreme which, struct base_err *err)
{
    size_t n = x->value->n;
    fm_status status = FM_OK;

    if (!few_levels_pay(x->value))
        return up_and_down(x, m, which, err);
    for (unsigned j = 0; status == FM_OK && ((size_t)1 << j) < n; j++)
        status = sklansky_level(x, m, j, which, err);
    return status;
}

static fm_status scan(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *head,
                      enum extreme which, struct base_err *err)
{
    struct maps m = {NULL, NULL, NULL};
    struct pairs p[LEVELS] = {{NULL, NULL}};
    fm_status status = mpc_check_domain(x, MPC_RING64, "scan", err);

    *z = NULL;
    if (status == FM_OK &&
        (head->domain != MPC_BITS || head->width != 1 || head->session != x->session))
        status = base_err_set(err, FM_E_ARG, "scan: heads are bits of width 1, of one session");
    if (status == FM_OK && head->n != x->n)
        status = base_err_set(err, FM_E_ARG, "scan: %zu heads for %zu rows", head->n, x->n);
    if (status != FM_OK)
        return status;
    m = (struct maps){malloc(x->n * 4 + 4), malloc(x->n * 4 + 4), malloc(x->n * 4 + 4)};
    if (m.a == NULL || m.b == NULL || m.join == NULL)
        status = mpc_no_memory(x->session, "scan", err);
    if (status == FM_OK)
        status = mpc_slice(&p[0].head, head, 0, x->n, err);
    if (status == FM_OK)
        status = mpc_slice(&p[0].value, x, 0, x->n, err);
    if (status == FM_OK)
        status = network(p, &m, which, err);
    if (status == FM_OK) {
        *z = p[0].value;
        p[0].value = NULL;
    }
    for (unsigned j = 0; j < LEVELS; j++)
        release(&p[j]);
    free(m.a);
    free(m.b);
    free(m.join);
    return status;
}

fm_status mpc_scan_min(struct mpc_share **z, const struct mpc_share *x,
                       const struct mpc_share *head, struct base_err *err)
{
    return scan(z, x, head, LEAST, err);
}

fm_status mpc_scan_max(struct mpc_share **z, const struct mpc_share *x,
                       const struct mpc_share *head, struct base_err *err)
{
    return scan(z, x, head, GREATEST, err);
}
