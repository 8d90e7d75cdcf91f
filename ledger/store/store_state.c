/* The store's state: keys and values, and the pages of the tree over them. */
#include <string.h>

#include "base/json.h"
#include "ledger/store/store_impl.h"

/* ---- keys and values ---- */

#define SEEN "seen/"
#define SEEN_LEN 5
#define AFTER_SEEN "seen0" /* the first key after all that begin with SEEN */

static bool is_seen(const char *key)
{
    return strncmp(key, SEEN, SEEN_LEN) == 0;
}

/* What the state holds under seen/ID. */
static void put_seen_value(struct base_buf *value, int64_t not_after)
{
    base_buf_putf(value, "{\"not_after\":%lld}", (long long)not_after);
}

static fm_status is_remembered(void *ctx, bool *found, const uint8_t id[32], int64_t not_after,
                               struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(ctx, LEDGER_SQL_GET_SEEN, err);
    fm_status st;

    *found = false;
    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, not_after);
    ledger_store_bind(stmt, 2, id, 32);
    st = ledger_store_row(ctx, stmt, found, err);
    (void)sqlite3_reset(stmt);
    return st;
}

static fm_status get_seen(struct ledger_store *store, int64_t *not_after, bool *found,
                          const char *key, struct base_err *err)
{
    struct ledger_recent_row row;
    uint8_t id[32];
    fm_status st;

    *found = false;
    if (!base_unhex(id, sizeof id, key + SEEN_LEN, strlen(key + SEEN_LEN)))
        return FM_OK; /* no id, so it was never seen */
    st = ledger_recent_find(store, &row, found, id, err);
    if (st != FM_OK || !*found)
        return st;
    *not_after = row.not_after;
    return is_remembered(store, found, id, row.not_after, err); /* or it is forgotten by now */
}

static fm_status get_state(void *ctx, struct base_buf *value, bool *found, const char *key,
                           struct base_err *err)
{
    struct ledger_store *store = ctx;
    sqlite3_stmt *stmt;
    int64_t not_after;
    fm_status st;

    if (is_seen(key)) {
        st = get_seen(store, &not_after, found, key, err);
        if (st == FM_OK && *found)
            put_seen_value(value, not_after);
        return st == FM_OK ? base_buf_status(value, "state", err) : st;
    }
    stmt = ledger_store_stmt(store, LEDGER_SQL_GET_STATE, err);
    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    st = ledger_store_row(store, stmt, found, err);
    if (st == FM_OK && *found) {
        ledger_store_bytes(value, stmt, 0);
        st = base_buf_status(value, "state", err);
    }
    (void)sqlite3_reset(stmt);
    return st;
}

typedef fm_status tell_fn(void *ctx, const char *key, const void *value, size_t len,
                          struct base_err *err);

/* Rows of the table with the prefix, from a key on and before another (NULL: to the end). */
static fm_status list_rows(struct ledger_store *store, const char *prefix, const char *from,
                           const char *before, tell_fn *fn, void *fn_ctx, struct base_err *err)
{
    sqlite3_stmt *stmt;
    bool row = true;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_LIST_STATE, err);

    if (st != FM_OK)
        return st;
    (void)sqlite3_bind_text(stmt, 1, from, -1, SQLITE_STATIC);
    while (st == FM_OK && row) {
        const char *key;

        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        key = (const char *)sqlite3_column_text(stmt, 0);
        if (key == NULL || strncmp(key, prefix, strlen(prefix)) != 0 ||
            (before != NULL && strcmp(key, before) >= 0))
            break;
        st = fn(fn_ctx, key, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1),
                err);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status list_seen(struct ledger_store *store, const char *prefix, tell_fn *fn,
                           void *fn_ctx, struct base_err *err)
{
    struct base_buf value = {0};
    char key[SEEN_LEN + 65] = SEEN;
    uint8_t id[32];
    sqlite3_stmt *stmt;
    bool row = true;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_LIST_SEEN, err);

    if (st != FM_OK)
        return st;
    while (st == FM_OK) {
        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        if (!ledger_store_hash(id, stmt, 0)) {
            st = ledger_store_corrupt(store, "a transaction has no id", err);
            break;
        }
        base_hex(key + SEEN_LEN, id, sizeof id);
        base_buf_clear(&value);
        put_seen_value(&value, sqlite3_column_int64(stmt, 1));
        st = base_buf_status(&value, "state", err);
        if (st == FM_OK && strncmp(key, prefix, strlen(prefix)) == 0)
            st = fn(fn_ctx, key, value.p, value.len, err);
    }
    base_buf_release(&value);
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status list_state(void *ctx, const char *prefix, tell_fn *fn, void *fn_ctx,
                            struct base_err *err)
{
    struct ledger_store *store = ctx;
    size_t shared = strlen(prefix) < SEEN_LEN ? strlen(prefix) : SEEN_LEN;
    fm_status st;

    if (strncmp(prefix, SEEN, shared) != 0)
        return list_rows(store, prefix, prefix, NULL, fn, fn_ctx, err);
    st = list_rows(store, prefix, prefix, SEEN, fn, fn_ctx, err);
    if (st == FM_OK)
        st = list_seen(store, prefix, fn, fn_ctx, err);
    return st == FM_OK ? list_rows(store, prefix, AFTER_SEEN, NULL, fn, fn_ctx, err) : st;
}

static fm_status list_expired(void *ctx, int64_t before_ms,
                              fm_status (*fn)(void *fn_ctx, const char *id, struct base_err *err),
                              void *fn_ctx, struct base_err *err)
{
    struct ledger_store *store = ctx;
    uint8_t id[32];
    char text[65];
    sqlite3_stmt *stmt;
    bool row = true;
    fm_status st = ledger_store_walk(store, &stmt, LEDGER_SQL_EXPIRED_SEEN, err);

    if (st != FM_OK)
        return st;
    (void)sqlite3_bind_int64(stmt, 1, before_ms);
    while (st == FM_OK && row) {
        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        if (!ledger_store_hash(id, stmt, 0)) {
            st = ledger_store_corrupt(store, "a remembered transaction has no id", err);
            break;
        }
        base_hex(text, id, sizeof id);
        st = fn(fn_ctx, text, err);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

struct ledger_state_source ledger_store_source(struct ledger_store *store)
{
    return (struct ledger_state_source){get_state,     list_state, list_expired,
                                        is_remembered, NULL,       store};
}

static fm_status write_seen(struct ledger_store *store, enum ledger_sql sql, const char *key,
                            int64_t not_after, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, sql, err);
    uint8_t id[32];

    if (stmt == NULL)
        return err->code;
    if (!base_unhex(id, sizeof id, key + SEEN_LEN, strlen(key + SEEN_LEN)))
        return ledger_store_corrupt(store, "a remembered transaction has no id", err);
    (void)sqlite3_bind_int64(stmt, 1, not_after);
    ledger_store_bind(stmt, 2, id, sizeof id);
    return ledger_store_run(store, stmt, err);
}

/* The id itself comes into recent with its leaf, then into tx, and stays there. */
static fm_status put_seen(struct ledger_store *store, const struct ledger_update *u,
                          struct base_err *err)
{
    int64_t not_after;
    bool found;
    json_t *json;
    fm_status st;

    if (u->value == NULL) {
        st = get_seen(store, &not_after, &found, u->key, err);
        return st == FM_OK && found ? write_seen(store, LEDGER_SQL_DEL_SEEN, u->key, not_after, err)
                                    : st;
    }
    st = base_json_parse_canonical(&json, u->value, u->len, err);
    if (st == FM_OK)
        st = base_json_get_int(&not_after, json, "not_after", err);
    json_decref(json);
    if (st == FM_E_INPUT)
        return ledger_store_corrupt(store, "a remembered id has no time", err);
    return st == FM_OK ? write_seen(store, LEDGER_SQL_PUT_SEEN, u->key, not_after, err) : st;
}

static fm_status put_update(struct ledger_store *store, const struct ledger_update *u,
                            struct base_err *err)
{
    sqlite3_stmt *stmt;

    if (is_seen(u->key))
        return put_seen(store, u, err);
    stmt = ledger_store_stmt(store, u->value == NULL ? LEDGER_SQL_DEL_STATE : LEDGER_SQL_PUT_STATE,
                             err);
    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_text(stmt, 1, u->key, -1, SQLITE_STATIC);
    if (u->value != NULL)
        ledger_store_bind(stmt, 2, u->value, u->len);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_store_put_updates(struct ledger_store *store, const struct ledger_update *updates,
                                   size_t n, struct base_err *err)
{
    size_t i;
    fm_status st = FM_OK;

    for (i = 0; st == FM_OK && i < n; i++)
        st = put_update(store, &updates[i], err);
    return st;
}

/* ---- pages ---- */

#define SHALLOW_NIBBLES 14
#define UPPER_NIBBLES 2 /* these few stand together: each block writes most of them */

/* Binds a page's key to whichever table has it: sql for short ids, the next enum's for long ones.
 */
static sqlite3_stmt *page_stmt(struct ledger_store *store, enum ledger_sql shallow,
                               enum ledger_sql deep, const uint8_t *id, size_t id_len,
                               struct base_err *err)
{
    sqlite3_stmt *stmt;
    uint64_t at = 0;
    size_t i;

    if (id[0] > SHALLOW_NIBBLES) {
        stmt = ledger_store_stmt(store, deep, err);
        if (stmt != NULL)
            ledger_store_bind(stmt, 1, id, id_len);
        return stmt;
    }
    for (i = 1; i <= SHALLOW_NIBBLES / 2; i++)
        at = at << 8 | (i < id_len ? id[i] : 0U);
    at = at << 4 | id[0];
    if (id[0] <= UPPER_NIBBLES)
        at -= UINT64_C(1) << 62;
    stmt = ledger_store_stmt(store, shallow, err);
    if (stmt != NULL)
        (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)at);
    return stmt;
}

fm_status ledger_page_get(struct ledger_store *store, uint8_t *out, size_t *len, const uint8_t *id,
                          size_t id_len, struct base_err *err)
{
    sqlite3_stmt *stmt =
        page_stmt(store, LEDGER_SQL_GET_PAGE, LEDGER_SQL_GET_DEEP, id, id_len, err);
    bool row;
    fm_status st;

    *len = 0;
    if (stmt == NULL)
        return err->code;
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && row) {
        const void *page = sqlite3_column_blob(stmt, 0);
        size_t bytes = (size_t)sqlite3_column_bytes(stmt, 0);

        if (page == NULL || bytes > LEDGER_STATE_PAGE_MAX) {
            st = ledger_store_corrupt(store, "a page of the state tree is too long", err);
        } else {
            memcpy(out, page, bytes);
            *len = bytes;
        }
    }
    (void)sqlite3_reset(stmt);
    return st;
}

fm_status ledger_page_put(struct ledger_store *store, const uint8_t *id, size_t id_len,
                          const uint8_t *page, size_t len, struct base_err *err)
{
    sqlite3_stmt *stmt =
        page_stmt(store, LEDGER_SQL_PUT_PAGE, LEDGER_SQL_PUT_DEEP, id, id_len, err);

    if (stmt == NULL)
        return err->code;
    ledger_store_bind(stmt, 2, page, len);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_page_del(struct ledger_store *store, const uint8_t *id, size_t id_len,
                          struct base_err *err)
{
    sqlite3_stmt *stmt =
        page_stmt(store, LEDGER_SQL_DEL_PAGE, LEDGER_SQL_DEL_DEEP, id, id_len, err);

    return stmt != NULL ? ledger_store_run(store, stmt, err) : err->code;
}
