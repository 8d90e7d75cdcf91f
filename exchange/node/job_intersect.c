/* Protocol `psi-sum` as a computation of this node: exchange/intersect runs it. Component 0 of each
 * side's input is what it committed to before the first message, component 0 of the result all
 * messages; both sides hold all three. */
#include <string.h>

#include "base/secret.h"
#include "exchange/intersect/run.h"
#include "exchange/node/job_own.h"

enum { INTERSECT_STREAM = 0 };

static fm_status may_open(void *ctx, struct base_err *err)
{
    return job_still_allowed(ctx, err);
}

static bool add_input(struct job *job, const struct intersect_shape *shape, unsigned side,
                      const uint8_t hash32[32])
{
    const struct sql_source *s = &job->setup.plan->sources[shape->tables[side].source];
    char hex[65];

    base_hex(hex, hash32, 32);
    return json_array_append_new(job->result.inputs,
                                 json_pack("{s:s,s:s,s:i,s:s}", "provider", s->member, "table",
                                           job->setup.plan->tables[s->table].name, "component", 0,
                                           "commitment", hex)) == 0;
}

static fm_status keep_record(struct job *job, const struct intersect_shape *shape,
                             const struct intersect_record *r, struct base_err *err)
{
    char hex[65];
    bool done;

    job->result.inputs = json_array();
    job->result.result = json_array();
    done = job->result.inputs != NULL && job->result.result != NULL;
    for (unsigned side = 0; done && r->runs && side < 2; side++)
        done = add_input(job, shape, side, r->input[side]);
    base_hex(hex, r->messages, 32);
    if (done && r->runs)
        done = json_array_append_new(job->result.result, json_pack("{s:i,s:s}", "component", 0,
                                                                   "commitment", hex)) == 0;
    return done ? FM_OK : base_err_memory(err, "receipt");
}

static bool receives(const struct job *job, unsigned party)
{
    for (size_t i = 0; i < job->setup.plan->recipient_count; i++)
        if (job->recipients[i] == party)
            return true;
    return false;
}

fm_status job_intersect(struct job *job, struct base_err *err)
{
    struct intersect_shape shape;
    struct intersect_config c = {.shape = &shape,
                                 .transport = job->setup.transport,
                                 .stream = INTERSECT_STREAM,
                                 .values = job->params,
                                 .rows = job->own,
                                 .random = job->setup.random,
                                 .may_open = may_open,
                                 .progress = job_note_progress,
                                 .ctx = job};
    struct intersect_record record;
    struct sql_result answer;
    fm_status st = intersect_shape_of(&shape, job->setup.plan, err);

    if (st != FM_OK)
        return st;
    for (unsigned side = 0; side < 2; side++) {
        c.sides[side] = job->sources[shape.tables[side].source];
        c.receives[side] = receives(job, c.sides[side]);
    }
    memcpy(c.session32, job->setup.facts.descriptor, sizeof c.session32);
    st = intersect_run(&answer, &record, &c, err);
    if (st == FM_OK)
        st = job_keep_answer(job, &answer, err);
    if (st == FM_OK)
        st = keep_record(job, &shape, &record, err);
    if (st == FM_OK && record.runs) {
        memcpy(job->result.opening, record.opening, sizeof job->result.opening);
        job->result.has_opening = true;
    }
    base_wipe(&record, sizeof record);
    sql_result_release(&answer);
    return st;
}
