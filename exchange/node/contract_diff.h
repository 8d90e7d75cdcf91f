/* What changed against the version of a contract that this member allowed before: what its officer
 * wants to see first. */
#ifndef FIRMIANA_EXCHANGE_NODE_CONTRACT_DIFF_H
#define FIRMIANA_EXCHANGE_NODE_CONTRACT_DIFF_H

#include "exchange/node/node_own.h"

/* Appends lines, or nothing if this member has allowed no other contract of that asker and name.
 * The newest one that it allowed is the one compared with. */
fm_status node_contract_diff(struct node *node, struct base_buf *out, const struct contract *c,
                             struct base_err *err) FM_CHECK;

#endif
