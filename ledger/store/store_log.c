/* The store's log: blocks, leaves with their payloads, and the hashes that proofs need. */
#include <stdio.h>
#include <string.h>

#include "ledger/store/store_impl.h"

/* ---- writing ---- */

static fm_status put_leaf(void *ctx, const struct ledger_seal_leaf *leaf, struct base_err *err)
{
    struct ledger_store *store = ctx;
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_LEAF, err);
    fm_status st;

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)leaf->leaf);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)leaf->height);
    ledger_store_bind(stmt, 3, leaf->payload_hash, 32);
    if (leaf->outcome != NULL) {
        ledger_store_bind(stmt, 4, leaf->outcome->id, 32);
        (void)sqlite3_bind_text(stmt, 5, leaf->outcome->alias, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 6, leaf->outcome->type, -1, SQLITE_STATIC);
        ledger_store_bind(stmt, 7, leaf->result, leaf->result_len);
    }
    ledger_store_bind(stmt, 8, leaf->payload, leaf->len);
    st = ledger_store_run(store, stmt, err);
    if (st != FM_OK || leaf->outcome == NULL)
        return st;
    return ledger_recent_put(store, leaf->outcome->id, leaf->leaf, leaf->outcome->not_after, err);
}

static sqlite3_int64 node_at(unsigned level, uint64_t index)
{
    return (sqlite3_int64)((uint64_t)level << 56 | index);
}

static fm_status put_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32],
                          struct base_err *err)
{
    struct ledger_store *store = ctx;
    sqlite3_stmt *stmt;

    if (level < LEDGER_STORE_NODE_LEVEL)
        return FM_OK;
    stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_NODE, err);
    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, node_at(level, index));
    ledger_store_bind(stmt, 2, hash32, 32);
    return ledger_store_run(store, stmt, err);
}

struct ledger_seal_sink ledger_store_sink(struct ledger_store *store)
{
    return (struct ledger_seal_sink){put_leaf, put_node, store};
}

fm_status ledger_store_put_block(struct ledger_store *store, const struct ledger_store_block *block,
                                 struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_BLOCK, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)block->height);
    (void)sqlite3_bind_int64(stmt, 2, block->time_ms);
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)block->first_leaf);
    (void)sqlite3_bind_int64(stmt, 4, (sqlite3_int64)block->txs);
    return ledger_store_run(store, stmt, err);
}

/* ---- reading ---- */

fm_status ledger_store_get_block(struct ledger_store *store, struct ledger_store_block *out,
                                 uint64_t height, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_BLOCK, err);
    bool row = false;
    fm_status st;

    if (stmt == NULL)
        return err->code;
    memset(out, 0, sizeof *out);
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)height);
    st = height > INT64_MAX ? FM_OK : ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && row) {
        out->height = (uint64_t)sqlite3_column_int64(stmt, 0);
        out->time_ms = sqlite3_column_int64(stmt, 1);
        out->first_leaf = (uint64_t)sqlite3_column_int64(stmt, 2);
        out->txs = (uint64_t)sqlite3_column_int64(stmt, 3);
    } else if (st == FM_OK) {
        st =
            base_err_set(err, FM_E_NOT_FOUND, "there is no block %llu", (unsigned long long)height);
    }
    (void)sqlite3_reset(stmt);
    return st;
}

void ledger_store_leaf_release(struct ledger_store_leaf *leaf)
{
    base_buf_release(&leaf->payload);
    base_buf_release(&leaf->result);
    memset(leaf, 0, sizeof *leaf);
}

static void copy_text(char *out, size_t room, sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);

    (void)snprintf(out, room, "%s", text != NULL ? (const char *)text : "");
}

static fm_status fill_leaf(struct ledger_store *store, struct ledger_store_leaf *out,
                           sqlite3_stmt *stmt, struct base_err *err)
{
    base_buf_clear(&out->payload);
    base_buf_clear(&out->result);
    out->leaf = (uint64_t)sqlite3_column_int64(stmt, 0);
    out->height = (uint64_t)sqlite3_column_int64(stmt, 1);
    out->time_ms = sqlite3_column_int64(stmt, 2);
    out->is_block = sqlite3_column_type(stmt, 4) == SQLITE_NULL;
    out->erased = sqlite3_column_type(stmt, 8) == SQLITE_NULL;
    memset(out->id, 0, sizeof out->id);
    if (!ledger_store_hash(out->payload_hash, stmt, 3) ||
        (!out->is_block && !ledger_store_hash(out->id, stmt, 4)))
        return ledger_store_corrupt(store, "a leaf has no hash", err);
    copy_text(out->alias, sizeof out->alias, stmt, 5);
    copy_text(out->type, sizeof out->type, stmt, 6);
    ledger_store_bytes(&out->result, stmt, 7);
    ledger_store_bytes(&out->payload, stmt, 8);
    if (out->payload.failed)
        return base_buf_status(&out->payload, "leaf", err);
    return base_buf_status(&out->result, "leaf", err);
}

fm_status ledger_store_each_leaf(struct ledger_store *store, uint64_t from, uint64_t to,
                                 fm_status (*fn)(void *ctx, struct ledger_store_leaf *leaf,
                                                 struct base_err *err),
                                 void *ctx, struct base_err *err)
{
    struct ledger_store_leaf leaf = {0};
    sqlite3_stmt *stmt;
    bool row = true;
    fm_status st;

    if (from >= to || to > INT64_MAX)
        return FM_OK;
    st = ledger_store_walk(store, &stmt, LEDGER_SQL_GET_LEAVES, err);
    if (st != FM_OK)
        return st;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)from);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)to);
    while (st == FM_OK) {
        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        st = fill_leaf(store, &leaf, stmt, err);
        if (st == FM_OK && leaf.leaf != from++)
            st = ledger_store_corrupt(store, "a leaf is missing", err);
        if (st == FM_OK)
            st = fn(ctx, &leaf, err);
    }
    if (st == FM_OK && from != to)
        st = ledger_store_corrupt(store, "a leaf is missing", err);
    ledger_store_leaf_release(&leaf);
    (void)sqlite3_finalize(stmt);
    return st;
}

fm_status ledger_store_get_leaf(struct ledger_store *store, struct ledger_store_leaf *out,
                                uint64_t leaf, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_LEAVES, err);
    bool row = false;
    fm_status st = FM_OK;

    memset(out, 0, sizeof *out);
    if (stmt == NULL)
        return err->code;
    if (leaf < INT64_MAX) {
        (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)leaf);
        (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)leaf + 1);
        st = ledger_store_row(store, stmt, &row, err);
    }
    if (st == FM_OK && row)
        st = fill_leaf(store, out, stmt, err);
    else if (st == FM_OK)
        st = base_err_set(err, FM_E_NOT_FOUND, "there is no leaf %llu", (unsigned long long)leaf);
    if (st != FM_OK)
        ledger_store_leaf_release(out);
    (void)sqlite3_reset(stmt);
    return st;
}

fm_status ledger_store_each_identity(struct ledger_store *store, uint64_t to,
                                     fm_status (*fn)(void *ctx, uint64_t leaf,
                                                     struct base_err *err),
                                     void *ctx, struct base_err *err)
{
    sqlite3_stmt *stmt;
    bool row = true;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_LIST_IDENTITY, err);

    if (st != FM_OK)
        return st;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)to);
    while (st == FM_OK) {
        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        st = fn(ctx, (uint64_t)sqlite3_column_int64(stmt, 0), err);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

fm_status ledger_store_find_tx(struct ledger_store *store, uint64_t *leaf, const uint8_t id[32],
                               struct base_err *err)
{
    struct ledger_recent_row row;
    char text[65];
    bool found;
    fm_status st = ledger_recent_find(store, &row, &found, id, err);

    if (st == FM_OK && found) {
        *leaf = row.leaf;
    } else if (st == FM_OK) {
        base_hex(text, id, 32);
        st = base_err_set(err, FM_E_NOT_FOUND, "transaction %s is not on the log", text);
    }
    return st;
}

/* ---- erasing ---- */

fm_status ledger_store_erase_row(struct ledger_store *store, uint64_t leaf, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_ERASE_LEAF, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)leaf);
    return ledger_store_run(store, stmt, err);
}

/* SQLite keeps old bytes in what it frees, and in pages from which rows have moved. */
fm_status ledger_store_scrub(struct ledger_store *store, enum ledger_store_scrub step,
                             struct base_err *err)
{
    const char *sql = step == LEDGER_SCRUB_BEGIN
                          ? "PRAGMA secure_delete = ON"
                          : "VACUUM; PRAGMA secure_delete = OFF; PRAGMA wal_checkpoint(TRUNCATE)";
    int left = 0, done = 0;

    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return ledger_store_fail(store, err);
    if (step == LEDGER_SCRUB_BEGIN)
        return FM_OK;
    /* The pragma says nothing when a reader holds the WAL; this does. */
    if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, &done) !=
        SQLITE_OK)
        return (sqlite3_errcode(store->db) & 0xff) == SQLITE_BUSY
                   ? base_err_set(err, FM_E_CONFLICT,
                                  "%s: another process reads it: end that one, and prune again",
                                  store->path)
                   : ledger_store_fail(store, err);
    return FM_OK;
}

fm_status ledger_store_erase(struct ledger_store *store, uint64_t leaf, struct base_err *err)
{
    fm_status st = ledger_store_scrub(store, LEDGER_SCRUB_BEGIN, err);

    if (st == FM_OK)
        st = ledger_store_erase_row(store, leaf, err);
    if (st != FM_OK)
        return st;
    /* A reader in the middle of a walk delays the WAL's end until the next time. */
    if (sqlite3_exec(store->db, "PRAGMA secure_delete = OFF", NULL, NULL, NULL) != SQLITE_OK)
        return ledger_store_fail(store, err);
    (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return FM_OK;
}

/* ---- proofs ---- */

static fm_status read_hash(struct ledger_store *store, uint8_t out32[32], enum ledger_sql sql,
                           sqlite3_int64 at, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, sql, err);
    bool row;
    fm_status st;

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, at);
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && (!row || !ledger_store_hash(out32, stmt, 0)))
        st = ledger_store_corrupt(store, "a hash of the log is missing", err);
    (void)sqlite3_reset(stmt);
    return st;
}

static fm_status get_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                          struct base_err *err)
{
    struct ledger_store *store = ctx;
    uint8_t data[32];
    fm_status st;

    if (level >= LEDGER_STORE_NODE_LEVEL)
        return read_hash(store, out32, LEDGER_SQL_GET_NODE, node_at(level, index), err);
    if (level > 0)
        return base_err_set(err, FM_E_NOT_FOUND, "nodes of level %u are not stored", level);
    st = read_hash(store, data, LEDGER_SQL_GET_LEAF_HASH, (sqlite3_int64)index, err);
    if (st == FM_OK)
        ledger_log_leaf_hash(out32, data);
    return st;
}

fm_status ledger_store_payload_hash(struct ledger_store *store, uint8_t out32[32], uint64_t leaf,
                                    struct base_err *err)
{
    return read_hash(store, out32, LEDGER_SQL_GET_LEAF_HASH, (sqlite3_int64)leaf, err);
}

struct ledger_log_source ledger_store_log(struct ledger_store *store)
{
    return (struct ledger_log_source){get_node, store};
}
