/* Which of a node's queries may run, and which wait, how long a line may get, and how much memory
 * all together may take. Pure: no node, no clock.
 *
 * Policy. Each query has an estimate of the memory that it takes here
 * (exchange/run/estimate.h). There are two lanes: small ones, at most limit/32 each, and
 * large ones. Small: up to 8 at once, which is a quarter of the limit; large: up to 4 at once as
 * long as their estimates together fit into the other three quarters. So a small query never waits
 * for a large one; those that run share the processors as threads do.
 *
 * Each lane is first come, first served, without overtaking, in the order of the ledger. That is
 * what keeps nodes from waiting for each other in a circle: a query that has a place at one node
 * and waits for one at another waits for older queries only, whichever lane each node puts it in;
 * the oldest of all waits for none.
 *
 * Refused, with words that say what to do: a query larger than its lane will ever be (node.memory);
 * a query when LANES_MAX are here already, or half as many by the same asker (node.busy), so that
 * no member takes everybody's room. */
#ifndef FIRMIANA_EXCHANGE_NODE_LANES_H
#define FIRMIANA_EXCHANGE_NODE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { LANES_MAX = 64, LANES_MAX_EACH = LANES_MAX / 2, LANES_SMALL = 8, LANES_LARGE = 4 };

enum lanes_kind { LANES_KIND_SMALL, LANES_KIND_LARGE };

/* A query's place: part of the query, on the list from enter to leave. */
struct lanes_place {
    struct lanes_place *next;
    uint64_t order; /* of its query.open on the ledger */
    uint64_t bytes;
    char asker[33];
    enum lanes_kind kind;
    bool entered;
    bool admitted;
};

struct lanes {
    uint64_t limit; /* bytes */
    struct lanes_place *first;
};

/* FM_E_REFUSED with *rule: the place is not entered. */
fm_status lanes_enter(struct lanes *lanes, struct lanes_place *place, const char **rule,
                      struct base_err *err) FM_CHECK;
/* Gives the place up, for good; nothing if it was not entered. */
void lanes_leave(struct lanes *lanes, struct lanes_place *place);
/* Admits all that may run now; true if there was one. */
bool lanes_admit(struct lanes *lanes);
/* How many of its lane are before it, itself included, that wait; 0 once admitted. */
unsigned lanes_position(const struct lanes *lanes, const struct lanes_place *place);
/* How many run, and how many wait. */
void lanes_count(const struct lanes *lanes, unsigned *running, unsigned *waiting);
/* Would one more query of this asker be refused, whatever its size? */
bool lanes_full(const struct lanes *lanes, const char *asker);

#endif
