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

/* By these keys, of which there are as many as one sort takes; lead: rows that exist come first. */
static fm_status sort_once(struct run_relation *r, const struct run_sort_key *keys, size_t count,
                           const struct mpc_share *lead, size_t rows, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct run_keys k;
    struct mpc_order *order = NULL;

    run_keys_make(&w, &k, r, keys, count, RUN_KEYS_ORDER);
    if (lead != NULL)
        run_keys_lead(&w, &k, lead);
    if (w.status == FM_OK)
        w.status = rows < r->rows ? mpc_top(&order, k.key, k.count, rows, err)
                                  : mpc_sort(&order, k.key, k.count, err);
    move_all(&w, r, order, rows);
    mpc_order_free(order);
    return run_work_release(&w);
}

/* How many keys of a sort these columns are: texts go word by word. */
static size_t width(const struct run_relation *r, const struct run_sort_key *keys, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        size_t words = r->columns[keys[i].column].word_count;
        n += words > 0 ? words : 1;
    }
    return n;
}

/* More keys than one sort takes: by the last of them first, since equal rows stay as they stood. */
fm_status run_order(struct run_relation *r, const struct run_sort_key *keys, size_t count,
                    size_t first, struct base_err *err)
{
    size_t rows = first == 0 || first > r->rows ? r->rows : first, from = count;
    fm_status st = FM_OK;

    while (st == FM_OK && from > 0 && width(r, keys, count) >= MPC_SORT_KEYS) {
        while (from > 0 && width(r, keys + from - 1, count - from + 1) <= MPC_SORT_KEYS)
            from--;
        if (from == count)
            break; /* one text of too many words: the sort says so */
        st = sort_once(r, keys + from, count - from, NULL, r->rows, err);
        count = from;
    }
    return st == FM_OK ? sort_once(r, keys, count, r->valid, rows, err) : st;
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
