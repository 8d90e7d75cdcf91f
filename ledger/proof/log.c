#include "ledger/proof/log.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

void ledger_log_leaf_hash(uint8_t out32[32], const uint8_t data32[32])
{
    uint8_t in[1 + 32];

    in[0] = 0x00;
    memcpy(in + 1, data32, 32);
    base_hash(out32, in, sizeof in);
}

void ledger_log_leaf_hash_of(uint8_t out32[32], const void *payload, size_t len)
{
    uint8_t data[32];

    base_hash(data, payload, len);
    ledger_log_leaf_hash(out32, data);
}

void ledger_log_node_hash(uint8_t out32[32], const uint8_t left32[32], const uint8_t right32[32])
{
    uint8_t in[1 + 64];

    in[0] = 0x01;
    memcpy(in + 1, left32, 32);
    memcpy(in + 33, right32, 32);
    base_hash(out32, in, sizeof in);
}

/* Adding one to the size, counted in subtrees of this level, carries through its trailing ones;
 * each carry joins two equal subtrees. */
void ledger_log_append_node(struct ledger_log *log, unsigned level, const uint8_t hash32[32],
                            const struct ledger_log_sink *sink)
{
    const uint64_t more = (uint64_t)1 << level;
    uint8_t hash[32];

    assert(level < 63 && log->size % more == 0 && log->size <= INT64_MAX - more);
    memcpy(hash, hash32, 32);
    if (sink != NULL)
        sink->node(sink->ctx, level, log->size >> level, hash);
    while ((log->size >> level & 1) != 0) {
        ledger_log_node_hash(hash, log->node[level], hash);
        level++;
        if (sink != NULL)
            sink->node(sink->ctx, level, log->size >> level, hash);
    }
    memcpy(log->node[level], hash, 32);
    log->size += more;
}

void ledger_log_append(struct ledger_log *log, const uint8_t leaf_hash32[32],
                       const struct ledger_log_sink *sink)
{
    ledger_log_append_node(log, 0, leaf_hash32, sink);
}

unsigned ledger_log_gap_level(uint64_t from, uint64_t to)
{
    unsigned level = 0;

    assert(from < to);
    while (level < 62 && from % ((uint64_t)2 << level) == 0 && to - from >= (uint64_t)2 << level)
        level++;
    return level;
}

void ledger_log_root(uint8_t out32[32], const struct ledger_log *log)
{
    unsigned level = 0;

    if (log->size == 0) {
        base_hash(out32, "", 0);
        return;
    }
    while ((log->size >> level & 1) == 0)
        level++;
    memcpy(out32, log->node[level], 32);
    for (level++; level < 64; level++) {
        if ((log->size >> level & 1) != 0)
            ledger_log_node_hash(out32, log->node[level], out32);
    }
}

void ledger_log_encode(struct base_buf *out, const struct ledger_log *log)
{
    base_buf_put_u64(out, log->size);
    for (unsigned level = 64; level-- > 0;) {
        if ((log->size >> level & 1) != 0)
            base_buf_put(out, log->node[level], 32);
    }
}

fm_status ledger_log_decode(struct ledger_log *log, const void *bytes, size_t len,
                            struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);

    memset(log, 0, sizeof *log);
    log->size = base_cur_u64(&cur);
    for (unsigned level = 64; level-- > 0;) {
        if ((log->size >> level & 1) != 0)
            base_cur_copy(&cur, log->node[level], 32);
    }
    return base_cur_end(&cur, "log frontier", err);
}
