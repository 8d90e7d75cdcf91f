#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "tests/consortium.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/test_profile.h"
#include "exchange/data/demo_data.h"

static const char *const aliases[MEMBERS] = {"bank_a", "bank_b", "bank_c", "regulator"};

_Noreturn void consortium_fail(const char *file, int line, const char *fmt, ...)
{
    va_list args;

    (void)fflush(stdout);
    fprintf(stderr, "\n%s:%d: ", file, line);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    fputs("\n", stderr);
    exit(1);
}

/* ---- homes ---- */

static void make_identities(struct consortium *c)
{
    json_t *members = json_array();
    struct base_err err = {0};

    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *m = &c->members[i];
        m->c = c;
        m->alias = aliases[i];
        (void)snprintf(m->dir, sizeof m->dir, "%s/%s", c->root, m->alias);
        REQUIRE(mkdir(m->dir, 0700) == 0);
        /* In the simulation a member's endpoint is its name. */
        REQUIRE(identity_new(&m->id, m->alias, m->alias, NULL, &err) == FM_OK);
        REQUIRE(json_array_append(members, m->id.member) == 0);
    }
    REQUIRE(identity_genesis(&c->genesis, "simulated", members, 3, aliases[c->sequencer],
                             IDENTITY_REAL, base_clock_unix_ms(&c->clock), &err) == FM_OK);
    json_decref(members);
}

/* Before the first run: its moment is that of a simulation that has not begun. */
static int64_t first_moment(void *ctx)
{
    (void)ctx;
    return INT64_C(1700000000000);
}

void consortium_init(struct consortium *c, unsigned sequencer, uint32_t rows)
{
    const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct base_err err = {0};
    char folder[HOME_PATH];
    struct data_demo demo = {
        .folder = folder, .seed = 7, .banks = 3, .rows = rows, .mode = DATA_IMPORT_NEW};

    (void)test_profile_adopt();
    *c = (struct consortium){.sequencer = sequencer};
    c->clock = (struct base_clock){first_moment, first_moment, NULL};
    (void)snprintf(c->root, sizeof c->root, "%s/firmiana-test.XXXXXX", tmp);
    REQUIRE(mkdtemp(c->root) != NULL);
    (void)snprintf(folder, sizeof folder, "%s/data", c->root);
    REQUIRE(data_demo_write(&demo, &err) == FM_OK);
    make_identities(c);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void consortium_release(struct consortium *c)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        identity_release(&c->members[i].id);
    base_buf_release(&c->genesis);
    if (c->loud)
        printf("kept: %s\n", c->root);
    else
        (void)nftw(c->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- keeping and putting back ---- */

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    ssize_t n;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    REQUIRE(in >= 0 && out >= 0);
    while ((n = read(in, block, sizeof block)) > 0)
        REQUIRE(write(out, block, (size_t)n) == n);
    REQUIRE(n == 0);
    (void)close(in);
    (void)close(out);
}

static void each_file(struct consortium *c, const char *from, const char *to)
{
    static const char *const files[] = {"ledger.db", "sessions.db"};

    for (unsigned i = 0; i < MEMBERS; i++)
        for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
            char source[HOME_PATH * 2], target[HOME_PATH * 2];
            (void)snprintf(source, sizeof source, "%s/%s%s", c->members[i].dir, files[k], from);
            (void)snprintf(target, sizeof target, "%s/%s%s", c->members[i].dir, files[k], to);
            copy_file(source, target);
            /* A node that ended in order leaves no write-ahead log; one that is put back must not
             * find another's. */
            (void)snprintf(target, sizeof target, "%s/%s-wal", c->members[i].dir, files[k]);
            (void)unlink(target);
            (void)snprintf(target, sizeof target, "%s/%s-shm", c->members[i].dir, files[k]);
            (void)unlink(target);
        }
}

void consortium_save(struct consortium *c)
{
    each_file(c, "", ".saved");
    c->saved_ms = c->earlier_ms;
}

void consortium_restore(struct consortium *c)
{
    each_file(c, ".saved", "");
    c->earlier_ms = c->saved_ms;
}

/* ---- SQLite's view ---- */

bool consortium_started(const struct consortium *c, unsigned who, const char *query_hex)
{
    char path[HOME_PATH * 2];
    sqlite3_stmt *q = NULL;
    sqlite3 *db = NULL;
    bool found;

    (void)snprintf(path, sizeof path, "%s/sessions.db", c->members[who].dir);
    REQUIRE(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_prepare_v2(db, "SELECT 1 FROM started WHERE query = ?1", -1, &q, NULL) ==
            SQLITE_OK);
    REQUIRE(sqlite3_bind_text(q, 1, query_hex, -1, SQLITE_STATIC) == SQLITE_OK);
    found = sqlite3_step(q) == SQLITE_ROW;
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return found;
}

void consortium_pooled(const struct consortium *c, char *out, size_t size, const char *sql,
                       int64_t parameter)
{
    sqlite3_stmt *q = NULL;
    sqlite3 *db = NULL;
    char text[HOME_PATH * 2];
    size_t used = 0;

    REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
    for (char bank = 'a'; bank <= 'c'; bank++) {
        (void)snprintf(text, sizeof text, "ATTACH '%s/data/bank_%c.db' AS %c", c->root, bank, bank);
        REQUIRE(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
    }
    REQUIRE(sqlite3_exec(db,
                         "CREATE TEMP VIEW loans AS SELECT * FROM a.loans UNION ALL SELECT * FROM "
                         "b.loans UNION ALL SELECT * FROM c.loans",
                         NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_bind_int64(q, 1, parameter) == SQLITE_OK);
    REQUIRE(sqlite3_step(q) == SQLITE_ROW);
    out[0] = '\0';
    for (int i = 0; i < sqlite3_column_count(q); i++) {
        const unsigned char *cell = sqlite3_column_text(q, i);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "," : "",
                                 cell != NULL ? (const char *)cell : "");
        REQUIRE(used < size);
    }
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
}
