/* One dataset's rows, frozen for a query and checked against what stands on the ledger. */
#ifndef FIRMIANA_EXCHANGE_NODE_ROWS_H
#define FIRMIANA_EXCHANGE_NODE_ROWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "exchange/data/schema.h"
#include "exchange/data/store.h"

struct node_rows {
    struct data_store *store;  /* the frozen snapshot */
    struct data_schema schema; /* as published */
    char table[DATA_NAME_MAX + 1];
    char path[512];
    struct stat before[2]; /* the file and its write-ahead log, just before it was frozen */
    uint8_t root[32];      /* once `rooted` */
    bool rooted;           /* it is known, and what was published */
    unsigned others;       /* who share it, beside one */
    bool steady;           /* they were the same just after, and not touched a moment before */
};

/* Opens path, freezes it, reads the published schema. */
fm_status node_rows_open(struct node_rows **out, const char *path, const char *table,
                         const json_t *schema, struct base_err *err) FM_CHECK;
void node_rows_free(struct node_rows *rows); /* NULL is allowed; the last who shares it frees it */
/* For one more, on the thread that has it. */
struct node_rows *node_rows_share(struct node_rows *rows);

enum { NODE_ROOTS = 32 };

/* Roots computed before, as long as the file has not been touched since: hashing a million rows
 * takes a second, and most queries meet data that nobody changed. Zero-initialise. */
struct node_roots {
    struct {
        char table[DATA_NAME_MAX + 1];
        uint64_t data_version;
        uint8_t schema[32]; /* its hash: a publication may be tried again with another */
        uint8_t root[32];
        struct stat at[2];
    } known[NODE_ROOTS];
    unsigned next;
};

/* The root of the snapshot under that data version, if it is known already. */
bool node_rows_recall(uint8_t root32[32], const struct node_roots *roots,
                      const struct node_rows *rows, uint64_t data_version);
/* Computes it (exchange/data/root.h), on any thread that has `rows` to itself. Every value is
 * checked against the schema on the way: FM_E_INPUT names table, row and column. FM_E_CANCELLED
 * once *stop is set. */
fm_status node_rows_hash(uint8_t root32[32], const struct node_rows *rows,
                         const uint8_t secret32[32], uint64_t data_version, const atomic_bool *stop,
                         struct base_err *err) FM_CHECK;
void node_rows_remember(struct node_roots *roots, const struct node_rows *rows,
                        uint64_t data_version, const uint8_t root32[32]);

#endif
