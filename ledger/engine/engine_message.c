#include "ledger/engine/engine_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const char *const kind_names[LEDGER_MESSAGE_COUNT] = {
    [LEDGER_MESSAGE_SUBMIT] = "submit", [LEDGER_MESSAGE_RECEIPT] = "receipt",
    [LEDGER_MESSAGE_BLOCK] = "block",   [LEDGER_MESSAGE_CHECKPOINT] = "checkpoint",
    [LEDGER_MESSAGE_HEAD] = "head",     [LEDGER_MESSAGE_WANT] = "want",
    [LEDGER_MESSAGE_BLOCKS] = "blocks", [LEDGER_MESSAGE_EPOCH] = "epoch",
};

static const char *const status_names[LEDGER_RECEIPT_COUNT] = {
    [LEDGER_RECEIPT_ADMITTED] = "admitted",
    [LEDGER_RECEIPT_KNOWN] = "known",
    [LEDGER_RECEIPT_FULL] = "full",
    [LEDGER_RECEIPT_DROPPED] = "dropped",
};

const char *ledger_message_name(enum ledger_message_kind kind)
{
    return kind_names[kind];
}

size_t ledger_message_block_max(uint64_t block_bytes, uint64_t block_txs)
{
    return (size_t)(28 + block_bytes + 4 * block_txs);
}

/* base64url takes 4 characters for 3 bytes; a cosignature line takes less than 256 bytes; a block
 * or leaf in a list 3 bytes of punctuation, a hash of the proof 67 bytes; 4096 are more than all
 * fixed members. */
size_t ledger_message_max(uint64_t block_bytes, uint64_t block_txs, size_t members)
{
    return ledger_message_block_max(block_bytes, block_txs) / 3 * 4 + 256 * members +
           (8 + (LEDGER_MESSAGE_LEAF_MAX + 2) / 3 * 4 + 4) * LEDGER_MESSAGE_BLOCKS_MAX +
           68 * LEDGER_LOG_PROOF_MAX + 4096;
}

/* ---- writing ---- */

static json_t *text_of(const struct base_buf *bytes)
{
    struct base_buf text = {0};
    json_t *v = NULL;

    base_base64url(&text, bytes->p, bytes->len);
    if (!text.failed)
        v = json_stringn_nocheck(base_buf_cstr(&text), text.len); /* ASCII */
    base_buf_release(&text);
    return v;
}

static json_t *hex_of(const uint8_t bytes32[32])
{
    char text[65];

    base_hex(text, bytes32, 32);
    return json_string(text);
}

static json_t *int_of(uint64_t v)
{
    return json_integer((json_int_t)v);
}

static json_t *list_of(const struct base_buf *items, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < n; i++) {
        if (json_array_append_new(list, text_of(&items[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

/* 0 when all members could be set (json_object_set_new() refuses NULL values). */
static int fill(json_t *o, const struct ledger_message *m)
{
    int bad = 0;

    switch (m->kind) {
    case LEDGER_MESSAGE_SUBMIT:
    case LEDGER_MESSAGE_EPOCH:
        bad |= json_object_set_new(o, "tx", text_of(&m->tx));
        break;
    case LEDGER_MESSAGE_RECEIPT:
        bad |= json_object_set_new(o, "tx", hex_of(m->id));
        bad |= json_object_set_new(o, "status", json_string(status_names[m->status]));
        if (m->detail != NULL)
            bad |= json_object_set_new(o, "detail", json_string(m->detail));
        break;
    case LEDGER_MESSAGE_BLOCK:
        bad |= json_object_set_new(o, "block", text_of(&m->blocks[0]));
        bad |= json_object_set_new(o, "checkpoint", json_string(m->checkpoint));
        break;
    case LEDGER_MESSAGE_CHECKPOINT:
        bad |= json_object_set_new(o, "checkpoint", json_string(m->checkpoint));
        break;
    case LEDGER_MESSAGE_HEAD:
        bad |= json_object_set_new(o, "height", int_of(m->height));
        bad |= json_object_set_new(o, "size", int_of(m->size));
        bad |= json_object_set_new(o, "final", int_of(m->final));
        bad |= json_object_set_new(o, "epoch", int_of(m->epoch));
        bad |= json_object_set_new(o, "root", hex_of(m->root));
        bad |= json_object_set_new(o, "now", json_integer(m->now_ms));
        break;
    case LEDGER_MESSAGE_WANT:
        bad |= json_object_set_new(o, "from", int_of(m->height));
        if (m->size > 0)
            bad |= json_object_set_new(o, "size", int_of(m->size));
        break;
    case LEDGER_MESSAGE_BLOCKS:
    case LEDGER_MESSAGE_COUNT:
    default:
        bad |= json_object_set_new(o, "blocks", list_of(m->blocks, m->n_blocks));
        if (m->n_leaves > 0) {
            bad |= json_object_set_new(o, "leaves", list_of(m->leaves, m->n_leaves));
            bad |= json_object_set_new(o, "index", int_of(m->index));
            bad |= json_object_set_new(o, "size", int_of(m->size));
            bad |= json_object_set_new(o, "proof", ledger_log_proof_json(&m->proof));
        }
        if (m->checkpoint != NULL)
            bad |= json_object_set_new(o, "checkpoint", json_string(m->checkpoint));
    }
    return bad;
}

fm_status ledger_message_encode(struct base_buf *out, const struct ledger_message *message,
                                struct base_err *err)
{
    json_t *o = json_pack("{s:s}", "m", kind_names[message->kind]);
    fm_status st;

    if (o == NULL || fill(o, message) != 0)
        st = base_err_memory(err, "engine message");
    else
        st = base_json_canonical(out, o, err);
    json_decref(o);
    return st;
}

/* ---- reading ---- */

static fm_status get_count(uint64_t *out, const json_t *o, const char *name, struct base_err *err)
{
    int64_t v;
    fm_status st = base_json_get_int(&v, o, name, err);

    *out = 0;
    if (st != FM_OK)
        return st;
    if (v < 0)
        return base_err_set(err, FM_E_INPUT, "member '%s' must not be negative", name);
    *out = (uint64_t)v;
    return FM_OK;
}

static fm_status bytes_of(struct base_buf *out, const json_t *v, const char *name,
                          struct base_err *err)
{
    if (!json_is_string(v) || !base_unbase64url(out, json_string_value(v), json_string_length(v)))
        return base_err_set(err, FM_E_INPUT, "member '%s' must be base64url", name);
    return base_buf_status(out, "engine message", err);
}

static fm_status get_list(struct base_buf **out, size_t *n, const json_t *o, const char *name,
                          struct base_err *err)
{
    json_t *list = NULL;
    fm_status st = base_json_get_array(&list, o, name, err);

    if (st != FM_OK)
        return st;
    if (json_array_size(list) > LEDGER_MESSAGE_BLOCKS_MAX)
        return base_err_set(err, FM_E_INPUT, "member '%s' has more than %d elements", name,
                            LEDGER_MESSAGE_BLOCKS_MAX);
    *out = calloc(json_array_size(list) + 1, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "engine message");
    for (; st == FM_OK && *n < json_array_size(list); ++*n)
        st = bytes_of(&(*out)[*n], json_array_get(list, *n), name, err);
    return st;
}

/* All of the four members that prove the blocks, or none. */
static fm_status get_proof(struct ledger_message *m, struct base_err *err)
{
    json_t *proof = NULL;
    fm_status st = get_list(&m->leaves, &m->n_leaves, m->json, "leaves", err);

    if (st == FM_OK && (m->n_leaves == 0 || m->n_leaves != m->n_blocks))
        st = base_err_set(err, FM_E_INPUT, "member 'leaves' must have one for each block");
    if (st == FM_OK)
        st = get_count(&m->index, m->json, "index", err);
    if (st == FM_OK)
        st = get_count(&m->size, m->json, "size", err);
    if (st == FM_OK)
        st = base_json_get_array(&proof, m->json, "proof", err);
    return st == FM_OK ? ledger_log_proof_parse(&m->proof, proof, err) : st;
}

static fm_status read_submit(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"m", "tx", NULL};
    fm_status st = base_json_only(m->json, names, err);

    return st != FM_OK ? st : bytes_of(&m->tx, json_object_get(m->json, "tx"), "tx", err);
}

static fm_status read_receipt(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"detail", "m", "status", "tx", NULL};
    const char *status;
    fm_status st = base_json_only(m->json, names, err);

    if (st == FM_OK)
        st = base_json_get_hex(m->id, sizeof m->id, m->json, "tx", err);
    if (st == FM_OK && json_object_get(m->json, "detail") != NULL)
        st = base_json_get_str(&m->detail, m->json, "detail", err);
    if (st == FM_OK)
        st = base_json_get_str(&status, m->json, "status", err);
    if (st != FM_OK)
        return st;
    for (m->status = 0; m->status < LEDGER_RECEIPT_COUNT; m->status++)
        if (strcmp(status, status_names[m->status]) == 0)
            return FM_OK;
    return base_err_set(err, FM_E_INPUT, "member 'status' is none of the known ones");
}

static fm_status read_block(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"block", "checkpoint", "m", NULL};
    fm_status st = base_json_only(m->json, names, err);

    if (st == FM_OK)
        st = base_json_get_str(&m->checkpoint, m->json, "checkpoint", err);
    if (st != FM_OK)
        return st;
    m->blocks = calloc(1, sizeof *m->blocks);
    if (m->blocks == NULL)
        return base_err_memory(err, "engine message");
    m->n_blocks = 1;
    return bytes_of(&m->blocks[0], json_object_get(m->json, "block"), "block", err);
}

static fm_status read_checkpoint(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"checkpoint", "m", NULL};
    fm_status st = base_json_only(m->json, names, err);

    return st != FM_OK ? st : base_json_get_str(&m->checkpoint, m->json, "checkpoint", err);
}

static fm_status read_head(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"epoch", "final", "height", "m",
                                        "now",   "root",  "size",   NULL};
    fm_status st = base_json_only(m->json, names, err);

    if (st == FM_OK)
        st = get_count(&m->epoch, m->json, "epoch", err);
    if (st == FM_OK)
        st = get_count(&m->final, m->json, "final", err);
    if (st == FM_OK)
        st = get_count(&m->height, m->json, "height", err);
    if (st == FM_OK)
        st = get_count(&m->size, m->json, "size", err);
    if (st == FM_OK)
        st = base_json_get_int(&m->now_ms, m->json, "now", err);
    if (st == FM_OK)
        st = base_json_get_hex(m->root, sizeof m->root, m->json, "root", err);
    return st;
}

static fm_status read_want(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"from", "m", "size", NULL};
    fm_status st = base_json_only(m->json, names, err);

    if (st == FM_OK)
        st = get_count(&m->height, m->json, "from", err);
    if (st == FM_OK && json_object_get(m->json, "size") != NULL)
        st = get_count(&m->size, m->json, "size", err);
    if (st == FM_OK && m->size == 0 && json_object_get(m->json, "size") != NULL)
        st = base_err_set(err, FM_E_INPUT, "member 'size' must not be 0: leave it out");
    return st;
}

static fm_status read_blocks(struct ledger_message *m, struct base_err *err)
{
    static const char *const names[] = {"blocks", "checkpoint", "index", "leaves",
                                        "m",      "proof",      "size",  NULL};
    static const char *const of_proof[] = {"leaves", "index", "size", "proof"};
    fm_status st = base_json_only(m->json, names, err);

    if (st == FM_OK && json_object_get(m->json, "checkpoint") != NULL)
        st = base_json_get_str(&m->checkpoint, m->json, "checkpoint", err);
    if (st == FM_OK)
        st = get_list(&m->blocks, &m->n_blocks, m->json, "blocks", err);
    /* The others alone are refused as members that are missing. */
    for (size_t i = 0; st == FM_OK && i < 4; i++)
        if (json_object_get(m->json, of_proof[i]) != NULL)
            return get_proof(m, err);
    return st;
}

typedef fm_status reader_fn(struct ledger_message *message, struct base_err *err);
static reader_fn *const readers[LEDGER_MESSAGE_COUNT] = {
    [LEDGER_MESSAGE_SUBMIT] = read_submit, [LEDGER_MESSAGE_RECEIPT] = read_receipt,
    [LEDGER_MESSAGE_BLOCK] = read_block,   [LEDGER_MESSAGE_CHECKPOINT] = read_checkpoint,
    [LEDGER_MESSAGE_HEAD] = read_head,     [LEDGER_MESSAGE_WANT] = read_want,
    [LEDGER_MESSAGE_BLOCKS] = read_blocks, [LEDGER_MESSAGE_EPOCH] = read_submit,
};

fm_status ledger_message_decode(struct ledger_message *message, const void *bytes, size_t len,
                                struct base_err *err)
{
    const char *name;
    fm_status st;

    *message = (struct ledger_message){0};
    st = base_json_parse_canonical(&message->json, bytes, len, err);
    if (st != FM_OK)
        return st;
    st = base_json_get_str(&name, message->json, "m", err);
    if (st != FM_OK)
        goto fail;
    while (message->kind < LEDGER_MESSAGE_COUNT && strcmp(name, kind_names[message->kind]) != 0)
        message->kind++;
    if (message->kind == LEDGER_MESSAGE_COUNT) {
        st = base_err_set(err, FM_E_INPUT, "no engine message is called '%.16s'", name);
        goto fail;
    }
    st = readers[message->kind](message, err);
    if (st != FM_OK) {
        st = base_err_prefix(err, "%s", kind_names[message->kind]);
        goto fail;
    }
    return FM_OK;
fail:
    ledger_message_release(message);
    return st;
}

void ledger_message_release(struct ledger_message *message)
{
    base_buf_release(&message->tx);
    for (size_t i = 0; i < message->n_blocks; i++)
        base_buf_release(&message->blocks[i]);
    free(message->blocks);
    for (size_t i = 0; i < message->n_leaves; i++)
        base_buf_release(&message->leaves[i]);
    free(message->leaves);
    json_decref(message->json);
    *message = (struct ledger_message){0};
}
