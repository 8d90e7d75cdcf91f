/* Whole queries by real nodes, for measurements: three banks bank_a, bank_b and bank_c, each a
 * process on loopback that provides and computes, with ledger, sealed channels, receipts and all,
 * until bench_nodes_stop(). */
#ifndef FIRMIANA_BENCHES_NODES_H
#define FIRMIANA_BENCHES_NODES_H

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

/* Bank_a proposes the contract, its providers authorize, bank_a asks once to warm up (the first
 * query after a publication hashes the rows once more) and `runs` times more; all answers must be
 * equal. Prints one JSON object: query, rows, protocol, seconds (median, from the moment at which
 * query.open is final at the asker to the answer), its min and max, seconds_total (median, as the
 * caller waits: until query.close is final), bytes_sent_per_party (mean), rounds, peak_rss (bytes,
 * greatest party, of the whole process so far); estimated: what explain says beforehand of bytes,
 * rounds, seconds on this machine and memory (the greatest party's); memory_grown: its peak_rss
 * beyond what the process had before, 0 if it was higher before. FM_E_INVALID where these are far
 * off, bytes by a quarter, rounds by two fifths (sorts of some thousand rows are by a tenth),
 * memory by twice and 16 MiB.
 */
fm_status bench_measure(const struct bench_nodes *nodes, const struct bench_question *q,
                        unsigned runs, struct base_err *err) FM_CHECK;

#endif
