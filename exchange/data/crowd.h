/* Whether some value of a column may stand in more rows than it is allowed to: from 64-bit hashes
 * of the values, gathered while the rows pass by for another reason. Equal values have equal
 * hashes, so "no" is certain; "perhaps" (a value does, or two hashes collide) is for somebody to
 * count exactly. Private to exchange/data.
 *
 * Memory: 8 bytes a value, up to a bound that several columns share; beyond it the answer is
 * "perhaps". While a column is sorted, as much again for that one. */
#ifndef FIRMIANA_EXCHANGE_DATA_CROWD_H
#define FIRMIANA_EXCHANGE_DATA_CROWD_H

#include <stdbool.h>

#include "base/status.h"
#include "exchange/data/cell.h"

enum { DATA_CROWD_BYTES = 64 << 20 };

struct data_crowd {
    uint64_t *hashes;
    size_t count, cap;
    int64_t most;
    size_t *pool; /* bytes that nobody has yet */
    bool given_up;
};

/* most: rows that a value may stand in. pool: borrowed. */
void data_crowd_init(struct data_crowd *c, int64_t most, size_t *pool);
void data_crowd_add(struct data_crowd *c, const struct data_cell *cell); /* NULL counts nothing */
/* The hashes go with it. */
fm_status data_crowd_perhaps(bool *out, struct data_crowd *c, struct base_err *err) FM_CHECK;
void data_crowd_release(struct data_crowd *c);

#endif
