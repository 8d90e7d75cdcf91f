/* Runs over rep3 with things going wrong, and what may be seen from outside: bad rows, dying
 * parties, sizes of messages, and the printed forms of results. */
#include "exchange/run/test_parties.h"

static const char query[] =
    "SELECT COUNT(*), SUM(x), AVG(x), MAX(x) FROM u WHERE y IN ('a', 'b') AND x > $1";

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

static void check_most(const char *text, int64_t most)
{
    assert_int_equal(guarded_state(text, most), SQL_CELL_VALUE);
    assert_int_equal(guarded_state(text, most + 1), SQL_CELL_SUPPRESSED);
}

/* bank_b has 66 rows, 22 of each kind; bank_a's own 7 count for nothing, nor do zeros. */
static void test_guard(void **state)
{
    (void)state;
    check_most("SELECT COUNT(*) FROM u", 66);
    check_most("SELECT COUNT(x) FROM u WHERE y = 'a'", 22);
    check_most("SELECT COUNT(y) FROM u", 44);
    check_most("SELECT SUM(POSITION('a' IN y)) FROM u", 22);
    check_most("SELECT COUNT(x) FROM u WHERE y = 'none'", 1);
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

/* Comparisons of shuffled keys go in words of 64: so many bytes of one does each party send. */
static const int64_t word_bytes[PARTIES] = {128, 256, 128};

/* Whatever the rows are: also where owners filter and cut by themselves. Where rows are sorted
 * (mpc/oblivious/arrange.h) the number of comparisons follows a fresh uniform permutation that is
 * independent of the rows, and a run sends some whole words more than another, the same number at
 * every party: with `sorted` the permutations are those of a seed, so that all runs of this test
 * see the same ones. */
static void check_sizes(const char *text, bool sorted)
{
    struct net_stats first[PARTIES] = {{0}};

    for (int round = 0; round < (sorted ? 8 : 3); round++) {
        struct world w;
        struct party parties[PARTIES];
        struct net_loop *loop = loop_new();
        int64_t words = 0;

        world_open(&w, text, 1, false);
        w.seed = sorted ? 1 + (uint64_t)round : 0;
        for (size_t b = 0; b < 2 && round > 0; b++) {
            w.banks[b].rows = round % 3 == 1 ? 0 : w.banks[b].rows;
            for (size_t i = 0; i < w.banks[b].rows; i++) {
                w.banks[b].x[i] = 50;
                w.banks[b].y[i] = "b";
            }
        }
        run_parties(&w, parties, loop, 0);
        for (unsigned i = 0; i < PARTIES; i++) {
            int64_t more;
            assert_int_equal(parties[i].status, FM_OK);
            if (round == 0)
                first[i] = parties[i].stats;
            more = (int64_t)parties[i].stats.bytes_sent - (int64_t)first[i].bytes_sent;
            if (i == 0 && sorted)
                words = more / word_bytes[0];
            assert_int_equal(more, words * word_bytes[i]);
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
    check_sizes(query, false);
    check_sizes("SELECT COUNT(*), SUM(x) FROM u WHERE UPPER(y) LIKE 'A%' AND x > 3", false);
    check_sizes("SELECT MAX(LENGTH(y)), SUM(CASE WHEN y < 'b' THEN x ELSE 1 END) FROM u", false);
    check_sizes("SELECT COUNT(DISTINCT x) FROM u", true);
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
