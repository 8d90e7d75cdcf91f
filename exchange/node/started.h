/* sessions.db: which query sessions this node has started. A (query, attempt) is written, synced,
 * before its first share moves, and never runs again, whatever happens to the process. */
#ifndef FIRMIANA_EXCHANGE_NODE_STARTED_H
#define FIRMIANA_EXCHANGE_NODE_STARTED_H

#include <stdbool.h>

#include "base/status.h"

struct node_started;

/* Errors name the file: FM_E_CORRUPT if it is not ours. */
fm_status node_started_open(struct node_started **out, const char *path,
                            struct base_err *err) FM_CHECK;
void node_started_close(struct node_started *started); /* NULL is allowed */

/* FM_E_CONFLICT if it has been started before. Durable when it returns FM_OK. */
fm_status node_started_mark(struct node_started *started, const char *query_hex, int attempt,
                            long long now_ms, struct base_err *err) FM_CHECK;
/* Was any attempt of that query ever started here, in this life of the process or before? */
fm_status node_started_has(bool *out, struct node_started *started, const char *query_hex,
                           struct base_err *err) FM_CHECK;

#endif
