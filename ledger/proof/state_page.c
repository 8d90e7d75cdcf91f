#include "ledger/proof/state_page.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/proof/log.h"

#define FAN_SIZE (1 + 16 * 33)

unsigned ledger_state_nibble(const uint8_t path32[32], unsigned depth)
{
    assert(depth < 64);
    return depth % 2 == 0 ? path32[depth / 2] >> 4 : path32[depth / 2] & 15;
}

unsigned ledger_state_bit(const uint8_t path32[32], unsigned depth)
{
    assert(depth < 256);
    return path32[depth / 8] >> (7 - depth % 8) & 1;
}

static size_t page_id(uint8_t out[LEDGER_STATE_ID_MAX], const uint8_t path32[32], unsigned depth)
{
    size_t n = (depth + 1) / 2;

    assert(depth <= 64);
    out[0] = (uint8_t)depth;
    memcpy(out + 1, path32, n);
    if (depth % 2 != 0)
        out[n] &= 0xf0;
    return 1 + n;
}

/* ---- bytes ---- */

static fm_status corrupt(const uint8_t path32[32], unsigned depth, const char *what,
                         struct base_err *err)
{
    char hex[65];

    base_hex(hex, path32, 32);
    hex[depth] = '\0';
    return base_err_set(err, FM_E_CORRUPT, "state tree, page '%s': %s", hex, what);
}

static fm_status load_bucket(struct ledger_state_page *page, const uint8_t *bytes, size_t len,
                             const uint8_t path32[32], unsigned depth, struct base_err *err)
{
    page->n = len / 64;
    if (page->n == 0 || page->n > LEDGER_STATE_BUCKET || len % 64 != 0)
        return corrupt(path32, depth, "a bucket of no possible length", err);
    for (size_t i = 0; i < page->n; i++) {
        struct ledger_state_leaf *leaf = &page->leaf[i];
        memcpy(leaf->path, bytes + 64 * i, 32);
        memcpy(leaf->value_hash, bytes + 64 * i + 32, 32);
        if (i > 0 && memcmp(page->leaf[i - 1].path, leaf->path, 32) >= 0)
            return corrupt(path32, depth, "its leaves are not sorted", err);
        for (unsigned d = 0; d < depth; d++) {
            if (ledger_state_nibble(leaf->path, d) != ledger_state_nibble(path32, d))
                return corrupt(path32, depth, "a leaf does not belong here", err);
        }
    }
    return FM_OK;
}

fm_status ledger_state_page_load(struct ledger_state_page *page,
                                 const struct ledger_state_pages *pages, const uint8_t path32[32],
                                 unsigned depth, struct base_err *err)
{
    uint8_t id[LEDGER_STATE_ID_MAX], bytes[LEDGER_STATE_PAGE_MAX];
    size_t len = 0;
    fm_status st = pages->get(pages->ctx, bytes, &len, id, page_id(id, path32, depth), err);

    page->kind = LEDGER_STATE_NO_PAGE;
    page->n = 0;
    if (st != FM_OK || len == 0)
        return st;
    if (bytes[0] == LEDGER_STATE_IS_BUCKET && len <= sizeof bytes) {
        page->kind = LEDGER_STATE_IS_BUCKET;
        return load_bucket(page, bytes + 1, len - 1, path32, depth, err);
    }
    if (bytes[0] != LEDGER_STATE_IS_FAN || len != FAN_SIZE || depth == 64)
        return corrupt(path32, depth, "neither bucket nor fan", err);
    page->kind = LEDGER_STATE_IS_FAN;
    for (size_t i = 0; i < 16; i++) {
        uint8_t kind = bytes[1 + 33 * i];
        if (kind > LEDGER_STATE_MORE)
            return corrupt(path32, depth, "a fan with a child of no known kind", err);
        page->child[i].kind = (enum ledger_state_kind)kind;
        memcpy(page->child[i].hash, bytes + 2 + 33 * i, 32);
    }
    return FM_OK;
}

fm_status ledger_state_page_store(const struct ledger_state_page *page,
                                  const struct ledger_state_pages *pages, const uint8_t path32[32],
                                  unsigned depth, struct base_err *err)
{
    uint8_t id[LEDGER_STATE_ID_MAX], bytes[LEDGER_STATE_PAGE_MAX];
    size_t len = 1;

    bytes[0] = (uint8_t)page->kind;
    if (page->kind == LEDGER_STATE_IS_BUCKET) {
        for (size_t i = 0; i < page->n; i++, len += 64) {
            memcpy(bytes + len, page->leaf[i].path, 32);
            memcpy(bytes + len + 32, page->leaf[i].value_hash, 32);
        }
    } else {
        for (size_t i = 0; i < 16; i++, len += 33) {
            bytes[len] = (uint8_t)page->child[i].kind;
            memcpy(bytes + len + 1, page->child[i].hash, 32);
        }
    }
    return pages->put(pages->ctx, id, page_id(id, path32, depth), bytes, len, err);
}

fm_status ledger_state_page_remove(const struct ledger_state_pages *pages, const uint8_t path32[32],
                                   unsigned depth, struct base_err *err)
{
    uint8_t id[LEDGER_STATE_ID_MAX];

    return pages->del(pages->ctx, id, page_id(id, path32, depth), err);
}

/* ---- hashes ---- */

void ledger_state_leaf_hash(uint8_t out32[32], const struct ledger_state_leaf *leaf)
{
    uint8_t in[1 + 64];

    in[0] = 0x00;
    memcpy(in + 1, leaf->path, 32);
    memcpy(in + 33, leaf->value_hash, 32);
    base_hash(out32, in, sizeof in);
}

struct ledger_state_sub ledger_state_join(const struct ledger_state_sub *left,
                                          const struct ledger_state_sub *right)
{
    struct ledger_state_sub up = {.kind = LEDGER_STATE_MORE};

    if (left->kind == LEDGER_STATE_EMPTY && right->kind != LEDGER_STATE_MORE)
        return *right;
    if (right->kind == LEDGER_STATE_EMPTY && left->kind != LEDGER_STATE_MORE)
        return *left;
    ledger_log_node_hash(up.hash, left->hash, right->hash); /* the same inner node as the log's */
    return up;
}

size_t ledger_state_split(const struct ledger_state_leaf *leaf, size_t n, unsigned depth)
{
    size_t i = 0;

    while (i < n && ledger_state_bit(leaf[i].path, depth) == 0)
        i++;
    return i;
}

struct ledger_state_sub ledger_state_leaves(const struct ledger_state_leaf *leaf, size_t n,
                                            unsigned depth)
{
    struct ledger_state_sub sub = {.kind = LEDGER_STATE_EMPTY}, left, right;
    size_t k;

    if (n == 0)
        return sub;
    if (n == 1) {
        sub.kind = LEDGER_STATE_LEAF;
        ledger_state_leaf_hash(sub.hash, leaf);
        return sub;
    }
    k = ledger_state_split(leaf, n, depth);
    left = ledger_state_leaves(leaf, k, depth + 1);
    right = ledger_state_leaves(leaf + k, n - k, depth + 1);
    return ledger_state_join(&left, &right);
}

struct ledger_state_sub ledger_state_children(const struct ledger_state_sub *child, unsigned count)
{
    struct ledger_state_sub row[16];

    assert(count >= 1 && count <= 16);
    memcpy(row, child, count * sizeof *row);
    for (; count > 1; count /= 2) {
        for (unsigned i = 0; i < count / 2; i++)
            row[i] = ledger_state_join(&row[2 * i], &row[2 * i + 1]);
    }
    return row[0];
}
