#include "exchange/node/job_own.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "exchange/run/run.h"
#include "mpc/choice.h"
#include "mpc/protocol.h"

/* ---- what the run is given ---- */

static fm_status party_of(unsigned *out, const struct session_facts *f, const char *alias,
                          struct base_err *err)
{
    for (unsigned i = 0; i < f->party_count; i++)
        if (strcmp(f->parties[i].alias, alias) == 0) {
            *out = i;
            return FM_OK;
        }
    return base_err_set(err, FM_E_INPUT, "%s is no party of the session", alias);
}

static fm_status fill_parties(struct job *job, struct base_err *err)
{
    const struct sql_plan *plan = job->setup.plan;

    if (plan->source_count > JOB_SOURCES || plan->recipient_count > SESSION_MAX_PARTIES)
        return base_err_set(err, FM_E_LIMIT,
                            "a query has at most %d parties and %d sources of rows",
                            SESSION_MAX_PARTIES, JOB_SOURCES);
    for (size_t i = 0; i < plan->source_count; i++)
        if (party_of(&job->sources[i], &job->setup.facts, plan->sources[i].member, err) != FM_OK)
            return err->code;
    for (size_t i = 0; i < plan->recipient_count; i++)
        if (party_of(&job->recipients[i], &job->setup.facts, plan->recipients[i], err) != FM_OK)
            return err->code;
    return FM_OK;
}

static fm_status fill_params(struct job *job, struct base_err *err)
{
    const struct sql_plan *plan = job->setup.plan;

    for (size_t i = 0; i < plan->param_count; i++) {
        const char *text = json_string_value(json_array_get(job->setup.values, i));
        job->params[i] = (struct sql_value){0};
        if (text != NULL && sql_param_parse(&job->params[i], plan, i, text, err) != FM_OK)
            return err->code;
        if (text == NULL && !plan->params[i].hidden)
            return base_err_set(err, FM_E_INPUT, "parameter $%zu was not opened", i + 1);
    }
    return FM_OK;
}

/* ---- hooks: commitments, and the last look before anything is opened ---- */

static fm_status on_input(void *ctx, size_t source, size_t step, const struct mpc_share *share,
                          struct base_err *err)
{
    struct job *job = ctx;

    (void)step;
    return commitments_add_input(&job->commitments, job->setup.plan, source, share, err);
}

static fm_status on_result(void *ctx, size_t output, unsigned part, const struct mpc_share *share,
                           struct base_err *err)
{
    struct job *job = ctx;

    (void)output;
    (void)part;
    return commitments_add_result(&job->commitments, share, err);
}

/* A reader may see the numbers of one operator with the name of the next. */
void job_note_progress(void *ctx, unsigned at, unsigned of, const char *name)
{
    struct job *job = ctx;

    atomic_store(&job->of, of);
    atomic_store(&job->name, name);
    atomic_store(&job->at, at);
}

fm_status job_still_allowed(struct job *job, struct base_err *err)
{
    if (session_may_open(job->setup.session))
        return FM_OK;
    net_abort(job->setup.transport, "revoked");
    return base_err_set(err, FM_E_REFUSED,
                        "not opened: what the query rests on was revoked meanwhile");
}

/* Every compute party has finished and checked, and nobody here knows of a revocation: only then
 * are results opened. */
static fm_status before_reveal(void *ctx, struct base_err *err)
{
    struct job *job = ctx;
    struct net_transport *t = job->setup.transport;
    static const uint8_t done = 'd';

    if (job_still_allowed(job, err) != FM_OK || mpc_check(job->mpc, err) != FM_OK)
        return err->code;
    for (unsigned i = 0; i < 3 && t->self < 3; i++)
        if (i != t->self && net_send(t, SALT_STREAM, i, &done, 1, err) != FM_OK)
            return err->code;
    for (unsigned i = 0; i < 3 && t->self < 3; i++) {
        uint8_t word = 0;
        if (i != t->self && net_recv(t, SALT_STREAM, i, &word, 1, err) != FM_OK)
            return err->code;
        if (i != t->self && word != done) {
            net_abort(t, "protocol");
            return base_err_set(err, FM_E_PEER, "%s did not confirm the computation", t->names[i]);
        }
    }
    return job_still_allowed(job, err); /* The others may have taken their time. */
}

/* ---- the run ---- */

static fm_status open_mpc(struct job *job, struct base_err *err)
{
    static const unsigned compute[3] = {0, 1, 2}; /* the descriptor's order */
    struct mpc_session_config c = {.protocol = mpc_protocol_find(job->setup.facts.protocol),
                                   .transport = job->setup.transport,
                                   .compute = compute,
                                   .compute_len = 3,
                                   .first_stream = COMPUTE_STREAM,
                                   .streams = COMPUTE_STREAMS,
                                   .random = job->setup.random};

    if (c.protocol == NULL)
        return base_err_set(err, FM_E_UNSUPPORTED, "protocol %s is not in this program",
                            job->setup.facts.protocol);
    if (!mpc_link_find(&c.profile, job->setup.facts.link))
        return base_err_set(err, FM_E_UNSUPPORTED, "link %s is not in this program",
                            job->setup.facts.link);
    memcpy(c.context32, job->setup.facts.descriptor, 32);
    return mpc_session_open(&job->mpc, &c, err);
}

fm_status job_keep_answer(struct job *job, const struct sql_result *answer, struct base_err *err)
{
    void (*const print[3])(struct base_buf *, const struct sql_result *) = {
        [JOB_TABLE] = sql_result_table, [JOB_CSV] = sql_result_csv, [JOB_JSON] = sql_result_json};

    if (answer->column_count == 0)
        return FM_OK; /* not a recipient */
    for (int i = 0; i < 3; i++) {
        struct base_buf text = {0};
        print[i](&text, answer);
        if (base_buf_status(&text, "answer", err) != FM_OK)
            return err->code;
        job->result.text[i] = strdup(base_buf_cstr(&text));
        base_buf_release_secret(&text);
        if (job->result.text[i] == NULL)
            return base_err_memory(err, "answer");
    }
    return FM_OK;
}

static fm_status run_plan(struct job *job, struct base_err *err)
{
    struct sql_run_config c = {.physical = &job->physical,
                               .session = job->mpc,
                               .transport = job->setup.transport,
                               .stream = COMPUTE_STREAM,
                               .sources = job->sources,
                               .recipients = job->recipients,
                               .asker = job->setup.facts.asker,
                               .params = job->params,
                               .rows = job->own,
                               .random = job->setup.random,
                               .hooks = {.input_shared = on_input,
                                         .before_reveal = before_reveal,
                                         .result_shared = on_result,
                                         .progress = job_note_progress,
                                         .ctx = job}};
    struct sql_result answer = {0};
    fm_status st;

    st = sql_run(&answer, &c, err);
    if (st == FM_OK)
        st = job_keep_answer(job, &answer, err);
    sql_result_release(&answer);
    return st;
}

static fm_status open_rows(struct job *job, struct base_err *err)
{
    for (size_t i = 0; i < job->setup.plan->source_count; i++) {
        if (job_rows_open(&job->setup.rows[i], err) != FM_OK)
            return err->code;
        job->reading[i] = (struct sql_rows){job_rows_next, &job->setup.rows[i]};
        if (job->sources[i] == job->setup.facts.self)
            job->own[i] = &job->reading[i];
    }
    return FM_OK;
}

static fm_status compute_shared(struct job *job, struct base_err *err)
{
    fm_status st = sql_physical_make(&job->physical, job->setup.plan, err);

    if (st == FM_OK)
        st = open_mpc(job, err);
    if (st == FM_OK)
        st = commitments_open(&job->commitments, job->mpc, job->setup.transport, SALT_STREAM,
                              job->setup.random, job->setup.plan->source_count, err);
    if (st == FM_OK)
        st = run_plan(job, err);
    if (st == FM_OK)
        st = commitments_close(&job->result.inputs, &job->result.result, &job->commitments,
                               job->setup.plan, err);
    return st;
}

static fm_status compute(struct job *job, struct base_err *err)
{
    fm_status st = fill_parties(job, err);

    if (st == FM_OK)
        st = fill_params(job, err);
    if (st == FM_OK)
        st = open_rows(job, err);
    if (st != FM_OK)
        return st;
    if (strcmp(job->setup.facts.protocol, "psi-sum") == 0)
        return job_intersect(job, err);
    return job->setup.pooled != NULL ? job_aggregate(job, err) : compute_shared(job, err);
}

static void job_main(void *arg)
{
    struct job *job = arg;
    const struct base_clock *clock = job->setup.waits->clock;
    int64_t began = base_clock_mono_ms(clock);
    struct net_stats stats;
    struct mpc_stats chain;

    if (compute(job, &job->result.err) != FM_OK)
        net_abort(job->setup.transport,
                  "error"); /* Nobody waits for us; idempotent after an abort of others. */
    else
        base_err_clear(&job->result.err);
    net_stats_get(job->setup.transport, &stats);
    job->result.rounds = stats.rounds;
    if (job->mpc != NULL) { /* the longest chain of messages, not what this party saw of it */
        mpc_session_stats(job->mpc, &chain);
        job->result.rounds = chain.rounds;
    }
    job->result.bytes_sent = stats.bytes_sent;
    job->result.bytes_received = stats.bytes_received;
    job->result.seconds = (double)(base_clock_mono_ms(clock) - began) / 1e3;
    atomic_store(&job->ended, true);
    job->setup.wake(job->setup.wake_ctx);
    /* Wiping takes a tenth as long as computing: nobody waits for it, and it needs no transport,
     * which the node takes back meanwhile. */
    mpc_session_close(job->mpc);
    job->mpc = NULL;
    atomic_store(&job->through, true);
    job->setup.wake(job->setup.wake_ctx);
}

fm_status job_start(struct job **out, struct job_setup *setup, struct base_err *err)
{
    struct job *job = calloc(1, sizeof *job);
    fm_status st;

    *out = NULL;
    if (job == NULL) {
        job_rows_free_all(setup->rows, setup->plan->source_count);
        sql_plan_release(setup->plan);
        free(setup->plan);
        job_pooled_free(setup->pooled);
        return base_err_memory(err, "computation");
    }
    job->setup = *setup;
    json_incref(job->setup.values);
    atomic_init(&job->ended, false);
    atomic_init(&job->through, false);
    atomic_init(&job->name, "");
    st = setup->waits->spawn(setup->waits->ctx, &job->task, job_main, job, err);
    if (st != FM_OK) {
        job_free(job);
        return st;
    }
    *out = job;
    return FM_OK;
}

bool job_ended(struct job *job)
{
    return atomic_load(&job->ended);
}

bool job_through(struct job *job)
{
    return atomic_load(&job->through);
}

struct job_progress job_get_progress(struct job *job)
{
    return (struct job_progress){atomic_load(&job->at), atomic_load(&job->of),
                                 atomic_load(&job->name)};
}

const struct job_result *job_get_result(const struct job *job)
{
    return &job->result;
}

void job_keep_columns(struct job *job, struct columns *cache)
{
    for (size_t i = 0; i < job->setup.plan->source_count; i++)
        job_rows_keep(&job->setup.rows[i], cache);
}

void job_free(struct job *job)
{
    if (job == NULL)
        return;
    if (job->task != NULL)
        job->setup.waits->join(job->task);
    for (int i = 0; i < 3; i++) {
        if (job->result.text[i] != NULL)
            base_wipe(job->result.text[i], strlen(job->result.text[i]));
        free(job->result.text[i]);
    }
    json_decref(job->result.inputs);
    json_decref(job->result.result);
    json_decref(job->setup.values);
    commitments_release(&job->commitments);
    job_rows_free_all(job->setup.rows, job->setup.plan->source_count);
    sql_physical_release(&job->physical);
    sql_plan_release(job->setup.plan);
    free(job->setup.plan);
    job_pooled_free(job->setup.pooled);
    base_wipe(job->params, sizeof job->params);
    base_wipe(job->result.opening, sizeof job->result.opening);
    free(job);
}
