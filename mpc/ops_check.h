/* The argument checks that the operations share, and the range rule. FM_E_ARG with the operation's
 * name. */
#ifndef FIRMIANA_MPC_OPS_CHECK_H
#define FIRMIANA_MPC_OPS_CHECK_H

#include "mpc/protocol.h"

fm_status mpc_check_domain(const struct mpc_share *x, enum mpc_domain domain, const char *what,
                           struct base_err *err) FM_CHECK;
/* Same session, that domain, same length. */
fm_status mpc_check_pair(const struct mpc_share *x, const struct mpc_share *y,
                         enum mpc_domain domain, const char *what, struct base_err *err) FM_CHECK;
/* A list: 1 .. MPC_MAX_LIST vectors of one session. */
fm_status mpc_check_list(const struct mpc_share *const *x, size_t count, const char *what,
                         struct base_err *err) FM_CHECK;
fm_status mpc_range_product(struct mpc_range *out, struct mpc_range x, struct mpc_range y,
                            const char *what, struct base_err *err) FM_CHECK;
fm_status mpc_range_add(struct mpc_range *out, struct mpc_range x, struct mpc_range y,
                        const char *what, struct base_err *err) FM_CHECK;
fm_status mpc_range_sum(struct mpc_range *out, struct mpc_range x, size_t n, const char *what,
                        struct base_err *err) FM_CHECK;

#endif
