/* Queries that must give what SQLite gives on the pooled rows of test_query.c. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_QUERY_H
#define FIRMIANA_EXCHANGE_RUN_TEST_QUERY_H

#include <stdbool.h>
#include <stddef.h>

struct query_case {
    const char *text;
    bool ordered;
    const char *oracle; /* where SQLite wants other words; NULL: the same */
};

/* What the data break is said beside the result, and nothing fails. */
struct query_note {
    const char *text;
    const char *broken; /* SQLite's query: 1 where it happens */
    const char *note;
    const char *oracle; /* NULL: the rows are not looked at */
};

/* Joins that a grouping above takes over, where their tables are long enough to be sorted. */
extern const struct query_case fused_cases[];
extern const size_t fused_case_count;
extern const struct query_note query_notes[];
extern const size_t query_note_count;
extern const struct query_note fused_notes[];
extern const size_t fused_note_count;
extern const struct query_case query_cases[];
extern const size_t query_case_count;

#endif
