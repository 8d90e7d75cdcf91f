/* What a physical plan would cost: the runner itself over a session that sends nothing and counts
 * (mpc/reckon), so there is one program and no second set of formulas. It needs declared facts
 * only, takes no input, and every node gets the same.
 *
 * rounds, bytes: those of a run, exactly, but for sorting, which follows an order that the run
 * draws: a few hundredths of its bytes, a round or two. Frames and sealing of the channels are not
 * counted, nor is what the nodes say around the computation. memory:
 * sql_estimate_memory(). seconds: sql_estimate_seconds().
 */
#ifndef FIRMIANA_EXCHANGE_RUN_ESTIMATE_H
#define FIRMIANA_EXCHANGE_RUN_ESTIMATE_H

#include "exchange/sql/physical/physical.h"
#include "mpc/reckon/reckon.h"

struct sql_estimate_config {
    const struct sql_physical *physical;
    unsigned parties; /* compute parties, providers, recipients, asker: each once */
    unsigned compute[3];
    const unsigned *sources;    /* party of each plan source */
    const unsigned *recipients; /* party of each plan recipient */
    unsigned asker;
    const struct sql_value
        *params; /* of the plan; NULL: the ends of their ranges, which cost most */
    enum mpc_profile profile;
};

/* One entry of the progress hook (run.h): "rows", "share", operators, "open". */
struct sql_cost {
    const char *name;
    uint64_t rounds;
    uint64_t bytes;   /* over all parties */
    uint64_t busy_ns; /* processor time of one compute party */
    uint64_t sent;    /* by the compute party that sends most, in this entry */
};

struct sql_estimate {
    size_t count;
    struct sql_cost *costs; /* in the order in which they run */
    struct mpc_reckoned all;
    unsigned parties;
};

/* The caller releases *out. Errors: those of sql_run() that follow from the plan; FM_E_MEMORY. */
fm_status sql_estimate(struct sql_estimate *out, const struct sql_estimate_config *config,
                       struct base_err *err) FM_CHECK;
void sql_estimate_release(struct sql_estimate *estimate);

/* Bytes by which one party's process grows while the plan runs: what the session of a compute party
 * takes for columns, scratch, sorts and orders, which stays taken until the end, as the session
 * counts it (mpc_stats.memory_pool, memory_heap); its own rows, on their way (mine[s]: is source s
 * its); and what channels and threads take. bench_sql's queries grow by half to twice of it. */
uint64_t sql_estimate_memory(const struct sql_estimate *estimate,
                             const struct sql_physical *physical, bool computes, const bool *mine);
/* The same for a plan of which nothing else is to be known: computes false is cheap, else it is
 * reckoned (processor time: some tenths of a second for a sort of 10^6 rows). */
fm_status sql_memory(uint64_t *bytes, const struct sql_physical *physical, enum mpc_profile profile,
                     bool computes, const bool *mine, struct base_err *err) FM_CHECK;

/* What lies between the parties. */
struct sql_link {
    const char *name;
    uint64_t round_ns; /* from one party's sending to the other's going on */
    uint64_t byte_ps;
    double busy; /* processor times, compared with a party that has a core of its own */
};
/* A link of mpc/choice.h ("lan", "metro", "wan"), or "local": all three on this machine. False if
 * it is none. out->name is name. */
bool sql_link_find(struct sql_link *out, const char *name);
/* Rounds, the line and the processor one after another: an upper bound, as computing and sending
 * overlap. */
double sql_estimate_seconds(uint64_t rounds, uint64_t sent, uint64_t busy_ns,
                            const struct sql_link *link);

#endif
