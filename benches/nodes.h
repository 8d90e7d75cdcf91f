/* Whole queries by real nodes, for measurements: three banks bank_a, bank_b and bank_c, each a
 * process on loopback that provides and computes, with ledger, sealed channels, receipts and all,
 * until bench_nodes_stop(). */
#ifndef FIRMIANA_BENCHES_NODES_H
#define FIRMIANA_BENCHES_NODES_H

#include "benches/options.h"
#include "exchange/cli/throwaway.h"

enum { BENCH_BANKS = 3, BENCH_RUNS_MAX = 32 };

struct bench_nodes {
    char folder[64]; /* made for the databases, FOLDER/bank_a.db ...; removed at the end */
    struct throwaway t;
};

/* An empty folder for the caller to put the databases in. Errors: FM_E_IO. */
fm_status bench_nodes_folder(struct bench_nodes *out, struct base_err *err) FM_CHECK;
fm_status bench_nodes_start(struct bench_nodes *nodes, struct base_err *err) FM_CHECK;
void bench_nodes_stop(struct bench_nodes *nodes);

/* schema: what to declare, used up; NULL: what the import declared. */
fm_status bench_publish(const struct bench_nodes *nodes, size_t bank, const char *table,
                        json_t *schema, struct base_err *err) FM_CHECK;

struct bench_question {
    const char *name;
    const char *sql;
    const char *parameter; /* the value of $1, an INTEGER of 0 .. 99999999; NULL: there is none */
    const char *providers; /* whose tables it reads, by last letter: "abc" */
    long long rows;        /* of all inputs, padded */
};

/* Rows of a bench's table of fields. */
#define BENCH_FIELDS_NODES                                                                  \
    {"n", "rows", "of all inputs, padded"}, {"protocol", "", "of the computation"},         \
        {"threads", "", "of each party's computation"},                                     \
        {"seconds", "s", "from query.open being final at the asker to the answer, median"}, \
        {"min", "s", "of the same, the least"}, {"max", "s", "the greatest"},               \
        {"seconds_total", "s", "as the caller waits: until query.close is final; median"},  \
        {"ops_per_s", "1/s", "n / seconds"},                                                \
        {"bytes_sent_per_party", "bytes", "payload of a run, mean of the parties"},         \
        {"rounds", "", "of a run"},                                                         \
        {"peak_rss", "bytes", "memory of the greatest node's process so far"},              \
        {"memory_grown", "bytes", "what a query added to it; 0 if it was higher before"},   \
        {"estimated_bytes_per_party", "bytes", "as explain says beforehand"},               \
        {"estimated_rounds", "", "likewise"}, {"estimated_seconds", "s", "likewise"},       \
    {                                                                                       \
        "estimated_memory", "bytes", "likewise, of the greatest party"                      \
    }

/* Bank_a proposes the contract, its providers authorize, bank_a asks once to warm up (the first
 * query after a publication hashes the rows once more) and `runs` times more; all answers must be
 * equal. Prints one line of BENCH_FIELDS_NODES. FM_E_INVALID where these are far
 * off, bytes by a quarter, rounds by two fifths (sorts of some thousand rows are by a tenth),
 * memory by twice and 16 MiB.
 */
fm_status bench_measure(const struct bench_nodes *nodes, const struct bench_question *q,
                        unsigned runs, struct base_err *err) FM_CHECK;

#endif
