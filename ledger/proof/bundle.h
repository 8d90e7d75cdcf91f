/* Bundles (format.md section 8): the trail of a ledger in a text file that anyone can check
 * offline. Here: writing and reading lines, one at a time, in bounded memory. What a bundle proves
 * is verify.h's question. */
#ifndef FIRMIANA_LEDGER_BUNDLE_H
#define FIRMIANA_LEDGER_BUNDLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* A line longer than this is no line of a bundle. */
#define LEDGER_BUNDLE_LINE_MAX ((size_t)16 << 20)

/* ---- writing ---- */

/* Where lines go. write() takes all bytes or fails. */
struct ledger_bundle_sink {
    fm_status (*write)(void *ctx, const void *bytes, size_t len, struct base_err *err);
    void *ctx;
};

/* A bundle of format 1 has every leaf; a compact one, of format 2, leaves out whole ranges and has
 * the roots of the perfect subtrees that cover them. */
enum ledger_bundle_format { LEDGER_BUNDLE_WHOLE = 1, LEDGER_BUNDLE_COMPACT = 2 };

/* Each writes one line. Arguments called canonical are the canonical bytes, written as they are.
 * The order of lines is the caller's: genesis, leaves from 0 up, states sorted by key, checkpoint.
 * Errors: FM_E_MEMORY, the sink's own. */
fm_status ledger_bundle_genesis(const struct ledger_bundle_sink *sink,
                                enum ledger_bundle_format format, const uint8_t chain32[32],
                                const void *canonical, size_t len, struct base_err *err) FM_CHECK;
/* result: canonical, NULL for a block leaf. */
fm_status ledger_bundle_leaf(const struct ledger_bundle_sink *sink, uint64_t leaf,
                             const void *canonical, size_t len, const void *result,
                             size_t result_len, struct base_err *err) FM_CHECK;
/* Of a compact bundle: the same of a transaction, with the n hashes that lead from its result to
 * its block's result_root; and the leaves [from, to) that are left out, with the roots of the
 * subtrees of ledger_log_gap_level(). hashes: 32 n bytes. */
fm_status ledger_bundle_proven(const struct ledger_bundle_sink *sink, uint64_t leaf,
                               const void *canonical, size_t len, const void *result,
                               size_t result_len, const uint8_t *hashes, size_t n,
                               struct base_err *err) FM_CHECK;
fm_status ledger_bundle_skip(const struct ledger_bundle_sink *sink, uint64_t from, uint64_t to,
                             const uint8_t *hashes, size_t n, struct base_err *err) FM_CHECK;
/* A transaction whose payload is erased or not disclosed. */
fm_status ledger_bundle_hidden(const struct ledger_bundle_sink *sink, uint64_t leaf,
                               const uint8_t payload_hash32[32], const void *result,
                               size_t result_len, struct base_err *err) FM_CHECK;
/* value: NULL for absence. proof: ledger_state_proof_json(). */
fm_status ledger_bundle_state(const struct ledger_bundle_sink *sink, const char *key,
                              const json_t *value, const json_t *proof,
                              struct base_err *err) FM_CHECK;
fm_status ledger_bundle_checkpoint(const struct ledger_bundle_sink *sink, const char *text,
                                   size_t len, struct base_err *err) FM_CHECK;

/* ---- reading ---- */

/* Where bytes come from. read() gives at most len, 0 at the end. */
struct ledger_bundle_source {
    fm_status (*read)(void *ctx, void *out, size_t len, size_t *got, struct base_err *err);
    void *ctx;
};

enum ledger_bundle_kind {
    LEDGER_BUNDLE_GENESIS,
    LEDGER_BUNDLE_LEAF,
    LEDGER_BUNDLE_SKIP, /* among leaves */
    LEDGER_BUNDLE_STATE,
    LEDGER_BUNDLE_CHECKPOINT,
    LEDGER_BUNDLE_END, /* no more lines */
};

struct ledger_bundle_reader {
    struct ledger_bundle_source source;
    struct base_buf buf; /* [at, buf.len) is read and not yet consumed */
    size_t at;
    bool ended;

    /* The line last read; all pointers are good until the next. */
    uint64_t line; /* from 1 */
    enum ledger_bundle_kind kind;
    json_t *json;
    enum ledger_bundle_format format; /* GENESIS, and of all that follows */
    uint8_t chain[32];                /* GENESIS */
    const json_t *genesis;            /* GENESIS */
    uint64_t leaf;                    /* LEAF, SKIP: the first */
    uint64_t to;                      /* SKIP: behind the last, more than leaf */
    bool proven;                      /* LEAF: hashes leads to its block's result_root */
    struct base_buf hashes;           /* LEAF, SKIP: 32 bytes each; owned */
    const json_t *payload;            /* LEAF: NULL if hidden */
    size_t payload_len;               /* LEAF: of its canonical bytes; 0 if hidden */
    uint8_t
        payload_hash[32]; /* LEAF: H(canonical payload), computed if it is there, else as stated */
    const json_t *result; /* LEAF: NULL on a block leaf */
    uint8_t result_hash[32]; /* LEAF: H(JCS(result)) */
    const char *key;         /* STATE */
    const json_t *value;     /* STATE: NULL for absence */
    const json_t *proof;     /* STATE */
    const char *checkpoint;  /* CHECKPOINT */
};

void ledger_bundle_reader_init(struct ledger_bundle_reader *reader,
                               const struct ledger_bundle_source *source);
void ledger_bundle_reader_release(struct ledger_bundle_reader *reader);

/* The next line. Lines of a compact bundle are read in a compact one alone. FM_E_INPUT if it is not
 * of one of the forms above, not canonical, too long or not ended by a newline; reader->line says
 * which. Memory: a few times the longest line. */
fm_status ledger_bundle_next(struct ledger_bundle_reader *reader, struct base_err *err) FM_CHECK;

#endif
