#include "exchange/data/distinct.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

void data_distinct_init(struct data_distinct *d, size_t *pool)
{
    *d = (struct data_distinct){.pool = pool};
}

void data_distinct_release(struct data_distinct *d)
{
    free(d->slots);
    *d = (struct data_distinct){.slots = NULL};
}

/* FNV-1a, and the finaliser of MurmurHash3 so that every bit depends on every byte: the sample is
 * chosen by the highest bits, slots by the lowest. Not against an adversary, who would only spoil
 * an estimate about his own file. */
uint64_t data_hash64(const char *bytes, size_t len)
{
    uint64_t h = 0xcbf29ce484222325U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3U;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdU;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53U;
    h ^= h >> 33;
    return h != 0 ? h : 1;
}

static bool sampled(uint64_t hash, unsigned level)
{
    return level == 0 || hash >> (64 - level) == 0;
}

static void put(struct data_distinct *d, uint64_t hash, uint64_t count)
{
    size_t i = hash & (d->size - 1);

    while (d->slots[i].hash != 0 && d->slots[i].hash != hash)
        i = (i + 1) & (d->size - 1);
    if (d->slots[i].hash == 0) {
        d->slots[i].hash = hash;
        d->used++;
    }
    d->slots[i].count += count;
}

/* Moves what stays at the level into a table of `size` slots. */
static fm_status rebuild(struct data_distinct *d, size_t size, unsigned level, struct base_err *err)
{
    struct data_distinct_slot *before = d->slots;
    size_t n = d->size;

    d->slots = calloc(size, sizeof *d->slots);
    if (d->slots == NULL) {
        d->slots = before;
        return base_err_memory(err, "counting values");
    }
    d->size = size;
    d->level = level;
    d->used = 0;
    for (size_t i = 0; i < n; i++)
        if (before[i].hash != 0 && sampled(before[i].hash, level))
            put(d, before[i].hash, before[i].count);
    free(before);
    return FM_OK;
}

/* Twice the slots if the pool has them, else half of the sample. */
static fm_status make_room(struct data_distinct *d, struct base_err *err)
{
    size_t more = d->size;
    fm_status st;

    if (*d->pool < more)
        return rebuild(d, d->size, d->level + 1, err);
    st = rebuild(d, d->size * 2, d->level, err);
    if (st == FM_OK)
        *d->pool -= more;
    return st;
}

fm_status data_distinct_add(struct data_distinct *d, const char *bytes, size_t len,
                            struct base_err *err)
{
    uint64_t hash = data_hash64(bytes, len);
    fm_status st = FM_OK;

    if (d->size == 0)
        st = rebuild(d, FIRST_SLOTS, 0, err);
    while (st == FM_OK && d->used >= d->size / 4 * 3)
        st = make_room(d, err);
    if (st == FM_OK && sampled(hash, d->level))
        put(d, hash, 1);
    return st;
}

uint64_t data_distinct_values(const struct data_distinct *d)
{
    return (uint64_t)d->used << d->level;
}

bool data_distinct_exact(const struct data_distinct *d)
{
    return d->level == 0;
}

uint64_t data_distinct_most_rows(const struct data_distinct *d)
{
    uint64_t most = 0;

    for (size_t i = 0; i < d->size; i++)
        if (d->slots[i].count > most)
            most = d->slots[i].count;
    return most;
}
