/* Every operator on random relations against SQLite on the same rows: hundreds of tables on the
 * plain row, a few on rep3 with every party as a thread. As padding rows hold garbage and stand
 * anywhere, this is also the law that results do not depend on padding. A failure prints its seed;
 * FIRMIANA_RELATION_SEED runs that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "exchange/run/test_relation.h"

/* ---- one case ---- */

struct one_case {
    const struct operation *op;
    struct table a, b;
    struct lines want, got;
    bool gap, flag;
    uint64_t seed;
};

static void compare_rows(struct one_case *c)
{
    if (c->op->order == RUN_SHUFFLED)
        lines_sort(&c->got);
    if (!lines_equal(&c->got, &c->want) || (c->op->order != RUN_SHUFFLED && c->gap) || c->flag) {
        print_error("seed %llu, %s: %s\n", (unsigned long long)c->seed, c->op->name, c->op->sql);
        print_error("gap %d, flag %d\n", (int)c->gap, (int)c->flag);
        lines_print("SQLite", &c->want);
        lines_print("we", &c->got);
        fail();
    }
    lines_release(&c->got);
}

static fm_status run_case(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct one_case *c = arg;
    struct run_relation a = {0}, b = {0};
    struct run_rows rows;

    TRY(table_share(&a, s, &c->a, err));
    TRY(table_share(&b, s, &c->b, err));
    TRY(c->op->run(&a, &b, err));
    TRY(run_veil(&a, c->op->order, err));
    TRY(run_reveal(&rows, &a, (unsigned[]){0}, 1, err));
    run_relation_release(&a);
    run_relation_release(&b);
    if (mpc_session_self(s) == 0)
        lines_of_rows(&c->got, &rows, &c->gap);
    for (int f = 0; mpc_session_self(s) == 0 && f < RUN_FLAGS; f++)
        c->flag = c->flag || rows.flag[f];
    run_rows_release(&rows);
    return FM_OK;
}

static sqlite3 *db;

static void try_seed(uint64_t seed, const char *protocol, size_t most)
{
    struct test_rng rng = {seed * 2654435761u + 1};
    struct one_case c = {.seed = seed};

    table_random(&c.a, &rng, most);
    table_random(&c.b, &rng, most);
    table_to_sqlite(db, "a", &c.a);
    table_to_sqlite(db, "b", &c.b);
    for (size_t i = 0; i < operation_count; i++) {
        struct world w = {.row = mpc_protocol_find(protocol), .profile = MPC_FEW_ROUNDS};

        c.op = &operations[i];
        lines_of_sqlite(&c.want, db, c.op->sql);
        if (c.op->order == RUN_SHUFFLED)
            lines_sort(&c.want);
        world_must_run(&w, run_case, &c);
        world_clear(&w);
        compare_rows(&c);
        lines_release(&c.want);
    }
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static unsigned times(unsigned few, unsigned many)
{
    const char *full = getenv("FIRMIANA_FULL");

    return full != NULL && strcmp(full, "0") != 0 ? many : few;
}

static void test_plain(void **state)
{
    uint64_t from = number_from("FIRMIANA_RELATION_SEED", 1);
    uint64_t to = getenv("FIRMIANA_RELATION_SEED") != NULL ? from : times(60, 3000);

    (void)state;
    for (uint64_t seed = from; seed <= to; seed++)
        try_seed(seed, "plain", seed % 3 == 0 ? 4 : 24);
}

static void test_rep3(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1000 + times(2, 60); seed++)
        try_seed(seed, "rep3", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain), cmocka_unit_test(test_rep3)};

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
