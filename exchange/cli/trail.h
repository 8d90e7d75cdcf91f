/* A file with an exported trail (format.md section 8), as the commands read it that need no node:
 * checked whole, by ledger/verify, before anything in it is believed. */
#ifndef FIRMIANA_CLI_TRAIL_H
#define FIRMIANA_CLI_TRAIL_H

#include <stdio.h>

#include "exchange/cli/args.h"
#include "ledger/verify/verify.h"

#define CLI_CHAIN_OPTION                                                                       \
    {                                                                                          \
        "chain", "ID", "the ledger that it must be: its chain id, 64 hex digits", CLI_OPTIONAL \
    }

/* As a ledger_bundle_source's read. ctx: a FILE. */
fm_status cli_trail_read(void *ctx, void *out, size_t len, size_t *got,
                         struct base_err *err) FM_CHECK;

/* Checks the trail and goes back to its beginning. *out is the caller's also when it fails. Errors:
 * FM_E_ARG (--chain), FM_E_INVALID: not valid, or not that ledger. */
fm_status cli_trail_verify(struct ledger_verified **out, const struct cli_args *args, FILE *f,
                           struct base_err *err) FM_CHECK;

/* The quorum and who cosigned; after the chain, all on which its validity rests. */
void cli_trail_print_final(FILE *out, const struct ledger_verified *report);
/* The same after the chain. */
void cli_trail_print(FILE *out, const struct cli_args *args, const struct ledger_verified *report);

#endif
