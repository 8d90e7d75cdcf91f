/* Keys that cosign, as C2SP signed-note verifier keys for tlog-cosignature, one line each:
 *
 *   NAME+HHHHHHHH+BASE64(0x04 || Ed25519 public key)
 *
 * H: the key id, H(NAME || 0x0A || 0x04 || public key)[0..4). For a member NAME is its DID. Where
 * the profile is national, 0xff || "firmiana/sm2-cosignature" stands for 0x04, the key is SM2's (33
 * bytes) and the hash SM3 (checkpoint.h). */
#ifndef FIRMIANA_LEDGER_VKEY_H
#define FIRMIANA_LEDGER_VKEY_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/proof/checkpoint.h"

struct ledger_vkey {
    char name[DID_FIRMIANA_TEXT];
    struct did_key key; /* of suite ed25519, or sm2 */
};

/* Appends the line, with its newline. FM_E_ARG: a name that no cosigner may have (checkpoint.h).
 * FM_E_UNSUPPORTED: a key of another suite than the profile's usual one. */
fm_status ledger_vkey_put(struct base_buf *out, const char *name, const struct did_key *key,
                          struct base_err *err) FM_CHECK;

/* Reads up to max lines, all of one suite. SM2's keys say that their ledger is national, which the
 * process then adopts (base/profile.h): FM_E_CONFLICT if it works under international; Ed25519's in
 * a national process are FM_E_AUTH. FM_E_INPUT names the line that is wrong; FM_E_LIMIT: there are
 * more. */
fm_status ledger_vkeys_parse(struct ledger_vkey *out, size_t max, size_t *n, const char *text,
                             size_t len, struct base_err *err) FM_CHECK;

/* How many of these keys cosigned the checkpoint, each counted once. FM_E_AUTH names a line by one
 * of them that does not verify; lines of others are passed over, as C2SP asks. */
fm_status ledger_vkeys_count(size_t *count, const struct ledger_checkpoint *checkpoint,
                             const struct ledger_vkey *keys, size_t n,
                             struct base_err *err) FM_CHECK;

#endif
