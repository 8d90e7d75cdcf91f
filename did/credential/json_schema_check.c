/* Is it a schema? json_schema.h. */
#include <regex.h>
#include <string.h>

#include "base/json.h"
#include "did/credential/json_schema_own.h"
#include "did/credential/pointer.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"
#define PATTERN_MAX 256

struct run {
    const json_t *root;
    struct base_buf at; /* a pointer into the schema */
};

static fm_status check_schema(struct run *r, const json_t *schema, unsigned depth,
                              struct base_err *err);

static fm_status wrong(struct run *r, struct base_err *err, const char *text)
{
    return base_err_set(err, FM_E_INPUT, "schema: %.120s: %s",
                        r->at.len == 0 ? "the whole" : base_buf_cstr(&r->at), text);
}

/* ---- what keywords' values must be ---- */

static fm_status check_text(struct run *r, const json_t *said, unsigned depth, struct base_err *err)
{
    (void)depth;
    return json_is_string(said) ? FM_OK : wrong(r, err, "must be a string");
}

static fm_status check_dialect(struct run *r, const json_t *said, unsigned depth,
                               struct base_err *err)
{
    (void)depth;
    return json_is_string(said) && strcmp(json_string_value(said), DIALECT) == 0
               ? FM_OK
               : wrong(r, err, "must be '" DIALECT "'");
}

static fm_status check_anything(struct run *r, const json_t *said, unsigned depth,
                                struct base_err *err)
{
    (void)r;
    (void)said;
    (void)depth;
    (void)err;
    return FM_OK;
}

static fm_status check_count(struct run *r, const json_t *said, unsigned depth,
                             struct base_err *err)
{
    (void)depth;
    return json_is_integer(said) && json_integer_value(said) >= 0
               ? FM_OK
               : wrong(r, err, "must be a number from 0 on");
}

static fm_status check_integer(struct run *r, const json_t *said, unsigned depth,
                               struct base_err *err)
{
    (void)depth;
    return json_is_integer(said) ? FM_OK : wrong(r, err, "must be an integer");
}

static fm_status check_bool(struct run *r, const json_t *said, unsigned depth, struct base_err *err)
{
    (void)depth;
    return json_is_boolean(said) ? FM_OK : wrong(r, err, "must be true or false");
}

static fm_status check_values(struct run *r, const json_t *said, unsigned depth,
                              struct base_err *err)
{
    (void)depth;
    return json_is_array(said) ? FM_OK : wrong(r, err, "must be an array");
}

static fm_status check_names(struct run *r, const json_t *said, unsigned depth,
                             struct base_err *err)
{
    const json_t *one;
    size_t i;

    (void)depth;
    json_array_foreach(said, i, one) if (!json_is_string(one)) return wrong(r, err,
                                                                            "must hold strings");
    return json_is_array(said) ? FM_OK : wrong(r, err, "must be an array");
}

static const char *const types[] = {"array",  "boolean", "integer", "null",
                                    "number", "object",  "string"};

static fm_status check_type(struct run *r, const json_t *said, unsigned depth, struct base_err *err)
{
    const json_t *one;
    size_t i;
    bool is_known = false;

    if (json_is_array(said)) {
        json_array_foreach(said, i, one) if (!json_is_string(one) ||
                                             check_type(r, one, depth, err) !=
                                                 FM_OK) return wrong(r, err,
                                                                     "must hold names of types");
        return json_array_size(said) > 0 ? FM_OK : wrong(r, err, "must hold names of types");
    }
    for (i = 0; json_is_string(said) && i < sizeof types / sizeof types[0]; i++)
        is_known |= strcmp(types[i], json_string_value(said)) == 0;
    return is_known ? FM_OK : wrong(r, err, "must be the name of a type");
}

static fm_status check_schemas(struct run *r, const json_t *said, unsigned depth,
                               struct base_err *err)
{
    const json_t *one;
    size_t i, len = r->at.len;
    fm_status st = json_array_size(said) > 0 ? FM_OK : wrong(r, err, "must be an array of schemas");

    json_array_foreach(said, i, one)
    {
        credential_pointer_put_index(&r->at, i);
        st = st != FM_OK ? st : check_schema(r, one, depth + 1, err);
        r->at.len = len;
    }
    return st;
}

static fm_status check_named(struct run *r, const json_t *said, unsigned depth,
                             struct base_err *err)
{
    const json_t *one;
    const char *name;
    size_t len = r->at.len;
    fm_status st = json_is_object(said) ? FM_OK : wrong(r, err, "must be an object of schemas");

    json_object_foreach((json_t *)(uintptr_t)said, name, one)
    {
        credential_pointer_put(&r->at, name);
        st = st != FM_OK ? st : check_schema(r, one, depth + 1, err);
        r->at.len = len;
    }
    return st;
}

/* Where a pattern's reader is. */
struct reading {
    unsigned repeat; /* the number in braces so far */
    bool in_class, in_braces;
};

/* No groups, alternatives, escapes, and no names of classes: what both dialects read alike. */
static bool is_plain_char(struct reading *r, const char *pattern, const char *p)
{
    char before = p == pattern ? '\0' : p[-1];

    if (*p < ' ' || *p > '~' || strchr("()|\\", *p) != NULL)
        return false;
    if (r->in_class) {
        r->in_class = *p != ']';
        return *p != '[' && (r->in_class || (before != '[' && before != '^'));
    }
    if (r->in_braces) {
        r->repeat = *p >= '0' && *p <= '9' ? 10 * r->repeat + (unsigned)(*p - '0') : 0;
        r->in_braces = *p != '}';
        return r->repeat <= CREDENTIAL_PATTERN_REPEATS;
    }
    r->in_class = *p == '[';
    r->in_braces = *p == '{';
    return strchr("*+?{", *p) == NULL || (before != '\0' && strchr("^*+?}", before) == NULL);
}

static bool is_plain(const char *pattern)
{
    struct reading r = {0};

    for (const char *p = pattern; *p != '\0'; p++)
        if (p - pattern >= PATTERN_MAX || !is_plain_char(&r, pattern, p))
            return false;
    return true;
}

size_t credential_schema_pattern_places(size_t *repeats, const char *pattern)
{
    size_t places = 0;

    *repeats = 0;
    for (const char *p = pattern; *p != '\0'; p++, places++) {
        size_t number = 0, most = 0;
        if (*p == '[' || *p == '{')
            for (char end = *p == '[' ? ']' : '}'; p[1] != '\0' && *p != end; p++) {
                number = end == '}' && p[1] >= '0' && p[1] <= '9'
                             ? 10 * number + (size_t)(p[1] - '0')
                             : 0;
                most = number > most ? number : most;
            }
        *repeats += most;
    }
    return places + *repeats;
}

static fm_status check_pattern(struct run *r, const json_t *said, unsigned depth,
                               struct base_err *err)
{
    regex_t regex;
    size_t repeats;

    (void)depth;
    if (json_is_string(said) && is_plain(json_string_value(said)) &&
        credential_schema_pattern_places(&repeats, json_string_value(said)) > 0 &&
        repeats > CREDENTIAL_PATTERN_REPEATS)
        return wrong(r, err, "must be a pattern with repetitions of at most 64 in all");
    if (!json_is_string(said) || !is_plain(json_string_value(said)) ||
        regcomp(&regex, json_string_value(said), REG_EXTENDED | REG_NOSUB) != 0)
        return wrong(r, err, "must be a pattern without groups, alternatives and escapes");
    regfree(&regex);
    return FM_OK;
}

static fm_status check_ref(struct run *r, const json_t *said, unsigned depth, struct base_err *err)
{
    (void)depth;
    return json_is_string(said) &&
                   credential_schema_referred(r->root, json_string_value(said)) != NULL
               ? FM_OK
               : wrong(r, err, "must be '#' or '#/$defs/NAME' of a schema that is there");
}

/* ---- the whole ---- */

static const struct {
    const char *name;
    fm_status (*check)(struct run *r, const json_t *said, unsigned depth, struct base_err *err);
} keywords[] = {
    {"$comment", check_text},
    {"$defs", check_named},
    {"$id", check_text},
    {"$ref", check_ref},
    {"$schema", check_dialect},
    {"additionalProperties", check_schema},
    {"allOf", check_schemas},
    {"anyOf", check_schemas},
    {"const", check_anything},
    {"description", check_text},
    {"enum", check_values},
    {"items", check_schema},
    {"maxItems", check_count},
    {"maxLength", check_count},
    {"maxProperties", check_count},
    {"maximum", check_integer},
    {"minItems", check_count},
    {"minLength", check_count},
    {"minProperties", check_count},
    {"minimum", check_integer},
    {"oneOf", check_schemas},
    {"pattern", check_pattern},
    {"properties", check_named},
    {"required", check_names},
    {"title", check_text},
    {"type", check_type},
    {"uniqueItems", check_bool},
};

static fm_status check_keyword(struct run *r, const char *name, const json_t *said, unsigned depth,
                               struct base_err *err)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (strcmp(keywords[i].name, name) == 0)
            return keywords[i].check(r, said, depth, err);
    return base_err_set(err, FM_E_UNSUPPORTED, "schema: %.120s: this keyword is not known here",
                        base_buf_cstr(&r->at));
}

/* Recursion is as deep as the schema, and no deeper than base/json.h's subset. */
static fm_status check_schema(struct run *r, const json_t *schema, unsigned depth,
                              struct base_err *err)
{
    const json_t *said;
    const char *name;
    size_t len = r->at.len;
    fm_status st = FM_OK;

    if (json_is_boolean(schema))
        return FM_OK;
    if (!json_is_object(schema))
        return wrong(r, err, "a schema must be an object, true or false");
    if (depth > BASE_JSON_MAX_DEPTH)
        return wrong(r, err, "schemas are nested too deep");
    json_object_foreach((json_t *)(uintptr_t)schema, name, said)
    {
        credential_pointer_put(&r->at, name);
        st = st != FM_OK ? st : check_keyword(r, name, said, depth, err);
        r->at.len = len;
    }
    return st;
}

fm_status credential_json_schema_check(const json_t *schema, struct base_err *err)
{
    struct run r = {.root = schema};
    fm_status st = check_schema(&r, schema, 0, err);

    if (st == FM_OK)
        st = base_buf_status(&r.at, "schema", err);
    base_buf_release(&r.at);
    return st;
}
