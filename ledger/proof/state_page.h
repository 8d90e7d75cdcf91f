/* The pages of the state tree, between bytes and memory: shared by state.c (updates) and
 * state_proof.c (proofs), for nobody else. state.h describes them. */
#ifndef FIRMIANA_LEDGER_STATE_PAGE_H
#define FIRMIANA_LEDGER_STATE_PAGE_H

#include "ledger/proof/state.h"

/* What a subtree is to the node above it. */
enum ledger_state_kind {
    LEDGER_STATE_EMPTY, /* hash: 32 zero bytes */
    LEDGER_STATE_LEAF,  /* hash: the leaf's */
    LEDGER_STATE_MORE,  /* two leaves or more; hash: an inner node's */
};

struct ledger_state_sub {
    enum ledger_state_kind kind;
    uint8_t hash[32];
};

struct ledger_state_leaf {
    uint8_t path[32];
    uint8_t value_hash[32];
};

struct ledger_state_page {
    enum { LEDGER_STATE_NO_PAGE, LEDGER_STATE_IS_BUCKET, LEDGER_STATE_IS_FAN } kind;
    size_t n; /* leaves of a bucket */
    struct ledger_state_leaf leaf[LEDGER_STATE_BUCKET];
    struct ledger_state_sub child[16]; /* of a fan */
};

unsigned ledger_state_nibble(const uint8_t path32[32], unsigned depth);
unsigned ledger_state_bit(const uint8_t path32[32], unsigned depth);

/* The page `depth` nibbles down the path. FM_E_CORRUPT unless it is of the form of state.h and all
 * of a bucket's leaves belong under it. */
fm_status ledger_state_page_load(struct ledger_state_page *page,
                                 const struct ledger_state_pages *pages, const uint8_t path32[32],
                                 unsigned depth, struct base_err *err) FM_CHECK;
fm_status ledger_state_page_store(const struct ledger_state_page *page,
                                  const struct ledger_state_pages *pages, const uint8_t path32[32],
                                  unsigned depth, struct base_err *err) FM_CHECK;
fm_status ledger_state_page_remove(const struct ledger_state_pages *pages, const uint8_t path32[32],
                                   unsigned depth, struct base_err *err) FM_CHECK;

void ledger_state_leaf_hash(uint8_t out32[32], const struct ledger_state_leaf *leaf);

/* The node over two subtrees. */
struct ledger_state_sub ledger_state_join(const struct ledger_state_sub *left,
                                          const struct ledger_state_sub *right);

/* The subtree of n sorted leaves that share their first `depth` bits. Recurses at most 256 - depth
 * deep. */
struct ledger_state_sub ledger_state_leaves(const struct ledger_state_leaf *leaf, size_t n,
                                            unsigned depth);

/* The first of n sorted leaves whose bit `depth` is 1; n if there is none. They share the bits
 * before. */
size_t ledger_state_split(const struct ledger_state_leaf *leaf, size_t n, unsigned depth);

/* The subtree over a power of two of neighbouring children of a fan. */
struct ledger_state_sub ledger_state_children(const struct ledger_state_sub *child, unsigned count);

#endif
