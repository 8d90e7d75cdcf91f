/* The profile of algorithms that a genesis fixes (format.md section 1), base/profile.h. */
#ifndef FIRMIANA_LEDGER_PROFILE_H
#define FIRMIANA_LEDGER_PROFILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/profile.h"

/* FM_E_INPUT: a profile of another name. BASE_PROFILE_OPEN: the genesis has none, as before there
 * were profiles. */
fm_status ledger_profile_of(enum base_profile *out, const json_t *genesis,
                            struct base_err *err) FM_CHECK;

/* This process works for the ledger of that genesis from now on. Errors: as above, and
 * FM_E_CONFLICT (base_profile_adopt). Whoever reads a genesis calls one of these before it hashes
 * anything of it.
 */
fm_status ledger_profile_adopt(const json_t *genesis, struct base_err *err) FM_CHECK;

/* The same from canonical bytes, and the chain id that they begin. FM_E_INPUT if they are none. */
fm_status ledger_genesis_chain(uint8_t chain32[32], const void *genesis, size_t len,
                               struct base_err *err) FM_CHECK;

#endif
