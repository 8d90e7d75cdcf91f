/* Three parties that answer one query over two banks' rows, in threads. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_PARTIES_H
#define FIRMIANA_EXCHANGE_RUN_TEST_PARTIES_H

#include "exchange/sql/bind/test_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "exchange/run/run.h"
#include "net/loop.h"

enum { PARTIES = 3, MAX_ROWS = 80 };

static const char catalog_text[] =
    "{\"datasets\":["
    "{\"member\":\"bank_a\",\"name\":\"u\",\"version\":1,\"rows\":10,\"columns\":[{\"name\":\"x\","
    "\"type\":\"INTEGER\",\"range\":[-50,50]},{\"name\":\"y\",\"type\":\"TEXT(4)\",\"nullable\":"
    "true}]"
    ",\"subject\":{\"column\":\"x\",\"scheme\":\"s\"},\"max_rows_per_subject\":1},"
    "{\"member\":\"bank_b\",\"name\":\"u\",\"version\":1,\"rows\":70,\"columns\":[{\"name\":\"x\","
    "\"type\":\"INTEGER\",\"range\":[-50,50]},{\"name\":\"y\",\"type\":\"TEXT(4)\",\"nullable\":"
    "true}]"
    ",\"subject\":{\"column\":\"x\",\"scheme\":\"s\"},\"max_rows_per_subject\":1}]}";

struct bank {
    size_t rows;
    int64_t x[MAX_ROWS];
    const char *y[MAX_ROWS]; /* NULL: NULL */
    bool x_null;             /* every x is NULL, which the schema rules out */
    size_t next;
    const struct sql_plan *plan;
};

static inline fm_status bank_next(void *ctx, struct sql_cell *cells, bool *end,
                                  struct base_err *err)
{
    struct bank *b = ctx;
    size_t i = b->next++;

    (void)err;
    *end = i == b->rows;
    if (*end)
        return FM_OK;
    for (size_t c = 0; c < b->plan->column_count; c++) {
        const char *text = b->y[i] != NULL ? b->y[i] : "";
        if (strcmp(b->plan->columns[c].name, "x") == 0)
            cells[c] = (struct sql_cell){.null = b->x_null, .value = b->x[i]};
        else
            cells[c] =
                (struct sql_cell){.null = b->y[i] == NULL, .text = text, .len = strlen(text)};
    }
    return FM_OK;
}

/* splitmix64, where a test needs the same permutations in every run of it. */
struct party_dice {
    uint64_t state;
};

static inline fm_status party_dice_fill(void *ctx, void *out, size_t len, struct base_err *err)
{
    struct party_dice *dice = ctx;
    uint8_t *bytes = out;

    (void)err;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = dice->state += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        bytes[i] = (uint8_t)(z ^ z >> 31);
    }
    return FM_OK;
}

struct world {
    uint64_t seed; /* 0: the system's random */
    struct sql_catalog catalog;
    struct sql_plan plan;
    struct sql_physical physical;
    struct bank banks[2];
    fm_status (*before_reveal)(void *, struct base_err *); /* at party 1 */
};

static inline void world_open(struct world *w, const char *text, int64_t minimum, bool hidden)
{
    struct sql_param_decl decl = {.hidden = hidden};
    struct sql_request r = fixture_request(text);
    struct base_err err;
    json_t *json;

    memset(w, 0, sizeof *w);
    assert_int_equal(base_json_parse(&json, catalog_text, strlen(catalog_text), &err), FM_OK);
    assert_int_equal(sql_catalog_from_json(&w->catalog, json, &err), FM_OK);
    json_decref(json);
    r.catalog = &w->catalog;
    r.minimum = minimum;
    r.params = &decl;
    r.param_count = strchr(text, '$') != NULL;
    fixture_compile(&w->plan, &r);
    assert_int_equal(sql_physical_make(&w->physical, &w->plan, &err), FM_OK);
    for (size_t b = 0; b < 2; b++) {
        w->banks[b].rows = b == 0 ? 7 : 66;
        for (size_t i = 0; i < w->banks[b].rows; i++) {
            w->banks[b].x[i] = (int64_t)(i * 13 % 101) - 50;
            w->banks[b].y[i] = i % 3 == 0 ? "a" : i % 3 == 1 ? "c" : NULL;
        }
    }
}

static inline void world_close(struct world *w)
{
    sql_physical_release(&w->physical);
    sql_plan_release(&w->plan);
    sql_catalog_release(&w->catalog);
}

struct party {
    struct world *w;
    struct net_transport *transport;
    struct bank bank;
    unsigned asker;
    struct party_dice dice;
    struct base_random random;
    struct sql_result result;
    struct net_stats stats;
    fm_status status;
    struct base_err err;
};

static inline fm_status party_query(struct party *p, struct mpc_session *session)
{
    static const unsigned sources[] = {0, 1}, recipient = 0;
    struct sql_value value = {.value = -40, .text = "a"};
    struct sql_rows own = {bank_next, &p->bank};
    const struct sql_rows *rows[2] = {NULL};
    struct sql_run_config c = {.physical = &p->w->physical,
                               .session = session,
                               .transport = p->transport,
                               .sources = sources,
                               .recipients = &recipient,
                               .asker = p->asker,
                               .params = &value,
                               .rows = rows,
                               .random = &p->random};

    if (p->transport->self < 2)
        rows[p->transport->self] = &own;
    if (p->transport->self == 1)
        c.hooks.before_reveal = p->w->before_reveal;
    return sql_run(&p->result, &c, &p->err);
}

static inline void *party_main(void *arg)
{
    struct party *p = arg;
    struct mpc_session_config sc = {.protocol = mpc_protocol_find("rep3"),
                                    .transport = p->transport,
                                    .compute = (unsigned[]){0, 1, 2},
                                    .compute_len = 3,
                                    .streams = 1,
                                    .profile = MPC_FEW_BYTES,
                                    .random = &p->random};
    struct mpc_session *session = NULL;

    p->status = mpc_session_open(&session, &sc, &p->err);
    if (p->status == FM_OK)
        p->status = party_query(p, session);
    mpc_session_close(session);
    net_stats_get(p->transport, &p->stats);
    return NULL;
}

static inline struct net_loop *loop_new(void)
{
    static const char *const names[] = {"bank_a", "bank_b", "helper"};
    struct net_loop *loop;
    struct base_err err;

    assert_int_equal(net_loop_new(&loop, PARTIES, names, &err), FM_OK);
    net_loop_set_timeout_ms(loop, 10000);
    return loop;
}

static inline void run_parties(struct world *w, struct party *parties, struct net_loop *loop,
                               unsigned asker)
{
    pthread_t threads[PARTIES];

    for (unsigned i = 0; i < PARTIES; i++) {
        parties[i] = (struct party){.w = w, .asker = asker};
        parties[i].dice.state = 1000 * w->seed + i;
        parties[i].random = w->seed == 0 ? *base_random_system()
                                         : (struct base_random){party_dice_fill, &parties[i].dice};
        parties[i].transport = net_loop_transport(loop, i);
        if (i < 2)
            parties[i].bank = w->banks[i];
        parties[i].bank.plan = &w->plan;
        assert_int_equal(pthread_create(&threads[i], NULL, party_main, &parties[i]), 0);
    }
    for (unsigned i = 0; i < PARTIES; i++)
        (void)pthread_join(threads[i], NULL);
}

static inline void release_results(struct party *parties)
{
    for (unsigned i = 0; i < PARTIES; i++)
        sql_result_release(&parties[i].result);
}

#endif
