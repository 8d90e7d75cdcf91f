/* Memory for the state tree's pages (store_tree.h). */
#include <stdlib.h>

#include "ledger/store/store_impl.h"

enum { OWN, SMALL, LARGE, SMALL_BYTES = 8 * 67, CHUNK_BYTES = 1 << 18 };

void ledger_tree_make_slabs(struct ledger_tree *tree)
{
    tree->slab[OWN].size = sizeof(struct ledger_tree_page);
    tree->slab[SMALL].size = SMALL_BYTES;
    tree->slab[LARGE].size = (LEDGER_STATE_PAGE_MAX + 7) / 8 * 8;
}

void ledger_tree_free_slabs(struct ledger_tree *tree)
{
    for (size_t i = 0; i < LEDGER_TREE_SLABS; i++) {
        void **chunk = tree->slab[i].chunks, **next;
        for (; chunk != NULL; chunk = next) {
            next = *chunk;
            free(chunk);
        }
    }
}

static void put_piece(struct ledger_tree_slab *slab, void *piece)
{
    *(void **)piece = slab->free;
    slab->free = piece;
}

static void *take_piece(struct ledger_tree_slab *slab)
{
    void **piece;

    if (slab->free == NULL) {
        void **chunk = malloc(CHUNK_BYTES);
        if (chunk == NULL)
            return NULL;
        *chunk = slab->chunks;
        slab->chunks = chunk;
        for (size_t at = sizeof *chunk; at + slab->size <= CHUNK_BYTES; at += slab->size)
            put_piece(slab, (uint8_t *)chunk + at);
    }
    piece = slab->free;
    slab->free = *piece;
    return piece;
}

static struct ledger_tree_slab *slab_of(struct ledger_tree *tree, size_t len)
{
    return &tree->slab[len <= SMALL_BYTES ? SMALL : LARGE];
}

uint8_t *ledger_tree_take(struct ledger_tree *tree, size_t len)
{
    return len > 0 ? take_piece(slab_of(tree, len)) : NULL;
}

void ledger_tree_give(struct ledger_tree *tree, uint8_t *bytes, size_t len)
{
    if (bytes != NULL)
        put_piece(slab_of(tree, len), bytes);
}

struct ledger_tree_page *ledger_tree_take_page(struct ledger_tree *tree)
{
    return take_piece(&tree->slab[OWN]);
}

void ledger_tree_give_page(struct ledger_tree *tree, struct ledger_tree_page *page)
{
    put_piece(&tree->slab[OWN], page);
}
