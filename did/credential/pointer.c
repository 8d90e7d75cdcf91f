#include "did/credential/pointer.h"

#include <stdlib.h>
#include <string.h>

/* Undoes "~0" and "~1" in place; false for any other "~". */
static bool unescape(char *name)
{
    char *to = name;

    for (const char *from = name; *from != '\0'; from++) {
        if (*from != '~') {
            *to++ = *from;
            continue;
        }
        from++;
        if (*from != '0' && *from != '1')
            return false;
        *to++ = *from == '0' ? '~' : '/';
    }
    *to = '\0';
    return true;
}

void credential_pointer_release(struct credential_pointer *pointer)
{
    free(pointer->text);
    *pointer = (struct credential_pointer){0};
}

fm_status credential_pointer_parse(struct credential_pointer *out, const char *text,
                                   struct base_err *err)
{
    bool is_fine = text[0] == '\0' || text[0] == '/';

    *out = (struct credential_pointer){0};
    out->text = strdup(text);
    if (out->text == NULL)
        return base_err_memory(err, "JSON Pointer");
    for (char *name = out->text, *slash; is_fine && name != NULL && *text != '\0'; name = slash) {
        if (name == out->text)
            name++;
        slash = strchr(name, '/');
        if (slash != NULL)
            *slash++ = '\0';
        is_fine = out->count < BASE_JSON_MAX_DEPTH && unescape(name);
        if (is_fine)
            out->names[out->count++] = name;
    }
    if (is_fine)
        return FM_OK;
    credential_pointer_release(out);
    return base_err_set(err, FM_E_ARG,
                        "'%.80s' is no JSON Pointer: '/name', '/name/0', at most %d deep, '~' as "
                        "'~0' and '/' as '~1'",
                        text, BASE_JSON_MAX_DEPTH);
}

void credential_pointer_put(struct base_buf *out, const char *name)
{
    base_buf_put_u8(out, '/');
    for (; *name != '\0'; name++) {
        if (*name == '~' || *name == '/')
            base_buf_put_str(out, *name == '~' ? "~0" : "~1");
        else
            base_buf_put_u8(out, (uint8_t)*name);
    }
}

void credential_pointer_put_index(struct base_buf *out, size_t index)
{
    base_buf_putf(out, "/%zu", index);
}

bool credential_pointer_index(size_t *out, const char *name)
{
    size_t len = strlen(name);

    *out = 0;
    if (len == 0 || len > 9 || strspn(name, "0123456789") != len || (len > 1 && name[0] == '0'))
        return false;
    *out = (size_t)strtoul(name, NULL, 10);
    return true;
}

json_t *credential_pointer_step(const json_t *value, const char *name)
{
    size_t index;

    if (json_is_object(value))
        return json_object_get(value, name);
    return json_is_array(value) && credential_pointer_index(&index, name)
               ? json_array_get(value, index)
               : NULL;
}

json_t *credential_pointer_find(const json_t *value, const struct credential_pointer *pointer,
                                size_t count)
{
    for (size_t i = 0; value != NULL && i < count; i++)
        value = credential_pointer_step(value, pointer->names[i]);
    return (json_t *)(uintptr_t)value;
}

bool credential_pointer_within(const char *text, const char *above)
{
    size_t len = strlen(above);

    return strncmp(text, above, len) == 0 && (text[len] == '\0' || text[len] == '/');
}
