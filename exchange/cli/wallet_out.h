/* Where a wallet's documents go: a file, standard output, or QR codes on a terminal or as images.
 */
#ifndef FIRMIANA_EXCHANGE_CLI_WALLET_OUT_H
#define FIRMIANA_EXCHANGE_CLI_WALLET_OUT_H

#include <jansson.h>

#include "exchange/cli/args.h"

#define WALLET_OUT_OPTIONS                                                                 \
    {"out", "FILE", "where to write it (default: standard output)", CLI_OPTIONAL},         \
        {"qr", NULL, "as QR codes on this terminal; several if it is long", CLI_OPTIONAL}, \
    {                                                                                      \
        "image", "FILE",                                                                   \
            "as QR codes in FILE.png or FILE.svg; FILE-1.png and so on if it is long",     \
            CLI_OPTIONAL                                                                   \
    }

/* Can the options be obeyed? Before a passphrase is asked. FM_E_ARG, FM_E_CONFLICT. */
fm_status wallet_out_check(const struct cli_args *args, struct base_err *err) FM_CHECK;
/* An object, as its canonical bytes, or a text. FM_E_LIMIT: too long for codes. */
fm_status wallet_out_put(const struct cli_args *args, const json_t *value,
                         struct base_err *err) FM_CHECK;

#endif
