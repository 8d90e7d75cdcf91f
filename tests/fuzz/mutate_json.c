/* Mutations of a JSON tree: what a random byte nearly always breaks, and no decoder behind the
 * parser would ever see. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { NODES_MAX = 4096 };

/* Every place of the tree that can be changed: its parent, and the key or index there. */
struct place {
    json_t *parent;
    const char *key;
    size_t index;
};

struct places {
    struct place at[NODES_MAX];
    size_t count;
};

static void find_places(struct places *out, json_t *root)
{
    json_t *stack[NODES_MAX];
    size_t depth = 0;

    out->count = 0;
    stack[depth++] = root;
    while (depth > 0) {
        json_t *node = stack[--depth], *child;
        const char *key;
        size_t i;
        if (json_is_object(node))
            json_object_foreach(node, key, child)
            {
                if (out->count < NODES_MAX)
                    out->at[out->count++] = (struct place){node, key, 0};
                if (depth < NODES_MAX && (json_is_object(child) || json_is_array(child)))
                    stack[depth++] = child;
            }
        json_array_foreach(node, i, child)
        {
            if (out->count < NODES_MAX)
                out->at[out->count++] = (struct place){node, NULL, i};
            if (depth < NODES_MAX && (json_is_object(child) || json_is_array(child)))
                stack[depth++] = child;
        }
    }
}

static json_t *value_at(const struct place *p)
{
    return p->key != NULL ? json_object_get(p->parent, p->key)
                          : json_array_get(p->parent, p->index);
}

static void set_at(const struct place *p, json_t *value)
{
    if (p->key != NULL)
        (void)json_object_set_new(p->parent, p->key, value);
    else
        (void)json_array_set_new(p->parent, p->index, value);
}

static json_t *odd_value(struct fuzz_dice *dice, const struct fuzz_target *target)
{
    static const json_int_t numbers[] = {
        0, 1, -1, 2, 255, 65536, 4294967296, 9007199254740991, -9007199254740991, 9007199254740992};
    size_t words = 0;

    while (target->words != NULL && target->words[words] != NULL)
        words++;
    switch (fuzz_below(dice, 8)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(fuzz_below(dice, 2));
    case 2:
        return json_array();
    case 3:
        return json_object();
    case 4:
        return json_string("");
    case 5:
        return json_real(1.5);
    case 6:
        return words > 0 ? json_string(target->words[fuzz_below(dice, words)]) : json_string("x");
    default:
        return json_integer(numbers[fuzz_below(dice, sizeof numbers / sizeof numbers[0])]);
    }
}

static json_t *changed_string(struct fuzz_dice *dice, const char *text)
{
    size_t len = strlen(text), at = fuzz_below(dice, len);
    char *copy = malloc(len + 2);
    json_t *out;

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len + 1);
    switch (len == 0 ? 2 : fuzz_below(dice, 4)) {
    case 0:
        memmove(copy + at, copy + at + 1, len - at);
        break;
    case 1: /* another digit or letter: the hex and base64 of the same length */
        copy[at] = "0123456789abcdefABz_-+/="[fuzz_below(dice, 24)];
        break;
    case 2:
        memmove(copy + at + 1, copy + at, len - at + 1);
        copy[at] = (char)(32 + fuzz_below(dice, 95));
        break;
    default:
        copy[at] = (char)(32 + fuzz_below(dice, 95));
        break;
    }
    out = json_string(copy);
    free(copy);
    return out;
}

static void change(struct fuzz_dice *dice, struct places *places, json_t *root,
                   const struct fuzz_target *target)
{
    const struct place *p = &places->at[fuzz_below(dice, places->count)];
    const struct place *q = &places->at[fuzz_below(dice, places->count)];
    json_t *value = value_at(p);

    (void)root;
    switch (fuzz_below(dice, 8)) {
    case 0:
        set_at(p, odd_value(dice, target));
        return;
    case 1: /* gone */
        if (p->key != NULL)
            (void)json_object_del(p->parent, p->key);
        else
            (void)json_array_remove(p->parent, p->index);
        return;
    case 2: /* what stands elsewhere */
        set_at(p, json_deep_copy(value_at(q)));
        return;
    case 3: /* twice, or under another name */
        if (p->key == NULL)
            (void)json_array_insert_new(p->parent, p->index, json_deep_copy(value));
        else
            (void)json_object_set_new(p->parent, q->key != NULL ? q->key : "x",
                                      json_deep_copy(value));
        return;
    default:
        break;
    }
    if (json_is_string(value))
        set_at(p, changed_string(dice, json_string_value(value)));
    else if (json_is_integer(value)) /* one more or less, round the corner at the ends */
        set_at(p, json_integer((json_int_t)((uint64_t)json_integer_value(value) +
                                            (uint64_t)fuzz_below(dice, 3) - 1)));
    else if (json_is_boolean(value))
        set_at(p, json_boolean(!json_is_true(value)));
    else
        set_at(p, odd_value(dice, target));
}

/* One change at a time, because a change moves places. */
static size_t mutate_text(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                          const struct fuzz_target *target)
{
    static struct places places;
    json_t *root = json_loadb((const char *)data, len, JSON_DECODE_ANY, NULL);
    size_t times = 1 + fuzz_below(dice, 3), n;

    if (root == NULL)
        return 0;
    for (size_t i = 0; i < times; i++) {
        find_places(&places, root);
        if (places.count == 0)
            break;
        change(dice, &places, root, target);
    }
    n = json_dumpb(root, (char *)data, cap, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_decref(root);
    return n <= cap ? n : 0;
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
