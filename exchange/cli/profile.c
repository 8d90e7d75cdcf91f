#include "exchange/cli/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "exchange/node/home.h"
#include "ledger/proof/profile.h"
#include "ledger/store/chain.h"

enum { GENESIS_MAX = 1 << 24 };

static fm_status adopt_named(const char *name, const char *where, struct base_err *err)
{
    enum base_profile profile;

    if (!base_profile_find(&profile, name))
        return base_err_set(err, FM_E_ARG, "%s %s: international or national", where, name);
    return base_profile_adopt(profile, err);
}

/* A home that does not exist, or has no genesis yet, says nothing. */
static fm_status adopt_home(const char *home, struct base_err *err)
{
    struct base_buf genesis = {0};
    uint8_t chain[32];
    char path[HOME_PATH];
    fm_status st = home_path(path, home, "genesis.json", err);

    if (st != FM_OK || access(path, R_OK) != 0)
        return st;
    st = base_file_read(&genesis, path, GENESIS_MAX, err);
    if (st == FM_OK && ledger_genesis_chain(chain, genesis.p, genesis.len, err) == FM_E_CONFLICT)
        st = base_err_prefix(err, "%s", path); /* what else is wrong with it, its readers say */
    base_buf_release(&genesis);
    return st;
}

fm_status cli_profile(const struct cli_args *args, struct base_err *err)
{
    const char *name = cli_value(args, "profile"), *home = cli_value(args, "home");
    const char *everywhere = getenv("FIRMIANA_PROFILE");
    fm_status st = FM_OK;

    if (name != NULL)
        st = adopt_named(name, "--profile", err);
    else if (everywhere != NULL && everywhere[0] != '\0')
        st = adopt_named(everywhere, "FIRMIANA_PROFILE:", err);
    if (home == NULL)
        home = getenv("FIRMIANA_HOME");
    return st == FM_OK && home != NULL && home[0] != '\0' ? adopt_home(home, err) : st;
}

fm_status cli_profile_allows_comet(struct base_err *err)
{
    if (!base_profile_is_national())
        return FM_OK;
    return base_err_set(err, FM_E_UNSUPPORTED,
                        "--engine cometbft: CometBFT signs its votes with Ed25519 and hashes with "
                        "SHA-256, which the profile national forbids: say --engine embedded");
}
