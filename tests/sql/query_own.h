/* Shared by what writes random queries: a text in two spellings. */
#ifndef FIRMIANA_TESTS_SQL_QUERY_OWN_H
#define FIRMIANA_TESTS_SQL_QUERY_OWN_H

#include "tests/sql/query.h"

struct pen {
    struct dice *dice;
    struct query *query;
    struct base_buf ours, lite;
    const char *aliases; /* tables at hand: "a", "ab", "abc" */
    unsigned nested;     /* subqueries around */
    const char *home;    /* the member of whom all tables are; NULL: of several */
};

uint32_t pen_roll(struct pen *p, uint32_t n);
void pen_both(struct pen *p, const char *fmt, ...) FM_PRINTF(2, 3);
void pen_each(struct pen *p, const char *ours, const char *lite);
const char *pen_choose(struct pen *p, const char *const *texts, uint32_t count);
#define PEN_CHOOSE(p, ...)                            \
    pen_choose(p, (const char *const[]){__VA_ARGS__}, \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

char pen_alias(struct pen *p);
/* A table, or a subquery that makes one. */
const char *pen_table(struct pen *p);

/* query_expr.c: expressions over tables that all have k, g, v, n (integers), s (text), d (date). */
void pen_integer(struct pen *p, unsigned depth);
void pen_condition(struct pen *p, unsigned depth);
void pen_comparison(struct pen *p, unsigned depth);
/* IN, EXISTS and scalar subqueries, correlated at times. */
void pen_subquery(struct pen *p);
/* query_text.c */
void pen_text(struct pen *p, unsigned depth);
void pen_text_condition(struct pen *p);

#endif
