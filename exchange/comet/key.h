/* The validator's key on disk, HOME/cometbft/config/priv_validator_key.json, and the one that is to
 * follow it, priv_validator_key.next.json beside it.
 *
 * K1: the next key takes the place of the present one when the member's document names it and the
 *     replica holds the block after the one that the document's version stands in: from the block
 *     after that on CometBFT counts the new key, and not before (ledger/abci/validators.h, V4). So
 *     no member's vote is missing from a block that needs it, though all change keys at once.
 * K2: a key that is on disk as the present one is never written over by any other than the one that
 *     the ledger names; it has never signed before it took the place. */
#ifndef FIRMIANA_EXCHANGE_COMET_KEY_H
#define FIRMIANA_EXCHANGE_COMET_KEY_H

#include "exchange/comet/member.h"
#include "ledger/store/chain.h"

enum comet_key {
    COMET_KEY_GOOD,    /* the ledger names it, or names none */
    COMET_KEY_CHANGED, /* ... since now: CometBFT must start again */
    COMET_KEY_SOON,    /* it is still the one of before, for one block (K1) */
    COMET_KEY_OTHER    /* neither is the one that the ledger names: this node orders nothing, and
                        * follows; `firmiana validator rotate` makes a new one */
};

/* Is a next key there? */
bool comet_key_waits(const char *home);

/* Errors: FM_E_NOT_FOUND (no keys: firmiana init --engine cometbft), FM_E_IO. A member that this
 * replica does not know yet, or whose document names none, may have any. */
fm_status comet_key_settle(enum comet_key *out, const char *home, const char *alias,
                           struct ledger_chain *chain, struct base_err *err) FM_CHECK;

/* Makes a fresh next key. FM_E_CONFLICT: there is one, and the document names it: it is about to
 * take its place. current: the member's document. */
fm_status comet_key_next(uint8_t key32[32], const char *home, const json_t *current,
                         struct base_err *err) FM_CHECK;

#endif
