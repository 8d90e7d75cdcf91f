/* The state tree's pages, some in the file, some in memory. Keys are hashes: each change of one
 * would make its bucket and the fans above it, and so pages of the file all over, dirty in every
 * block, the more the larger the tree. Instead a block's changes go into one row (table change),
 * and the pages wait here until a sweep comes by that writes all of a region together
 * (store_sweep.c). A region is the subtree under a prefix of `depth` nibbles.
 *
 *   S1  pages above the regions are in the file as they are: few, and each block has them all.
 *   S2  what a region's pages should be follows from those in the file and the rows of change since
 *       they were written, in order: of a path that was changed twice the last counts, so rows from
 *       before they were written do no harm. What the page above says of the region does not
 *       matter: it is newer than the file's pages.
 *   S3  a row leaves only when every region was written after it came.
 *   S4  a region that comes into being (leaves of a bucket above go into it: they are in no row)
 *       is written by the transaction itself.
 *   S5  who does not write, or has just opened the file, builds a region by S2 when it is asked
 *       for, in memory.
 *
 * An update of very many keys goes to the file itself, after all that waits. */
#include <stdlib.h>
#include <string.h>

#include "ledger/store/store_impl.h"

/* ---- places ---- */

size_t ledger_tree_regions(const struct ledger_tree *tree)
{
    return (size_t)1 << (4 * tree->depth);
}

size_t ledger_tree_region(const struct ledger_tree *tree, const uint8_t path32[32])
{
    return (size_t)(base_load_u64(path32) >> (64 - 4 * tree->depth));
}

static size_t region_of(const struct ledger_tree *tree, const uint8_t *id, size_t id_len)
{
    uint8_t path[32] = {0};

    memcpy(path, id + 1, id_len - 1);
    return ledger_tree_region(tree, path);
}

/* Ids are the beginnings of hashes; few agree in more than their first 8 bytes. */
static size_t place_of(const uint8_t *id, size_t id_len)
{
    uint8_t head[8] = {0};

    memcpy(head, id, id_len < sizeof head ? id_len : sizeof head);
    return (size_t)(base_load_u64(head) * 0x9e3779b97f4a7c15U >> (64 - LEDGER_TREE_PLACES_LOG));
}

static struct ledger_tree_page *find(const struct ledger_tree *tree, const uint8_t *id,
                                     size_t id_len)
{
    struct ledger_tree_page *page = tree->place[place_of(id, id_len)];

    while (page != NULL && (page->id_len != id_len || memcmp(page->id, id, id_len) != 0))
        page = page->next_in_place;
    return page;
}

static struct ledger_tree_page *add(struct ledger_tree *tree, const uint8_t *id, size_t id_len)
{
    struct ledger_tree_page *page = ledger_tree_take_page(tree),
                            **place = &tree->place[place_of(id, id_len)],
                            **first = &tree->first[region_of(tree, id, id_len)];

    if (page == NULL)
        return NULL;
    memset(page, 0, sizeof *page);
    memcpy(page->id, id, id_len);
    page->id_len = (uint8_t)id_len;
    page->next_in_place = *place;
    *place = page;
    page->next_in_region = *first;
    *first = page;
    return page;
}

static void drop(struct ledger_tree *tree, struct ledger_tree_page *page)
{
    struct ledger_tree_page **at = &tree->place[place_of(page->id, page->id_len)];

    while (*at != page)
        at = &(*at)->next_in_place;
    *at = page->next_in_place;
    ledger_tree_give(tree, page->bytes, page->len);
    ledger_tree_give(tree, page->before, page->before_len);
    ledger_tree_give_page(tree, page);
}

void ledger_tree_drop_pages(struct ledger_tree *tree, size_t region)
{
    struct ledger_tree_page *page = tree->first[region], *next;

    tree->first[region] = NULL;
    for (; page != NULL; page = next) {
        next = page->next_in_region;
        drop(tree, page);
    }
}

/* ---- pages of regions ---- */

/* New bytes (none: len 0) for a page, which the transaction can take back. */
static fm_status change(struct ledger_tree *tree, struct ledger_tree_page *page,
                        const uint8_t *bytes, size_t len, struct base_err *err)
{
    uint8_t *copy = ledger_tree_take(tree, len);

    if (copy == NULL && len > 0)
        return base_err_memory(err, "state tree");
    if (len > 0)
        memcpy(copy, bytes, len);
    if (!page->changed && !tree->replaying) {
        page->before = page->bytes;
        page->before_len = page->len;
        page->before_dirty = page->dirty;
        page->changed = true;
        page->next_changed = tree->changed;
        tree->changed = page;
    } else {
        ledger_tree_give(tree, page->bytes, page->len);
    }
    page->bytes = copy;
    page->len = (uint16_t)len;
    page->dirty = true;
    return FM_OK;
}

static fm_status get_known(void *ctx, uint8_t *out, size_t *len, const uint8_t *id, size_t id_len,
                           struct base_err *err)
{
    struct ledger_store *store = ctx;
    const struct ledger_tree_page *page = find(&store->tree, id, id_len);

    if (page == NULL || (page->len == 0 && !page->dirty))
        return ledger_page_get(store, out, len, id, id_len, err);
    *len = page->len;
    if (page->len > 0)
        memcpy(out, page->bytes, page->len);
    return FM_OK;
}

static fm_status set_known(void *ctx, const uint8_t *id, size_t id_len, const uint8_t *bytes,
                           size_t len, struct base_err *err)
{
    struct ledger_store *store = ctx;
    struct ledger_tree_page *page = find(&store->tree, id, id_len);

    if (page == NULL)
        page = add(&store->tree, id, id_len);
    return page != NULL ? change(&store->tree, page, bytes, len, err)
                        : base_err_memory(err, "state tree");
}

static fm_status del_known(void *ctx, const uint8_t *id, size_t id_len, struct base_err *err)
{
    return set_known(ctx, id, id_len, (const uint8_t *)"", 0, err);
}

/* ---- regions ---- */

struct gathered {
    struct ledger_state_change *p;
    size_t n;
};

static int by_path_then_age(const void *a, const void *b)
{
    const struct ledger_tree_change *x = *(const struct ledger_tree_change *const *)a,
                                    *y = *(const struct ledger_tree_change *const *)b;
    int order = memcmp(x->change.path, y->change.path, sizeof x->change.path);

    return order != 0 ? order : (x > y) - (x < y);
}

/* The last change of each path. */
static fm_status gather(struct gathered *out, const struct ledger_tree *tree, size_t region,
                        struct base_err *err)
{
    const struct ledger_tree_change **all;
    size_t n = 0, k = 0;

    for (uint32_t i = tree->newest[region]; i != UINT32_MAX; i = tree->pending[i].older)
        n++;
    all = malloc(n * sizeof *all);
    out->p = malloc(n * sizeof *out->p);
    if (all == NULL || out->p == NULL) {
        free(all);
        return base_err_memory(err, "state tree");
    }
    for (uint32_t i = tree->newest[region]; i != UINT32_MAX; i = tree->pending[i].older)
        all[k++] = &tree->pending[i];
    qsort(all, n, sizeof *all, by_path_then_age);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || memcmp(all[i]->change.path, all[i + 1]->change.path, 32) != 0)
            out->p[out->n++] = all[i]->change;
    free(all);
    return FM_OK;
}

fm_status ledger_tree_know(struct ledger_store *store, size_t region, struct base_err *err)
{
    const struct ledger_state_pages pages = {get_known, set_known, del_known, store, NULL};
    struct ledger_tree *tree = &store->tree;
    struct gathered changes = {NULL, 0};
    fm_status st;

    if (tree->known[region])
        return FM_OK;
    if (tree->newest[region] == UINT32_MAX) {
        tree->known[region] = true;
        return FM_OK;
    }
    st = gather(&changes, tree, region, err);
    tree->replaying = true;
    if (st == FM_OK)
        st = ledger_state_update_below(&pages, changes.p, changes.n, tree->depth, err);
    tree->replaying = false;
    free(changes.p);
    tree->known[region] = st == FM_OK;
    if (st != FM_OK)
        ledger_tree_drop_pages(tree, region);
    return st;
}

fm_status ledger_tree_write(struct ledger_store *store, size_t region, struct base_err *err)
{
    fm_status st = ledger_tree_know(store, region, err);
    const struct ledger_tree_page *page;

    for (page = store->tree.first[region]; st == FM_OK && page != NULL; page = page->next_in_region)
        if (page->dirty)
            st = page->len > 0
                     ? ledger_page_put(store, page->id, page->id_len, page->bytes, page->len, err)
                     : ledger_page_del(store, page->id, page->id_len, err);
    return st;
}

/* S4: the file may still hold what was there before, which nobody asks for. */
static fm_status begin_anew(struct ledger_store *store, size_t region, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    fm_status st = ledger_tree_know(store, region, err);

    tree->fresh[region] = tree->update;
    for (struct ledger_tree_page *page = tree->first[region]; st == FM_OK && page != NULL;
         page = page->next_in_region)
        st = change(tree, page, (const uint8_t *)"", 0, err);
    tree->written[region] = true;
    return st;
}

/* ---- the tree's pages ---- */

static fm_status get_page(void *ctx, uint8_t *out, size_t *len, const uint8_t *id, size_t id_len,
                          struct base_err *err)
{
    struct ledger_store *store = ctx;
    struct ledger_tree *tree = &store->tree;
    struct ledger_tree_page *page;
    size_t region;
    fm_status st = id[0] == 0 || !tree->loaded ? ledger_tree_load(store, err) : FM_OK;

    if (st != FM_OK)
        return st;
    if (tree->direct || id[0] < tree->depth)
        return ledger_page_get(store, out, len, id, id_len, err);
    region = region_of(tree, id, id_len);
    st = ledger_tree_know(store, region, err);
    if (st != FM_OK)
        return st;
    if (id[0] == tree->depth)
        tree->seen[region] = tree->update;
    st = get_known(store, out, len, id, id_len, err);
    if (st != FM_OK || store->lock_fd < 0 || *len == 0 || find(tree, id, id_len) != NULL)
        return st;
    page = add(tree, id, id_len); /* it is about to be changed */
    if (page == NULL || (page->bytes = ledger_tree_take(tree, *len)) == NULL)
        return base_err_memory(err, "state tree");
    memcpy(page->bytes, out, *len);
    page->len = (uint16_t)*len;
    return FM_OK;
}

static fm_status set_page(struct ledger_store *store, const uint8_t *id, size_t id_len,
                          const uint8_t *bytes, size_t len, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    size_t region;
    fm_status st = FM_OK;

    if (tree->direct || id[0] < tree->depth)
        return len > 0 ? ledger_page_put(store, id, id_len, bytes, len, err)
                       : ledger_page_del(store, id, id_len, err);
    region = region_of(tree, id, id_len);
    if (tree->seen[region] != tree->update && tree->fresh[region] != tree->update)
        st = begin_anew(store, region, err);
    return st == FM_OK ? set_known(store, id, id_len, bytes, len, err) : st;
}

static fm_status put_page(void *ctx, const uint8_t *id, size_t id_len, const uint8_t *page,
                          size_t len, struct base_err *err)
{
    return set_page(ctx, id, id_len, page, len, err);
}

static fm_status del_page(void *ctx, const uint8_t *id, size_t id_len, struct base_err *err)
{
    return set_page(ctx, id, id_len, (const uint8_t *)"", 0, err);
}

static fm_status begin_update(void *ctx, const struct ledger_state_change *changes, size_t n,
                              struct base_err *err)
{
    struct ledger_store *store = ctx;
    struct ledger_tree *tree = &store->tree;
    fm_status st = ledger_tree_load(store, err);

    if (st != FM_OK)
        return st;
    tree->update++;
    tree->updated = true;
    if (!tree->direct && (n >= tree->length || tree->want_depth != tree->depth))
        st = ledger_tree_begin_direct(store, err);
    if (st != FM_OK || tree->direct)
        return st;
    for (size_t i = 0; i < n; i++) {
        base_buf_put(&tree->log, changes[i].path, 32);
        base_buf_put_u8(&tree->log, !changes[i].removed);
        if (!changes[i].removed)
            base_buf_put(&tree->log, changes[i].value_hash, 32);
    }
    tree->sweep.owed += n;
    return base_buf_status(&tree->log, "state tree", err);
}

struct ledger_state_pages ledger_store_pages(struct ledger_store *store)
{
    return (struct ledger_state_pages){get_page, put_page, del_page, store, begin_update};
}
