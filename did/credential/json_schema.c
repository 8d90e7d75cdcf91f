#include "did/credential/json_schema.h"

#include <math.h>
#include <regex.h>
#include <string.h>

#include "base/bytes.h"
#include "did/credential/json_schema_own.h"
#include "did/credential/pointer.h"

struct run {
    const json_t *root;
    enum credential_schema_whole whole;
    unsigned long steps;
    struct base_buf at; /* a pointer into the value */
};

/* A keyword of a schema, what it says, and the value that is asked. */
struct question {
    struct run *run;
    const json_t *schema, *said, *value;
    unsigned depth;
};

static fm_status validate(struct run *r, const json_t *schema, const json_t *value, unsigned depth,
                          struct base_err *err);

static fm_status unlike(const struct question *q, struct base_err *err, const char *text)
{
    return base_err_set(err, FM_E_INVALID, "%.120s %s",
                        q->run->at.len == 0 ? "it" : base_buf_cstr(&q->run->at), text);
}

const json_t *credential_schema_referred(const json_t *root, const char *text)
{
    static const char defs[] = "#/$defs/";

    if (strcmp(text, "#") == 0)
        return root;
    return strncmp(text, defs, strlen(defs)) == 0 && strpbrk(text + strlen(defs), "/~%") == NULL
               ? json_object_get(json_object_get(root, "$defs"), text + strlen(defs))
               : NULL;
}

/* ---- of any value ---- */

static bool has_type(const json_t *value, const char *name)
{
    if (json_is_number(value))
        return strcmp(name, "number") == 0 ||
               (strcmp(name, "integer") == 0 &&
                json_number_value(value) == floor(json_number_value(value)));
    return strcmp(name, json_is_object(value)    ? "object"
                        : json_is_array(value)   ? "array"
                        : json_is_string(value)  ? "string"
                        : json_is_boolean(value) ? "boolean"
                                                 : "null") == 0;
}

static fm_status ask_type(const struct question *q, struct base_err *err)
{
    const json_t *one;
    size_t i;

    if (json_is_string(q->said) && has_type(q->value, json_string_value(q->said)))
        return FM_OK;
    json_array_foreach(q->said, i,
                       one) if (has_type(q->value, json_string_value(one))) return FM_OK;
    return base_err_set(err, FM_E_INVALID, "%.120s must be of type %.40s",
                        q->run->at.len == 0 ? "it" : base_buf_cstr(&q->run->at),
                        json_is_string(q->said) ? json_string_value(q->said) : "as in the schema");
}

static fm_status ask_enum(const struct question *q, struct base_err *err)
{
    const json_t *one;
    size_t i;

    json_array_foreach(q->said, i, one)
    {
        q->run->steps++;
        if (json_equal(one, q->value))
            return FM_OK;
    }
    return unlike(q, err, "is none of the values that the schema lists (enum)");
}

static fm_status ask_const(const struct question *q, struct base_err *err)
{
    return json_equal(q->said, q->value) ? FM_OK
                                         : unlike(q, err, "is not what the schema says (const)");
}

static fm_status ask_ref(const struct question *q, struct base_err *err)
{
    return validate(q->run, credential_schema_referred(q->run->root, json_string_value(q->said)),
                    q->value, q->depth + 1, err);
}

static fm_status ask_all_of(const struct question *q, struct base_err *err)
{
    const json_t *one;
    size_t i;
    fm_status st = FM_OK;

    json_array_foreach(q->said, i, one) st =
        st != FM_OK ? st : validate(q->run, one, q->value, q->depth + 1, err);
    return st;
}

/* How many of them hold, up to `enough`; what is no verdict ends it. */
static fm_status count_holding(size_t *out, const struct question *q, size_t enough,
                               struct base_err *err)
{
    const json_t *one;
    size_t i, len = q->run->at.len;

    *out = 0;
    json_array_foreach(q->said, i, one)
    {
        struct base_err why = {0};
        fm_status st = validate(q->run, one, q->value, q->depth + 1, &why);
        q->run->at.len = len;
        if (st != FM_OK && st != FM_E_INVALID)
            return base_err_set(err, st, "%s", why.text);
        *out += st == FM_OK;
        if (*out == enough)
            break;
    }
    return FM_OK;
}

static fm_status ask_any_of(const struct question *q, struct base_err *err)
{
    size_t holding;
    fm_status st = count_holding(&holding, q, 1, err);

    return st != FM_OK || holding == 1 ? st : unlike(q, err, "is like none of the kinds (anyOf)");
}

static fm_status ask_one_of(const struct question *q, struct base_err *err)
{
    size_t holding;
    fm_status st;

    if (q->run->whole == CREDENTIAL_SCHEMA_PART)
        return ask_any_of(q, err);
    st = count_holding(&holding, q, 2, err);
    return st != FM_OK || holding == 1 ? st
                                       : unlike(q, err, "is like none or several kinds (oneOf)");
}

/* ---- of integers and strings ---- */

static fm_status ask_minimum(const struct question *q, struct base_err *err)
{
    return !json_is_number(q->value) || json_number_value(q->value) >= json_number_value(q->said)
               ? FM_OK
               : unlike(q, err, "is too small (minimum)");
}

static fm_status ask_maximum(const struct question *q, struct base_err *err)
{
    return !json_is_number(q->value) || json_number_value(q->value) <= json_number_value(q->said)
               ? FM_OK
               : unlike(q, err, "is too large (maximum)");
}

/* Characters of a string (jansson's are UTF-8); else the elements or members; 0 for others. */
static json_int_t size_of(const json_t *value)
{
    json_int_t n = 0;

    if (json_is_string(value))
        for (const char *p = json_string_value(value); *p != '\0'; p++)
            n += ((unsigned char)*p & 0xc0) != 0x80;
    else
        n = (json_int_t)(json_is_array(value) ? json_array_size(value) : json_object_size(value));
    return n;
}

static fm_status ask_min_length(const struct question *q, struct base_err *err)
{
    return !json_is_string(q->value) || size_of(q->value) >= json_integer_value(q->said)
               ? FM_OK
               : unlike(q, err, "is too short (minLength)");
}

static fm_status ask_max_length(const struct question *q, struct base_err *err)
{
    return !json_is_string(q->value) || size_of(q->value) <= json_integer_value(q->said)
               ? FM_OK
               : unlike(q, err, "is too long (maxLength)");
}

/* glibc's matcher takes time in the square of the string and of the pattern: "[ab]*a[ab]{32}c"
 * takes 0.3 s for 1,500 characters, which are 750,000 steps here. */
static fm_status count_pattern(const struct question *q, struct base_err *err)
{
    size_t len = json_string_length(q->value), repeats;
    size_t work = len * credential_schema_pattern_places(&repeats, json_string_value(q->said));

    if (len <= CREDENTIAL_PATTERN_TEXT)
        q->run->steps += work * work / CREDENTIAL_PATTERN_STEP;
    return len <= CREDENTIAL_PATTERN_TEXT && q->run->steps <= CREDENTIAL_SCHEMA_STEPS
               ? FM_OK
               : base_err_set(err, FM_E_LIMIT, "pattern on %zu bytes is too much work", len);
}

static fm_status ask_pattern(const struct question *q, struct base_err *err)
{
    regex_t regex;
    int found;
    fm_status st = json_is_string(q->value) ? count_pattern(q, err) : FM_OK;

    if (st != FM_OK || !json_is_string(q->value))
        return st;
    if (regcomp(&regex, json_string_value(q->said), REG_EXTENDED | REG_NOSUB) != 0)
        return base_err_memory(err, "pattern"); /* UNTESTED: checking has compiled it */
    found = regexec(&regex, json_string_value(q->value), 0, NULL, 0);
    regfree(&regex);
    return found == 0 ? FM_OK
           : found == REG_NOMATCH
               ? unlike(q, err, "has not the form that the schema asks (pattern)")
               : base_err_memory(err, "pattern");
}

/* ---- of arrays and objects ---- */

static fm_status ask_items(const struct question *q, struct base_err *err)
{
    const json_t *one;
    size_t i, len = q->run->at.len;
    fm_status st = FM_OK;

    json_array_foreach(q->value, i, one)
    {
        credential_pointer_put_index(&q->run->at, i);
        st = st != FM_OK ? st : validate(q->run, q->said, one, q->depth + 1, err);
        q->run->at.len = len;
    }
    return st;
}

static fm_status ask_min_items(const struct question *q, struct base_err *err)
{
    return q->run->whole == CREDENTIAL_SCHEMA_PART || !json_is_array(q->value) ||
                   size_of(q->value) >= json_integer_value(q->said)
               ? FM_OK
               : unlike(q, err, "has too few elements (minItems)");
}

static fm_status ask_max_items(const struct question *q, struct base_err *err)
{
    return !json_is_array(q->value) || size_of(q->value) <= json_integer_value(q->said)
               ? FM_OK
               : unlike(q, err, "has too many elements (maxItems)");
}

static fm_status ask_unique(const struct question *q, struct base_err *err)
{
    size_t n = json_array_size(q->value);

    if (!json_is_true(q->said))
        return FM_OK;
    q->run->steps += n * n / 2;
    if (q->run->steps > CREDENTIAL_SCHEMA_STEPS)
        return base_err_set(err, FM_E_LIMIT, "uniqueItems over %zu elements is too much work", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(q->value, i), json_array_get(q->value, j)))
                return unlike(q, err, "has an element twice (uniqueItems)");
    return FM_OK;
}

static fm_status ask_properties(const struct question *q, struct base_err *err)
{
    const json_t *schema, *one;
    const char *name;
    size_t len = q->run->at.len;
    fm_status st = FM_OK;

    json_object_foreach((json_t *)(uintptr_t)q->said, name, schema)
    {
        one = json_object_get(q->value, name);
        if (one == NULL || st != FM_OK)
            continue;
        credential_pointer_put(&q->run->at, name);
        st = validate(q->run, schema, one, q->depth + 1, err);
        q->run->at.len = len;
    }
    return st;
}

/* Members that "properties" of the same schema does not name. */
static fm_status ask_additional(const struct question *q, struct base_err *err)
{
    const json_t *named = json_object_get(q->schema, "properties"), *one;
    const char *name;
    size_t len = q->run->at.len;
    fm_status st = FM_OK;

    json_object_foreach((json_t *)(uintptr_t)q->value, name, one)
    {
        if (json_object_get(named, name) != NULL || st != FM_OK)
            continue;
        credential_pointer_put(&q->run->at, name);
        st = validate(q->run, q->said, one, q->depth + 1, err);
        q->run->at.len = len;
    }
    return st;
}

static fm_status ask_required(const struct question *q, struct base_err *err)
{
    const json_t *name;
    size_t i;

    if (q->run->whole == CREDENTIAL_SCHEMA_PART || !json_is_object(q->value))
        return FM_OK;
    json_array_foreach(
        q->said, i,
        name) if (json_object_get(q->value, json_string_value(name)) ==
                  NULL) return base_err_set(err, FM_E_INVALID, "%.120s/%.60s is missing (required)",
                                            base_buf_cstr(&q->run->at), json_string_value(name));
    return FM_OK;
}

static fm_status ask_min_properties(const struct question *q, struct base_err *err)
{
    return q->run->whole == CREDENTIAL_SCHEMA_PART || !json_is_object(q->value) ||
                   size_of(q->value) >= json_integer_value(q->said)
               ? FM_OK
               : unlike(q, err, "has too few members (minProperties)");
}

static fm_status ask_max_properties(const struct question *q, struct base_err *err)
{
    return !json_is_object(q->value) || size_of(q->value) <= json_integer_value(q->said)
               ? FM_OK
               : unlike(q, err, "has too many members (maxProperties)");
}

/* ---- the whole ---- */

static const struct {
    const char *name;
    fm_status (*ask)(const struct question *q, struct base_err *err);
} keywords[] = {
    {"$ref", ask_ref},
    {"additionalProperties", ask_additional},
    {"allOf", ask_all_of},
    {"anyOf", ask_any_of},
    {"const", ask_const},
    {"enum", ask_enum},
    {"items", ask_items},
    {"maxItems", ask_max_items},
    {"maxLength", ask_max_length},
    {"maxProperties", ask_max_properties},
    {"maximum", ask_maximum},
    {"minItems", ask_min_items},
    {"minLength", ask_min_length},
    {"minProperties", ask_min_properties},
    {"minimum", ask_minimum},
    {"oneOf", ask_one_of},
    {"pattern", ask_pattern},
    {"properties", ask_properties},
    {"required", ask_required},
    {"type", ask_type},
    {"uniqueItems", ask_unique},
};

static fm_status validate(struct run *r, const json_t *schema, const json_t *value, unsigned depth,
                          struct base_err *err)
{
    struct question q = {r, schema, NULL, value, depth};
    fm_status st = FM_OK;

    if (json_is_boolean(schema))
        return json_is_true(schema) ? FM_OK : unlike(&q, err, "must not be there");
    for (size_t i = 0; st == FM_OK && i < sizeof keywords / sizeof keywords[0]; i++) {
        q.said = json_object_get(schema, keywords[i].name);
        if (q.said == NULL)
            continue;
        if (++r->steps > CREDENTIAL_SCHEMA_STEPS || depth > CREDENTIAL_SCHEMA_DEPTH)
            return base_err_set(err, FM_E_LIMIT,
                                "the schema asks for too much work, or leads back to itself");
        st = keywords[i].ask(&q, err);
    }
    return st;
}

fm_status credential_json_schema_validate(const json_t *schema, const json_t *at,
                                          const json_t *value, enum credential_schema_whole whole,
                                          struct base_err *err)
{
    struct run r = {.root = schema, .whole = whole};
    fm_status st = validate(&r, at, value, 0, err);

    if (st == FM_OK)
        st = base_buf_status(&r.at, "schema", err);
    base_buf_release(&r.at);
    return st;
}
