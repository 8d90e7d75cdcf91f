#include "base/json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_any.h"
#include "base/json_own.h"
#include "base/json_read.h"
#include "base/secret.h"

static void *must_allocate(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL) {
        fputs("firmiana: out of memory for a JSON tree\n", stderr);
        abort();
    }
    return p;
}

/* The C library knows how long the block is. */
static void wipe_and_free(void *p)
{
    base_wipe(p, malloc_usable_size(p));
    free(p);
}

void base_json_harden(void)
{
    json_set_alloc_funcs(must_allocate, wipe_and_free);
}

/* ---- the subset ---- */

/* Where a value stands: the way to it from the root, which is NULL. */
struct step {
    const struct step *up;
    const char *key; /* NULL: in an array, at index */
    size_t index;
    unsigned depth;
};

/* "peers[2].port"; no deeper than BASE_JSON_MAX_DEPTH. */
static size_t put_path(char *out, size_t cap, const struct step *at)
{
    size_t n = at->up != NULL ? put_path(out, cap, at->up) : 0;
    int more = at->key != NULL
                   ? snprintf(out + n, cap - n, "%s%s", at->up != NULL ? "." : "", at->key)
                   : snprintf(out + n, cap - n, "[%zu]", at->index);

    return more > 0 && (size_t)more < cap - n ? n + (size_t)more : cap - 1;
}

static fm_status refuse(const struct step *at, struct base_err *err)
{
    char path[160];

    if (at == NULL)
        return err->code;
    (void)put_path(path, sizeof path, at);
    return base_err_prefix(err, "%s", path);
}

/* What only others' JSON has. */
static fm_status check_other(const json_t *v, const struct step *at, struct base_err *err)
{
    (void)base_err_set(err, FM_E_INPUT,
                       json_is_real(v)
                           ? "JSON number with a fraction or exponent: write it as a string"
                           : "JSON null is not used here: leave the member out");
    return refuse(at, err);
}

/* FM_E_INPUT; FM_E_LIMIT: nested too deep. */
static fm_status check(const json_t *v, enum base_json_kind kind, const struct step *at,
                       struct base_err *err)
{
    struct step below = {at, NULL, 0, at != NULL ? at->depth + 1 : 1};
    json_t *item;

    if (v == NULL)
        return base_err_set(err, FM_E_INPUT, "JSON value is missing");
    if (below.depth > BASE_JSON_MAX_DEPTH + 1)
        return base_err_set(err, FM_E_LIMIT, "JSON is nested deeper than %d levels",
                            BASE_JSON_MAX_DEPTH);
    switch (json_typeof(v)) {
    case JSON_STRING:
        if (strlen(json_string_value(v)) == json_string_length(v))
            return FM_OK;
        (void)base_err_set(err, FM_E_INPUT, "JSON string holds a NUL character");
        return refuse(at, err);
    case JSON_TRUE:
    case JSON_FALSE:
        return FM_OK;
    case JSON_INTEGER:
        if (json_integer_value(v) <= BASE_JSON_MAX_INT &&
            json_integer_value(v) >= -BASE_JSON_MAX_INT)
            return FM_OK;
        (void)base_err_set(err, FM_E_INPUT,
                           "JSON integer %lld is beyond 2^53 - 1: write it as a string",
                           (long long)json_integer_value(v));
        return refuse(at, err);
    case JSON_ARRAY:
        json_array_foreach(v, below.index, item)
        {
            fm_status st = check(item, kind, &below, err);
            if (st != FM_OK)
                return st;
        }
        return FM_OK;
    case JSON_OBJECT:
        json_object_foreach((json_t *)(uintptr_t)v, below.key, item)
        {
            fm_status st = check(item, kind, &below, err);
            if (st != FM_OK)
                return st;
        }
        return FM_OK;
    case JSON_REAL:
    case JSON_NULL:
    default:
        return kind == BASE_JSON_ANY ? FM_OK : check_other(v, at, err);
    }
}

fm_status base_json_check(const json_t *value, enum base_json_kind kind, struct base_err *err)
{
    return check(value, kind, NULL, err) == FM_OK ? FM_OK : (err->code = FM_E_INPUT);
}

/* Where a text that is JSON goes one level too deep. */
static fm_status refuse_depth(const char *text, size_t len, struct base_err *err)
{
    size_t line = 1, column = 0, depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < len && depth <= BASE_JSON_MAX_DEPTH; i++) {
        column++;
        if (quoted && text[i] == '\\') { /* and what it escapes */
            i++;
            column++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (text[i] == '\n') {
            line++;
            column = 0;
        } else if (!quoted && (text[i] == '[' || text[i] == '{')) {
            depth++;
        } else if (!quoted && (text[i] == ']' || text[i] == '}')) {
            depth--;
        }
    }
    return base_err_set(err, FM_E_INPUT,
                        "line %zu, column %zu: JSON is nested deeper than %d levels", line, column,
                        BASE_JSON_MAX_DEPTH);
}

/* What jansson says is wrong, but for two that it does not know, or stops at later. */
static fm_status refuse_text(const json_error_t *at, const char *text, size_t len,
                             struct base_err *err)
{
    if (json_error_code(at) == json_error_stack_overflow)
        return refuse_depth(text, len, err);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return base_err_set(err, FM_E_INPUT,
                            "line 1, column 1: JSON begins with a byte order mark: save the file "
                            "as UTF-8 without it");
    return base_err_set(err, FM_E_INPUT, "line %d, column %d: JSON: %s", at->line, at->column,
                        at->text);
}

fm_status base_json_load(json_t **out, const char *text, size_t len, enum base_json_kind kind,
                         struct base_err *err)
{
    size_t flags = JSON_REJECT_DUPLICATES | (kind == BASE_JSON_ANY ? JSON_DECODE_INT_AS_REAL : 0);
    json_error_t at;
    json_t *v;
    fm_status st;

    *out = NULL;
    if (len == 0) /* and text may be NULL, which is no mistake of the caller's */
        return base_err_set(err, FM_E_INPUT, "JSON: there is nothing, not one byte");
    v = json_loadb(text, len, flags, &at);
    /* Out of memory is said so, or comes without any reason. */
    if (v == NULL && (json_error_code(&at) == json_error_out_of_memory || at.text[0] == '\0'))
        return base_err_memory(err, "JSON");
    if (v == NULL)
        return refuse_text(&at, text, len, err);
    st = check(v, kind, NULL, err);
    if (st != FM_OK) {
        json_decref(v);
        return st == FM_E_LIMIT ? refuse_depth(text, len, err) : st;
    }
    *out = v;
    return FM_OK;
}

fm_status base_json_parse(json_t **out, const char *text, size_t len, struct base_err *err)
{
    return base_json_load(out, text, len, BASE_JSON_SUBSET, err);
}

/* ---- canonical form ---- */

/* The next code point of valid UTF-8 (jansson accepts nothing else). */
static uint32_t next_code_point(const uint8_t **p)
{
    const uint8_t *s = *p;
    unsigned more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    uint32_t c = more == 0 ? s[0] : s[0] & (0x3fu >> more);

    for (unsigned i = 1; i <= more; i++)
        c = c << 6 | (s[i] & 0x3f);
    *p = s + 1 + more;
    return c;
}

/* RFC 8785 section 3.2.3: keys in the order of their UTF-16 code units. That differs from code
 * point order only where a surrogate pair (D800..DFFF) meets E000..FFFF, so those are swapped
 * before comparing. */
static uint32_t utf16_rank(uint32_t c)
{
    if (c >= 0x10000)
        return c - 0x10000 + 0xd800;
    return c >= 0xe000 ? c + 0x110000 : c;
}

struct member {
    const char *key;
    const json_t *value;
};

static int compare_keys(const void *a, const void *b)
{
    const uint8_t *x = (const uint8_t *)((const struct member *)a)->key;
    const uint8_t *y = (const uint8_t *)((const struct member *)b)->key;

    for (;;) {
        uint32_t cx, cy;
        if ((*x | *y) < 0x80) { /* most keys are ASCII */
            if (*x != *y || *x == 0)
                return *x - *y;
            x++;
            y++;
            continue;
        }
        cx = utf16_rank(next_code_point(&x));
        cy = utf16_rank(next_code_point(&y));
        if (cx != cy)
            return cx < cy ? -1 : 1;
    }
}

static void put_string(struct base_buf *out, const char *s)
{
    static const char short_escape[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    base_buf_put_u8(out, '"');
    for (;;) {
        /* Runs of characters that stand for themselves go in one piece: most texts are one run. */
        size_t n = 0;
        unsigned char c;
        while ((c = (unsigned char)s[n]) >= 0x20 && c != '"' && c != '\\')
            n++;
        base_buf_put(out, s, n);
        s += n;
        if (c == '\0')
            break;
        s++;
        if (c >= 0x20)
            base_buf_putf(out, "\\%c", c);
        else if (short_escape[c] != 0)
            base_buf_putf(out, "\\%c", short_escape[c]);
        else
            base_buf_putf(out, "\\u%04x", c);
    }
    base_buf_put_u8(out, '"');
}

static void put_real(struct base_buf *out, double number)
{
    char text[BASE_JSON_NUMBER_TEXT];

    base_json_number(text, number);
    base_buf_put_str(out, text);
}

static void put_object(struct base_buf *out, const json_t *v)
{
    struct member few[16], *members = few;
    size_t n = json_object_size(v), i = 0;
    const char *key;
    json_t *item;

    if (n > sizeof few / sizeof few[0])
        members = calloc(n, sizeof *members);
    if (members == NULL) {
        out->failed = true;
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, item) members[i++] =
        (struct member){key, item};
    qsort(members, n, sizeof *members, compare_keys);
    base_buf_put_u8(out, '{');
    for (i = 0; i < n; i++) {
        if (i > 0)
            base_buf_put_u8(out, ',');
        put_string(out, members[i].key);
        base_buf_put_u8(out, ':');
        base_json_put(out, members[i].value);
    }
    base_buf_put_u8(out, '}');
    if (members != few)
        free(members);
}

void base_json_put(struct base_buf *out, const json_t *v)
{
    json_t *item;
    size_t i;

    switch (json_typeof(v)) {
    case JSON_STRING:
        put_string(out, json_string_value(v));
        break;
    case JSON_TRUE:
        base_buf_put_str(out, "true");
        break;
    case JSON_FALSE:
        base_buf_put_str(out, "false");
        break;
    case JSON_INTEGER:
        base_buf_putf(out, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_ARRAY:
        base_buf_put_u8(out, '[');
        json_array_foreach(v, i, item)
        {
            if (i > 0)
                base_buf_put_u8(out, ',');
            base_json_put(out, item);
        }
        base_buf_put_u8(out, ']');
        break;
    case JSON_OBJECT:
        put_object(out, v);
        break;
    case JSON_REAL:
        put_real(out, json_real_value(v));
        break;
    case JSON_NULL:
    default:
        base_buf_put_str(out, "null");
    }
}

fm_status base_json_canonical(struct base_buf *out, const json_t *value, struct base_err *err)
{
    fm_status st = base_json_check(value, BASE_JSON_SUBSET, err);

    if (st != FM_OK)
        return st;
    base_json_put(out, value);
    return base_buf_status(out, "canonical JSON", err);
}

/* Any bytes: parsed, written again, compared. */
static fm_status parse_and_compare(json_t **out, const void *bytes, size_t len,
                                   struct base_err *err)
{
    struct base_buf again = {0};
    fm_status st = base_json_parse(out, bytes, len, err);

    if (st != FM_OK)
        return st;
    st = base_json_canonical(&again, *out, err);
    if (st == FM_OK && (again.len != len || memcmp(again.p, bytes, len) != 0))
        st = base_err_set(err, FM_E_INPUT, "JSON is not in canonical form (RFC 8785)");
    base_buf_release_secret(&again);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

fm_status base_json_parse_canonical_span(json_t **out, struct base_json_span *span,
                                         const char *member, const void *bytes, size_t len,
                                         struct base_err *err)
{
    *out = base_json_read(bytes, len, member, span);
    return *out != NULL ? FM_OK : parse_and_compare(out, bytes, len, err);
}

fm_status base_json_parse_canonical(json_t **out, const void *bytes, size_t len,
                                    struct base_err *err)
{
    struct base_json_span span;

    return base_json_parse_canonical_span(out, &span, NULL, bytes, len, err);
}

static fm_status hash_by(void (*hash)(uint8_t *, const void *, size_t), uint8_t out32[32],
                         const json_t *value, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = base_json_canonical(&bytes, value, err);

    if (st == FM_OK)
        hash(out32, bytes.p, bytes.len);
    base_buf_release_secret(&bytes);
    return st;
}

fm_status base_json_hash(uint8_t out32[32], const json_t *value, struct base_err *err)
{
    return hash_by(base_hash, out32, value, err);
}

fm_status base_json_sha256(uint8_t out32[32], const json_t *value, struct base_err *err)
{
    return hash_by(base_sha256, out32, value, err);
}

/* ---- files ---- */

static fm_status load_file(json_t **out, const char *path, size_t max_len,
                           fm_status (*parse)(json_t **, const char *, size_t, struct base_err *),
                           struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = base_file_read_filled(&text, path, max_len, err);

    *out = NULL;
    if (st == FM_OK) {
        st = parse(out, base_buf_cstr(&text), text.len, err);
        if (st != FM_OK)
            st = base_err_prefix(err, "%s", path);
    }
    base_buf_release_secret(&text);
    return st;
}

fm_status base_json_load_file(json_t **out, const char *path, size_t max_len, struct base_err *err)
{
    return load_file(out, path, max_len, base_json_parse, err);
}

fm_status base_json_any_load_file(json_t **out, const char *path, size_t max_len,
                                  struct base_err *err)
{
    return load_file(out, path, max_len, base_json_any_parse, err);
}
