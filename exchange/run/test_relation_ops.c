/* The operators under test, each beside the SQL that says what it must give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exchange/run/group.h"
#include "exchange/run/join.h"
#include "exchange/run/order.h"
#include "exchange/run/test_relation.h"
#include "exchange/run/window.h"
#include "mpc/circuit/compare.h"

#define ALL_RANGE MPC_RANGE_FULL
#define LEN(a) (sizeof(a) / sizeof(a)[0])

/* ---- operators ---- */

static fm_status op_scan(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)a, (void)b, (void)err;
    return FM_OK;
}

static fm_status op_filter(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    struct run_work w = run_work(a->session, err);
    struct mpc_share *small = run_less_public(&w, a->columns[COL_V].x, 100);

    (void)b;
    small = run_and(&w, small, a->columns[COL_V].known);
    if (w.status == FM_OK)
        w.status = run_filter(a, small, err);
    return run_work_release(&w);
}

static fm_status op_project(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_relation_project(a, (size_t[]){COL_T, COL_V, COL_T, COL_B}, 4, err);
}

static fm_status op_union(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    struct run_relation parts[2] = {*a, *b};

    *b = (struct run_relation){0};
    return run_union_all(a, parts, 2, err);
}

static fm_status op_distinct(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(
        a, &(struct run_group){.keys = (size_t[]){COL_T, COL_G, COL_B}, .key_count = 3}, err);
}

#define AGGREGATE(fn_, arg_, where_)                                \
    {                                                               \
        .fn = fn_, .arg = arg_, .where = where_, .range = ALL_RANGE \
    }

static const struct run_aggregate aggregates[] = {
    AGGREGATE(RUN_COUNT, RUN_NONE, RUN_NONE),
    AGGREGATE(RUN_COUNT, COL_V, RUN_NONE),
    AGGREGATE(RUN_COUNT, COL_V, COL_B),
    AGGREGATE(RUN_SUM, COL_V, RUN_NONE),
    AGGREGATE(RUN_SUM, COL_V, COL_B),
    AGGREGATE(RUN_SUM, COL_U, RUN_NONE),
    AGGREGATE(RUN_MIN, COL_V, RUN_NONE),
    AGGREGATE(RUN_MAX, COL_V, COL_B),
    AGGREGATE(RUN_COUNT_DISTINCT, COL_V, RUN_NONE),
    AGGREGATE(RUN_COUNT_DISTINCT, COL_T, COL_B),
    AGGREGATE(RUN_BOOL_AND, COL_B, RUN_NONE),
    AGGREGATE(RUN_BOOL_OR, COL_B, RUN_NONE),
};

#define AGGREGATES_SQL                                                                         \
    "count(*), count(v), count(v) FILTER (WHERE b), sum(v), sum(v) FILTER (WHERE b), sum(u), " \
    "min(v), max(v) FILTER (WHERE b), count(DISTINCT v), count(DISTINCT t) FILTER (WHERE b), " \
    "min(b), max(b)"

static fm_status op_group(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(a,
                     &(struct run_group){.keys = (size_t[]){COL_G, COL_T},
                                         .key_count = 2,
                                         .items = aggregates,
                                         .item_count = LEN(aggregates)},
                     err);
}

static fm_status op_whole(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(a, &(struct run_group){.items = aggregates, .item_count = LEN(aggregates)},
                     err);
}

static const struct run_aggregate sums[] = {AGGREGATE(RUN_COUNT, RUN_NONE, RUN_NONE),
                                            AGGREGATE(RUN_COUNT, COL_V, COL_B),
                                            AGGREGATE(RUN_SUM, COL_V, RUN_NONE),
                                            AGGREGATE(RUN_SUM, COL_V, COL_B),
                                            AGGREGATE(RUN_COUNT_DISTINCT, COL_V, RUN_NONE),
                                            AGGREGATE(RUN_BOOL_AND, COL_B, RUN_NONE)};

static fm_status op_domain(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(a,
                     &(struct run_group){.keys = (size_t[]){COL_G, COL_K, COL_B},
                                         .key_count = 3,
                                         .items = sums,
                                         .item_count = LEN(sums),
                                         .method = RUN_BY_DOMAIN},
                     err);
}

/* Averages of what SQLite has no exact figure for: compared as integers, digits moved up. */
static const struct run_aggregate means[] = {
    {.fn = RUN_AVG, .arg = COL_V, .where = RUN_NONE, .digits = 3, .range = {-5000000, 90000000}},
    {.fn = RUN_AVG, .arg = COL_V, .where = COL_B, .digits = 0, .range = {-5000, 90000}}};

static fm_status op_means(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(a,
                     &(struct run_group){.keys = (size_t[]){COL_G},
                                         .key_count = 1,
                                         .items = means,
                                         .item_count = 2,
                                         .groups = 7},
                     err);
}

static const struct run_aggregate spreads[] = {
    {.fn = RUN_VAR_POP, .arg = COL_U, .where = RUN_NONE, .digits = 2, .range = ALL_RANGE},
    {.fn = RUN_VAR_SAMP, .arg = COL_U, .where = RUN_NONE, .digits = 1, .range = ALL_RANGE},
    {.fn = RUN_STDDEV_POP, .arg = COL_U, .where = RUN_NONE, .digits = 0, .range = ALL_RANGE},
};

static fm_status op_spreads(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(a,
                     &(struct run_group){.keys = (size_t[]){COL_K},
                                         .key_count = 1,
                                         .items = spreads,
                                         .item_count = LEN(spreads),
                                         .groups = 8},
                     err);
}

static const struct run_aggregate medians[] = {{.fn = RUN_PERCENTILE_DISC,
                                                .arg = COL_V,
                                                .where = RUN_NONE,
                                                .part = 1,
                                                .of = 2,
                                                .range = ALL_RANGE},
                                               {.fn = RUN_PERCENTILE_DISC,
                                                .arg = COL_V,
                                                .where = COL_B,
                                                .part = 9,
                                                .of = 10,
                                                .range = ALL_RANGE}};

/* The least value that has the wanted part of the rows that count at or below it. */
#define MEDIANS_SQL(partition)                                                                   \
    "min(CASE WHEN v IS NOT NULL AND 2 * n >= c THEN v END), "                                   \
    "min(CASE WHEN v IS NOT NULL AND b AND 10 * bn >= 9 * bc THEN v END) FROM (SELECT g, v, b, " \
    "sum(v IS NOT NULL) OVER (" partition " ORDER BY v) n, count(v) OVER (" partition ") c, "    \
    "sum(v IS NOT NULL AND b IS TRUE) OVER (" partition " ORDER BY v) bn, "                      \
    "sum(v IS NOT NULL AND b IS TRUE) OVER (" partition ") bc FROM a)"

static fm_status op_medians(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(
        a,
        &(struct run_group){
            .keys = (size_t[]){COL_G}, .key_count = 1, .items = medians, .item_count = 2},
        err);
}

static fm_status op_median(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    (void)b;
    return run_group(a, &(struct run_group){.items = medians, .item_count = 2}, err);
}

static fm_status op_order(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    const struct run_sort_key by[] = {{COL_G, MPC_SORT_DESCENDING},
                                      {COL_T, MPC_SORT_NULLS_FIRST},
                                      {COL_V, MPC_SORT_DESCENDING | MPC_SORT_NULLS_FIRST},
                                      {COL_U, 0}};

    (void)b;
    return run_order(a, by, 4, 0, err);
}

/* More words than one sort takes: what is said again changes nothing. */
static fm_status op_order_many(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    struct run_sort_key by[12] = {{COL_G, MPC_SORT_DESCENDING}};

    (void)b;
    for (size_t i = 1; i < 10; i++)
        by[i] = (struct run_sort_key){COL_T, MPC_SORT_NULLS_FIRST};
    by[10] = (struct run_sort_key){COL_V, MPC_SORT_DESCENDING | MPC_SORT_NULLS_FIRST};
    by[11] = (struct run_sort_key){COL_U, 0};
    return run_order(a, by, 12, 9, err);
}

static fm_status op_limit(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    const struct run_sort_key by[] = {{COL_V, 0}, {COL_U, MPC_SORT_DESCENDING}};

    (void)b;
    TRY(run_order(a, by, 2, 7, err));
    return run_limit(a, 3, 4, err);
}

static fm_status op_windows(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    const struct run_sort_key by[] = {{COL_G, 0}, {COL_K, MPC_SORT_DESCENDING}};
    const struct run_sort_key total[] = {{COL_T, 0}, {COL_V, MPC_SORT_NULLS_FIRST}, {COL_U, 0}};
    const struct run_window_item items[] = {
        {RUN_RANK, RUN_NONE}, {RUN_RUNNING_SUM, COL_V}, {RUN_RUNNING_COUNT, COL_V}};

    (void)b;
    TRY(run_window(
        a,
        &(struct run_window){
            .keys = by, .partition_count = 1, .key_count = 2, .items = items, .item_count = 3},
        err));
    TRY(run_window(
        a,
        &(struct run_window){
            .keys = by, .partition_count = 1, .key_count = 1, .items = items + 1, .item_count = 1},
        err));
    return run_window(
        a,
        &(struct run_window){.keys = total,
                             .partition_count = 1,
                             .key_count = 3,
                             .items = &(struct run_window_item){RUN_ROW_NUMBER, RUN_NONE},
                             .item_count = 1},
        err);
}

static const char windows_sql[] =
    "SELECT *, rank() OVER w, sum(v) OVER w, count(v) OVER w, sum(v) OVER (PARTITION BY g), "
    "row_number() OVER (PARTITION BY t ORDER BY v, u) FROM a "
    "WINDOW w AS (PARTITION BY g ORDER BY k DESC)";

/* ---- joins ---- */

static fm_status join_condition(void *ctx, struct mpc_share **truth, struct run_relation *joined,
                                struct base_err *err)
{
    struct run_work w = run_work(joined->session, err);
    size_t right = TABLE_COLUMNS + COL_V;
    struct mpc_share *less;

    (void)ctx;
    less = run_less(&w, joined->columns[COL_V].x, joined->columns[right].x);
    less = run_and(&w, less, joined->columns[COL_V].known);
    *truth = run_take(&w, run_and(&w, less, joined->columns[right].known));
    return run_work_release(&w);
}

/* u is unique: one row a key. */
static fm_status join_unique(struct run_relation *a, struct run_relation *b,
                             enum run_join_kind kind, bool condition, struct base_err *err)
{
    struct run_join join = {.kind = kind,
                            .left_keys = (size_t[]){COL_U},
                            .right_keys = (size_t[]){COL_U},
                            .key_count = 1,
                            .bound = 1,
                            .left_unique = true,
                            .condition = condition ? join_condition : NULL};

    return run_join(a, b, &join, err);
}

/* On two keys, one a text and both with NULLs; any number of partners. */
static fm_status join_many(struct run_relation *a, struct run_relation *b, enum run_join_kind kind,
                           bool condition, struct base_err *err)
{
    struct run_join join = {.kind = kind,
                            .left_keys = (size_t[]){COL_T, COL_G},
                            .right_keys = (size_t[]){COL_T, COL_G},
                            .key_count = 2,
                            .bound = TABLE_MOST,
                            .condition = condition ? join_condition : NULL};

    return run_join(a, b, &join, err);
}

#define JOIN_OP(name, how, kind, condition)                                                     \
    static fm_status name(struct run_relation *a, struct run_relation *b, struct base_err *err) \
    {                                                                                           \
        return how(a, b, kind, condition, err);                                                 \
    }

JOIN_OP(op_inner, join_unique, RUN_INNER, false)
JOIN_OP(op_left, join_unique, RUN_LEFT, false)
JOIN_OP(op_left_on, join_unique, RUN_LEFT, true)
JOIN_OP(op_inner_many, join_many, RUN_INNER, false)
JOIN_OP(op_left_many, join_many, RUN_LEFT, true)
JOIN_OP(op_semi, join_many, RUN_SEMI, false)
JOIN_OP(op_anti, join_many, RUN_ANTI, false)
JOIN_OP(op_semi_on, join_many, RUN_SEMI, true)
JOIN_OP(op_anti_on, join_many, RUN_ANTI, true)
JOIN_OP(op_mark, join_many, RUN_MARK, true)

#define ON_MANY "a.t = b.t AND a.g = b.g"

static fm_status op_not_in(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    struct run_work w = run_work(a->session, err);
    struct mpc_share *few = run_less_public(&w, b->columns[COL_U].x, 5), *truth;
    struct run_column in = {0};

    if (w.status == FM_OK)
        w.status = run_filter(b, few, err);
    if (w.status == FM_OK)
        w.status = run_relation_project(b, (size_t[]){COL_G}, 1, err);
    if (w.status == FM_OK)
        w.status = run_in(&in, a, COL_G, b, 0, err);
    if (w.status == FM_OK) {
        truth = run_and(&w, run_not(&w, run_hold(&w, in.x)), run_hold(&w, in.known));
        w.status = w.status == FM_OK ? run_filter(a, truth, err) : w.status;
    }
    return run_work_release(&w);
}

static fm_status op_scalar(struct run_relation *a, struct run_relation *b, struct base_err *err)
{
    struct run_work w = run_work(a->session, err);
    struct mpc_share *one = run_equal_public(&w, b->columns[COL_U].x, 10);

    if (w.status == FM_OK)
        w.status = run_filter(b, one, err);
    if (w.status == FM_OK)
        w.status = run_relation_project(b, (size_t[]){COL_V}, 1, err);
    if (w.status == FM_OK)
        w.status = run_scalar(a, b, err);
    return run_work_release(&w);
}

const struct operation operations[] = {
    {"scan", "SELECT * FROM a", op_scan, RUN_SHUFFLED},
    {"filter", "SELECT * FROM a WHERE v < 100", op_filter, RUN_SHUFFLED},
    {"project", "SELECT t, v, t, b FROM a", op_project, RUN_SHUFFLED},
    {"union all", "SELECT * FROM a UNION ALL SELECT * FROM b", op_union, RUN_SHUFFLED},
    {"distinct", "SELECT DISTINCT t, g, b FROM a", op_distinct, RUN_SHUFFLED},
    {"group", "SELECT g, t, " AGGREGATES_SQL " FROM a GROUP BY g, t", op_group, RUN_SHUFFLED},
    {"whole", "SELECT " AGGREGATES_SQL " FROM a", op_whole, RUN_SHUFFLED},
    {"domain",
     "SELECT g, k, b, count(*), count(v) FILTER (WHERE b), sum(v), sum(v) FILTER (WHERE b), "
     "count(DISTINCT v), min(b) FROM a GROUP BY g, k, b",
     op_domain, RUN_SHUFFLED},
    {"means",
     "SELECT g, CAST(round(sum(v) * 1000.0 / count(v)) AS INTEGER), "
     "CAST(round(1.0 * sum(v) FILTER (WHERE b) / count(v) FILTER (WHERE b)) AS INTEGER) "
     "FROM a GROUP BY g",
     op_means, RUN_SHUFFLED},
    {"spreads",
     "SELECT k, CAST(round(100.0 * (count(*) * sum(u * u) - sum(u) * sum(u)) / (count(*) * "
     "count(*))) AS INTEGER), CAST(round(10.0 * (count(*) * sum(u * u) - sum(u) * sum(u)) / "
     "(count(*) * (count(*) - 1))) AS INTEGER), CAST(floor(sqrt(round(1.0 * (count(*) * "
     "sum(u * u) - sum(u) * sum(u)) / (count(*) * count(*))))) AS INTEGER) FROM a GROUP BY k",
     op_spreads, RUN_SHUFFLED},
    {"medians", "SELECT g, " MEDIANS_SQL("PARTITION BY g") " GROUP BY g", op_medians, RUN_SHUFFLED},
    {"median", "SELECT " MEDIANS_SQL(""), op_median, RUN_SHUFFLED},
    {"order", "SELECT * FROM a ORDER BY g DESC NULLS LAST, t NULLS FIRST, v DESC NULLS FIRST, u",
     op_order, RUN_AS_ORDERED},
    {"order many",
     "SELECT * FROM a ORDER BY g DESC NULLS LAST, t NULLS FIRST, v DESC NULLS FIRST, u LIMIT 9",
     op_order_many, RUN_AS_ORDERED},
    {"limit", "SELECT * FROM a ORDER BY v NULLS LAST, u DESC LIMIT 4 OFFSET 3", op_limit,
     RUN_AS_ORDERED},
    {"windows", windows_sql, op_windows, RUN_SHUFFLED},
    {"inner", "SELECT * FROM a JOIN b ON a.u = b.u", op_inner, RUN_SHUFFLED},
    {"left", "SELECT * FROM a LEFT JOIN b ON a.u = b.u", op_left, RUN_SHUFFLED},
    {"left on", "SELECT * FROM a LEFT JOIN b ON a.u = b.u AND a.v < b.v", op_left_on, RUN_SHUFFLED},
    {"inner many", "SELECT * FROM a JOIN b ON " ON_MANY, op_inner_many, RUN_SHUFFLED},
    {"left many", "SELECT * FROM a LEFT JOIN b ON " ON_MANY " AND a.v < b.v", op_left_many,
     RUN_SHUFFLED},
    {"semi", "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE " ON_MANY ")", op_semi,
     RUN_SHUFFLED},
    {"anti", "SELECT * FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE " ON_MANY ")", op_anti,
     RUN_SHUFFLED},
    {"semi on", "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE " ON_MANY " AND a.v < b.v)",
     op_semi_on, RUN_SHUFFLED},
    {"anti on",
     "SELECT * FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE " ON_MANY " AND a.v < b.v)",
     op_anti_on, RUN_SHUFFLED},
    {"mark", "SELECT *, EXISTS (SELECT 1 FROM b WHERE " ON_MANY " AND a.v < b.v) FROM a", op_mark,
     RUN_SHUFFLED},
    {"not in", "SELECT * FROM a WHERE g NOT IN (SELECT g FROM b WHERE u < 5)", op_not_in,
     RUN_SHUFFLED},
    {"scalar", "SELECT *, (SELECT v FROM b WHERE u = 10) FROM a", op_scalar, RUN_SHUFFLED},
};

const size_t operation_count = LEN(operations);
