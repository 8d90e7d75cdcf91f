/* Inside of oblivious/: a lookup on its way. join.c sorts both sides together; join_copy.c brings
 * copies of table rows to the probing rows, join_unique.c looks at neighbours alone. join_pairs.c
 * compares every table row with every probing row instead. join_sums.c brings sums of
 * probing rows to the table's. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_JOIN_STATE_H
#define FIRMIANA_MPC_OBLIVIOUS_JOIN_STATE_H

#include "mpc/oblivious/join.h"

struct mpc_find_state {
    const struct mpc_lookup *by;
    struct mpc_session *s;
    size_t n;                    /* table */
    size_t m;                    /* probing */
    size_t per_key;              /* at least 1 */
    struct mpc_share *usable[2]; /* of the table, of the probing rows: valid, and no key is NULL */
    struct mpc_share *both[MPC_SORT_KEYS]; /* the keys of all n + m rows, then whether usable */
    struct mpc_order *joint;               /* of all n + m rows */
};

/* Of a lookup that is done: the joint order, and the table's own. */
struct mpc_find_path {
    size_t n;
    size_t m;
    struct mpc_order *joint;
    struct mpc_order *sorted;
};

/* x of n rows, followed by m zeros. */
fm_status mpc_find_extend(struct mpc_share **z, const struct mpc_share *x, size_t m,
                          struct base_err *err) FM_CHECK;
/* Values where there is a match, per_key * m of each; a copied ring column has elements of the
 * table's, or 0. Takes the columns over. */
fm_status mpc_find_values(struct mpc_found *out, const struct mpc_find_state *f,
                          struct mpc_share **value, struct base_err *err) FM_CHECK;

fm_status mpc_find_copies(struct mpc_found *out, struct mpc_find_state *f,
                          struct base_err *err) FM_CHECK;
fm_status mpc_find_neighbours(struct mpc_found *out, struct mpc_find_state *f,
                              struct base_err *err) FM_CHECK;

/* Takes sorted over, and f's joint. join_sums.c */
fm_status mpc_find_keep_path(struct mpc_find_path **out, struct mpc_find_state *f,
                             struct mpc_order *sorted, struct base_err *err) FM_CHECK;

/* Without `both` and `joint`. */
bool mpc_find_pairs_pay(const struct mpc_find_state *f);
fm_status mpc_find_pairs(struct mpc_found *out, struct mpc_find_state *f,
                         struct base_err *err) FM_CHECK;

#endif
