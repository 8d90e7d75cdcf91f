/* Manual pages and the shell completion, made from the same tables as --help and the parser of
 * node.json, so that they cannot disagree. */
#ifndef FIRMIANA_EXCHANGE_CLI_MANUAL_H
#define FIRMIANA_EXCHANGE_CLI_MANUAL_H

#include "exchange/cli/args.h"

/* roff (man 7) on standard output. page: NULL for firmiana(1), the name of a command ("query run"),
 * or "node.json". FM_E_ARG if there is no such page. */
fm_status cli_manual_page(const struct cli_command *const *commands, const char *page,
                          struct base_err *err) FM_CHECK;
/* All of them as files in a folder that exists: firmiana.1, firmiana-query-run.1, ...,
 * firmiana-node.json.5. */
fm_status cli_manual_pages(const struct cli_command *const *commands, const char *folder,
                           struct base_err *err) FM_CHECK;
/* A bash completion script on standard output. */
void cli_manual_completion(const struct cli_command *const *commands);

#endif
