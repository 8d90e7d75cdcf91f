/* Where a bench's parties run: on this machine's loopback, or each in a network namespace of its
 * own, as benches/net-emulate sets up and says in FIRMIANA_BENCH_PLACES="NAMESPACE=ADDRESS
 * NAMESPACE=ADDRESS ...", one word a party. */
#ifndef FIRMIANA_BENCHES_PLACE_H
#define FIRMIANA_BENCHES_PLACE_H

#include "base/status.h"

struct bench_place {
    char netns[64]; /* "": stay where the parent is */
    char host[64];
};

/* Errors: FM_E_ARG if the variable names no place for this party. */
fm_status bench_place_of(struct bench_place *out, unsigned party, struct base_err *err) FM_CHECK;

/* Moves the calling thread, and all threads it makes from now on, to the place; back (-1 if it did
 * not move) is for bench_place_leave(). */
fm_status bench_place_enter(const struct bench_place *place, int *back,
                            struct base_err *err) FM_CHECK;
fm_status bench_place_leave(int back, struct base_err *err) FM_CHECK;

#endif
