/* Inside of oblivious/: whole tables, a list of columns at a time. Each of these replaces the
 * columns by what it makes of them; after a failure they are still the caller's to free. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_COLUMNS_H
#define FIRMIANA_MPC_OBLIVIOUS_COLUMNS_H

#include "mpc/oblivious/order.h"

enum { MPC_COLUMNS = 192 };

fm_status mpc_move_columns(struct mpc_share **x, size_t count, const struct mpc_order *order,
                           enum mpc_direction direction, struct base_err *err) FM_CHECK;
/* Forward; the first `rows` places come out. */
fm_status mpc_first_columns(struct mpc_share **x, size_t count, const struct mpc_order *order,
                            size_t rows, struct base_err *err) FM_CHECK;
fm_status mpc_slice_columns(struct mpc_share **x, size_t count, size_t from, size_t n,
                            struct base_err *err) FM_CHECK;
/* x[c][i] becomes 0 where bit[i] is 0. bit: width 1 (read for bits columns only), ring: the same as
 * 0 / 1 (read for ring columns only). One round for all ring columns, and one for all bits. */
fm_status mpc_keep_columns(struct mpc_share **x, size_t count, const struct mpc_share *bit,
                           const struct mpc_share *ring, struct base_err *err) FM_CHECK;
/* Each by the same local operation. */
fm_status mpc_each_column(struct mpc_share **x, size_t count,
                          fm_status (*op)(struct mpc_share **, const struct mpc_share *,
                                          struct base_err *),
                          struct base_err *err) FM_CHECK;

#endif
