/* The shape of a contract (format.md section 3), looked at without the ledger's state: what the
 * rule contract.shape asks, and what whoever proposes a contract can ask before it costs anything.
 */
#ifndef FIRMIANA_LEDGER_CONTRACT_SHAPE_H
#define FIRMIANA_LEDGER_CONTRACT_SHAPE_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

/* Protocols other than rep3 came with these rules. */
#define LEDGER_PROTOCOLS_SINCE 2

/* As those rules have it. FM_E_INPUT names the member of the contract that is wrong. */
fm_status ledger_contract_check_shape(const json_t *contract, uint32_t rules_version,
                                      struct base_err *err) FM_CHECK;
/* The part of it that is about the protocol. */
fm_status ledger_contract_check_protocol(const json_t *contract, uint32_t rules_version,
                                         struct base_err *err) FM_CHECK;

#endif
