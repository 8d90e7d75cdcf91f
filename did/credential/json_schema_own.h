/* What checking a schema and asking it share: inside this folder alone. */
#ifndef FIRMIANA_DID_CREDENTIAL_JSON_SCHEMA_OWN_H
#define FIRMIANA_DID_CREDENTIAL_JSON_SCHEMA_OWN_H

#include "did/credential/json_schema.h"

/* The schema that a "$ref" names: "#" or "#/$defs/NAME" without escapes. NULL: none. Borrowed. */
const json_t *credential_schema_referred(const json_t *root, const char *text);

#define CREDENTIAL_PATTERN_REPEATS 64 /* of all braces of a pattern together */
#define CREDENTIAL_PATTERN_TEXT 4096  /* bytes of a string that is asked */
#define CREDENTIAL_PATTERN_STEP 4096  /* (bytes * places)^2 that are one step of work */

/* How many places a plain pattern has for characters once its braces are written out, and *repeats:
 * the largest numbers of its braces, together. */
size_t credential_schema_pattern_places(size_t *repeats, const char *pattern);

#endif
