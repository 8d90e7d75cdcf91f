/* One line on the terminal that says how far a long call to the node is, and for how long; and
 * Ctrl-C. Nothing is written where standard error is no terminal.
 *
 * The first SIGINT or SIGTERM asks the node to end the call and waits for its answer; a second one
 * leaves at once. A handler has no argument, so signals are the process's own: one at a time. */
#ifndef FIRMIANA_EXCHANGE_CLI_LIVE_H
#define FIRMIANA_EXCHANGE_CLI_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/node/rpc.h"

struct live {
    int64_t began_ms;
    bool shown; /* something stands on the line */
    bool stopping;
    char text[160];
    char stopping_text[96]; /* shown after the first signal */
};

/* Catches the signals. stopping: what the user is told after the first one. */
void live_begin(struct live *live, const char *stopping);
/* For rpc_request_watched(). */
struct rpc_watch live_watch(struct live *live);
/* Takes the line away and lets signals do again what they did. */
void live_end(struct live *live);

#endif
