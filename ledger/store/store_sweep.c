/* What of the state tree waits, as rows, and the sweep that writes the pages (store_tree.c). Each
 * transaction writes as many regions as its changes are a share of a sweep, so that there is no
 * moment at which all is written, and memory and rows are bounded: by about a sweep's changes, and
 * two sweeps'. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/store/store_impl.h"

enum { REGIONS = 1 << (4 * LEDGER_TREE_DEPTH) };

void ledger_store_set_sweep(struct ledger_store *store, unsigned depth, size_t changes)
{
    assert(depth >= 1 && depth <= LEDGER_TREE_DEPTH);
    store->tree.want_depth = depth;
    store->tree.length = changes;
}

/* ---- memory ---- */

static void drop_all_pages(struct ledger_tree *tree)
{
    for (size_t i = 0; i < REGIONS; i++)
        ledger_tree_drop_pages(tree, i);
}

static void forget_pending(struct ledger_tree *tree)
{
    free(tree->pending);
    tree->pending = NULL;
    tree->n_pending = tree->room = 0;
    memset(tree->newest, 0xff, REGIONS * sizeof *tree->newest);
}

void ledger_tree_release(struct ledger_tree *tree)
{
    ledger_tree_free_slabs(tree);
    free(tree->pending);
    free(tree->newest);
    free(tree->known);
    free(tree->seen);
    free(tree->fresh);
    free(tree->written);
    free((void *)tree->first);
    free((void *)tree->place);
    base_buf_release(&tree->log);
}

static fm_status make(struct ledger_tree *tree, struct base_err *err)
{
    if (tree->place != NULL)
        return FM_OK;
    free(tree->newest); /* an attempt that failed */
    free(tree->known);
    free(tree->seen);
    free(tree->fresh);
    free(tree->written);
    free((void *)tree->first);
    tree->newest = malloc(REGIONS * sizeof *tree->newest);
    tree->known = calloc(REGIONS, sizeof *tree->known);
    tree->seen = calloc(REGIONS, sizeof *tree->seen);
    tree->fresh = calloc(REGIONS, sizeof *tree->fresh);
    tree->written = calloc(REGIONS, sizeof *tree->written);
    tree->first = calloc(REGIONS, sizeof(void *));
    if (tree->newest == NULL || tree->known == NULL || tree->seen == NULL || tree->fresh == NULL ||
        tree->written == NULL || tree->first == NULL)
        return base_err_memory(err, "state tree");
    forget_pending(tree);
    ledger_tree_make_slabs(tree);
    tree->place = calloc((size_t)1 << LEDGER_TREE_PLACES_LOG, sizeof(void *));
    return tree->place != NULL ? FM_OK : base_err_memory(err, "state tree");
}

/* ---- rows ---- */

/* Where the file is; and its oldest row. */
static fm_status read_sweep(struct ledger_store *store, struct ledger_tree_sweep *out,
                            unsigned *depth, uint64_t *oldest, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_TREE, err);
    bool row;
    fm_status st;

    if (stmt == NULL)
        return err->code;
    st = ledger_store_row(store, stmt, &row, err);
    *depth = (unsigned)sqlite3_column_int(stmt, 0);
    out->region = (uint64_t)sqlite3_column_int64(stmt, 1);
    out->owed = (uint64_t)sqlite3_column_int64(stmt, 2);
    out->since = (uint64_t)sqlite3_column_int64(stmt, 3);
    out->newest = (uint64_t)sqlite3_column_int64(stmt, 4);
    *oldest = (uint64_t)sqlite3_column_int64(stmt, 5);
    if (st == FM_OK && (!row || *depth < 1 || *depth > LEDGER_TREE_DEPTH ||
                        out->region >= (uint64_t)1 << (4 * *depth) || out->since > out->newest))
        st = ledger_store_corrupt(store, "it does not say how its state tree came about", err);
    (void)sqlite3_reset(stmt);
    return st;
}

static fm_status write_sweep(struct ledger_store *store, struct base_err *err)
{
    const struct ledger_tree *tree = &store->tree;
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_TREE, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, tree->direct ? tree->want_depth : tree->depth);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)tree->sweep.region);
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)tree->sweep.owed);
    (void)sqlite3_bind_int64(stmt, 4, (sqlite3_int64)tree->sweep.since);
    return ledger_store_run(store, stmt, err);
}

static fm_status put_row(struct ledger_store *store, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_CHANGE, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)++tree->sweep.newest);
    ledger_store_bind(stmt, 2, tree->log.p, tree->log.len);
    return ledger_store_run(store, stmt, err);
}

static fm_status drop_rows(struct ledger_store *store, uint64_t to, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_DROP_CHANGE, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)to);
    return ledger_store_run(store, stmt, err);
}

static fm_status add_change(struct ledger_store *store, struct base_cur *cur, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    struct ledger_tree_change *c;
    uint32_t *newest;
    uint8_t kind;

    if (tree->n_pending == tree->room) {
        size_t room = tree->room == 0 ? 1024 : 2 * tree->room;
        struct ledger_tree_change *more = realloc(tree->pending, room * sizeof *more);
        if (more == NULL)
            return base_err_memory(err, "state tree");
        tree->pending = more;
        tree->room = room;
    }
    c = &tree->pending[tree->n_pending];
    memset(c, 0, sizeof *c);
    base_cur_copy(cur, c->change.path, 32);
    kind = base_cur_u8(cur);
    c->change.removed = kind == 0;
    if (!c->change.removed)
        base_cur_copy(cur, c->change.value_hash, 32);
    if (cur->bad || kind > 1)
        return ledger_store_corrupt(store, "what waits for its state tree is damaged", err);
    newest = &tree->newest[ledger_tree_region(tree, c->change.path)];
    c->older = *newest;
    *newest = (uint32_t)tree->n_pending++;
    return FM_OK;
}

static fm_status read_rows(struct ledger_store *store, uint64_t after, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_LIST_CHANGE, err);
    bool row = true;
    fm_status st = FM_OK;

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)after);
    while (st == FM_OK) {
        struct base_cur cur;

        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        cur = base_cur_make(sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
        if (cur.left == 0) /* all before is in the pages, and what is newer than that too */
            forget_pending(&store->tree);
        while (st == FM_OK && cur.left > 0)
            st = add_change(store, &cur, err);
    }
    (void)sqlite3_reset(stmt);
    return st;
}

fm_status ledger_tree_load(struct ledger_store *store, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    struct ledger_tree_sweep now;
    uint64_t oldest = 0;
    unsigned depth = 0;
    fm_status st;

    if (tree->loaded && store->lock_fd >= 0)
        return FM_OK;
    st = make(tree, err);
    if (st == FM_OK)
        st = read_sweep(store, &now, &depth, &oldest, err);
    if (st != FM_OK || (tree->loaded && tree->depth == depth && tree->sweep.newest == now.newest))
        return st;
    drop_all_pages(tree);
    memset(tree->known, 0, REGIONS * sizeof *tree->known);
    /* S2 needs the newer ones of what was read; of the older ones too many would gather. */
    if (!tree->loaded || depth != tree->depth || oldest > tree->sweep.newest + 1 ||
        tree->n_pending > 4 * LEDGER_TREE_SWEEP) {
        forget_pending(tree);
        tree->sweep.newest = 0;
    }
    tree->loaded = false;
    tree->depth = depth;
    st = read_rows(store, tree->sweep.newest, err);
    now.gone = oldest > 0 ? oldest - 1 : 0;
    tree->sweep = tree->before = now;
    tree->read_to = now.newest;
    tree->loaded = st == FM_OK;
    return st;
}

/* ---- the sweep ---- */

fm_status ledger_tree_begin_direct(struct ledger_store *store, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < ledger_tree_regions(tree); i++)
        st = ledger_tree_write(store, i, err);
    tree->direct = st == FM_OK;
    return st;
}

/* All is in the file: an empty row says that there are no others before it. */
static fm_status finish_direct(struct ledger_store *store, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    fm_status st = drop_rows(store, tree->sweep.newest, err);

    tree->sweep.gone = tree->sweep.newest;
    base_buf_clear(&tree->log);
    if (st == FM_OK)
        st = put_row(store, err);
    tree->sweep.region = tree->sweep.owed = 0;
    tree->sweep.since = tree->sweep.newest;
    return st == FM_OK ? write_sweep(store, err) : st;
}

/* The next regions of the sweep; where it begins again, rows go (S3). */
static fm_status step(struct ledger_store *store, struct base_err *err)
{
    struct ledger_tree_sweep *sweep = &store->tree.sweep;
    size_t regions = ledger_tree_regions(&store->tree);
    uint64_t share = store->tree.length > regions ? store->tree.length / regions : 1;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < regions && sweep->owed >= share; i++) {
        store->tree.written[sweep->region] = true;
        sweep->owed -= share;
        if (++sweep->region < regions)
            continue;
        sweep->region = 0;
        st = drop_rows(store, sweep->since, err);
        sweep->gone = sweep->since;
        sweep->since = sweep->newest;
    }
    return st;
}

fm_status ledger_tree_finish(struct ledger_store *store, struct base_err *err)
{
    struct ledger_tree *tree = &store->tree;
    fm_status st;

    if (!tree->updated)
        return FM_OK;
    if (tree->direct)
        return finish_direct(store, err);
    st = put_row(store, err);
    if (st == FM_OK)
        st = step(store, err);
    for (size_t i = 0; st == FM_OK && i < REGIONS; i++)
        if (tree->written[i])
            st = ledger_tree_write(store, i, err);
    return st == FM_OK ? write_sweep(store, err) : st;
}

static void end(struct ledger_tree *tree)
{
    tree->changed = NULL;
    tree->updated = tree->direct = false;
    base_buf_clear(&tree->log);
    memset(tree->written, 0, REGIONS * sizeof *tree->written);
}

void ledger_tree_committed(struct ledger_store *store)
{
    struct ledger_tree *tree = &store->tree;

    if (!tree->updated)
        return;
    for (struct ledger_tree_page *p = tree->changed; p != NULL; p = p->next_changed) {
        ledger_tree_give(tree, p->before, p->before_len);
        p->before = NULL;
        p->changed = false;
    }
    for (size_t i = 0; i < REGIONS; i++)
        if (tree->direct || tree->written[i])
            ledger_tree_drop_pages(tree, i);
    if (tree->direct)
        tree->depth = tree->want_depth;
    /* What was read when the file was opened is in its pages by now. */
    if (tree->n_pending > 0 && (tree->direct || tree->sweep.gone >= tree->read_to))
        forget_pending(tree);
    tree->before = tree->sweep;
    end(tree);
}

void ledger_tree_rolled_back(struct ledger_store *store)
{
    struct ledger_tree *tree = &store->tree;

    if (!tree->updated)
        return;
    for (struct ledger_tree_page *p = tree->changed; p != NULL; p = p->next_changed) {
        ledger_tree_give(tree, p->bytes, p->len);
        p->bytes = p->before;
        p->len = p->before_len;
        p->dirty = p->before_dirty;
        p->before = NULL;
        p->changed = false;
    }
    tree->sweep = tree->before;
    end(tree);
}
