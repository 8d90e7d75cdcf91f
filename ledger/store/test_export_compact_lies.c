/* Compact bundles that lie: that hide what changed a member's keys, standing or the rules, or whose
 * lines say what they may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/proof/log.h"
#include "ledger/store/test_export_compact.h"

/* ---- hiding ---- */

static fm_status leaf_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                           struct base_err *e)
{
    struct ledger_log log = {0};

    (void)ctx;
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        struct ledger_entry entry;
        uint8_t hash[32];
        fm_status st = ledger_reader_leaf(ledger_chain_reader(compact_town.chain), &entry, i, e);
        if (st != FM_OK)
            return st;
        ledger_log_leaf_hash(hash, entry.payload_hash);
        ledger_log_append(&log, hash, NULL);
        ledger_entry_release(&entry);
    }
    ledger_log_root(out32, &log);
    return FM_OK;
}

static fm_status put_bytes(void *ctx, const void *bytes, size_t len, struct base_err *e)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "bundle", e);
}

static void put_skip(struct base_buf *out, uint64_t from, uint64_t to)
{
    const struct ledger_bundle_sink sink = {put_bytes, out};
    uint8_t hash[128][32];
    size_t n = 0;

    for (uint64_t at = from; at < to; n++) {
        unsigned level = ledger_log_gap_level(at, to);
        compact_must(leaf_node(NULL, hash[n], level, at >> level, &compact_err));
        at += (uint64_t)1 << level;
    }
    compact_must(ledger_bundle_skip(&sink, from, to, hash[0], n, &compact_err));
}

/* A liar's bundle: as the honest one, but the leaves [from, to) are left out, with the right hashes
 * in their place, and no state lines of this beginning (NULL: all stay). */
static struct base_buf hide(const struct base_buf *honest, uint64_t from, uint64_t to,
                            const char *without)
{
    static struct ledger_bytes line[256];
    struct base_buf out = {0};
    uint64_t at = 0;
    size_t n = compact_split(line, 256, honest);

    for (size_t i = 0; i < n; i++) {
        json_t *json = NULL;
        const json_t *leaf;
        compact_must(
            base_json_parse(&json, (const char *)line[i].p, line[i].len - 1, &compact_err));
        leaf = json_object_get(json, "leaf");
        if (leaf != NULL && json_object_get(json, "to") == NULL &&
            ((uint64_t)json_integer_value(leaf) < from ||
             (uint64_t)json_integer_value(leaf) >= to)) {
            if (at < (uint64_t)json_integer_value(leaf))
                put_skip(&out, at, (uint64_t)json_integer_value(leaf));
            at = (uint64_t)json_integer_value(leaf) + 1;
            base_buf_put(&out, line[i].p, line[i].len);
        } else if (leaf == NULL) {
            const char *key = json_string_value(json_object_get(json, "state"));
            if (key == NULL || without == NULL || strncmp(key, without, strlen(without)) != 0)
                base_buf_put(&out, line[i].p, line[i].len);
        }
        json_decref(json);
    }
    return out;
}

/* The last accepted entry of a type. */
static uint64_t last_of(const char *type)
{
    uint64_t leaf = ledger_chain_head(compact_town.chain)->log_size;

    for (;;) {
        struct ledger_entry entry;
        bool it;
        compact_must(ledger_reader_leaf(ledger_chain_reader(compact_town.chain), &entry, --leaf,
                                        &compact_err));
        it = !entry.is_block && strcmp(entry.type, type) == 0 && entry.rule[0] == '\0';
        ledger_entry_release(&entry);
        if (it)
            return leaf;
    }
}

static void hidden(const struct base_buf *honest, uint64_t from, uint64_t to, const char *without,
                   const char *text)
{
    struct base_buf lie = hide(honest, from, to, without);

    compact_refused(&lie, text);
    base_buf_release(&lie);
}

void test_hidden(void **state)
{
    static const char incomplete[] = "a compact bundle proves of every member";
    struct base_buf honest, same;
    uint64_t rotation, vote, parameters, size;

    (void)state;
    compact_tell();
    compact_finish();
    honest = compact_two_of_them();
    same = hide(&honest, 0, 0, NULL);
    assert_true(same.len == honest.len && memcmp(same.p, honest.p, same.len) == 0);
    base_buf_release(&same);
    rotation = last_of("did.update");
    vote = last_of("member.vote");
    parameters = last_of("parameter.propose");
    size = ledger_chain_head(compact_town.chain)->log_size;
    /* bank_c's rotation, with its block's leaf; the vote that suspended; what switched the rules.
     */
    hidden(&honest, rotation, rotation + 2, NULL, "must disclose those that change members");
    hidden(&honest, vote, vote + 2, NULL, "'member/regulator' is not what");
    hidden(&honest, parameters, parameters + 2, NULL, "no such proposal is open");
    hidden(&honest, parameters, rotation, NULL, "where what was voted leads to version 2");
    /* ... and without the lines that tell. */
    hidden(&honest, rotation, rotation + 2, "did/", incomplete);
    hidden(&honest, vote, vote + 2, "member/", incomplete);
    hidden(&honest, 0, 0, "param", incomplete);
    /* The leaf of a block: what stands before it is of no block that is shown, or of another. */
    hidden(&honest, size - 1, size, NULL, "the log does not end with a block leaf");
    hidden(&honest, rotation + 1, rotation + 2, NULL, "is of a block whose leaf is left out");
    hidden(&honest, 0, 1, NULL, "the log begins with the genesis block");
    base_buf_release(&honest);
}

/* ---- lines that say what they may not ---- */

typedef bool change_fn(json_t *line); /* false: not this line */

static bool set(json_t *line, const char *name, json_t *value)
{
    return json_object_set_new(line, name, value) == 0;
}

static bool change_hashes(json_t *line, size_t n)
{
    const json_t *text = json_object_get(line, "hashes");
    struct base_buf bytes = {0}, out = {0};

    if (text == NULL)
        return false;
    assert_true(base_unbase64url(&bytes, json_string_value(text), json_string_length(text)));
    (void)base_buf_extend(&bytes, 32); /* one more, whatever it is */
    memset(bytes.p + bytes.len - 32, 0, 32);
    base_base64url(&out, bytes.p, bytes.len - 32 * n);
    (void)set(line, "hashes", json_string(base_buf_cstr(&out)));
    base_buf_release(&bytes);
    base_buf_release(&out);
    return true;
}

static bool one_hash_more(json_t *line)
{
    return change_hashes(line, 0);
}

static bool one_hash_less(json_t *line)
{
    return change_hashes(line, 2);
}

static bool skip_nothing(json_t *line)
{
    return json_object_get(line, "to") != NULL &&
           set(line, "to", json_incref(json_object_get(line, "leaf")));
}

static bool no_proof(json_t *line)
{
    return json_object_del(line, "results") == 0;
}

static bool no_payload(json_t *line)
{
    return json_object_get(line, "result") != NULL && json_object_del(line, "payload") == 0 &&
           json_object_del(line, "results") == 0 &&
           set(line, "payload_hash",
               json_string("00000000000000000000000000000000000000000000000000000000000000ff"));
}

static bool own_document(json_t *line)
{
    const char *key = json_string_value(json_object_get(line, "state"));

    return key != NULL && strncmp(key, "did/", 4) == 0 &&
           set(json_object_get(line, "value"), "document", json_object());
}

static bool block_of_many(json_t *line)
{
    json_t *payload = json_object_get(line, "payload");

    return json_integer_value(json_object_get(payload, "height")) > 0 &&
           json_object_get(payload, "txs") != NULL && set(payload, "txs", json_integer(999));
}

/* The vote that suspended stands in the block behind another vote's: each is shown. */
static bool other_previous(json_t *line)
{
    static json_int_t before;
    json_t *payload = json_object_get(line, "payload");
    json_int_t leaf = json_integer_value(json_object_get(line, "leaf")),
               txs = json_integer_value(json_object_get(payload, "txs"));
    bool next;

    if (json_object_get(payload, "prev") == NULL)
        return false;
    next = before > 0 && leaf - txs == before + 1;
    before = leaf;
    return next &&
           set(payload, "prev",
               json_string("00000000000000000000000000000000000000000000000000000000000000ff"));
}

static bool first_format(json_t *line)
{
    return json_object_get(line, "bundle") != NULL && set(line, "bundle", json_integer(1));
}

static void edited(const struct base_buf *honest, change_fn *change, const char *text)
{
    static struct ledger_bytes line[256];
    struct base_buf out = {0};
    size_t n = compact_split(line, 256, honest);
    bool done = false;

    for (size_t i = 0; i < n; i++) {
        json_t *json = NULL;
        compact_must(
            base_json_parse(&json, (const char *)line[i].p, line[i].len - 1, &compact_err));
        done = done || change(json);
        compact_must(base_json_canonical(&out, json, &compact_err));
        base_buf_put_str(&out, "\n");
        json_decref(json);
    }
    assert_true(done);
    compact_refused(&out, text);
    base_buf_release(&out);
}

void test_shapes(void **state)
{
    struct base_buf honest;

    (void)state;
    compact_tell();
    compact_finish();
    honest = compact_two_of_them();
    edited(&honest, one_hash_more, "hashes are not those of the leaves");
    edited(&honest, one_hash_less, "hashes are not those of the leaves");
    edited(&honest, skip_nothing, "it leaves nothing out");
    edited(&honest, no_proof, "a transaction stands with its result's proof");
    edited(&honest, no_payload, "a transaction stands with its result's proof");
    edited(&honest, own_document, "a document stands for itself");
    edited(&honest, block_of_many, "it counts 999 transactions, there is room for");
    edited(&honest, other_previous, "prev: it is not the hash of what stands before");
    edited(&honest, first_format, "format 1 leaves no leaf out");
    base_buf_release(&honest);
}
