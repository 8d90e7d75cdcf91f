#include "exchange/run/window.h"

struct windowing {
    struct run_work *w;
    struct run_relation *r;
    const struct run_window *by;
    struct run_sorted sorted;
    struct mpc_share *number; /* of the row in its partition, once asked for */
};

static struct mpc_share *row_number(struct windowing *d)
{
    if (d->number == NULL) {
        d->number = run_running(d->w, d->sorted.same_group, run_number(d->w, 1, d->r->rows));
        if (d->w->status == FM_OK)
            run_narrow(d->w, d->number, (struct mpc_range){1, (int64_t)d->r->rows});
    }
    return d->number;
}

static struct mpc_share *to_sorted(struct windowing *d, const struct mpc_share *x)
{
    return x != NULL ? run_sorted_move(d->w, &d->sorted, MPC_FORWARD, x) : NULL;
}

/* Rows whose argument is not NULL, as 0 / 1, among those of the relation. */
static struct mpc_share *counted(struct windowing *d, size_t arg)
{
    const struct mpc_share *known = arg != RUN_NONE ? d->r->columns[arg].known : NULL;

    return run_bit2a(d->w, run_and(d->w, d->sorted.mask, to_sorted(d, known)));
}

/* The running sum up to the last peer. */
static struct mpc_share *up_to_peers(struct windowing *d, const struct mpc_share *x)
{
    struct mpc_share *sum = run_running(d->w, d->sorted.same_group, x);

    return run_from_last(d->w, d->sorted.same, sum);
}

static struct mpc_range sum_range(const struct windowing *d, const struct mpc_share *x)
{
    struct mpc_range r = mpc_share_range(x);
    __int128 n = (__int128)d->r->rows, lo = r.lo < 0 ? r.lo * n : 0, hi = r.hi > 0 ? r.hi * n : 0;

    if (lo < INT64_MIN || hi > INT64_MAX) {
        d->w->status = base_err_set(d->w->err, FM_E_LIMIT,
                                    "a running sum over %zu rows could leave 64 bits", d->r->rows);
        return r;
    }
    return (struct mpc_range){(int64_t)lo, (int64_t)hi};
}

static struct run_column running_sum(struct windowing *d, size_t arg)
{
    const struct run_column *c = &d->r->columns[arg];
    struct mpc_share *ring = counted(d, arg);
    struct mpc_share *sum = up_to_peers(d, run_mul(d->w, ring, to_sorted(d, c->x)));
    struct run_column out = {.x = sum};

    if (d->w->status == FM_OK)
        run_narrow(d->w, sum, sum_range(d, c->x));
    if (c->known != NULL) {
        struct mpc_share *count = up_to_peers(d, ring);

        if (d->w->status == FM_OK)
            run_narrow(d->w, count, (struct mpc_range){0, (int64_t)d->r->rows});
        out.known = run_not(d->w, run_equal_public(d->w, count, 0));
    }
    return out;
}

static struct run_column compute(struct windowing *d, const struct run_window_item *item)
{
    struct run_column out = {0};

    switch (item->fn) {
    case RUN_ROW_NUMBER:
        out.x = row_number(d);
        break;
    case RUN_RANK:
        out.x = run_from_first(d->w, d->sorted.same, row_number(d));
        if (d->w->status == FM_OK)
            run_narrow(d->w, out.x, (struct mpc_range){1, (int64_t)d->r->rows});
        break;
    case RUN_RUNNING_SUM:
        return running_sum(d, item->arg);
    default:
        out.x = up_to_peers(d, counted(d, item->arg));
        if (d->w->status == FM_OK)
            run_narrow(d->w, out.x, (struct mpc_range){0, (int64_t)d->r->rows});
    }
    return out;
}

static void append(struct windowing *d, struct run_column c)
{
    struct run_work *w = d->w;
    struct run_column out = {0};
    fm_status st;

    out.x = run_take(w, run_sorted_move(w, &d->sorted, MPC_INVERSE, c.x));
    if (c.known != NULL)
        out.known = run_take(w, run_sorted_move(w, &d->sorted, MPC_INVERSE, c.known));
    if (w->status != FM_OK) {
        mpc_share_free(out.x);
        return;
    }
    st = run_relation_add(d->r, out, w->err);
    w->status = st;
}

fm_status run_window(struct run_relation *r, const struct run_window *window, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct windowing d = {.w = &w, .r = r, .by = window};

    if (window->in_order)
        run_sorted_given(&w, &d.sorted, r, r->valid, window->keys, window->key_count,
                         window->partition_count, window->order);
    else
        run_sorted_make(&w, &d.sorted, r, r->valid, window->keys, window->key_count,
                        window->partition_count, RUN_KEYS_ORDER);
    for (size_t i = 0; w.status == FM_OK && i < window->item_count; i++)
        append(&d, compute(&d, &window->items[i]));
    if (window->made != NULL) {
        *window->made = d.sorted.made;
        d.sorted.made = NULL;
    }
    run_sorted_release(&d.sorted);
    if (w.status != FM_OK)
        (void)base_err_prefix(err, "window");
    return run_work_release(&w);
}
