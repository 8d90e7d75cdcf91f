#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

void fuzz_law(bool holds, const char *law)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz %s: the law is broken: %s\n", fuzz_target.name, law);
    abort();
}

void fuzz_add(struct fuzz_corpus *corpus, const void *bytes, size_t len)
{
    struct fuzz_specimen *grown =
        realloc(corpus->items, (corpus->count + 1) * sizeof *corpus->items);
    uint8_t *copy = malloc(len + 1);

    fuzz_law(grown != NULL && copy != NULL, "there is memory for the specimens");
    fuzz_law(len <= fuzz_target.max_len, "a specimen is no longer than inputs may be");
    if (len > 0)
        memcpy(copy, bytes, len);
    corpus->items = grown;
    corpus->items[corpus->count++] = (struct fuzz_specimen){copy, len};
}

bool fuzz_is_specimen(const struct fuzz_corpus *corpus, const void *bytes, size_t len)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (corpus->items[i].len == len && memcmp(corpus->items[i].p, bytes, len) == 0)
            return true;
    return false;
}

unsigned fuzz_lot(const uint8_t *data, size_t size)
{
    uint64_t sum = size;

    for (size_t i = 0; i < size; i++)
        sum += data[i] * (i | 1);
    return (unsigned)(sum % 65521);
}

void fuzz_corpus_release(struct fuzz_corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        free(corpus->items[i].p);
    free(corpus->items);
    *corpus = (struct fuzz_corpus){.items = NULL};
}

/* A short memory of freed blocks and short stacks: both cost more than most inputs do. Whoever
 * looks for something sets ASAN_OPTIONS. (The sanitizer is a library of its own, and asks only for
 * what a program shows.) */
const char *__asan_default_options(void) __attribute__((visibility("default")));
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=2:max_malloc_fill_size=16";
}
