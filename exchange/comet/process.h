/* CometBFT as a child process of the node: started, watched, started again when it ends by itself,
 * ended with the node (also when the node is killed: the kernel then ends it). */
#ifndef FIRMIANA_EXCHANGE_COMET_PROCESS_H
#define FIRMIANA_EXCHANGE_COMET_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

struct comet_process {
    const char *program;          /* lent: a path, or a name to be found on PATH */
    char folder[512];             /* HOME/cometbft */
    pid_t pid;                    /* 0: not running */
    int64_t started_ms, again_ms; /* monotonic */
    int64_t pause_ms;             /* before the next start */
    unsigned restarts;
};

/* "0.38.25" of the program. Errors: FM_E_NOT_FOUND (no such program), FM_E_UNSUPPORTED (older than
 * 0.38.21, which has a known weakness, or another series). */
fm_status comet_version_check(char out[32], const char *program, struct base_err *err) FM_CHECK;

fm_status comet_process_start(struct comet_process *p, int64_t now_ms,
                              struct base_err *err) FM_CHECK;
/* Has it ended since the last call? *how: "exit code 1", "signal 9". It is due again at again_ms:
 * a second later, twice that each time, half a minute at most. */
bool comet_process_ended(struct comet_process *p, char how[64], int64_t now_ms);
/* Asks it to end. */
void comet_process_ask(const struct comet_process *p);
/* ... and makes it. */
void comet_process_kill(struct comet_process *p);

#endif
