/* The node's log: JSON lines {"t": ms, "level", "event", "text", "query"?}. Texts never hold a
 * secret, a share, a parameter's value or a row. Thread-safe. */
#ifndef FIRMIANA_EXCHANGE_NODE_LOG_H
#define FIRMIANA_EXCHANGE_NODE_LOG_H

#include "base/random.h"
#include "base/status.h"

struct node_log;

/* path "" is standard error; NULL keeps nothing. */
fm_status node_log_open(struct node_log **out, const char *path, const struct base_clock *clock,
                        struct base_err *err) FM_CHECK;
void node_log_close(struct node_log *log); /* NULL is allowed */

/* level: "info", "warn" or "error". query: 64 hex digits or NULL. */
void node_log_put(struct node_log *log, const char *level, const char *event, const char *query,
                  const char *fmt, ...) FM_PRINTF(5, 6);

#endif
