/* What a computation's files share: job.c (its life, and rep3), job_aggregate.c, job_intersect.c.
 */
#ifndef FIRMIANA_EXCHANGE_NODE_JOB_OWN_H
#define FIRMIANA_EXCHANGE_NODE_JOB_OWN_H

#include <stdatomic.h>

#include "exchange/node/commit.h"
#include "exchange/node/job.h"
#include "exchange/run/run.h"

enum { COMPUTE_STREAM = 0, COMPUTE_STREAMS = 1, SALT_STREAM = 1 };
enum { JOB_SOURCES = COMMIT_SOURCES };

struct job {
    struct job_setup setup;
    struct net_task *task;
    atomic_bool ended;
    atomic_bool through;
    atomic_uint at, of;
    _Atomic(const char *) name;
    struct job_result result;
    struct sql_physical physical;
    struct mpc_session *mpc;
    struct commitments commitments;
    struct sql_value params[SQL_MAX_PARAMS];
    unsigned sources[JOB_SOURCES], recipients[SESSION_MAX_PARTIES];
    struct sql_rows reading[JOB_SOURCES];
    const struct sql_rows *own[JOB_SOURCES]; /* of the plan's sources that are ours; else NULL */
};

/* ctx is the job. */
void job_note_progress(void *ctx, unsigned at, unsigned of, const char *name);
/* The last look before anything is opened. */
fm_status job_still_allowed(struct job *job, struct base_err *err) FM_CHECK;
fm_status job_keep_answer(struct job *job, const struct sql_result *answer,
                          struct base_err *err) FM_CHECK;

/* job_aggregate.c: parties, parameters and rows are filled in. */
fm_status job_aggregate(struct job *job, struct base_err *err) FM_CHECK;
/* job_intersect.c: likewise. */
fm_status job_intersect(struct job *job, struct base_err *err) FM_CHECK;

#endif
