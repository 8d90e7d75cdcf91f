#include "exchange/cli/wallet_args.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "did/moment.h"
#include "exchange/cli/keys.h"

fm_status wallet_args_open(struct wallet_file *f, const struct cli_args *args,
                           enum wallet_access access, struct base_err *err)
{
    const char *path = cli_value(args, "wallet");
    struct did_passphrase *pass = NULL;
    fm_status st;

    *f = (struct wallet_file){.lock = -1};
    if (path == NULL)
        path = getenv("FIRMIANA_WALLET");
    if (path == NULL || path[0] == '\0')
        return base_err_set(err, FM_E_ARG, "%s needs --wallet FILE, or FIRMIANA_WALLET",
                            args->command->name);
    st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);
    if (st == FM_OK)
        st = wallet_file_open(f, path, access, pass, err);
    did_passphrase_free(pass);
    return st;
}

fm_status wallet_args_save(struct wallet_file *f, struct base_err *err)
{
    return wallet_file_save(f, base_random_system(), err);
}

const char *wallet_args_moment(char out[32], int64_t ms)
{
    struct base_err err = {0};

    if (did_moment_format(out, ms / 1000, &err) != FM_OK)
        (void)snprintf(out, 32, "(no such time)");
    return out;
}
