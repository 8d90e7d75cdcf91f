/* Forgetting openings (openings.h) for good, with the node stopped: no key is needed for that. */
#ifndef FIRMIANA_EXCHANGE_NODE_OPENINGS_PRUNE_H
#define FIRMIANA_EXCHANGE_NODE_OPENINGS_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Erases from sessions.db at path the openings of those queries for which gone() says true, and
 * every trace of them: the file is written anew. *n says how many. That the queries were started
 * stays. Errors: FM_E_NOT_FOUND (no such file), FM_E_CONFLICT (a node has it open), FM_E_CORRUPT,
 * FM_E_IO; gone()'s own, and then nothing is erased. */
fm_status node_openings_prune(uint64_t *n, const char *path,
                              fm_status (*gone)(void *ctx, bool *out, const char *query_hex,
                                                struct base_err *err),
                              void *ctx, struct base_err *err) FM_CHECK;

#endif
