/* What a node keeps of the queries it took part in as asker or provider, sealed in sessions.db
 * under the query's id: the opening of query.open's commitments (ledger/proof/opening.h). The
 * asker's has who asked and the ticket; a provider's has what the asker opened to it. With them,
 * and only with them, the member can answer a person's complaint. Compute parties that provide
 * nothing keep nothing. */
#ifndef FIRMIANA_EXCHANGE_NODE_OPENINGS_H
#define FIRMIANA_EXCHANGE_NODE_OPENINGS_H

#include "exchange/node/node_own.h"

#define OPENING_KIND "opening"
#define OPENING_INPUT "input"
#define OPENING_UNNAMED                                                      \
    "unnamed" /* of format 0: under `requester`, until the ledger names them \
               */

/* Found later by the values of its parameters. Durable when it returns FM_OK. */
fm_status node_opening_keep(struct node *node, const char *query_hex, const json_t *opening,
                            struct base_err *err) FM_CHECK;
/* *out is new. FM_E_NOT_FOUND: this node keeps none of that query. */
fm_status node_opening_get(struct node *node, json_t **out, const char *query_hex,
                           struct base_err *err) FM_CHECK;

/* psi-sum: salt, scalar and terms of what this side committed to in that attempt, beside which the
 * rows open the receipt's commitment (mpc/psi/psi.h; requests_input.c). Under query_hex/attempt.
 * Durable when it returns FM_OK. */
fm_status node_input_opening_keep(struct node *node, const char *query_hex, int attempt,
                                  const uint8_t opening[MPC_PSI_OPENING],
                                  struct base_err *err) FM_CHECK;

/* A provider's: from what the asker opened to the parties, which has been checked. NULL when memory
 * is out. */
json_t *node_opening_of_party(const struct contract *c, const json_t *open, const json_t *opened);

/* Gives the openings of format 0 their queries' ids, by the commitments on the ledger. Once, at a
 * start. */
fm_status node_openings_name(struct node *node, struct base_err *err) FM_CHECK;

#endif
