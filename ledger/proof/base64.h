/* Base64 with padding, RFC 4648 section 4: what signed notes are written in. */
#ifndef FIRMIANA_LEDGER_BASE64_H
#define FIRMIANA_LEDGER_BASE64_H

#include <stdbool.h>

#include "base/bytes.h"

void ledger_base64_put(struct base_buf *out, const uint8_t *bytes, size_t len);

/* Exactly out_len bytes from the front of the cursor, as _put writes them; false otherwise. */
bool ledger_base64_take(uint8_t *out, size_t out_len, struct base_cur *cur) FM_CHECK;

#endif
