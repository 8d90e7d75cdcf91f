/* How far a lottery is, from what the ledger has of it (ledger/machine/rule_lottery.c). */
#ifndef FIRMIANA_CLI_LOTTERY_STATE_H
#define FIRMIANA_CLI_LOTTERY_STATE_H

#include <jansson.h>
#include <stdint.h>

enum cli_lottery_phase {
    CLI_LOTTERY_COMMITTING, /* until close */
    CLI_LOTTERY_REVEALING,  /* until reveal; everybody has committed */
    CLI_LOTTERY_COMPLETE,   /* every share is there */
    CLI_LOTTERY_SPOILT      /* one is missing, and none may come any more */
};

/* open: the body of lottery.open; commits, shares: alias -> hex; time_ms: of the newest block that
 * is known: what none of its entries shows may stand in a later one, but not before that. */
enum cli_lottery_phase cli_lottery_phase(const json_t *open, const json_t *commits,
                                         const json_t *shares, int64_t time_ms);

/* The first member that has not committed, else that has not shown its share; NULL: none. */
const char *cli_lottery_missing(const json_t *open, const json_t *commits, const json_t *shares);

#endif
