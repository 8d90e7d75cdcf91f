/* Room for queries: each has a place in line from the moment its query.open is final (lanes.h says
 * why not later), and is prepared when it has room. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#include "exchange/node/node_own.h"
#include "exchange/run/estimate.h"
#include "mpc/choice.h"

static int64_t now_ms(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock);
}

/* Rows are read one after the other there, and ciphertexts are few. */
enum { OTHER_PROTOCOLS = 16 << 20 };

/* What the estimate depends on: the plan, its sizes, the link, and this member's part. */
static fm_status reckoned_key(uint8_t out32[32], const struct node *node,
                              const struct node_query *q, bool computes, struct base_err *err)
{
    struct base_hash h;
    uint8_t plan32[32];
    fm_status st = sql_plan_hash(plan32, q->plan, err);

    base_hash_init(&h);
    base_hash_update(&h, plan32, sizeof plan32);
    base_hash_update(&h, &computes, sizeof computes);
    base_hash_update(&h, q->contract.link, strlen(q->contract.link) + 1);
    for (size_t i = 0; i < q->plan->source_count; i++) {
        const struct sql_source *s = &q->plan->sources[i];
        bool mine = strcmp(s->member, node->config.home.alias) == 0;

        base_hash_update(&h, &s->rows, sizeof s->rows);
        base_hash_update(&h, &s->max_rows_per_subject, sizeof s->max_rows_per_subject);
        base_hash_update(&h, &mine, sizeof mine);
    }
    base_hash_final(&h, out32);
    return st;
}

static fm_status reckon(uint64_t *bytes, const struct node *node, const struct node_query *q,
                        bool computes, struct base_err *err)
{
    enum mpc_profile profile = MPC_LAN;
    struct sql_physical physical;
    bool *mine;
    fm_status st = sql_physical_make(&physical, q->plan, err);

    if (st != FM_OK)
        return st;
    (void)mpc_link_find(&profile, q->contract.link); /* an unknown one is refused when it begins */
    mine = calloc(physical.plan->source_count + 1, sizeof *mine);
    if (mine == NULL)
        st = base_err_memory(err, "estimate of a query's memory");
    for (size_t i = 0; st == FM_OK && i < physical.plan->source_count; i++)
        mine[i] = strcmp(physical.plan->sources[i].member, node->config.home.alias) == 0;
    if (st == FM_OK)
        st = sql_memory(bytes, &physical, profile, computes, mine, err);
    free(mine);
    sql_physical_release(&physical);
    return st;
}

/* Reckoned once for each plan and sizes: contracts are asked again and again. */
static fm_status estimate(uint64_t *bytes, struct node *node, const struct node_query *q,
                          struct base_err *err)
{
    const struct session_facts *f = session_get_facts(q->session);
    bool computes = (f->parties[f->self].roles & SESSION_COMPUTE) != 0;
    struct node_reckoned *to = &node->reckoned[node->next_reckoned];
    uint8_t key32[32];
    fm_status st;

    if (strcmp(q->contract.protocol, "rep3") != 0) {
        *bytes = OTHER_PROTOCOLS;
        return FM_OK;
    }
    st = reckoned_key(key32, node, q, computes, err);
    for (size_t i = 0; st == FM_OK && i < NODE_RECKONED; i++)
        if (node->reckoned[i].bytes > 0 && memcmp(node->reckoned[i].key32, key32, 32) == 0) {
            *bytes = node->reckoned[i].bytes;
            return FM_OK;
        }
    if (st == FM_OK)
        st = reckon(bytes, node, q, computes, err);
    if (st != FM_OK)
        return st;
    memcpy(to->key32, key32, 32);
    to->bytes = *bytes;
    node->next_reckoned = (node->next_reckoned + 1) % NODE_RECKONED;
    return FM_OK;
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
