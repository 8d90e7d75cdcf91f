/* The profile of algorithms that a ledger's genesis fixes, and with it the hash of every format of
 * Firmiana that is nobody else's: log and state tree, ids, commitments, transcripts.
 *
 *   international   SHA-256; Ed25519 and P-256; AES-256-GCM; TLS 1.3
 *   national        SM3; SM2; SM4-CTR with HMAC-SM3; channels by signed SM2 key agreement
 *
 * A process serves one ledger, so the profile is the process's: it is adopted once, from the
 * genesis (ledger/proof/profile.h) or, before there is one, from who makes the first keys. A
 * process that misses to adopt fails closed: the chain id is a hash of the genesis, which is then
 * another one, so that no block, signature or peer of that ledger is accepted.
 *
 * States: OPEN --adopt--> one of the two, for good; either --settle--> the same, and not even OPEN
 * changes any more: what a node does before it has threads (exchange/node), so that nothing which
 * it reads later, of whatever ledger, changes how it hashes. */
#ifndef FIRMIANA_BASE_PROFILE_H
#define FIRMIANA_BASE_PROFILE_H

#include <stdbool.h>

#include "base/status.h"

/* OPEN: nobody has said yet, or a genesis of before there were profiles: the international
 * algorithms, and signatures of every suite. */
enum base_profile { BASE_PROFILE_OPEN, BASE_PROFILE_INTERNATIONAL, BASE_PROFILE_NATIONAL };

enum base_profile base_profile(void);

/* For good. FM_E_CONFLICT if this process has adopted another, or has settled on OPEN; before that
 * OPEN may still become another.
 * Thread safe, but what was hashed before was hashed as it was then: before any of a ledger's bytes
 * is. */
fm_status base_profile_adopt(enum base_profile profile, struct base_err *err) FM_CHECK;

/* No change from now on. Any number of times. */
void base_profile_settle(void);

/* Back to OPEN, and nothing settled: for who looks at several ledgers one after the other, with no
 * other thread at work on either. */
void base_profile_forget(void);

/* "international", "national"; of OPEN "open". */
const char *base_profile_name(enum base_profile profile);
/* Of a name that a person or a genesis gives: the two that can be fixed. */
bool base_profile_find(enum base_profile *out, const char *name) FM_CHECK;

static inline bool base_profile_is_national(void)
{
    return base_profile() == BASE_PROFILE_NATIONAL;
}

#endif
