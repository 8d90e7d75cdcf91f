/* psi-sum between two threads: right answers, and what happens when a side dies, when a message is
 * not what was sent, and when a consent or an authorization is withdrawn, at every message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/intersect/run.h"
#include "exchange/sql/bind/compile.h"
#include "net/loop.h"

/* LATE: of sums, which take a key each, the short run has one message: opened sums, and what asks
 * for them. */
enum { ROWS = 40, MINIMUM = 5, LATE = 5, ALL = 100 };

static const char catalog_text[] =
    "{\"datasets\":["
    "{\"member\":\"bank_a\",\"name\":\"customers\",\"version\":1,\"rows\":40,\"columns\":["
    "{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":[0,1000],\"nullable\":false}],"
    "\"keys\":[{\"column\":\"id\",\"max_rows\":1}],"
    "\"subject\":{\"column\":\"id\",\"scheme\":\"s\"},\"max_rows_per_subject\":1},"
    "{\"member\":\"bank_b\",\"name\":\"cards\",\"version\":1,\"rows\":40,\"columns\":["
    "{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":[0,1000],\"nullable\":false},"
    "{\"name\":\"spent\",\"type\":\"INTEGER\",\"range\":[-500,500],\"nullable\":false}],"
    "\"keys\":[{\"column\":\"id\",\"max_rows\":1}],"
    "\"subject\":{\"column\":\"id\",\"scheme\":\"s\"},\"max_rows_per_subject\":1}]}";

#define JOIN " FROM customers JOIN cards ON customers.id = cards.id"
#define SIZE "SELECT COUNT(*)" JOIN
#define SUMS "SELECT COUNT(*), SUM(cards.spent)" JOIN

static const char *const names[] = {"bank_a", "bank_b"};
static struct sql_catalog catalog;
static struct base_err err;
static int64_t factor[2] = {2, 3}; /* ids: multiples, of which every sixth number is in both */

static bool full(void)
{
    const char *said = getenv("FIRMIANA_FULL");

    return said != NULL && atoi(said) != 0;
}

static void ok(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- a run ---- */

struct side {
    const struct intersect_shape *shape;
    struct net_transport *transport;
    size_t next;   /* row */
    int open_left; /* so many messages may be answered; < 0: all */
    struct sql_result result;
    struct intersect_record record;
    fm_status status;
    struct base_err err;
};

static fm_status next_row(void *ctx, struct sql_cell *cells, bool *end, struct base_err *e)
{
    struct side *s = ctx;
    unsigned self = s->transport->self;
    const struct sql_plan *plan = s->shape->plan;
    int64_t i = (int64_t)s->next++;

    (void)e;
    *end = i == ROWS;
    for (size_t c = 0; !*end && c < plan->column_count; c++)
        cells[c] = (struct sql_cell){.value = plan->columns[c].name[0] == 'i' ? factor[self] * i
                                                                              : 7 * i % 1000 - 500};
    return FM_OK;
}

static fm_status may_open(void *ctx, struct base_err *e)
{
    struct side *s = ctx;

    return s->open_left < 0 || s->open_left-- > 0
               ? FM_OK
               : base_err_set(e, FM_E_REFUSED, "consent.revoked");
}

static void *side_main(void *arg)
{
    struct side *s = arg;
    struct sql_rows own = {next_row, s};
    const struct sql_rows *rows[2] = {NULL, NULL};
    struct intersect_config c = {.shape = s->shape,
                                 .transport = s->transport,
                                 .session32 = {9},
                                 .receives = {true, false},
                                 .rows = rows,
                                 .random = base_random_system(),
                                 .may_open = may_open,
                                 .ctx = s};

    for (unsigned side = 0; side < 2; side++) {
        const struct sql_source *from = &s->shape->plan->sources[s->shape->tables[side].source];
        c.sides[side] = strcmp(from->member, "bank_b") == 0;
        if (c.sides[side] == s->transport->self)
            rows[s->shape->tables[side].source] = &own;
    }
    s->status = intersect_run(&s->result, &s->record, &c, &s->err);
    return NULL;
}

static bool play(struct side sides[2], const struct intersect_shape *shape,
                 enum net_loop_fault_kind kind, unsigned party, uint64_t at, uint64_t bit)
{
    pthread_t threads[2];
    struct net_loop *loop;
    bool fired;

    ok(net_loop_new(&loop, 2, names, &err));
    if (at > 0)
        net_loop_set_fault(loop, kind, party, at, bit);
    for (unsigned i = 0; i < 2; i++) {
        sides[i].shape = shape, sides[i].transport = net_loop_transport(loop, i);
        assert_int_equal(pthread_create(&threads[i], NULL, side_main, &sides[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    fired = net_loop_fault_fired(loop);
    net_loop_free(loop);
    return fired;
}

static void fresh(struct side sides[2])
{
    sides[0] = sides[1] = (struct side){.open_left = -1};
}

static void done(struct side sides[2])
{
    sql_result_release(&sides[0].result);
    sql_result_release(&sides[1].result);
}

static void compile(struct sql_plan *plan, struct intersect_shape *shape, const char *text)
{
    struct sql_request r = {.text = text,
                            .len = strlen(text),
                            .catalog = &catalog,
                            .recipients = names,
                            .recipient_count = 1,
                            .minimum = MINIMUM};

    ok(sql_plan_compile(plan, &r, &err));
    ok(intersect_shape_of(shape, plan, &err));
}

/* The matcher, bank_a, is the recipient. */
static void is_right(const struct side *s)
{
    int64_t size = 0, sum = 0;

    for (int64_t i = 0; i < ROWS; i++) /* bank_b's row i has id 3 i: even, and below 2 ROWS */
        if (factor[1] * i % factor[0] == 0 && factor[1] * i < factor[0] * ROWS) {
            size++;
            sum += 7 * i % 1000 - 500;
        }
    assert_int_equal(s->result.cells[0].value, size);
    if (s->result.column_count > 1)
        assert_int_equal(s->result.cells[1].value, sum);
}

/* ---- tests ---- */

static void answers(void **unused)
{
    static const char *const texts[] = {SIZE, SUMS};
    struct intersect_shape shape;
    struct side sides[2];
    struct sql_plan plan;

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        compile(&plan, &shape, texts[i]);
        fresh(sides);
        (void)play(sides, &shape, NET_LOOP_KILL, 0, 0, 0);
        assert_true(sides[0].status == FM_OK && sides[1].status == FM_OK);
        is_right(&sides[0]);
        assert_int_equal(sides[1].result.column_count, 0);
        assert_memory_equal(sides[0].record.input, sides[1].record.input, 64);
        assert_memory_equal(sides[0].record.messages, sides[1].record.messages, 32);
        done(sides);
        sql_plan_release(&plan);
    }
}

/* An intersection of 4: the matcher gives no ciphertext, the holder opens nothing. */
static void below_the_minimum(void **unused)
{
    struct intersect_shape shape;
    struct side sides[2];
    struct sql_plan plan;

    (void)unused;
    factor[1] = 20; /* 0, 20, 40 and 60 */
    compile(&plan, &shape, SUMS);
    fresh(sides);
    (void)play(sides, &shape, NET_LOOP_KILL, 0, 0, 0);
    factor[1] = 3;
    assert_true(sides[0].status == FM_OK && sides[1].status == FM_OK);
    assert_int_equal(sides[0].result.cells[0].state, SQL_CELL_SUPPRESSED);
    assert_int_equal(sides[0].result.cells[1].state, SQL_CELL_SUPPRESSED);
    done(sides);
    sql_plan_release(&plan);
}

static bool differ(const struct intersect_record *a, const struct intersect_record *b)
{
    return memcmp(a->input, b->input, sizeof a->input) != 0 ||
           memcmp(a->messages, b->messages, sizeof a->messages) != 0;
}

/* Messages from that one on, up to that one, in turn. */
static void faults(const char *text, enum net_loop_fault_kind kind, uint64_t from, uint64_t to)
{
    struct intersect_shape shape;
    struct side sides[2];
    struct sql_plan plan;
    bool fired = true;

    compile(&plan, &shape, text);
    for (unsigned party = 0; party < 2; party++, fired = true)
        for (uint64_t at = from; fired && at <= to; at++) {
            fresh(sides);
            fired = play(sides, &shape, kind, party, at, 8 * at * 977 + at);
            if (sides[0].status == FM_OK && !(fired && kind == NET_LOOP_ALTER))
                is_right(&sides[0]);
            if (fired && kind == NET_LOOP_KILL) {
                assert_int_equal(sides[party].status, FM_E_CANCELLED);
                if (sides[1 - party].status != FM_OK) { /* else it had ended */
                    assert_int_equal(sides[1 - party].status, FM_E_PEER);
                    assert_non_null(strstr(sides[1 - party].err.text, names[party]));
                }
            } else if (fired) { /* who received it blames who sent it, or the receipts differ */
                for (unsigned i = 0; i < 2; i++)
                    assert_true(sides[i].status == FM_OK || sides[i].status == FM_E_PEER);
                if (sides[1 - party].status != FM_OK)
                    assert_non_null(strstr(sides[1 - party].err.text, names[party]));
                if (sides[0].status == FM_OK && sides[1].status == FM_OK)
                    assert_true(differ(&sides[0].record, &sides[1].record));
            }
            done(sides);
        }
    sql_plan_release(&plan);
}

static void a_side_dies(void **unused)
{
    (void)unused;
    faults(SIZE, NET_LOOP_KILL, 1, ALL);
    faults(SUMS, NET_LOOP_KILL, full() ? 1 : LATE, full() ? ALL : LATE);
}

/* The protocol is semi-honest: of a point that became another the result may be wrong. But then
 * both sides' receipts commit to different messages, or inputs. */
static void a_message_is_wrong(void **unused)
{
    (void)unused;
    faults(SIZE, NET_LOOP_ALTER, 1, ALL);
    faults(SUMS, NET_LOOP_ALTER, full() ? 1 : LATE, full() ? ALL : LATE);
}

/* Asked before each message is answered: that side says why, the other that it ended. */
static void withdrawn(void **unused)
{
    struct intersect_shape shape;
    struct side sides[2];
    struct sql_plan plan;

    (void)unused;
    compile(&plan, &shape, SIZE);
    for (unsigned who = 0; who < 2; who++)
        for (int after = 0;; after++) {
            bool refused;
            fresh(sides);
            sides[who].open_left = after;
            (void)play(sides, &shape, NET_LOOP_KILL, 0, 0, 0);
            refused = sides[who].status != FM_OK;
            if (refused) {
                assert_int_equal(sides[who].status, FM_E_REFUSED);
                assert_string_equal(sides[who].err.text, "psi-sum: consent.revoked");
                assert_int_equal(sides[who].result.column_count, 0);
            } else {
                assert_true(after > 0);
                is_right(&sides[0]);
            }
            done(sides);
            if (!refused)
                break;
        }
    sql_plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers), cmocka_unit_test(below_the_minimum),
        cmocka_unit_test(a_side_dies), cmocka_unit_test(a_message_is_wrong),
        cmocka_unit_test(withdrawn)};
    json_t *json;
    int failed;

    if (base_json_parse(&json, catalog_text, strlen(catalog_text), &err) != FM_OK ||
        sql_catalog_from_json(&catalog, json, &err) != FM_OK) {
        print_error("%s\n", err.text);
        return 1;
    }
    json_decref(json);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sql_catalog_release(&catalog);
    return failed;
}
