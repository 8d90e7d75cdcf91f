#include "exchange/run/estimate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange/run/run.h"
#include "exchange/sql/physical/footprint.h"
#include "mpc/choice.h"

/* ---- entry by entry ---- */

struct watch {
    struct mpc_reckon *reckon;
    struct mpc_reckoned last;
    struct sql_estimate *out;
    size_t cap;
    unsigned compute[3];
    bool failed;
};

static uint64_t most_sent(const struct watch *w, const struct mpc_reckoned *now)
{
    uint64_t most = 0;

    for (unsigned k = 0; k < 3; k++) {
        uint64_t sent = now->sent[w->compute[k]] - w->last.sent[w->compute[k]];

        most = sent > most ? sent : most;
    }
    return most;
}

/* What was spent since the last entry began belongs to that one. */
static void settle(struct watch *w)
{
    struct mpc_reckoned now;
    struct sql_cost *c;

    mpc_reckon_get(w->reckon, &now);
    if (w->out->count > 0) {
        c = &w->out->costs[w->out->count - 1];
        c->rounds = now.rounds - w->last.rounds;
        c->bytes = now.bytes - w->last.bytes;
        c->busy_ns = now.busy_ns - w->last.busy_ns;
        c->sent = most_sent(w, &now);
    }
    w->last = now;
}

static void next_entry(void *ctx, unsigned at, unsigned of, const char *name)
{
    struct watch *w = ctx;

    (void)at;
    (void)of;
    settle(w);
    if (w->out->count == w->cap) {
        size_t cap = w->cap * 2 + 16;
        struct sql_cost *grown = realloc(w->out->costs, cap * sizeof *grown);

        w->failed = w->failed || grown == NULL;
        if (grown == NULL)
            return;
        w->out->costs = grown;
        w->cap = cap;
    }
    w->out->costs[w->out->count++] = (struct sql_cost){.name = name};
}

/* ---- the run ---- */

/* A public parameter makes what it is compared with as wide as the two of them need. */
static struct sql_value *stand_ins(const struct sql_plan *plan)
{
    struct sql_value *values = calloc(plan->param_count + 1, sizeof *values);

    for (size_t i = 0; values != NULL && i < plan->param_count; i++) {
        struct sql_range r = plan->params[i].range;

        values[i] = (struct sql_value){.value = (int64_t)(r.hi > -r.lo ? r.hi : r.lo), .text = ""};
    }
    return values;
}

static fm_status run(struct watch *w, const struct sql_estimate_config *config,
                     struct base_err *err)
{
    const struct sql_plan *plan = config->physical->plan;
    struct sql_value *values = stand_ins(plan);
    const struct sql_rows **rows = calloc(plan->source_count + 1, sizeof(struct sql_rows *));
    struct sql_result result = {0};
    struct sql_run_config c = {.physical = config->physical,
                               .session = mpc_reckon_session(w->reckon),
                               .transport = mpc_reckon_transport(w->reckon),
                               .sources = config->sources,
                               .recipients = config->recipients,
                               .asker = config->asker,
                               .params = config->params != NULL ? config->params : values,
                               .rows = rows,
                               .random = base_random_system(),
                               .hooks = {.progress = next_entry, .ctx = w}};
    fm_status st = base_err_memory(err, "estimate");

    if (values != NULL && rows != NULL)
        st = sql_run(&result, &c, err);
    if (st == FM_OK && w->failed)
        st = base_err_memory(err, "estimate");
    sql_result_release(&result);
    free(values);
    free(rows);
    return st;
}

/* Of a cell: read from SQLite, checked, made a share and committed to (bench_sql's queries). */
enum { NS_CELL = 100 };

/* Owners read at the same time: who has most is waited for. */
static void add_reading(struct sql_estimate *e, const struct sql_estimate_config *c)
{
    const struct sql_plan *plan = c->physical->plan;
    uint64_t cells[NET_MAX_PARTIES] = {0}, most = 0;

    for (size_t s = 0; s < plan->source_count; s++) {
        uint64_t *mine = &cells[c->sources[s]];

        for (size_t i = 0; i < c->physical->step_count; i++) {
            const struct sql_step *step = &c->physical->steps[i];

            if (sql_step_is_source_input(step) &&
                (plan->simple || plan->sources[s].table == sql_step_table(plan, step)))
                *mine += (uint64_t)plan->sources[s].rows;
        }
        most = *mine > most ? *mine : most;
    }
    if (e->count > 0)
        e->costs[0].busy_ns += most * NS_CELL;
    e->all.busy_ns += most * NS_CELL;
}

/* The key of text hashes goes from the first provider to each other one. */
static void add_key(struct sql_estimate *e, const struct sql_estimate_config *c)
{
    const struct sql_physical *p = c->physical;
    bool seen[NET_MAX_PARTIES] = {false}, texts = false;

    for (size_t i = 0; i < p->step_count; i++)
        texts = texts || (p->steps[i].domain == SQL_BITS && p->steps[i].width == 128 &&
                          p->steps[i].op <= SQL_STEP_TEXT_PARAM);
    for (size_t s = 0; texts && s < p->plan->source_count; s++) {
        unsigned party = c->sources[s];

        if (!seen[party] && party != c->sources[0]) {
            e->all.bytes += 32;
            e->all.sent[c->sources[0]] += 32;
            e->all.received[party] += 32;
        }
        seen[party] = true;
    }
}

fm_status sql_estimate(struct sql_estimate *out, const struct sql_estimate_config *config,
                       struct base_err *err)
{
    struct mpc_reckon_config rc = {.parties = config->parties, .profile = config->profile};
    struct watch w = {.out = out};
    fm_status st;

    *out = (struct sql_estimate){.parties = config->parties};
    memcpy(rc.compute, config->compute, sizeof rc.compute);
    memcpy(w.compute, config->compute, sizeof w.compute);
    st = mpc_reckon_new(&w.reckon, &rc, err);
    if (st != FM_OK)
        return st;
    st = run(&w, config, err);
    if (st == FM_OK) {
        settle(&w);
        mpc_reckon_get(w.reckon, &out->all);
        add_key(out, config);
        add_reading(out, config);
    } else {
        sql_estimate_release(out);
    }
    mpc_reckon_free(w.reckon);
    return st;
}

void sql_estimate_release(struct sql_estimate *estimate)
{
    free(estimate->costs);
    *estimate = (struct sql_estimate){0};
}

/* ---- memory ---- */

/* Messages on their way in both directions, and stacks. */
enum { CHANNELS = 4 << 20 };

uint64_t sql_estimate_memory(const struct sql_estimate *estimate,
                             const struct sql_physical *physical, bool computes, const bool *mine)
{
    return CHANNELS + sql_footprint(physical, mine) + (computes ? estimate->all.pool : 0);
}

fm_status sql_memory(uint64_t *bytes, const struct sql_physical *physical, enum mpc_profile profile,
                     bool computes, const bool *mine, struct base_err *err)
{
    const struct sql_plan *plan = physical->plan;
    /* All sources at one party; each recipient is one by itself beside the three. */
    unsigned *who = calloc(plan->source_count + plan->recipient_count + 1, sizeof *who);
    const struct sql_estimate_config c = {.physical = physical,
                                          .parties = 3 + (unsigned)plan->recipient_count,
                                          .compute = {0, 1, 2},
                                          .sources = who,
                                          .recipients = who + plan->source_count,
                                          .profile = profile};
    struct sql_estimate e = {0};
    fm_status st = who != NULL ? FM_OK : base_err_memory(err, "estimate");

    for (size_t i = 0; st == FM_OK && i < plan->recipient_count; i++)
        who[plan->source_count + i] = 3 + (unsigned)i;
    if (st == FM_OK && computes)
        st = sql_estimate(&e, &c, err);
    if (st == FM_OK)
        *bytes = sql_estimate_memory(&e, physical, computes, mine);
    sql_estimate_release(&e);
    free(who);
    return st;
}

/* ---- time ---- */

/* All three here share its processors, and a message is there as soon as they are woken. */
static struct sql_link local_link(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return (struct sql_link){"local", 40000, 0, cores > 0 && cores < 3 ? 3.0 / (double)cores : 1};
}

bool sql_link_find(struct sql_link *out, const char *name)
{
    enum mpc_profile profile;

    if (strcmp(name, "local") == 0) {
        *out = local_link();
        return true;
    }
    if (!mpc_link_find(&profile, name))
        return false;
    *out =
        (struct sql_link){name, mpc_link_of(profile)->round_ns, mpc_link_of(profile)->byte_ps, 1};
    return true;
}

double sql_estimate_seconds(uint64_t rounds, uint64_t sent, uint64_t busy_ns,
                            const struct sql_link *link)
{
    return (double)rounds * (double)link->round_ns * 1e-9 +
           (double)sent * (double)link->byte_ps * 1e-12 + (double)busy_ns * link->busy * 1e-9;
}
