/* A reader of canonical JSON for where it is read most: no white space, members in order, one way
 * to write each value. It builds the tree in one pass and sees on the way that the bytes are
 * canonical, where base_json_parse_canonical() otherwise parses, writes the tree again and
 * compares. It may decline what is unusual (names beyond ASCII) and declines what is wrong; the
 * general path, which decides then, also says why. Low-level: only json.c calls it. */
#ifndef FIRMIANA_BASE_JSON_READ_H
#define FIRMIANA_BASE_JSON_READ_H

#include <jansson.h>

#include "base/json.h"

/* NULL: declined, or out of memory. What it takes is canonical and inside the subset, and the tree
 * is the one that the general path makes. span: where the root's member `member` (NULL: none)
 * stands, as base_json_parse_canonical_span() says. */
json_t *base_json_read(const void *bytes, size_t len, const char *member,
                       struct base_json_span *span);

#endif
