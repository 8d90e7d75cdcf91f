#include "base/json_read.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const char *start, *p, *end;
    const char *member;
    struct base_json_span *span;
};

/* A text as it stands in the bytes; `escaped` if some of it is, `odd` if some of it is escaped or
 * beyond ASCII. */
struct raw {
    const char *p;
    size_t len;
    bool escaped, odd;
};

static bool take(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool take_word(struct reader *r, const char *word, size_t len)
{
    if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
        return false;
    r->p += len;
    return true;
}

/* What a canonical escape of one letter stands for; 0 for every other. */
static char unescaped(char c)
{
    static const char letters[] = "\"\\bfnrt", meaning[] = "\"\\\b\f\n\r\t";
    const char *at = c != '\0' ? strchr(letters, c) : NULL;

    return (char)(at != NULL ? meaning[at - letters] : 0);
}

/* The length of the character beyond ASCII that begins at p; 0 if it is none: overlong, a
 * surrogate, beyond U+10FFFF, cut off (RFC 3629, section 4). */
static size_t wide_len(const char *p, const char *end)
{
    const uint8_t *s = (const uint8_t *)p;
    size_t len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
    uint8_t least = *s == 0xe0 ? 0xa0 : *s == 0xf0 ? 0x90 : 0x80;
    uint8_t most = *s == 0xed ? 0x9f : *s == 0xf4 ? 0x8f : 0xbf;

    if (*s < 0xc2 || *s > 0xf4 || (size_t)(end - p) < len || s[1] < least || s[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return len;
}

static bool read_raw(struct reader *r, struct raw *out)
{
    if (!take(r, '"'))
        return false;
    *out = (struct raw){.p = r->p};
    while (r->p < r->end && *r->p != '"') {
        unsigned char c = (unsigned char)*r->p;
        size_t len = c >= 0x80 ? wide_len(r->p, r->end) : 1;

        if (c == '\\') {
            out->odd = out->escaped = true;
            if (++r->p == r->end || unescaped(*r->p) == 0)
                return false;
        }
        if (c < 0x20 || len == 0)
            return false;
        out->odd = out->odd || len > 1;
        r->p += len;
    }
    out->len = (size_t)(r->p - out->p);
    return take(r, '"');
}

static json_t *read_string(struct reader *r)
{
    struct raw raw;
    size_t n = 0;
    char *text;
    json_t *v;

    if (!read_raw(r, &raw))
        return NULL;
    if (!raw.escaped)
        return json_stringn_nocheck(raw.p, raw.len);
    text = malloc(raw.len);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < raw.len; i++)
        text[n++] = raw.p[i] == '\\' ? unescaped(raw.p[++i]) : raw.p[i];
    v = json_stringn_nocheck(text, n);
    base_wipe(text, raw.len);
    free(text);
    return v;
}

/* No sign before 0, no leading 0, nothing beyond 2^53 - 1. */
static json_t *read_integer(struct reader *r)
{
    bool negative = take(r, '-');
    const char *first = r->p;
    int64_t n = 0;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - first < 16)
        n = 10 * n + (*r->p++ - '0');
    if (r->p == first || n > BASE_JSON_MAX_INT || (*first == '0' && (negative || r->p - first > 1)))
        return NULL;
    /* What may not follow a number follows nothing else here either. */
    return json_integer(negative ? -n : n);
}

static json_t *read_value(struct reader *r, unsigned depth);

static json_t *read_array(struct reader *r, unsigned depth)
{
    json_t *array = json_array();
    bool more = true;

    if (array == NULL || take(r, ']'))
        return array;
    while (more) {
        if (json_array_append_new(array, read_value(r, depth + 1)) != 0)
            goto fail;
        more = take(r, ',');
    }
    if (take(r, ']'))
        return array;
fail:
    json_decref(array);
    return NULL;
}

/* Byte order is the order of UTF-16 units as long as all is ASCII; equal keys are declined. */
static bool ascends(const struct raw *a, const struct raw *b)
{
    int order = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);

    return order < 0 || (order == 0 && a->len < b->len);
}

/* The comma that goes with a member is the one before it, or if it is the first, the one behind. */
static void note_span(struct reader *r, const char *from, bool is_first)
{
    bool comma_behind = is_first && r->p < r->end && *r->p == ',';

    r->span->from = (size_t)(from - r->start) - (is_first ? 0 : 1);
    r->span->to = (size_t)(r->p - r->start) + (comma_behind ? 1 : 0);
}

static json_t *read_object(struct reader *r, unsigned depth)
{
    json_t *object = json_object();
    struct raw key, last = {"", 0, false, false};
    bool is_first = true;

    if (object == NULL || take(r, '}'))
        return object;
    do {
        const char *from = r->p;

        if (!read_raw(r, &key) || key.odd || !take(r, ':') || (!is_first && !ascends(&last, &key)))
            goto fail;
        if (json_object_setn_new_nocheck(object, key.p, key.len, read_value(r, depth + 1)) != 0)
            goto fail;
        if (depth == 0 && r->member != NULL && strlen(r->member) == key.len &&
            memcmp(r->member, key.p, key.len) == 0)
            note_span(r, from, is_first);
        last = key;
        is_first = false;
    } while (take(r, ','));
    if (take(r, '}'))
        return object;
fail:
    json_decref(object);
    return NULL;
}

/* Recurses at most BASE_JSON_MAX_DEPTH deep. */
static json_t *read_value(struct reader *r, unsigned depth)
{
    if (depth > BASE_JSON_MAX_DEPTH || r->p == r->end)
        return NULL;
    switch (*r->p) {
    case '{':
        r->p++;
        return read_object(r, depth);
    case '[':
        r->p++;
        return read_array(r, depth);
    case '"':
        return read_string(r);
    case 't':
        return take_word(r, "true", 4) ? json_true() : NULL;
    case 'f':
        return take_word(r, "false", 5) ? json_false() : NULL;
    default:
        return read_integer(r);
    }
}

json_t *base_json_read(const void *bytes, size_t len, const char *member,
                       struct base_json_span *span)
{
    struct reader r = {bytes, bytes, (const char *)bytes + len, member, span};
    json_t *v;

    *span = (struct base_json_span){0, 0};
    if (len == 0 || (*r.p != '{' && *r.p != '['))
        return NULL;
    v = read_value(&r, 0);
    if (v != NULL && r.p != r.end) {
        json_decref(v);
        v = NULL;
    }
    if (v == NULL)
        *span = (struct base_json_span){0, 0};
    return v;
}
