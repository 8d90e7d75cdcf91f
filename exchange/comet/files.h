/* CometBFT's folder, HOME/cometbft. Its configuration and genesis are functions of the ledger's
 * genesis, its members' documents and node.json: written anew at each start, never edited. */
#ifndef FIRMIANA_EXCHANGE_COMET_FILES_H
#define FIRMIANA_EXCHANGE_COMET_FILES_H

#include "exchange/comet/member.h"
#include "ledger/store/chain.h"

struct comet_settings {
    const char *home; /* the member's home folder, absolute */
    const char *alias;
    const char *listen; /* tcp://HOST:PORT for other members' CometBFT */
    const char *rpc;    /* 127.0.0.1:PORT; "": a unix socket in the folder */
    int64_t commit_ms;  /* pause after each block */
    /* To join by a snapshot instead of all blocks: "http://A,http://B", the height of a block that
     * others have and its hash in hex. NULL: none. */
    const char *sync_from, *sync_hash;
    int64_t sync_height;
};

/* The network's genesis: chain, time, validators, limits. Canonical for a ledger: the same bytes at
 * each member. */
fm_status comet_genesis_write(struct base_buf *out, const json_t *genesis,
                              const uint8_t chain32[32], struct base_err *err) FM_CHECK;

/* config.toml. peers: "ID@HOST:PORT,..." */
fm_status comet_config_write(struct base_buf *out, const struct comet_settings *settings,
                             const char *peers, struct base_err *err) FM_CHECK;

/* All files but the keys (key.h). Errors also: FM_E_CONFLICT (ledger.db is ahead of CometBFT's
 * blocks: both folders go together). */
fm_status comet_files_write(const struct comet_settings *settings, struct ledger_chain *chain,
                            struct base_err *err) FM_CHECK;

/* The sockets' paths. */
void comet_abci_path(struct base_buf *out, const char *home);
void comet_rpc_path(struct base_buf *out, const char *home);

/* Is this CometBFT node an active member's? */
fm_status comet_is_member(bool *out, struct ledger_reader *reader, const char *id,
                          struct base_err *err) FM_CHECK;

#endif
