/* The log: an RFC 6962 Merkle tree with SHA-256 (RFC 6962 section 2.1), grown leaf by leaf.
 *
 * A leaf's data is H(payload), 32 bytes, so payloads can be erased while every proof stays
 * (format.md section 5): leaf hash  H(0x00 || H(payload)),  inner node  H(0x01 || left || right),
 * empty tree  H("").
 *
 * What must be kept to append is the frontier: the roots of the perfect subtrees that the size's
 * binary digits name, at most 64 hashes. Everything here is plain memory and never fails. */
#ifndef FIRMIANA_LEDGER_LOG_H
#define FIRMIANA_LEDGER_LOG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* node[i] is meaningful where bit i of size is set: the root of a perfect subtree of 2^i leaves;
 * from the highest bit down they cover the leaves from left to right. {0} is the empty log. */
struct ledger_log {
    uint64_t size;
    uint8_t node[64][32];
};

/* H(0x00 || data32): the leaf hash of a leaf whose data is H(payload). */
void ledger_log_leaf_hash(uint8_t out32[32], const uint8_t data32[32]);

/* The same from the payload itself: H(0x00 || H(payload)). */
void ledger_log_leaf_hash_of(uint8_t out32[32], const void *payload, size_t len);

/* H(0x01 || left || right). */
void ledger_log_node_hash(uint8_t out32[32], const uint8_t left32[32], const uint8_t right32[32]);

/* Told of each perfect subtree that an append completes: level 0 (the leaf) first, then upwards.
 * The node covers the leaves [index << level, (index + 1) << level). Stores that answer proofs keep
 * some or all of them. */
struct ledger_log_sink {
    void (*node)(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32]);
    void *ctx;
};

/* Appends one leaf. sink may be NULL. Cost: one hash per trailing set bit of the size, one on
 * average. */
void ledger_log_append(struct ledger_log *log, const uint8_t leaf_hash32[32],
                       const struct ledger_log_sink *sink);

/* The perfect subtree of 2^level leaves at once; level 0 is the leaf. The size must be a multiple
 * of 2^level, below 2^63 afterwards: assert()ed. */
void ledger_log_append_node(struct ledger_log *log, unsigned level, const uint8_t hash32[32],
                            const struct ledger_log_sink *sink);

/* The level of the greatest perfect subtree that begins with leaf `from` and ends at `to` or
 * before: step by step from `from` to `to`, these are the fewest subtrees between the two. from <
 * to. */
unsigned ledger_log_gap_level(uint64_t from, uint64_t to);

/* The root over all leaves so far. */
void ledger_log_root(uint8_t out32[32], const struct ledger_log *log);

/* The frontier as bytes: size (8, big-endian), then the nodes of its set bits from the highest
 * down. Decoding is exact: FM_E_INPUT for any other length. */
void ledger_log_encode(struct base_buf *out, const struct ledger_log *log);
fm_status ledger_log_decode(struct ledger_log *log, const void *bytes, size_t len,
                            struct base_err *err) FM_CHECK;

#endif
