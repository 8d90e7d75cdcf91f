/* What the nodes tell each other about themselves, so that `firmiana status` can say how far, how
 * late and how far off each other they are. One message (NODE_MSG_PING) of canonical JSON, asked by
 * each side on a channel that came up and every PING_MS, answered at once:
 *
 *   {"ask": N, ...}       N: 1, 2, ... on each channel
 *   {"answer": N, ...}    to that
 *     "now"       unix time in ms      "version"   the software's, at most 31 bytes
 *     "at"        height of its head   "rules"     the newest rules_version that it has
 *     "final"     final height of its replica
 *
 * It informs people and decides nothing: no rule, no block and no query depends on it, so a peer
 * that lies in it fools a status line at most. Versions tolerate each other: unknown members are
 * ignored, members that are missing or of another type leave what was known, a message with neither
 * "ask" nor "answer" is ignored, and a node that does not know this message says so in its log and
 * goes on. Pure: time comes in, messages come out. */
#ifndef FIRMIANA_EXCHANGE_NODE_PING_H
#define FIRMIANA_EXCHANGE_NODE_PING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

enum {
    PING_MS = 5000,       /* between two questions */
    PING_LEAST_MS = 100,  /* questions that come faster are not answered */
    PING_MAX_BYTES = 4096 /* longer messages are ignored */
};

/* What a node says of itself. */
struct ping_facts {
    char version[32];
    int64_t rules, at, final;
};

/* One peer, on its present channel; zero-initialise, then ping_up(). */
struct ping {
    int64_t asked, asked_unix_ms, asked_mono_ms; /* the last question */
    bool waiting;                                /* for its answer */
    int64_t due_ms, answered_ms;                 /* mono */
    /* what came back */
    bool heard;
    int64_t heard_ms; /* mono: of the last message */
    bool timed;       /* rtt_ms and skew_ms are there */
    int64_t rtt_ms;   /* of the last answer, with both nodes' own delays */
    int64_t skew_ms;  /* its clock minus ours, within half of rtt_ms */
    struct ping_facts facts;
};

/* A new channel: the next question is due at once; what was known of the peer stays, without times.
 */
void ping_up(struct ping *p, const struct base_clock *clock);

/* The question that is due now, new; NULL if none is. */
json_t *ping_ask(struct ping *p, const struct ping_facts *self, const struct base_clock *clock);

/* Takes a message of the peer; the answer to send, new, or NULL. */
json_t *ping_take(struct ping *p, const json_t *message, const struct ping_facts *self,
                  const struct base_clock *clock);

#endif
