/* A town with a replica on disk whose whole trail is also told to the verifier, from a bundle: its
 * rules are its own. */
#ifndef FIRMIANA_LEDGER_TEST_MACHINE_TRAIL_H
#define FIRMIANA_LEDGER_TEST_MACHINE_TRAIL_H

#include "ledger/store/test_town.h"
#include "ledger/verify/verify.h"

enum trail_members { TRAIL_PLAIN, TRAIL_VALIDATORS };
void trail_begin(struct town *t, int rules, enum trail_members members);
void trail_end(struct town *t);

/* What the verifier says to the log so far, cosigned by the people whose bits are set; it must be
 * valid. The caller's to free. */
struct ledger_verified *trail_verify(struct town *t, unsigned cosigners);

/* The value under a key of the state, NULL if there is none; lent until the next call. */
const json_t *trail_state(const struct town *t, const char *key);

#endif
