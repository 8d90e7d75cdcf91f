/* Moments as text: the one form of xsd:dateTimeStamp that Firmiana writes and reads,
 * "2026-11-20T09:51:00Z": UTC, whole seconds, years 1970 to 9999, no leap second. One text for each
 * moment, so that what is signed has one spelling. */
#ifndef FIRMIANA_DID_MOMENT_H
#define FIRMIANA_DID_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define DID_MOMENT_TEXT 21 /* with the closing NUL */

/* unix_s: seconds since 1970-01-01T00:00:00Z. FM_E_ARG outside the years above. */
fm_status did_moment_format(char out[DID_MOMENT_TEXT], int64_t unix_s,
                            struct base_err *err) FM_CHECK;
/* False unless did_moment_format() would write exactly this text. */
bool did_moment_parse(int64_t *unix_s, const char *text) FM_CHECK;

/* Others' moments: any xsd:dateTimeStamp within those years, with a fraction (dropped, at most
 * nine digits) or an offset: "2026-11-20T17:51:00.25+08:00". For credentials, never for what the
 * ledger signs. */
bool did_moment_parse_any(int64_t *unix_s, const char *text) FM_CHECK;

#endif
