/* How much memory one party takes for a physical plan: an estimate from the declared sizes alone,
 * made before anything runs.
 *
 * A compute party of a replicated sharing holds two components: 16 bytes an element of RING, width
 * / 4 bytes an element of BITS; registers live from their level to that of their last use. While a
 * list of interactive steps runs it holds, for each element, what its circuit needs beside operands
 * and result (footprint.c has the table, with what was measured). A provider holds its own columns
 * on top of that, in clear, until they are shared. A plan of several operators is taken for all its
 * inputs and the operator that needs most. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_FOOTPRINT_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_FOOTPRINT_H

#include "exchange/sql/physical/physical.h"

/* own_rows: the greatest declared row count of a source that is this party's; 0 for none. Always at
 * least 1 MiB. FM_E_MEMORY. */
fm_status sql_footprint(uint64_t *bytes, const struct sql_physical *physical, bool computes,
                        int64_t own_rows, struct base_err *err) FM_CHECK;

#endif
