/* Fuzz targets: one for each decoder that hostile bytes reach. Every target asserts a law beyond
 * "no crash": what is accepted is canonical, prints back to itself, and nothing altered verifies.
 *
 * A target is one file. It defines fuzz_target, and is linked either
 * with driver.c, which needs no particular compiler (valid specimens and seeded mutations of them),
 * or with libfuzzer.c and clang's libFuzzer, whose coverage finds ways of its own.
 *
 * The suite runs each for a moment, under the sanitizers too; tests/fuzz_campaign.sh for long. What
 * takes time, as measured: the address sanitizer's own work, as much again as the target's or
 * twice; JSON trees (arena.c, mutate_json.c); in handshake, OpenSSL (same_random.h). Signatures are
 * checked by the product's own code: less than a tenth of the time everywhere, since fuzz_lot()
 * chooses the inputs whose signatures are looked at. */
#ifndef FIRMIANA_TESTS_FUZZ_FUZZ_H
#define FIRMIANA_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Valid inputs, made by the project's own code when the program starts. */
struct fuzz_corpus {
    struct fuzz_specimen {
        uint8_t *p;
        size_t len;
    } * items;
    size_t count;
};

enum fuzz_form {
    FUZZ_BYTES,
    FUZZ_JSON,       /* canonical JSON: half of the mutations change the tree */
    FUZZ_JSON_LINES, /* lines of it */
};

struct fuzz_target {
    const char *name;
    enum fuzz_form form;
    size_t max_len;
    const char *const *words; /* of the format, for mutations; ends with NULL */
    /* Called once before the first input: adds specimens, keeps what the laws need. */
    void (*begin)(struct fuzz_corpus *corpus);
    void (*run)(const uint8_t *data, size_t size);
};

extern const struct fuzz_target fuzz_target;

/* JSON trees in memory that is quick to get and let go, and still watched (arena.c): begins behind
 * the specimens, and is cleared before each input and each mutation. */
void fuzz_arena_begin(void);
void fuzz_arena_clear(void);
void fuzz_arena_end(void);

/* One input through the target, in memory that ends where it ends: under the address sanitizer a
 * block of its own, else before a page that cannot be read. */
void fuzz_run(const uint8_t *data, size_t size);

/* A copy of the bytes becomes a specimen. */
void fuzz_add(struct fuzz_corpus *corpus, const void *bytes, size_t len);
/* Is it, byte by byte, one of the specimens? */
bool fuzz_is_specimen(const struct fuzz_corpus *corpus, const void *bytes, size_t len);
void fuzz_corpus_release(struct fuzz_corpus *corpus);

/* A number drawn from an input's bytes: for laws that take so long that only some inputs are held
 * to them. (Not from the length, which most mutations keep.) */
unsigned fuzz_lot(const uint8_t *data, size_t size);

/* Ends the process, saying which law does not hold. */
void fuzz_law(bool holds, const char *law);

/* ---- mutations (mutate.c, mutate_json.c) ---- */

/* xorshift64*: the same mutations from the same seed everywhere. Never zero. */
struct fuzz_dice {
    uint64_t state;
};
uint64_t fuzz_roll(struct fuzz_dice *dice);
size_t fuzz_below(struct fuzz_dice *dice, size_t n); /* 0 if n is 0 */

/* Changes data[0..len) in place, up to cap bytes, and returns the new length: bits, bytes, ranges
 * removed, doubled, moved or taken from another specimen, words, numbers, lengths. */
size_t fuzz_mutate(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                   const struct fuzz_target *target, const struct fuzz_corpus *corpus);
/* The same of a JSON text's tree (or of one line's), written canonically again; falls back to
 * fuzz_mutate() on what is not JSON. */
size_t fuzz_mutate_json(struct fuzz_dice *dice, uint8_t *data, size_t len, size_t cap,
                        const struct fuzz_target *target, const struct fuzz_corpus *corpus);

#endif
