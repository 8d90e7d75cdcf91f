/* What json.c and json_any.c share. */
#ifndef FIRMIANA_BASE_JSON_OWN_H
#define FIRMIANA_BASE_JSON_OWN_H

#include "base/json.h"

enum base_json_kind { BASE_JSON_SUBSET, BASE_JSON_ANY };

/* FM_E_INPUT: what that kind does not have; where it stands is in the text. */
fm_status base_json_check(const json_t *value, enum base_json_kind kind, struct base_err *err);
/* Parses and checks; of BASE_JSON_ANY every number is a real. */
fm_status base_json_load(json_t **out, const char *text, size_t len, enum base_json_kind kind,
                         struct base_err *err);
/* Appends the canonical bytes of what was checked. */
void base_json_put(struct base_buf *out, const json_t *value);

#endif
