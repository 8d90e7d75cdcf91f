/* Mutations of a JSON tree: what a random byte nearly always breaks, and no decoder behind the
 * parser would ever see. They work on the text, where a tree's values are ranges: to parse and
 * print a tree took longer than most decoders do. Keys stay in order, strings stay strings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { PLACES_MAX = 4096, DEPTH_MAX = 64, SCRATCH = 1 << 16 };

/* A value that can be changed, and where its key is if it has one: [key, key_end) with the quotes,
 * empty in an array. */
struct place {
    size_t key, key_end, begin, end;
    unsigned parent; /* a number of the container's own */
};

struct places {
    struct place at[PLACES_MAX];
    size_t count;
};

struct text {
    uint8_t *p;
    size_t len, cap;
};

/* ---- reading ---- */

/* The end of the string that begins at `at`; 0 if it has none. */
static size_t string_end(const struct text *t, size_t at)
{
    for (at++; at < t->len; at++) {
        if (t->p[at] == '"')
            return at + 1;
        if (t->p[at] == '\\')
            at++;
    }
    return 0;
}

static size_t scalar_end(const struct text *t, size_t at)
{
    while (at < t->len && strchr(",:]}", t->p[at]) == NULL)
        at++;
    return at;
}

/* Containers that are open: the place that each is (PLACES_MAX for the root), its number, and the
 * key that waits for its value. */
struct scan {
    struct open {
        size_t place, key, key_end;
        unsigned number;
        bool object;
    } open[DEPTH_MAX];
    size_t depth;
    unsigned numbers;
};

static size_t add_place(struct places *out, const struct scan *s, size_t begin, size_t end)
{
    const struct open *in = s->depth > 0 ? &s->open[s->depth - 1] : NULL;

    if (in == NULL || out->count == PLACES_MAX)
        return PLACES_MAX;
    out->at[out->count] = (struct place){in->key, in->key_end, begin, end, in->number};
    return out->count++;
}

/* A bracket; false if it fits nowhere. */
static bool take_bracket(struct places *out, struct scan *s, uint8_t c, size_t at)
{
    size_t place;

    if (c == '{' || c == '[') {
        if (s->depth == DEPTH_MAX)
            return false;
        place = add_place(out, s, at, at + 1);
        s->open[s->depth++] = (struct open){place, 0, 0, s->numbers++, c == '{'};
        return true;
    }
    if (s->depth == 0)
        return false;
    place = s->open[--s->depth].place;
    if (place < PLACES_MAX)
        out->at[place].end = at + 1;
    return true;
}

/* Every value below the root. false for what is no JSON text at all; what passes may still be none.
 */
static bool find_places(struct places *out, const struct text *t)
{
    struct scan s = {.depth = 0};
    size_t at = 0, end;

    for (out->count = 0; at < t->len; at = end) {
        uint8_t c = t->p[at];
        end = at + 1;
        if (c == ',' || c == ':')
            continue;
        if (c == '{' || c == '}' || c == '[' || c == ']') {
            if (!take_bracket(out, &s, c, at))
                return false;
            continue;
        }
        end = c == '"' ? string_end(t, at) : scalar_end(t, at);
        if (end <= at)
            return false;
        if (end < t->len && t->p[end] == ':' && s.depth > 0 && s.open[s.depth - 1].object) {
            s.open[s.depth - 1].key = at;
            s.open[s.depth - 1].key_end = end;
        } else {
            (void)add_place(out, &s, at, end);
        }
    }
    return s.depth == 0;
}

/* ---- writing ---- */

/* n bytes in place of [begin, end); nothing if they do not fit. They may lie in the text. */
static void replace(struct text *t, size_t begin, size_t end, const void *bytes, size_t n)
{
    static uint8_t scratch[SCRATCH];

    if (n > sizeof scratch || t->len - (end - begin) + n > t->cap)
        return;
    memcpy(scratch, bytes, n);
    memmove(t->p + begin + n, t->p + end, t->len - end);
    memcpy(t->p + begin, scratch, n);
    t->len = t->len - (end - begin) + n;
}

static void replace_text(struct text *t, const struct place *p, const char *value)
{
    replace(t, p->begin, p->end, value, strlen(value));
}

static void set_odd(struct fuzz_dice *dice, struct text *t, const struct place *p,
                    const struct fuzz_target *target)
{
    static const char *const odd[] = {"null",
                                      "true",
                                      "false",
                                      "[]",
                                      "{}",
                                      "\"\"",
                                      "1.5",
                                      "0",
                                      "1",
                                      "-1",
                                      "2",
                                      "255",
                                      "65536",
                                      "4294967296",
                                      "9007199254740991",
                                      "-9007199254740991",
                                      "9007199254740992",
                                      "9223372036854775807"};
    char quoted[96];
    const char *word;
    size_t words = 0;

    while (target->words != NULL && target->words[words] != NULL)
        words++;
    word = words > 0 && fuzz_below(dice, 6) == 0 ? target->words[fuzz_below(dice, words)] : NULL;
    if (word == NULL || strlen(word) > sizeof quoted - 3 || strpbrk(word, "\"\\\n") != NULL) {
        replace_text(t, p, odd[fuzz_below(dice, sizeof odd / sizeof odd[0])]);
        return;
    }
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", word);
    replace_text(t, p, quoted);
}

/* With its key and one comma. */
static void drop(struct text *t, const struct place *p)
{
    size_t begin = p->key_end > 0 ? p->key : p->begin, end = p->end;

    if (end < t->len && t->p[end] == ',')
        end++;
    else if (begin > 0 && t->p[begin - 1] == ',')
        begin--;
    replace(t, begin, end, "", 0);
}

/* The value of p once more, beside itself or under q's key. Where that key stands already, it
 * stands twice. */
static void double_value(struct text *t, const struct places *places, const struct place *p,
                         const struct place *q)
{
    static uint8_t member[SCRATCH];
    size_t key_len = q->key_end - q->key, n = p->end - p->begin, at = p->key, k = 0;

    if (key_len + n + 3 > sizeof member)
        return;
    if (p->key_end > 0) {
        memcpy(member, key_len > 0 ? (const char *)t->p + q->key : "\"x\"",
               key_len > 0 ? key_len : 3);
        k = key_len > 0 ? key_len : 3;
        member[k++] = ':';
    }
    memcpy(member + k, t->p + p->begin, n);
    member[k + n] = ',';
    if (p->key_end == 0) {
        replace(t, p->begin, p->begin, member, n + 1);
        return;
    }
    /* Before the first sibling whose key is greater; else before its own, out of order. */
    for (size_t i = places->count; i-- > 0;) {
        const struct place *s = &places->at[i];
        size_t len = s->key_end - s->key;
        if (s->parent == p->parent && memcmp(t->p + s->key, member, len < k - 1 ? len : k - 1) > 0)
            at = s->key;
    }
    replace(t, at, at, member, k + n + 1);
}

/* A character of a string, which may be an escape or several bytes, is removed, doubled as another
 * or becomes another. */
static void change_string(struct fuzz_dice *dice, struct text *t, const struct place *p)
{
    size_t len = p->end - p->begin - 2, at = p->begin + 1 + fuzz_below(dice, len + 1);
    size_t end = at + 1, last = p->end - 1;
    char other[3] = {(char)(32 + fuzz_below(dice, 95)), '\0', '\0'};
    unsigned way = len == 0 ? 2 : (unsigned)fuzz_below(dice, 4);

    if (other[0] == '"' || other[0] == '\\') {
        other[1] = other[0];
        other[0] = '\\';
    }
    if (memchr(t->p + p->begin, '\\', len + 1) != NULL) /* not into an escape: before the first */
        at = p->begin + 1 +
             fuzz_below(dice, (size_t)((uint8_t *)memchr(t->p + p->begin, '\\', len + 1) - t->p) -
                                  p->begin);
    if (at < last && t->p[at] == '\\')
        end = at + (t->p[at + 1] == 'u' ? 6 : 2);
    else
        end = at + 1;
    if (at >= last || end > last || way == 2) {
        replace(t, at, at, other, strlen(other));
        return;
    }
    if (way == 1) /* another digit or letter: the hex and base64 of the same length */
        replace(t, at, end, &"0123456789abcdefABz_-+/="[fuzz_below(dice, 24)], 1);
    else
        replace(t, at, end, other, way == 0 ? 0 : strlen(other));
}

static void change_scalar(struct fuzz_dice *dice, struct text *t, const struct place *p,
                          const struct fuzz_target *target)
{
    char number[32];

    if (t->p[p->begin] == '"') {
        change_string(dice, t, p);
    } else if (strchr("-0123456789", t->p[p->begin]) != NULL) {
        /* One more or less, round the corner at the ends. */
        size_t n = p->end - p->begin < sizeof number ? p->end - p->begin : sizeof number - 1;
        memcpy(number, t->p + p->begin, n);
        number[n] = '\0';
        (void)snprintf(number, sizeof number, "%lld",
                       (long long)((unsigned long long)strtoll(number, NULL, 10) +
                                   (unsigned long long)fuzz_below(dice, 3) - 1));
        replace_text(t, p, number);
    } else if (t->p[p->begin] == 't') {
        replace_text(t, p, "false");
    } else if (t->p[p->begin] == 'f') {
        replace_text(t, p, "true");
    } else {
        set_odd(dice, t, p, target);
    }
}

static void change(struct fuzz_dice *dice, struct text *t, const struct places *places,
                   const struct fuzz_target *target)
{
    const struct place *p = &places->at[fuzz_below(dice, places->count)];
    const struct place *q = &places->at[fuzz_below(dice, places->count)];

    switch (fuzz_below(dice, 8)) {
    case 0:
        set_odd(dice, t, p, target);
        break;
    case 1:
        drop(t, p);
        break;
    case 2: /* what stands elsewhere */
        replace(t, p->begin, p->end, t->p + q->begin, q->end - q->begin);
        break;
    case 3:
        double_value(t, places, p, q);
        break;
    default:
        change_scalar(dice, t, p, target);
        break;
    }
}

/* One change at a time, because a change moves places. 0 for what is no JSON. */
static size_t mutate_text(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                          const struct fuzz_target *target)
{
    static struct places places;
    struct text t = {data, len, cap};
    size_t times = 1 + fuzz_below(dice, 3);

    for (size_t i = 0; i < times; i++) {
        if (!find_places(&places, &t))
            return i > 0 ? t.len : 0;
        if (places.count == 0)
            return i > 0 ? t.len : 0;
        change(dice, &t, &places, target);
    }
    return t.len;
}

/* A line of many: it is changed, and what follows moved. */
static size_t mutate_line(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                          const struct fuzz_target *target)
{
    size_t at = fuzz_below(dice, len), end, n;
    uint8_t *copy = malloc(cap + 1);

    if (copy == NULL || len == 0) {
        free(copy);
        return 0;
    }
    while (at > 0 && data[at - 1] != '\n')
        at--;
    for (end = at; end < len && data[end] != '\n'; end++)
        ;
    while (at < end && data[at] != '{') /* words before the object, if there are some */
        at++;
    memcpy(copy, data + at, end - at);
    n = mutate_text(dice, copy, end - at, cap, target);
    if (n == 0 || len - (end - at) + n > cap) {
        free(copy);
        return 0;
    }
    memmove(data + at + n, data + end, len - end);
    memcpy(data + at, copy, n);
    free(copy);
    return len - (end - at) + n;
}

size_t fuzz_mutate_json(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                        const struct fuzz_target *target, const struct fuzz_corpus *corpus)
{
    size_t n = target->form == FUZZ_JSON ? mutate_text(dice, data, len, cap, target)
                                         : mutate_line(dice, data, len, cap, target);

    return n > 0 ? n : fuzz_mutate(dice, data, len, cap, target, corpus);
}
