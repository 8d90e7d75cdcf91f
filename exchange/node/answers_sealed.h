/* Answers that nobody has had yet: a recipient that did not ask learns that there is one when it
 * looks, perhaps after a restart of its node. Kept in sessions.db, sealed (vault.h), for a week
 * from when the ledger said done; the asker's own, when nobody waited for it any more. What the
 * asker was given is not kept on disk. */
#ifndef FIRMIANA_EXCHANGE_NODE_ANSWERS_SEALED_H
#define FIRMIANA_EXCHANGE_NODE_ANSWERS_SEALED_H

#include "exchange/node/node_own.h"

/* Keeps the answer, which is here and final. */
fm_status node_answer_seal(struct node *node, const struct answer *a,
                           struct base_err *err) FM_CHECK;
/* {"height", "text": [table, CSV, JSON]}; new. FM_E_NOT_FOUND. */
fm_status node_answer_unseal(struct node *node, json_t **out, const char *query_hex,
                             struct base_err *err) FM_CHECK;
/* Those older than a week go. At a start, and once an hour. */
void node_answers_expire(struct node *node);

#endif
