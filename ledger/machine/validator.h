/* The keys by which members order blocks under CometBFT. A member's document names its own:
 *
 *   {"id": did "#validator", "type": "CometBFTValidator", "serviceEndpoint": "ed25519://MULTIKEY"}
 *
 * Which of them order, ledger/abci/validators.h says; the machine has one rule about them. */
#ifndef FIRMIANA_LEDGER_MACHINE_VALIDATOR_H
#define FIRMIANA_LEDGER_MACHINE_VALIDATOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define LEDGER_VALIDATORS_SINCE 2 /* the rules version (format.md section 12) */

/* *found is false if the document names none. FM_E_INPUT, FM_E_AUTH (the suite's rule refuses the
 * key): it does, but wrongly. */
fm_status ledger_validator_read(uint8_t out32[32], bool *found, const json_t *document,
                                struct base_err *err) FM_CHECK;

/* How CometBFT calls a key: the first 20 bytes of its SHA-256. */
void ledger_validator_address(uint8_t out20[20], const uint8_t key32[32]);

/* The state key under which it is remembered whose the key was that a document no longer names:
 * `validator/` and the address in hex. */
#define LEDGER_VALIDATOR_KEY_TEXT 51
void ledger_validator_key(char out[LEDGER_VALIDATOR_KEY_TEXT], const uint8_t address20[20]);

#endif
