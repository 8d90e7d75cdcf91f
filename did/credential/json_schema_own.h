/* What checking a schema and asking it share: inside this folder alone. */
#ifndef FIRMIANA_DID_CREDENTIAL_JSON_SCHEMA_OWN_H
#define FIRMIANA_DID_CREDENTIAL_JSON_SCHEMA_OWN_H

#include "did/credential/json_schema.h"

/* The schema that a "$ref" names: "#" or "#/$defs/NAME" without escapes. NULL: none. Borrowed. */
const json_t *credential_schema_referred(const json_t *root, const char *text);

#endif
