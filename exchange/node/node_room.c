/* Room for queries: each has a place in line from the moment its query.open is final (lanes.h says
 * why not later), and is prepared when it has room. */
#include <stdio.h>
#include <string.h>

#include "exchange/node/node_own.h"
#include "exchange/sql/physical/footprint.h"

static int64_t now_ms(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock);
}

/* Rows are read one after the other there, and ciphertexts are few. */
enum { OTHER_PROTOCOLS = 16 << 20 };

/* The greatest of this member's own sources. */
static int64_t own_rows(const struct node *node, const struct sql_plan *plan)
{
    int64_t most = 0;

    for (size_t i = 0; i < plan->source_count; i++)
        if (strcmp(plan->sources[i].member, node->config.home.alias) == 0 &&
            plan->sources[i].rows > most)
            most = plan->sources[i].rows;
    return most;
}

static fm_status estimate(uint64_t *bytes, const struct node *node, const struct node_query *q,
                          struct base_err *err)
{
    const struct session_facts *f = session_get_facts(q->session);
    bool computes = (f->parties[f->self].roles & SESSION_COMPUTE) != 0;
    struct sql_physical physical;
    fm_status st;

    if (strcmp(q->contract.protocol, "rep3") != 0) {
        *bytes = OTHER_PROTOCOLS;
        return FM_OK;
    }
    st = sql_physical_make(&physical, q->plan, err);
    if (st != FM_OK)
        return st;
    st = sql_footprint(bytes, &physical, computes, own_rows(node, q->plan), err);
    sql_physical_release(&physical);
    return st;
}

void node_room_enter(struct node *node, struct node_query *q, uint64_t order)
{
    struct base_err err = {0};
    fm_status st;

    q->refused_rule = "node.policy";
    (void)snprintf(q->place.asker, sizeof q->place.asker, "%s", q->contract.asker);
    q->place.order = order;
    st = node_compile(node, q, &q->refused_rule, &err);
    if (st == FM_OK)
        st = estimate(&q->place.bytes, node, q, &err);
    if (st == FM_OK)
        st = lanes_enter(&node->lanes, &q->place, &q->refused_rule, &err);
    if (st != FM_OK)
        q->refused_why = err;
    (void)lanes_admit(&node->lanes);
}

void node_room_leave(struct node *node, struct node_query *q)
{
    lanes_leave(&node->lanes, &q->place);
}

fm_status node_room_prepare(struct node *node, struct node_query *q, const json_t *openings,
                            json_t **inputs, const char **rule, struct base_err *err)
{
    *inputs = NULL;
    *rule = q->refused_rule;
    if (!q->place.entered) {
        *err = q->refused_why;
        return err->code;
    }
    if (q->place.admitted)
        return node_prepare(node, q, openings, inputs, rule, err);
    q->given = json_incref((json_t *)(uintptr_t)openings);
    return FM_OK;
}

void node_room_admit(struct node *node)
{
    (void)lanes_admit(&node->lanes);
    for (struct node_query *q = node->queries; q != NULL; q = q->next) {
        struct base_err err = {0};
        const char *rule = "node.policy";
        json_t *inputs = NULL;
        if (!q->place.admitted || q->given == NULL)
            continue;
        if (session_get_state(q->session) == SESSION_PREPARING &&
            (node_prepare(node, q, q->given, &inputs, &rule, &err) != FM_OK || inputs != NULL))
            session_on_prepared(q->session, inputs, rule, &err, now_ms(node));
        json_decref(inputs);
        json_decref(q->given);
        q->given = NULL;
    }
}
