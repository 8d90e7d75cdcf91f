/* Runs a target over its specimens and seeded mutations of them.
 *
 *   fuzz_x [--runs N] [--seconds S] [--seed X]     until N inputs or S seconds, whichever is first
 *   fuzz_x --corpus DIR ...                         first the files of DIR/any and DIR/x, as they
 * are fuzz_x --write DIR                              writes the specimens, a file each fuzz_x
 * FILE...                                  runs these inputs
 *
 * The same seed gives the same inputs. When one breaks the target it is written to the current
 * folder, and its number is said. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static uint8_t *input;
static size_t input_len;
static uint64_t seed = 1, runs;
static bool over;

/* The sanitizers call it before they end the process; gcc without them has no such function. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void save_input(void)
{
    char name[96];
    FILE *file;

    if (over)
        return;
    over = true;
    (void)snprintf(name, sizeof name, "crash-%s-%llu-%llu", fuzz_target.name,
                   (unsigned long long)seed, (unsigned long long)runs);
    file = fopen(name, "wb");
    if (file != NULL) {
        (void)fwrite(input, 1, input_len, file);
        (void)fclose(file);
    }
    fprintf(stderr, "fuzz %s: seed %llu, input %llu broke it; the input is in %s\n",
            fuzz_target.name, (unsigned long long)seed, (unsigned long long)runs, name);
}

static void on_signal(int number)
{
    save_input();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void run_one(void)
{
    fuzz_run(input, input_len);
    runs++;
}

static void run_mutated(struct fuzz_dice *dice, const struct fuzz_corpus *corpus)
{
    const struct fuzz_specimen *s = &corpus->items[fuzz_below(dice, corpus->count)];

    memcpy(input, s->p, s->len);
    fuzz_arena_clear();
    input_len =
        fuzz_target.form != FUZZ_BYTES && fuzz_below(dice, 2)
            ? fuzz_mutate_json(dice, input, s->len, fuzz_target.max_len, &fuzz_target, corpus)
            : fuzz_mutate(dice, input, s->len, fuzz_target.max_len, &fuzz_target, corpus);
    run_one();
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    fuzz_law(file != NULL, "the file can be read");
    input_len = fread(input, 1, fuzz_target.max_len, file);
    (void)fclose(file);
    run_one();
}

/* What stands in a folder of the committed corpus, in the order of names. */
static size_t run_folder(const char *corpus, const char *name)
{
    char path[512];
    struct dirent **entries;
    size_t done = 0;
    int n;

    (void)snprintf(path, sizeof path, "%s/%s", corpus, name);
    n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%s/%s/%s", corpus, name, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            fuzz_arena_clear();
            run_file(path);
            done++;
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return done;
}

static void run_kept(const char *corpus)
{
    size_t any = run_folder(corpus, "any"), own = run_folder(corpus, fuzz_target.name);

    fuzz_law(any > 0, "the corpus is there");
    printf("fuzz %s: %zu kept inputs\n", fuzz_target.name, any + own);
}

static void write_specimens(const struct fuzz_corpus *corpus, const char *folder)
{
    char path[512];

    for (size_t i = 0; i < corpus->count; i++) {
        FILE *file;
        (void)snprintf(path, sizeof path, "%s/%s-%zu", folder, fuzz_target.name, i);
        file = fopen(path, "wb");
        fuzz_law(file != NULL, "the specimens can be written");
        (void)fwrite(corpus->items[i].p, 1, corpus->items[i].len, file);
        fuzz_law(fclose(file) == 0, "the specimens can be written");
    }
}

static void campaign(const struct fuzz_corpus *corpus, uint64_t most, double seconds)
{
    struct fuzz_dice dice = {seed * 0x9e3779b97f4a7c15U | 1};
    double begin = now(), worked = processor_seconds();

    for (size_t i = 0; i < corpus->count; i++) {
        memcpy(input, corpus->items[i].p, corpus->items[i].len);
        input_len = corpus->items[i].len;
        run_one();
    }
    while (runs < most && (runs % 64 != 0 || now() - begin < seconds))
        run_mutated(&dice, corpus);
    printf("fuzz %s: %llu inputs from %zu specimens, %.0f a second of a processor, seed %llu\n",
           fuzz_target.name, (unsigned long long)runs, corpus->count,
           (double)runs / (processor_seconds() - worked), (unsigned long long)seed);
}

int main(int argc, char **argv)
{
    struct fuzz_corpus corpus = {0};
    uint64_t most = UINT64_MAX;
    double seconds = 1e9;
    const char *folder = NULL, *kept = NULL;
    int i;

    for (i = 1; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--runs") == 0)
            most = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--corpus") == 0)
            kept = argv[i + 1];
        else if (strcmp(argv[i], "--write") == 0)
            folder = argv[i + 1];
        else
            break;
    }
    if (i < argc && strncmp(argv[i], "--", 2) == 0) {
        fprintf(stderr,
                "usage: %s [--runs N] [--seconds S] [--seed X] [--corpus DIR] [--write DIR] "
                "[FILE...]\n",
                argv[0]);
        return 2;
    }
    input = malloc(fuzz_target.max_len + 1);
    fuzz_law(input != NULL, "there is memory for an input");
    fuzz_target.begin(&corpus);
    fuzz_law(corpus.count > 0, "there are specimens");
    fuzz_arena_begin();
    (void)atexit(save_input);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(save_input);
    else
        (void)signal(SIGSEGV, on_signal);
    (void)signal(SIGABRT, on_signal);
    if (folder != NULL)
        write_specimens(&corpus, folder);
    else if (i < argc)
        for (; i < argc; i++)
            run_file(argv[i]);
    else {
        if (kept != NULL)
            run_kept(kept);
        campaign(&corpus, most, seconds);
    }
    over = true;
    fuzz_arena_end();
    fuzz_corpus_release(&corpus);
    free(input);
    return 0;
}
