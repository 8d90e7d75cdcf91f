#include "base/nearest.h"

#include <string.h>

/* Levenshtein distance of two short words, cut at 31 characters. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t n = strlen(a), m = strlen(b);

    if (n > 31 || m > 31)
        return 99;
    for (unsigned j = 0; j <= m; j++)
        row[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < shift ? change : shift;
        }
    }
    return row[m];
}

const char *base_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned least = 4;

    for (; *words != NULL; words++) {
        unsigned d = distance(word, *words);
        if (d < least) {
            least = d;
            best = *words;
        }
    }
    return best;
}
