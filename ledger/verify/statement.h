/* A member's signed statement of what it knows about queries (format.md section 11): who asked,
 * under which ticket, about whom, and how each query ended; held against the log that a bundle
 * shows, leaf by leaf, while the verifier reads it. It proves that what it says is what was
 * committed to. That it says everything its member knows, it does not prove. */
#ifndef FIRMIANA_LEDGER_STATEMENT_H
#define FIRMIANA_LEDGER_STATEMENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/verify/members.h"

#define LEDGER_STATEMENT_MAX ((size_t)64 << 20) /* bytes of a file */

struct ledger_statement;

/* How a query stands: "done", "refused", "aborted" or "open", and the rule, NULL if none is named.
 */
struct ledger_statement_end {
    const char *outcome;
    const char *rule;
};

/* Checks the form; takes a reference. FM_E_INPUT names the member that is wrong. */
fm_status ledger_statement_new(struct ledger_statement **out, json_t *json,
                               struct base_err *err) FM_CHECK;
void ledger_statement_free(struct ledger_statement *s); /* NULL is allowed */

/* Borrowed. */
const json_t *ledger_statement_json(const struct ledger_statement *s);
const char *ledger_statement_member(const struct ledger_statement *s);  /* alias */
const char *ledger_statement_subject(const struct ledger_statement *s); /* NULL: about nobody */
uint64_t ledger_statement_size(const struct ledger_statement *s); /* of the log it was made at */
size_t ledger_statement_count(const struct ledger_statement *s);  /* queries */
/* Whose consents were shown to be the subject's own: counted over all queries. */
size_t ledger_statement_consents(const struct ledger_statement *s);

/* ---- while the log goes by ---- */

/* An authentic transaction of the log and the rule that refused it (LEDGER_RULE_OK: accepted). What
 * the statement says of it must be as committed: FM_E_INVALID names the query. */
fm_status ledger_statement_see(struct ledger_statement *s, const struct ledger_tx *tx,
                               enum ledger_rule rule, struct base_err *err) FM_CHECK;

/* The log has just the size at which the statement was made. end() says how an accepted query
 * stands now; FM_E_NOT_FOUND if it is not there. Checks chain, signer, that every query was seen
 * and stands as said. */
fm_status ledger_statement_settle(struct ledger_statement *s, const uint8_t chain32[32],
                                  const struct ledger_members *members,
                                  fm_status (*end)(void *ctx, struct ledger_statement_end *out,
                                                   const uint8_t query32[32], struct base_err *err),
                                  void *ctx, struct base_err *err) FM_CHECK;

#endif
