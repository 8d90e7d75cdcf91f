#include "did/url.h"

#include <stdint.h>
#include <string.h>

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ID_CHARS ALPHA DIGITS ".-_"
/* RFC 3986's pchar, without escapes, and "/". */
#define PATH_CHARS ALPHA DIGITS "-._~!$&'()*+,;=:@/"
#define QUERY_CHARS PATH_CHARS "?"

/* ---- characters ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* How much of text is of these characters and whole escapes. */
static size_t span(const char *text, const char *chars)
{
    size_t n = 0;

    for (;;) {
        n += strspn(text + n, chars);
        if (text[n] != '%' || hex_digit(text[n + 1]) < 0 || hex_digit(text[n + 2]) < 0)
            return n;
        n += 3;
    }
}

bool did_url_unescape(char *out, size_t cap, const char *text, size_t len)
{
    size_t put = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            if (len - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
                return false;
            c = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        }
        if (((uint8_t)c < 0x20 || c == 0x7f) || put + 1 >= cap)
            return false;
        out[put++] = c;
    }
    if (put >= cap)
        return false;
    out[put] = '\0';
    return true;
}

/* ---- parts ---- */

/* A part's own copy behind the ones that are there. */
static const char *keep(struct did_url *url, size_t *used, const char *part, size_t len)
{
    char *at = url->text + *used;

    memcpy(at, part, len);
    at[len] = '\0';
    *used += len + 1;
    return at;
}

static fm_status bad_character(const char *text, const char *at, const char *part,
                               struct base_err *err)
{
    return base_err_set(err, FM_E_ARG,
                        "'%.80s' is not a DID URL: character %zu may not stand in its "
                        "%s",
                        text, (size_t)(at - text) + 1, part);
}

/* did:METHOD:ID at the beginning; *rest is what comes behind it. */
static fm_status take_did(struct did_url *url, size_t *used, const char **rest, const char *text,
                          struct base_err *err)
{
    size_t method =
        strncmp(text, "did:", 4) == 0 ? strspn(text + 4, "abcdefghijklmnopqrstuvwxyz" DIGITS) : 0;
    const char *id = text + 4 + method + 1;
    size_t len;

    if (method == 0 || text[4 + method] != ':')
        return base_err_set(err, FM_E_ARG,
                            "'%.80s' is not a DID: it begins with did:METHOD:", text);
    len = span(id, ID_CHARS ":");
    *rest = id + len;
    if (**rest != '\0' && strchr("/?#", **rest) == NULL)
        return bad_character(text, *rest, "DID", err);
    if (len == 0 || id[len - 1] == ':')
        return base_err_set(err, FM_E_ARG, "'%.80s' is not a DID: it ends with ':'", text);
    url->did = keep(url, used, text, (size_t)(*rest - text));
    url->method = keep(url, used, text + 4, method);
    url->id = url->did + (id - text);
    return FM_OK;
}

/* A part that begins with the character `mark`. */
static fm_status take_part(struct did_url *url, const char **out, size_t *used, const char **rest,
                           const char *text, char mark, const char *chars, const char *name,
                           struct base_err *err)
{
    size_t len;

    if (**rest != mark)
        return FM_OK;
    len = span(*rest + 1, chars);
    *out = keep(url, used, *rest + 1, len);
    *rest += 1 + len;
    return **rest == '\0' || strchr("?#", **rest) != NULL ? FM_OK
                                                          : bad_character(text, *rest, name, err);
}

fm_status did_url_parse(struct did_url *out, const char *text, struct base_err *err)
{
    const char *rest = text;
    size_t used = 0;
    fm_status st;

    *out = (struct did_url){0};
    if (strlen(text) >= DID_URL_TEXT)
        return base_err_set(err, FM_E_ARG, "a DID URL has at most %d characters", DID_URL_TEXT - 1);
    if ((st = take_did(out, &used, &rest, text, err)) != FM_OK ||
        (st = take_part(out, &out->path, &used, &rest, text, '/', PATH_CHARS, "path", err)) !=
            FM_OK ||
        (st = take_part(out, &out->query, &used, &rest, text, '?', QUERY_CHARS, "query", err)) !=
            FM_OK ||
        (st = take_part(out, &out->fragment, &used, &rest, text, '#', QUERY_CHARS, "fragment",
                        err)) != FM_OK)
        return st;
    return *rest == '\0' ? FM_OK : bad_character(text, rest, "end", err);
}

/* ---- parameters ---- */

/* The next parameter: its name and value, and where the one after it begins (NULL: none). */
static const char *next_parameter(const char *at, size_t *name_len, const char **value,
                                  size_t *value_len)
{
    size_t len = strcspn(at, "&");
    const char *equals = memchr(at, '=', len);

    *name_len = equals == NULL ? len : (size_t)(equals - at);
    *value = equals == NULL ? at + len : equals + 1;
    *value_len = (size_t)(at + len - *value);
    return at[len] == '&' ? at + len + 1 : NULL;
}

fm_status did_url_parameter(char *out, size_t cap, const struct did_url *url, const char *name,
                            struct base_err *err)
{
    size_t name_len, value_len, found = 0;
    const char *value;

    out[0] = '\0';
    for (const char *at = url->query, *next; at != NULL; at = next) {
        next = next_parameter(at, &name_len, &value, &value_len);
        if (name_len != strlen(name) || memcmp(at, name, name_len) != 0)
            continue;
        if (found++ > 0)
            return base_err_set(err, FM_E_ARG, "'%s' stands twice in the DID URL's query", name);
        if (!did_url_unescape(out, cap, value, value_len))
            return base_err_set(err, FM_E_ARG, "'%s' in the DID URL's query is not well formed",
                                name);
    }
    return FM_OK;
}

void did_url_other_parameter(char out[64], const struct did_url *url, const char *const *names)
{
    size_t name_len, value_len;
    const char *value;

    out[0] = '\0';
    for (const char *at = url->query, *next; at != NULL && out[0] == '\0'; at = next) {
        bool known = false;
        next = next_parameter(at, &name_len, &value, &value_len);
        for (size_t i = 0; names[i] != NULL; i++)
            known |= strlen(names[i]) == name_len && memcmp(at, names[i], name_len) == 0;
        if (!known && name_len > 0) {
            size_t len = name_len < 63 ? name_len : 63;
            memcpy(out, at, len);
            out[len] = '\0';
        }
    }
}
