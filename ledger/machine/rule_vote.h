/* Between the kinds of proposals (rule_member.c) and the counting of votes (rule_vote.c). */
#ifndef FIRMIANA_LEDGER_RULE_VOTE_H
#define FIRMIANA_LEDGER_RULE_VOTE_H

#include "ledger/machine/machine_rule.h"

/* A new proposal of the transaction's kind, with its proposer's vote; checked by the caller.
 * Refused by proposal.exists while another about the same member, or about the parameters, is
 * open. */
fm_status ledger_vote_open(struct ledger_context *c, struct base_err *err) FM_CHECK;

/* Does what an accepted proposal says. FM_E_REFUSED: it has become impossible. */
fm_status ledger_vote_take_effect(struct ledger_context *c, enum ledger_tx_type kind,
                                  const json_t *body, struct base_err *err) FM_CHECK;

#endif
