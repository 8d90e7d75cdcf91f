/* A member's home folder and its node.json.
 *
 *   node.json      this node's settings
 *   data.db        the member's tables (dataset import)
 *   keys/          sealed keys: authentication, assertion and salts are the node's; officer and
 *                  recovery are people's: take them off the machine
 *   document.json  the member's first DID document, for the genesis
 *   genesis.json   the ledger's genesis
 *   ledger.db      the replica
 *   cometbft/      CometBFT's keys, blocks and configuration, where it orders the ledger
 *   sessions.db    queries this node has started
 *   copies/        documents that members keep for each other (exchange/copies/store.h)
 *   versions.db    rows of published versions, sealed, to prove them later (exchange/data/kept.h)
 *   node.sock      where the command line talks to it
 *
 * node.json is one JSON object; home_settings() lists its members, each with its type, range,
 * default and meaning, and is what the parser, `firmiana node check` and the manual page
 * node.json(5) go by. Relative paths are relative to the home. Anything wrong is refused with line
 * and column, an unknown member with the nearest known name. */
#ifndef FIRMIANA_EXCHANGE_NODE_HOME_H
#define FIRMIANA_EXCHANGE_NODE_HOME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "exchange/node/roles.h"

enum { HOME_PATH = 512, HOME_ALIAS = 33, HOME_ADDRESS = 128 };

struct home {
    char dir[HOME_PATH];
    char alias[HOME_ALIAS];
    char listen[HOME_ADDRESS];
    char data[HOME_PATH];
    char log[HOME_PATH];        /* "" for standard error */
    char log_level[8];          /* "" (info), "info", "warn" or "error" */
    char metrics[HOME_ADDRESS]; /* "" for none */
    char socket[HOME_PATH];     /* "" for node.sock */
    /* Of a ledger on CometBFT alone: */
    char consensus[HOME_ADDRESS];    /* where its CometBFT listens; "" elsewhere */
    char cometbft[HOME_PATH];        /* the program */
    char cometbft_rpc[HOME_ADDRESS]; /* "" for a socket in the home */
    char cometbft_sync[HOME_PATH];   /* "" for none */
    int64_t cometbft_snapshots;
    struct node_roles roles;
    int64_t block_interval_ms;
    int64_t threads;
    int64_t memory_limit; /* MiB; 0: half of the machine's */
    int64_t copies_limit; /* MiB, of each other member */
};

enum home_kind {
    HOME_TEXT,     /* any text that fits */
    HOME_FILE,     /* a path, relative to the home */
    HOME_NODE,     /* tcp://HOST:PORT */
    HOME_LOOPBACK, /* 127.0.0.1:PORT or [::1]:PORT */
    HOME_CHOICE,   /* one of the words in `words` */
    HOME_NUMBER,   /* a whole number in [low, high] */
    HOME_ROLES     /* an object: users or @groups and their roles (roles.h); a struct node_roles */
};

/* One member of node.json. */
struct home_setting {
    const char *name;
    enum home_kind kind;
    size_t offset, size;      /* of its field in struct home: characters, or an int64_t */
    const char *fallback;     /* what holds when it is not there; NULL: it must be there */
    int64_t low, high;        /* HOME_NUMBER */
    const char *const *words; /* HOME_CHOICE; ends with NULL */
    const char *help;         /* for people; no more than some lines */
};

/* All of them, ending with a row whose name is NULL. */
const struct home_setting *home_settings(void);

/* "a path", "tcp://HOST:PORT", ...: for people. */
const char *home_kind_name(enum home_kind kind);

/* Reads DIR/node.json. Errors name the file, line, column and member. */
fm_status home_load(struct home *out, const char *dir, struct base_err *err) FM_CHECK;

/* The same from its text; out->dir is set already. */
fm_status home_parse(struct home *out, const char *text, size_t len, struct base_err *err) FM_CHECK;

/* Makes DIR (mode 0700; it may exist and be empty of Firmiana's files) and writes node.json.
 * FM_E_CONFLICT if there is one already. */
fm_status home_create(const struct home *home, struct base_err *err) FM_CHECK;

/* DIR/name, into a buffer of HOME_PATH bytes. FM_E_LIMIT if it does not fit. */
fm_status home_path(char out[HOME_PATH], const char *dir, const char *name,
                    struct base_err *err) FM_CHECK;

/* Is it tcp://HOST:PORT, at most 127 bytes, with a port from 1 to 65535? Whether the host exists
 * shows when it is used. */
bool home_is_address(const char *text);

/* The port of an address that ends in :PORT, from 1 to 65535; 0 if it does not. */
unsigned home_port(const char *text);

#endif
