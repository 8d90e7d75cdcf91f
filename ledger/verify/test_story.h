/* What the tests of the verifier share: a world under test, a story to tell in it, and what to
 * expect of it. */
#ifndef FIRMIANA_LEDGER_TEST_STORY_H
#define FIRMIANA_LEDGER_TEST_STORY_H

#include "ledger/proof/test_world.h"
#include "ledger/verify/verify.h"

#define ALL 15u /* the four members of genesis */

/* The world of the running test, made and released around it, and the last error. */
extern struct world *w;
extern struct base_err err;
int story_set_up(void **state);
int story_tear_down(void **state);
#define T(name) cmocka_unit_test_setup_teardown(name, story_set_up, story_tear_down)

/* Verifies len bytes, read in chunks, as a bundle of this world's ledger. */
fm_status story_verify(struct ledger_verified **report, const uint8_t *p, size_t len, size_t chunk);
/* The bundle as it stands is valid; or is found wrong by this check, at this leaf, with this text
 * in the sentence. */
void story_expect_valid(void);
void story_expect_invalid(const char *check, uint64_t leaf, const char *text);

/* Transactions, ready to be put. */
json_t *story_dataset(size_t sender);
json_t *story_suspend(size_t sender, const char *alias);
/* What the engine vouches for: an act of that member's validator at that height. */
json_t *story_proven(const char *member, const char *act, int height);
json_t *story_vote(size_t sender, const json_t *proposal, bool accept);
json_t *story_close(json_t *receipt);
json_t *story_consent(json_t *consent);
json_t *story_revocation(const json_t *consent, const struct did_secret *subject);

/* A contract, a consent, a query that is done, one that was aborted and one left open, and a
 * refusal. */
void story_tell_queries(void);
/* A member joins, one is suspended, keys rotate, one recovers, one leaves. */
void story_tell_identity(void);
/* The parameters of the genesis, as the state has them. */
json_t *story_params(void);
/* Both, two state lines and the checkpoint. */
void story_tell_all(void);
/* Ends the block and the bundle as it must be. */
void story_finish(void);

#endif
