/* Permutations, joint randomness, preparation: the wrappers. */
#include "mpc/perm.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/kernels.h"
#include "mpc/ops_check.h"

enum { BUCKETS = 256, IN_CACHE = 1 << 15 };

/* 32-bit words of a generator, two from each of its words, low half first. */
struct halves {
    struct mpc_joint *joint;
    const uint64_t *words;
    size_t left; /* halves */
};

static uint32_t next_half(struct halves *h)
{
    uint64_t word;

    if (h->left == 0) {
        size_t have;

        h->words = mpc_joint_peek(h->joint, &have);
        mpc_joint_take(h->joint, have); /* its words stay until the next peek */
        h->left = 2 * have;
    }
    h->left--;
    word = *h->words;
    if (h->left % 2 == 1)
        return (uint32_t)word;
    h->words++;
    return (uint32_t)(word >> 32);
}

/* Uniform below bound: the high half of a product, less the low halves that would come too often
 * (Lemire, ACM TOMACS 29, 2019). */
static uint32_t below(struct halves *h, uint32_t bound)
{
    for (;;) {
        uint64_t product = (uint64_t)next_half(h) * bound;

        if ((uint32_t)product >= bound || (uint32_t)product >= (0 - bound) % bound)
            return (uint32_t)(product >> 32);
    }
}

static void shuffle_run(struct halves *h, uint32_t *map, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint32_t j = below(h, (uint32_t)i);
        uint32_t swap = map[i - 1];

        map[i - 1] = map[j];
        map[j] = swap;
    }
}

static void into_buckets(uint32_t *map, size_t end[BUCKETS], const uint8_t *bucket, size_t n)
{
    size_t at = 0;

    memset(end, 0, BUCKETS * sizeof *end);
    for (size_t i = 0; i < n; i++)
        end[bucket[i]]++;
    for (size_t b = 0; b < BUCKETS; b++) {
        size_t size = end[b];

        end[b] = at; /* where it begins, and after the next loop where it ends */
        at += size;
    }
    for (size_t i = 0; i < n; i++)
        map[end[bucket[i]]++] = (uint32_t)i;
}

fm_status mpc_perm_draw(struct mpc_perm *perm, unsigned k, struct mpc_joint *joint,
                        struct base_err *err)
{
    size_t n = perm->n;
    size_t labels = (n + 7) / 8;
    struct halves halves = {.joint = joint};
    struct mpc_share *scratch = NULL;
    size_t end[BUCKETS];
    fm_status status = mpc_block_new(&perm->block[k], perm->session, n * 4, err);

    if (status == FM_OK && n > IN_CACHE)
        status = mpc_block_new(&scratch, perm->session, labels * 8, err);
    if (status != FM_OK)
        return status;
    perm->map[k] = (uint32_t *)perm->block[k]->data;
    if (scratch == NULL) {
        for (size_t i = 0; i < n; i++)
            perm->map[k][i] = (uint32_t)i;
        shuffle_run(&halves, perm->map[k], n);
        return FM_OK;
    }
    mpc_joint_fill(joint, scratch->data, labels);
    into_buckets(perm->map[k], end, (const uint8_t *)scratch->data, n);
    for (size_t b = 0, from = 0; b < BUCKETS; from = end[b++])
        shuffle_run(&halves, perm->map[k] + from, end[b] - from);
    base_wipe(scratch->data, labels * 8);
    base_wipe(end, sizeof end);
    mpc_share_free(scratch);
    return FM_OK;
}

void mpc_perm_move(const struct mpc_perm *perm, unsigned k, enum mpc_direction direction,
                   const struct mpc_share *x, uint64_t *to, const uint64_t *from)
{
    const uint32_t *map = perm->map[k];

    if (x->domain == MPC_RING64)
        (direction == MPC_FORWARD ? mpc_k_gather : mpc_k_scatter)(to, from, map, x->n);
    for (unsigned j = 0; x->domain == MPC_BITS && j < x->width; j++)
        (direction == MPC_FORWARD ? mpc_k_gather_bits : mpc_k_scatter_bits)(
            to + j * x->plane_words, from + j * x->plane_words, map, x->n);
}

void mpc_perm_release_maps(struct mpc_perm *perm)
{
    for (unsigned k = 0; k < MPC_MAX_COMPONENTS; k++) {
        if (perm->map[k] != NULL)
            base_wipe(perm->map[k], perm->n * 4);
        mpc_share_free(perm->block[k]);
        perm->block[k] = NULL;
        perm->map[k] = NULL;
    }
}

fm_status mpc_perm_random(struct mpc_session *s, struct mpc_perm **out, size_t n,
                          struct base_err *err)
{
    struct mpc_perm *perm;
    fm_status status = FM_OK;

    *out = NULL;
    if (n > MPC_MAX_N)
        return base_err_set(err, FM_E_ARG, "permutation of %zu elements: at most 2^32", n);
    perm = calloc(1, sizeof *perm);
    if (perm == NULL)
        return mpc_finish(s, MPC_OP_PERM, base_err_memory(err, "permutation"), err);
    perm->session = s;
    perm->n = n;
    if (s->computes)
        status = mpc_finish(s, MPC_OP_PERM, s->row->perm_random(s, perm, err), err);
    if (status != FM_OK) {
        mpc_perm_free(perm);
        return status;
    }
    *out = perm;
    return FM_OK;
}

void mpc_perm_free(struct mpc_perm *perm)
{
    if (perm == NULL)
        return;
    if (perm->session->computes)
        perm->session->row->perm_free(perm);
    free(perm);
}

fm_status mpc_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                         struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                         struct base_err *err)
{
    struct mpc_session *s = perm->session;
    struct mpc_record record = {.op = MPC_OP_PERM, .z = z, .x = x, .count = count};
    fm_status status;

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    status = mpc_check_list(x, count, "permutation", err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (x[i]->session != s)
            status =
                base_err_set(err, FM_E_ARG, "permutation: column %zu is of another session", i);
        else if (x[i]->n != perm->n)
            status = base_err_set(err, FM_E_ARG, "permutation of %zu elements: column %zu has %zu",
                                  perm->n, i, x[i]->n);
        else
            status = mpc_share_new(&z[i], s, x[i]->domain, x[i]->n, x[i]->width, x[i]->range, err);
    }
    if (status == FM_OK && s->computes)
        status = s->row->perm_apply(perm, direction, z, x, count, err);
    if (status == FM_OK && s->computes)
        status = s->row->record(s, &record, err);
    status = mpc_finish(s, MPC_OP_PERM, status, err);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err)
{
    memset(out, 0, len);
    if (!s->computes)
        return FM_OK;
    return mpc_finish(s, MPC_OP_COIN, s->row->coin(s, out, len, err), err);
}

fm_status mpc_random_share(struct mpc_session *s, struct mpc_share **out, enum mpc_domain domain,
                           unsigned width, size_t n, struct base_err *err)
{
    fm_status status = domain == MPC_RING64 ? mpc_ring_new(out, s, n, MPC_RANGE_FULL, err)
                                            : mpc_bits_new(out, s, n, width, err);

    if (status == FM_OK && s->computes)
        status = mpc_finish(s, MPC_OP_RANDOM, s->row->random(s, *out, err), err);
    if (status != FM_OK)
        mpc_share_free_all(out, 1);
    return status;
}

fm_status mpc_random_bit(struct mpc_session *s, struct mpc_share **out, size_t n,
                         struct base_err *err)
{
    return mpc_random_share(s, out, MPC_BITS, 1, n, err);
}

fm_status mpc_prepare(struct mpc_session *s, const struct mpc_counts *counts, struct base_err *err)
{
    if (!s->computes)
        return FM_OK;
    return mpc_finish(s, MPC_OP_PREPARE, s->row->prepare(s, counts, err), err);
}

fm_status mpc_check(struct mpc_session *s, struct base_err *err)
{
    if (!s->computes)
        return FM_OK;
    return mpc_finish(s, MPC_OP_CHECK, s->row->check(s, err), err);
}
