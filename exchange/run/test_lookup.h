/* Three tables of one member, or of two, and one of the asker's: for test_lookup.c. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_LOOKUP_H
#define FIRMIANA_EXCHANGE_RUN_TEST_LOOKUP_H

#include "exchange/run/run.h"
#include "exchange/sql/plan/catalog.h"

/* loans are bank_b's; places and regions too, or bank_c's; risks are those of bank_a, which asks.
 */
enum { LOANS, PLACES, REGIONS, RISKS, TABLES, COLUMNS = 4, MOST = 40 };

struct rows {
    size_t count;
    struct sql_cell cells[MOST][COLUMNS];
};

struct town {
    bool apart; /* places and regions are bank_c's */
    struct rows rows[TABLES];
    struct sql_catalog catalog;
};

struct asked {
    struct sql_plan plan;
    struct sql_physical physical;
};

static inline struct sql_cell town_number(int64_t x)
{
    return (struct sql_cell){.value = x};
}

/* The same rows from the same seed. */
void town_fill(struct town *t, uint64_t seed);
/* The catalog, from all but the rows. */
void town_publish(struct town *t);
/* For bank_a. */
void town_compile(struct asked *q, const struct town *t, const char *text, int64_t minimum);
void town_release(struct asked *q);
fm_status town_run(struct sql_result *out, const struct asked *q, const struct town *t,
                   struct base_err *err) FM_CHECK;

#endif
