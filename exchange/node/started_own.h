/* What started.c and sealed.c share: sessions.db. */
#ifndef FIRMIANA_EXCHANGE_NODE_STARTED_OWN_H
#define FIRMIANA_EXCHANGE_NODE_STARTED_OWN_H

#include <sqlite3.h>

#include "exchange/node/started.h"
#include "exchange/node/vault.h"

struct node_started {
    sqlite3 *db;
    sqlite3_stmt *insert;
    sqlite3_stmt *has;
    struct vault vault;
    const struct base_random *random;
};

fm_status node_started_error(struct node_started *s, const char *what,
                             struct base_err *err) FM_CHECK;

/* Seals the openings that a file of format 0 has in clear, and overwrites them. Inside a
 * transaction. */
fm_status node_sealed_migrate(struct node_started *s, struct base_err *err) FM_CHECK;

#endif
