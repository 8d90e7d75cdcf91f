/* Random queries, each in two spellings: ours, and SQLite's over the same rows. A query is a list
 * of parts that can be left out one by one, so that one that went wrong can be made small. */
#ifndef FIRMIANA_TESTS_SQL_QUERY_H
#define FIRMIANA_TESTS_SQL_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "exchange/sql/parse/arena.h"

/* splitmix64: the same queries everywhere from the same seed. */
struct dice {
    uint64_t state;
};
uint32_t dice_below(struct dice *dice, uint32_t n);

enum part_kind { PART_OUTPUT = 0, PART_JOIN, PART_WHERE, PART_GROUP, PART_HAVING, PART_ORDER };

struct part {
    enum part_kind kind;
    bool off;
    const char *ours, *lite;
};

enum { QUERY_PARTS = 48 };

struct query {
    struct sql_arena arena;
    const char *from; /* with its alias a */
    bool distinct;
    bool total; /* its order leaves nothing open */
    size_t part_count;
    struct part parts[QUERY_PARTS];
    const char *limit; /* "" or " LIMIT ..." */
};

/* About the tables t, u and w of differential.c. */
void query_make(struct query *q, struct dice *dice);
void query_release(struct query *q);

/* Both texts; buffers are cleared first. */
void query_write(const struct query *q, struct base_buf *ours, struct base_buf *lite);
/* The text says which row comes where. */
bool query_ordered(const struct query *q);

#endif
