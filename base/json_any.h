/* Others' JSON, all of RFC 8785: what base/json.h has, and null and numbers of any size and with
 * fractions. For credentials, which others write and sign in their own form. What Firmiana itself
 * signs, hashes and sends is base/json.h's subset, whose readers refuse the rest as before.
 *
 * In trees a number that is whole and within +-(2^53 - 1), however it is written (1, 1.0, 10e-1),
 * is an integer, every other one a real: the nearest double, as ECMAScript reads it. -0 is 0, as
 * RFC 8785 writes it. */
#ifndef FIRMIANA_BASE_JSON_ANY_H
#define FIRMIANA_BASE_JSON_ANY_H

#include "base/json.h"

/* As base_json_parse(). FM_E_INPUT also for a number beyond the largest double. */
fm_status base_json_any_parse(json_t **out, const char *text, size_t len,
                              struct base_err *err) FM_CHECK;
/* As base_json_parse_canonical(). */
fm_status base_json_any_parse_canonical(json_t **out, const void *bytes, size_t len,
                                        struct base_err *err) FM_CHECK;
/* As base_json_load_file(). */
fm_status base_json_any_load_file(json_t **out, const char *path, size_t max_len,
                                  struct base_err *err) FM_CHECK;
/* Appends the canonical bytes: base_json_canonical()'s, where that has some. FM_E_INPUT: too deep,
 * or NUL in a string. */
fm_status base_json_any_canonical(struct base_buf *out, const json_t *value,
                                  struct base_err *err) FM_CHECK;

/* A finite number as ECMAScript's Number::toString writes it (ECMA-262, 6.1.6.1.20), with its NUL:
 * the fewest digits that read back as the same double, and of those the nearest. */
#define BASE_JSON_NUMBER_TEXT 32
void base_json_number(char out[BASE_JSON_NUMBER_TEXT], double number);

#endif
