/* Where did resolve finds a member's DID: the node of --home, or a trail of --trail. */
#ifndef FIRMIANA_CLI_DID_SOURCES_H
#define FIRMIANA_CLI_DID_SOURCES_H

#include "exchange/cli/args.h"
#include "exchange/resolve/resolve.h"
#include "ledger/verify/verify.h"

/* What both are asked through: as resolve_sources.member, ctx a struct cli_args. The node's answer
 * is not believed beyond what its documents prove: the id, and the hashes of the versions. */
fm_status cli_did_from_node(void *ctx, struct resolve_found *out, const char *did,
                            const struct did_which *which, struct base_err *err);
/* The trail is checked whole first, as firmiana-verify does; every signature behind every version
 * holds. On what that rests goes to standard error. */
fm_status cli_did_from_trail(void *ctx, struct resolve_found *out, const char *did,
                             const struct did_which *which, struct base_err *err);

/* --home, --trail or neither, as given. */
struct resolve_sources cli_did_sources(const struct cli_args *args);

#endif
