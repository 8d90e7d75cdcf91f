/* What engines say to each other: format.md section 10, both ways. Messages are canonical JSON; who
 * sent one is known from the channel that it came by, never from the message. */
#ifndef FIRMIANA_LEDGER_ENGINE_MESSAGE_H
#define FIRMIANA_LEDGER_ENGINE_MESSAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/proof/log_proof.h"

enum ledger_message_kind {
    LEDGER_MESSAGE_SUBMIT,     /* a transaction, to the sequencer */
    LEDGER_MESSAGE_RECEIPT,    /* what the sequencer made of it */
    LEDGER_MESSAGE_BLOCK,      /* a new block, with the sequencer's cosignature */
    LEDGER_MESSAGE_CHECKPOINT, /* one or more cosignatures over one state */
    LEDGER_MESSAGE_HEAD,       /* where the sender stands */
    LEDGER_MESSAGE_WANT,       /* blocks from a height on, please */
    LEDGER_MESSAGE_BLOCKS,     /* the answer: some of them */
    LEDGER_MESSAGE_EPOCH,      /* an approval of, or a promise to, another sequencer */
    LEDGER_MESSAGE_COUNT
};

enum ledger_receipt_status {
    LEDGER_RECEIPT_ADMITTED, /* waits for a block */
    LEDGER_RECEIPT_KNOWN,    /* is in a block already */
    LEDGER_RECEIPT_FULL,     /* no room now: it will be sent again */
    LEDGER_RECEIPT_DROPPED,  /* cannot enter a block; detail says why */
    LEDGER_RECEIPT_COUNT
};

/* More blocks than this in one message are an error. */
#define LEDGER_MESSAGE_BLOCKS_MAX 1024
/* A block leaf is no longer than this. */
#define LEDGER_MESSAGE_LEAF_MAX 512

/* One message. Only the members of its kind have a meaning. */
struct ledger_message {
    enum ledger_message_kind kind;
    struct base_buf tx; /* SUBMIT, EPOCH */
    uint8_t id[32];     /* RECEIPT */
    enum ledger_receipt_status status;
    const char *detail;      /* RECEIPT; NULL: none */
    struct base_buf *blocks; /* BLOCK (one), BLOCKS: in the encoding of section 9 */
    size_t n_blocks;
    const char *checkpoint;      /* BLOCK, CHECKPOINT, BLOCKS (NULL: none) */
    uint64_t height;             /* HEAD; WANT: the first wanted */
    uint64_t size, final, epoch; /* HEAD; final is a size, 0: nothing yet. size of a WANT: that of
                                    the final state that the answer must lead to; 0: any; of
                                    proven BLOCKS: the same */
    /* BLOCKS, proven (engine_proof.c), or no leaves at all: each block's leaf (an empty block's is
     * empty), and the proof that the last one's is leaf `index` of the wanted final state. */
    struct base_buf *leaves;
    size_t n_leaves;
    uint64_t index;
    struct ledger_log_proof proof;
    uint8_t root[32];
    int64_t now_ms;
    json_t *json; /* when decoded: what the strings are borrowed from */
};

/* Appends the bytes. Everything in message is lent. Errors: FM_E_MEMORY, FM_E_INPUT (a string that
 * is no UTF-8). */
fm_status ledger_message_encode(struct base_buf *out, const struct ledger_message *message,
                                struct base_err *err) FM_CHECK;

/* Strict: canonical, all members there, none unknown. Errors: FM_E_INPUT naming the member. On
 * success ledger_message_release() is due; on failure nothing is kept. */
fm_status ledger_message_decode(struct ledger_message *message, const void *bytes, size_t len,
                                struct base_err *err) FM_CHECK;
void ledger_message_release(struct ledger_message *message);

/* The name of a kind, as in "m". kind must be in range. */
const char *ledger_message_name(enum ledger_message_kind kind);

/* The longest message of a ledger with these limits and so many members: what a channel must carry,
 * and what the engine refuses to decode beyond. */
size_t ledger_message_max(uint64_t block_bytes, uint64_t block_txs, size_t members);
/* The longest encoding of one block (section 9), which also bounds all blocks of one `blocks`. */
size_t ledger_message_block_max(uint64_t block_bytes, uint64_t block_txs);

#endif
