/* The limits of a ledger (format.md section 1): genesis sets them all, parameter.propose some. The
 * greatest values are there so that nothing that a genesis or a vote says can make a replica
 * allocate or compute without bound. */
#ifndef FIRMIANA_LEDGER_LIMITS_H
#define FIRMIANA_LEDGER_LIMITS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

enum ledger_limits_which {
    LEDGER_LIMITS_ALL,  /* every limit, as in a genesis */
    LEDGER_LIMITS_SOME, /* at least one, as in a vote */
};

/* An object of known limits, each within its range. FM_E_INPUT names the first that is not. */
fm_status ledger_limits_check(const json_t *limits, enum ledger_limits_which which,
                              struct base_err *err) FM_CHECK;

/* What holds between limits, all of them given: a block has room for any transaction. */
bool ledger_limits_agree(const json_t *limits);

#endif
