/* What was estimated of a query against what its run counted. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_ESTIMATE_H
#define FIRMIANA_EXCHANGE_RUN_TEST_ESTIMATE_H

#include "exchange/run/estimate.h"

/* stats: of each party, after the run. part: how far rounds and bytes may be off, of the counted;
 * 0: not at all. Fails the test with text. */
void estimate_check(const struct sql_estimate_config *config, const struct mpc_stats *stats,
                    double part, const char *text);

#endif
