#include "tests/fuzz/ledger_specimens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/verify/test_story.h"

static struct ledger_specimens all;

void fuzz_add_json(struct fuzz_corpus *corpus, const json_t *array)
{
    const json_t *value;
    size_t i;

    json_array_foreach(array, i, value)
    {
        struct base_buf bytes = {0};
        struct base_err e = {0};
        fuzz_law(base_json_canonical(&bytes, value, &e) == FM_OK, "a specimen is canonical JSON");
        fuzz_add(corpus, bytes.p, bytes.len);
        base_buf_release(&bytes);
    }
}

/* The documents that a transaction or a genesis carries, at whatever depth 1 or 2. */
static void take_documents(const json_t *value)
{
    const json_t *child;
    const char *key;
    json_t *document = json_object_get(value, "document");
    struct did_document *parsed;
    struct base_err e = {0};
    size_t i;

    if (json_is_object(document) && did_document_parse(&parsed, document, 1, &e) == FM_OK) {
        fuzz_law(json_array_append(all.documents, document) == 0, "there is memory");
        did_document_free(parsed);
    }
    json_array_foreach(value, i, child) take_documents(child);
    if (json_is_object(value))
        json_object_foreach((json_t *)(uintptr_t)value, key,
                            child) if (json_is_array(child) || strcmp(key, "body") == 0)
            take_documents(child);
}

static void take_line(const json_t *line)
{
    const json_t *payload = json_object_get(line, "payload");

    if (json_object_get(payload, "proof") != NULL) {
        fuzz_law(json_array_append_new(all.transactions, json_deep_copy(payload)) == 0,
                 "there is memory");
        take_documents(payload);
    }
    if (json_object_get(line, "genesis") != NULL)
        take_documents(json_object_get(line, "genesis"));
    if (json_object_get(line, "state") != NULL)
        fuzz_law(json_array_append_new(all.states, json_deep_copy(line)) == 0, "there is memory");
}

static void take_lines(const struct base_buf *bundle)
{
    size_t at = 0;

    while (at < bundle->len) {
        const uint8_t *end = memchr(bundle->p + at, '\n', bundle->len - at);
        size_t len = (size_t)(end - bundle->p) - at;
        json_t *line = json_loadb((const char *)bundle->p + at, len, 0, NULL);
        take_line(line);
        json_decref(line);
        at += len + 1;
    }
}

/* As the ledger knows them: with its chain. */
static void bind_members(void)
{
    struct base_err e = {0};

    for (size_t i = 0; i < WORLD_MEMBERS; i++) {
        fuzz_law(did_document_parse(&all.current[i], did_document_json(w->m[i].doc), 1, &e) ==
                     FM_OK,
                 e.text);
        all.current_count++;
    }
}

/* A transaction, a state line, the checkpoint. */
static struct specimen_bundle tell_short(json_t *tx, unsigned cosigners)
{
    struct specimen_bundle out;

    (void)world_put(w, tx, LEDGER_RULE_OK);
    world_state(w, "query/x", json_pack("{s:s}", "status", "open"));
    (void)world_block(w);
    world_prove(w, "member/nobody", NULL);
    world_checkpoint(w, cosigners);
    story_expect_valid();
    out = (struct specimen_bundle){malloc(w->bundle.len), w->bundle.len};
    fuzz_law(out.p != NULL, "there is memory");
    memcpy(out.p, w->bundle.p, out.len);
    return out;
}

/* ---- compact ---- */

static fm_status put_bytes(void *ctx, const void *bytes, size_t len, struct base_err *e)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "specimen", e);
}

static void canonical(struct base_buf *out, const json_t *value)
{
    struct base_err e = {0};

    base_buf_clear(out);
    fuzz_law(base_json_canonical(out, value, &e) == FM_OK, e.text);
}

/* A line of a whole bundle, as a compact one has it that leaves leaves 1 and 2 out. */
static fm_status compact_line(const struct ledger_bundle_sink *sink, const json_t *line,
                              uint8_t hashes[2][32], struct base_err *e)
{
    const json_t *payload = json_object_get(line, "payload"), *leaf = json_object_get(line, "leaf");
    json_t *value = json_object_get(line, "value"), *genesis = json_object_get(line, "genesis");
    struct base_buf a = {0}, b = {0};
    fm_status st = FM_OK;

    canonical(&a, payload != NULL ? payload : genesis != NULL ? genesis : line);
    if (leaf != NULL && (json_integer_value(leaf) == 1 || json_integer_value(leaf) == 2)) {
        ledger_log_leaf_hash_of(hashes[json_integer_value(leaf) - 1], a.p, a.len);
        if (json_integer_value(leaf) == 2)
            st = ledger_bundle_skip(sink, 1, 3, hashes[0], 2, e);
    } else if (json_object_get(line, "result") != NULL) {
        canonical(&b, json_object_get(line, "result"));
        st = ledger_bundle_proven(sink, (uint64_t)json_integer_value(leaf), a.p, a.len, b.p, b.len,
                                  hashes[0], 0, e);
    } else if (genesis != NULL) {
        st = ledger_bundle_genesis(sink, LEDGER_BUNDLE_COMPACT, w->chain, a.p, a.len, e);
    } else {
        (void)json_object_del(value, "document");
        canonical(&a, line);
        base_buf_put_str(&a, "\n");
        st = sink->write(sink->ctx, a.p, a.len, e);
    }
    base_buf_release(&a);
    base_buf_release(&b);
    return st;
}

/* What a compact bundle must show of the state, of one member. */
static void put_states(json_t *const value[3], const char *const key[3], bool prove)
{
    for (int i = 0; i < 3; i++)
        if (prove)
            world_prove(w, key[i], value[i]);
        else
            world_state(w, key[i], json_incref(value[i]));
}

/* The world's only member, by its one document. */
static struct specimen_bundle tell_compact(void)
{
    struct base_buf out = {0};
    const struct ledger_bundle_sink sink = {put_bytes, &out};
    struct did_document *doc = w->m[0].doc;
    struct base_err e = {0};
    uint8_t hashes[2][32];
    char hash[65], did[DID_FIRMIANA_TEXT + 8];
    const char *const key[3] = {did, "member/bank_a", "param"};
    json_t *value[3];

    (void)snprintf(did, sizeof did, "did/%s", did_document_id(doc));
    base_hex(hash, did_document_hash32(doc), 32);
    value[0] = json_pack("{s:O, s:s, s:i, s:s}", "document", did_document_json(doc), "hash", hash,
                         "height", 0, "status", "active");
    value[1] = json_pack("{s:s, s:s}", "did", did_document_id(doc), "status", "active");
    value[2] =
        json_pack("{s:i, s:i, s:s, s:O, s:i}", "quorum", 1, "epoch", 0, "sequencer", "bank_a",
                  "limits", json_object_get(w->genesis, "limits"), "rules_version", 1);
    (void)world_put(w, story_dataset(0), LEDGER_RULE_OK);
    (void)world_block(w);
    put_states(value, key, false);
    (void)world_put(w, story_dataset(0), LEDGER_RULE_OK);
    (void)world_block(w);
    put_states(value, key, true);
    world_checkpoint(w, 1);
    for (size_t at = 0; at < w->bundle.len;) {
        const uint8_t *end = memchr(w->bundle.p + at, '\n', w->bundle.len - at);
        size_t len = (size_t)(end - w->bundle.p) - at;
        json_t *line = json_loadb((const char *)w->bundle.p + at, len, 0, NULL);
        fuzz_law(compact_line(&sink, line, hashes, &e) == FM_OK, e.text);
        json_decref(line);
        at += len + 1;
    }
    for (int i = 0; i < 3; i++)
        json_decref(value[i]);
    return (struct specimen_bundle){out.p, out.len};
}

static void make(void)
{
    all.transactions = json_array();
    all.documents = json_array();
    all.states = json_array();
    (void)story_set_up(NULL);
    bind_members();
    memcpy(all.chain, w->chain, 32);
    all.four = tell_short(story_suspend(3, "bank_c"), 7);
    (void)story_tear_down(NULL);
    w = calloc(1, sizeof *w);
    fuzz_law(w != NULL, "there is memory");
    world_init_of(w, 1, 1);
    all.alone = tell_short(story_dataset(0), 1);
    (void)story_tear_down(NULL);
    w = calloc(1, sizeof *w);
    fuzz_law(w != NULL, "there is memory");
    world_init_of(w, 1, 1);
    all.compact = tell_compact();
    (void)story_tear_down(NULL);
    /* Long: one of everything. */
    (void)story_set_up(NULL);
    story_tell_all();
    story_expect_valid();
    take_lines(&w->bundle);
    (void)story_tear_down(NULL);
}

const struct ledger_specimens *ledger_specimens(void)
{
    if (all.transactions == NULL) {
        make();
        fuzz_law(json_array_size(all.transactions) > 10 && json_array_size(all.documents) > 4 &&
                     json_array_size(all.states) > 1,
                 "the story has transactions, documents and state lines");
    }
    return &all;
}
