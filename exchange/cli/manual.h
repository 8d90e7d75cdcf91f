/* The manual page and the shell completion, made from the same table as --help, so that they cannot
 * disagree. */
#ifndef FIRMIANA_EXCHANGE_CLI_MANUAL_H
#define FIRMIANA_EXCHANGE_CLI_MANUAL_H

#include "exchange/cli/args.h"

/* roff (man 7) of firmiana(1) on standard output. */
void cli_manual_page(const struct cli_command *const *commands);
/* A bash completion script on standard output. */
void cli_manual_completion(const struct cli_command *const *commands);

#endif
