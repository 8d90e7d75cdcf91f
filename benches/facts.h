/* Two tables for measurements of groups and joins: `facts` of n rows at bank_a (k: 0 .. n/10 - 1, a
 * key of dims; g: 0 .. 999; v: 0 .. 9999) and `dims` of n/10 rows at bank_b (k, unique; r: 0 ..
 * 99). From a seed, and on every machine alike. */
#ifndef FIRMIANA_BENCHES_FACTS_H
#define FIRMIANA_BENCHES_FACTS_H

#include "base/status.h"

/* rows: of facts and of dims, as declared. n: 640 to 10^8. */
fm_status facts_write(const char *folder, long long n, long long rows[2],
                      struct base_err *err) FM_CHECK;
/* Prints and reads nothing: the SQL of a group over `facts`, and of a join with a group. */
extern const char facts_group_sql[];
extern const char facts_join_sql[];

#endif
