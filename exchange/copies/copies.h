/* Encrypted copies that members keep for each other: a state machine without sockets or clocks of
 * its own; messages, requests and time come in, messages and answers go out through the host.
 *
 * A copy is a box (box.h): its owner makes it, with a fresh key, and its address is the hash of the
 * box. The owner's node hands it to the keepers, over the channels that members have anyway; each
 * stores it within the owner's quota and answers with a signed receipt. The key stays sealed in the
 * owner's home; the nodes of readers that the owner names get it, once, over the owner's own
 * channel with them, and seal it in theirs. So a keeper that is no reader learns whose the copy
 * is, who may read it, its size and when it is fetched; and what a node's keys are later changes
 * nothing: nothing here is encrypted to a key that is rotated.
 *
 * A task (store.h) is what one member shall do about a copy: one at a time for each member, kept
 * on disk until it is done, so that it goes on when the member is back, and after a crash:
 *
 *   keeper   offer -> go, part -> go, ..., part -> kept         resumed from what the keeper has
 *   reader   key -> known
 *   leaving  drop -> dropped, forget -> forgot
 *
 * A fetch asks the keepers in turn, from where it stands; what came is hashed before anybody opens
 * it, and a keeper whose bytes are not those of the address is named and passed over.
 *
 * A keeper is trusted for nothing but being there. It counts who asked, and tells the owner. */
#ifndef FIRMIANA_EXCHANGE_COPIES_COPIES_H
#define FIRMIANA_EXCHANGE_COPIES_COPIES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/random.h"
#include "exchange/copies/message.h"

struct copies;

enum {
    COPIES_DID = 160,
    COPIES_NAME = 256, /* of a document, with its NUL */
    COPIES_ANSWER_MS = 30000,
    COPIES_RETRY_MS = 60000,
    COPIES_NOTE_MS = 1000, /* who asks again sooner is not counted again: counting costs a sync */
    COPIES_STALE_MS = 86400000, /* what was announced and never came is forgotten */
    COPIES_YEARS = 30           /* for which a copy may be kept */
};

struct copies_host {
    void *ctx;
    bool (*send)(void *ctx, const char *alias, const void *bytes, size_t len);
    bool (*up)(void *ctx, const char *alias);
    bool (*active)(void *ctx, const char *alias);
    fm_status (*did)(void *ctx, const char *alias, char out[COPIES_DID], struct base_err *err);
    /* Proofs by this node, and by that member's node as of today. */
    fm_status (*prove)(void *ctx, const json_t *document, json_t **proof, struct base_err *err);
    fm_status (*check)(void *ctx, const char *alias, const json_t *document, const json_t *proof,
                       struct base_err *err);
    /* Secrets at rest, by name. put replaces; get: FM_E_NOT_FOUND. */
    fm_status (*seal)(void *ctx, const char *name, const json_t *secret, struct base_err *err);
    fm_status (*unseal)(void *ctx, const char *name, json_t **secret, struct base_err *err);
    fm_status (*erase)(void *ctx, const char *name, struct base_err *err);
    void (*log)(void *ctx, const char *level, const char *alias, const char *text);
};

struct copies_config {
    struct copies_host host;
    const struct base_clock *clock; /* lent */
    const char *dir;                /* the home */
    char alias[COPIES_ALIAS];       /* who we are */
    char chain[65];
    int64_t quota; /* bytes that we keep for each other member */
};

/* Who waits; called once, at once or later. */
struct copies_reply {
    void *ctx;
    void (*progress)(void *ctx, const char *text);
    void (*ok)(void *ctx, const json_t *value);
    void (*error)(void *ctx, const struct base_err *err);
};

/* Of a plain file in a folder, and harmless to print, whoever chose it? */
bool copies_is_name(const char *name);

fm_status copies_open(struct copies **out, const struct copies_config *config,
                      struct base_err *err) FM_CHECK;
void copies_close(struct copies *c); /* answers nobody; NULL is allowed */

/* ---- events ---- */
void copies_peer_up(struct copies *c, const char *alias);
void copies_peer_down(struct copies *c, const char *alias);
void copies_take(struct copies *c, const char *from, const void *bytes, size_t len);
void copies_tick(struct copies *c);
/* Whoever waits hears why, and nothing more; has gone, if why is NULL. What a put or a drop began
 * goes on. */
void copies_cancel(struct copies *c, const void *reply_ctx, const struct base_err *why);

/* ---- requests of this member's people ---- */

/* Where a box is put before copies_put(), for box_address() to say what it is: a new file, *fd is
 * the caller's. */
fm_status copies_stage(struct copies *c, int *fd, char path[768], struct base_err *err) FM_CHECK;

struct copies_put {
    char address[65], name[COPIES_NAME]; /* name: of the document */
    int64_t size, until_ms;
    uint8_t key32[32];
    const json_t *keepers, *readers; /* aliases */
    const char *staged;              /* a path of copies_stage(), with that box, synced */
};
/* Answers {"address","size","until","tasks":[{"member","role","state","up","why"}]} when every
 * member that is connected has answered; the others are told when they come. */
void copies_put(struct copies *c, const struct copies_put *put, const struct copies_reply *reply);
/* owner: whose it is (alias), for what others say of the same address is another copy.
 * file: where the box goes; taken. Answers {"failed":[{"keeper","why"}],"from","record"}.
 * from: NULL is any keeper. */
void copies_get(struct copies *c, const char *owner, const char *address, const char *from,
                int file, const struct copies_reply *reply);
/* {"held":[...],"known":[{"address","name","owner","size","tasks","until"}]} */
void copies_list(struct copies *c, const struct copies_reply *reply);
/* One of them, with receipts, and what its keepers say about who fetched it: "fetches". */
void copies_show(struct copies *c, const char *owner, const char *address,
                 const struct copies_reply *reply);
/* As copies_put(). What a reader drops is its own knowledge of the key. */
void copies_drop(struct copies *c, const char *owner, const char *address,
                 const struct copies_reply *reply);
/* The whole address of one that begins so, at least 8 digits, and whose it is; "OWNER/DIGITS" says
 * whose. Where several name an address, our own is meant; FM_E_ARG if there is none. */
fm_status copies_find(struct copies *c, char owner[COPIES_ALIAS], char address[65],
                      const char *text, struct base_err *err) FM_CHECK;

#endif
