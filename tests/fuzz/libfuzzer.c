/* The same targets under clang's libFuzzer, with our mutations of JSON trees beside its own. */
#include <string.h>

#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static struct fuzz_corpus corpus;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_target.begin(&corpus);
    fuzz_arena_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > fuzz_target.max_len)
        return -1; /* not into the corpus */
    fuzz_run(data, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct fuzz_dice dice = {((uint64_t)seed + 1) * 0x9e3779b97f4a7c15U | 1};
    size_t cap = max_size < fuzz_target.max_len ? max_size : fuzz_target.max_len;

    fuzz_arena_clear();
    if (size <= cap && fuzz_target.form != FUZZ_BYTES && fuzz_below(&dice, 2) == 0)
        return fuzz_mutate_json(&dice, data, size, cap, &fuzz_target, &corpus);
    if (size <= cap && fuzz_below(&dice, 4) == 0)
        return fuzz_mutate(&dice, data, size, cap, &fuzz_target, &corpus);
    return LLVMFuzzerMutate(data, size, max_size);
}
