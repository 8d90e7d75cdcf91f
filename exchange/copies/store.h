/* copies.db and the folder copies/ of a home: boxes that this member keeps for others, and where
 * those that it can open are kept. What opens a box, and what is in it, stands in neither, but
 * sealed in sessions.db.
 *
 *   held    what we keep, of one owner each: announced (its bytes come), or whole
 *   fetch   who asked us for it, and how often
 *   known   boxes that we can open, and whose they are: our own, or of one who named us as reader
 *   task    what the others shall do about an own box: keep or drop it, know or forget its key
 *
 *   copies/kept-OWNER-ADDRESS   a box, whole, checked, synced
 *   copies/part-OWNER-ADDRESS   the beginning of one
 *   copies/out-ADDRESS          an own one until all its keepers have it
 *   copies/get-ADDRESS          the beginning of one that is fetched
 *
 * A row is written before the file that it allows; files without a row go when the store is
 * opened. Every change is durable when it returns FM_OK. One thread at a time. */
#ifndef FIRMIANA_EXCHANGE_COPIES_STORE_H
#define FIRMIANA_EXCHANGE_COPIES_STORE_H

#include <jansson.h>
#include <stdbool.h>

#include "exchange/copies/message.h"

enum { COPIES_HELD_MAX = 4096 /* of one owner */, COPIES_PATH = 768, COPIES_WHY = 160 };

struct copies_store;

/* dir: the home. Errors name the file; FM_E_CORRUPT: not ours, or damaged. */
fm_status copies_store_open(struct copies_store **out, const char *dir,
                            struct base_err *err) FM_CHECK;
void copies_store_close(struct copies_store *s); /* NULL is allowed */

/* "kept", "part" (owner needed), "out", "get". */
void copies_store_path(const struct copies_store *s, char out[COPIES_PATH], const char *kind,
                       const char *owner, const char *address);
/* FM_E_IO if the disk has no room for so many bytes and a margin for the ledger. */
fm_status copies_store_room(const struct copies_store *s, int64_t size,
                            struct base_err *err) FM_CHECK;

/* ---- what we keep ---- */

struct copies_held {
    char owner[COPIES_ALIAS], address[65];
    int64_t size, since_ms, until_ms;
    bool whole;
    json_t *readers; /* aliases; the caller's */
};

/* FM_E_NOT_FOUND. */
fm_status copies_held_get(struct copies_held *out, struct copies_store *s, const char *owner,
                          const char *address, struct base_err *err) FM_CHECK;
/* Writes the row, new or changed. */
fm_status copies_held_put(struct copies_store *s, const struct copies_held *h,
                          struct base_err *err) FM_CHECK;
/* The row and its files go; FM_OK if there was none. */
fm_status copies_held_remove(struct copies_store *s, const char *owner, const char *address,
                             struct base_err *err) FM_CHECK;
/* Bytes and rows of an owner, but for this address. */
fm_status copies_held_sum(int64_t *bytes, int64_t *count, struct copies_store *s, const char *owner,
                          const char *but, struct base_err *err) FM_CHECK;
/* Those whose time is over, and what was announced before stale_ms and never came, go. *gone: how
 * many. */
fm_status copies_held_expire(int64_t *gone, struct copies_store *s, int64_t now_ms,
                             int64_t stale_ms, struct base_err *err) FM_CHECK;
/* [{"address","owner","readers","since","size","until","whole"}], *out new. */
fm_status copies_held_list(json_t **out, struct copies_store *s, struct base_err *err) FM_CHECK;

/* Somebody asked for it from its beginning. */
fm_status copies_fetch_note(struct copies_store *s, const char *owner, const char *address,
                            const char *by, bool allowed, int64_t now_ms,
                            struct base_err *err) FM_CHECK;
/* As a message's "list"; *out new. */
fm_status copies_fetch_list(json_t **out, struct copies_store *s, const char *owner,
                            const char *address, struct base_err *err) FM_CHECK;

/* ---- what we can open ---- */

/* FM_OK if it was known of this owner; what another says of the same address is beside it: a
 * keeper, who knows the address, can take nothing from the owner. FM_E_LIMIT: that owner has
 * COPIES_HELD_MAX here. */
fm_status copies_known_add(struct copies_store *s, const char *address, const char *owner,
                           int64_t until_ms, struct base_err *err) FM_CHECK;
/* FM_E_NOT_FOUND. */
fm_status copies_known_get(struct copies_store *s, const char *owner, const char *address,
                           struct base_err *err) FM_CHECK;
/* With the beginning of it that was fetched. */
fm_status copies_known_remove(struct copies_store *s, const char *owner, const char *address,
                              struct base_err *err) FM_CHECK;
/* [{"address","owner","until"}], oldest first; *out new. */
fm_status copies_known_list(json_t **out, struct copies_store *s, struct base_err *err) FM_CHECK;
/* One whose time is over, if any: *found. */
fm_status copies_known_over(bool *found, char owner[COPIES_ALIAS], char address[65],
                            struct copies_store *s, int64_t now_ms, struct base_err *err) FM_CHECK;

enum copies_role { COPIES_KEEPER, COPIES_READER };
enum copies_state {
    COPIES_WAITING, /* to be told */
    COPIES_DONE,    /* keeps it; knows its key */
    COPIES_REFUSED, /* in `why` */
    COPIES_LEAVING  /* to be told to drop or forget it */
};
struct copies_task {
    char address[65], member[COPIES_ALIAS], why[COPIES_WHY];
    enum copies_role role;
    enum copies_state state;
    int64_t at_ms;   /* of the last change */
    json_t *receipt; /* the caller's; NULL: none */
};
fm_status copies_task_put(struct copies_store *s, const struct copies_task *t,
                          struct base_err *err) FM_CHECK;
/* All of them, or none. */
fm_status copies_tasks_put(struct copies_store *s, const struct copies_task *tasks, size_t n,
                           struct base_err *err) FM_CHECK;
/* The next thing to tell a member, oldest first, of those not tried since at_ms; FM_E_NOT_FOUND. */
fm_status copies_task_next(struct copies_task *out, struct copies_store *s, const char *member,
                           int64_t before_ms, struct base_err *err) FM_CHECK;
/* Calls fn for each task of an address, keepers first. fn may write. */
fm_status copies_task_each(struct copies_store *s, const char *address,
                           fm_status (*fn)(void *ctx, const struct copies_task *t,
                                           struct base_err *err),
                           void *ctx, struct base_err *err) FM_CHECK;
fm_status copies_task_remove(struct copies_store *s, const char *address, const char *member,
                             enum copies_role role, struct base_err *err) FM_CHECK;
/* All of an own copy's, and its box. */
fm_status copies_tasks_remove(struct copies_store *s, const char *address,
                              struct base_err *err) FM_CHECK;

#endif
