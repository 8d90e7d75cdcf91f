#include "exchange/sql/plan/intern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void sql_intern_release(struct sql_intern *table)
{
    base_buf_release(&table->bytes);
    free(table->entries);
    *table = (struct sql_intern){0};
}

/* SHA-256 for its spread: the keys come from query texts, which may be hostile. */
static size_t slot_of(const void *key, size_t len)
{
    uint8_t hash[BASE_HASH_SIZE];

    base_hash(hash, key, len);
    return (size_t)base_load_u64(hash);
}

static void insert(struct sql_intern *table, struct sql_intern_entry entry)
{
    size_t i = slot_of(table->bytes.p + entry.offset, entry.len);

    while (table->entries[i & (table->cap - 1)].len != 0)
        i++;
    table->entries[i & (table->cap - 1)] = entry;
}

static bool grow(struct sql_intern *table)
{
    struct sql_intern_entry *old = table->entries;
    size_t old_cap = table->cap;
    size_t cap = old_cap == 0 ? 64 : 2 * old_cap;
    struct sql_intern_entry *entries = calloc(cap, sizeof *entries);

    if (entries == NULL)
        return false;
    table->entries = entries;
    table->cap = cap;
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i].len != 0)
            insert(table, old[i]);
    }
    free(old);
    return true;
}

bool sql_intern_find(struct sql_intern *table, const void *key, size_t len, size_t *value,
                     bool *fresh)
{
    struct sql_intern_entry entry = {.offset = table->bytes.len, .len = len, .value = *value};

    *fresh = false;
    if (2 * (table->count + 1) > table->cap && !grow(table))
        return false;
    for (size_t i = slot_of(key, len);; i++) {
        const struct sql_intern_entry *e = &table->entries[i & (table->cap - 1)];
        if (e->len == 0)
            break;
        if (e->len == len && memcmp(table->bytes.p + e->offset, key, len) == 0) {
            *value = e->value;
            return true;
        }
    }
    base_buf_put(&table->bytes, key, len);
    if (table->bytes.failed)
        return false;
    insert(table, entry);
    table->count++;
    *fresh = true;
    return true;
}
