/* Protocol `aggregate` as a computation of this node: exchange/aggregate runs it; what it committed
 * to goes into the receipt's part.
 *
 * Component k of an input is what its provider sent to compute party k (all have the same, and say
 * so); both hold it. Component k of the result is compute party k's part of the decryption, held by
 * it and by the first recipient that is another. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/aggregate/key.h"
#include "exchange/aggregate/run.h"
#include "exchange/node/job_own.h"

enum { AGGREGATE_STREAM = 0 };

void job_pooled_free(struct job_pooled *pooled)
{
    if (pooled == NULL)
        return;
    json_decref(pooled->key);
    mpc_pai_thr_share_free(pooled->share);
    free(pooled);
}

static unsigned decryptors_of(const struct session_facts *f)
{
    unsigned n = 0;

    while (n < f->party_count && (f->parties[n].roles & SESSION_COMPUTE) != 0)
        n++;
    return n;
}

static fm_status may_open(void *ctx, struct base_err *err)
{
    return job_still_allowed(ctx, err);
}

/* ---- the receipt's part ---- */

static bool add_input(struct job *job, size_t source, unsigned component, const uint8_t hash32[32])
{
    const struct sql_source *s = &job->setup.plan->sources[source];
    char hex[65];

    base_hex(hex, hash32, 32);
    return json_array_append_new(job->result.inputs,
                                 json_pack("{s:s,s:s,s:i,s:s}", "provider", s->member, "table",
                                           job->setup.plan->tables[s->table].name, "component",
                                           (int)component, "commitment", hex)) == 0;
}

static bool add_inputs(struct job *job, const struct aggregate_record *r, size_t source,
                       unsigned decryptors)
{
    unsigned self = job->setup.facts.self;
    bool done = true;

    if (!r->holds_input[source])
        return true;
    if (job->sources[source] != self)
        return self >= decryptors || add_input(job, source, self, r->input[source]);
    for (unsigned k = 0; k < decryptors; k++)
        done = done && (k == self || add_input(job, source, k, r->input[source]));
    return done;
}

/* The first recipient that is not this compute party; party_count if there is none. */
static unsigned holder_of(const struct job *job, unsigned decryptor)
{
    for (size_t i = 0; i < job->setup.plan->recipient_count; i++)
        if (job->recipients[i] != decryptor)
            return job->recipients[i];
    return job->setup.facts.party_count;
}

static bool add_part(struct job *job, const struct aggregate_record *r, unsigned decryptor)
{
    unsigned self = job->setup.facts.self, holder = holder_of(job, decryptor);
    char hex[65];

    if (!r->holds_part[decryptor] || holder == job->setup.facts.party_count ||
        (self != decryptor && self != holder))
        return true;
    base_hex(hex, r->part[decryptor], 32);
    return json_array_append_new(
               job->result.result,
               json_pack("{s:i,s:s}", "component", (int)decryptor, "commitment", hex)) == 0;
}

static fm_status keep_record(struct job *job, const struct aggregate_record *r, unsigned decryptors,
                             struct base_err *err)
{
    bool done;

    job->result.inputs = json_array();
    job->result.result = json_array();
    done = job->result.inputs != NULL && job->result.result != NULL;
    for (size_t i = 0; done && i < job->setup.plan->source_count; i++)
        done = add_inputs(job, r, i, decryptors);
    for (unsigned k = 0; done && k < decryptors; k++)
        done = add_part(job, r, k);
    return done ? FM_OK : base_err_memory(err, "receipt");
}

/* ---- the run ---- */

static fm_status run(struct job *job, struct aggregate_config *c,
                     const struct aggregate_key_public *key, struct base_err *err)
{
    const struct session_facts *f = &job->setup.facts;
    uint32_t numbers[SESSION_MAX_PARTIES];
    struct aggregate_record record;
    struct sql_result answer;
    fm_status st;

    for (unsigned i = 0; i < c->decryptors; i++)
        numbers[i] = aggregate_key_party(key, f->parties[i].alias);
    c->key = key->thr;
    c->key_party = numbers;
    memcpy(c->session32, f->descriptor, sizeof c->session32);
    st = aggregate_run(&answer, &record, c, err);
    if (st == FM_OK)
        st = job_keep_answer(job, &answer, err);
    if (st == FM_OK)
        st = keep_record(job, &record, c->decryptors, err);
    sql_result_release(&answer);
    return st;
}

fm_status job_aggregate(struct job *job, struct base_err *err)
{
    const struct job_pooled *pooled = job->setup.pooled;
    struct aggregate_key_public key;
    struct aggregate_shape shape;
    struct aggregate_config c = {.shape = &shape,
                                 .transport = job->setup.transport,
                                 .stream = AGGREGATE_STREAM,
                                 .decryptors = decryptors_of(&job->setup.facts),
                                 .minimum = pooled->contributors,
                                 .share = pooled->share,
                                 .sources = job->sources,
                                 .recipients = job->recipients,
                                 .values = job->params,
                                 .rows = job->own,
                                 .random = job->setup.random,
                                 .may_open = may_open,
                                 .progress = job_note_progress,
                                 .ctx = job};
    fm_status st = aggregate_shape_of(&shape, job->setup.plan, err);

    if (st == FM_OK)
        st = aggregate_key_open(&key, pooled->key, err);
    if (st != FM_OK)
        return st;
    st = run(job, &c, &key, err);
    aggregate_key_close(&key);
    return st;
}
