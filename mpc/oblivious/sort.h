/* Stable sorting of rows by secret keys. What comes out is an order (order.h): the caller moves the
 * columns it wants by it, once.
 *
 *   struct mpc_sort_key by[] = {{.x = region}, {.x = balance, .flags = MPC_SORT_DESCENDING}};
 *   mpc_sort(&order, by, 2, err);
 *   mpc_order_apply(order, MPC_FORWARD, sorted, columns, 5, err);
 *
 * METHOD. The keys and the row's number are written one after another into numbers of at most 62
 * bits, most significant first: one for keys of up to 42 bits at n = 10^6. These are shuffled and
 * then sorted by opened comparisons (arrange.h says why that reveals nothing, and how many).
 *
 * Why not radix sort: it pays some 33 bytes a key bit, row and party (conversion of 2^L - 1
 * indicators, a product, and two shuffles and an opening for each digit of L bits), whatever n is.
 * A comparison of k bits pays 0.25 k bytes, and about log2 n + 2 of them are made:
 *
 *     bytes a row and party, n = 10^6      radix, L = 2   by comparisons
 *     key of  2 bits                            67             125
 *     key of  4 bits                           138             136
 *     key of 20 bits                           680             225
 *     key of 32 bits                          1090             305
 *     key of 64 bits                          2180             565
 *
 * Keys of at most 3 bits (few bytes: 2) are one digit, and sorted in one such pass: digit.h.
 *
 * Widths follow ranges: a ring column of range lo..hi costs the bits of hi - lo, a bits column its
 * planes. A ring column that needs more than 62, and a bits column, are converted first (a2b, b2a).
 * NULLs cost one bit2a and one mul.
 *
 * Memory of a party, measured with keys of 32 bits: 270 bytes a row at 10^6 rows, 185 at 10^7,
 * where the batches of comparisons (versus.h) are less of it.
 *
 * Leaks nothing but n, widths, ranges and flags. The number and sizes of messages are a function of
 * a uniformly random order that is independent of the data. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_SORT_H
#define FIRMIANA_MPC_OBLIVIOUS_SORT_H

#include "mpc/oblivious/order.h"

enum { MPC_SORT_DESCENDING = 1, MPC_SORT_NULLS_FIRST = 2, MPC_SORT_KEYS = 16 };

struct mpc_sort_key {
    const struct mpc_share *x;    /* ring, or bits of any width */
    const struct mpc_share *null; /* bits, width 1: where set, x counts as NULL whatever it is; all
                                     NULLs are equal. May be NULL: there are none. */
    enum mpc_sign sign;           /* bits: how x is read */
    unsigned flags;               /* NULLs go last unless MPC_SORT_NULLS_FIRST, either direction */
};

/* The order that sorts by keys[0], then keys[1], ...; rows with equal keys stay as they stood.
 * 1 to MPC_SORT_KEYS keys of one length below 2^31. */
fm_status mpc_sort(struct mpc_order **out, const struct mpc_sort_key *keys, size_t count,
                   struct base_err *err) FM_CHECK;
/* The same, but only the first k places are sorted: for ORDER BY ... LIMIT k. About 2 n comparisons
 * where k is small. mpc_order_first() takes them; the other rows come after in any order. */
fm_status mpc_top(struct mpc_order **out, const struct mpc_sort_key *keys, size_t count, size_t k,
                  struct base_err *err) FM_CHECK;

#endif
