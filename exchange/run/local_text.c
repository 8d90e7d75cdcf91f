#include "exchange/run/local_text.h"

#include <string.h>

/* Bytes of the character at p[0]: 1 to 4, at most what is left. */
static size_t step(struct text x, size_t at)
{
    size_t n = 1;

    while (at + n < x.len && ((unsigned char)x.p[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

size_t text_length(struct text x)
{
    size_t n = 0;

    for (size_t i = 0; i < x.len; i++)
        n += ((unsigned char)x.p[i] & 0xc0) != 0x80;
    return n;
}

/* Greedy with one place to come back to: what stands before the last % never has to move again. */
bool text_like(struct text x, struct text pattern)
{
    size_t i = 0, k = 0, back_i = 0, back_k = 0;
    bool back = false;

    while (i < x.len || k < pattern.len) {
        size_t escape = k < pattern.len && pattern.p[k] == '\\' && k + 1 < pattern.len;
        if (!escape && k < pattern.len && pattern.p[k] == '%') {
            back = true;
            back_i = i;
            back_k = ++k;
            continue;
        }
        if (!escape && i < x.len && k < pattern.len && pattern.p[k] == '_') {
            i += step(x, i);
            k++;
            continue;
        }
        if (i < x.len && k + escape < pattern.len && x.p[i] == pattern.p[k + escape]) {
            i++;
            k += escape + 1;
            continue;
        }
        if (!back || back_i >= x.len)
            return false;
        back_i += step(x, back_i);
        i = back_i;
        k = back_k;
    }
    return true;
}

struct text text_part(struct text x, int64_t from, int64_t count)
{
    size_t start = 0, end;

    for (int64_t i = 1; i < from && start < x.len; i++)
        start += step(x, start);
    end = start;
    for (int64_t i = 0; i < count && end < x.len; i++)
        end += step(x, end);
    return (struct text){x.p + start, end - start};
}

static bool is_one_of(struct text set, const char *p, size_t n)
{
    for (size_t i = 0; i < set.len; i += step(set, i))
        if (step(set, i) == n && memcmp(set.p + i, p, n) == 0)
            return true;
    return false;
}

struct text text_trim(struct text x, struct text set, bool start, bool end)
{
    while (start && x.len > 0 && is_one_of(set, x.p, step(x, 0))) {
        size_t n = step(x, 0);
        x.p += n;
        x.len -= n;
    }
    while (end && x.len > 0) {
        size_t n = 1;
        while (n < x.len && ((unsigned char)x.p[x.len - n] & 0xc0) == 0x80)
            n++;
        if (!is_one_of(set, x.p + x.len - n, n))
            break;
        x.len -= n;
    }
    return x;
}

int64_t text_position(struct text x, struct text y)
{
    for (size_t i = 0; i + y.len <= x.len; i++)
        if (y.len == 0 || memcmp(x.p + i, y.p, y.len) == 0)
            return (int64_t)text_length((struct text){x.p, i}) + 1;
    return 0;
}

int text_compare(struct text x, struct text y)
{
    size_t n = x.len < y.len ? x.len : y.len;
    int order = n > 0 ? memcmp(x.p, y.p, n) : 0;

    if (order == 0)
        return (x.len > y.len) - (x.len < y.len);
    return order < 0 ? -1 : 1;
}

static size_t shift(char *out, struct text x, char first, char last, char to)
{
    for (size_t i = 0; i < x.len; i++)
        out[i] = x.p[i] >= first && x.p[i] <= last ? (char)(x.p[i] - first + to) : x.p[i];
    return x.len;
}

size_t text_upper(char *out, struct text x)
{
    return shift(out, x, 'a', 'z', 'A');
}

size_t text_lower(char *out, struct text x)
{
    return shift(out, x, 'A', 'Z', 'a');
}

static size_t put(char *out, size_t size, size_t at, const char *p, size_t n)
{
    if (n > size - at)
        n = size - at;
    if (n > 0)
        memcpy(out + at, p, n);
    return at + n;
}

size_t text_replace(char *out, size_t size, struct text x, struct text what, struct text by)
{
    size_t n = 0;

    for (size_t i = 0; i < x.len;) {
        bool found =
            what.len > 0 && what.len <= x.len - i && memcmp(x.p + i, what.p, what.len) == 0;
        n = found ? put(out, size, n, by.p, by.len) : put(out, size, n, x.p + i, 1);
        i += found ? what.len : 1;
    }
    return n;
}
