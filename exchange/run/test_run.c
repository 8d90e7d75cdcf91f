/* Whole queries against SQLite on the pooled rows, to the last digit: hundreds on the plain row,
 * some dozens on rep3 with all parties as threads. A failure prints seed and query;
 * FIRMIANA_SQL_SEED and FIRMIANA_SQL_ROUNDS run others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/run/run.h"
#include "exchange/run/test_estimate.h"
#include "exchange/run/test_generate.h"
#include "exchange/run/test_lite.h"
#include "exchange/sql/bind/compile.h"
#include "net/loop.h"

/* ---- SQLite, the oracle ---- */

static sqlite3 *oracle;

static void sql_exec(const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(oracle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("sqlite: %s\n%s", message, sql);
}

static void bind_cell(sqlite3_stmt *s, int at, const struct gen_column *c, struct gen_cell cell)
{
    if (cell.null)
        (void)sqlite3_bind_null(s, at);
    else if (c->type.kind == DATA_TEXT)
        (void)sqlite3_bind_text(s, at, cell.text, -1, SQLITE_TRANSIENT);
    else
        (void)sqlite3_bind_int64(s, at, cell.value);
}

static void oracle_open(const struct gen_world *w)
{
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_open(":memory:", &oracle), SQLITE_OK);
    sql_exec("CREATE TABLE t (m, a, b, c, d, e, f, g, h, i)");
    assert_int_equal(
        sqlite3_prepare_v2(oracle, "INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?)", -1, &s, NULL),
        SQLITE_OK);
    for (size_t m = 0; m < w->member_count; m++) {
        for (size_t r = 0; r < w->members[m].rows; r++) {
            (void)sqlite3_bind_int64(s, 1, (sqlite3_int64)m);
            for (size_t c = 0; c < w->column_count; c++)
                bind_cell(s, (int)c + 2, &w->columns[c],
                          w->members[m].cells[r * w->column_count + c]);
            assert_int_equal(sqlite3_step(s), SQLITE_DONE);
            (void)sqlite3_reset(s);
        }
    }
    (void)sqlite3_finalize(s);
}

static struct sql_result_cell expected(struct gen_world *w, const struct gen_query *q, size_t i,
                                       const struct sql_plan *plan)
{
    const struct gen_output *o = &q->outputs[i];
    const char *x = o->lite != NULL ? o->lite : "*";
    struct sql_result_cell cell = {.state = SQL_CELL_VALUE};
    const char *fn = o->fn == SQL_AVG ? "sum" : sql_fn_name(o->fn);
    int64_t n, others;

    if (plan->guard_rows > 0) {
        /* bank_a, member 0, is the recipient. */
        size_t counted = plan->outputs[i].counted;
        const char *rest = " AND m <> 0";
        if (counted != SQL_NONE)
            rest = gen_text(w, " AND m <> 0 AND %s", lite_expr(w, q, plan, counted));
        assert_true(lite_ask(&others, w, oracle, gen_text(w, "count(%s)", x), q->lite_where, rest));
        if (others < plan->guard_rows)
            return (struct sql_result_cell){.state = SQL_CELL_SUPPRESSED};
    }
    if (!lite_ask(&cell.value, w, oracle, gen_text(w, "%s(%s)", fn, x), q->lite_where, ""))
        return (struct sql_result_cell){.state = SQL_CELL_NULL};
    if (o->fn == SQL_AVG) {
        assert_true(lite_ask(&n, w, oracle, gen_text(w, "count(%s)", x), q->lite_where, ""));
        cell.value = lite_average(cell.value, n, plan->outputs[i].digits);
    }
    return cell;
}

/* ---- rows for the runner ---- */

struct feed {
    const struct gen_world *w;
    const struct gen_member *member;
    const struct sql_plan *plan;
    size_t row;
    struct sql_rows rows;
};

static fm_status feed_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    struct feed *f = ctx;
    const struct gen_cell *row = &f->member->cells[f->row * f->w->column_count];

    (void)err;
    *end = f->row == f->member->rows;
    for (size_t i = 0; !*end && i < f->plan->column_count; i++) {
        for (size_t c = 0; c < f->w->column_count; c++) {
            if (strcmp(f->w->columns[c].name, f->plan->columns[i].name) != 0)
                continue;
            cells[i] = (struct sql_cell){row[c].null, row[c].value, row[c].text,
                                         row[c].text != NULL ? strlen(row[c].text) : 0};
        }
    }
    f->row++;
    return FM_OK;
}

static struct feed make_feed(const struct gen_world *w, size_t member, const struct sql_plan *plan)
{
    return (struct feed){.w = w, .member = &w->members[member], .plan = plan};
}

/* ---- one case: a plan, its values, its expected cells ---- */

struct fixture {
    struct gen_world *w;
    struct gen_query q;
    struct sql_plan plan;
    struct sql_physical physical;
    struct sql_value values[GEN_MAX_PARAMS];
};

/* False if the planner refused it because a value could leave 64 bits. */
static bool fixture_make(struct fixture *f, struct gen_world *w, struct sql_catalog *catalog,
                         bool may_hide)
{
    struct sql_param_decl decl[GEN_MAX_PARAMS] = {{0}};
    const char *recipient = "bank_a";
    struct sql_request r = {.catalog = catalog, .recipients = &recipient, .recipient_count = 1};
    struct base_err err = {0};
    fm_status st;

    f->w = w;
    gen_make_query(w, &f->q, may_hide);
    for (size_t i = 0; i < f->q.param_count; i++)
        decl[i].hidden = f->q.params[i].hidden;
    r.text = f->q.ours;
    r.len = strlen(r.text);
    r.params = decl;
    r.param_count = f->q.param_count;
    r.minimum = w->member_count > 1 && gen_below(w, 3) == 0 ? 2 : 1;
    st = sql_plan_compile(&f->plan, &r, &err);
    if (st == FM_E_LIMIT || st == FM_E_REFUSED)
        return false;
    if (st != FM_OK)
        fail_msg("%s\n  %s", r.text, err.text);
    for (size_t i = 0; i < f->q.param_count; i++) {
        if (sql_param_parse(&f->values[i], &f->plan, i, f->q.params[i].text, &err) != FM_OK)
            fail_msg("%s\n  %s", r.text, err.text);
    }
    /* Half of them run as one program of steps, half operator by operator. */
    f->plan.simple = gen_below(w, 2) == 0;
    if (sql_physical_make(&f->physical, &f->plan, &err) != FM_OK)
        fail_msg("%s\n  %s", r.text, err.text);
    return true;
}

static void fixture_release(struct fixture *f)
{
    sql_physical_release(&f->physical);
    sql_plan_release(&f->plan);
}

static void explain(const struct fixture *f)
{
    struct base_buf text = {0};

    print_error("  %s\n", f->q.ours);
    for (size_t i = 0; i < f->q.param_count; i++)
        print_error("  $%zu = %s%s\n", i + 1, f->q.params[i].text,
                    f->q.params[i].hidden ? " (hidden)" : "");
    for (size_t i = 0; i < f->q.output_count; i++)
        print_error("  oracle: %s(%s) WHERE %s\n", sql_fn_name(f->q.outputs[i].fn),
                    f->q.outputs[i].lite != NULL ? f->q.outputs[i].lite : "*", f->q.lite_where);
    sql_plan_print(&text, &f->plan);
    sql_physical_print(&text, &f->physical);
    print_error("%s\n", base_buf_cstr(&text));
    base_buf_release(&text);
}

static void check_result(const struct fixture *f, const struct sql_result *result, uint64_t seed)
{
    for (size_t i = 0; i < f->q.output_count; i++) {
        struct sql_result_cell want = expected(f->w, &f->q, i, &f->plan);
        struct sql_result_cell got = result->cells[i];
        if (want.state == got.state && want.value == got.value)
            continue;
        print_error("seed %llu, output %zu: state %d value %lld, SQLite has state %d value %lld\n",
                    (unsigned long long)seed, i, (int)got.state, (long long)got.value,
                    (int)want.state, (long long)want.value);
        explain(f);
        fail();
    }
}

/* ---- plain ---- */

/* What stands under a NULL or a suppressed value must be 0 inside the computation already: the
 * recipient's own wiping would come too late. On the plain row the shares can be looked at. */
static fm_status look_at_value(void *ctx, size_t output, unsigned part,
                               const struct mpc_share *share, struct base_err *err)
{
    int64_t *opened = ctx;
    const unsigned self = 0;
    int64_t *out[] = {&opened[output]};

    return part == 0 ? mpc_reveal(&share, 1, &self, 1, out, err) : FM_OK;
}

static void check_nothing_under(const struct fixture *f, const struct sql_result *result,
                                const int64_t *opened)
{
    for (size_t i = 0; i < f->q.output_count; i++) {
        if (result->cells[i].state != SQL_CELL_VALUE)
            assert_int_equal(opened[i], 0);
        else
            assert_int_equal(opened[i], result->cells[i].value);
    }
}

static void run_plain(struct fixture *f, struct sql_result *result)
{
    int64_t opened[GEN_MAX_OUTPUTS] = {0};
    struct mpc_session_config sc = {.protocol = mpc_protocol_find("plain"),
                                    .compute = (unsigned[]){0},
                                    .compute_len = 1,
                                    .streams = 1,
                                    .profile = MPC_FEW_ROUNDS,
                                    .random = base_random_system()};
    unsigned zeros[GEN_MAX_MEMBERS] = {0};
    struct feed feeds[GEN_MAX_MEMBERS];
    const struct sql_rows *rows[GEN_MAX_MEMBERS];
    struct sql_run_config c = {.physical = &f->physical,
                               .sources = zeros,
                               .recipients = zeros,
                               .params = f->values,
                               .rows = rows,
                               .random = base_random_system(),
                               .hooks = {.result_shared = look_at_value, .ctx = opened}};
    struct base_err err;

    for (size_t m = 0; m < f->w->member_count; m++) {
        feeds[m] = make_feed(f->w, m, &f->plan);
        feeds[m].rows = (struct sql_rows){feed_next, &feeds[m]};
        rows[m] = &feeds[m].rows;
    }
    if (mpc_session_open(&c.session, &sc, &err) != FM_OK || sql_run(result, &c, &err) != FM_OK) {
        print_error("%s\n", err.text);
        explain(f);
        fail();
    }
    mpc_session_close(c.session);
    check_nothing_under(f, result, opened);
}

/* ---- rep3, a thread for each party ---- */

struct party {
    struct fixture *f;
    struct net_transport *transport;
    const unsigned *compute;
    const unsigned *sources;
    unsigned asker;
    struct sql_result result;
    struct mpc_stats *stats; /* of all parties */
    fm_status status;
    struct base_err err;
};

static fm_status party_run(struct party *p, struct mpc_session *session)
{
    struct feed feeds[GEN_MAX_MEMBERS];
    const struct sql_rows *rows[GEN_MAX_MEMBERS] = {NULL};
    const unsigned recipient = p->sources[0];
    struct sql_value values[GEN_MAX_PARAMS];
    struct sql_run_config c = {.physical = &p->f->physical,
                               .session = session,
                               .transport = p->transport,
                               .sources = p->sources,
                               .recipients = &recipient,
                               .asker = p->asker,
                               .params = values,
                               .rows = rows,
                               .random = base_random_system()};

    /* Nobody but the asker has the hidden values. */
    memcpy(values, p->f->values, sizeof values);
    for (size_t i = 0; i < p->f->q.param_count; i++) {
        if (p->f->q.params[i].hidden && p->transport->self != p->asker)
            values[i] = (struct sql_value){0, NULL};
    }
    for (size_t m = 0; m < p->f->w->member_count; m++) {
        if (p->sources[m] != p->transport->self)
            continue;
        feeds[m] = make_feed(p->f->w, m, &p->f->plan);
        feeds[m].rows = (struct sql_rows){feed_next, &feeds[m]};
        rows[m] = &feeds[m].rows;
    }
    return sql_run(&p->result, &c, &p->err);
}

static void *party_main(void *arg)
{
    struct party *p = arg;
    struct mpc_session_config sc = {.protocol = mpc_protocol_find("rep3"),
                                    .transport = p->transport,
                                    .compute = p->compute,
                                    .compute_len = 3,
                                    .streams = 1,
                                    .profile = MPC_FEW_ROUNDS,
                                    .random = base_random_system()};
    struct mpc_session *session = NULL;

    p->status = mpc_session_open(&session, &sc, &p->err);
    if (p->status == FM_OK) {
        p->status = party_run(p, session);
        mpc_session_stats(session, &p->stats[p->transport->self]);
    }
    mpc_session_close(session);
    return NULL;
}

enum { PARTIES = 4 };

static void run_threads(struct party *parties, struct net_loop *loop)
{
    pthread_t threads[PARTIES];

    for (unsigned i = 0; i < PARTIES; i++) {
        parties[i].transport = net_loop_transport(loop, i);
        assert_int_equal(pthread_create(&threads[i], NULL, party_main, &parties[i]), 0);
    }
    for (unsigned i = 0; i < PARTIES; i++)
        (void)pthread_join(threads[i], NULL);
}

/* Who computes and who provides: party 3 only provides, or only computes, or does nothing. */
static const unsigned computing[][3] = {{0, 1, 2}, {3, 0, 1}, {1, 2, 3}};
static const unsigned providing[][GEN_MAX_MEMBERS] = {{0, 1, 2, 3}, {1, 2, 0, 3}, {3, 0, 1, 2}};

static void check_estimate(const struct fixture *f, const struct party *p)
{
    struct sql_estimate_config c = {.physical = &f->physical,
                                    .parties = PARTIES,
                                    .sources = p->sources,
                                    .recipients = p->sources,
                                    .asker = p->asker,
                                    .params = f->values};

    memcpy(c.compute, p->compute, sizeof c.compute);
    estimate_check(&c, p->stats, 0, f->q.ours);
}

static void run_rep3(struct fixture *f, uint64_t seed)
{
    struct party parties[PARTIES] = {0};
    struct mpc_stats stats[PARTIES];
    struct net_loop *loop;
    struct base_err err;

    assert_int_equal(net_loop_new(&loop, PARTIES, NULL, &err), FM_OK);
    for (unsigned i = 0; i < PARTIES; i++) {
        parties[i].f = f;
        parties[i].stats = stats;
        parties[i].compute = computing[seed % 3];
        parties[i].sources = providing[seed / 3 % 3];
        parties[i].asker = parties[i].sources[0];
    }
    run_threads(parties, loop);
    check_estimate(f, parties);
    for (unsigned i = 0; i < PARTIES; i++) {
        bool recipient = i == parties[i].sources[0];
        if (parties[i].status != FM_OK) {
            print_error("seed %llu, party %u: %s\n", (unsigned long long)seed, i,
                        parties[i].err.text);
            explain(f);
            fail();
        }
        assert_int_equal(parties[i].result.row_count, recipient ? 1 : 0);
        if (recipient)
            check_result(f, &parties[i].result, seed);
        sql_result_release(&parties[i].result);
    }
    net_loop_free(loop);
}

/* ---- the differential test ---- */

static void compare(uint64_t seed, bool plain, unsigned *run, unsigned *refused)
{
    struct gen_world w;
    struct sql_catalog catalog;
    struct fixture f;
    struct base_err err;
    json_t *json;
    const char *text;

    gen_make_world(&w, seed);
    text = gen_catalog(&w);
    if (base_json_parse(&json, text, strlen(text), &err) != FM_OK ||
        sql_catalog_from_json(&catalog, json, &err) != FM_OK)
        fail_msg("%s\n%s", err.text, text);
    json_decref(json);
    oracle_open(&w);
    for (unsigned i = 0; i < 4; i++) {
        struct sql_result result;
        if (!fixture_make(&f, &w, &catalog, true)) {
            ++*refused;
            continue;
        }
        if (plain) {
            run_plain(&f, &result);
            check_result(&f, &result, seed);
            sql_result_release(&result);
        } else {
            run_rep3(&f, seed);
        }
        ++*run;
        fixture_release(&f);
    }
    (void)sqlite3_close(oracle);
    sql_catalog_release(&catalog);
    sql_arena_release(&w.arena);
}

static uint64_t setting(const char *name, uint64_t standard)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : standard;
}

static void test_plain(void **state)
{
    uint64_t seed = setting("FIRMIANA_SQL_SEED", 1), rounds = setting("FIRMIANA_SQL_ROUNDS", 200);
    unsigned run = 0, refused = 0;

    (void)state;
    for (uint64_t i = 0; i < rounds; i++)
        compare(seed + i, true, &run, &refused);
    print_message("plain: %u queries equal SQLite's answers, %u refused for range or guard\n", run,
                  refused);
    assert_true(refused < run);
}

static void test_rep3(void **state)
{
    uint64_t seed = setting("FIRMIANA_SQL_SEED", 1001);
    uint64_t rounds = setting("FIRMIANA_SQL_ROUNDS", 12);
    unsigned run = 0, refused = 0;

    (void)state;
    for (uint64_t i = 0; i < rounds; i++)
        compare(seed + i, false, &run, &refused);
    print_message("rep3: %u queries equal SQLite's answers, %u refused for range or guard\n", run,
                  refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_rep3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
