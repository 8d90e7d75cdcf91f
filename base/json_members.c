/* Typed members of objects. */
#include <string.h>

#include "base/json.h"

static fm_status get(json_t **out, const json_t *object, const char *name, json_type type,
                     const char *type_name, struct base_err *err)
{
    json_t *v = json_object_get(object, name);

    *out = NULL;
    if (v == NULL)
        return base_err_set(err, FM_E_INPUT, "member '%s' is missing", name);
    if (json_typeof(v) != type)
        return base_err_set(err, FM_E_INPUT, "member '%s' must be %s", name, type_name);
    *out = v;
    return FM_OK;
}

fm_status base_json_get_str(const char **out, const json_t *object, const char *name,
                            struct base_err *err)
{
    json_t *v;
    fm_status st = get(&v, object, name, JSON_STRING, "a string", err);

    *out = st == FM_OK ? json_string_value(v) : NULL;
    return st;
}

fm_status base_json_get_int(int64_t *out, const json_t *object, const char *name,
                            struct base_err *err)
{
    json_t *v;
    fm_status st = get(&v, object, name, JSON_INTEGER, "an integer", err);

    *out = st == FM_OK ? json_integer_value(v) : 0;
    return st;
}

fm_status base_json_get_bool(bool *out, const json_t *object, const char *name,
                             struct base_err *err)
{
    const json_t *v = json_object_get(object, name);

    *out = false;
    if (v == NULL)
        return base_err_set(err, FM_E_INPUT, "member '%s' is missing", name);
    if (!json_is_boolean(v))
        return base_err_set(err, FM_E_INPUT, "member '%s' must be true or false", name);
    *out = json_is_true(v);
    return FM_OK;
}

fm_status base_json_get_array(json_t **out, const json_t *object, const char *name,
                              struct base_err *err)
{
    return get(out, object, name, JSON_ARRAY, "an array", err);
}

fm_status base_json_get_object(json_t **out, const json_t *object, const char *name,
                               struct base_err *err)
{
    return get(out, object, name, JSON_OBJECT, "an object", err);
}

fm_status base_json_get_hex(uint8_t *out, size_t out_len, const json_t *object, const char *name,
                            struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, object, name, err);

    memset(out, 0, out_len);
    if (st != FM_OK)
        return st;
    if (!base_unhex(out, out_len, text, strlen(text)))
        return base_err_set(err, FM_E_INPUT, "member '%s' must be %zu lower-case hex digits", name,
                            2 * out_len);
    return FM_OK;
}

fm_status base_json_only(const json_t *object, const char *const *names, struct base_err *err)
{
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)object, key, item)
    {
        const char *const *name = names;
        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return base_err_set(err, FM_E_INPUT, "unknown member '%s'", key);
    }
    return FM_OK;
}
