/* What an owner does with its texts. All lengths are bytes of valid UTF-8 without NUL; positions
 * and counts are characters. Results go into `out`, which has room for as much as the plan declared
 * for the result. */
#ifndef FIRMIANA_EXCHANGE_RUN_LOCAL_TEXT_H
#define FIRMIANA_EXCHANGE_RUN_LOCAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const char *p;
    size_t len;
};

size_t text_length(struct text x);
/* Of the literal pattern: % any text, _ any character, \ makes the next one plain. Time at most
 * the product of the lengths. */
bool text_like(struct text x, struct text pattern);
/* The characters [from, from + count), the first being 1; a part of x. */
struct text text_part(struct text x, int64_t from, int64_t count);
/* Without the characters of `set` at its start, its end, or both; a part of x. */
struct text text_trim(struct text x, struct text set, bool start, bool end);
/* Where y begins first, or 0. */
int64_t text_position(struct text x, struct text y);
/* -1, 0, 1: byte by byte, as the words of exchange/run/relation.h compare. */
int text_compare(struct text x, struct text y);
/* How many bytes it put into out. */
size_t text_upper(char *out, struct text x);
size_t text_lower(char *out, struct text x);
/* Every `what` by `by`, from left to right; room for `size` bytes, beyond which nothing is put. */
size_t text_replace(char *out, size_t size, struct text x, struct text what, struct text by);

#endif
