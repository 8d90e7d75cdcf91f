#include "ledger/machine/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const char magic[8] = {'F', 'M', 'B', 'L', 'O', 'C', 'K', '1'};
static const char vouching[8] = {'F', 'M', 'B', 'L', 'O', 'C', 'K', '2'};

fm_status ledger_block_encode(struct base_buf *out, const struct ledger_block *block,
                              struct base_err *err)
{
    size_t i;

    if (block->count > UINT32_MAX || block->time_ms < 0)
        return base_err_set(err, FM_E_ARG, "a block's time or number of transactions is no such");
    base_buf_put(out, block->vouched > 0 ? vouching : magic, sizeof magic);
    base_buf_put_u64(out, block->height);
    base_buf_put_u64(out, (uint64_t)block->time_ms);
    if (block->vouched > 0)
        base_buf_put_u32(out, (uint32_t)block->vouched);
    base_buf_put_u32(out, (uint32_t)block->count);
    for (i = 0; i < block->count; i++) {
        if (block->txs[i].len > UINT32_MAX)
            return base_err_set(err, FM_E_ARG, "a transaction is longer than 2^32 bytes");
        base_buf_put_u32(out, (uint32_t)block->txs[i].len);
        base_buf_put(out, block->txs[i].p, block->txs[i].len);
    }
    return base_buf_status(out, "block", err);
}

fm_status ledger_block_decode(struct ledger_block *block, struct ledger_bytes **txs,
                              const void *bytes, size_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    const uint8_t *head = base_cur_take(&cur, sizeof magic);
    struct ledger_bytes *list;
    uint64_t time_ms;
    bool vouches = head != NULL && memcmp(head, vouching, sizeof vouching) == 0;
    size_t i, count;
    fm_status st;

    *txs = NULL;
    memset(block, 0, sizeof *block);
    if (head == NULL || (!vouches && memcmp(head, magic, sizeof magic) != 0))
        return base_err_set(err, FM_E_INPUT, "block: it does not begin with FMBLOCK1 or FMBLOCK2");
    block->height = base_cur_u64(&cur);
    time_ms = base_cur_u64(&cur);
    if (vouches)
        block->vouched = base_cur_u32(&cur);
    count = base_cur_u32(&cur);
    if (cur.bad || count > cur.left / 4)
        return base_err_set(err, FM_E_INPUT, "block: truncated");
    if (vouches && (block->vouched == 0 || block->vouched > count))
        return base_err_set(err, FM_E_INPUT, "block: it vouches for none, or for more than it has");
    if (time_ms > BASE_JSON_MAX_INT)
        return base_err_set(err, FM_E_INPUT, "block: its time is no time");
    list = calloc(count + 1, sizeof *list);
    if (list == NULL)
        return base_err_memory(err, "block");
    for (i = 0; i < count && !cur.bad; i++) {
        list[i].len = base_cur_u32(&cur);
        list[i].p = base_cur_take(&cur, list[i].len);
    }
    st = base_cur_end(&cur, "block", err);
    if (st != FM_OK) {
        free(list);
        memset(block, 0, sizeof *block);
        return st;
    }
    block->time_ms = (int64_t)time_ms;
    block->txs = list;
    block->count = count;
    *txs = list;
    return FM_OK;
}
