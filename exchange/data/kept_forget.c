#include <unistd.h>

#include "exchange/data/kept_own.h"

/* of[1]: the first version that stays, or past all if none does. Of several with the number
 * `before` that were kept, it is the one with the published root; while none is known, the first.
 * Whatever has a higher number stays. */
static fm_status first_to_stay(int64_t of[3], const struct data_db *db, const char *table,
                               const uint8_t *root32, struct base_err *err)
{
    static const char later_sql[] =
        "SELECT min(CASE WHEN ?2 > 0 THEN ?2 ELSE 9223372036854775807 END, coalesce(min(id), "
        "9223372036854775807)) FROM published WHERE dataset = ?1 AND number > ?3 AND forgotten = 0";
    int64_t about[3] = {of[0], 0, root32 != NULL ? of[2] : of[2] - 1};
    fm_status st = FM_OK;

    if (root32 != NULL)
        st = data_kept_about(&about[1], db,
                             "SELECT p.id FROM published AS p JOIN datasets AS d ON p.dataset = "
                             "d.id WHERE d.name = ?1 AND p.root = ?2 AND p.forgotten = 0 ORDER BY "
                             "p.id DESC LIMIT 1",
                             table, root32, err);
    return st == FM_OK ? data_kept_run(&of[1], db, later_sql, about, err) : st;
}

/* of: the dataset; the first version that stays; the number below which all go. */
static fm_status measure(struct data_forgotten *out, const int64_t of[3], const struct data_db *db,
                         struct base_err *err)
{
    int64_t versions = 0, rows = 0;
    fm_status st =
        data_kept_run(&versions, db,
                      "SELECT count(*) FROM published WHERE dataset = ?1 AND id < ?2 AND "
                      "forgotten = 0",
                      of, err);
    if (st == FM_OK)
        st =
            data_kept_run(&rows, db,
                          "SELECT count(*) FROM contents WHERE dataset = ?1 AND (until <= ?2 OR ?2 "
                          "= 9223372036854775807)",
                          of, err);
    if (st == FM_OK)
        st = data_kept_run(&out->oldest, db, "SELECT number FROM published WHERE id = ?2", of, err);
    out->versions = (uint64_t)versions;
    out->rows = (uint64_t)rows;
    return st;
}

/* Content that stands in a version that stays needs the seed of the version that it came with. */
static fm_status erase(const struct data_db *db, const int64_t of[3], struct base_err *err)
{
    static const char *const sql[] = {
        "DELETE FROM contents WHERE dataset = ?1 AND (until <= ?2 OR ?2 = 9223372036854775807)",
        "UPDATE published SET forgotten = 1 WHERE dataset = ?1 AND id < ?2",
        "UPDATE published SET seed = NULL WHERE dataset = ?1 AND id < ?2 AND id NOT IN (SELECT "
        "since FROM contents WHERE dataset = ?1)",
    };
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < sizeof sql / sizeof sql[0]; i++)
        st = data_kept_run(NULL, db, sql[i], of, err);
    return st;
}

static fm_status forget(struct data_forgotten *out, const struct data_db *db, const char *table,
                        int64_t before, const uint8_t *root32, struct base_err *err)
{
    int64_t of[3] = {0, 0, before};
    fm_status st = data_db_exec(db, data_kept_sql, err);

    if (st == FM_OK)
        st = data_kept_about(&of[0], db, "SELECT id FROM datasets WHERE name = ?1", table, NULL,
                             err);
    if (st == FM_OK && of[0] == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "no rows of %s are kept here", table);
    if (st == FM_OK)
        st = first_to_stay(of, db, table, root32, err);
    if (st == FM_OK)
        st = measure(out, of, db, err);
    return st == FM_OK ? erase(db, of, err) : st;
}

fm_status data_kept_forget(struct data_forgotten *out, const char *path, const char *table,
                           int64_t before, const uint8_t *root32, struct base_err *err)
{
    struct data_db db;
    fm_status st;

    *out = (struct data_forgotten){0};
    if (access(path, F_OK) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "no rows of %s are kept here", table);
    st = data_db_open(&db, path, DATA_DB_WRITE, err);
    if (st != FM_OK)
        return st;
    (void)sqlite3_busy_timeout(db.sqlite, KEPT_WAIT_MS);
    st = data_db_exec(&db, "PRAGMA secure_delete = ON; BEGIN IMMEDIATE", err);
    if (st == FM_OK)
        st = forget(out, &db, table, before, root32, err);
    if (st == FM_OK)
        st = data_db_exec(&db, "COMMIT", err);
    data_db_close(&db); /* rolls back what is not committed */
    return st;
}
