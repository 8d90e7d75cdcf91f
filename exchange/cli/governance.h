/* What the commands about governance share. */
#ifndef FIRMIANA_EXCHANGE_CLI_GOVERNANCE_H
#define FIRMIANA_EXCHANGE_CLI_GOVERNANCE_H

#include <jansson.h>

#include "exchange/cli/common.h"

/* The id in list whose member `name` begins with these digits, 8 at least. what: "a proposal", for
 * the error. FM_E_ARG: too few digits, none at all or ambiguous ones; FM_E_NOT_FOUND. */
fm_status cli_find_id(char id[65], const json_t *list, const char *name, const char *digits,
                      const char *what, struct base_err *err) FM_CHECK;

/* One line: what was proven of a member's validator, as governance.list and status tell it. */
void cli_print_misbehavior(const char *before, const json_t *item);

#endif
