/* sessions.db: what a node must not forget of its query sessions. Mode 0600; format 1.
 *
 * started: a (query, attempt) is written, synced, before its first share moves, and never runs
 * again, whatever happens to the process.
 *
 * sealed: boxes (vault.h) by kind and name. Kinds: "opening", "input" and "unnamed" (openings.h),
 * "answer" (answers_sealed.h), "share" and "range" (node_key.h). about: which boxes are about which
 * tag, to find those about a person without opening all.
 *
 * A file of format 0, which held openings in clear, is sealed when it is opened; the clear text is
 * overwritten. */
#ifndef FIRMIANA_EXCHANGE_NODE_STARTED_H
#define FIRMIANA_EXCHANGE_NODE_STARTED_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/random.h"
#include "base/status.h"

struct node_started;

/* secret32: what the vault's key is derived from. random is lent. Errors name the file:
 * FM_E_CORRUPT if it is not ours; FM_E_UNSUPPORTED if a later version wrote it. */
fm_status node_started_open(struct node_started **out, const char *path, const uint8_t secret32[32],
                            const struct base_random *random, struct base_err *err) FM_CHECK;
void node_started_close(struct node_started *started); /* NULL is allowed */

/* FM_E_CONFLICT if it has been started before. Durable when it returns FM_OK. */
fm_status node_started_mark(struct node_started *started, const char *query_hex, int attempt,
                            long long now_ms, struct base_err *err) FM_CHECK;
/* Was any attempt of that query ever started here, in this life of the process or before? */
fm_status node_started_has(bool *out, struct node_started *started, const char *query_hex,
                           struct base_err *err) FM_CHECK;

/* ---- boxes ---- */

/* Seals and keeps; durable when it returns FM_OK. FM_E_CONFLICT if there is one of that kind and
 * name. abouts: n texts (with duplicates, if need be) by which sealed_about() finds it. */
fm_status node_sealed_put(struct node_started *started, const char *kind, const char *name,
                          const void *bytes, size_t len, const char *const *abouts, size_t n,
                          long long now_ms, struct base_err *err) FM_CHECK;
/* Appends it to *out, which the caller releases as a secret. FM_E_NOT_FOUND if it is not here. */
fm_status node_sealed_get(struct base_buf *out, struct node_started *started, const char *kind,
                          const char *name, struct base_err *err) FM_CHECK;
/* It goes; FM_OK also if it was not there. */
fm_status node_sealed_remove(struct node_started *started, const char *kind, const char *name,
                             struct base_err *err) FM_CHECK;

/* All of a kind that were kept before that moment go. */
fm_status node_sealed_expire(struct node_started *started, const char *kind, long long before_ms,
                             struct base_err *err) FM_CHECK;

/* The names of all of a kind (about NULL), or of those about a text, oldest first. fn may call
 * everything here that does not write. */
fm_status node_sealed_list(struct node_started *started, const char *kind, const char *about,
                           fm_status (*fn)(void *ctx, const char *name, long long at_ms,
                                           struct base_err *err),
                           void *ctx, struct base_err *err) FM_CHECK;

#endif
