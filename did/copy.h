/* Copies of JSON trees that are whole or not there. jansson's own json_copy() and json_deep_copy()
 * leave members out when memory runs out and do not say so; a signature over such a copy would be
 * called bad on one node and good on the next. Internal to did/. */
#ifndef FIRMIANA_DID_COPY_H
#define FIRMIANA_DID_COPY_H

#include <jansson.h>

/* Everything anew. NULL when memory is out. The caller has bounded the depth. */
json_t *did_copy(const json_t *value);

/* An object's members but one, shared with the original. NULL when memory is out. */
json_t *did_copy_without(const json_t *object, const char *member);

/* An array with the same elements, shared with the original. NULL when memory is out. */
json_t *did_copy_array(const json_t *array);

#endif
