/* One computation: a contract's plan, run by this party beside the node's thread. It computes, asks
 * session_may_open() before anything is opened, and agrees with the other holder of each share
 * component on a salted commitment. */
#ifndef FIRMIANA_EXCHANGE_NODE_JOB_H
#define FIRMIANA_EXCHANGE_NODE_JOB_H

#include <jansson.h>

#include "base/random.h"
#include "base/status.h"
#include "exchange/contract/contract.h"
#include "exchange/node/job_rows.h"
#include "exchange/session/session.h"
#include "exchange/sql/plan/plan.h"
#include "mpc/paillier/threshold.h"
#include "mpc/psi/psi.h"
#include "net/transport.h"
#include "net/wait.h"

struct job;

struct job_setup {
    const struct net_waits *waits;
    void (*wake)(void *ctx); /* on the job's thread: when it has ended, and when it is through */
    void *wake_ctx;
    const struct base_random *random;
    struct net_transport *transport; /* lent until job_free() */
    const struct session *session;   /* lent: its may_open flag is read */
    struct session_facts facts;      /* copied */
    struct sql_plan *plan;           /* taken, also on failure */
    struct job_rows *rows; /* taken likewise: calloc'd, one for each source of the plan; empty where
                              it is not ours */
    json_t
        *values; /* parameter values as text, in order; hidden ones only at the asker; borrowed */
    struct job_pooled *pooled; /* aggregate: taken, also on failure; else NULL */
};

/* What `aggregate` needs beside. */
struct job_pooled {
    json_t *key;                     /* of the contract; held */
    unsigned contributors;           /* at least */
    struct mpc_pai_thr_share *share; /* own; NULL where this party does not decrypt */
};
void job_pooled_free(struct job_pooled *pooled); /* NULL is allowed */

struct job_result {
    struct base_err err; /* FM_OK when it is done */
    json_t *inputs;      /* commitments for the receipt's part */
    json_t *result;
    char *text[3];    /* at a recipient: the answer as table, CSV and JSON */
    bool has_opening; /* psi-sum: of what this side committed to */
    uint8_t opening[MPC_PSI_OPENING];
    double seconds;
    uint64_t rounds, bytes_sent, bytes_received;
};

enum { JOB_TABLE, JOB_CSV, JOB_JSON };

/* Where it is: operator `at` of `of`, "" and 0 of 0 before the first. Thread-safe. */
struct job_progress {
    unsigned at, of;
    const char *name;
};

fm_status job_start(struct job **out, struct job_setup *setup, struct base_err *err) FM_CHECK;
/* Thread-safe. Ended: the result is there, the transport is no longer used. Through: what it held
 * is wiped too, and job_free() does not wait. */
bool job_ended(struct job *job);
bool job_through(struct job *job);
struct job_progress job_get_progress(struct job *job);
const struct job_result *job_get_result(const struct job *job);
/* Once it has ended: what it read of the own rows is kept for the next. */
void job_keep_columns(struct job *job, struct columns *cache);
/* Waits for its end; wipes and frees. NULL is allowed. */
void job_free(struct job *job);

#endif
