/* What a provider holds of its own rows while it shares them, an estimate from the declared sizes
 * alone: each column in clear, as the words that it is shared by, and on its way to the compute
 * parties. What a compute party takes beside that, exchange/run/estimate.h reckons. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_FOOTPRINT_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_FOOTPRINT_H

#include "exchange/sql/physical/physical.h"

/* mine[s]: is source s of the plan this party's. In bytes. */
uint64_t sql_footprint(const struct sql_physical *physical, const bool *mine);

#endif
