/* What a node has counted since it started: for `firmiana status` and the metrics. Labels come from
 * closed lists (transaction types, rule codes) or from peers' signed receipts, so each set is
 * bounded: what does not fit any more is counted under "other". No names of people, no values, no
 * query ids. */
#ifndef FIRMIANA_EXCHANGE_NODE_COUNTS_H
#define FIRMIANA_EXCHANGE_NODE_COUNTS_H

#include <stddef.h>
#include <stdint.h>

enum { COUNT_LABEL = 48, COUNT_SET = 192, COUNT_BUCKETS = 12 };

/* Numbers under one or two labels. */
struct count_set {
    struct count_row {
        char a[COUNT_LABEL], b[COUNT_LABEL];
        uint64_t n;
    } rows[COUNT_SET];
    size_t used;
};

/* Adds one. b "" where there is no second label. Control characters, quotes and backslashes in
 * labels become '_'. */
void count_add(struct count_set *set, const char *a, const char *b);
/* The sum of all rows whose first label is a. */
uint64_t count_of(const struct count_set *set, const char *a);

/* A histogram of milliseconds over fixed bounds (ms); the last bucket is +Inf. */
extern const unsigned count_bounds_ms[COUNT_BUCKETS];
struct count_times {
    uint64_t bucket[COUNT_BUCKETS + 1]; /* each counted once: sums are made when shown */
    uint64_t n;
    double sum_ms;
};
void count_time(struct count_times *times, double ms);

/* Those of one UTC day. */
struct count_day {
    int64_t day; /* since 1970 */
    uint64_t done, refused, aborted;
};

struct node_counts {
    int64_t started_unix_ms, started_mono_ms;
    struct count_set queries;      /* outcome, rule: queries closed that this node took part in */
    struct count_set transactions; /* type, "" or the rule that refused it: as they became final */
    struct count_set sent;         /* "ok", "refused", "dropped": this node's own transactions */
    struct count_times finality;   /* from submission here to final */
    struct count_times computing;  /* of a query's computation */
    struct count_day today;
    uint64_t mpc_rounds, mpc_sent, mpc_received; /* bytes */
    uint64_t connected, disconnected,
        refused;     /* channels; refused: dialled, and did not come about */
    uint64_t blocks; /* height that became final, since the start */
};

/* A query was closed: outcome "done", "refused", "aborted"; rule "" when done. */
void counts_query(struct node_counts *counts, const char *outcome, const char *rule,
                  int64_t unix_ms);
/* The figures of the UTC day that unix_ms is in. */
struct count_day counts_today(const struct node_counts *counts, int64_t unix_ms);

#endif
