/* Runs over rep3 with things going wrong, and what may be seen from outside: bad rows, dying
 * parties, sizes of messages, and the printed forms of results. */
#include "exchange/sql/bind/test_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "exchange/run/run.h"
#include "net/loop.h"

enum { PARTIES = 3, MAX_ROWS = 80 };

static const char query[] =
    "SELECT COUNT(*), SUM(x), AVG(x), MAX(x) FROM u WHERE y IN ('a', 'b') AND x > $1";

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

static fm_status bank_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
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

struct world {
    struct sql_catalog catalog;
    struct sql_plan plan;
    struct sql_physical physical;
    struct bank banks[2];
    fm_status (*before_reveal)(void *, struct base_err *); /* at party 1 */
};

static void world_open(struct world *w, const char *text, int64_t minimum, bool hidden)
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

static void world_close(struct world *w)
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
    struct sql_result result;
    struct net_stats stats;
    fm_status status;
    struct base_err err;
};

static fm_status party_query(struct party *p, struct mpc_session *session)
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
                               .random = base_random_system()};

    if (p->transport->self < 2)
        rows[p->transport->self] = &own;
    if (p->transport->self == 1)
        c.hooks.before_reveal = p->w->before_reveal;
    return sql_run(&p->result, &c, &p->err);
}

static void *party_main(void *arg)
{
    struct party *p = arg;
    struct mpc_session_config sc = {.protocol = mpc_protocol_find("rep3"),
                                    .transport = p->transport,
                                    .compute = (unsigned[]){0, 1, 2},
                                    .compute_len = 3,
                                    .streams = 1,
                                    .profile = MPC_FEW_BYTES,
                                    .random = base_random_system()};
    struct mpc_session *session = NULL;

    p->status = mpc_session_open(&session, &sc, &p->err);
    if (p->status == FM_OK)
        p->status = party_query(p, session);
    mpc_session_close(session);
    net_stats_get(p->transport, &p->stats);
    return NULL;
}

static struct net_loop *loop_new(void)
{
    static const char *const names[] = {"bank_a", "bank_b", "helper"};
    struct net_loop *loop;
    struct base_err err;

    assert_int_equal(net_loop_new(&loop, PARTIES, names, &err), FM_OK);
    net_loop_set_timeout_ms(loop, 10000);
    return loop;
}

static void run_parties(struct world *w, struct party *parties, struct net_loop *loop,
                        unsigned asker)
{
    pthread_t threads[PARTIES];

    for (unsigned i = 0; i < PARTIES; i++) {
        parties[i] = (struct party){.w = w, .asker = asker};
        parties[i].transport = net_loop_transport(loop, i);
        if (i < 2)
            parties[i].bank = w->banks[i];
        parties[i].bank.plan = &w->plan;
        assert_int_equal(pthread_create(&threads[i], NULL, party_main, &parties[i]), 0);
    }
    for (unsigned i = 0; i < PARTIES; i++)
        (void)pthread_join(threads[i], NULL);
}

static void release_results(struct party *parties)
{
    for (unsigned i = 0; i < PARTIES; i++)
        sql_result_release(&parties[i].result);
}

/* ---- results and their forms ---- */

static void test_printed_forms(void **state)
{
    struct world w;
    struct party parties[PARTIES];
    struct net_loop *loop = loop_new();
    struct base_buf out = {0};

    (void)state;
    world_open(&w, query, 1, false);
    run_parties(&w, parties, loop, 0);
    for (unsigned i = 0; i < PARTIES; i++)
        assert_int_equal(parties[i].status, FM_OK);
    sql_result_table(&out, &parties[0].result);
    assert_string_equal(base_buf_cstr(&out), "count  sum       avg  max\n"
                                             "-----  ---  --------  ---\n"
                                             "   21   86  4.095238   46\n");
    base_buf_clear(&out);
    sql_result_csv(&out, &parties[0].result);
    assert_string_equal(base_buf_cstr(&out), "count,sum,avg,max\n21,86,4.095238,46\n");
    base_buf_clear(&out);
    sql_result_json(&out, &parties[0].result);
    assert_string_equal(base_buf_cstr(&out), "{\"columns\":[\"count\",\"sum\",\"avg\",\"max\"],"
                                             "\"rows\":[[21,86,\"4.095238\",46]]}\n");
    assert_int_equal(parties[1].result.row_count, 0);
    base_buf_release(&out);
    release_results(parties);
    net_loop_free(loop);
    world_close(&w);
}

static void test_forms_of_absence(void **state)
{
    struct world w;
    struct sql_result r;
    struct base_err err;
    struct base_buf out = {0};

    (void)state;
    world_open(&w, "SELECT COUNT(*) AS \"a,b\", SUM(x) AS \"q\"\"\", MAX(x) AS n FROM u", 1, false);
    assert_int_equal(sql_result_init(&r, &w.plan, 1, &err), FM_OK);
    r.cells[0].value = 9007199254740993;
    r.cells[1].state = SQL_CELL_NULL;
    r.cells[2].state = SQL_CELL_SUPPRESSED;
    sql_result_table(&out, &r);
    assert_string_equal(base_buf_cstr(&out), "             a,b    q\"             n\n"
                                             "----------------  ----  ------------\n"
                                             "9007199254740993  NULL  (suppressed)\n");
    base_buf_clear(&out);
    sql_result_csv(&out, &r);
    assert_string_equal(base_buf_cstr(&out), "\"a,b\",\"q\"\"\",n\n9007199254740993,,suppressed\n");
    base_buf_clear(&out);
    sql_result_json(&out, &r);
    assert_string_equal(
        base_buf_cstr(&out),
        "{\"columns\":[\"a,b\",\"q\\\"\",\"n\"],\"rows\":[[\"9007199254740993\",null,"
        "null]],\"suppressed\":[[0,2]]}\n");
    base_buf_release(&out);
    sql_result_release(&r);
    world_close(&w);
}

/* ---- the guard ---- */

static enum sql_cell_state guarded_state(const char *text, int64_t minimum)
{
    struct world w;
    struct party parties[PARTIES];
    struct net_loop *loop = loop_new();
    enum sql_cell_state state;

    world_open(&w, text, minimum, false);
    run_parties(&w, parties, loop, 0);
    assert_int_equal(parties[0].status, FM_OK);
    state = parties[0].result.cells[0].state;
    if (state == SQL_CELL_SUPPRESSED)
        assert_int_equal(parties[0].result.cells[0].value, 0);
    release_results(parties);
    net_loop_free(loop);
    world_close(&w);
    return state;
}

/* bank_b has 66 rows, 22 of each kind; bank_a's own 7 count for nothing. */
static void test_guard(void **state)
{
    (void)state;
    assert_int_equal(guarded_state("SELECT COUNT(*) FROM u", 66), SQL_CELL_VALUE);
    assert_int_equal(guarded_state("SELECT COUNT(*) FROM u", 67), SQL_CELL_SUPPRESSED);
    assert_int_equal(guarded_state("SELECT COUNT(x) FROM u WHERE y = 'a'", 22), SQL_CELL_VALUE);
    assert_int_equal(guarded_state("SELECT COUNT(x) FROM u WHERE y = 'a'", 23),
                     SQL_CELL_SUPPRESSED);
    assert_int_equal(guarded_state("SELECT COUNT(y) FROM u", 44), SQL_CELL_VALUE);
    assert_int_equal(guarded_state("SELECT COUNT(y) FROM u", 45), SQL_CELL_SUPPRESSED);
    assert_int_equal(guarded_state("SELECT COUNT(x) FROM u WHERE y = 'none'", 2),
                     SQL_CELL_SUPPRESSED);
}

/* ---- rows that break what is declared ---- */

static void check_bad_rows(const struct bank *bad, fm_status status, const char *sentence)
{
    struct world w;
    struct party parties[PARTIES];
    struct net_loop *loop = loop_new();

    world_open(&w, query, 1, false);
    w.banks[1] = *bad;
    run_parties(&w, parties, loop, 0);
    assert_int_equal(parties[1].status, status);
    assert_string_equal(parties[1].err.text, sentence);
    for (unsigned i = 0; i < PARTIES; i += 2) {
        assert_int_equal(parties[i].status, FM_E_PEER);
        assert_non_null(strstr(parties[i].err.text, "bank_b"));
    }
    net_loop_free(loop);
    world_close(&w);
}

static void test_bad_rows(void **state)
{
    struct bank bank = {.rows = 71};

    (void)state;
    check_bad_rows(&bank, FM_E_LIMIT,
                   "query input: bank_b.u has more rows than the 70 it declares");
    bank.rows = 5;
    bank.x[3] = 51;
    check_bad_rows(&bank, FM_E_INPUT,
                   "query input: bank_b.u: row 4, column 'x' is outside its declared range");
    bank.y[1] = "fifth";
    bank.x[3] = 0;
    check_bad_rows(&bank, FM_E_INPUT,
                   "query input: bank_b.u: row 2, column 'y' is longer than declared");
    bank.x_null = true;
    check_bad_rows(&bank, FM_E_INPUT,
                   "query input: bank_b.u: row 1, column 'x' is NULL, which its schema rules out");
}

/* ---- the last look before opening ---- */

static fm_status revoked(void *ctx, struct base_err *err)
{
    (void)ctx;
    return base_err_set(err, FM_E_REFUSED, "authorization revoked");
}

static void test_refusal_before_reveal(void **state)
{
    struct world w;
    struct party parties[PARTIES];
    struct net_loop *loop = loop_new();

    (void)state;
    world_open(&w, query, 1, false);
    w.before_reveal = revoked;
    run_parties(&w, parties, loop, 0);
    assert_int_equal(parties[1].status, FM_E_REFUSED);
    assert_string_equal(parties[1].err.text, "query result: authorization revoked");
    assert_int_equal(parties[0].status, FM_E_PEER);
    assert_int_equal(parties[0].result.row_count, 0);
    net_loop_free(loop);
    world_close(&w);
}

/* ---- hidden texts ---- */

static void test_hidden_text(void **state)
{
    struct world w;
    struct party parties[PARTIES];
    unsigned refused = 0;

    (void)state;
    for (unsigned asker = 1; asker < PARTIES; asker++) {
        struct net_loop *loop = loop_new();
        world_open(&w, "SELECT COUNT(*) FROM u WHERE y = $1", 1, true);
        run_parties(&w, parties, loop, asker);
        /* Every party sees it for itself, unless another was faster and has left already. */
        for (unsigned i = 0; i < PARTIES && asker == 2; i++) {
            assert_true(parties[i].status == FM_E_UNSUPPORTED || parties[i].status == FM_E_PEER);
            refused += parties[i].status == FM_E_UNSUPPORTED;
            if (parties[i].status == FM_E_UNSUPPORTED)
                assert_non_null(strstr(parties[i].err.text, "hidden parameter $1 is a TEXT"));
        }
        if (asker == 1) {
            assert_int_equal(parties[0].status, FM_OK);
            assert_int_equal(parties[0].result.cells[0].value, 25);
        }
        release_results(parties);
        net_loop_free(loop);
        world_close(&w);
    }
    assert_true(refused > 0);
}

/* ---- what the network sees ---- */

/* Whatever the rows are: also where owners filter and cut by themselves. */
static void check_sizes(const char *text)
{
    struct net_stats first[PARTIES] = {{0}};

    for (int round = 0; round < 3; round++) {
        struct world w;
        struct party parties[PARTIES];
        struct net_loop *loop = loop_new();

        world_open(&w, text, 1, false);
        for (size_t b = 0; b < 2 && round > 0; b++) {
            w.banks[b].rows = round == 1 ? 0 : w.banks[b].rows;
            for (size_t i = 0; i < w.banks[b].rows; i++) {
                w.banks[b].x[i] = 50;
                w.banks[b].y[i] = "b";
            }
        }
        run_parties(&w, parties, loop, 0);
        for (unsigned i = 0; i < PARTIES; i++) {
            assert_int_equal(parties[i].status, FM_OK);
            if (round == 0)
                first[i] = parties[i].stats;
            assert_int_equal(parties[i].stats.bytes_sent, first[i].bytes_sent);
            assert_int_equal(parties[i].stats.messages_sent, first[i].messages_sent);
            assert_int_equal(parties[i].stats.rounds, first[i].rounds);
        }
        release_results(parties);
        net_loop_free(loop);
        world_close(&w);
    }
}

static void test_sizes_tell_nothing(void **state)
{
    (void)state;
    check_sizes(query);
    check_sizes("SELECT COUNT(*), SUM(x) FROM u WHERE UPPER(y) LIKE 'A%' AND x > 3");
    check_sizes("SELECT MAX(LENGTH(y)), SUM(CASE WHEN y < 'b' THEN x ELSE 1 END) FROM u");
}

/* ---- parties that die: an answer or a named error, never a hang ---- */

static void check_death(uint64_t at, unsigned party, bool *fired)
{
    struct world w;
    struct party parties[PARTIES];
    struct net_loop *loop = loop_new();

    world_open(&w, "SELECT SUM(x), COUNT(*) FROM u WHERE y = 'a'", 1, false);
    net_loop_set_fault(loop, NET_LOOP_KILL, party, at, 0);
    run_parties(&w, parties, loop, 0);
    *fired = net_loop_fault_fired(loop);
    for (unsigned i = 0; i < PARTIES; i++) {
        if (!*fired || parties[i].status == FM_OK) {
            assert_int_equal(parties[i].status, FM_OK);
            continue;
        }
        assert_true(parties[i].status == FM_E_PEER || i == party);
        assert_true(strlen(parties[i].err.text) > 0);
    }
    release_results(parties);
    net_loop_free(loop);
    world_close(&w);
}

static void test_deaths(void **state)
{
    (void)state;
    for (unsigned party = 0; party < PARTIES; party++) {
        bool fired = true;
        for (uint64_t at = 1; fired; at++)
            check_death(at, party, &fired);
    }
}

/* ---- the physical plan is the same wherever it is made ---- */

static void test_same_plan_everywhere(void **state)
{
    struct world a, b;
    struct base_buf first = {0}, second = {0};

    (void)state;
    world_open(&a, query, 1, false);
    world_open(
        &b,
        "select count ( * ), sum(x), avg(x), max(x) from u where (y = 'a' or y = 'b') and (x > $1)",
        1, false);
    sql_physical_print(&first, &a.physical);
    sql_physical_print(&second, &b.physical);
    assert_string_equal(base_buf_cstr(&first), base_buf_cstr(&second));
    base_buf_release(&first);
    base_buf_release(&second);
    world_close(&a);
    world_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printed_forms),
        cmocka_unit_test(test_forms_of_absence),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_refusal_before_reveal),
        cmocka_unit_test(test_hidden_text),
        cmocka_unit_test(test_sizes_tell_nothing),
        cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_same_plan_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
