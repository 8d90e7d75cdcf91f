/* sessions.db: what a node must not forget of its query sessions. Mode 0600.
 *
 * started: a (query, attempt) is written, synced, before its first share moves, and never runs
 * again, whatever happens to the process.
 *
 * opening: what this member's own query.open transactions commit to, written, synced, before they
 * are sent, under the commitment `requester` that each of them carries (its salt makes it unique):
 *
 *   {"requester", "ticket", "salt", "parameters": [{"name", "value", "salt"}], "consents": [id]}
 *
 * With it, and only with it, the member can show an auditor who asked, under which ticket and about
 * whom; hidden parameters are in it too. It never leaves this file but on its people's request. */
#ifndef FIRMIANA_EXCHANGE_NODE_STARTED_H
#define FIRMIANA_EXCHANGE_NODE_STARTED_H

#include <stdbool.h>

#include "base/bytes.h"
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

/* Keeps the opening behind that commitment (64 hex digits). Durable when it returns FM_OK. */
fm_status node_started_keep_opening(struct node_started *started, const char *requester_hex,
                                    const char *opening, long long now_ms,
                                    struct base_err *err) FM_CHECK;
/* Appends it to *out, which the caller releases as a secret. FM_E_NOT_FOUND if it is not here. */
fm_status node_started_opening(struct base_buf *out, struct node_started *started,
                               const char *requester_hex, struct base_err *err) FM_CHECK;

#endif
