/* What firmiana-verify says about a bundle: text for people, JSON for programs. */
#ifndef FIRMIANA_LEDGER_VERIFY_PRINT_H
#define FIRMIANA_LEDGER_VERIFY_PRINT_H

#include <stdio.h>

#include "ledger/verify.h"

/* The summary of a valid bundle. chain_was_given: the user said which ledger it must be. Errors:
 * FM_E_IO, FM_E_MEMORY. */
fm_status ledger_verify_print_text(FILE *out, const struct ledger_verified *report,
                                   bool chain_was_given, struct base_err *err) FM_CHECK;

/* One JSON object and a newline, for valid (why is NULL) and invalid bundles alike. */
fm_status ledger_verify_print_json(FILE *out, const struct ledger_verified *report, const char *why,
                                   struct base_err *err) FM_CHECK;

#endif
