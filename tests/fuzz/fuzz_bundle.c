/* Bundles. Most inputs are the lines behind the genesis, which is most of a short bundle and is put
 * before them for the verifier; some are whole bundles, and bring a genesis of their own.
 *
 * Laws: the verifier finds valid only what says the same as the specimen (its ledger, size and
 * root), though nobody tells it which ledger is meant; a line that reads is written again as it
 * was, whatever the portions that it came in. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/verify/verify.h"
#include "tests/fuzz/ledger_specimens.h"

static const struct ledger_specimens *known;
static size_t genesis_len; /* of the first line of the bundle of one member */
static struct truth {
    uint8_t chain[32], root[32];
    uint64_t size;
} truths[3];

/* One run of bytes, then another. */
struct portions {
    const uint8_t *p;
    size_t left, most;
    const uint8_t *then;
    size_t then_len;
};

static fm_status read_portion(void *ctx, void *out, size_t len, size_t *got, struct base_err *err)
{
    struct portions *s = ctx;

    (void)err;
    if (s->left == 0) {
        s->p = s->then;
        s->left = s->then_len;
        s->then_len = 0;
    }
    *got = len < s->most ? len : s->most;
    *got = *got < s->left ? *got : s->left;
    if (*got == 0)
        return FM_OK;
    memcpy(out, s->p, *got);
    s->p += *got;
    s->left -= *got;
    return FM_OK;
}

static fm_status append(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "line", err);
}

static fm_status put_json(struct base_buf *out, const json_t *value, struct base_err *err)
{
    return value != NULL ? base_json_canonical(out, value, err) : FM_OK;
}

/* The line that the reader stands on, by the writer. */
static fm_status write_line(const struct ledger_bundle_sink *sink,
                            const struct ledger_bundle_reader *r, struct base_err *err)
{
    struct base_buf a = {0}, b = {0};
    fm_status st = FM_OK;

    switch (r->kind) {
    case LEDGER_BUNDLE_GENESIS:
        st = put_json(&a, r->genesis, err);
        if (st == FM_OK)
            st = ledger_bundle_genesis(sink, r->format, r->chain, a.p, a.len, err);
        break;
    case LEDGER_BUNDLE_LEAF:
        st = put_json(&a, r->payload, err);
        if (st == FM_OK)
            st = put_json(&b, r->result, err);
        if (st == FM_OK && r->proven)
            st = ledger_bundle_proven(sink, r->leaf, a.p, a.len, b.p, b.len, r->hashes.p,
                                      r->hashes.len / 32, err);
        else if (st == FM_OK)
            st = r->payload != NULL
                     ? ledger_bundle_leaf(sink, r->leaf, a.p, a.len, b.p, b.len, err)
                     : ledger_bundle_hidden(sink, r->leaf, r->payload_hash, b.p, b.len, err);
        break;
    case LEDGER_BUNDLE_SKIP:
        st = ledger_bundle_skip(sink, r->leaf, r->to, r->hashes.p, r->hashes.len / 32, err);
        break;
    case LEDGER_BUNDLE_STATE:
        st = ledger_bundle_state(sink, r->key, r->value, r->proof, err);
        break;
    case LEDGER_BUNDLE_CHECKPOINT:
        st = ledger_bundle_checkpoint(sink, r->checkpoint, strlen(r->checkpoint), err);
        break;
    case LEDGER_BUNDLE_END:
        break;
    }
    base_buf_release(&a);
    base_buf_release(&b);
    return st;
}

/* Every line that reads, written again; and is it all of them? */
static bool lines_are_written(const uint8_t *data, size_t size)
{
    struct portions p = {data, size, 1 + size % 997, NULL, 0};
    const struct ledger_bundle_source source = {read_portion, &p};
    struct ledger_bundle_reader reader;
    struct base_buf lines = {0};
    const struct ledger_bundle_sink sink = {append, &lines};
    struct base_err err = {0};
    fm_status st;

    ledger_bundle_reader_init(&reader, &source);
    while ((st = ledger_bundle_next(&reader, &err)) == FM_OK && reader.kind != LEDGER_BUNDLE_END)
        fuzz_law(write_line(&sink, &reader, &err) == FM_OK, "a line that reads can be written");
    fuzz_law(lines.len <= size && (lines.len == 0 || memcmp(lines.p, data, lines.len) == 0),
             "and is the same bytes");
    fuzz_law(st != FM_OK || lines.len == size, "nothing is left out");
    ledger_bundle_reader_release(&reader);
    base_buf_release(&lines);
    return st == FM_OK;
}

static fm_status verify(struct ledger_verified **report, const uint8_t *data, size_t size,
                        struct base_err *err)
{
    bool whole = size > 9 && memcmp(data, "{\"bundle\"", 9) == 0;
    struct portions p = {whole ? data : known->alone.p, whole ? size : genesis_len, SIZE_MAX,
                         whole ? NULL : data, whole ? 0 : size};
    const struct ledger_bundle_source source = {read_portion, &p};

    return ledger_verify(report, &source, NULL, err);
}

static bool is_true(const struct truth *t, const struct ledger_verified *report)
{
    return memcmp(report->chain, t->chain, 32) == 0 && memcmp(report->root, t->root, 32) == 0 &&
           report->size == t->size;
}

static void run(const uint8_t *data, size_t size)
{
    struct ledger_verified *report = NULL;
    struct base_err err = {0};
    bool whole = lines_are_written(data, size);
    fm_status st;

    /* The verifier takes ten times as long as the reader, and what does not read it says at once.
     */
    if (fuzz_lot(data, size) % (whole ? 4 : 16) != 0)
        return;
    st = verify(&report, data, size, &err);
    fuzz_law(st == FM_OK || err.text[0] != '\0', "what is not valid is said");
    if (st == FM_OK) {
        fuzz_law(whole, "a valid bundle reads to its end");
        fuzz_law(is_true(&truths[0], report) || is_true(&truths[1], report) ||
                     is_true(&truths[2], report),
                 "only what the members cosigned is valid");
    }
    ledger_verified_free(report);
}

static void note_truth(struct truth *out, const struct specimen_bundle *bundle)
{
    struct ledger_verified *report;
    struct base_err err = {0};

    fuzz_law(verify(&report, bundle->p, bundle->len, &err) == FM_OK, err.text);
    memcpy(out->chain, report->chain, 32);
    memcpy(out->root, report->root, 32);
    out->size = report->size;
    ledger_verified_free(report);
}

static void begin(struct fuzz_corpus *corpus)
{
    const struct specimen_bundle *alone, *four;

    known = ledger_specimens();
    alone = &known->alone;
    four = &known->four;
    note_truth(&truths[0], alone);
    note_truth(&truths[1], four);
    note_truth(&truths[2], &known->compact);
    genesis_len = (size_t)((uint8_t *)memchr(alone->p, '\n', alone->len) - alone->p) + 1;
    /* What is short is run more often. */
    for (int i = 0; i < 30; i++)
        fuzz_add(corpus, alone->p + genesis_len, alone->len - genesis_len);
    fuzz_add(corpus, alone->p, alone->len);
    fuzz_add(corpus, four->p, four->len);
    for (int i = 0; i < 8; i++)
        fuzz_add(corpus, known->compact.p, known->compact.len);
}

static const char *const words[] = {"{\"genesis\":",
                                    "{\"leaf\":",
                                    "\"payload\":",
                                    "\"result\":",
                                    "\"payload_hash\":",
                                    "{\"state\":",
                                    "{\"hashes\":\"",
                                    "\"results\":\"",
                                    "\"to\":",
                                    "\"siblings\":\"",
                                    "\"value\":",
                                    "\"proof\":",
                                    "{\"checkpoint\":",
                                    "firmiana/",
                                    "\\n\\n",
                                    "\\n\xe2\x80\x94 ",
                                    "\n",
                                    "ok",
                                    "rule",
                                    "height",
                                    "time",
                                    "epoch 1",
                                    NULL};
const struct fuzz_target fuzz_target = {"bundle", FUZZ_JSON_LINES, 32768, words, begin, run};
