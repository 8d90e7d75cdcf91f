/* Commitments to shares, for the receipt: for each component of the input tables and of the result,
 * both of its holders compute the same salted hash, so that whoever later opens a view to a court
 * cannot open another.
 *
 *   commitment of (source, component)   H("firmiana/receipt/input/v1" | 0x00 | salt | d_1 | d_2 |
 * ...) commitment of (result, component)   H("firmiana/receipt/result/v1" | 0x00 | salt | d_1 |
 * ...)
 *
 * d_i: mpc_share_digest() of that component of the i-th vector under the same salt, in the order of
 * the plan. The salts (one for inputs and one for the result of each component) are drawn by the
 * first holder and sent to the other over their channel: 32 bytes each, known to exactly these two.
 *
 * Component c of a replicated sharing is held by compute parties c and c - 1 (mod 3);
 * commitments_open() checks that against what mpc says, and refuses otherwise. Cost: 1 round, 64
 * bytes a compute party. */
#ifndef FIRMIANA_EXCHANGE_NODE_COMMIT_H
#define FIRMIANA_EXCHANGE_NODE_COMMIT_H

#include <jansson.h>

#include "base/hash.h"
#include "base/random.h"
#include "exchange/session/session.h"
#include "exchange/sql/plan/plan.h"
#include "mpc/protocol.h"

enum { COMMIT_SOURCES = 64 }; /* of a plan, at most */

struct commitments {
    bool computes;
    unsigned component[2];  /* the two that this party holds */
    uint8_t salt[2][2][32]; /* [held][0 input, 1 result] */
    size_t sources;
    struct base_hash input[COMMIT_SOURCES][2];
    struct base_hash result[2];
};

fm_status commitments_open(struct commitments *c, struct mpc_session *mpc, struct net_transport *t,
                           unsigned stream, const struct base_random *random, size_t sources,
                           struct base_err *err) FM_CHECK;
/* What several mentions of one dataset put in is one commitment. */
fm_status commitments_add_input(struct commitments *c, const struct sql_plan *plan, size_t source,
                                const struct mpc_share *share, struct base_err *err) FM_CHECK;
fm_status commitments_add_result(struct commitments *c, const struct mpc_share *share,
                                 struct base_err *err) FM_CHECK;
/* [{"provider","table","component","commitment"}], [{"component","commitment"}]: empty lists at a
 * party that does not compute. */
fm_status commitments_close(json_t **inputs, json_t **result, struct commitments *c,
                            const struct sql_plan *plan, struct base_err *err) FM_CHECK;
void commitments_release(struct commitments *c);

#endif
