/* What query.open commits to beside its public members, and the openings that show it later
 * (format.md section 3, "Openings"): who asked under which ticket, and the parameters' values. The
 * asker's node and the providers keep openings; nobody else can make one that fits. */
#ifndef FIRMIANA_LEDGER_OPENING_H
#define FIRMIANA_LEDGER_OPENING_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

/* H("firmiana/requester/v1" || 0x00 || chain || salt || JCS({"requester", "ticket"})). */
fm_status ledger_requester_commit(uint8_t out32[32], const uint8_t chain32[32],
                                  const uint8_t salt32[32], const char *requester,
                                  const char *ticket, struct base_err *err) FM_CHECK;

/* h_i = H("firmiana/parameter/v1" || 0x00 || chain || salt || JCS({"name", "value"})); query.open's
 * `parameters` is H(h_1 || ... || h_n). */
fm_status ledger_parameter_commit(uint8_t out32[32], const uint8_t chain32[32],
                                  const uint8_t salt32[32], const char *name, const char *value,
                                  struct base_err *err) FM_CHECK;

/* An opening:
 *
 *   {"parameters": [{"name", "value", "salt"} | {"name", "hash"} ...],
 *    "consents": [{"parameter": n, "consent": id, "nonce"?} ...],
 *    "requester"?, "ticket"?, "salt"?}            the last three together, or none of them
 *
 * {"name", "hash"} is a parameter that is hidden from whoever keeps the opening. */

/* Is it the opening of this query.open's body? FM_E_INPUT: it has not this form; FM_E_INVALID says
 * what is not as committed. */
fm_status ledger_opening_check(const json_t *opening, const json_t *body, const uint8_t chain32[32],
                               struct base_err *err) FM_CHECK;

/* The i-th consent of an opening that has been checked speaks of the value of its parameter, if the
 * opening has both value and nonce; consent: the inner document under that id. FM_E_INVALID: of
 * somebody else. FM_E_NOT_FOUND: the opening cannot show it. */
fm_status ledger_opening_check_consent(const json_t *opening, size_t i, const json_t *consent,
                                       const uint8_t chain32[32], struct base_err *err) FM_CHECK;

#endif
