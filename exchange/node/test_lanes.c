/* Lanes: nobody starves, nobody overtakes, limits hold; and several nodes with limits of their own
 * never wait for each other in a circle, whatever the order in which queries end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "exchange/node/lanes.h"

enum { MIB = 1 << 20, LIMIT_MIB = 1024, SMALL_MIB = LIMIT_MIB / 32 };

static struct lanes_place place(uint64_t order, uint64_t mib, const char *asker)
{
    struct lanes_place p = {.order = order, .bytes = mib * MIB};

    (void)snprintf(p.asker, sizeof p.asker, "%s", asker);
    return p;
}

static void enter(struct lanes *lanes, struct lanes_place *p)
{
    struct base_err err = {0};
    const char *rule = NULL;

    if (lanes_enter(lanes, p, &rule, &err) != FM_OK)
        fail_msg("%s: %s", rule, err.text);
}

static void small_ones_do_not_wait_for_large_ones(void **state)
{
    struct lanes lanes = {.limit = (uint64_t)LIMIT_MIB * MIB};
    struct lanes_place large[3], small;
    unsigned running, waiting;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        large[i] = place(i, 300, "a");
        enter(&lanes, &large[i]);
    }
    small = place(9, SMALL_MIB, "b");
    enter(&lanes, &small);
    assert_true(lanes_admit(&lanes));
    assert_true(large[0].admitted && large[1].admitted && small.admitted);
    assert_false(large[2].admitted); /* 900 MiB of 768 */
    assert_int_equal(lanes_position(&lanes, &large[2]), 1);
    assert_int_equal(lanes_position(&lanes, &small), 0);
    lanes_count(&lanes, &running, &waiting);
    assert_int_equal(running, 3);
    assert_int_equal(waiting, 1);
    assert_false(lanes_admit(&lanes));
    lanes_leave(&lanes, &large[0]);
    assert_true(lanes_admit(&lanes));
    assert_true(large[2].admitted);
}

static void nobody_overtakes(void **state)
{
    struct lanes lanes = {.limit = (uint64_t)LIMIT_MIB * MIB};
    struct lanes_place a = place(1, 700, "a"), b = place(2, 700, "a"), c = place(3, 60, "a");

    (void)state;
    enter(&lanes, &c);
    enter(&lanes, &b);
    enter(&lanes, &a);
    (void)lanes_admit(&lanes);
    assert_true(a.admitted);
    assert_false(b.admitted || c.admitted); /* c would fit, and b came first */
    assert_int_equal(lanes_position(&lanes, &b), 1);
    assert_int_equal(lanes_position(&lanes, &c), 2);
    lanes_leave(&lanes, &b); /* gave up */
    lanes_leave(&lanes, &b);
    (void)lanes_admit(&lanes);
    assert_true(c.admitted);
}

static void what_is_too_much_is_refused(void **state)
{
    struct lanes lanes = {.limit = (uint64_t)LIMIT_MIB * MIB};
    struct lanes_place big = place(0, 769, "a"), most = place(0, 768, "a"), all[LANES_MAX + 1];
    struct base_err err = {0};
    const char *rule = NULL;

    (void)state;
    assert_int_equal(lanes_enter(&lanes, &big, &rule, &err), FM_E_REFUSED);
    assert_string_equal(rule, "node.memory");
    assert_string_equal(err.text,
                        "the query would take about 770 MiB here, and one query may take 768 MiB: "
                        "raise memory_limit in node.json, or declare fewer rows");
    enter(&lanes, &most);
    lanes_leave(&lanes, &most);
    for (unsigned i = 0; i < LANES_MAX; i++) {
        all[i] = place(i, 1, i < LANES_MAX_EACH ? "a" : "b");
        assert_false(lanes_full(&lanes, all[i].asker));
        enter(&lanes, &all[i]);
        if (i + 1 == LANES_MAX_EACH) {
            assert_true(lanes_full(&lanes, "a"));
            assert_false(lanes_full(&lanes, "b"));
        }
    }
    all[LANES_MAX] = place(LANES_MAX, 1, "c");
    assert_int_equal(lanes_enter(&lanes, &all[LANES_MAX], &rule, &err), FM_E_REFUSED);
    assert_string_equal(rule, "node.busy");
    (void)lanes_admit(&lanes);
    for (unsigned i = 0; i < LANES_MAX; i++)
        assert_int_equal(all[i].admitted, i < LANES_SMALL);
}

/* ---- several nodes ---- */

enum { NODES = 4, QUERIES = 40 };

struct world {
    struct lanes node[NODES];
    struct lanes_place at[QUERIES][NODES];
    bool takes_part[QUERIES][NODES];
    bool over[QUERIES];
};

static uint64_t draw(uint64_t *x)
{
    *x ^= *x << 13; /* Marsaglia's xorshift, 2003 */
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void fill(struct world *w, uint64_t *x)
{
    *w = (struct world){.over = {false}};
    for (unsigned n = 0; n < NODES; n++)
        w->node[n].limit = (256 + draw(x) % 2048) * MIB;
    for (unsigned q = 0; q < QUERIES; q++)
        for (unsigned n = 0; n < NODES; n++) {
            struct base_err err = {0};
            const char *rule;
            w->takes_part[q][n] = draw(x) % 4 != 0;
            w->at[q][n] =
                place(q, 1 + draw(x) % (w->node[n].limit / MIB / 2), q % 2 == 0 ? "a" : "b");
            if (w->takes_part[q][n])
                assert_int_equal(lanes_enter(&w->node[n], &w->at[q][n], &rule, &err), FM_OK);
        }
}

static bool runs(const struct world *w, unsigned q)
{
    for (unsigned n = 0; n < NODES; n++)
        if (w->takes_part[q][n] && !w->at[q][n].admitted)
            return false;
    return !w->over[q];
}

static void check_limits(const struct world *w)
{
    for (unsigned n = 0; n < NODES; n++) {
        uint64_t bytes = 0;
        for (unsigned q = 0; q < QUERIES; q++)
            bytes += w->at[q][n].entered && w->at[q][n].admitted ? w->at[q][n].bytes : 0;
        assert_true(bytes <= w->node[n].limit);
    }
}

static void no_circle_of_nodes(void **state)
{
    uint64_t seed = (uint64_t)time(NULL), x = seed * 2 + 1;

    (void)state;
    print_message("  seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 200; round++) {
        static struct world w;
        fill(&w, &x);
        for (unsigned left = QUERIES; left > 0; left--) {
            unsigned ready[QUERIES], n_ready = 0, pick;
            for (unsigned n = 0; n < NODES; n++)
                (void)lanes_admit(&w.node[n]);
            check_limits(&w);
            for (unsigned q = 0; q < QUERIES; q++)
                if (runs(&w, q))
                    ready[n_ready++] = q;
            assert_true(n_ready > 0); /* or all wait for ever */
            pick = ready[draw(&x) % n_ready];
            w.over[pick] = true;
            for (unsigned n = 0; n < NODES; n++)
                lanes_leave(&w.node[n], &w.at[pick][n]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_ones_do_not_wait_for_large_ones),
        cmocka_unit_test(nobody_overtakes),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(no_circle_of_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
