/* What the files of copies.h share. copies.c: life, dispatch, lists; keeper.c: what we keep for
 * others; tasks.c, puts.c: what others shall keep for us; fetch.c: getting a copy, and who else
 * did. */
#ifndef FIRMIANA_EXCHANGE_COPIES_COPIES_OWN_H
#define FIRMIANA_EXCHANGE_COPIES_COPIES_OWN_H

#include "base/hash.h"
#include "exchange/copies/copies.h"
#include "exchange/copies/store.h"

/* A box on its way to us from its owner. */
struct copies_incoming {
    char address[65];
    int fd; /* -1: none */
    int64_t at, size;
    struct base_hash hash;
};

/* What we read out to a member: where it stands. */
struct copies_outgoing {
    char owner[COPIES_ALIAS], address[65];
    int64_t next;
};

/* One member. */
struct copies_peer {
    struct copies_peer *next;
    char alias[COPIES_ALIAS];
    /* the task that it has of us */
    bool busy;
    struct copies_task task;
    int fd; /* of the box; -1: none */
    int64_t size, at;
    bool began;     /* its first `go` came */
    int64_t due_ms; /* mono: its answer */
    struct copies_incoming in;
    struct copies_outgoing out;
    char noted[65]; /* what it asked for last that was counted, and when (mono) */
    int64_t noted_ms;
};

/* A put or a drop that somebody waits for. */
struct copies_wait {
    struct copies_wait *next;
    char address[65];
    struct copies_reply reply;
    int64_t size, until_ms;
};

/* A fetch under way. */
struct copies_fetch {
    struct copies_fetch *next;
    char address[65], from[COPIES_ALIAS]; /* who is asked now */
    struct copies_reply reply;
    json_t *record, *keepers, *failed;
    size_t turn; /* of keepers */
    int file, part;
    int64_t at, size;
    bool whole; /* all of it came from `from`: what is wrong is that one's */
    struct base_hash hash;
    bool hashing;
    int64_t due_ms;
};

/* Somebody waits for what keepers say about who fetched. */
struct copies_asked {
    struct copies_asked *next;
    char address[65];
    struct copies_reply reply;
    json_t *value, *waiting; /* the answer so far; {alias: true} */
    int64_t due_ms;
};

struct copies {
    struct copies_config config;
    struct copies_store *store;
    struct copies_peer *peers;
    struct copies_wait *waits;
    struct copies_fetch *fetches;
    struct copies_asked *asked;
    int64_t swept_ms; /* mono */
};

/* copies.c */
int64_t copies_now(const struct copies *c); /* unix */
int64_t copies_mono(const struct copies *c);
struct copies_peer *copies_peer(struct copies *c, const char *alias); /* NULL: memory */
bool copies_say(struct copies *c, const char *to, const struct copies_message *m);
void copies_refuse(struct copies *c, const char *to, const struct copies_message *m,
                   enum copies_no why);
void copies_note(struct copies *c, const char *level, const char *alias, const char *fmt, ...)
    FM_PRINTF(4, 5);
/* At most COPIES_READERS different aliases? */
bool copies_aliases(const json_t *list);
bool copies_listed(const json_t *list, const char *alias);
/* The record of a copy that we can open; *out new. Its row comes first (copies_known_add()). */
fm_status copies_record(json_t **out, struct copies *c, const char *owner, const char *address,
                        struct base_err *err) FM_CHECK;
fm_status copies_record_put(struct copies *c, const char *owner, const char *address,
                            const json_t *record, struct base_err *err) FM_CHECK;
fm_status copies_record_erase(struct copies *c, const char *owner, const char *address,
                              struct base_err *err) FM_CHECK;
/* Its row goes; an own one's tasks and box with it. */
fm_status copies_forget(struct copies *c, const char *owner, const char *address,
                        struct base_err *err) FM_CHECK;
bool copies_is_own(const struct copies *c, const char *owner);
/* Tasks of an own copy, for people; none of another's; *out new. */
fm_status copies_tasks_json(json_t **out, struct copies *c, const char *owner, const char *address,
                            bool receipts, struct base_err *err) FM_CHECK;

/* keeper.c */
void copies_on_offer(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_part(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_get(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_drop(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_ask(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_key(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_forget(struct copies *c, const char *from, const struct copies_message *m);
void copies_incoming_end(struct copies_incoming *in);

/* tasks.c */
/* What a member answered to its task; false: it has none that this answers. */
void copies_on_answer(struct copies *c, const char *from, const struct copies_message *m);
/* Begins what is to be told to a member, if nothing is under way; tried after before_ms: not
 * again. */
void copies_tasks_go(struct copies *c, const char *alias, int64_t before_ms);
void copies_task_end(struct copies *c, struct copies_peer *p);
/* puts.c: answers those who wait for tasks that are settled. */
void copies_waits_settle(struct copies *c);
/* Nothing is left of an own copy that is dropped, once it has no tasks. */
fm_status copies_own_end(struct copies *c, const char *address, struct base_err *err) FM_CHECK;
/* An own box goes when no keeper of it is waited for. */
void copies_out_settle(struct copies *c, const char *address);

/* fetch.c */
void copies_on_data(struct copies *c, const char *from, const struct copies_message *m);
void copies_on_fetches(struct copies *c, const char *from, const struct copies_message *m);
void copies_fetch_down(struct copies *c, const char *alias);
void copies_fetch_tick(struct copies *c);
/* reply_ctx NULL: all. */
void copies_fetch_cancel(struct copies *c, const void *reply_ctx, const struct base_err *why);

#endif
