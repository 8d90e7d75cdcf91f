/* What anyone can do with a published log (tiles.h): check the whole of it, and cosign it as a
 * witness, who need be no member and sees no entry's content. */
#ifndef FIRMIANA_LEDGER_PUBLISHED_H
#define FIRMIANA_LEDGER_PUBLISHED_H

#include <stdint.h>

#include "ledger/transparency/tiles.h"
#include "ledger/transparency/vkey.h"

/* Whom to believe: these members' keys, at least `quorum` of them. */
struct ledger_trust {
    const struct ledger_vkey *keys;
    size_t n, quorum;
};

/* Reads every tile: each node is the hash of those below it, each leaf that of its entry, the root
 * is the checkpoint's, and enough of the trusted keys cosigned that. *out: the checkpoint;
 * *signers: how many of those keys. FM_E_INVALID says what does not hold; FM_E_AUTH: a cosignature.
 */
fm_status ledger_published_verify(struct ledger_checkpoint *out, size_t *signers, const char *dir,
                                  const struct ledger_trust *trust, struct base_err *err) FM_CHECK;

/* A witness cosigns DIR/checkpoint: enough of the trusted keys signed it, and the log goes on from
 * the one that this witness cosigned last, which stands in the file `memory` (absent the first
 * time), by a consistency proof out of the tiles. The memory is written before the cosignature
 * leaves: a witness never signs two histories, whenever it is killed. The line goes into
 * DIR/checkpoint beside the others. name: 1 to DID_FIRMIANA_TEXT - 1 printable ASCII characters but
 * '+'; secret: of suite ed25519.
 * FM_E_CONFLICT: what it cosigned last is no beginning of this log: the log has two histories, both
 * files are evidence. FM_E_INVALID, FM_E_AUTH as above. */
fm_status ledger_witness_cosign(struct ledger_checkpoint *out, const char *dir, const char *memory,
                                const struct ledger_trust *trust, const char *name,
                                const struct did_secret *secret, int64_t time_s,
                                struct base_err *err) FM_CHECK;

#endif
