/* What a program over mpc/ would cost, without running it: a session whose shares have lengths,
 * widths and ranges but no contents, and whose operations send nothing and add up what rep3 would
 * send. The caller runs the very program that the parties would run, so no formula is written down
 * twice: an estimate goes wrong only where a row's own cost function does.
 *
 *   mpc_reckon_new(&r, &(struct mpc_reckon_config){.parties = 4, .compute = {0, 1, 2}}, err);
 *   ... any program over mpc_reckon_session(r), as the party number mpc_reckon_self(r) ...
 *   mpc_reckon_get(r, &cost);
 *   mpc_reckon_free(r);
 *
 * The program runs as one more party, behind the others: it owns no input and is no recipient, and
 * computes. Branches of a program that depend on opened values do not exist but in sorting: there a
 * uniformly random order is drawn (always the same one) and the sort is played on it, which is what
 * arrange.h's simulator does; the rounds and bytes of a real sort vary about these by a few
 * hundredths, and by more below a thousand rows.
 *
 * bytes, rounds: exact for one lane but for sorting. With several lanes rep3 may take another way
 * of b2a (lanes.h). memory: of the columns that a compute party holds at once, exactly as the
 * session counts it but for a circuit's scratch, which is bounded. busy: an estimate, from times
 * measured on one core (reckon.c has them). */
#ifndef FIRMIANA_MPC_RECKON_H
#define FIRMIANA_MPC_RECKON_H

#include "mpc/protocol.h"

struct mpc_reckon;

struct mpc_reckon_config {
    unsigned parties; /* of the session to be: at most NET_MAX_PARTIES - 1 */
    unsigned compute[3];
    enum mpc_profile profile;
};

struct mpc_reckoned {
    uint64_t rounds;
    uint64_t bytes; /* over all parties */
    uint64_t sent[NET_MAX_PARTIES];
    uint64_t received[NET_MAX_PARTIES];
    uint64_t memory;  /* columns alive at once, at most, bytes, of one compute party */
    uint64_t pool;    /* taken for columns and scratch: memory_pool and memory_heap of mpc_stats */
    uint64_t busy_ns; /* processor time of one compute party */
};

/* rep3. FM_E_ARG, FM_E_MEMORY. */
fm_status mpc_reckon_new(struct mpc_reckon **out, const struct mpc_reckon_config *config,
                         struct base_err *err) FM_CHECK;
void mpc_reckon_free(struct mpc_reckon *r); /* NULL allowed */
struct mpc_session *mpc_reckon_session(struct mpc_reckon *r);
struct net_transport *mpc_reckon_transport(struct mpc_reckon *r); /* that carries nothing */
unsigned mpc_reckon_self(const struct mpc_reckon *r);
/* So far. */
void mpc_reckon_get(const struct mpc_reckon *r, struct mpc_reckoned *out);

#endif
