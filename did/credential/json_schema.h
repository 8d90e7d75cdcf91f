/* JSON Schema, draft 2020-12, as far as credentials need it, and strictly: a schema with a keyword
 * that is not in this list is refused, instead of being obeyed in part.
 *
 *   said about the schema    $schema (2020-12), $id, $comment, $defs, title, description
 *   of any value             type, enum, const, $ref ("#" or "#/$defs/NAME"), allOf, anyOf, oneOf
 *   numbers                  minimum, maximum (integers)
 *   strings                  minLength, maxLength (characters), pattern
 *   arrays                   items, minItems, maxItems, uniqueItems
 *   objects                  properties, required, additionalProperties, minProperties,
 *                            maxProperties
 *
 * pattern: ASCII without groups and alternatives ("(", ")", "|", "\"), and repetitions of 64
 * in all, which POSIX and ECMA-262 read alike; it is asked of strings up to 4,096 bytes. true and
 * false are schemas. Values are any JSON (base/json_any.h), schemas
 * base/json.h's subset. Debian has no validator for C. */
#ifndef FIRMIANA_DID_CREDENTIAL_JSON_SCHEMA_H
#define FIRMIANA_DID_CREDENTIAL_JSON_SCHEMA_H

#include <jansson.h>

#include "base/status.h"

#define CREDENTIAL_SCHEMA_STEPS 1000000 /* of work for one value */
#define CREDENTIAL_SCHEMA_DEPTH 128     /* of schemas inside schemas, "$ref" followed */

/* Is it a schema of that form? FM_E_UNSUPPORTED names a keyword, FM_E_INPUT what is wrong with one.
 */
fm_status credential_json_schema_check(const json_t *schema, struct base_err *err) FM_CHECK;

enum credential_schema_whole {
    CREDENTIAL_SCHEMA_WHOLE,
    /* Members and elements may have been left out by a holder: required, minProperties and minItems
     * are not asked for, and oneOf is anyOf. What is there must be right. */
    CREDENTIAL_SCHEMA_PART,
};

/* at: the part of a checked schema that the value must obey: the schema itself, or what stands
 * below it. FM_E_INVALID names the place in the value and the keyword; FM_E_LIMIT: more work than
 * above, or a "$ref" that leads to itself. */
fm_status credential_json_schema_validate(const json_t *schema, const json_t *at,
                                          const json_t *value, enum credential_schema_whole whole,
                                          struct base_err *err) FM_CHECK;

#endif
