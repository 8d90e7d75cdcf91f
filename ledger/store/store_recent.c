/* Where a transaction is, by its id. Ids have a random place in any order of ids, so each one put
 * into a large index at once would write a page of the file for itself. The newest stand in the
 * order of the log instead (table recent), and go into the index (table tx) together, sorted.
 *
 *   R1  each transaction of the log is in one of the two tables.
 *   R2  ids come into tx, and leave recent, only together with a step of `merged`. So what a
 *       connection read of recent at one count, and which ids it did not find in tx, stays true but
 *       for rows that came at the end, until it sees another count.
 *
 * A connection keeps what it read of recent in memory, by id. The writing one also puts there what
 * it writes, and takes it out again if the transaction is rolled back. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ledger/store/store_impl.h"

enum {
    ABSENT = 8192, /* ids that tx does not have, by their place; zeros, which are no id: none */
    PART = 8,      /* of the log may wait, */
    LARGER = 4     /* or so many times what was asked for */
};
#define NONE UINT32_MAX

/* ---- the rows in memory ---- */

static size_t place_of(const uint8_t id[32], size_t places)
{
    return (size_t)base_load_u64(id) & (places - 1); /* ids are hashes */
}

static void forget_all(struct ledger_recent *r)
{
    r->n = r->kept = 0;
    r->loaded = r->replaced = false;
    if (r->head != NULL)
        memset(r->head, 0xff, r->room * sizeof *r->head);
    if (r->absent != NULL)
        memset(r->absent, 0, ABSENT * sizeof *r->absent);
}

void ledger_recent_release(struct ledger_recent *r)
{
    free(r->row);
    free(r->head);
    free(r->absent);
    memset(r, 0, sizeof *r);
}

static void link_row(struct ledger_recent *r, size_t i)
{
    uint32_t *head = &r->head[place_of(r->row[i].id, r->room)];

    r->row[i].next = *head;
    *head = (uint32_t)i;
}

static bool grow(struct ledger_recent *r)
{
    size_t room = r->room == 0 ? 1024 : 2 * r->room;
    struct ledger_recent_row *row = realloc(r->row, room * sizeof *row);
    uint32_t *head;

    if (row == NULL)
        return false;
    r->row = row;
    head = realloc(r->head, room * sizeof *head);
    if (head == NULL)
        return false;
    r->head = head;
    r->room = room;
    memset(head, 0xff, room * sizeof *head);
    for (size_t i = 0; i < r->n; i++)
        link_row(r, i);
    return true;
}

static bool add_row(struct ledger_recent *r, const uint8_t id[32], uint64_t leaf, int64_t not_after)
{
    if (r->n == r->room && !grow(r))
        return false;
    memcpy(r->row[r->n].id, id, 32);
    r->row[r->n].leaf = leaf;
    r->row[r->n].not_after = not_after;
    link_row(r, r->n++);
    return true;
}

/* The newest of a place is its first, so that the last rows can be taken out again. */
static void cut_rows(struct ledger_recent *r, size_t n)
{
    while (r->n > n) {
        const struct ledger_recent_row *row = &r->row[--r->n];
        r->head[place_of(row->id, r->room)] = row->next;
    }
}

static const struct ledger_recent_row *find_row(const struct ledger_recent *r, const uint8_t id[32])
{
    uint32_t i = r->room == 0 ? NONE : r->head[place_of(id, r->room)];

    while (i != NONE && memcmp(r->row[i].id, id, 32) != 0)
        i = r->row[i].next;
    return i == NONE ? NULL : &r->row[i];
}

/* ---- the tables ---- */

static fm_status read_merged(struct ledger_store *store, int64_t *times, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_MERGED, err);
    bool row;
    fm_status st;

    *times = -1;
    if (stmt == NULL)
        return err->code;
    st = ledger_store_row(store, stmt, &row, err);
    *times = sqlite3_column_int64(stmt, 0);
    if (st == FM_OK && !row)
        st = ledger_store_corrupt(store, "it does not say how its index came about", err);
    (void)sqlite3_reset(stmt);
    return st;
}

static fm_status read_rows(struct ledger_store *store, struct base_err *err)
{
    struct ledger_recent *r = &store->recent;
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_LIST_RECENT, err);
    uint8_t id[32];
    bool row = true;
    fm_status st = FM_OK;

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, r->n == 0 ? -1 : (sqlite3_int64)r->row[r->n - 1].leaf);
    while (st == FM_OK) {
        st = ledger_store_row(store, stmt, &row, err);
        if (st != FM_OK || !row)
            break;
        if (!ledger_store_hash(id, stmt, 1))
            st = ledger_store_corrupt(store, "a transaction has no id", err);
        else if (!add_row(r, id, (uint64_t)sqlite3_column_int64(stmt, 0),
                          sqlite3_column_int64(stmt, 2)))
            st = base_err_memory(err, "ledger store");
    }
    (void)sqlite3_reset(stmt);
    return st;
}

/* Whoever writes knows of every change; a reader looks. */
static fm_status refresh(struct ledger_store *store, struct base_err *err)
{
    struct ledger_recent *r = &store->recent;
    int64_t merged;
    fm_status st;

    if (r->loaded && store->lock_fd >= 0)
        return FM_OK;
    if (r->absent == NULL)
        r->absent = calloc(ABSENT, sizeof *r->absent);
    if (r->absent == NULL)
        return base_err_memory(err, "ledger store");
    st = read_merged(store, &merged, err);
    if (st != FM_OK)
        return st;
    if (!r->loaded || r->merged != merged)
        forget_all(r);
    r->merged = merged;
    st = read_rows(store, err);
    r->kept = r->n;
    r->loaded = st == FM_OK;
    r->replaced = sqlite3_get_autocommit(store->db) == 0; /* there may be more than is kept */
    return st;
}

static fm_status find_merged(struct ledger_store *store, struct ledger_recent_row *out, bool *found,
                             const uint8_t id[32], struct base_err *err)
{
    uint8_t *absent = store->recent.absent[place_of(id, ABSENT)];
    sqlite3_stmt *stmt;
    fm_status st;

    *found = false;
    if (memcmp(absent, id, 32) == 0)
        return FM_OK;
    stmt = ledger_store_stmt(store, LEDGER_SQL_GET_TX, err);
    if (stmt == NULL)
        return err->code;
    ledger_store_bind(stmt, 1, id, 32);
    st = ledger_store_row(store, stmt, found, err);
    if (st == FM_OK && *found) {
        out->leaf = (uint64_t)sqlite3_column_int64(stmt, 0);
        out->not_after = sqlite3_column_int64(stmt, 1);
    } else if (st == FM_OK) {
        memcpy(absent, id, 32);
    }
    (void)sqlite3_reset(stmt);
    return st;
}

fm_status ledger_recent_find(struct ledger_store *store, struct ledger_recent_row *out, bool *found,
                             const uint8_t id[32], struct base_err *err)
{
    const struct ledger_recent_row *row;
    fm_status st = refresh(store, err);

    *found = false;
    if (st != FM_OK)
        return st;
    row = find_row(&store->recent, id);
    if (row == NULL)
        return find_merged(store, out, found, id, err);
    *out = *row;
    *found = true;
    return FM_OK;
}

fm_status ledger_recent_put(struct ledger_store *store, const uint8_t id[32], uint64_t leaf,
                            int64_t not_after, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_RECENT, err);
    fm_status st;

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)leaf);
    ledger_store_bind(stmt, 2, id, 32);
    (void)sqlite3_bind_int64(stmt, 3, not_after);
    st = ledger_store_run(store, stmt, err);
    if (st == FM_OK && store->recent.loaded && !add_row(&store->recent, id, leaf, not_after))
        st = base_err_memory(err, "ledger store");
    return st;
}

static fm_status run_plain(struct ledger_store *store, enum ledger_sql sql, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, sql, err);

    return stmt != NULL ? ledger_store_run(store, stmt, err) : err->code;
}

/* R2. What is in memory is then of another count, and would be again after a rollback. */
fm_status ledger_recent_step(struct ledger_store *store, struct base_err *err)
{
    forget_all(&store->recent);
    store->recent.replaced = true;
    return run_plain(store, LEDGER_SQL_STEP_MERGED, err);
}

fm_status ledger_store_merge_ids(struct ledger_store *store, struct base_err *err)
{
    fm_status st = run_plain(store, LEDGER_SQL_MERGE_RECENT, err);

    if (st == FM_OK)
        st = run_plain(store, LEDGER_SQL_CLEAR_RECENT, err);
    return st == FM_OK ? ledger_recent_step(store, err) : st;
}

fm_status ledger_store_merge_due_ids(struct ledger_store *store, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_SPAN_RECENT, err);
    int64_t first = 0, last = 0, least = (int64_t)store->merge_at, most = LARGER * least, due;
    bool row;
    fm_status st;

    if (stmt == NULL)
        return err->code;
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && row) {
        first = sqlite3_column_int64(stmt, 0);
        last = sqlite3_column_int64(stmt, 1);
    }
    (void)sqlite3_reset(stmt);
    /* The larger tx is, the more of its pages each merge writes: the more have to come together. */
    due = last / PART < least ? least : last / PART > most ? most : last / PART;
    return st == FM_OK && last - first >= due ? ledger_store_merge_ids(store, err) : st;
}

void ledger_store_set_recent(struct ledger_store *store, size_t leaves)
{
    store->merge_at = leaves;
}

void ledger_recent_committed(struct ledger_store *store)
{
    store->recent.kept = store->recent.n;
    store->recent.replaced = false;
}

void ledger_recent_rolled_back(struct ledger_store *store)
{
    struct ledger_recent *r = &store->recent;

    if (store->lock_fd < 0)
        return; /* a reader has read what is committed, and nothing else */
    if (r->replaced)
        forget_all(r);
    else if (r->loaded)
        cut_rows(r, r->kept);
}
