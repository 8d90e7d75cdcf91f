/* What the tests of did/ share: seeded randomness, a member to play with, public vectors. */
#ifndef FIRMIANA_DID_TEST_TOOLS_H
#define FIRMIANA_DID_TEST_TOOLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "did/document.h"
#include "did/draft.h"
#include "did/keyfile.h"

#define VECTORS "../shared/data/vectors/"
#define TOOLS_WHEN 1795168260 /* 2026-11-20T09:51:00Z */

/* Cheap: tests seal many files. */
extern const struct did_kdf tools_kdf;

/* SHA-256 in counter mode over a seed: the same bytes in every run. */
struct tools_random {
    struct base_random random;
    uint64_t seed, counter;
};
void tools_random_init(struct tools_random *r, uint64_t seed);
uint64_t tools_random_below(struct tools_random *r, uint64_t bound);

/* Parsed with jansson alone, because vectors hold reals and nulls. Skips the test, saying so, if
 * the file is not there. */
json_t *tools_vectors(const char *name);
/* The file's bytes without closing newlines; free(). Skips likewise. */
char *tools_text(const char *name);

struct did_secret *tools_secret(struct tools_random *r);

/* A member with a channel key, a node key, three officers of whom two must sign, a recovery key. */
struct tools_member {
    struct did_secret *channel, *node, *officer[3], *recovery;
    struct did_document *doc;
};
extern const uint8_t tools_genesis32[32];
void tools_member_init(struct tools_member *m, struct tools_random *r, const char *alias);
void tools_member_release(struct tools_member *m);
/* The id of a key's verification method in a DID. Static memory, the last eight calls' results. */
const char *tools_method(const struct did_document *doc, const struct did_secret *secret);

/* Fails unless the call gave that status with that text in its error. */
void tools_expect(fm_status got, fm_status wanted, const struct base_err *err, const char *text);
/* Why a vector that is not valid must be refused: the first row whose flag is one of the test's and
 * whose comment is part of its comment ("": any), and whose hex its signature begins with ("":
 * any). TOOLS_LENGTH: for its length, len. Fails if there is no row. */
#define TOOLS_LENGTH ""
struct tools_reason {
    const char *flag, *comment, *hex, *text;
};
void tools_expect_reason(const struct tools_reason *rows, size_t count, const json_t *test,
                         size_t len, const struct base_err *err);
/* The same of parsing a copy of the document that was changed. */
void tools_expect_refusal(const struct did_document *doc, void (*change)(json_t *doc),
                          fm_status code, const char *text);

#endif
