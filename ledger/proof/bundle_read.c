#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/bundle.h"
#include "ledger/proof/shape.h"

#define CHUNK 65536

void ledger_bundle_reader_init(struct ledger_bundle_reader *reader,
                               const struct ledger_bundle_source *source)
{
    *reader = (struct ledger_bundle_reader){.source = *source, .kind = LEDGER_BUNDLE_END};
}

void ledger_bundle_reader_release(struct ledger_bundle_reader *reader)
{
    json_decref(reader->json);
    base_buf_release(&reader->buf);
    base_buf_release(&reader->hashes);
    *reader = (struct ledger_bundle_reader){.kind = LEDGER_BUNDLE_END};
}

/* ---- lines ---- */

/* Moves what is not consumed to the front and reads more behind it. */
static fm_status fill(struct ledger_bundle_reader *reader, struct base_err *err)
{
    struct base_buf *buf = &reader->buf;
    size_t got = 0;
    uint8_t *to;
    fm_status st;

    if (reader->at > 0) {
        memmove(buf->p, buf->p + reader->at, buf->len - reader->at);
        buf->len -= reader->at;
        reader->at = 0;
    }
    to = base_buf_extend(buf, CHUNK);
    if (to == NULL)
        return base_err_memory(err, "bundle");
    st = reader->source.read(reader->source.ctx, to, CHUNK, &got, err);
    buf->len -= CHUNK - (st == FM_OK ? got : 0);
    reader->ended = st == FM_OK && got == 0;
    return st;
}

/* The next line without its newline; *len is SIZE_MAX at the end. */
static fm_status next_line(struct ledger_bundle_reader *reader, const uint8_t **line, size_t *len,
                           struct base_err *err)
{
    size_t looked = 0;

    for (;;) {
        size_t have = reader->buf.len - reader->at;
        const uint8_t *from = have > 0 ? reader->buf.p + reader->at : (const uint8_t *)"";
        const uint8_t *end = memchr(from + looked, '\n', have - looked);
        fm_status st;

        if (end != NULL) {
            *line = from;
            *len = (size_t)(end - from);
            reader->at += *len + 1;
            return FM_OK;
        }
        if (reader->ended && have == 0) {
            *len = SIZE_MAX;
            return FM_OK;
        }
        if (reader->ended)
            return base_err_set(err, FM_E_INPUT, "the last line is not ended");
        if (have > LEDGER_BUNDLE_LINE_MAX)
            return base_err_set(err, FM_E_INPUT, "longer than %zu bytes", LEDGER_BUNDLE_LINE_MAX);
        looked = have;
        st = fill(reader, err);
        if (st != FM_OK)
            return st;
    }
}

/* ---- what is on a line ---- */

static const struct ledger_member genesis_members[] = {
    {"bundle", LEDGER_IS_COUNT, false},
    {"chain", LEDGER_IS_HASH, false},
    {"genesis", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member leaf_members[] = {
    {"leaf", LEDGER_IS_NUMBER, false},
    {"payload", LEDGER_IS_OBJECT, false},
    {"result", LEDGER_IS_OBJECT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member proven_members[] = {
    {"leaf", LEDGER_IS_NUMBER, false},   {"payload", LEDGER_IS_OBJECT, false},
    {"result", LEDGER_IS_OBJECT, false}, {"results", LEDGER_IS_HASHES, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member skip_members[] = {
    {"hashes", LEDGER_IS_HASHES, false},
    {"leaf", LEDGER_IS_NUMBER, false},
    {"to", LEDGER_IS_COUNT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member hidden_members[] = {
    {"leaf", LEDGER_IS_NUMBER, false},
    {"payload_hash", LEDGER_IS_HASH, false},
    {"result", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member state_members[] = {
    {"state", LEDGER_IS_TEXT, false},
    {"value", LEDGER_IS_OBJECT, true},
    {"proof", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const char *const checkpoint_members[] = {"checkpoint", NULL};

static fm_status read_genesis(struct ledger_bundle_reader *r, struct base_err *err)
{
    fm_status st = ledger_shape_check(r->json, genesis_members, err);

    json_int_t format = json_integer_value(json_object_get(r->json, "bundle"));

    r->kind = LEDGER_BUNDLE_GENESIS;
    if (st == FM_OK && format != LEDGER_BUNDLE_WHOLE && format != LEDGER_BUNDLE_COMPACT)
        st = base_err_set(err, FM_E_INPUT, "this tool reads bundles of formats 1 and 2");
    r->format = format == LEDGER_BUNDLE_COMPACT ? LEDGER_BUNDLE_COMPACT : LEDGER_BUNDLE_WHOLE;
    if (st == FM_OK)
        st = base_json_get_hex(r->chain, 32, r->json, "chain", err);
    r->genesis = json_object_get(r->json, "genesis");
    return st;
}

/* The payload's bytes are found on the line itself: what stands before and after them is known to
 * the byte, because the line is canonical. */
static void hash_payload(struct ledger_bundle_reader *r, const uint8_t *line, size_t len,
                         size_t result_len)
{
    const json_t *results = json_object_get(r->json, "results");
    char head[64];
    int n = snprintf(head, sizeof head, "{\"leaf\":%llu,\"payload\":", (unsigned long long)r->leaf);
    size_t tail = 1 + (r->result != NULL ? strlen(",\"result\":") + result_len : 0) +
                  (results != NULL ? strlen(",\"results\":\"\"") + json_string_length(results) : 0);

    r->payload_len = len - (size_t)n - tail;
    base_hash(r->payload_hash, line + n, r->payload_len);
}

static fm_status take_hashes(struct ledger_bundle_reader *r, const char *name, struct base_err *err)
{
    const json_t *text = json_object_get(r->json, name);

    if (base_unbase64url(&r->hashes, json_string_value(text), json_string_length(text)) &&
        r->hashes.len % 32 == 0)
        return base_buf_status(&r->hashes, "bundle line", err);
    return base_err_set(err, FM_E_INPUT, "member '%s' is not base64url of hashes", name);
}

static fm_status read_skip(struct ledger_bundle_reader *r, struct base_err *err)
{
    fm_status st = ledger_shape_check(r->json, skip_members, err);

    r->kind = LEDGER_BUNDLE_SKIP;
    r->leaf = (uint64_t)json_integer_value(json_object_get(r->json, "leaf"));
    r->to = (uint64_t)json_integer_value(json_object_get(r->json, "to"));
    if (st == FM_OK && r->format != LEDGER_BUNDLE_COMPACT)
        st = base_err_set(err, FM_E_INPUT, "a bundle of format 1 leaves no leaf out");
    if (st == FM_OK && r->to <= r->leaf)
        st = base_err_set(err, FM_E_INPUT, "it leaves nothing out");
    return st == FM_OK ? take_hashes(r, "hashes", err) : st;
}

static fm_status read_leaf(struct ledger_bundle_reader *r, const uint8_t *line, size_t len,
                           struct base_err *err)
{
    struct base_buf result = {0};
    fm_status st;

    r->kind = LEDGER_BUNDLE_LEAF;
    r->payload = json_object_get(r->json, "payload");
    r->proven = json_object_get(r->json, "results") != NULL;
    if (r->proven && r->format != LEDGER_BUNDLE_COMPACT)
        return base_err_set(err, FM_E_INPUT, "unknown member 'results'");
    st = ledger_shape_check(r->json,
                            r->proven            ? proven_members
                            : r->payload != NULL ? leaf_members
                                                 : hidden_members,
                            err);
    if (st == FM_OK && r->proven)
        st = take_hashes(r, "results", err);
    if (st != FM_OK)
        return st;
    r->leaf = (uint64_t)json_integer_value(json_object_get(r->json, "leaf"));
    r->result = json_object_get(r->json, "result");
    if (r->result != NULL) {
        st = base_json_canonical(&result, r->result, err);
        if (st == FM_OK)
            base_hash(r->result_hash, result.p, result.len);
    }
    if (st == FM_OK && r->payload != NULL)
        hash_payload(r, line, len, result.len);
    else if (st == FM_OK)
        st = base_json_get_hex(r->payload_hash, 32, r->json, "payload_hash", err);
    base_buf_release(&result);
    return st;
}

static fm_status read_state(struct ledger_bundle_reader *r, struct base_err *err)
{
    fm_status st = ledger_shape_check(r->json, state_members, err);

    r->kind = LEDGER_BUNDLE_STATE;
    r->key = json_string_value(json_object_get(r->json, "state"));
    r->value = json_object_get(r->json, "value");
    r->proof = json_object_get(r->json, "proof");
    return st;
}

static fm_status read_checkpoint(struct ledger_bundle_reader *r, struct base_err *err)
{
    fm_status st = base_json_only(r->json, checkpoint_members, err);

    r->kind = LEDGER_BUNDLE_CHECKPOINT;
    if (st == FM_OK)
        st = base_json_get_str(&r->checkpoint, r->json, "checkpoint", err);
    return st;
}

fm_status ledger_bundle_next(struct ledger_bundle_reader *reader, struct base_err *err)
{
    static const char one_line[] = "line 1, ";
    const uint8_t *line = NULL;
    size_t len = 0;
    fm_status st;

    json_decref(reader->json);
    reader->json = NULL;
    reader->payload = reader->result = reader->value = NULL;
    reader->payload_len = 0;
    reader->proven = false;
    base_buf_clear(&reader->hashes);
    reader->kind = LEDGER_BUNDLE_END;
    reader->line++;
    st = next_line(reader, &line, &len, err);
    if (st != FM_OK || len == SIZE_MAX)
        return st;
    st = base_json_parse_canonical(&reader->json, line, len, err);
    if (st != FM_OK && strncmp(err->text, one_line, strlen(one_line)) == 0) /* the caller's says */
        memmove(err->text, err->text + strlen(one_line), strlen(err->text + strlen(one_line)) + 1);
    if (st != FM_OK)
        return st;
    if (json_object_get(reader->json, "to") != NULL)
        return read_skip(reader, err);
    if (json_object_get(reader->json, "leaf") != NULL)
        return read_leaf(reader, line, len, err);
    if (json_object_get(reader->json, "state") != NULL)
        return read_state(reader, err);
    if (json_object_get(reader->json, "checkpoint") != NULL)
        return read_checkpoint(reader, err);
    if (json_object_get(reader->json, "bundle") != NULL)
        return read_genesis(reader, err);
    return base_err_set(err, FM_E_INPUT, "neither genesis, leaf, state nor checkpoint");
}
