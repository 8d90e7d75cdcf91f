/* Evidence on the ledger, as the commands that deposit it share it. */
#ifndef FIRMIANA_EXCHANGE_CLI_DEPOSIT_H
#define FIRMIANA_EXCHANGE_CLI_DEPOSIT_H

#include <stdio.h>

#include "exchange/cli/args.h"
#include "exchange/evidence/receipt.h"
#include "ledger/store/chain.h"

#define CLI_SM3_OPTION                                                 \
    {                                                                  \
        "sm3", NULL, "digests by SM3 (default: SHA-256)", CLI_OPTIONAL \
    }

/* Puts the receipt's anchor on the ledger, by this member's node, and waits until it is final. */
fm_status cli_deposit_submit(const struct cli_args *args, const struct evidence_receipt *r,
                             struct base_err *err) FM_CHECK;

/* The transaction that did. FM_E_NOT_FOUND: this node does not have it. */
fm_status cli_deposit_find(uint8_t tx32[32], struct ledger_reader *reader,
                           const struct evidence_receipt *r, struct base_err *err) FM_CHECK;

/* Appends a certificate: its line, then the bundle that discloses the deposit. */
fm_status cli_deposit_certify(FILE *f, struct ledger_reader *reader,
                              const struct ledger_certificate *c, struct base_err *err) FM_CHECK;

/* The digest of a record's line by the receipt's algorithm, its newline included. */
fm_status cli_deposit_digest(uint8_t out32[32], const char *algorithm, const struct base_buf *line,
                             struct base_err *err) FM_CHECK;

#endif
