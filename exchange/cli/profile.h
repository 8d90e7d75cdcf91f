/* Under which profile of algorithms (base/profile.h) a command works. */
#ifndef FIRMIANA_EXCHANGE_CLI_PROFILE_H
#define FIRMIANA_EXCHANGE_CLI_PROFILE_H

#include "exchange/cli/args.h"

#define CLI_PROFILE_OPTION                                                            \
    {                                                                                 \
        "profile", "NAME",                                                            \
            "algorithms: international (default), or national: SM2, SM3, SM4 (also: " \
            "$FIRMIANA_PROFILE)",                                                     \
            CLI_OPTIONAL                                                              \
    }

/* Adopts --profile, else $FIRMIANA_PROFILE, and what the genesis in the home says, where there is
 * one; FM_E_CONFLICT if they differ. Before the command runs. */
fm_status cli_profile(const struct cli_args *args, struct base_err *err) FM_CHECK;

/* FM_E_UNSUPPORTED, with the reason, where the profile is national. */
fm_status cli_profile_allows_comet(struct base_err *err) FM_CHECK;

#endif
