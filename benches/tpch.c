#include "benches/tpch.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "benches/table.h"
#include "exchange/data/date.h"

/* ---- what is declared ---- */

static const struct {
    const char *name;
    const char *columns; /* and keys */
} tables[TPCH_TABLES] = {
    [TPCH_CUSTOMER] =
        {"customer",
         "\"columns\":[{\"name\":\"c_custkey\",\"type\":\"INTEGER\",\"range\":[1,CUSTOMERS]},"
         "{\"name\":\"c_mktsegment\",\"type\":\"TEXT(10)\",\"values\":[\"AUTOMOBILE\",\"BUILDING\","
         "\"FURNITURE\",\"HOUSEHOLD\",\"MACHINERY\"]}],"
         "\"keys\":[{\"column\":\"c_custkey\",\"max_rows\":1}]"},
    [TPCH_ORDERS] =
        {"orders",
         "\"columns\":[{\"name\":\"o_orderkey\",\"type\":\"INTEGER\",\"range\":[1,ORDERS]},"
         "{\"name\":\"o_custkey\",\"type\":\"INTEGER\",\"range\":[1,CUSTOMERS]},"
         "{\"name\":\"o_orderdate\",\"type\":\"DATE\",\"range\":[\"1992-01-01\",\"1998-12-31\"]},"
         "{\"name\":\"o_orderpriority\",\"type\":\"TEXT(15)\",\"values\":[\"1-URGENT\",\"2-HIGH\","
         "\"3-MEDIUM\",\"4-NOT SPECIFIED\",\"5-LOW\"]},"
         "{\"name\":\"o_shippriority\",\"type\":\"INTEGER\",\"range\":[0,0]}],"
         "\"keys\":[{\"column\":\"o_orderkey\",\"max_rows\":1}]"},
    [TPCH_LINEITEM] =
        {"lineitem",
         "\"columns\":[{\"name\":\"l_orderkey\",\"type\":\"INTEGER\",\"range\":[1,ORDERS]},"
         "{\"name\":\"l_quantity\",\"type\":\"DECIMAL(4,2)\",\"range\":[\"1\",\"50\"]},"
         "{\"name\":\"l_extendedprice\",\"type\":\"DECIMAL(9,2)\",\"range\":[\"900\",\"105000\"]},"
         "{\"name\":\"l_discount\",\"type\":\"DECIMAL(3,2)\",\"range\":[\"0\",\"0.10\"]},"
         "{\"name\":\"l_tax\",\"type\":\"DECIMAL(3,2)\",\"range\":[\"0\",\"0.08\"]},"
         "{\"name\":\"l_returnflag\",\"type\":\"TEXT(1)\",\"values\":[\"A\",\"N\",\"R\"]},"
         "{\"name\":\"l_linestatus\",\"type\":\"TEXT(1)\",\"values\":[\"F\",\"O\"]},"
         "{\"name\":\"l_shipdate\",\"type\":\"DATE\",\"range\":[\"1992-01-01\",\"1999-12-31\"]},"
         "{\"name\":\"l_commitdate\",\"type\":\"DATE\",\"range\":[\"1992-01-01\",\"1999-12-31\"]},"
         "{\"name\":\"l_receiptdate\",\"type\":\"DATE\",\"range\":[\"1992-01-01\",\"1999-12-31\"]}]"
         ","
         "\"keys\":[{\"column\":\"l_orderkey\",\"max_rows\":7}]"},
};

static unsigned customers(unsigned scale)
{
    return 150 * scale;
}

static unsigned orders(unsigned scale)
{
    return 1500 * scale;
}

const char *tpch_name(enum tpch_table table)
{
    return tables[table].name;
}

/* ---- dice ---- */

/* splitmix64, one stream for each (table, row): the lines of an order do not depend on other
 * orders. */
struct dice {
    uint64_t state;
};

static uint32_t below(struct dice *dice, uint32_t n)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static struct dice dice_of(uint64_t seed, enum tpch_table table, uint64_t row)
{
    struct dice dice = {seed * 0x2545f4914f6cdd1du + row * TPCH_TABLES + (uint64_t)table};

    (void)below(&dice, 2);
    return dice;
}

/* ---- rows ---- */

#define FIRST_DAY 8035   /* 1992-01-01 */
#define CURRENT_DAY 9298 /* 1995-06-17 */
#define ORDER_DAYS 2406  /* to 1998-08-02: 151 days before the end of 1998 */

/* Eight of every thirty-two keys are used. */
static unsigned order_key(unsigned order)
{
    return order / 8 * 32 + order % 8 + 1;
}

static void put_day(FILE *f, int64_t day)
{
    int year, month, date;

    data_date_to_civil(&year, &month, &date, day);
    (void)fprintf(f, ",%04d-%02d-%02d", year, month, date);
}

static unsigned order_day(uint64_t seed, unsigned order)
{
    struct dice dice = dice_of(seed, TPCH_ORDERS, order);

    return FIRST_DAY + below(&dice, ORDER_DAYS);
}

static void put_customers(FILE *f, uint64_t seed, unsigned scale)
{
    static const char *const segments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD",
                                           "MACHINERY"};

    (void)fputs("c_custkey,c_mktsegment\n", f);
    for (unsigned i = 0; i < customers(scale); i++) {
        struct dice dice = dice_of(seed, TPCH_CUSTOMER, i);
        (void)fprintf(f, "%u,%s\n", i + 1, segments[below(&dice, 5)]);
    }
}

/* A third of the customers never order. */
static void put_orders(FILE *f, uint64_t seed, unsigned scale)
{
    static const char *const priorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED",
                                             "5-LOW"};

    (void)fputs("o_orderkey,o_custkey,o_orderdate,o_orderpriority,o_shippriority\n", f);
    for (unsigned i = 0; i < orders(scale); i++) {
        struct dice dice = dice_of(seed, TPCH_ORDERS, i);
        unsigned customer;
        (void)below(&dice, ORDER_DAYS);
        do
            customer = below(&dice, customers(scale)) + 1;
        while (customer % 3 == 0);
        (void)fprintf(f, "%u,%u", order_key(i), customer);
        put_day(f, order_day(seed, i));
        (void)fprintf(f, ",%s,0\n", priorities[below(&dice, 5)]);
    }
}

static void put_line(FILE *f, struct dice *dice, unsigned order, unsigned ordered, unsigned scale)
{
    unsigned quantity = 1 + below(dice, 50), part = 1 + below(dice, 200 * scale);
    unsigned price = quantity * (90000 + part / 10 % 20001 + 100 * (part % 1000)); /* cents */
    unsigned discount = below(dice, 11), tax = below(dice, 9);
    unsigned shipped = ordered + 1 + below(dice, 121), committed = ordered + 30 + below(dice, 61);
    unsigned received = shipped + 1 + below(dice, 30);
    char flag = received > CURRENT_DAY ? 'N' : below(dice, 2) == 0 ? 'R' : 'A';

    (void)fprintf(f, "%u,%u,%u.%02u,0.%02u,0.%02u,%c,%c", order_key(order), quantity, price / 100,
                  price % 100, discount, tax, flag, shipped > CURRENT_DAY ? 'O' : 'F');
    put_day(f, shipped);
    put_day(f, committed);
    put_day(f, received);
    (void)fputc('\n', f);
}

static void put_lines(FILE *f, uint64_t seed, unsigned scale)
{
    (void)fputs("l_orderkey,l_quantity,l_extendedprice,l_discount,l_tax,l_returnflag,l_linestatus,"
                "l_shipdate,l_commitdate,"
                "l_receiptdate\n",
                f);
    for (unsigned i = 0; i < orders(scale); i++) {
        struct dice dice = dice_of(seed, TPCH_LINEITEM, i);
        for (unsigned lines = 1 + below(&dice, 7); lines > 0; lines--)
            put_line(f, &dice, i, order_day(seed, i), scale);
    }
}

/* ---- files ---- */

/* Text with CUSTOMERS and ORDERS replaced by the greatest keys. */
static void put_schema(struct base_buf *out, const char *text, unsigned scale)
{
    while (*text != '\0') {
        if (strncmp(text, "CUSTOMERS", 9) == 0) {
            base_buf_putf(out, "%u", customers(scale));
            text += 9;
        } else if (strncmp(text, "ORDERS", 6) == 0) {
            base_buf_putf(out, "%u", order_key(orders(scale)));
            text += 6;
        } else {
            base_buf_put(out, text++, 1);
        }
    }
}

static int64_t rows_of(enum tpch_table table, unsigned scale, uint64_t seed)
{
    int64_t lines = 0;

    if (table != TPCH_LINEITEM)
        return table == TPCH_CUSTOMER ? customers(scale) : orders(scale);
    for (unsigned i = 0; i < orders(scale); i++) {
        struct dice dice = dice_of(seed, TPCH_LINEITEM, i);
        lines += 1 + below(&dice, 7);
    }
    return lines;
}

struct made {
    enum tpch_table table;
    uint64_t seed;
    unsigned scale;
};

static void put_table(FILE *f, const void *arg)
{
    static void (*const put[TPCH_TABLES])(FILE *, uint64_t, unsigned) = {put_customers, put_orders,
                                                                         put_lines};
    const struct made *m = arg;

    put[m->table](f, m->seed, m->scale);
}

static fm_status write_table(const char *folder, enum tpch_table table, unsigned scale,
                             uint64_t seed, long long *rows, struct base_err *err)
{
    const struct made made = {table, seed, scale};
    struct base_buf schema = {0};
    struct bench_table t = {.bank = (unsigned)table,
                            .name = tables[table].name,
                            .rows = rows_of(table, scale, seed),
                            .put = put_table,
                            .arg = &made};
    fm_status st;

    put_schema(&schema, tables[table].columns, scale);
    t.schema = base_buf_cstr(&schema);
    st = base_buf_status(&schema, "schema", err);
    if (st == FM_OK)
        st = bench_table_write(folder, &t, rows, err);
    base_buf_release(&schema);
    return st;
}

fm_status tpch_write(const char *folder, unsigned scale, uint64_t seed, long long rows[TPCH_TABLES],
                     struct base_err *err)
{
    fm_status st = FM_OK;

    if (scale < 1 || scale > 10000)
        return base_err_set(err, FM_E_ARG, "tables like TPC-H's: scale 1 to 10000 (thousandths)");
    for (enum tpch_table table = 0; st == FM_OK && table < TPCH_TABLES; table++)
        st = write_table(folder, table, scale, seed, &rows[table], err);
    return st;
}

/* ---- queries ---- */

const char *tpch_query(unsigned number)
{
    switch (number) {
    case 1:
        return "SELECT l_returnflag, l_linestatus, SUM(l_quantity) AS sum_qty, "
               "SUM(l_extendedprice) AS sum_base_price, "
               "SUM(l_extendedprice * (1 - l_discount)) AS sum_disc_price, "
               "SUM(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, "
               "AVG(l_quantity) AS avg_qty, "
               "AVG(l_extendedprice) AS avg_price, AVG(l_discount) AS avg_disc, COUNT(*) AS "
               "count_order FROM lineitem "
               "WHERE l_shipdate <= DATE '1998-09-02' GROUP BY l_returnflag, l_linestatus "
               "ORDER BY l_returnflag, l_linestatus";
    case 3:
        return "SELECT l_orderkey, SUM(l_extendedprice * (1 - l_discount)) AS revenue, "
               "o_orderdate, o_shippriority "
               "FROM customer, orders, lineitem WHERE c_mktsegment = 'BUILDING' AND c_custkey = "
               "o_custkey "
               "AND l_orderkey = o_orderkey AND o_orderdate < DATE '1995-03-15' AND l_shipdate > "
               "DATE '1995-03-15' "
               "GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, "
               "o_orderdate, l_orderkey, o_shippriority LIMIT 10";
    case 4:
        return "SELECT o_orderpriority, COUNT(*) AS order_count FROM orders WHERE o_orderdate >= "
               "DATE '1993-07-01' "
               "AND o_orderdate < DATE '1993-10-01' AND EXISTS (SELECT 1 FROM lineitem WHERE "
               "l_orderkey = o_orderkey "
               "AND l_commitdate < l_receiptdate) GROUP BY o_orderpriority ORDER BY "
               "o_orderpriority";
    case 6:
        return "SELECT SUM(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate "
               ">= DATE '1994-01-01' "
               "AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND "
               "l_quantity < 24";
    default:
        return NULL;
    }
}
