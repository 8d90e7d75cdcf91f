/* Random tables there and back: random types, ranges, NULLs, corners and quoting go into a CSV
 * file, through the importer and the store, and come out as they went in, with a declared schema
 * and with an inferred one. Then the same files, damaged: no crash, no half table. A failure prints
 * its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exchange/data/date.h"
#include "exchange/data/import.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

enum { COLUMNS_MAX = 6, ROWS_MAX = 40, TEXT_ROOM = 24 };

struct value {
    bool null;
    int64_t number;
    char text[TEXT_ROOM];
};

struct table {
    struct data_column columns[COLUMNS_MAX];
    struct data_schema schema;
    struct value values[ROWS_MAX][COLUMNS_MAX];
    size_t rows;
    struct base_buf csv;
};

static uint64_t seed, now; /* now: the round that a failing assertion belongs to */

static uint64_t roll(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static int64_t within(int64_t min, int64_t max)
{
    uint64_t span = (uint64_t)max - (uint64_t)min, wide = roll(UINT32_MAX) << 32 | roll(UINT32_MAX);

    switch (roll(8)) {
    case 0:
        return min;
    case 1:
        return max;
    case 2:
        return min <= 0 && max >= 0 ? 0 : min;
    default:
        return (int64_t)((uint64_t)min + (span == UINT64_MAX ? wide : wide % (span + 1)));
    }
}

static void random_column(struct data_column *c, size_t i)
{
    int64_t min, max, a, b;

    memset(c, 0, sizeof *c);
    (void)snprintf(c->name, sizeof c->name, "c%zu", i);
    c->type.kind = (enum data_kind)roll(5);
    c->nullable = roll(2) == 0;
    if (c->type.kind == DATA_DECIMAL) {
        c->type.precision = 1 + (unsigned)roll(DATA_PRECISION_MAX);
        c->type.scale = (unsigned)roll(c->type.precision + 1);
    }
    if (c->type.kind == DATA_TEXT)
        c->type.max_bytes = TEXT_ROOM - 1;
    data_type_limits(&min, &max, &c->type);
    a = within(min, max);
    b = within(min, max);
    if (c->type.kind == DATA_BOOLEAN) {
        a = 0;
        b = 1;
    }
    c->min = a < b ? a : b;
    c->max = a < b ? b : a;
}

static void random_text(char out[TEXT_ROOM])
{
    static const char *const pieces[] = {
        "a", "NA", "\"", ",", ";", "\n", "\r\n", "\r", " ", "1", ".", "\xe6\xa2\xa7", "true", ""};
    size_t n = roll(5);

    out[0] = '\0';
    while (n-- > 0)
        (void)strncat(out, pieces[roll(sizeof pieces / sizeof *pieces)],
                      TEXT_ROOM - 1 - strlen(out) - 4);
}

static void put_field(struct base_buf *csv, const char *text, bool null)
{
    bool quote = !null && (roll(4) == 0 || strpbrk(text, "\",;\r\n") != NULL || text[0] == '\0' ||
                           strcmp(text, "NA") == 0);

    if (null) {
        base_buf_put_str(csv, roll(2) == 0 ? "NA" : "");
        return;
    }
    if (quote)
        base_buf_put_str(csv, "\"");
    for (; *text != '\0'; text++)
        base_buf_put(csv, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    if (quote)
        base_buf_put_str(csv, "\"");
}

static void random_value(struct value *v, const struct data_column *c)
{
    memset(v, 0, sizeof *v);
    v->null = c->nullable && roll(4) == 0;
    if (v->null)
        return;
    if (c->type.kind == DATA_TEXT) {
        random_text(v->text);
        return;
    }
    v->number = within(c->min, c->max);
}

static void random_table(struct table *t)
{
    char text[DATA_VALUE_TEXT];
    const char *line = roll(2) == 0 ? "\r\n" : "\n";
    size_t n = 2 + roll(COLUMNS_MAX - 1);

    base_buf_clear(&t->csv);
    t->rows = roll(ROWS_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        random_column(&t->columns[i], i);
        base_buf_putf(&t->csv, "%s%s", i > 0 ? "," : "", t->columns[i].name);
    }
    base_buf_put_str(&t->csv, line);
    t->schema = (struct data_schema){.columns = t->columns,
                                     .column_count = n,
                                     .subject = DATA_NO_COLUMN,
                                     .rows = ROWS_MAX,
                                     .version = 1};
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t i = 0; i < n; i++) {
            struct value *v = &t->values[r][i];
            random_value(v, &t->columns[i]);
            if (!v->null && t->columns[i].type.kind != DATA_TEXT)
                data_value_format(text, &t->columns[i].type, v->number);
            if (i > 0)
                base_buf_put_str(&t->csv, ",");
            put_field(&t->csv, t->columns[i].type.kind == DATA_TEXT ? v->text : text, v->null);
        }
        base_buf_put_str(&t->csv, line);
    }
}

static fm_status import_table(struct data_import_result *out, const struct table *t,
                              const struct data_schema *schema, struct base_err *err)
{
    struct data_import job = {.csv_path = testing_path("r.csv"),
                              .separator = ',',
                              .db_path = testing_path("r.db"),
                              .table = "t",
                              .schema = schema,
                              .mode = DATA_IMPORT_REPLACE};

    testing_write(job.csv_path, t->csv.p, t->csv.len);
    return data_import(out, &job, err);
}

static void compare_cell(const struct value *v, const struct data_column *want,
                         const struct data_cell *got, const struct data_column *as)
{
    char text[DATA_VALUE_TEXT];
    int64_t number;

    assert_int_equal(got->null, v->null);
    if (v->null)
        return;
    if (want->type.kind == DATA_TEXT && got->text != NULL) {
        assert_int_equal(got->len, strlen(v->text));
        assert_memory_equal(got->text, v->text, got->len);
    } else if (want->type.kind == DATA_TEXT) {
        /* All texts of the column happened to be values of the type that was inferred. */
        struct base_err err;
        assert_int_equal(data_value_parse(&number, &as->type, v->text, strlen(v->text), &err),
                         FM_OK);
        assert_true(number == got->value);
    } else if (got->text != NULL) {
        /* Numbers of too many digits for the columns's widest scale stay as they were written. */
        data_value_format(text, &want->type, v->number);
        assert_int_equal(got->len, strlen(text));
        assert_memory_equal(got->text, text, got->len);
    } else if (want->type.kind == DATA_INTEGER || want->type.kind == DATA_DECIMAL) {
        assert_true(data_number_rescale(&number, got->value, as->type.scale, want->type.scale));
        assert_true(number == v->number);
    } else {
        assert_true(got->value == v->number);
    }
}

static void compare_rows(const struct table *t)
{
    const struct data_cell *row;
    struct data_store *store;
    struct data_rows *rows;
    struct data_schema schema;
    struct data_notes notes;
    enum data_origin origin;
    struct base_err err = {0};
    size_t r;

    assert_int_equal(data_store_open(&store, testing_path("r.db"), &err), FM_OK);
    if (data_store_schema(&schema, &origin, &notes, store, "t", &err) != FM_OK ||
        data_rows_open(&rows, store, "t", &schema, NULL, 0, &err) != FM_OK)
        fail_msg("%s", err.text);
    for (r = 0;; r++) {
        if (data_rows_next(&row, NULL, rows, &err) != FM_OK)
            fail_msg("%s", err.text);
        if (row == NULL)
            break;
        for (size_t i = 0; i < t->schema.column_count; i++)
            compare_cell(&t->values[r][i], &t->columns[i], &row[i], &schema.columns[i]);
    }
    assert_int_equal(r, t->rows);
    data_rows_free(rows);
    data_schema_release(&schema);
    data_notes_release(&notes);
    data_store_free(store);
}

static void there_and_back(void **state)
{
    static struct table t;

    (void)state;
    for (uint64_t round = 1; round <= 60; round++) {
        struct data_import_result r;
        struct base_err err = {0};
        seed = round;
        random_table(&t);
        for (int inferred = 0; inferred < 2; inferred++) {
            if (import_table(&r, &t, inferred ? NULL : &t.schema, &err) != FM_OK)
                fail_msg("seed %llu: %s", (unsigned long long)round, err.text);
            assert_int_equal(r.rows, t.rows);
            data_import_release(&r);
            now = round;
            compare_rows(&t);
        }
    }
    base_buf_release(&t.csv);
}

static int say_seed(void **state)
{
    (void)state;
    print_message("last seed: %llu\n", (unsigned long long)now);
    return 0;
}

/* A few bytes changed, cut or doubled. Either answer is right, but a table is whole or not there.
 */
static void damaged_files(void **state)
{
    static struct table t;

    (void)state;
    for (uint64_t round = 1; round <= 120; round++) {
        struct data_import_result r;
        struct base_err err = {0};
        fm_status st;
        seed = round ^ 0xabcdef;
        if (round % 10 == 1)
            random_table(&t);
        for (size_t n = 1 + roll(3); n > 0; n--)
            t.csv.p[roll(t.csv.len)] = (uint8_t)roll(roll(2) == 0 ? 256 : 64);
        if (roll(4) == 0)
            t.csv.len = 1 + roll(t.csv.len);
        (void)remove(testing_path("r.db"));
        st = import_table(&r, &t, roll(2) == 0 ? NULL : &t.schema, &err);
        if (st == FM_OK) {
            char want[32];
            (void)snprintf(want, sizeof want, "%llu", (unsigned long long)r.rows);
            assert_string_equal(testing_sql(testing_path("r.db"), "SELECT COUNT(*) FROM t"), want);
            data_import_release(&r);
        } else {
            assert_true(st == FM_E_INPUT || st == FM_E_LIMIT || st == FM_E_UNSUPPORTED);
            assert_false(testing_exists(testing_path("r.db")));
        }
    }
    base_buf_release(&t.csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(there_and_back, say_seed),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests_name("exchange/data: there and back", tests, testing_folder_make,
                                       testing_folder_remove);
}
