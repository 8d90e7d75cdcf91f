#include "exchange/run/order.h"

#include <stdlib.h>

/* Every column by the order; the first `rows` places come out. */
static void move_all(struct run_work *w, struct run_relation *r, const struct mpc_order *order,
                     size_t rows)
{
    struct run_shares s = {0};
    struct mpc_share **new = NULL;

    if (w->status == FM_OK)
        w->status = run_shares_get(&s, r, w->err);
    if (w->status != FM_OK)
        return;
    new = calloc(s.count, sizeof(struct mpc_share *));
    if (new == NULL)
        w->status = base_err_memory(w->err, "query");
    else
        w->status = mpc_order_first(order, rows, new, (const struct mpc_share *const *)s.list,
                                    s.count, w->err);
    if (w->status == FM_OK) {
        run_shares_put(&s, new);
        r->rows = rows;
    } else {
        run_shares_release(&s);
    }
    free(new);
}

fm_status run_order(struct run_relation *r, const struct run_sort_key *keys, size_t count,
                    size_t first, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct run_keys k;
    struct mpc_order *order = NULL;
    size_t rows = first == 0 || first > r->rows ? r->rows : first;

    run_keys_make(&w, &k, r, keys, count, RUN_KEYS_ORDER);
    run_keys_lead(&w, &k, r->valid);
    if (w.status == FM_OK)
        w.status = rows < r->rows ? mpc_top(&order, k.key, k.count, rows, err)
                                  : mpc_sort(&order, k.key, k.count, err);
    move_all(&w, r, order, rows);
    mpc_order_free(order);
    return run_work_release(&w);
}

fm_status run_take_order(struct run_relation *r, const struct mpc_order *order, size_t first,
                         struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    size_t rows = first == 0 || first > r->rows ? r->rows : first;

    if (order != NULL)
        move_all(&w, r, order, rows);
    else if (rows < r->rows)
        w.status = run_relation_slice(r, 0, rows, err);
    return run_work_release(&w);
}

fm_status run_limit(struct run_relation *r, size_t offset, size_t limit, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);

    if (offset >= r->rows || limit == 0) { /* one row, which does not exist */
        fm_status st = run_relation_slice(r, 0, 1, err);
        struct mpc_share *none = run_take(&w, run_bits(&w, false, 1));

        if (st == FM_OK && none != NULL)
            st = run_filter(r, none, err);
        mpc_share_free(none);
        w.status = w.status == FM_OK ? st : w.status;
        return run_work_release(&w);
    }
    return run_relation_slice(r, offset, limit < r->rows - offset ? limit : r->rows - offset, err);
}
