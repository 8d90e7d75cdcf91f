#include "exchange/node/explain_cost.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/run/estimate.h"
#include "mpc/choice.h"

/* ---- who takes part ---- */

struct cast {
    const char *alias[NET_MAX_PARTIES];
    unsigned count; /* the first three compute */
    unsigned *sources;
    unsigned *recipients;
};

static bool is_in(const struct cast *c, const char *alias, unsigned *at)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->alias[i], alias) == 0) {
            *at = i;
            return true;
        }
    return false;
}

static fm_status add(struct cast *c, const char *alias, unsigned most, struct base_err *err)
{
    unsigned at;

    if (is_in(c, alias, &at) || c->count == most)
        return FM_OK;
    if (c->count == NET_MAX_PARTIES - 1)
        return base_err_set(err, FM_E_LIMIT, "more than %d parties", NET_MAX_PARTIES - 1);
    c->alias[c->count++] = alias;
    return FM_OK;
}

static fm_status add_named(struct cast *c, struct node *node, const json_t *compute,
                           struct base_err *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)compute, i, item)
    {
        const char *alias = json_string_value(item);

        if (alias == NULL || node_member_named(node, alias) == NULL)
            return base_err_set(err, FM_E_NOT_FOUND, "no member '%s' to compute: firmiana status",
                                alias != NULL ? alias : "");
        if (add(c, alias, 3, err) != FM_OK)
            return err->code;
    }
    if (compute != NULL && (json_array_size(compute) != 3 || c->count != 3))
        return base_err_set(err, FM_E_INPUT, "three different members compute");
    return FM_OK;
}

/* Those of the plan, up to so many in all. */
static fm_status add_planned(struct cast *c, const struct sql_plan *plan, unsigned most,
                             struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < plan->source_count; i++)
        st = add(c, plan->sources[i].member, most, err);
    for (size_t i = 0; st == FM_OK && i < plan->recipient_count; i++)
        st = add(c, plan->recipients[i], most, err);
    return st;
}

static fm_status cast_make(struct cast *c, struct node *node, const struct sql_plan *plan,
                           const json_t *compute, struct base_err *err)
{
    fm_status st = add_named(c, node, compute, err);

    if (st == FM_OK)
        st = add_planned(c, plan, 3, err);
    for (size_t i = 0; st == FM_OK && i < node->member_count; i++)
        if (node->members[i].active)
            st = add(c, node->members[i].alias, 3, err);
    if (st == FM_OK && c->count < 3)
        st =
            base_err_set(err, FM_E_LIMIT, "three members compute, and the ledger has %u", c->count);
    if (st == FM_OK)
        st = add_planned(c, plan, NET_MAX_PARTIES, err);
    if (st == FM_OK)
        st = add(c, node->config.home.alias, NET_MAX_PARTIES, err);
    c->sources = calloc(plan->source_count + 1, sizeof *c->sources);
    c->recipients = calloc(plan->recipient_count + 1, sizeof *c->recipients);
    if (st == FM_OK && (c->sources == NULL || c->recipients == NULL))
        st = base_err_memory(err, "estimate");
    for (size_t i = 0; st == FM_OK && i < plan->source_count; i++)
        (void)is_in(c, plan->sources[i].member, &c->sources[i]);
    for (size_t i = 0; st == FM_OK && i < plan->recipient_count; i++)
        (void)is_in(c, plan->recipients[i], &c->recipients[i]);
    return st;
}

/* ---- what lies between them ---- */

enum { WAKING_NS = 30000 };

/* Half of the longest round trip to a compute party; the line is taken for metro's. False: no ping
 * has come back. */
static bool measured(struct sql_link *out, const struct node *node, const struct cast *c)
{
    int64_t rtt_ms = -1;
    unsigned at;

    for (size_t i = 0; i < node->member_count; i++) {
        const struct node_member *m = &node->members[i];

        if (m->ping.timed && is_in(c, m->alias, &at) && m->ping.rtt_ms > rtt_ms)
            rtt_ms = m->ping.rtt_ms;
    }
    if (rtt_ms < 0 || !sql_link_find(out, "metro"))
        return false;
    out->name = "measured";
    out->round_ns = (uint64_t)rtt_ms * 500000 + WAKING_NS;
    return true;
}

/* Circuits go as the contract's link says, which is part of the session's descriptor; seconds are
 * those on `over`. Without a contract there will be one for that link. */
static fm_status links_of(enum mpc_profile *profile, struct sql_link *over, const struct node *node,
                          const struct cast *c, const json_t *ask, struct base_err *err)
{
    const char *name = json_string_value(json_object_get(ask, "over"));
    const char *agreed = json_string_value(json_object_get(ask, "link"));

    if (name == NULL)
        name = agreed != NULL ? agreed : "lan";
    if (agreed == NULL && json_object_get(ask, "contract") == NULL)
        agreed = name;
    if (agreed == NULL || !mpc_link_find(profile, agreed))
        *profile = MPC_LAN;
    if (strcmp(name, "measured") == 0 ? measured(over, node, c) : sql_link_find(over, name))
        return FM_OK;
    return base_err_set(err, FM_E_INPUT, "no link '%s': lan, metro, wan, local%s", name,
                        strcmp(name, "measured") == 0 ? "; no peer has answered a ping yet"
                                                      : " or measured");
}

/* ---- parameters ---- */

/* NULL: not given, and the estimate takes the ends of their ranges. */
static fm_status values_of(struct sql_value **out, const struct sql_plan *plan, const json_t *given,
                           struct base_err *err)
{
    fm_status st = FM_OK;

    *out = NULL;
    if (json_array_size(given) == 0)
        return FM_OK;
    *out = calloc(plan->param_count, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "estimate");
    if (json_array_size(given) != plan->param_count)
        return base_err_set(err, FM_E_INPUT,
                            "the query has %zu parameters, and %zu values are given",
                            plan->param_count, json_array_size(given));
    for (size_t i = 0; st == FM_OK && i < plan->param_count; i++) {
        const char *text = json_string_value(json_array_get(given, i));

        st = text != NULL ? sql_param_parse(&(*out)[i], plan, i, text, err)
                          : base_err_set(err, FM_E_INPUT, "parameter $%zu: no text", i + 1);
    }
    return st;
}

/* ---- as JSON ---- */

struct told {
    const struct sql_plan *plan; /* as it runs */
    const struct sql_estimate *e;
    const struct sql_link *link;
    const struct cast *cast;
};

/* Documents of this project have no fractions. */
static json_int_t microseconds(uint64_t rounds, uint64_t sent, uint64_t busy_ns,
                               const struct sql_link *link)
{
    return (json_int_t)(sql_estimate_seconds(rounds, sent, busy_ns, link) * 1e6 + 0.5);
}

static void add_step(json_t *steps, const struct told *t, const char *name, size_t operator_number,
                     const struct sql_cost *c)
{
    json_t *o = json_pack("{s:s, s:I, s:I, s:I}", "step", name, "rounds", (json_int_t)c->rounds,
                          "bytes", (json_int_t)c->bytes, "us",
                          microseconds(c->rounds, c->sent, c->busy_ns, t->link));

    if (operator_number > 0)
        (void)json_object_set_new(o, "operator", json_integer((json_int_t)operator_number));
    (void)json_array_append_new(steps, o);
}

static void add_cost(struct sql_cost *sum, const struct sql_cost *c)
{
    sum->name = c->name;
    sum->rounds += c->rounds;
    sum->bytes += c->bytes;
    sum->sent += c->sent;
    sum->busy_ns += c->busy_ns;
}

/* Entries "rows" (read and checked by their owners) and "share" come first, "open" last; of a
 * simple plan those between are one, of any other those of one operator of the logical plan. */
static json_t *steps_of(const struct told *t)
{
    json_t *steps = json_array();
    struct sql_cost sum = {0};
    size_t i = 0;

    for (; i < t->e->count && i <= 1; i++)
        add_step(steps, t, t->e->costs[i].name, 0, &t->e->costs[i]);
    for (; i + 1 < t->e->count; i++) {
        size_t of = t->plan->simple ? 0 : t->plan->rels[i - 2]->of;
        bool last = i + 2 == t->e->count || (!t->plan->simple && t->plan->rels[i - 1]->of != of);

        add_cost(&sum, &t->e->costs[i]);
        if (!last)
            continue;
        add_step(steps, t, t->plan->simple ? "compute" : sum.name, t->plan->simple ? 0 : of + 1,
                 &sum);
        sum = (struct sql_cost){0};
    }
    if (i > 1 && i < t->e->count)
        add_step(steps, t, t->e->costs[i].name, 0, &t->e->costs[i]);
    return steps;
}

static fm_status parties_of(json_t *parties, const struct told *t,
                            const struct sql_physical *physical, struct base_err *err)
{
    bool *mine = calloc(t->plan->source_count + 1, sizeof *mine);

    if (mine == NULL)
        return base_err_memory(err, "estimate");
    for (unsigned p = 0; p < t->cast->count; p++) {
        uint64_t memory;

        for (size_t s = 0; s < t->plan->source_count; s++)
            mine[s] = t->cast->sources[s] == p;
        memory = sql_estimate_memory(t->e, physical, p < 3, mine);
        (void)json_array_append_new(
            parties, json_pack("{s:s, s:b, s:I, s:I, s:I}", "who", t->cast->alias[p], "computes",
                               p < 3, "sent", (json_int_t)t->e->all.sent[p], "received",
                               (json_int_t)t->e->all.received[p], "memory", (json_int_t)memory));
    }
    free(mine);
    return FM_OK;
}

static uint64_t most_sent(const struct sql_estimate *e)
{
    uint64_t most = 0;

    for (unsigned p = 0; p < e->parties; p++)
        most = e->all.sent[p] > most ? e->all.sent[p] : most;
    return most;
}

static fm_status tell(json_t *answer, const struct told *t, const struct sql_physical *physical,
                      struct base_err *err)
{
    json_t *parties = json_array(), *link, *o;
    fm_status st = parties_of(parties, t, physical, err);

    link = json_pack("{s:s, s:I}", "name", t->link->name, "round_us",
                     (json_int_t)(t->link->round_ns / 1000));
    if (t->link->byte_ps > 0)
        (void)json_object_set_new(link, "mbit_s",
                                  json_integer((json_int_t)(8000000 / t->link->byte_ps)));
    o = json_pack("{s:o, s:[s,s,s], s:I, s:I, s:I, s:o, s:o}", "link", link, "compute",
                  t->cast->alias[0], t->cast->alias[1], t->cast->alias[2], "rounds",
                  (json_int_t)t->e->all.rounds, "bytes", (json_int_t)t->e->all.bytes, "us",
                  microseconds(t->e->all.rounds, most_sent(t->e), t->e->all.busy_ns, t->link),
                  "steps", steps_of(t), "parties", parties);
    if (st == FM_OK && (o == NULL || json_object_set(answer, "estimate", o) != 0))
        st = base_err_memory(err, "estimate");
    json_decref(o);
    return st;
}

fm_status node_explain_cost(struct node *node, json_t *answer, const struct sql_plan *plan,
                            const json_t *ask, struct base_err *err)
{
    struct cast cast = {.count = 0};
    struct sql_physical physical = {0};
    struct sql_estimate estimate = {0};
    struct sql_value *values = NULL;
    enum mpc_profile profile = MPC_LAN;
    struct sql_link link;
    unsigned asker = 0;
    fm_status st = cast_make(&cast, node, plan, json_object_get(ask, "compute"), err);

    if (st == FM_OK)
        st = links_of(&profile, &link, node, &cast, ask, err);
    if (st == FM_OK)
        st = values_of(&values, plan, json_object_get(ask, "values"), err);
    if (st == FM_OK)
        st = sql_physical_make(&physical, plan, err);
    if (st == FM_OK) {
        struct sql_estimate_config c = {.physical = &physical,
                                        .parties = cast.count,
                                        .compute = {0, 1, 2},
                                        .sources = cast.sources,
                                        .recipients = cast.recipients,
                                        .params = values,
                                        .profile = profile};
        struct told told = {physical.plan, &estimate, &link, &cast};

        (void)is_in(&cast, node->config.home.alias, &asker);
        c.asker = asker;
        st = sql_estimate(&estimate, &c, err);
        if (st == FM_OK)
            st = tell(answer, &told, &physical, err);
        sql_estimate_release(&estimate);
        sql_physical_release(&physical);
    }
    free(values);
    free(cast.sources);
    free(cast.recipients);
    return st;
}
