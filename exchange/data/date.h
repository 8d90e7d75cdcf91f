/* The proleptic Gregorian calendar, years 1 to 9999, as days since 1970-01-01. */
#ifndef FIRMIANA_EXCHANGE_DATA_DATE_H
#define FIRMIANA_EXCHANGE_DATA_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define DATA_DATE_MIN (-719162) /* 0001-01-01 */
#define DATA_DATE_MAX 2932896   /* 9999-12-31 */

/* False if the day does not exist or the year is outside 1..9999; *days is then untouched. */
bool data_date_from_civil(int64_t *days, int year, int month, int day) FM_CHECK;
/* days must lie within DATA_DATE_MIN..DATA_DATE_MAX. */
void data_date_to_civil(int *year, int *month, int *day, int64_t days);

#endif
