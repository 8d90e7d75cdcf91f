/* Where a member stands in a JSON text that a person wrote: parsers give trees without positions,
 * and "line 4, column 13" is what helps in an editor. */
#ifndef FIRMIANA_EXCHANGE_NODE_JSON_PLACE_H
#define FIRMIANA_EXCHANGE_NODE_JSON_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct json_place {
    unsigned line, column; /* from 1; columns count bytes */
};

/* The key `name` of the outermost object, and the value behind it. text has been parsed before, so
 * it is known to be JSON; false if the key is not there, or is written with escapes. No recursion.
 */
bool json_place_find(struct json_place *key, struct json_place *value, const char *text, size_t len,
                     const char *name);

#endif
