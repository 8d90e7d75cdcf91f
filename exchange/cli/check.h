/* `firmiana node check`: everything that keeps a node from starting, or that an operator will
 * regret, looked at without starting or changing anything. A check tells its findings; the command
 * prints them.
 */
#ifndef FIRMIANA_EXCHANGE_CLI_CHECK_H
#define FIRMIANA_EXCHANGE_CLI_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "did/passphrase.h"
#include "exchange/node/home.h"

enum check_verdict {
    CHECK_GOOD,
    CHECK_WARN, /* the node starts, and somebody should look at it */
    CHECK_BAD   /* the node does not start, or must not be left like that */
};

struct check {
    const struct home *home;
    const struct did_passphrase *pass; /* NULL: sealed keys stay sealed */
    bool running;                      /* a node runs on this home */
    int64_t newest_block_ms;           /* its ledger's; 0 while there is none */
    json_t *document;                  /* the member's own, from ledger or genesis; NULL: unknown */
    json_t *findings;                  /* [{"check", "verdict", "text"}] */
    struct base_err first;             /* of the worst that was found first: for the exit code */
    unsigned warned, failed;
};

/* Adds a finding. code: of a bad one, the status that starting would end with. */
void check_tell(struct check *c, enum check_verdict verdict, const char *name, fm_status code,
                const char *fmt, ...) FM_PRINTF(5, 6);

/* check_home.c. check_owner() comes first: false if nothing else may be looked at by this user,
 * since files that SQLite makes beside a database would not be the node's any more. */
bool check_owner(struct check *c);
void check_keys(struct check *c);
void check_files(struct check *c);

/* check_ledger.c */
void check_ledger(struct check *c);

/* check_machine.c */
void check_running(struct check *c);
void check_ports(struct check *c);
void check_clock(struct check *c);
void check_room(struct check *c);

#endif
