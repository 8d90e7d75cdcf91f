/* A member's home folder and its node.json.
 *
 *   node.json      this file's settings           data.db     the member's tables (dataset import
 * writes it) keys/          sealed keys: authentication, assertion (the node's), officer, recovery
 * (offline: move them away) document.json  the member's first DID document, for genesis
 *   genesis.json   the ledger's genesis           ledger.db   the replica
 *   sessions.db    queries this node has started  node.sock   where the command line talks to the
 * node
 *
 * node.json: {"alias": "bank_a", "listen": "tcp://127.0.0.1:7101"}, and optionally
 *   "data": path of the member's SQLite file (default data.db), "block_interval_ms" (default 5),
 * "log": path (default: standard error), "threads": 1. Relative paths are relative to the home.
 * Unknown members are errors, with the nearest known name. */
#ifndef FIRMIANA_EXCHANGE_NODE_HOME_H
#define FIRMIANA_EXCHANGE_NODE_HOME_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

enum { HOME_PATH = 512, HOME_ALIAS = 33 };

struct home {
    char dir[HOME_PATH];
    char alias[HOME_ALIAS];
    char listen[128];
    char data[HOME_PATH];
    char log[HOME_PATH]; /* "" for standard error */
    int block_interval_ms;
};

/* Reads DIR/node.json. Errors name the file and the member. */
fm_status home_load(struct home *out, const char *dir, struct base_err *err) FM_CHECK;

/* Makes DIR (mode 0700; it may exist and be empty of Firmiana's files) and writes node.json.
 * FM_E_CONFLICT if there is one already. */
fm_status home_create(const struct home *home, struct base_err *err) FM_CHECK;

/* DIR/name, into a buffer of HOME_PATH bytes. FM_E_LIMIT if it does not fit. */
fm_status home_path(char out[HOME_PATH], const char *dir, const char *name,
                    struct base_err *err) FM_CHECK;

/* Is it tcp://HOST:PORT, at most 127 bytes, with a port from 1 to 65535? Whether the host exists
 * shows when it is used. */
bool home_is_address(const char *text);

#endif
