/* The unix socket that CometBFT connects to: four connections (query, snapshot, mempool and
 * consensus, in any order), each a stream of frames (frame.h), answered one at a time in the order
 * in which they come, by one thread: so there is one order over all connections. A fifth connection
 * is turned away. A stream that is none of ABCI loses its connection alone.
 *
 * The driver polls: it asks which descriptors to watch, waits, and serves. */
#ifndef FIRMIANA_LEDGER_ABCI_SERVER_H
#define FIRMIANA_LEDGER_ABCI_SERVER_H

#include <poll.h>

#include "ledger/abci/app.h"

#define LEDGER_ABCI_CONNECTIONS 4
#define LEDGER_ABCI_FDS (LEDGER_ABCI_CONNECTIONS + 1)

struct ledger_abci_server;

/* Listens at path, for this user alone; what an earlier life left there is removed. */
fm_status ledger_abci_server_open(struct ledger_abci_server **out, const char *path,
                                  struct ledger_abci_app *app, struct base_err *err) FM_CHECK;
void ledger_abci_server_close(struct ledger_abci_server *server); /* NULL is allowed */

/* Fills in what to watch; LEDGER_ABCI_FDS entries, unused ones are negative. */
void ledger_abci_server_poll(const struct ledger_abci_server *server,
                             struct pollfd fds[LEDGER_ABCI_FDS]);
/* Serves what poll() found. Errors: what the world did to the ledger; the node must stop. */
fm_status ledger_abci_server_serve(struct ledger_abci_server *server,
                                   const struct pollfd fds[LEDGER_ABCI_FDS],
                                   struct base_err *err) FM_CHECK;
/* How many connections there are. */
size_t ledger_abci_server_connections(const struct ledger_abci_server *server);

#endif
