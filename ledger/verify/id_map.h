/* A table from ids (32-byte hashes) to numbers, in memory: 41 bytes a slot, at most three quarters
 * full. For ids that are SHA-256 outputs: their own bytes spread them. */
#ifndef FIRMIANA_LEDGER_ID_MAP_H
#define FIRMIANA_LEDGER_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* {0} is an empty one. */
struct ledger_id_map {
    uint8_t (*id)[32];
    int64_t *value;
    bool *used;
    size_t cap, n;
};

void ledger_id_map_release(struct ledger_id_map *map);

/* NULL if it is not there. Borrowed until the next put. */
int64_t *ledger_id_map_get(const struct ledger_id_map *map, const uint8_t id32[32]);

/* Adds an id that is not there. When the table would have to grow, entries with value < expired are
 * dropped first (INT64_MIN: none). FM_E_MEMORY. */
fm_status ledger_id_map_put(struct ledger_id_map *map, const uint8_t id32[32], int64_t value,
                            int64_t expired, struct base_err *err) FM_CHECK;

#endif
