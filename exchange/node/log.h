/* The node's log: JSON lines
 *
 *   {"event","level","text","time"}   always; time is UTC, "2026-11-20T09:51:00.123Z"
 *   "query"                           the query it is about, 64 hex digits (its session has the
 * same) "peer"                            the member it is about, its alias
 *
 *   "repeated"                        how many like it were held back since the last
 *
 * A warning that is about no query and says again what was said (but for its numbers) is held back
 * for 10 s, then twice as long each time, up to an hour: neither a peer that stays away nor one
 * that misbehaves fills the disk. Texts never hold a secret, a share, a parameter's value or a row.
 * Thread-safe. */
#ifndef FIRMIANA_EXCHANGE_NODE_LOG_H
#define FIRMIANA_EXCHANGE_NODE_LOG_H

#include "base/random.h"
#include "base/status.h"

struct node_log;

/* path "" is standard error; NULL keeps nothing. */
fm_status node_log_open(struct node_log **out, const char *path, const struct base_clock *clock,
                        struct base_err *err) FM_CHECK;
void node_log_close(struct node_log *log); /* NULL is allowed */

/* From now on only lines of this level and above; "" and "info" are everything. Before other
 * threads log. */
void node_log_set_level(struct node_log *log, const char *least);

/* Opens the file again under its path, after logrotate has moved it away (SIGHUP). On an error the
 * old file goes on. Nothing to do for standard error. */
fm_status node_log_reopen(struct node_log *log, struct base_err *err) FM_CHECK;

/* level: "info", "warn" or "error". query: 64 hex digits or NULL. */
void node_log_put(struct node_log *log, const char *level, const char *event, const char *query,
                  const char *fmt, ...) FM_PRINTF(5, 6);
/* The same about a member. */
void node_log_peer(struct node_log *log, const char *level, const char *event, const char *peer,
                   const char *query, const char *fmt, ...) FM_PRINTF(6, 7);

#endif
