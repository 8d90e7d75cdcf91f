/* Points of the group: made, multiplied in batches, sorted. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "mpc/psi/curve.h"
#include "mpc/psi/psi_own.h"

/* The lowest row of a batch that is answered for: which of the rows from `from` on is wrong. */
static size_t first_bad(unsigned bad, size_t from)
{
    return from + (unsigned)__builtin_ctz(bad);
}

struct piece {
    size_t from, to;
    fm_status (*range)(void *ctx, size_t from, size_t to, struct base_err *err);
    void *ctx;
    fm_status st;
    struct base_err err;
    pthread_t thread;
    int started;
};

static void *run_piece(void *arg)
{
    struct piece *p = arg;

    p->st = p->range(p->ctx, p->from, p->to, &p->err);
    return NULL;
}

fm_status mpc_psi_share_out(size_t n, unsigned threads,
                            fm_status (*range)(void *ctx, size_t from, size_t to,
                                               struct base_err *err),
                            void *ctx, struct base_err *err)
{
    struct piece pieces[MPC_PSI_THREADS];
    fm_status st = FM_OK;

    for (unsigned i = 0; i < threads; i++)
        pieces[i] =
            (struct piece){n * i / threads, n * (i + 1) / threads, range, ctx, FM_OK, {0}, 0, 0};
    for (unsigned i = 1; i < threads; i++)
        pieces[i].started = pthread_create(&pieces[i].thread, NULL, run_piece, &pieces[i]) == 0;
    (void)run_piece(&pieces[0]);
    for (unsigned i = 1; i < threads; i++) /* without a thread: its piece after our own */
        if (!pieces[i].started || pthread_join(pieces[i].thread, NULL) != 0)
            (void)run_piece(&pieces[i]);
    for (unsigned i = 0; st == FM_OK && i < threads; i++)
        if ((st = pieces[i].st) != FM_OK)
            *err = pieces[i].err;
    return st;
}

static int by_point(const void *a, const void *b)
{
    return memcmp(a, b, PSI_POINT); /* p is a psi_point's first member */
}

void mpc_psi_sort(struct psi_point *points, size_t n)
{
    qsort(points, n, sizeof *points, by_point);
}

struct own {
    const struct mpc_psi *psi;
    const struct mpc_psi_rows *rows;
    struct psi_point *points;
};

/* A filler follows from what the commitment commits to, so that its opening makes it again. */
void mpc_psi_filler(uint8_t out32[32], const struct mpc_psi *psi, size_t index)
{
    struct base_hash h;
    uint8_t at[8];

    base_store_u64(at, index);
    base_hash_init(&h);
    base_hash_update(&h, "firmiana psi-sum filler 1", 25);
    base_hash_update(&h, psi->salt, sizeof psi->salt);
    base_hash_update(&h, psi->scalar, sizeof psi->scalar);
    base_hash_update(&h, at, sizeof at);
    base_hash_final(&h, out32);
    base_wipe(&h, sizeof h);
}

/* Hashed: u8 1, session, 32 zeros, identifier; where the set is filled up u8 0, session, filler,
 * zeros: as long, and it stands for no identifier. */
static void message_of(uint8_t *message, const struct own *own, size_t i)
{
    size_t id_len = own->rows->id_len;

    memset(message, 0, 65 + id_len);
    memcpy(message + 1, own->psi->terms.session32, 32);
    message[0] = i < own->rows->n;
    if (i < own->rows->n)
        memcpy(message + 65, own->rows->ids + id_len * i, id_len);
    else
        mpc_psi_filler(message + 33, own->psi, i);
}

static fm_status make_range(void *ctx, size_t from, size_t to, struct base_err *err)
{
    const struct own *own = ctx;
    uint8_t messages[MPC_PSI_BATCH * (65 + 255)], z[MPC_PSI_BATCH][PSI_POINT];
    size_t len = 65 + own->rows->id_len;
    fm_status st = FM_OK;

    for (size_t i = from; st == FM_OK && i < to; i += MPC_PSI_BATCH) {
        size_t n = to - i < MPC_PSI_BATCH ? to - i : MPC_PSI_BATCH;
        unsigned bad = 0;
        for (size_t j = 0; j < n; j++)
            message_of(messages + len * j, own, i + j);
        st = own->psi->group->times_hash(&bad, z, messages, len, n, own->psi->scalar, err);
        if (st == FM_OK && bad != 0)
            st = base_err_set(err, FM_E_ARG, "psi: row %zu hashes to no point", first_bad(bad, i));
        for (size_t j = 0; st == FM_OK && j < n; j++) {
            memcpy(own->points[i + j].p, z[j], PSI_POINT);
            own->points[i + j].row = (uint32_t)(i + j);
        }
    }
    base_wipe(messages, sizeof messages);
    base_wipe(z, sizeof z);
    return st;
}

fm_status mpc_psi_own_points(struct psi_point *points, const struct mpc_psi *psi, size_t declared,
                             const struct mpc_psi_rows *rows, struct base_err *err)
{
    struct own own = {.psi = psi, .rows = rows, .points = points};
    fm_status st = mpc_psi_share_out(declared, psi->threads, make_range, &own, err);

    if (st != FM_OK)
        return st;
    mpc_psi_sort(points, declared);
    for (size_t i = 1; i < declared; i++)
        if (by_point(&points[i - 1], &points[i]) == 0)
            return base_err_set(err, FM_E_ARG,
                                "psi: rows %u and %u have the same identifier: sum them first",
                                points[i - 1].row, points[i].row);
    return FM_OK;
}

fm_status mpc_psi_ascending(const uint8_t *points, size_t n, struct base_err *err)
{
    for (size_t i = 1; i < n; i++)
        if (memcmp(points + PSI_POINT * (i - 1), points + PSI_POINT * i, PSI_POINT) >= 0)
            return base_err_set(err, FM_E_PEER, "psi: point %zu does not ascend", i);
    return FM_OK;
}

struct theirs {
    const struct mpc_psi *psi;
    struct psi_point *to;
    const uint8_t *from;
};

static fm_status times_range(void *ctx, size_t from, size_t to, struct base_err *err)
{
    const struct theirs *t = ctx;
    const struct psi_group *group = t->psi->group;
    uint8_t z[MPC_PSI_BATCH][PSI_POINT];
    fm_status st = FM_OK;

    for (size_t i = from; st == FM_OK && i < to; i += MPC_PSI_BATCH) {
        size_t n = to - i < MPC_PSI_BATCH ? to - i : MPC_PSI_BATCH;
        const uint8_t(*x)[PSI_POINT] = (const uint8_t(*)[PSI_POINT])(t->from + PSI_POINT * i);
        unsigned bad = 0;
        st = group->times(&bad, z, x, n, t->psi->scalar, err);
        if (st == FM_OK && bad != 0)
            st = base_err_set(err, FM_E_PEER, "psi: point %zu is none of %s", first_bad(bad, i),
                              group->name);
        for (size_t j = 0; st == FM_OK && j < n; j++) {
            memcpy(t->to[i + j].p, z[j], PSI_POINT);
            t->to[i + j].row = (uint32_t)(i + j);
        }
    }
    return st;
}

fm_status mpc_psi_times(struct psi_point *to, const struct mpc_psi *psi, const uint8_t *from,
                        size_t n, struct base_err *err)
{
    struct theirs t = {psi, to, from};

    if (mpc_psi_ascending(from, n, err) != FM_OK)
        return err->code;
    return mpc_psi_share_out(n, psi->threads, times_range, &t, err);
}
