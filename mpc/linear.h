/* Slots that are the same for every linear sharing, whatever its number of components: each works
 * component by component; constants go to the one component session.public_at names. Also the named
 * nothings that semi-honest rows fill check, prepare and record with. */
#ifndef FIRMIANA_MPC_LINEAR_H
#define FIRMIANA_MPC_LINEAR_H

#include "mpc/protocol.h"

void mpc_linear_zero(struct mpc_session *s, struct mpc_share *z);
void mpc_linear_add(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                    const struct mpc_share *y);
void mpc_linear_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                    const struct mpc_share *y);
void mpc_linear_scale(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                      uint64_t c);
void mpc_linear_add_constant(struct mpc_session *s, struct mpc_share *z, uint64_t c);
void mpc_linear_sum(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x);
void mpc_linear_spread(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x);
void mpc_linear_place(struct mpc_session *s, struct mpc_share *z, size_t at,
                      const struct mpc_share *x, size_t from, size_t n);
void mpc_linear_gather(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                       const uint32_t *map);
void mpc_linear_gather_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                           const uint32_t *p, const uint32_t *q);
void mpc_linear_prefix(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x);
void mpc_linear_xor(struct mpc_session *s, const struct mpc_gate *gates, size_t count);
void mpc_linear_flip(struct mpc_session *s, const struct mpc_wire *wires, size_t count);

fm_status mpc_lane_unsupported(const struct mpc_session *s, struct mpc_session *lane,
                               struct base_err *err);
fm_status mpc_check_none(struct mpc_session *s, struct base_err *err);
fm_status mpc_prepare_none(struct mpc_session *s, const struct mpc_counts *counts,
                           struct base_err *err);
fm_status mpc_record_none(struct mpc_session *s, const struct mpc_record *record,
                          struct base_err *err);

#endif
