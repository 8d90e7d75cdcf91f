#include "exchange/run/sorted.h"

#include <string.h>

#include "mpc/circuit/compare.h"
#include "mpc/oblivious/scan.h"

/* ---- keys ---- */

static void add_key(struct run_work *w, struct run_keys *keys, struct mpc_sort_key key)
{
    if (w->status != FM_OK)
        return;
    if (keys->count == MPC_SORT_KEYS)
        w->status =
            base_err_set(w->err, FM_E_LIMIT, "more than %d key columns", (int)MPC_SORT_KEYS);
    else
        keys->key[keys->count++] = key;
}

void run_keys_make(struct run_work *w, struct run_keys *out, const struct run_relation *r,
                   const struct run_sort_key *keys, size_t count, enum run_keys_for use)
{
    *out = (struct run_keys){0};
    for (size_t i = 0; w->status == FM_OK && i < count; i++) {
        const struct run_column *c = &r->columns[keys[i].column];
        struct mpc_sort_key key = {.x = c->x, .sign = MPC_UNSIGNED, .flags = keys[i].flags};

        bool words = c->word_count > 0 && (use == RUN_KEYS_ORDER || c->x == NULL);

        out->first[i] = out->count;
        key.null = c->known != NULL ? run_not(w, c->known) : NULL;
        for (size_t k = 0; words && k < c->word_count; k++) {
            key.x = c->words[k];
            add_key(w, out, key);
        }
        if (!words)
            add_key(w, out, key);
        out->first[i + 1] = out->count;
    }
}

void run_keys_lead(struct run_work *w, struct run_keys *keys, const struct mpc_share *first)
{
    struct mpc_sort_key lead = {.x = run_not(w, first), .sign = MPC_UNSIGNED};

    add_key(w, keys, lead); /* for the room */
    if (w->status != FM_OK)
        return;
    memmove(keys->key + 1, keys->key, (keys->count - 1) * sizeof keys->key[0]);
    keys->key[0] = lead;
}

/* ---- neighbours ---- */

struct mpc_share *run_sorted_move(struct run_work *w, const struct run_sorted *sorted,
                                  enum mpc_direction direction, const struct mpc_share *x)
{
    struct mpc_share *z = NULL;

    if (w->status != FM_OK)
        return NULL;
    if (sorted->order == NULL)
        return run_slice(w, x, 0, mpc_share_n(x));
    w->status = mpc_order_apply(sorted->order, direction, &z, &x, 1, w->err);
    return w->status == FM_OK ? run_hold(w, z) : NULL;
}

/* The columns behind the keys, sorted: pieces[i] and, where there are NULLs, nulls[i]. */
struct moved {
    struct mpc_share *mask;
    struct mpc_share *piece[MPC_SORT_KEYS];
    struct mpc_share *null[MPC_SORT_KEYS];
};

static void move_keys(struct run_work *w, struct moved *out, const struct run_sorted *sorted,
                      const struct run_keys *keys, const struct mpc_share *mask)
{
    const struct mpc_share *x[1 + 2 * MPC_SORT_KEYS];
    struct mpc_share *z[1 + 2 * MPC_SORT_KEYS];
    size_t n = 0;

    x[n++] = mask;
    for (size_t i = 0; i < keys->count; i++)
        x[n++] = keys->key[i].x;
    for (size_t i = 0; i < keys->count; i++)
        if (keys->key[i].null != NULL)
            x[n++] = keys->key[i].null;
    if (w->status == FM_OK && sorted->order != NULL)
        w->status = mpc_order_apply(sorted->order, MPC_FORWARD, z, x, n, w->err);
    if (w->status != FM_OK)
        return;
    for (size_t i = 0; i < n; i++)
        z[i] = sorted->order != NULL ? run_hold(w, z[i]) : run_slice(w, x[i], 0, mpc_share_n(x[i]));
    n = 0;
    out->mask = z[n++];
    for (size_t i = 0; i < keys->count; i++)
        out->piece[i] = z[n++];
    for (size_t i = 0; i < keys->count; i++)
        out->null[i] = keys->key[i].null != NULL ? z[n++] : NULL;
}

/* Key i agrees with the row above: both NULL, or neither and equal. */
static struct mpc_share *agrees(struct run_work *w, const struct moved *m, size_t i,
                                struct mpc_share *equal)
{
    struct mpc_share *null = m->null[i];

    if (null == NULL)
        return equal;
    return run_and(w, run_not(w, run_xor(w, null, run_above(w, null))), run_or(w, null, equal));
}

static void compare_neighbours(struct run_work *w, struct run_sorted *out, const struct moved *m,
                               const struct run_keys *keys, size_t split)
{
    const struct mpc_share *above[MPC_SORT_KEYS], *list[MPC_SORT_KEYS + 2];
    struct mpc_share *equal[MPC_SORT_KEYS] = {NULL};
    size_t n = 0;

    for (size_t i = 0; i < keys->count; i++)
        above[i] = run_above(w, m->piece[i]);
    if (w->status == FM_OK && keys->count > 0)
        w->status = mpc_equal_list(equal, (const struct mpc_share *const *)m->piece, above,
                                   keys->count, w->err);
    for (size_t i = 0; w->status == FM_OK && i < keys->count; i++)
        (void)run_hold(w, equal[i]);
    list[n++] = m->mask;
    list[n++] = run_above(w, m->mask); /* row 0 has none above */
    for (size_t i = 0; i < split; i++)
        list[n++] = agrees(w, m, i, equal[i]);
    out->same_group = run_and_all(w, list, n);
    list[0] = out->same_group;
    n = 1;
    for (size_t i = split; i < keys->count; i++)
        list[n++] = agrees(w, m, i, equal[i]);
    out->same = run_and_all(w, list, n);
}

/* In the order that out->order says. */
static void look_at_neighbours(struct run_work *w, struct run_sorted *out,
                               const struct run_keys *keys, const struct mpc_share *mask,
                               size_t split)
{
    struct moved m = {0};

    move_keys(w, &m, out, keys, mask);
    if (w->status != FM_OK)
        return;
    out->mask = m.mask;
    compare_neighbours(w, out, &m, keys, keys->first[split]);
}

void run_sorted_make(struct run_work *w, struct run_sorted *out, const struct run_relation *r,
                     const struct mpc_share *mask, const struct run_sort_key *keys, size_t count,
                     size_t split, enum run_keys_for use)
{
    struct run_keys plain, led;

    *out = (struct run_sorted){0};
    run_keys_make(w, &plain, r, keys, count, use);
    led = plain;
    run_keys_lead(w, &led, mask);
    if (w->status == FM_OK)
        w->status = mpc_sort(&out->made, led.key, led.count, w->err);
    out->order = out->made;
    look_at_neighbours(w, out, &plain, mask, split);
}

void run_sorted_given(struct run_work *w, struct run_sorted *out, const struct run_relation *r,
                      const struct mpc_share *mask, const struct run_sort_key *keys, size_t count,
                      size_t split, const struct mpc_order *order)
{
    struct run_keys plain;

    *out = (struct run_sorted){.order = order};
    run_keys_make(w, &plain, r, keys, count, RUN_KEYS_GROUP);
    look_at_neighbours(w, out, &plain, mask, split);
}

void run_sorted_release(struct run_sorted *sorted)
{
    mpc_order_free(sorted->made);
    sorted->made = NULL;
    sorted->order = NULL;
}

/* ---- segments ---- */

struct mpc_share *run_from_first(struct run_work *w, const struct mpc_share *same,
                                 const struct mpc_share *x)
{
    struct mpc_share *head = run_not(w, same), *z = NULL;

    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_fill_down(&z, &x, 1, head, w->err);
    return w->status == FM_OK ? run_hold(w, z) : NULL;
}

/* Upside down, a segment's last row is its first: the one whose neighbour below, now above, does
 * not belong to it. */
struct mpc_share *run_from_last(struct run_work *w, const struct mpc_share *same,
                                const struct mpc_share *x)
{
    struct mpc_share *turned = run_above(w, run_reversed(w, same));

    return run_reversed(w, run_from_first(w, turned, run_reversed(w, x)));
}

struct mpc_share *run_running(struct run_work *w, const struct mpc_share *same,
                              const struct mpc_share *x)
{
    struct mpc_share *head = run_not(w, same), *z = NULL;

    if (w->status != FM_OK)
        return NULL;
    w->status = mpc_scan_sum(&z, &x, 1, head, w->err);
    return w->status == FM_OK ? run_hold(w, z) : NULL;
}
