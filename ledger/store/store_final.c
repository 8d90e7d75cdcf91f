/* The store's cosignatures and evidence. */
#include "ledger/store/store_impl.h"

fm_status ledger_store_put_cosignature(struct ledger_store *store, bool *fresh, uint64_t size,
                                       const char *alias, const char *line, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_COSIGNATURE, err);
    fm_status st;

    *fresh = false;
    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)size);
    (void)sqlite3_bind_text(stmt, 2, alias, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 3, line, -1, SQLITE_STATIC);
    st = ledger_store_run(store, stmt, err);
    if (st == FM_OK)
        *fresh = sqlite3_changes(store->db) == 1;
    return st;
}

/* Calls fn for both texts of each row. */
static fm_status each_pair(struct ledger_store *store, sqlite3_stmt *stmt,
                           fm_status (*fn)(void *ctx, const char *first, const char *second,
                                           struct base_err *err),
                           void *ctx, struct base_err *err)
{
    bool row = true;
    fm_status st = FM_OK;

    while (st == FM_OK) {
        const char *first, *second;

        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        first = (const char *)sqlite3_column_text(stmt, 0);
        second = (const char *)sqlite3_column_text(stmt, 1);
        st = first != NULL && second != NULL ? fn(ctx, first, second, err)
                                             : base_err_memory(err, "ledger store");
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

fm_status ledger_store_each_cosignature(struct ledger_store *store, uint64_t size,
                                        fm_status (*fn)(void *ctx, const char *alias,
                                                        const char *line, struct base_err *err),
                                        void *ctx, struct base_err *err)
{
    sqlite3_stmt *stmt;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_LIST_COSIGNATURES, err);

    if (st != FM_OK)
        return st;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)size);
    return each_pair(store, stmt, fn, ctx, err);
}

fm_status ledger_store_drop_cosignatures(struct ledger_store *store, uint64_t below_size,
                                         struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_DROP_COSIGNATURES, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)below_size);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_store_put_evidence(struct ledger_store *store, const char *theirs,
                                    const char *ours, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_EVIDENCE, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_text(stmt, 1, theirs, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, ours, -1, SQLITE_STATIC);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_store_each_evidence(struct ledger_store *store,
                                     fm_status (*fn)(void *ctx, const char *theirs,
                                                     const char *ours, struct base_err *err),
                                     void *ctx, struct base_err *err)
{
    sqlite3_stmt *stmt;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_LIST_EVIDENCE, err);

    return st == FM_OK ? each_pair(store, stmt, fn, ctx, err) : st;
}
