#include "exchange/node/counts.h"

#include <string.h>

enum { DAY_MS = 86400000 };

const unsigned count_bounds_ms[COUNT_BUCKETS] = {5,   10,   20,   50,    100,   200,
                                                 500, 1000, 2000, 10000, 60000, 600000};

static void copy_label(char out[COUNT_LABEL], const char *label)
{
    size_t n = 0;

    for (; label[n] != '\0' && n < COUNT_LABEL - 1; n++) {
        unsigned char c = (unsigned char)label[n];
        out[n] = c < ' ' || c >= 127 || c == '"' || c == '\\' ? '_' : (char)c;
    }
    out[n] = '\0';
}

void count_add(struct count_set *set, const char *a, const char *b)
{
    struct count_row want = {.n = 1}, *row = set->rows;

    copy_label(want.a, a);
    copy_label(want.b, b);
    while (row < set->rows + set->used &&
           (strcmp(row->a, want.a) != 0 || strcmp(row->b, want.b) != 0))
        row++;
    if (row < set->rows + set->used) {
        row->n++;
        return;
    }
    if (set->used == COUNT_SET - 1) { /* the last place is kept for all that is too much */
        copy_label(want.a, "other");
        copy_label(want.b, "other");
    } else if (set->used == COUNT_SET) {
        set->rows[COUNT_SET - 1].n++;
        return;
    }
    set->rows[set->used++] = want;
}

uint64_t count_of(const struct count_set *set, const char *a)
{
    uint64_t n = 0;

    for (size_t i = 0; i < set->used; i++)
        if (strcmp(set->rows[i].a, a) == 0)
            n += set->rows[i].n;
    return n;
}

void count_time(struct count_times *times, double ms)
{
    unsigned i = 0;

    while (i < COUNT_BUCKETS && ms > count_bounds_ms[i])
        i++;
    times->bucket[i]++;
    times->n++;
    times->sum_ms += ms;
}

struct count_day counts_today(const struct node_counts *counts, int64_t unix_ms)
{
    struct count_day today = {.day = unix_ms / DAY_MS};

    return counts->today.day == today.day ? counts->today : today;
}

void counts_query(struct node_counts *counts, const char *outcome, const char *rule,
                  int64_t unix_ms)
{
    count_add(&counts->queries, outcome, rule);
    counts->today = counts_today(counts, unix_ms);
    if (strcmp(outcome, "done") == 0)
        counts->today.done++;
    else if (strcmp(outcome, "refused") == 0)
        counts->today.refused++;
    else
        counts->today.aborted++;
}
