/* Whole queries of several operators, from their text to their answer, against SQLite on the pooled
 * rows: random tables of two members, each query on the plain row, some on rep3 with every party as
 * a thread. A failure prints its seed; FIRMIANA_QUERY_SEED runs that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/run/run.h"
#include "exchange/run/test_estimate.h"
#include "exchange/run/test_query.h"
#include "exchange/run/test_query_pool.h"
#include "exchange/run/test_relation.h"
#include "exchange/sql/bind/compile.h"

/* ---- one query ---- */

struct one_query {
    const struct pool *pool;
    struct sql_plan plan;
    struct sql_physical physical;
    struct sql_result result;
};

static fm_status run_query(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct one_query *q = arg;
    struct feed_rows feeds[64];
    const struct sql_rows *rows[64] = {NULL};
    unsigned owners[64] = {0}, recipient = 0, self = mpc_session_self(s);
    struct sql_result result = {0};
    struct sql_run_config c = {.physical = &q->physical,
                               .session = s,
                               .transport = NULL,
                               .sources = owners,
                               .recipients = &recipient,
                               .rows = rows,
                               .random = base_random_system()};

    assert_true(q->plan.source_count <= 64);
    for (size_t i = 0; i < q->plan.source_count; i++) {
        const struct sql_source *source = &q->plan.sources[i];

        for (size_t t = 0; t < SOURCES; t++)
            if (strcmp(source->member, q->pool->tables[t].member) == 0 &&
                strcmp(source->dataset, q->pool->tables[t].dataset) == 0)
                feeds[i] = (struct feed_rows){
                    .t = &q->pool->tables[t].rows, .plan = &q->plan, .table = source->table};
        feeds[i].rows = (struct sql_rows){feed_next_row, &feeds[i]};
        if (self == 0)
            rows[i] = &feeds[i].rows;
    }
    TRY(sql_run(&result, &c, err));
    if (self == 0)
        q->result = result;
    else
        sql_result_release(&result);
    return FM_OK;
}

static void lines_of_result(struct lines *out, const struct sql_result *r)
{
    *out = (struct lines){0};
    for (size_t row = 0; row < r->row_count; row++) {
        char line[1024] = "";
        size_t at = 0;

        for (size_t c = 0; c < r->column_count; c++) {
            const struct sql_result_cell *cell = &r->cells[row * r->column_count + c];
            const char *bar = c > 0 ? "|" : "";

            if (cell->state != SQL_CELL_VALUE)
                at += (size_t)snprintf(line + at, sizeof line - at, "%sNULL", bar);
            else if (cell->text != NULL)
                at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", bar, cell->text);
            else
                at += (size_t)snprintf(line + at, sizeof line - at, "%s%lld", bar,
                                       (long long)cell->value);
        }
        lines_add(out, line);
    }
}

static void explain_failure(const struct one_query *q, const char *text, uint64_t seed)
{
    struct base_buf plan = {0};

    sql_plan_print(&plan, &q->plan);
    print_error("seed %llu: %s\n%s\n", (unsigned long long)seed, text, base_buf_cstr(&plan));
    base_buf_release(&plan);
}

static void compare_query(struct one_query *q, const struct query_case *c, sqlite3 *db,
                          uint64_t seed)
{
    struct lines want, got;

    lines_of_sqlite(&want, db, c->oracle != NULL ? c->oracle : c->text);
    lines_of_result(&got, &q->result);
    if (!c->ordered) {
        lines_sort(&want);
        lines_sort(&got);
    }
    if (!lines_equal(&want, &got) || q->result.note_count > 0) {
        explain_failure(q, c->text, seed);
        lines_print("SQLite", &want);
        lines_print("we", &got);
        for (size_t i = 0; i < q->result.note_count; i++)
            print_error("note: %s\n", q->result.notes[i]);
        fail();
    }
    lines_release(&want);
    lines_release(&got);
}

/* Everything is put in by party 0. Tables are so short that sorts compare all pairs. */
static void check_estimate(const struct one_query *q, const struct mpc_stats *stats,
                           const char *text)
{
    static const unsigned zeros[64];
    const struct sql_estimate_config c = {.physical = &q->physical,
                                          .parties = 3,
                                          .compute = {0, 1, 2},
                                          .sources = zeros,
                                          .recipients = zeros,
                                          .profile = q->pool->profile};

    estimate_check(&c, stats, 0, text);
}

static void run_text(struct one_query *q, const struct pool *p, const char *text, int64_t minimum,
                     uint64_t seed, const char *protocol)
{
    const char *recipient = "bank_a";
    struct sql_request r = {.text = text,
                            .len = strlen(text),
                            .catalog = &p->catalog,
                            .recipients = &recipient,
                            .recipient_count = 1,
                            .minimum = minimum};
    struct world w = {.row = mpc_protocol_find(protocol), .profile = p->profile};
    struct base_err err;

    *q = (struct one_query){.pool = p};
    if (sql_plan_compile(&q->plan, &r, &err) != FM_OK)
        fail_msg("%s\n%s", err.text, text);
    if (sql_physical_make(&q->physical, &q->plan, &err) != FM_OK)
        fail_msg("%s\n%s", err.text, text);
    world_run(&w, run_query, q);
    if (w.status[0] != FM_OK) {
        explain_failure(q, text, seed);
        fail_msg("%s", w.err[0].text);
    }
    if (strcmp(protocol, "rep3") == 0)
        check_estimate(q, w.stats, text);
    world_clear(&w);
}

static void release_query(struct one_query *q)
{
    sql_result_release(&q->result);
    sql_physical_release(&q->physical);
    sql_plan_release(&q->plan);
}

static void try_query(const struct pool *p, const struct query_case *c, sqlite3 *db, uint64_t seed,
                      const char *protocol)
{
    struct one_query q;

    run_text(&q, p, c->text, 1, seed, protocol);
    compare_query(&q, c, db, seed);
    release_query(&q);
}

/* ---- all of them ---- */

static sqlite3 *db;

static void try_seed(uint64_t seed, const char *protocol, size_t most, size_t step)
{
    struct pool p = {0};

    pool_random(&p, db, seed, most, "");
    for (size_t i = seed % step; i < query_case_count; i += step)
        try_query(&p, &query_cases[i], db, seed, protocol);
    sql_catalog_release(&p.catalog);
}

static unsigned times(unsigned few, unsigned many)
{
    const char *full = getenv("FIRMIANA_FULL");

    return full != NULL && strcmp(full, "0") != 0 ? many : few;
}

static void test_plain(void **state)
{
    const char *one = getenv("FIRMIANA_QUERY_SEED");
    uint64_t from = one != NULL ? strtoull(one, NULL, 10) : 1;

    (void)state;
    for (uint64_t seed = from; seed < from + (one != NULL ? 1 : times(20, 600)); seed++)
        try_seed(seed, "plain", seed % 3 == 0 ? 4 : 16, 1);
}

static void test_rep3(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 1 + times(3, 60); seed++)
        try_seed(seed, "rep3", 8, 3);
}

/* Groups and items below the guard, inside the computation: bank_b's rows of a (m) are those of
 * others. A subject may have as many rows as is declared: 1 for u. */
static void test_guard(void **state)
{
    static const struct query_case guarded = {
        "SELECT g, COUNT(*), COUNT(v), SUM(v), MIN(v) FROM a GROUP BY g", false,
        "SELECT g, count(*), CASE WHEN count(v) FILTER (WHERE u >= 500) >= 2 THEN count(v) END, "
        "CASE WHEN count(v) FILTER (WHERE u >= 500) >= 2 THEN sum(v) END, "
        "CASE WHEN count(v) FILTER (WHERE u >= 500) >= 2 THEN min(v) END "
        "FROM a GROUP BY g HAVING count(*) FILTER (WHERE u >= 500) >= 2"};
    unsigned suppressed = 0;

    (void)state;
    for (uint64_t seed = 1; seed < 1 + times(30, 600); seed++) {
        struct pool p = {0};
        struct one_query q;

        pool_random(&p, db, seed, 20,
                    ",\"subject\":{\"column\":\"u\",\"scheme\":\"cn.id\"},"
                    "\"max_rows_per_subject\":1");
        if (p.tables[1].rows.rows >= 2) { /* else the guard can never hold, and is refused */
            run_text(&q, &p, guarded.text, 2, seed, "plain");
            for (size_t i = 0; i < q.result.row_count * q.result.column_count; i++)
                suppressed += q.result.cells[i].state == SQL_CELL_SUPPRESSED;
            compare_query(&q, &guarded, db, seed);
            release_query(&q);
        }
        sql_catalog_release(&p.catalog);
    }
    assert_true(suppressed > 0);
}

/* The note is there exactly where SQLite counts a row to which it happens. */
static unsigned try_note(const struct pool *p, const struct query_note *note, uint64_t seed)
{
    struct lines broken;
    struct one_query q;
    unsigned seen;

    lines_of_sqlite(&broken, db, note->broken);
    run_text(&q, p, note->text, 1, seed, "plain");
    if (q.result.note_count != (strcmp(broken.line[0], "1") == 0))
        print_error("seed %llu: %s\n", (unsigned long long)seed, note->text);
    assert_int_equal(q.result.note_count, strcmp(broken.line[0], "1") == 0);
    if (q.result.note_count > 0)
        assert_string_equal(q.result.notes[0], note->note);
    seen = q.result.note_count > 0;
    if (note->oracle != NULL) {
        q.result.note_count = 0;
        compare_query(&q, &(struct query_case){note->text, false, note->oracle}, db, seed);
    }
    lines_release(&broken);
    release_query(&q);
    return seen;
}

static void test_notes(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 1; seed < 1 + times(12, 200); seed++) {
        struct pool p = {0};

        pool_random(&p, db, seed, seed % 2 == 0 ? 4 : 16, "");
        for (size_t i = 0; i < query_note_count; i++)
            seen += try_note(&p, &query_notes[i], seed);
        sql_catalog_release(&p.catalog);
    }
    assert_true(seen > 0);
}

/* Few bytes, and tables that are long enough for a join to sort them. */
static void test_fused(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 1; seed < 1 + times(12, 400); seed++) {
        struct pool p = {.profile = MPC_FEW_BYTES};

        pool_random(&p, db, seed, 64, "");
        for (size_t i = 0; i < fused_case_count; i++)
            try_query(&p, &fused_cases[i], db, seed, "plain");
        for (size_t i = 0; i < fused_note_count; i++)
            seen += try_note(&p, &fused_notes[i], seed);
        sql_catalog_release(&p.catalog);
    }
    assert_true(seen > 0);
}

/* Rows that an order leaves equal, and rows in no order at all, must not come as their provider has
 * them: here with u counting up. */
static bool comes_as_it_stands(const struct pool *p, const char *text, const char *protocol)
{
    struct one_query q;
    bool as_it_stands = true;

    run_text(&q, p, text, 1, 0, protocol);
    assert_int_equal(q.result.row_count, p->tables[2].rows.rows);
    for (size_t row = 0; row < q.result.row_count; row++)
        as_it_stands = as_it_stands && q.result.cells[row].value == (int64_t)row;
    release_query(&q);
    return as_it_stands;
}

static void test_ties(void **state)
{
    static const char *const protocols[] = {"plain", "rep3"};
    struct pool p = {0};
    struct table *b = &p.tables[2].rows;

    (void)state;
    pool_random(&p, db, 1, 16, "");
    sql_catalog_release(&p.catalog);
    *b = (struct table){.rows = 30};
    for (size_t r = 0; r < b->rows; r++) {
        b->valid[r] = true;
        b->value[COL_K][r] = 3;
        b->value[COL_U][r] = (int64_t)r;
    }
    pool_catalog(&p, "");
    for (size_t i = 0; i < 2; i++) {
        assert_true(comes_as_it_stands(&p, "SELECT u FROM b ORDER BY u", protocols[i]));
        assert_false(comes_as_it_stands(&p, "SELECT u FROM b ORDER BY k", protocols[i]));
        assert_false(comes_as_it_stands(&p, "SELECT u FROM b", protocols[i]));
    }
    sql_catalog_release(&p.catalog);
}

/* A provider's text that its dataset does not declare is not put in, and the text is not said. */
static void test_undeclared(void **state)
{
    static const char text[] = "SELECT t, COUNT(*) FROM b GROUP BY t", *const recipient = "bank_a";
    struct world w = {.row = mpc_protocol_find("plain")};
    struct pool p = {0};
    struct one_query q = {.pool = &p};
    struct sql_request r = {.text = text,
                            .len = sizeof text - 1,
                            .catalog = &p.catalog,
                            .recipients = &recipient,
                            .recipient_count = 1,
                            .minimum = 1};
    struct base_err err;

    (void)state;
    pool_random(&p, db, 1, 16, "");
    sql_catalog_release(&p.catalog);
    p.declared = ONLY_A;
    p.tables[2].rows.value[COL_T][2] = 5;
    p.tables[2].rows.null[COL_T][2] = false;
    for (size_t i = 0; i < 2; i++)
        p.tables[2].rows.value[COL_T][i] = 1;
    pool_catalog(&p, "");
    assert_int_equal(sql_plan_compile(&q.plan, &r, &err), FM_OK);
    assert_int_equal(q.plan.rels[q.plan.rel_count - 1]->rows, 2); /* 'a' and NULL */
    assert_int_equal(sql_physical_make(&q.physical, &q.plan, &err), FM_OK);
    world_run(&w, run_query, &q);
    assert_int_equal(w.status[0], FM_E_INPUT);
    assert_string_equal(w.err[0].text,
                        "query input: bank_b.b: row 3, column 't' is none of its declared values");
    world_clear(&w);
    release_query(&q);
    sql_catalog_release(&p.catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_rep3),
        cmocka_unit_test(test_guard),     cmocka_unit_test(test_notes),
        cmocka_unit_test(test_fused),     cmocka_unit_test(test_ties),
        cmocka_unit_test(test_undeclared)};

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
