/* What CometBFT has proven of validators, for people: HOME/cometbft/misbehavior.json, a list in the
 * order in which it was proven. The proof itself stands in CometBFT's block. */
#ifndef FIRMIANA_EXCHANGE_COMET_RECORD_H
#define FIRMIANA_EXCHANGE_COMET_RECORD_H

#include <jansson.h>

#include "ledger/abci/app.h"

#define COMET_RECORDS_MAX 200 /* the newest are kept */

struct comet_record {
    char path[600];
    json_t *list; /* [{"member", "address", "did", "height", "in_block"}] */
};

/* What is on disk already; nothing is fine. */
fm_status comet_record_open(struct comet_record *r, const char *path,
                            struct base_err *err) FM_CHECK;
void comet_record_close(struct comet_record *r); /* zero is fine */

/* On disk when it returns. *fresh is false if it stands there already: a block may come twice. */
fm_status comet_record_add(struct comet_record *r, bool *fresh,
                           const struct ledger_abci_misbehavior *what,
                           struct base_err *err) FM_CHECK;

#endif
