/* JSON Pointers (RFC 6901): which member or element of a JSON value is meant. "" is the value
 * itself, "/a/0" the first element of its member a; "~0" stands for "~" in a name and "~1" for "/".
 */
#ifndef FIRMIANA_DID_CREDENTIAL_POINTER_H
#define FIRMIANA_DID_CREDENTIAL_POINTER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/json.h"

/* A pointer taken apart. Names are borrowed from the text buffer inside. */
struct credential_pointer {
    const char *names[BASE_JSON_MAX_DEPTH];
    size_t count;
    char *text; /* owned */
};

/* FM_E_ARG unless it is a pointer, "" or beginning with "/", of at most BASE_JSON_MAX_DEPTH names.
 */
fm_status credential_pointer_parse(struct credential_pointer *out, const char *text,
                                   struct base_err *err) FM_CHECK;
void credential_pointer_release(struct credential_pointer *pointer);

/* Appends "/" and the name, escaped. */
void credential_pointer_put(struct base_buf *out, const char *name);
void credential_pointer_put_index(struct base_buf *out, size_t index);

/* The member of an object, or the element of an array, of that name; NULL if there is none.
 * Borrowed. */
json_t *credential_pointer_step(const json_t *value, const char *name);

/* An element's number: digits, without leading zeros. */
bool credential_pointer_index(size_t *out, const char *name);

/* The first `count` names of it, from the value on; NULL if that leads nowhere. Borrowed. */
json_t *credential_pointer_find(const json_t *value, const struct credential_pointer *pointer,
                                size_t count);

/* Is `text` the pointer `above`, or below it? */
bool credential_pointer_within(const char *text, const char *above);

#endif
