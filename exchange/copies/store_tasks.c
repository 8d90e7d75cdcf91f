/* What this member can open, and what the others shall do about it. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "exchange/copies/store_own.h"

/* ---- known ---- */

fm_status copies_known_get(struct copies_store *s, const char *owner, const char *address,
                           struct base_err *err)
{
    sqlite3_stmt *q;
    bool row = false;
    fm_status st = copies_sql(&q, s, err, "SELECT 1 FROM known WHERE address = ?1 AND owner = ?2",
                              "ss", address, owner);

    if (st == FM_OK)
        st = copies_step(&row, s, &q, err);
    if (st == FM_OK && !row)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "no copy %.16s of %s is known here: firmiana document list", address,
                          owner);
    (void)sqlite3_finalize(q);
    return st;
}

static fm_status check_count(struct copies_store *s, const char *owner, struct base_err *err)
{
    sqlite3_stmt *q;
    bool row = false;
    fm_status st =
        copies_sql(&q, s, err, "SELECT count(*) FROM known WHERE owner = ?1", "s", owner);

    if (st == FM_OK)
        st = copies_step(&row, s, &q, err);
    if (st == FM_OK && row && sqlite3_column_int64(q, 0) >= COPIES_HELD_MAX)
        st = base_err_set(err, FM_E_LIMIT, "%d copies of %s are known here: no more",
                          COPIES_HELD_MAX, owner);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_known_add(struct copies_store *s, const char *address, const char *owner,
                           int64_t until_ms, struct base_err *err)
{
    struct base_err none = {0};
    sqlite3_stmt *q = NULL;
    fm_status st = copies_known_get(s, owner, address, &none);

    if (st == FM_E_NOT_FOUND)
        st = check_count(s, owner, err);
    else if (st != FM_OK)
        *err = none;
    if (st == FM_OK)
        st = copies_sql(&q, s, err,
                        "INSERT INTO known(address, owner, until_ms) VALUES(?1,?2,?3) ON CONFLICT "
                        "DO UPDATE SET until_ms = ?3",
                        "ssi", address, owner, until_ms);
    return copies_run(s, st, q, err);
}

fm_status copies_known_remove(struct copies_store *s, const char *owner, const char *address,
                              struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st = copies_sql(&q, s, err, "DELETE FROM known WHERE address = ?1 AND owner = ?2",
                              "ss", address, owner);

    st = copies_run(s, st, q, err);
    copies_unlink(s, "get", NULL, address);
    return st;
}

fm_status copies_known_list(json_t **out, struct copies_store *s, struct base_err *err)
{
    char address[65], owner[COPIES_ALIAS];
    sqlite3_stmt *q;
    bool row = true;
    fm_status st =
        copies_sql(&q, s, err, "SELECT address, owner, until_ms FROM known ORDER BY id", "");

    *out = json_array();
    while (st == FM_OK && row) {
        st = copies_step(&row, s, &q, err);
        if (st != FM_OK || !row)
            break;
        st = copies_column(address, sizeof address, q, 0, err);
        if (st == FM_OK)
            st = copies_column(owner, sizeof owner, q, 1, err);
        if (st == FM_OK)
            (void)json_array_append_new(*out, json_pack("{s:s,s:s,s:I}", "address", address,
                                                        "owner", owner, "until",
                                                        (json_int_t)sqlite3_column_int64(q, 2)));
    }
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_known_over(bool *found, char owner[COPIES_ALIAS], char address[65],
                            struct copies_store *s, int64_t now_ms, struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st = copies_sql(
        &q, s, err, "SELECT address, owner FROM known WHERE until_ms <= ?1 LIMIT 1", "i", now_ms);

    *found = false;
    if (st == FM_OK)
        st = copies_step(found, s, &q, err);
    if (st == FM_OK && *found)
        st = copies_column(address, 65, q, 0, err);
    if (st == FM_OK && *found)
        st = copies_column(owner, COPIES_ALIAS, q, 1, err);
    (void)sqlite3_finalize(q);
    return st;
}

/* ---- tasks ---- */

#define TASK "SELECT address, member, role, state, why, at_ms, receipt FROM task "

static fm_status read_task(struct copies_task *t, sqlite3_stmt *q, struct base_err *err)
{
    *t = (struct copies_task){.role = (enum copies_role)sqlite3_column_int(q, 2),
                              .state = (enum copies_state)sqlite3_column_int(q, 3),
                              .at_ms = sqlite3_column_int64(q, 5)};
    if (copies_column(t->address, sizeof t->address, q, 0, err) != FM_OK ||
        copies_column(t->member, sizeof t->member, q, 1, err) != FM_OK ||
        copies_column(t->why, sizeof t->why, q, 4, err) != FM_OK)
        return err->code;
    return copies_column_json(&t->receipt, q, 6, err);
}

fm_status copies_task_put(struct copies_store *s, const struct copies_task *t, struct base_err *err)
{
    struct base_buf receipt = {0};
    sqlite3_stmt *q = NULL;
    fm_status st = t->receipt != NULL ? base_json_canonical(&receipt, t->receipt, err) : FM_OK;

    if (st == FM_OK)
        st = copies_sql(&q, s, err, "INSERT OR REPLACE INTO task VALUES(?1,?2,?3,?4,?5,?6,?7)",
                        "ssiisis", t->address, t->member, (int64_t)t->role, (int64_t)t->state,
                        t->why, t->at_ms, t->receipt != NULL ? base_buf_cstr(&receipt) : NULL);
    st = copies_run(s, st, q, err);
    base_buf_release(&receipt);
    return st;
}

static fm_status run(struct copies_store *s, const char *sql, struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st = copies_sql(&q, s, err, sql, "");

    return copies_run(s, st, q, err);
}

fm_status copies_tasks_put(struct copies_store *s, const struct copies_task *tasks, size_t n,
                           struct base_err *err)
{
    fm_status st = run(s, "BEGIN IMMEDIATE", err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = copies_task_put(s, &tasks[i], err);
    if (st == FM_OK)
        st = run(s, "COMMIT", err);
    if (st != FM_OK && !sqlite3_get_autocommit(s->db)) /* a full disk may have rolled it back */
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

fm_status copies_task_next(struct copies_task *out, struct copies_store *s, const char *member,
                           int64_t before_ms, struct base_err *err)
{
    sqlite3_stmt *q;
    bool row = false;
    fm_status st = copies_sql(&q, s, err,
                              TASK "WHERE member = ?1 AND state IN (0, 3) AND at_ms <= ?2 ORDER BY "
                                   "at_ms, role LIMIT 1",
                              "si", member, before_ms);

    _Static_assert(COPIES_WAITING == 0 && COPIES_LEAVING == 3, "the states above");
    *out = (struct copies_task){0};
    if (st == FM_OK)
        st = copies_step(&row, s, &q, err);
    if (st == FM_OK)
        st = row ? read_task(out, q, err)
                 : base_err_set(err, FM_E_NOT_FOUND, "nothing to tell %s", member);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_task_each(struct copies_store *s, const char *address,
                           fm_status (*fn)(void *ctx, const struct copies_task *t,
                                           struct base_err *err),
                           void *ctx, struct base_err *err)
{
    struct copies_task tasks[2 * COPIES_READERS];
    size_t n = 0;
    sqlite3_stmt *q;
    bool row = true;
    fm_status st =
        copies_sql(&q, s, err, TASK "WHERE address = ?1 ORDER BY role, member", "s", address);

    while (st == FM_OK && row && n < sizeof tasks / sizeof tasks[0]) {
        st = copies_step(&row, s, &q, err);
        if (st == FM_OK && row)
            st = read_task(&tasks[n], q, err);
        n += st == FM_OK && row;
    }
    (void)sqlite3_finalize(q);
    for (size_t i = 0; i < n; i++) {
        if (st == FM_OK)
            st = fn(ctx, &tasks[i], err);
        json_decref(tasks[i].receipt);
    }
    return st;
}

fm_status copies_task_remove(struct copies_store *s, const char *address, const char *member,
                             enum copies_role role, struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st =
        copies_sql(&q, s, err, "DELETE FROM task WHERE address = ?1 AND member = ?2 AND role = ?3",
                   "ssi", address, member, (int64_t)role);

    return copies_run(s, st, q, err);
}

fm_status copies_tasks_remove(struct copies_store *s, const char *address, struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st = copies_sql(&q, s, err, "DELETE FROM task WHERE address = ?1", "s", address);

    st = copies_run(s, st, q, err);
    copies_unlink(s, "out", NULL, address);
    return st;
}
