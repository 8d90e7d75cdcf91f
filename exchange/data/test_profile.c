/* What a profile says of a file is what SQLite counts in it; what it proposes is refused as a draft
 * and, once confirmed, holds for the very file; each warning appears where it should and nowhere
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exchange/data/profile.h"
#include "exchange/data/testing.h"

static const struct data_progress quiet = {NULL, NULL};

static void profile_of(struct data_profile *p, const char *csv)
{
    struct base_err err = {0};

    if (data_profile_csv(p, csv, 0, &quiet, &err) != FM_OK)
        fail_msg("%s", err.text);
}

static void advise(struct data_advice *a, const struct data_profile *p, size_t i)
{
    struct base_err err = {0};

    if (data_profile_advise(a, p, i, &err) != FM_OK)
        fail_msg("%s", err.text);
}

/* The draft is no schema; without its member it is one, and the file imports under it. */
static void draft_holds(const struct data_profile *p, const char *csv)
{
    struct data_import_result r;
    struct data_schema schema;
    struct base_err err = {0};
    json_t *draft;
    struct data_import job = {.csv_path = csv,
                              .db_path = testing_path("draft.db"),
                              .table = "t",
                              .schema = &schema,
                              .mode = DATA_IMPORT_REPLACE};

    assert_int_equal(data_profile_draft(&draft, p, &err), FM_OK);
    assert_int_equal(data_schema_from_json(&schema, draft, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "it is a draft"));
    assert_int_equal(json_object_del(draft, "draft"), 0);
    if (data_schema_from_json(&schema, draft, &err) != FM_OK ||
        data_import(&r, &job, &err) != FM_OK)
        fail_msg("%s: %s", csv, err.text);
    assert_true(schema.rows > (int64_t)p->rows);
    data_import_release(&r);
    data_schema_release(&schema);
    json_decref(draft);
}

/* Against the imported table, whose values the import's own tests hold against sqlite3's. */
static void counts_agree(const struct data_profile *p, const char *csv)
{
    const char *db = testing_path("draft.db");

    draft_holds(p, csv);
    for (size_t i = 0; i < p->column_count; i++) {
        const struct data_profile_column *c = &p->columns[i];
        char sql[512], got[96], want[96];
        (void)snprintf(
            sql, sizeof sql,
            "SELECT COUNT(*) || '/' || COUNT(\"%s\") || '/' || COUNT(DISTINCT \"%s\") || "
            "'/' || coalesce((SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM t WHERE "
            "\"%s\" IS NOT NULL GROUP BY \"%s\")), 0) FROM t",
            c->name, c->name, c->name, c->name);
        (void)snprintf(got, sizeof got, "%llu/%llu/%llu/%llu", (unsigned long long)p->rows,
                       (unsigned long long)c->infer.values,
                       (unsigned long long)data_distinct_values(&c->distinct),
                       (unsigned long long)data_distinct_most_rows(&c->distinct));
        (void)snprintf(want, sizeof want, "%s", testing_sql(db, sql));
        if (strcmp(got, want) != 0)
            fail_msg("%s, column %s: %s, SQLite says %s", csv, c->name, got, want);
    }
}

static void random_files(void **state)
{
    const char *csv = testing_path("random.csv");
    uint64_t x = 88172645463325252U;

    (void)state;
    for (int file = 0; file < 30; file++) {
        struct base_buf text = {0};
        struct data_profile p;
        base_buf_put_str(&text, "whole,fraction,text,day,truth,nothing,unique\n");
        for (int i = 0; i < file * 13; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            base_buf_putf(&text, "%lld,%lld.%02u,%s%llu,%04u-%02u-%02u,%s,,u%d\n",
                          (long long)(int64_t)x >> (x % 60), (long long)(int64_t)x >> (x % 20 + 40),
                          (unsigned)(x >> 9) % 100, x % 5 == 0 ? "" : "k",
                          (unsigned long long)(x >> 50 & 31), (unsigned)(x >> 3) % 300 + 1800,
                          (unsigned)(x >> 13) % 12 + 1, (unsigned)(x >> 23) % 28 + 1,
                          x % 3 == 0 ? "true" : "FALSE", i);
        }
        testing_write(csv, text.p, text.len);
        base_buf_release(&text);
        profile_of(&p, csv);
        if (file > 0)
            assert_int_equal(p.columns[0].infer.values, file * 13);
        counts_agree(&p, csv);
        data_profile_release(&p);
    }
}

static void public_files(void **state)
{
    static const char *const files[] = {
        "../shared/data/credit/berka/account.csv",
        "../shared/data/credit/berka/district.csv",
        "../shared/data/credit/berka/loan.csv",
        "../shared/data/credit/taiwan_default_of_credit_card_clients.csv",
    };
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct data_profile p;
        if (!testing_exists(files[i]))
            continue;
        seen++;
        profile_of(&p, files[i]);
        counts_agree(&p, files[i]);
        data_profile_release(&p);
    }
    if (seen == 0)
        skip();
}

/* Which line forces what. */
static void reasons(void **state)
{
    static const char text[] = "a,b,c,d,e\n"
                               "5,1.5,2024-01-31,x,true\n"
                               "7,1,2023-12-31,yy,false\n"
                               "-3,2.125,2025-06-01,7,true\n"
                               ",-9,2024-01-01,zzz,false\n";
    static const char *const want[][3] = {
        {"INTEGER", "every value is a whole number",
         "-3 (line 4) to 7 (line 3), 1 NULL, 3 different values"},
        {"DECIMAL(4,3)", "every value is a number; line 4 has 3 digits behind the point",
         "-9.000 (line 5) to 2.125 (line 4), no NULL, 4 different"},
        {"DATE", "every value is a day", "2023-12-31 (line 3) to 2025-06-01 (line 4)"},
        {"TEXT(3)",
         "3 are a text (first in line 2), 1 is a whole number (first in line 4); the longest, of 3 "
         "bytes, in line 5",
         "no NULL, 4 different values"},
        {"BOOLEAN", "every value is true or false", "2 different values, the most frequent in 2"},
    };
    const char *csv = testing_path("reasons.csv");
    struct data_profile p;

    (void)state;
    testing_write(csv, text, sizeof text - 1);
    profile_of(&p, csv);
    for (size_t i = 0; i < p.column_count; i++) {
        struct data_advice a;
        advise(&a, &p, i);
        assert_string_equal(a.type, want[i][0]);
        if (strstr(a.why, want[i][1]) == NULL || strstr(a.seen, want[i][2]) == NULL)
            fail_msg("%s: %s / %s", a.proposal.name, a.why, a.seen);
        data_advice_release(&a);
    }
    counts_agree(&p, csv);
    data_profile_release(&p);
}

/* 30 values of one column; %d counts. */
static void warning_cases(void **state)
{
    static const struct {
        const char *many, *one, *want; /* the first value is `one`, the others `many` */
    } cases[] = {
        {"%d", "1", NULL},
        {"%02d.01.2024", "01.01.2024", "are days as DD.MM.YYYY"},
        {"2024-01-%02d", "01.01.2024", "days are written in several ways"},
        {"1/%d/2024", "1/1/2024", "are days with slashes"},
        {"2024/01/%02d", "2024/01/01", "are days with other marks"},
        {"2024-01-%02d 10:00", "2024-01-01 10:00", "are days with a time"},
        {"2024-04-%02d", "2024-04-31", "some of them do not exist"},
        {"202401%02d", "20240101", "is a day written YYYYMMDD"},
        {"00%03d", "00001", "begin with a zero"},
        {"123%03d", "12345", "1 values have fewer than 6 digits"},
        {"1.%dE+3", "1E+3", "have an exponent"},
        {"\"1.2%02d,50\"", "\"1.200,50\"", "are numbers with a comma"},
        {"1", "0", "only 0 and 1"},
        {"yes", "no", "say yes or no"},
        {"%d", "n/a", "1 value (line 2) are a word for 'no value'"},
        {"k%d", " k0", "1 value (line 2) begin or end with a blank"},
        {"M\xc3\xbcller%d", "M\xef\xbf\xbdller", "1 value (line 2) hold U+FFFD"},
        {"%d", "x", "mixed: 1 of 30 values are not a whole number"},
        {"11010519491231002X", "11010519491231002X", "Chinese identity number"},
        {"A1000%03d", "A1000000", "looks like an identifier"},
        {"the customer said on day %d that it rained", "nothing of note happened at all",
         "free text"},
        {"same", "same", "one value everywhere"},
        {"", "7", "NULL in 19 of 20 rows"},
    };
    const char *csv = testing_path("warn.csv");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct base_buf text = {0}, all = {0};
        struct data_profile p;
        struct data_advice a;
        char line[128];

        base_buf_putf(&text, "v,n\n%s,0\n", cases[i].one);
        for (int k = 1; k < 30; k++) {
            /* The formats are the table's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf(line, sizeof line, cases[i].many, k % 10 + (i != 0) * (k / 10 * 10));
#pragma GCC diagnostic pop
            base_buf_putf(&text, "%s,%d\n", line, k);
        }
        testing_write(csv, text.p, text.len);
        profile_of(&p, csv);
        advise(&a, &p, 0);
        for (size_t k = 0; k < a.warnings.count; k++)
            base_buf_putf(&all, "%s\n", a.warnings.items[k]);
        if (cases[i].want == NULL ? a.warnings.count > 0
                                  : strstr(base_buf_cstr(&all), cases[i].want) == NULL)
            fail_msg("%s: %s", cases[i].many, base_buf_cstr(&all));
        draft_holds(&p, csv);
        data_advice_release(&a);
        data_profile_release(&p);
        base_buf_release(&text);
        base_buf_release(&all);
    }
}

/* Whatever the pool, the estimate stays near the truth, and counts of what is sampled are exact. */
static void estimates(void **state)
{
    (void)state;
    for (size_t slots = 0; slots <= 65536; slots = slots == 0 ? 512 : slots * 8) {
        size_t pool = slots;
        struct data_distinct d;
        struct base_err err = {0};
        double error;

        data_distinct_init(&d, &pool);
        for (int i = 0; i < 300000; i++) {
            int v = i % 100000;
            assert_int_equal(data_distinct_add(&d, (const char *)&v, sizeof v, &err), FM_OK);
        }
        error = (double)data_distinct_values(&d) / 100000 - 1;
        if (error < -4.0 / 5 * 3 || error > 4.0 / 5 * 3 ||
            (slots >= 4096 && (error < -0.1 || error > 0.1)))
            fail_msg("%zu slots: %g", slots, error);
        assert_int_equal(data_distinct_most_rows(&d), 3);
        assert_false(data_distinct_exact(&d));
        data_distinct_release(&d);
    }
}

/* A table is described as the file that it came from. */
static void tables_like_files(void **state)
{
    static const char text[] =
        "a,b,c,d\n5,1.50,2024-01-31,x\n,2.25,2023-12-31,\"NA\"\n7,-1,2024-01-"
        "31,x\n";
    const char *csv = testing_path("same.csv"), *db = testing_path("draft.db");
    struct data_profile file, table;
    struct data_notes notes;
    struct data_store *store;
    struct base_err err = {0};

    (void)state;
    testing_write(csv, text, sizeof text - 1);
    profile_of(&file, csv);
    draft_holds(&file, csv);
    assert_int_equal(data_store_open(&store, db, &err), FM_OK);
    assert_int_equal(data_profile_table(&table, &notes, store, "t", &err), FM_OK);
    for (size_t i = 0; i < file.column_count; i++) {
        struct data_advice a, b;
        advise(&a, &file, i);
        advise(&b, &table, i);
        assert_string_equal(a.type, b.type);
        assert_string_equal(a.declare, b.declare);
        data_advice_release(&a);
        data_advice_release(&b);
    }
    data_notes_release(&notes);
    data_store_free(store);
    data_profile_release(&file);
    data_profile_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_files), cmocka_unit_test(public_files),
        cmocka_unit_test(reasons),      cmocka_unit_test(warning_cases),
        cmocka_unit_test(estimates),    cmocka_unit_test(tables_like_files),
    };

    return cmocka_run_group_tests_name("exchange/data: profile", tests, testing_folder_make,
                                       testing_folder_remove);
}
