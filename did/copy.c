#include "did/copy.h"

#include <stdint.h>
#include <string.h>

json_t *did_copy(const json_t *value)
{
    json_t *copy = json_deep_copy(value);

    if (copy == NULL || json_equal(copy, (json_t *)(uintptr_t)value))
        return copy;
    json_decref(copy);
    return NULL;
}

json_t *did_copy_without(const json_t *object, const char *member)
{
    json_t *copy = json_object(), *item;
    const char *key;

    if (copy == NULL)
        return NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, item)
    {
        if (strcmp(key, member) == 0)
            continue;
        if (json_object_set(copy, key, item) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

json_t *did_copy_array(const json_t *array)
{
    json_t *copy = json_array();

    if (copy == NULL || json_array_extend(copy, (json_t *)(uintptr_t)array) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}
