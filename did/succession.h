/* Which document may begin a DID, and which version may follow which, under whose signature. The
 * ledger asks these for did.create, did.update, did.recover and did.deactivate.
 *
 *   absent --first--> version 1 --officers or recovery--> version 2 --...--> deactivated (the end)
 *   deactivated by officers --recovery, within DID_OVERRIDE_MS--> version n + 1
 */
#ifndef FIRMIANA_DID_SUCCESSION_H
#define FIRMIANA_DID_SUCCESSION_H

#include "did/document.h"

/* A recovery overrides what officers changed in the 72 hours before it (method.md, section 4). */
#define DID_OVERRIDE_MS ((int64_t)72 * 3600 * 1000)

enum did_authority {
    DID_BY_OFFICERS, /* `threshold` officers of the version before */
    DID_BY_RECOVERY, /* the key to whose hash the version before commits */
    DID_BY_UNDOING,  /* that key, in time to undo what officers deactivated (the ledger knows) */
    DID_BY_MEMBERS,  /* a vote of the ledger's members, for one that lost its keys */
};

/* A first document for this ledger: version 1, not deactivated, chain of this genesis. (That its id
 * is right, parsing has checked.) FM_E_REFUSED names the rule. */
fm_status did_succession_check_first(const struct did_document *doc,
                                     const uint8_t genesis_hash32[32],
                                     struct base_err *err) FM_CHECK;

/* next follows prev under that authority: same DID, same alias, version + 1, previous = hash of
 * prev, prev not deactivated. Officers must leave the recovery hash as it is; the recovery key must
 * replace it, since using it has shown it (except when it deactivates). Undoing, prev is
 * deactivated, and next is not. A vote may do either, and does not deactivate. FM_E_REFUSED names
 * the rule. Signatures are not checked here. */
fm_status did_succession_check_next(const struct did_document *prev,
                                    const struct did_document *next, enum did_authority authority,
                                    struct base_err *err) FM_CHECK;

/* Verifies the signatures of an object that asks for a change to prev (the transaction that carries
 * the next document), and says under which authority it stands. A single proof by a did:key is
 * recovery: its key must be the one that prev commits to. Anything else is officers: enough of
 * prev's. Purpose capabilityInvocation in both cases. Errors as did_proof_verify_set(). */
fm_status did_succession_verify(enum did_authority *out, const struct did_document *prev,
                                const json_t *object, uint32_t rules_version,
                                struct base_err *err) FM_CHECK;

#endif
