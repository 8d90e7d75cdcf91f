#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LETTERS = 31 };

static unsigned lesser(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Changes from one short word to another: a letter more, less or another, or two neighbours
 * exchanged (optimal string alignment; rows before[], last[] and next[] of its table). */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][LETTERS + 2];
    unsigned *before = rows[0], *last = rows[1], *next = rows[2];
    size_t n = strlen(a), m = strlen(b);

    if (n > LETTERS || m > LETTERS)
        return 99;
    for (unsigned j = 0; j <= m; j++)
        last[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *spare = before;
        next[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            next[j] =
                lesser(last[j - 1] + (a[i - 1] != b[j - 1]), lesser(last[j], next[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                next[j] = lesser(next[j], before[j - 2] + 1);
        }
        before = last;
        last = next;
        next = spare;
    }
    return last[m];
}

/* Slips of the hand rarely change the first letter, and a word changed in most of its letters is
 * another word: "SIN" is no slip of "min". */
static unsigned most(const char *word, const char *other)
{
    size_t len = strlen(word);
    bool begins = tolower((unsigned char)word[0]) == tolower((unsigned char)other[0]);
    size_t limit = begins ? (len + 1) / 3 : len / 4;

    return limit > 3 ? 3 : (unsigned)limit;
}

const char *base_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned least = 4;

    for (; *words != NULL; words++) {
        unsigned d = distance(word, *words);
        if (d < least && d <= most(word, *words)) {
            least = d;
            best = *words;
        }
    }
    return best;
}
