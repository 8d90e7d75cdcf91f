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

/* That enough of the trusted keys cosigned it. *signers: how many. FM_E_INVALID, FM_E_AUTH. */
fm_status ledger_trust_check(size_t *signers, const struct ledger_checkpoint *c,
                             const struct ledger_trust *trust, struct base_err *err) FM_CHECK;

struct ledger_witness {
    const char *name; /* what a cosigner may have (checkpoint.h), and no DID: those are members' */
    const struct did_secret *secret; /* of suite ed25519, or sm2 where the profile is national */
    const char *memory;              /* a file: what it cosigned last; absent the first time; beside
                                      * it MEMORY.lock, while a run has it */
    const char *note; /* a file: what it cosigns goes there, with its line alone; NULL: into DIR */
};

/* A witness cosigns DIR/checkpoint: enough of the trusted keys signed it, and the log goes on from
 * the one that this witness cosigned last, by a consistency proof out of the tiles. The memory is
 * written before the cosignature leaves: a witness never signs two histories, whenever it is
 * killed. The line goes into DIR/checkpoint beside the others and replaces none but its own key's;
 * with a note, DIR is only read. out: the checkpoint with the witness's line alone.
 * FM_E_CONFLICT: what it cosigned last is no beginning of this log: the log has two histories, both
 * files are evidence; or another key cosigned under this name; or something newer was published
 * meanwhile. FM_E_ARG: the name. FM_E_INVALID, FM_E_AUTH as above. */
fm_status ledger_witness_cosign(struct ledger_checkpoint *out, const char *dir,
                                const struct ledger_witness *witness,
                                const struct ledger_trust *trust, int64_t time_s,
                                struct base_err *err) FM_CHECK;

/* Puts a witness's line out of such a note into DIR/checkpoint, which must still be of that state
 * (FM_E_CONFLICT). key: the witness's, by which the line must verify (FM_E_AUTH; FM_E_INVALID: it
 * is not there). out: the note. */
fm_status ledger_published_add(struct ledger_checkpoint *out, const char *dir, const char *note,
                               const struct ledger_vkey *key, struct base_err *err) FM_CHECK;

#endif
