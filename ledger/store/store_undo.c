/* The newest blocks, back again: a block that never became final is dropped when another sequencer
 * takes over (engine_epoch.h). And the notes of this node. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/store/store_impl.h"

/* changes: how many (4), and for each key its length (4), the key, 1 and the old value's length (4)
 * and bytes, or 0 where there was none. Big-endian. */
static fm_status put_change(struct base_buf *out, struct ledger_store *store,
                            const struct ledger_update *u, struct base_err *err)
{
    struct ledger_state_source source = ledger_store_source(store);
    struct base_buf old = {0};
    bool found = false, fresh = u->value != NULL && strncmp(u->key, "seen/", 5) == 0;
    /* An id is remembered once: there is no old value to look for. */
    fm_status st = fresh ? FM_OK : source.get(source.ctx, &old, &found, u->key, err);

    if (st == FM_OK) {
        base_buf_put_u32(out, (uint32_t)strlen(u->key));
        base_buf_put_str(out, u->key);
        base_buf_put_u8(out, found);
        if (found) {
            base_buf_put_u32(out, (uint32_t)old.len);
            base_buf_put(out, old.p, old.len);
        }
    }
    base_buf_release(&old);
    return st;
}

fm_status ledger_store_put_undo(struct ledger_store *store, uint64_t height,
                                const struct ledger_update *updates, size_t n, struct base_err *err)
{
    struct base_buf changes = {0};
    sqlite3_stmt *stmt;
    fm_status st = FM_OK;

    base_buf_put_u32(&changes, (uint32_t)n);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = put_change(&changes, store, &updates[i], err);
    if (st == FM_OK)
        st = base_buf_status(&changes, "undo", err);
    stmt = st == FM_OK ? ledger_store_stmt(store, LEDGER_SQL_PUT_UNDO, err) : NULL;
    if (stmt != NULL) {
        (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)height);
        ledger_store_bind(stmt, 2, changes.p, changes.len);
        st = ledger_store_run(store, stmt, err);
    } else if (st == FM_OK) {
        st = err->code;
    }
    base_buf_release(&changes);
    return st;
}

static fm_status run_2(struct ledger_store *store, enum ledger_sql sql, uint64_t first,
                       uint64_t second, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, sql, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)first);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)second);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_store_drop_undo(struct ledger_store *store, uint64_t height, struct base_err *err)
{
    return run_2(store, LEDGER_SQL_DROP_UNDO, height, 0, err);
}

/* ---- back ---- */

/* The old values as updates: values point into changes. */
struct back {
    struct base_buf changes;
    char *keys; /* each closed by a NUL */
    size_t keys_len;
    struct ledger_update *updates;
    struct ledger_state_change *paths;
    size_t n;
};

static void back_release(struct back *b)
{
    base_buf_release(&b->changes);
    free(b->keys);
    free(b->updates);
    free(b->paths);
}

static fm_status read_changes(struct ledger_store *store, struct back *b, uint64_t height,
                              struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_UNDO, err);
    bool row;
    fm_status st;

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)height);
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && row)
        ledger_store_bytes(&b->changes, stmt, 0);
    (void)sqlite3_reset(stmt);
    if (st == FM_OK && !row)
        return base_err_set(err, FM_E_NOT_FOUND, "block %llu cannot be taken back",
                            (unsigned long long)height);
    return st == FM_OK ? base_buf_status(&b->changes, "undo", err) : st;
}

/* One change from the cursor. Keys with their NULs take less room than their changes do. */
static bool take_change(struct back *b, struct base_cur *cur, struct ledger_update *u)
{
    uint32_t len = base_cur_u32(cur);
    const uint8_t *key = base_cur_take(cur, len);

    if (key == NULL)
        return false;
    u->key = b->keys + b->keys_len;
    memcpy(b->keys + b->keys_len, key, len);
    b->keys[b->keys_len + len] = '\0';
    b->keys_len += len + 1;
    u->value = NULL;
    u->len = 0;
    if (base_cur_u8(cur) == 0)
        return !cur->bad;
    u->len = base_cur_u32(cur);
    u->value = base_cur_take(cur, u->len);
    return u->value != NULL;
}

static fm_status parse_changes(struct ledger_store *store, struct back *b, struct base_err *err)
{
    struct base_cur cur = base_cur_make(b->changes.p, b->changes.len);
    size_t n = base_cur_u32(&cur);

    if (n > b->changes.len / 5) /* each takes five bytes at least */
        return ledger_store_corrupt(store, "what it kept of its newest block is damaged", err);
    b->updates = calloc(n + 1, sizeof *b->updates);
    b->paths = calloc(n + 1, sizeof *b->paths);
    b->keys = malloc(b->changes.len + 1);
    if (b->updates == NULL || b->paths == NULL || b->keys == NULL)
        return base_err_memory(err, "undo");
    for (; b->n < n; b->n++) {
        struct ledger_update *u = &b->updates[b->n];

        if (!take_change(b, &cur, u))
            return ledger_store_corrupt(store, "what it kept of its newest block is damaged", err);
        ledger_state_path(b->paths[b->n].path, u->key);
        b->paths[b->n].removed = u->value == NULL;
        if (u->value != NULL)
            base_hash(b->paths[b->n].value_hash, u->value, u->len);
    }
    return FM_OK;
}

static fm_status undo_state(struct ledger_store *store, struct back *b, const uint8_t root32[32],
                            struct base_err *err)
{
    struct ledger_state_pages pages = ledger_store_pages(store);
    uint8_t root[32];
    fm_status st = parse_changes(store, b, err);

    if (st == FM_OK)
        st = ledger_store_put_updates(store, b->updates, b->n, err);
    if (st == FM_OK && b->n > 0) {
        st = ledger_state_update(root, &pages, b->paths, b->n, err);
        if (st == FM_OK && memcmp(root, root32, sizeof root) != 0)
            st = ledger_store_corrupt(store, "its state does not come back to what it was", err);
    }
    return st;
}

/* Leaves from `size` on, and the subtrees that they completed. */
static fm_status undo_log(struct ledger_store *store, uint64_t size, struct base_err *err)
{
    fm_status st = run_2(store, LEDGER_SQL_UNDO_TXS, size, 0, err);

    if (st == FM_OK)
        st = run_2(store, LEDGER_SQL_UNDO_RECENT, size, 0, err);
    if (st == FM_OK)
        st = ledger_recent_step(store, err);
    if (st == FM_OK)
        st = run_2(store, LEDGER_SQL_UNDO_LEAVES, size, 0, err);
    for (unsigned level = LEDGER_STORE_NODE_LEVEL; st == FM_OK && level < 56; level++)
        st = run_2(store, LEDGER_SQL_UNDO_NODES, (uint64_t)level << 56 | size >> level,
                   (uint64_t)(level + 1) << 56, err);
    if (st == FM_OK)
        st = run_2(store, LEDGER_SQL_UNDO_COSIGNATURES, size, 0, err);
    return st;
}

fm_status ledger_store_undo(struct ledger_store *store, uint64_t height, struct base_err *err)
{
    struct ledger_store_tip before;
    struct back b = {0};
    fm_status st = read_changes(store, &b, height, err);

    if (st == FM_OK)
        st = run_2(store, LEDGER_SQL_UNDO_TIP, height, 0, err);
    if (st == FM_OK)
        st = ledger_store_get_tip(store, &before, err);
    if (st == FM_OK)
        st = undo_state(store, &b, before.tip.state_root, err);
    if (st == FM_OK)
        st = undo_log(store, before.tip.log.size, err);
    if (st == FM_OK)
        st = run_2(store, LEDGER_SQL_UNDO_BLOCK, height, 0, err);
    if (st == FM_OK)
        st = run_2(store, LEDGER_SQL_UNDO_ROW, height, 0, err);
    back_release(&b);
    return st;
}

/* ---- notes ---- */

fm_status ledger_store_put_note(struct ledger_store *store, const char *name, const void *value,
                                size_t len, struct base_err *err)
{
    sqlite3_stmt *stmt =
        ledger_store_stmt(store, value != NULL ? LEDGER_SQL_PUT_NOTE : LEDGER_SQL_DEL_NOTE, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (value != NULL)
        ledger_store_bind(stmt, 2, value, len);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_store_each_note(struct ledger_store *store,
                                 fm_status (*fn)(void *ctx, const char *name, const void *value,
                                                 size_t len, struct base_err *err),
                                 void *ctx, struct base_err *err)
{
    sqlite3_stmt *stmt;
    bool row = true;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_LIST_NOTES, err);

    if (st != FM_OK)
        return st;
    while (st == FM_OK) {
        const char *name;

        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        name = (const char *)sqlite3_column_text(stmt, 0);
        st = name != NULL ? fn(ctx, name, sqlite3_column_blob(stmt, 1),
                               (size_t)sqlite3_column_bytes(stmt, 1), err)
                          : base_err_memory(err, "ledger store");
    }
    (void)sqlite3_finalize(stmt);
    return st;
}
