/* Mutations of bytes. Each takes what is there and leaves at most cap bytes. */
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

uint64_t fuzz_roll(struct fuzz_dice *dice)
{
    uint64_t x = dice->state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    dice->state = x;
    return x * 0x2545f4914f6cdd1dU;
}

size_t fuzz_below(struct fuzz_dice *dice, size_t n)
{
    return n == 0 ? 0 : (size_t)(fuzz_roll(dice) >> 11) % n;
}

struct draft {
    struct fuzz_dice *dice;
    uint8_t *p;
    size_t len, cap;
    const struct fuzz_target *target;
    const struct fuzz_corpus *corpus;
};

static size_t below(struct draft *d, size_t n)
{
    return fuzz_below(d->dice, n);
}

/* Small most of the time. */
static size_t size_of(struct draft *d, size_t most)
{
    size_t limit = below(d, 4) > 0 && most > 8 ? 8 : most;

    return limit == 0 ? 0 : 1 + below(d, limit);
}

/* Puts n bytes at `at` in place of `gone` bytes; nothing if they do not fit. */
static void put(struct draft *d, size_t at, size_t gone, const void *bytes, size_t n)
{
    uint8_t copy[4096];

    if (n > sizeof copy || d->len - gone + n > d->cap)
        return;
    memcpy(copy, bytes, n); /* it may lie in what moves */
    memmove(d->p + at + n, d->p + at + gone, d->len - at - gone);
    memcpy(d->p + at, copy, n);
    d->len = d->len - gone + n;
}

static void flip_bit(struct draft *d)
{
    if (d->len > 0)
        d->p[below(d, d->len)] ^= (uint8_t)(1u << below(d, 8));
}

static void set_byte(struct draft *d)
{
    static const uint8_t odd[] = {0,   1,   0x7f, 0x80, 0xff, '"', '\\', '\n', '\r',
                                  ',', ';', '{',  '}',  '[',  ']', ' ',  '0',  '-'};

    if (d->len > 0)
        d->p[below(d, d->len)] =
            below(d, 2) ? odd[below(d, sizeof odd)] : (uint8_t)fuzz_roll(d->dice);
}

static void remove_range(struct draft *d)
{
    size_t n = size_of(d, d->len);

    if (n > 0)
        put(d, below(d, d->len - n + 1), n, "", 0);
}

static void double_range(struct draft *d)
{
    size_t n = size_of(d, d->len), from;

    if (n == 0)
        return;
    from = below(d, d->len - n + 1);
    put(d, below(d, d->len + 1), 0, d->p + from, n);
}

static void insert_noise(struct draft *d)
{
    uint8_t noise[16];
    size_t n = 1 + below(d, sizeof noise);

    for (size_t i = 0; i < n; i++)
        noise[i] = (uint8_t)fuzz_roll(d->dice);
    put(d, below(d, d->len + 1), 0, noise, n);
}

static void cut(struct draft *d)
{
    d->len = below(d, d->len + 1);
}

static void splice(struct draft *d)
{
    const struct fuzz_specimen *other;
    size_t n, from, at;

    if (d->corpus->count == 0)
        return;
    other = &d->corpus->items[below(d, d->corpus->count)];
    n = size_of(d, other->len);
    if (n == 0)
        return;
    from = below(d, other->len - n + 1);
    at = below(d, d->len + 1);
    put(d, at, below(d, 2) ? 0 : (n < d->len - at ? n : d->len - at), other->p + from, n);
}

static void insert_word(struct draft *d)
{
    const char *word;
    size_t words = 0, at = below(d, d->len + 1), n;

    while (d->target->words != NULL && d->target->words[words] != NULL)
        words++;
    if (words == 0)
        return;
    word = d->target->words[below(d, words)];
    n = strlen(word);
    put(d, at, below(d, 2) || d->len - at < n ? 0 : n, word, n);
}

/* A run of digits becomes another number. */
static void change_number(struct draft *d)
{
    static const char *const numbers[] = {"0",
                                          "1",
                                          "-1",
                                          "9007199254740991",
                                          "9007199254740992",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "18446744073709551615",
                                          "4294967296",
                                          "00",
                                          "1e9",
                                          "0.5",
                                          "99999999999999999999999999"};
    const char *number = numbers[below(d, sizeof numbers / sizeof numbers[0])];
    size_t at = below(d, d->len), n = 0;

    while (at < d->len && (d->p[at] < '0' || d->p[at] > '9'))
        at++;
    while (at + n < d->len && d->p[at + n] >= '0' && d->p[at + n] <= '9')
        n++;
    if (n > 0)
        put(d, at, n, number, strlen(number));
}

/* A big-endian length or counter of 1 to 8 bytes becomes another. */
static void change_length(struct draft *d)
{
    static const uint64_t values[] = {0,       1,       0x7f,       0x80,       0xff,
                                      0x7fff,  0x8000,  0xffff,     0x10000,    0xfffff,
                                      1 << 20, 1 << 24, 0x7fffffff, 0xffffffff, UINT64_MAX};
    uint64_t v = values[below(d, sizeof values / sizeof values[0])] + below(d, 3) - 1;
    size_t n = (size_t)1 << below(d, 4), at;

    if (d->len < n)
        return;
    at = below(d, d->len - n + 1);
    for (size_t i = 0; i < n; i++)
        d->p[at + i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

size_t fuzz_mutate(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                   const struct fuzz_target *target, const struct fuzz_corpus *corpus)
{
    static void (*const ways[])(struct draft *) = {
        flip_bit, set_byte,    remove_range, double_range,  insert_noise,
        splice,   insert_word, insert_word,  change_number, change_length};
    struct draft d = {dice, data, len, cap, target, corpus};
    size_t times = 1 + fuzz_below(dice, fuzz_below(dice, 3) == 0 ? 8 : 2);

    for (size_t i = 0; i < times; i++)
        ways[fuzz_below(dice, sizeof ways / sizeof ways[0])](&d);
    if (fuzz_below(dice, 32) == 0)
        cut(&d);
    return d.len;
}
