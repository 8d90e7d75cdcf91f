#include "ledger/verify/id_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void ledger_id_map_release(struct ledger_id_map *map)
{
    free(map->id);
    free(map->value);
    free(map->used);
    *map = (struct ledger_id_map){0};
}

/* The slot of an id, or the free one where it belongs. There always is a free one. */
static size_t slot_of(const struct ledger_id_map *map, const uint8_t id32[32])
{
    size_t i = (size_t)base_load_u64(id32) & (map->cap - 1);

    while (map->used[i] && memcmp(map->id[i], id32, 32) != 0)
        i = (i + 1) & (map->cap - 1);
    return i;
}

int64_t *ledger_id_map_get(const struct ledger_id_map *map, const uint8_t id32[32])
{
    size_t i;

    if (map->cap == 0)
        return NULL;
    i = slot_of(map, id32);
    return map->used[i] ? &map->value[i] : NULL;
}

static void set(struct ledger_id_map *map, const uint8_t id32[32], int64_t value)
{
    size_t i = slot_of(map, id32);

    memcpy(map->id[i], id32, 32);
    map->value[i] = value;
    map->used[i] = true;
    map->n++;
}

/* A new table without what is expired, and at most half full. */
static bool rebuild(struct ledger_id_map *map, int64_t expired)
{
    struct ledger_id_map next = {0};
    size_t kept = 0;

    for (size_t i = 0; i < map->cap; i++)
        kept += map->used[i] && map->value[i] >= expired;
    next.cap = 64;
    while (next.cap < 2 * (kept + 1))
        next.cap *= 2;
    next.id = calloc(next.cap, sizeof *next.id);
    next.value = calloc(next.cap, sizeof *next.value);
    next.used = calloc(next.cap, sizeof *next.used);
    if (next.id == NULL || next.value == NULL || next.used == NULL) {
        ledger_id_map_release(&next);
        return false;
    }
    for (size_t i = 0; i < map->cap; i++) {
        if (map->used[i] && map->value[i] >= expired)
            set(&next, map->id[i], map->value[i]);
    }
    ledger_id_map_release(map);
    *map = next;
    return true;
}

fm_status ledger_id_map_put(struct ledger_id_map *map, const uint8_t id32[32], int64_t value,
                            int64_t expired, struct base_err *err)
{
    if (4 * (map->n + 1) > 3 * map->cap && !rebuild(map, expired))
        return base_err_memory(err, "table of ids");
    set(map, id32, value);
    return FM_OK;
}
