#include "exchange/data/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>

static char folder[64];

int testing_folder_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-data-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

int testing_folder_remove(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    (void)state;
    if (dir == NULL)
        return -1;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlink(testing_path(entry->d_name));
    (void)closedir(dir);
    return rmdir(folder);
}

const char *testing_path(const char *name)
{
    static char paths[64][384];
    static unsigned next;
    char *path = paths[next++ % 64];

    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void testing_write(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

bool testing_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

const char *testing_sql(const char *db_path, const char *sql)
{
    static char answer[1024];
    const char *rest = sql;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
    (void)snprintf(answer, sizeof answer, "-");
    while (*rest != '\0') {
        sqlite3_stmt *stmt;
        bool first = true;
        int code;
        if (sqlite3_prepare_v2(db, rest, -1, &stmt, &rest) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        if (stmt == NULL)
            break;
        while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(stmt, 0);
            if (first)
                (void)snprintf(answer, sizeof answer, "%s", text != NULL ? text : "NULL");
            first = false;
        }
        if (code != SQLITE_DONE)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        (void)sqlite3_finalize(stmt);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return answer;
}
