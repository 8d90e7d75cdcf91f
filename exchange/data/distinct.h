/* How many different values a stream holds, and how often the most frequent one stands there, in
 * bounded memory: adaptive sampling (Flajolet, "On adaptive sampling", Computing 43, 1990). Values
 * are known by a 64-bit hash; a table of hashes is exact until it is full; then only hashes with
 * one more zero bit in front stay, and so on. A hash that stays was never dropped, so its count is
 * exact.
 *
 * Tables grow from one pool, so that a column of identifiers gets what a column of five words
 * leaves. Exact (level 0) as long as the pool lasts, but for hashes that collide (2^-64 a pair);
 * beyond, the standard error is about 1.2 / sqrt(slots / 2). */
#ifndef FIRMIANA_EXCHANGE_DATA_DISTINCT_H
#define FIRMIANA_EXCHANGE_DATA_DISTINCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct data_distinct {
    struct data_distinct_slot {
        uint64_t hash; /* 0: empty */
        uint64_t count;
    } * slots;
    size_t size, used; /* slots, and those in use */
    size_t *pool;      /* slots that nobody has yet */
    unsigned level;
};

/* Of bytes; never 0. Equal bytes have equal hashes; whoever chooses bytes can make others collide.
 */
uint64_t data_hash64(const char *bytes, size_t len);

/* pool: borrowed. Memory: 16 bytes a slot, the first 64 of each whatever the pool. */
void data_distinct_init(struct data_distinct *d, size_t *pool);
fm_status data_distinct_add(struct data_distinct *d, const char *bytes, size_t len,
                            struct base_err *err) FM_CHECK;
void data_distinct_release(struct data_distinct *d);

uint64_t data_distinct_values(const struct data_distinct *d);
bool data_distinct_exact(const struct data_distinct *d);
/* Rows of the most frequent value; if the number of values is not exact, a lower bound. */
uint64_t data_distinct_most_rows(const struct data_distinct *d);

#endif
