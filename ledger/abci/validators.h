/* Who orders blocks under CometBFT, as a function of the ledger's state.
 *
 * V1: under rules version 1: the founding members, by the keys in their documents of the genesis,
 *     whatever becomes of them. From version 2 on: each active member whose current document names
 *     a key (machine/validator.h); so that they join, leave, are suspended, come back and change
 *     keys by the ledger's own transactions, where the members vote on them.
 * V2: each has the same power; a key counts once, for the first of the members, by alias, that name
 *     it.
 * V3: there is always one: where nobody would be left, the founding members order.
 * V4: what block H changes is told to CometBFT in answer to FinalizeBlock of H, as the difference
 * of V1 before and after H, in the order of keys, so that every node says the same, also the second
 * time. It acts from block H + 2 on. Nothing is kept for it on disk.
 *
 * How few may be left: a vote may not leave fewer active members than the quorum (machine.h, M6),
 * and no member may take its own key out where fewer would be left than the quorum
 * (did.validator). A member that names a key without running a node counts as one that is down: in
 * the two thirds that a block needs. */
#ifndef FIRMIANA_LEDGER_ABCI_VALIDATORS_H
#define FIRMIANA_LEDGER_ABCI_VALIDATORS_H

#include "ledger/store/chain.h"

enum { LEDGER_VALIDATOR_POWER = 10 };

struct ledger_validator {
    uint8_t key[32];
    char alias[33];
};

struct ledger_validators {
    struct ledger_validator *at; /* by key, distinct; owned */
    size_t n;
};
void ledger_validators_release(struct ledger_validators *v);

/* Those of the state after the staged block, or, without one, of the state that the reader sees.
 * staged: of ledger_chain_staged(), or NULL. */
fm_status ledger_validators_of(struct ledger_validators *out, struct ledger_reader *reader,
                               const json_t *staged, struct base_err *err) FM_CHECK;

/* Those of V1's genesis. */
fm_status ledger_validators_first(struct ledger_validators *out, const json_t *genesis,
                                  struct base_err *err) FM_CHECK;

/* The alias of who has the key with this address: a member of any status by its present document,
 * else by one that it replaced under rules version 3 or later, else a founding member by its first;
 * "" if nobody has. */
fm_status ledger_validator_name(char out[33], struct ledger_reader *reader,
                                const uint8_t address20[20], struct base_err *err) FM_CHECK;

/* Whether a block of these changes can change them. */
bool ledger_validators_touched(const json_t *staged);

#endif
