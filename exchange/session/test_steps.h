/* Four parties, of which p0 asks: brought to a state together, and what is said of their ends. */
#ifndef FIRMIANA_EXCHANGE_SESSION_TEST_STEPS_H
#define FIRMIANA_EXCHANGE_SESSION_TEST_STEPS_H

#include "exchange/session/test_net.h"

enum { STEPS_N = 4, STEPS_ASKER = 0 };

/* All parties in that state, and what the next one waits for still under way. */
void steps_go_to(struct test_net *net, enum session_state state);
void steps_begin(struct test_net *net, enum session_state state);
/* Party `who` ended with that code and sentence. */
void steps_require_end(const struct test_net *net, unsigned who, fm_status code, const char *text);
/* The ledger has this close, with so many proofs; NULL for no rule, no party. */
void steps_require_closed(const struct test_net *net, const char *outcome, const char *rule,
                          const char *party, unsigned signers);
/* How many can say that nothing was shared: none but the asker's own word once the asker started.
 */
unsigned steps_truthful(const struct test_net *net);

#endif
