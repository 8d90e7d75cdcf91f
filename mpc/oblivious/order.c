#include "mpc/oblivious/order.h"

#include <stdlib.h>
#include <string.h>

#include "mpc/ops_check.h"
#include "mpc/share.h"

struct mpc_order {
    struct mpc_session *session;
    size_t n;
    struct mpc_perm *perm;
    uint32_t *map; /* place j takes row map[j] of what perm puts out; NULL where nothing computes */
};

size_t mpc_order_n(const struct mpc_order *order)
{
    return order->n;
}

void mpc_order_free(struct mpc_order *order)
{
    if (order == NULL)
        return;
    mpc_heap_less(order->session, order->map != NULL ? order->n * sizeof *order->map : 0);
    mpc_perm_free(order->perm);
    free(order->map);
    free(order);
}

fm_status mpc_order_of_halves(struct mpc_order **out, struct mpc_session *s, struct mpc_perm *perm,
                              uint32_t *map, size_t n, struct base_err *err)
{
    struct mpc_order *order = calloc(1, sizeof *order);

    *out = NULL;
    if (order == NULL) {
        mpc_perm_free(perm);
        free(map);
        return mpc_no_memory(s, "order", err);
    }
    *order = (struct mpc_order){s, n, perm, map};
    mpc_heap_more(s, map != NULL ? n * sizeof *map : 0);
    *out = order;
    return FM_OK;
}

fm_status mpc_count_up(struct mpc_session *s, struct mpc_share **out, size_t n,
                       struct base_err *err)
{
    struct mpc_share *ones;
    struct mpc_share *up = NULL;
    fm_status status;

    *out = NULL;
    status = mpc_constant(s, &ones, 1, n, err);
    if (status == FM_OK)
        status = mpc_prefix(&up, ones, err);
    if (status == FM_OK)
        status = mpc_add_constant(out, up, -1, err);
    mpc_share_free(ones);
    mpc_share_free(up);
    return status;
}

fm_status mpc_order_random(struct mpc_session *s, struct mpc_order **out, size_t n,
                           struct base_err *err)
{
    struct mpc_perm *perm;
    uint32_t *map = NULL;
    fm_status status;

    *out = NULL;
    status = mpc_perm_random(s, &perm, n, err);
    if (status != FM_OK)
        return status;
    if (s->computes && (map = malloc(n * sizeof *map + 1)) == NULL) {
        mpc_perm_free(perm);
        return mpc_no_memory(s, "order", err);
    }
    for (size_t i = 0; map != NULL && i < n; i++)
        map[i] = (uint32_t)i;
    return mpc_order_of_halves(out, s, perm, map, n, err);
}

/* map[places[i]] = i. */
static fm_status invert_opened(uint32_t *map, const int64_t *places, size_t n, struct base_err *err)
{
    memset(map, 0xff, n * sizeof *map);
    for (size_t i = 0; i < n; i++) {
        uint64_t place = (uint64_t)places[i];

        if (place >= n || map[place] != UINT32_MAX)
            return base_err_set(err, FM_E_ARG,
                                "order: the ranks of %zu rows are not each of 0..n-1 once", n);
        map[place] = (uint32_t)i;
    }
    return FM_OK;
}

static fm_status open_places(uint32_t *map, const struct mpc_share *moved, struct base_err *err)
{
    struct mpc_session *s = moved->session;
    int64_t *places = malloc(moved->n * sizeof *places + 1);
    fm_status status;

    if (places == NULL)
        return mpc_no_memory(s, "order", err);
    /* Says nothing: ranks moved by a fresh permutation that nobody knows are a uniformly random
     * sequence of 0..n-1. */
    status = mpc_open_masked(&moved, 1, &places, err);
    if (status == FM_OK) {
        status = invert_opened(map, places, moved->n, err);
        if (status != FM_OK && s->transport != NULL)
            net_abort(s->transport, err->text);
    }
    free(places);
    return status;
}

fm_status mpc_order_of_ranks(struct mpc_order **out, const struct mpc_share *ranks,
                             struct base_err *err)
{
    struct mpc_session *s = ranks->session;
    struct mpc_perm *perm = NULL;
    struct mpc_share *moved = NULL;
    uint32_t *map = NULL;
    fm_status status;

    *out = NULL;
    status = mpc_check_domain(ranks, MPC_RING64, "order", err);
    if (status == FM_OK)
        status = mpc_perm_random(s, &perm, ranks->n, err);
    if (status == FM_OK)
        status = mpc_perm_apply(perm, MPC_FORWARD, &moved, &ranks, 1, err);
    if (status == FM_OK && s->computes && (map = malloc(ranks->n * sizeof *map + 1)) == NULL)
        status = mpc_no_memory(s, "order", err);
    if (status == FM_OK && s->computes)
        status = open_places(map, moved, err);
    mpc_share_free(moved);
    if (status != FM_OK) {
        mpc_perm_free(perm);
        free(map);
        return status;
    }
    return mpc_order_of_halves(out, s, perm, map, ranks->n, err);
}

static fm_status check_columns(const struct mpc_order *order, const struct mpc_share *const *x,
                               size_t count, struct base_err *err)
{
    fm_status status = mpc_check_list(x, count, "order", err);

    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (x[i]->session != order->session)
            status = base_err_set(err, FM_E_ARG, "order: column %zu is of another session", i);
        else if (x[i]->n != order->n)
            status = base_err_set(err, FM_E_ARG, "order of %zu rows: column %zu has %zu", order->n,
                                  i, x[i]->n);
    }
    return status;
}

fm_status mpc_order_first(const struct mpc_order *order, size_t k, struct mpc_share **z,
                          const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    fm_status status;

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    status = check_columns(order, x, count, err);
    if (status == FM_OK && k > order->n)
        status =
            base_err_set(err, FM_E_ARG, "order of %zu rows: %zu places asked for", order->n, k);
    if (status == FM_OK)
        status = mpc_perm_apply(order->perm, MPC_FORWARD, z, x, count, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share *shuffled = z[i];

        status = mpc_gather(&z[i], shuffled, order->map, k, err);
        mpc_share_free(shuffled);
    }
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

static fm_status unapply(const struct mpc_order *order, struct mpc_share **z,
                         const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct mpc_session *s = order->session;
    struct mpc_share **shuffled = calloc(count, sizeof *shuffled);
    uint32_t *back = NULL; /* shuffled row i stands at place back[i] */
    fm_status status = FM_OK;

    if (s->computes)
        back = malloc(order->n * sizeof *back + 1);
    if (shuffled == NULL || (s->computes && back == NULL))
        status = mpc_no_memory(s, "order", err);
    for (size_t j = 0; status == FM_OK && s->computes && j < order->n; j++)
        back[order->map[j]] = (uint32_t)j;
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = mpc_gather(&shuffled[i], x[i], back, order->n, err);
    if (status == FM_OK)
        status = mpc_perm_apply(order->perm, MPC_INVERSE, z,
                                (const struct mpc_share *const *)shuffled, count, err);
    if (shuffled != NULL)
        mpc_share_free_all(shuffled, count);
    free(shuffled);
    free(back);
    return status;
}

fm_status mpc_order_apply(const struct mpc_order *order, enum mpc_direction direction,
                          struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                          struct base_err *err)
{
    fm_status status;

    if (direction == MPC_FORWARD)
        return mpc_order_first(order, order->n, z, x, count, err);
    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    status = check_columns(order, x, count, err);
    return status == FM_OK ? unapply(order, z, x, count, err) : status;
}

static fm_status move_count(const struct mpc_order *order, enum mpc_direction direction,
                            struct mpc_share **z, struct base_err *err)
{
    struct mpc_share *up;
    fm_status status;

    *z = NULL;
    status = mpc_count_up(order->session, &up, order->n, err);
    if (status == FM_OK)
        status = mpc_order_apply(order, direction, z, (const struct mpc_share *const *)&up, 1, err);
    mpc_share_free(up);
    return status;
}

fm_status mpc_order_to_ranks(const struct mpc_order *order, struct mpc_share **ranks,
                             struct base_err *err)
{
    return move_count(order, MPC_INVERSE, ranks, err);
}

fm_status mpc_order_to_index(const struct mpc_order *order, struct mpc_share **index,
                             struct base_err *err)
{
    return move_count(order, MPC_FORWARD, index, err);
}

/* The place of row i is then.ranks[first.ranks[i]]: then's ranks moved back by first. */
fm_status mpc_order_compose(struct mpc_order **out, const struct mpc_order *first,
                            const struct mpc_order *then, struct base_err *err)
{
    struct mpc_share *ranks = NULL;
    struct mpc_share *both = NULL;
    fm_status status;

    *out = NULL;
    if (first->session != then->session || first->n != then->n)
        return base_err_set(err, FM_E_ARG, "order: %zu and %zu rows, or of two sessions", first->n,
                            then->n);
    status = mpc_order_to_ranks(then, &ranks, err);
    if (status == FM_OK)
        status = mpc_order_apply(first, MPC_INVERSE, &both, (const struct mpc_share *const *)&ranks,
                                 1, err);
    if (status == FM_OK)
        status = mpc_order_of_ranks(out, both, err);
    mpc_share_free(ranks);
    mpc_share_free(both);
    return status;
}
