/* Rows of a relation sorted by some of its columns, and what neighbours have in common: under ORDER
 * BY, windows, COUNT(DISTINCT) and percentiles.
 *
 * Cost: that of mpc_sort() over 1 + the keys' bits; a move (32 bytes a word) of the mask and of the
 * keys; one equality of the keys. */
#ifndef FIRMIANA_EXCHANGE_RUN_SORTED_H
#define FIRMIANA_EXCHANGE_RUN_SORTED_H

#include "exchange/run/relation.h"
#include "mpc/oblivious/sort.h"

struct run_sort_key {
    size_t column;
    unsigned flags; /* of mpc_sort_key */
};

/* A relation's columns as keys of mpc/. Texts: to group, by their hash if they have one; to order,
 * by their words (a hash says nothing of their order). FM_E_LIMIT past MPC_SORT_KEYS. */
enum run_keys_for { RUN_KEYS_GROUP, RUN_KEYS_ORDER };
struct run_keys {
    size_t count;
    struct mpc_sort_key key[MPC_SORT_KEYS];
    size_t first[MPC_SORT_KEYS + 1]; /* of column i: where its keys begin; [columns]: the count */
};
void run_keys_make(struct run_work *w, struct run_keys *out, const struct run_relation *r,
                   const struct run_sort_key *keys, size_t count, enum run_keys_for use);
/* Puts a truth value before all others: rows where it is set come first. */
void run_keys_lead(struct run_work *w, struct run_keys *keys, const struct mpc_share *first);

struct run_sorted {
    const struct mpc_order *order; /* NULL: the rows stand so */
    struct mpc_order *made; /* the same, if it was made here: freed by run_sorted_release() */
    struct mpc_share *mask; /* in the sorted order: those set come first */
    /* Set where a row of the mask agrees with the one above in its first `split` keys, and in all
     * of them. NULL equals NULL. */
    struct mpc_share *same_group;
    struct mpc_share *same;
};
/* Rows of mask, sorted by keys; the shares are w's. */
void run_sorted_make(struct run_work *w, struct run_sorted *out, const struct run_relation *r,
                     const struct mpc_share *mask, const struct run_sort_key *keys, size_t count,
                     size_t split, enum run_keys_for use);
/* The same without a sort: order (NULL: none is needed) makes the rows of mask come first, sorted
 * by the first `split` keys in whatever order, then by the others. It is the caller's, and outlives
 * *out. */
void run_sorted_given(struct run_work *w, struct run_sorted *out, const struct run_relation *r,
                      const struct mpc_share *mask, const struct run_sort_key *keys, size_t count,
                      size_t split, const struct mpc_order *order);
void run_sorted_release(struct run_sorted *sorted);

/* x in the sorted order, and what was computed there back in the rows' own. */
struct mpc_share *run_sorted_move(struct run_work *w, const struct run_sorted *sorted,
                                  enum mpc_direction direction, const struct mpc_share *x);

/* Within segments (same: set where a row belongs to that of the one above): the first row's value,
 * the last row's value, the running sum. 1 to a few rounds: scan.h. */
struct mpc_share *run_from_first(struct run_work *w, const struct mpc_share *same,
                                 const struct mpc_share *x);
struct mpc_share *run_from_last(struct run_work *w, const struct mpc_share *same,
                                const struct mpc_share *x);
struct mpc_share *run_running(struct run_work *w, const struct mpc_share *same,
                              const struct mpc_share *x);

#endif
