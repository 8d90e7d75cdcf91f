/* Canonical JSON: RFC 8785 (JCS) over strings, booleans, arrays, objects and integers within
 * +-(2^53 - 1). Larger integers travel as decimal strings; reals, null, duplicate keys, lone
 * surrogates and NUL characters are refused. Bytes on the wire and under signatures are exactly the
 * canonical bytes. Trees are jansson's json_t. */
#ifndef FIRMIANA_BASE_JSON_H
#define FIRMIANA_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define BASE_JSON_MAX_INT 9007199254740991LL
#define BASE_JSON_MAX_DEPTH 32

/* From now on
 *   - a JSON tree that does not fit into memory ends the process, with one line: jansson drops
 *     members without a word when an allocation fails inside some of its calls, and a document that
 *     lost a member must not be signed, hashed or acted upon;
 *   - whatever jansson lets go of is wiped, since it does not know which string is a parameter that
 *     a contract hides, an answer or a salt.
 * Call first thing in main(); not thread-safe. Who calls json_dumps() wipes the text itself. */
void base_json_harden(void);

/* Parses text that a person may have written (any white space, any key order) into the allowed
 * subset. Errors: FM_E_INPUT with line and column, or the way to a value outside the subset. The
 * caller owns *out (json_decref). */
fm_status base_json_parse(json_t **out, const char *text, size_t len,
                          struct base_err *err) FM_CHECK;

/* Parses bytes that must already be canonical: FM_E_INPUT if re-encoding would not give the same
 * bytes. */
fm_status base_json_parse_canonical(json_t **out, const void *bytes, size_t len,
                                    struct base_err *err) FM_CHECK;

/* Where a member of an object stands in its canonical bytes, with the comma that goes with it:
 * without bytes [from, to) they are the canonical bytes of the object without that member. */
struct base_json_span {
    size_t from, to; /* to 0: it has no such member, or this is not known */
};

/* The same, and where the root's member of that name stands, if that is found out on the way (as it
 * is where all names are ASCII). */
fm_status base_json_parse_canonical_span(json_t **out, struct base_json_span *span,
                                         const char *member, const void *bytes, size_t len,
                                         struct base_err *err) FM_CHECK;

/* Appends the canonical bytes. FM_E_INPUT if the tree holds a value outside the subset, or is NULL:
 * a member that somebody else's object lacks. */
fm_status base_json_canonical(struct base_buf *out, const json_t *value,
                              struct base_err *err) FM_CHECK;

/* Of the canonical bytes: base_hash, and SHA-256 whatever the profile. */
fm_status base_json_hash(uint8_t out32[32], const json_t *value, struct base_err *err) FM_CHECK;
fm_status base_json_sha256(uint8_t out32[32], const json_t *value, struct base_err *err) FM_CHECK;

/* Reads a whole file (at most max_len bytes) and parses it as base_json_parse(); errors name the
 * file. */
fm_status base_json_load_file(json_t **out, const char *path, size_t max_len,
                              struct base_err *err) FM_CHECK;

/* Typed members of an object. Each fails with FM_E_INPUT "member 'NAME' is missing" / "must be a
 * string" ... Strings are borrowed from the object. */
fm_status base_json_get_str(const char **out, const json_t *object, const char *name,
                            struct base_err *err) FM_CHECK;
fm_status base_json_get_int(int64_t *out, const json_t *object, const char *name,
                            struct base_err *err) FM_CHECK;
fm_status base_json_get_bool(bool *out, const json_t *object, const char *name,
                             struct base_err *err) FM_CHECK;
fm_status base_json_get_array(json_t **out, const json_t *object, const char *name,
                              struct base_err *err) FM_CHECK;
fm_status base_json_get_object(json_t **out, const json_t *object, const char *name,
                               struct base_err *err) FM_CHECK;
/* A hex string of exactly out_len bytes. */
fm_status base_json_get_hex(uint8_t *out, size_t out_len, const json_t *object, const char *name,
                            struct base_err *err) FM_CHECK;
/* FM_E_INPUT naming the first member that is not in the NULL-terminated list. */
fm_status base_json_only(const json_t *object, const char *const *names,
                         struct base_err *err) FM_CHECK;

#endif
