/* A consortium for one question: every member a process of its own on loopback, with fresh
 * identities that exist nowhere else, in a temporary folder that is removed at the end. Nodes,
 * ledger, channels and protocol are the real ones. */
#ifndef FIRMIANA_EXCHANGE_CLI_THROWAWAY_H
#define FIRMIANA_EXCHANGE_CLI_THROWAWAY_H

#include <jansson.h>
#include <sys/types.h>

#include "base/status.h"
#include "exchange/node/home.h"

enum { THROWAWAY_MAX = 12 };

struct throwaway_member {
    char alias[HOME_ALIAS];
    char data[HOME_PATH]; /* its SQLite file; "" for one that only computes */
    char dir[HOME_PATH];
    pid_t pid;
    int to, from; /* pipes to its process */
};

struct throwaway {
    char root[HOME_PATH];
    struct throwaway_member members[THROWAWAY_MAX];
    size_t count;
};

/* members (aliases and data) are filled in by the caller; starts them, makes a genesis of their
 * documents, and waits until every node takes requests and the first one sees all others. Must be
 * called before this process has threads. */
fm_status throwaway_start(struct throwaway *t, struct base_err *err) FM_CHECK;
/* Ends the processes and removes the folder. Safe at any stage. Nothing stays behind either when a
 * signal ends the caller: SIGINT, SIGTERM and SIGHUP end the processes, whose errors then come back
 * to the caller (throwaway_signalled), and a killed caller's processes clean up by themselves. */
void throwaway_stop(struct throwaway *t);
/* The signal that ended it; 0 if none did. */
int throwaway_signalled(void);

/* A request to member i's node. request is used up. */
fm_status throwaway_call(json_t **value, const struct throwaway *t, size_t i, json_t *request,
                         struct base_err *err) FM_CHECK;

#endif
