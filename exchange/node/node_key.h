/* A decryptor's share of a threshold key (exchange/aggregate). */
#ifndef FIRMIANA_EXCHANGE_NODE_NODE_KEY_H
#define FIRMIANA_EXCHANGE_NODE_NODE_KEY_H

#include "exchange/aggregate/key.h"
#include "exchange/node/node_own.h"

/* What a query under that contract needs of them; the caller frees *out. FM_E_NOT_FOUND: decrypts,
 * and there is no share of the contract's key here. */
fm_status node_key_take(struct job_pooled **out, struct node *node, const struct contract *contract,
                        bool decrypts, struct base_err *err) FM_CHECK;

#endif
