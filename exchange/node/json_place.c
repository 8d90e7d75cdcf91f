#include "exchange/node/json_place.h"

#include <string.h>

struct cursor {
    const char *text;
    size_t len, at;
};

static struct json_place place_of(const char *text, size_t at)
{
    struct json_place p = {1, 1};

    for (size_t i = 0; i < at; i++) {
        p.column++;
        if (text[i] == '\n') {
            p.line++;
            p.column = 1;
        }
    }
    return p;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->len && is_space(c->text[c->at]))
        c->at++;
}

/* From an opening quote to behind the closing one. */
static void skip_string(struct cursor *c)
{
    for (c->at++; c->at < c->len && c->text[c->at] != '"'; c->at++)
        if (c->text[c->at] == '\\')
            c->at++;
    c->at++;
}

bool json_place_find(struct json_place *key, struct json_place *value, const char *text, size_t len,
                     const char *name)
{
    struct cursor c = {text, len, 0};
    size_t want = strlen(name);
    unsigned depth = 0;

    while (c.at < len) {
        size_t begin = c.at;
        char here = text[c.at];
        if (here != '"') {
            depth += here == '{' || here == '[';
            depth -= (here == '}' || here == ']') && depth > 0;
            c.at++;
            continue;
        }
        skip_string(&c);
        if (depth != 1 || c.at > len || c.at - begin != want + 2 ||
            memcmp(text + begin + 1, name, want) != 0)
            continue;
        skip_space(&c);
        if (c.at >= len || text[c.at] != ':')
            continue; /* a value, not a key */
        c.at++;
        skip_space(&c);
        *key = place_of(text, begin);
        *value = place_of(text, c.at);
        return true;
    }
    return false;
}
