#include "exchange/data/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/data/distinct.h"

void data_crowd_init(struct data_crowd *c, int64_t most, size_t *pool)
{
    *c = (struct data_crowd){.most = most, .pool = pool};
}

void data_crowd_release(struct data_crowd *c)
{
    free(c->hashes);
    *c->pool += c->cap * sizeof *c->hashes;
    c->hashes = NULL;
    c->count = c->cap = 0;
}

/* Twice as much room, as far as the pool goes. */
static bool grow(struct data_crowd *c)
{
    size_t more = c->cap > 0 ? c->cap : 1024;
    uint64_t *hashes = NULL;

    if (more * sizeof *hashes <= *c->pool)
        hashes = realloc(c->hashes, (c->cap + more) * sizeof *hashes);
    if (hashes == NULL) {
        data_crowd_release(c);
        c->given_up = true;
        return false;
    }
    *c->pool -= more * sizeof *hashes;
    c->hashes = hashes;
    c->cap += more;
    return true;
}

void data_crowd_add(struct data_crowd *c, const struct data_cell *cell)
{
    const char *bytes = cell->text != NULL ? cell->text : (const char *)&cell->value;
    size_t len = cell->text != NULL ? cell->len : sizeof cell->value;

    if (cell->null || c->given_up || (c->count == c->cap && !grow(c)))
        return;
    c->hashes[c->count++] = data_hash64(bytes, len);
}

/* Sorts a into a, byte by byte from the lowest, through b: eight passes bring it back. */
static void sort(uint64_t *a, uint64_t *b, size_t n)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t at[257] = {0};
        uint64_t *swap = a;
        for (size_t i = 0; i < n; i++)
            at[(a[i] >> shift & 0xff) + 1]++;
        for (unsigned v = 1; v < 256; v++)
            at[v] += at[v - 1];
        for (size_t i = 0; i < n; i++)
            b[at[a[i] >> shift & 0xff]++] = a[i];
        a = b;
        b = swap;
    }
}

fm_status data_crowd_perhaps(bool *out, struct data_crowd *c, struct base_err *err)
{
    uint64_t *scratch = malloc((c->count + 1) * sizeof *scratch);
    int64_t run = 0;

    *out = c->given_up;
    if (scratch == NULL)
        return base_err_memory(err, "keys");
    if (c->count > 0)
        sort(c->hashes, scratch, c->count);
    for (size_t i = 0; i < c->count && !*out; i++) {
        run = i > 0 && c->hashes[i] == c->hashes[i - 1] ? run + 1 : 1;
        *out = run > c->most;
    }
    free(scratch);
    data_crowd_release(c);
    return FM_OK;
}
