/* For the tests of mpc/: one program broken in every way in turn: a party dies at a message, an
 * operation fails, an allocation fails. Nobody may hang, and each time the test looks at what the
 * parties were told. Its program is linked with --wrap for malloc, calloc, realloc, aligned_alloc
 * and free. */
#ifndef FIRMIANA_MPC_TEST_BREAKS_H
#define FIRMIANA_MPC_TEST_BREAKS_H

#include "mpc/test_world.h"

struct breaks {
    world_program *tale; /* of rep3's three parties and one outsider */
    void *story;
    enum mpc_profile profile; /* of breaks_allocations() */
    void (*begin)(void *story);
    /* After each run. culprit: who failed; WORLD_PARTIES: nobody. */
    void (*judge)(const struct world *w, const void *story, unsigned culprit);
};

/* Every party but the culprit that ended with an error names it. For judges. */
void breaks_must_name(const struct world *w, unsigned culprit);

void breaks_nothing(const struct breaks *b);
/* Of parties 0..culprits - 1, at each step-th message, beginning with the party's number plus 1.
 * Returns how often. */
unsigned breaks_parties(const struct breaks *b, unsigned culprits, uint64_t step);
/* Each step-th of party 1's operations in turn. Returns how often. */
unsigned breaks_operations(const struct breaks *b, uint64_t step);
/* Party 2's allocations: each of the first, then every step-th. Returns how many it makes. */
uint64_t breaks_allocations(const struct breaks *b, uint64_t first, uint64_t step);

/* Shares, generator buffers and staging are aligned blocks: how many were freed since the program
 * began, and how many of them were not zero. */
void breaks_blocks(unsigned *freed, unsigned *dirty);

#endif
