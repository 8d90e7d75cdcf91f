/* Tables like TPC-H's, for measurements: customer, orders and lineitem with the columns that
 * queries 1, 3, 4 and 6 read, in the proportions and with the distributions of the specification
 * (TPC-H 3.0, section 4.2.3), from a seed and on every machine alike. Not dbgen's rows: its text
 * pools and random streams are not followed.
 *
 *   customer   150,000 x scale rows at bank_a     c_custkey (unique), c_mktsegment
 *   orders   1,500,000 x scale rows at bank_b     o_orderkey (unique), o_custkey, o_orderdate,
 * o_orderpriority, o_shippriority lineitem   about 4 x orders     at bank_c     l_orderkey (at most
 * 7 rows each), l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus,
 * l_shipdate, l_commitdate, l_receiptdate */
#ifndef FIRMIANA_BENCHES_TPCH_H
#define FIRMIANA_BENCHES_TPCH_H

#include <stdint.h>

#include "base/status.h"

enum tpch_table { TPCH_CUSTOMER, TPCH_ORDERS, TPCH_LINEITEM, TPCH_TABLES };

const char *tpch_name(enum tpch_table table);
/* The SQL of query 1, 3, 4 or 6; NULL for others. */
const char *tpch_query(unsigned number);

/* `scale` in thousandths of scale factor 1, 1 to 10000. Owners declare the rows that are there,
 * rounded up to a multiple of
 * 64. FOLDER/bank_a.db, bank_b.db, bank_c.db, each with its table and schema. Errors: FM_E_IO and
 * data_import()'s. rows: as declared. */
fm_status tpch_write(const char *folder, unsigned scale, uint64_t seed, long long rows[TPCH_TABLES],
                     struct base_err *err) FM_CHECK;

#endif
