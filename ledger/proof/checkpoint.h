/* Checkpoints and cosignatures (format.md section 7): C2SP tlog-checkpoint as a signed note, and
 * one C2SP tlog-cosignature line for each member that executed the blocks itself.
 *
 *   firmiana/CHAIN                                         origin, 64 hex digits
 *   1234                                                   tree size
 *   BASE64(root)
 *   epoch 2                                                not in epoch 0
 *                                                          empty line
 *   — DID BASE64(key id (4) || time (8) || signature (64)) one line per cosigner
 *
 * The signature is Ed25519's, or SM2's where the profile is national. What a cosigner signs:
 * "cosignature/v1\ntime SECONDS\n" and the lines above the empty one. Writing is exact, and parsing
 * accepts exactly what writing gives: no other extension lines, no other signature types, no other
 * base64. */
#ifndef FIRMIANA_LEDGER_CHECKPOINT_H
#define FIRMIANA_LEDGER_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "did/document.h"

#define LEDGER_COSIGNERS_MAX 128
#define LEDGER_COSIGNATURE_TYPE 0x04 /* of C2SP signed notes: tlog-cosignature by Ed25519 */
/* 0xff: a signature whose type the bytes that follow name. */
#define LEDGER_COSIGNATURE_SM2 \
    "\xff"                     \
    "firmiana/sm2-cosignature"

struct ledger_cosignature {
    char name[DID_FIRMIANA_TEXT]; /* the member's DID */
    uint8_t key_id[4];
    int64_t time_s; /* seconds since 1970, > 0 */
    uint8_t signature[64];
};

struct ledger_checkpoint {
    uint8_t chain[32];
    uint64_t size;
    uint8_t root[32];
    uint64_t epoch; /* of the block that ends there */
    size_t n; /* cosignatures, in the order of their members' aliases; the names are distinct */
    struct ledger_cosignature cosigner[LEDGER_COSIGNERS_MAX];
};

/* FM_E_ARG unless a cosigner may have this name: 1 to DID_FIRMIANA_TEXT - 1 printable ASCII
 * characters, no space and no '+' (C2SP signed-note, which also lets be what is not ASCII). */
fm_status ledger_cosigner_name(const char *name, struct base_err *err) FM_CHECK;

/* Signs chain, size, root and epoch of the checkpoint (its lines do not matter). secret is an
 * assertionMethod key of the member `did`, of suite ed25519, or sm2 where the profile is national
 * (FM_E_UNSUPPORTED otherwise). FM_E_ARG: a name that no cosigner may have, or no time. */
fm_status ledger_cosign(struct ledger_cosignature *out, const struct ledger_checkpoint *checkpoint,
                        const char *did, const struct did_secret *secret, int64_t time_s,
                        struct base_err *err) FM_CHECK;

/* That the cosignature is the document's own: by a key that it has for assertionMethod, over chain,
 * size, root and epoch of the checkpoint. FM_E_AUTH says what is wrong; other errors are no
 * verdict. */
fm_status ledger_cosignature_verify(const struct ledger_cosignature *cosignature,
                                    const struct ledger_checkpoint *checkpoint,
                                    const struct did_document *doc, uint32_t rules_version,
                                    struct base_err *err) FM_CHECK;

/* The same of one key, whoever's it is: witnesses need not be members. */
fm_status ledger_cosignature_verify_key(const struct ledger_cosignature *cosignature,
                                        const struct ledger_checkpoint *checkpoint,
                                        const struct did_key *key, uint32_t rules_version,
                                        struct base_err *err) FM_CHECK;
/* H(name || 0x0A || type || public key)[0..4), with LEDGER_COSIGNATURE_SM2 as an sm2 key's type. */
void ledger_cosignature_key_id(uint8_t out4[4], const char *name, const struct did_key *key);

/* Appends the text, with cosigner[0 .. n) in the order they stand. */
fm_status ledger_checkpoint_encode(struct base_buf *out, const struct ledger_checkpoint *checkpoint,
                                   struct base_err *err) FM_CHECK;

/* FM_E_INPUT names the line that is wrong. Signatures are not verified, n may be 0. */
fm_status ledger_checkpoint_parse(struct ledger_checkpoint *out, const char *text, size_t len,
                                  struct base_err *err) FM_CHECK;

/* True if it is over the same chain, size, root and epoch. */
bool ledger_checkpoint_same(const struct ledger_checkpoint *a, const struct ledger_checkpoint *b);

#endif
