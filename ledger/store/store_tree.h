/* The state tree's pages on their way into the file: store_tree.c says how. */
#ifndef FIRMIANA_LEDGER_STORE_TREE_H
#define FIRMIANA_LEDGER_STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/proof/state.h"

struct ledger_store;

#define LEDGER_TREE_DEPTH 3 /* of the regions, in nibbles: the most that can be asked for */
#define LEDGER_TREE_SWEEP \
    65536 /* changes, each 65 bytes of the file, and perhaps three pages of memory */

/* Memory in pieces of one size, which it keeps: pages come and go by the thousand, and scattered
 * among all else they made every other allocation slower. */
struct ledger_tree_slab {
    size_t size;
    void *free, *chunks;
};
#define LEDGER_TREE_SLABS                                                  \
    3 /* a page's own structure; bytes of fans and small buckets; of large \
       */

/* A page in memory. */
struct ledger_tree_page {
    struct ledger_tree_page *next_in_place, *next_in_region, *next_changed;
    uint8_t *bytes, *before; /* before: as it was when the transaction began, while it is changed */
    uint16_t len,
        before_len; /* 0: there is none; and if it is not dirty, the file is to be asked */
    bool dirty, before_dirty; /* the file has another */
    bool changed;             /* by the transaction that is open */
    uint8_t id_len, id[LEDGER_STATE_ID_MAX];
};

/* A change that is in the table change, and perhaps not yet in the file's pages. */
struct ledger_tree_change {
    struct ledger_state_change change;
    uint32_t older; /* of the same region */
};

/* What the table tree holds, but for the depth. */
struct ledger_tree_sweep {
    uint64_t region; /* the next one to be written */
    uint64_t owed;   /* changes since the last one was */
    uint64_t since;  /* the newest row of change when the sweep began */
    uint64_t newest; /* row of change */
    uint64_t gone;   /* rows up to this one have been dropped */
};

#define LEDGER_TREE_PLACES_LOG 15

struct ledger_tree {
    bool loaded;
    unsigned depth; /* of the regions, in nibbles */
    struct ledger_tree_sweep sweep, before;
    /* What is asked for (ledger_store_set_sweep()). */
    unsigned want_depth;
    uint64_t length; /* changes from one sweep's begin to the next one's */
    /* The table change, as far as it was read. */
    struct ledger_tree_change *pending;
    size_t n_pending, room;
    uint64_t read_to; /* row */
    /* A region each. */
    uint32_t *newest;       /* pending: the newest change */
    bool *known;            /* all pending changes are in the pages here */
    uint64_t *seen, *fresh; /* the update that has read its first page; that began it anew */
    bool *written;          /* by the transaction that is open */
    struct ledger_tree_page **first;
    struct ledger_tree_page **place; /* of all pages, by id */
    struct ledger_tree_slab slab[LEDGER_TREE_SLABS];
    /* The transaction that is open. */
    uint64_t update;
    struct base_buf log; /* its changes, as a row has them */
    struct ledger_tree_page *changed;
    bool updated, direct, replaying;
};

/* Before a write transaction commits: its row, and its share of the sweep. */
fm_status ledger_tree_finish(struct ledger_store *store, struct base_err *err) FM_CHECK;
void ledger_tree_committed(struct ledger_store *store);
void ledger_tree_rolled_back(struct ledger_store *store);
void ledger_tree_release(struct ledger_tree *tree);

/* ---- between store_tree.c, store_sweep.c and store_slab.c ---- */

/* Reads what there is to be read: once where the store writes, else when another block may have
 * come. */
fm_status ledger_tree_load(struct ledger_store *store, struct base_err *err) FM_CHECK;
/* Puts what is pending for a region into its pages here. */
fm_status ledger_tree_know(struct ledger_store *store, size_t region,
                           struct base_err *err) FM_CHECK;
/* Writes a region's pages to the file; all regions' pages, and goes on without memory. */
fm_status ledger_tree_write(struct ledger_store *store, size_t region,
                            struct base_err *err) FM_CHECK;
fm_status ledger_tree_begin_direct(struct ledger_store *store, struct base_err *err) FM_CHECK;
void ledger_tree_make_slabs(struct ledger_tree *tree);
void ledger_tree_free_slabs(struct ledger_tree *tree);
struct ledger_tree_page *
ledger_tree_take_page(struct ledger_tree *tree); /* unset; NULL: none left */
void ledger_tree_give_page(struct ledger_tree *tree, struct ledger_tree_page *page);
/* Bytes of a page, of that length; NULL (which may be given back) for 0 and without memory. */
uint8_t *ledger_tree_take(struct ledger_tree *tree, size_t len);
void ledger_tree_give(struct ledger_tree *tree, uint8_t *bytes, size_t len);
void ledger_tree_drop_pages(struct ledger_tree *tree, size_t region);
size_t ledger_tree_regions(const struct ledger_tree *tree);
size_t ledger_tree_region(const struct ledger_tree *tree, const uint8_t path32[32]);

/* Pages in the file (store_state.c). */
fm_status ledger_page_get(struct ledger_store *store, uint8_t *out, size_t *len, const uint8_t *id,
                          size_t id_len, struct base_err *err) FM_CHECK;
fm_status ledger_page_put(struct ledger_store *store, const uint8_t *id, size_t id_len,
                          const uint8_t *page, size_t len, struct base_err *err) FM_CHECK;
fm_status ledger_page_del(struct ledger_store *store, const uint8_t *id, size_t id_len,
                          struct base_err *err) FM_CHECK;

#endif
