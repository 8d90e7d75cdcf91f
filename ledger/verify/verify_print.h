/* What firmiana-verify says about a bundle: text for people, JSON for programs. */
#ifndef FIRMIANA_LEDGER_VERIFY_PRINT_H
#define FIRMIANA_LEDGER_VERIFY_PRINT_H

#include <stdio.h>

#include "ledger/verify/verify.h"

/* The summary of a valid bundle. chain_was_given: the user said which ledger it must be. Errors:
 * FM_E_IO, FM_E_MEMORY. */
fm_status ledger_verify_print_text(FILE *out, const struct ledger_verified *report,
                                   bool chain_was_given, struct base_err *err) FM_CHECK;

/* One JSON object and a newline, for valid (why is NULL) and invalid bundles alike. statement: one
 * that was borne out; NULL if there is none. */
fm_status ledger_verify_print_json(FILE *out, const struct ledger_verified *report,
                                   const struct ledger_statement *statement, const char *why,
                                   struct base_err *err) FM_CHECK;

/* A statement that was borne out by that bundle: text, after the report; and what stands of it in
 * the JSON report (new). */
void ledger_statement_print(FILE *out, const struct ledger_statement *s,
                            const struct ledger_verified *report);
json_t *ledger_statement_report(const struct ledger_statement *s);

#endif
