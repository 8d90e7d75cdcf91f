#include "ledger/proof/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/proof/state_page.h"

void ledger_state_path(uint8_t out32[32], const char *key)
{
    base_hash(out32, key, strlen(key));
}

/* ---- new pages from sorted leaves ---- */

/* How many of n sorted leaves have nibble v at this depth; they stand first. */
static size_t leading(const struct ledger_state_leaf *leaf, size_t n, unsigned depth, unsigned v)
{
    size_t i = 0;

    while (i < n && ledger_state_nibble(leaf[i].path, depth) == v)
        i++;
    return i;
}

/* Writes the pages for n >= 1 leaves that share `depth` nibbles, where no page is. At most 64 deep:
 * beyond, no two paths differ. */
static fm_status build(struct ledger_state_sub *out, const struct ledger_state_pages *pages,
                       const struct ledger_state_leaf *leaf, size_t n, unsigned depth,
                       struct base_err *err)
{
    struct ledger_state_page page = {.kind = LEDGER_STATE_IS_BUCKET, .n = n};
    const uint8_t *path = leaf[0].path;
    fm_status st = FM_OK;

    if (n <= LEDGER_STATE_BUCKET) {
        memcpy(page.leaf, leaf, n * sizeof *leaf);
        *out = ledger_state_leaves(leaf, n, 4 * depth);
        return ledger_state_page_store(&page, pages, path, depth, err);
    }
    assert(depth < 64);
    page.kind = LEDGER_STATE_IS_FAN;
    for (unsigned v = 0; v < 16 && st == FM_OK; v++) {
        size_t k = leading(leaf, n, depth, v);
        if (k > 0)
            st = build(&page.child[v], pages, leaf, k, depth + 1, err);
        leaf += k;
        n -= k;
    }
    if (st != FM_OK)
        return st;
    *out = ledger_state_children(page.child, 16);
    return ledger_state_page_store(&page, pages, path, depth, err);
}

/* ---- changing pages ---- */

/* old and changes, both sorted, into out: the change wins where both have the path. */
static size_t merge(struct ledger_state_leaf *out, const struct ledger_state_page *old,
                    const struct ledger_state_change *change, size_t n)
{
    size_t i = 0, j = 0, k = 0;

    while (i < old->n || j < n) {
        int order = i == old->n ? 1 : j == n ? -1 : memcmp(old->leaf[i].path, change[j].path, 32);
        if (order < 0) {
            out[k++] = old->leaf[i++];
            continue;
        }
        if (order == 0)
            i++;
        if (!change[j].removed) {
            memcpy(out[k].path, change[j].path, 32);
            memcpy(out[k++].value_hash, change[j].value_hash, 32);
        }
        j++;
    }
    return k;
}

static fm_status change_bucket(struct ledger_state_sub *out, const struct ledger_state_pages *pages,
                               const struct ledger_state_page *old,
                               const struct ledger_state_change *change, size_t n, unsigned depth,
                               struct base_err *err)
{
    struct ledger_state_leaf *leaf = malloc((old->n + n) * sizeof *leaf);
    size_t k;
    fm_status st = FM_OK;

    if (leaf == NULL)
        return base_err_memory(err, "state tree");
    k = merge(leaf, old, change, n);
    if (k > 0) {
        st = build(out, pages, leaf, k, depth, err);
    } else {
        *out = (struct ledger_state_sub){.kind = LEDGER_STATE_EMPTY};
        if (old->n > 0)
            st = ledger_state_page_remove(pages, change[0].path, depth, err);
    }
    free(leaf);
    return st;
}

static fm_status change_page(struct ledger_state_sub *out, const struct ledger_state_pages *pages,
                             const struct ledger_state_change *change, size_t n, unsigned depth,
                             struct base_err *err);

static fm_status change_fan(struct ledger_state_sub *out, const struct ledger_state_pages *pages,
                            struct ledger_state_page *page,
                            const struct ledger_state_change *change, size_t n, unsigned depth,
                            struct base_err *err)
{
    const uint8_t *path = change[0].path;
    bool any = false;

    while (n > 0) {
        unsigned v = ledger_state_nibble(change[0].path, depth);
        size_t k = 1;
        fm_status st;
        while (k < n && ledger_state_nibble(change[k].path, depth) == v)
            k++;
        st = change_page(&page->child[v], pages, change, k, depth + 1, err);
        if (st != FM_OK)
            return st;
        change += k;
        n -= k;
    }
    for (unsigned v = 0; v < 16; v++)
        any = any || page->child[v].kind != LEDGER_STATE_EMPTY;
    *out = ledger_state_children(page->child, 16);
    if (!any)
        return ledger_state_page_remove(pages, path, depth, err);
    return ledger_state_page_store(page, pages, path, depth, err);
}

/* Applies n >= 1 sorted changes that share `depth` nibbles to the page there. *out comes with what
 * the page above says of it, which must fit what is found. At most 64 deep: a path has no more
 * nibbles. */
static fm_status change_page(struct ledger_state_sub *out, const struct ledger_state_pages *pages,
                             const struct ledger_state_change *change, size_t n, unsigned depth,
                             struct base_err *err)
{
    struct ledger_state_page page = {.kind = LEDGER_STATE_NO_PAGE};
    fm_status st = FM_OK;

    if (depth == 0 || out->kind != LEDGER_STATE_EMPTY) {
        st = ledger_state_page_load(&page, pages, change[0].path, depth, err);
        if (st == FM_OK && depth > 0 && page.kind == LEDGER_STATE_NO_PAGE)
            st =
                base_err_set(err, FM_E_CORRUPT, "state tree: a page at depth %u is missing", depth);
    }
    if (st != FM_OK)
        return st;
    if (page.kind == LEDGER_STATE_IS_FAN)
        return change_fan(out, pages, &page, change, n, depth, err);
    return change_bucket(out, pages, &page, change, n, depth, err);
}

static int by_path(const void *a, const void *b)
{
    const struct ledger_state_change *x = a, *y = b;

    return memcmp(x->path, y->path, 32);
}

static fm_status sort_changes(struct ledger_state_change *changes, size_t n, struct base_err *err)
{
    qsort(changes, n, sizeof *changes, by_path);
    for (size_t i = 1; i < n; i++) {
        if (by_path(&changes[i - 1], &changes[i]) == 0)
            return base_err_set(err, FM_E_ARG, "state tree: two changes of one key in one update");
    }
    return FM_OK;
}

fm_status ledger_state_update(uint8_t root32[32], const struct ledger_state_pages *pages,
                              struct ledger_state_change *changes, size_t n, struct base_err *err)
{
    struct ledger_state_sub root = {.kind = LEDGER_STATE_EMPTY};
    fm_status st;

    if (n == 0)
        return ledger_state_root(root32, pages, err);
    st = sort_changes(changes, n, err);
    if (st == FM_OK && pages->begin != NULL)
        st = pages->begin(pages->ctx, changes, n, err);
    if (st == FM_OK)
        st = change_page(&root, pages, changes, n, 0, err);
    if (st == FM_OK)
        memcpy(root32, root.hash, 32);
    return st;
}

fm_status ledger_state_update_below(const struct ledger_state_pages *pages,
                                    struct ledger_state_change *changes, size_t n, unsigned depth,
                                    struct base_err *err)
{
    struct ledger_state_page page;
    struct ledger_state_sub sub;
    fm_status st = n > 0 ? sort_changes(changes, n, err) : FM_OK;

    if (st != FM_OK || n == 0)
        return st;
    st = ledger_state_page_load(&page, pages, changes[0].path, depth, err);
    if (st != FM_OK)
        return st;
    if (page.kind == LEDGER_STATE_IS_FAN)
        return change_fan(&sub, pages, &page, changes, n, depth, err);
    return change_bucket(&sub, pages, &page, changes, n, depth, err);
}

fm_status ledger_state_root(uint8_t root32[32], const struct ledger_state_pages *pages,
                            struct base_err *err)
{
    static const uint8_t any_path[32];
    struct ledger_state_page page;
    struct ledger_state_sub root = {.kind = LEDGER_STATE_EMPTY};
    fm_status st = ledger_state_page_load(&page, pages, any_path, 0, err);

    if (st != FM_OK)
        return st;
    if (page.kind == LEDGER_STATE_IS_BUCKET)
        root = ledger_state_leaves(page.leaf, page.n, 0);
    else if (page.kind == LEDGER_STATE_IS_FAN)
        root = ledger_state_children(page.child, 16);
    memcpy(root32, root.hash, 32);
    return FM_OK;
}
