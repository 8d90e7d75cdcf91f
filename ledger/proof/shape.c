#include "ledger/proof/shape.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"

static bool is_name(const char *s)
{
    size_t n = strlen(s);

    return n >= 1 && n <= LEDGER_NAME_MAX && *s >= 'a' && *s <= 'z' &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

static bool is_hash(const char *s)
{
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static bool is_did(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if (s[i] <= 0x20 || s[i] >= 0x7f)
            return false;
    }
    return strncmp(s, "did:", 4) == 0 && n < DID_METHOD_TEXT;
}

static bool is_text(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return n >= 1 && n <= LEDGER_TEXT_MAX;
}

static bool are_aliases(const json_t *v)
{
    size_t n = json_array_size(v);

    for (size_t i = 0; i < n; i++) {
        const char *alias = json_string_value(json_array_get(v, i));
        if (alias == NULL || !did_alias_is_valid(alias))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(alias, json_string_value(json_array_get(v, j))) == 0)
                return false;
        }
    }
    return json_is_array(v) && n <= 1024;
}

static const char *const wanted[] = {
    [LEDGER_IS_ALIAS] = "an alias",
    [LEDGER_IS_NAME] = "a name in lower-case letters, digits and _ . -",
    [LEDGER_IS_HASH] = "64 lower-case hex digits",
    [LEDGER_IS_DID] = "a DID",
    [LEDGER_IS_TEXT] = "one line of text",
    [LEDGER_IS_HASHES] = "a text",
    [LEDGER_IS_BOOL] = "true or false",
    [LEDGER_IS_COUNT] = "an integer of at least 1",
    [LEDGER_IS_NUMBER] = "an integer of at least 0",
    [LEDGER_IS_OBJECT] = "an object",
    [LEDGER_IS_ARRAY] = "an array",
    [LEDGER_IS_ALIASES] = "an array of distinct aliases",
};

static bool fits(const json_t *v, enum ledger_shape shape)
{
    const char *s = json_string_value(v); /* NULL unless a string */

    switch (shape) {
    case LEDGER_IS_ALIAS:
        return s != NULL && did_alias_is_valid(s);
    case LEDGER_IS_NAME:
        return s != NULL && is_name(s);
    case LEDGER_IS_HASH:
        return s != NULL && is_hash(s);
    case LEDGER_IS_DID:
        return s != NULL && is_did(s);
    case LEDGER_IS_TEXT:
        return s != NULL && is_text(s);
    case LEDGER_IS_HASHES:
        return s != NULL;
    case LEDGER_IS_BOOL:
        return json_is_boolean(v);
    case LEDGER_IS_COUNT:
        return json_is_integer(v) && json_integer_value(v) >= 1;
    case LEDGER_IS_NUMBER:
        return json_is_integer(v) && json_integer_value(v) >= 0;
    case LEDGER_IS_OBJECT:
        return json_is_object(v);
    case LEDGER_IS_ARRAY:
        return json_is_array(v);
    case LEDGER_IS_ALIASES:
        return are_aliases(v);
    }
    return false;
}

fm_status ledger_shape_check(const json_t *object, const struct ledger_member *members,
                             struct base_err *err)
{
    size_t known = 0;

    if (!json_is_object(object))
        return base_err_set(err, FM_E_INPUT, "not an object");
    for (const struct ledger_member *m = members; m->name != NULL; m++) {
        const json_t *v = json_object_get(object, m->name);
        if (v == NULL && m->optional)
            continue;
        if (v == NULL)
            return base_err_set(err, FM_E_INPUT, "member '%s' is missing", m->name);
        if (!fits(v, m->shape))
            return base_err_set(err, FM_E_INPUT, "member '%s' must be %s", m->name,
                                wanted[m->shape]);
        known++;
    }
    if (known != json_object_size(object)) {
        const char *key;
        json_t *v;
        json_object_foreach((json_t *)(uintptr_t)object, key, v)
        {
            const struct ledger_member *m = members;
            while (m->name != NULL && strcmp(m->name, key) != 0)
                m++;
            if (m->name == NULL)
                return base_err_set(err, FM_E_INPUT, "unknown member '%.40s'", key);
        }
    }
    return FM_OK;
}

fm_status ledger_shape_check_items(const json_t *array, const char *name, size_t max,
                                   const struct ledger_member *members, struct base_err *err)
{
    size_t i;
    json_t *item;

    if (!json_is_array(array))
        return base_err_set(err, FM_E_INPUT, "member '%s' must be an array", name);
    if (json_array_size(array) > max)
        return base_err_set(err, FM_E_INPUT, "member '%s' has more than %zu items", name, max);
    json_array_foreach(array, i, item)
    {
        fm_status st = ledger_shape_check(item, members, err);
        if (st != FM_OK)
            return base_err_prefix(err, "%s[%zu]", name, i);
    }
    return FM_OK;
}
