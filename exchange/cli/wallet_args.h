/* What the wallet commands share: which file, its passphrase, and the phrase that brings it back.
 */
#ifndef FIRMIANA_EXCHANGE_CLI_WALLET_ARGS_H
#define FIRMIANA_EXCHANGE_CLI_WALLET_ARGS_H

#include "exchange/cli/args.h"
#include "exchange/cli/common.h"
#include "exchange/wallet/file.h"

#define WALLET_FILE_OPTION                                                       \
    {                                                                            \
        "wallet", "FILE", "the wallet (default: $FIRMIANA_WALLET)", CLI_OPTIONAL \
    }

/* Opens the wallet of --wallet or $FIRMIANA_WALLET under the passphrase that is given or asked. The
 * caller closes it, after a failed open too. */
fm_status wallet_args_open(struct wallet_file *f, const struct cli_args *args,
                           enum wallet_access access, struct base_err *err) FM_CHECK;
fm_status wallet_args_save(struct wallet_file *f, struct base_err *err) FM_CHECK;

/* A moment in milliseconds as text; "(no such time)". */
const char *wallet_args_moment(char out[32], int64_t ms);

#endif
