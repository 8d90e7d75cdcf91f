/* A block, as engines hand it to the machine and as replicas hand it to each other, and what became
 * of each of its transactions. */
#ifndef FIRMIANA_LEDGER_BLOCK_H
#define FIRMIANA_LEDGER_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/proof/rules.h"

/* Bytes that someone else owns. */
struct ledger_bytes {
    const uint8_t *p;
    size_t len;
};

/* Height and time follow the head's: height by one, time strictly later. txs are the canonical
 * transactions, proofs included, in order; the block owns neither the array nor the bytes. The
 * first `vouched` of them are none: entries that the engine itself puts there, which nobody signed
 * (ledger/proof/misbehavior.h). They count against no limit of a block. */
struct ledger_block {
    uint64_t height;
    int64_t time_ms;
    const struct ledger_bytes *txs;
    size_t count;
    size_t vouched;
};

/* Which of those that wait may stand in a block. ADMITTED: those that a block would not drop for
 * any reason but the quota, by admission alone: for who executes it at once, and throws the rest
 * away. EXECUTED: those that it would not drop at all, by executing the block: a sender has no more
 * refused ones in it than its quota leaves. */
enum ledger_select_by { LEDGER_SELECT_ADMITTED, LEDGER_SELECT_EXECUTED };

enum ledger_verdict {
    LEDGER_DROPPED, /* not authentic, malformed, expired, repeated, or beyond the quota: no trace */
    LEDGER_OK,
    LEDGER_REFUSED, /* authentic, but a rule refuses it: on the log, with the rule */
};

#define LEDGER_DETAIL_TEXT 160

/* What became of one transaction. rule is the refusing rule, or the reason for dropping; OK for ok.
 * detail says why, in one line of ASCII, for refused and dropped alike; the refused one's is hashed
 * into the log and is a pure function of state and transaction. */
struct ledger_outcome {
    enum ledger_verdict verdict;
    enum ledger_rule rule;
    const char *type;  /* static; NULL when the bytes were too malformed to have one */
    char alias[33];    /* the sender's, "" when it is no member */
    uint8_t id[32];    /* zeros when the bytes were too malformed to have one */
    uint64_t leaf;     /* its place in the log, unless dropped (and in ledger_chain_check) */
    int64_t not_after; /* ms; 0 when the bytes were too malformed to have one */
    char detail[LEDGER_DETAIL_TEXT];
};

/* The block encoding of format.md section 9. */
fm_status ledger_block_encode(struct base_buf *out, const struct ledger_block *block,
                              struct base_err *err) FM_CHECK;

/* Decodes into a block whose txs point into bytes; *txs is the array that block->txs points at, and
 * is the caller's to free(). Errors: FM_E_INPUT, nothing is allocated then. Sizes are checked
 * against what is there before anything is allocated. */
fm_status ledger_block_decode(struct ledger_block *block, struct ledger_bytes **txs,
                              const void *bytes, size_t len, struct base_err *err) FM_CHECK;

#endif
