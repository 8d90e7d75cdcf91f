/* Proposals are rounded outwards, so that what a person confirms without thinking tells little of
 * the data. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_PROFILE_ROUND_H
#define FIRMIANA_EXCHANGE_DATA_PROFILE_ROUND_H

#include "exchange/data/schema.h"

/* Widens column->min and max (as seen), and the precision of a DECIMAL with them: numbers to 0 or
 * to 1, 2 or 5 times a power of ten, whole numbers of one length (identifiers) to all of that
 * length; days to decades; texts to a multiple of 8 bytes unless all are of one length. */
enum data_round { DATA_ROUND_OUTWARDS, DATA_ROUND_SAME_LENGTH };
void data_round_column(struct data_column *column, enum data_round how);

/* The least number of 1, 2, 5, 10, 20, 50 ... that is not below v; v > 0. */
int64_t data_round_up(int64_t v);

#endif
