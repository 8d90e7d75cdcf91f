/* The shape of a contract (format.md section 3), looked at without the ledger's state: what the
 * rule contract.shape asks, and what whoever proposes a contract can ask before it costs anything.
 */
#ifndef FIRMIANA_LEDGER_CONTRACT_SHAPE_H
#define FIRMIANA_LEDGER_CONTRACT_SHAPE_H

#include <jansson.h>

#include "base/status.h"

/* FM_E_INPUT names the member of the contract that is wrong. */
fm_status ledger_contract_check_shape(const json_t *contract, struct base_err *err) FM_CHECK;

#endif
