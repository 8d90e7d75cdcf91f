/* What the files of tx.h share; for nobody else. */
#ifndef FIRMIANA_LEDGER_TX_IMPL_H
#define FIRMIANA_LEDGER_TX_IMPL_H

#include "ledger/proof/tx.h"

/* The members of a transaction around its body; a proof set is checked by its reader. */
fm_status ledger_tx_check_envelope(const json_t *json, struct base_err *err) FM_CHECK;

/* The body's own members, by type. FM_E_INPUT names the type and the member. */
fm_status ledger_tx_check_body(enum ledger_tx_type type, const json_t *body,
                               struct base_err *err) FM_CHECK;

#endif
