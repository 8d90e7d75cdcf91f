/* The CSV reader against the text of RFC 4180: each numbered rule of its section 2, then everything
 * that is refused, with its place; then any source that hands out bytes in any portions; then bytes
 * that nobody meant as CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exchange/data/csv.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Bytes in memory, handed out `portion` at a time. */
struct bytes {
    const char *p;
    size_t len, at, portion;
    size_t fail_at; /* the read that fails, counted from 1; 0: none */
    size_t reads;
};

static fm_status bytes_read(void *ctx, void *out, size_t cap, size_t *got, struct base_err *err)
{
    struct bytes *b = ctx;
    size_t n = b->len - b->at;

    if (++b->reads == b->fail_at)
        return base_err_set(err, FM_E_IO, "read: the disk is gone");
    n = n < cap ? n : cap;
    n = n < b->portion ? n : b->portion;
    memcpy(out, b->p + b->at, n);
    b->at += n;
    *got = n;
    return FM_OK;
}

static fm_status bytes_rewind(void *ctx, struct base_err *err)
{
    struct bytes *b = ctx;

    (void)err;
    b->at = 0;
    return FM_OK;
}

/* The whole file as text: fields in <>, NULL as -, rows ended by '/'. */
static fm_status read_all(struct base_buf *out, struct bytes *b, char separator,
                          struct base_err *err)
{
    struct data_csv_source source = {bytes_read, bytes_rewind, b};
    const struct data_csv_field *row;
    struct data_csv *csv;
    fm_status st = data_csv_open_source(&csv, &source, "f.csv", separator, err);

    if (st != FM_OK) {
        assert_null(csv);
        return st;
    }
    for (;;) {
        st = data_csv_next(&row, csv, err);
        if (st != FM_OK || row == NULL)
            break;
        for (size_t i = 0; i < data_csv_column_count(csv); i++) {
            if (data_csv_is_null(&row[i])) {
                base_buf_put_str(out, "-");
                continue;
            }
            base_buf_put_str(out, "<");
            base_buf_put(out, row[i].text, row[i].len);
            base_buf_put_str(out, ">");
        }
        base_buf_put_str(out, "/");
    }
    data_csv_free(csv);
    return st;
}

static const struct {
    const char *file, *rows;
} good[] = {
    /* 2.1: each record on its own line, ended by CRLF. 2.2: the last may go without. */
    {"a,b,c\r\naaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", "<aaa><bbb><ccc>/<zzz><yyy><xxx>/"},
    {"a,b,c\r\naaa,bbb,ccc\r\nzzz,yyy,xxx", "<aaa><bbb><ccc>/<zzz><yyy><xxx>/"},
    {"a,b,c\naaa,bbb,ccc\n", "<aaa><bbb><ccc>/"},
    /* 2.3: a header. */
    {"field_name,field_name2\r\n", ""},
    {"field_name,field_name2", ""},
    /* 2.4: spaces are part of a field; the last field has no comma behind it. */
    {"a,b\n x , y \n", "< x >< y >/"},
    {"a,b\nx,\n", "<x>-/"},
    /* 2.5: fields may be quoted. 2.6: CRLF, quotes and commas inside. 2.7: doubled quotes. */
    {"a,b,c\r\n\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx", "<aaa><bbb><ccc>/<zzz><yyy><xxx>/"},
    {"a,b,c\n\"aaa\",\"b \r\nbb\",\"ccc\"\n", "<aaa><b \r\nbb><ccc>/"},
    {"a,b,c\n\"aaa\",\"b\"\"bb\",\"ccc\"\n", "<aaa><b\"bb><ccc>/"},
    {"a,b\n\"x,y;z\",\"\"\"\"\n", "<x,y;z><\">/"},
    {"a,b\n\"\n\n\",\"\r\"\n", "<\n\n><\r>/"},
    {"\"a\",\"b,b\"\n1,2\n", "<1><2>/"},
    /* What RFC 4180 leaves open, and csv.h settles. */
    {"a;b\n1,5;2\n", "<1,5><2>/"},
    {"\"x,y\";b\n1;2\n", "<1><2>/"},
    {"\xef\xbb\xbf"
     "a,b\n1,2\n",
     "<1><2>/"},
    {"\xef\xbb\xbf\"a\",b\n1,2\n", "<1><2>/"},
    {"a,b\n\"\",NA\n", "<>-/"},
    {"a,b\n\"NA\",na\n", "<NA><na>/"},
    {"a\n\nx\n\n", "-/<x>/-/"},
    {"a,b\n1,2\n\n\r\n\n", "<1><2>/"},
    {"a,b\n,\n", "--/"},
    {"\xe5\x90\x8d,b\n\xe6\xa2\xa7\xe6\xa1\x90,\"\xf0\x9f\x98\x80\"\n",
     "<\xe6\xa2\xa7\xe6\xa1\x90><\xf0\x9f\x98\x80>/"},
};

static void rules_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        for (size_t portion = 1; portion < 40; portion++) {
            struct bytes b = {.p = good[i].file, .len = strlen(good[i].file), .portion = portion};
            struct base_buf out = {0};
            struct base_err err = {0};
            if (read_all(&out, &b, 0, &err) != FM_OK)
                fail_msg("case %zu: %s", i, err.text);
            assert_string_equal(base_buf_cstr(&out), good[i].rows);
            base_buf_release(&out);
        }
    }
}

static const struct {
    const char *file, *want;
} bad[] = {
    {"", "f.csv: the file is empty: a header line is needed"},
    {"\xef\xbb\xbf", "f.csv: the file is empty: a header line is needed"},
    {"\xff\xfe"
     "a",
     "f.csv: line 1, column 1: the file is UTF-16: save it as UTF-8"},
    {"a,,c\n", "f.csv: line 1, column 3: a column without a name"},
    {"\n1\n", "f.csv: line 1, column 1: a column without a name"},
    {"a,b;c\n", "f.csv: line 1, column 1: the header has as many ',' as ';': name the separator"},
    {"a,b\n1,2\n3\n", "f.csv: line 3, column 1: the row has 1 fields, the header has 2"},
    {"a,b\n1,2,\n", "f.csv: line 2, column 1: the row has 3 fields, the header has 2"},
    {"a,b\n1,2\n\n3,4\n", "f.csv: line 3, column 1: an empty line between rows"},
    {"a,b\n1,x\"y\n", "f.csv: line 2, column 4: a quote inside an unquoted field: quote the whole "
                      "field and double it"},
    {"a,b\n1,\"x\"y\n", "f.csv: line 2, column 6: text behind a closing quote: a quote inside a "
                        "field is written twice"},
    {"a,b\n1,\"x\" \n", "f.csv: line 2, column 6: text behind a closing quote: a quote inside a "
                        "field is written twice"},
    {"a,b\n1,2\n3,\"x\ny\nz", "f.csv: line 3, column 3: the quoted field that begins here has no "
                              "closing quote"},
    {"a,b\n\"x\n\xe6\xa2\xa7\",\"y\"z\n", "f.csv: line 3, column 7: text behind a closing quote: a "
                                          "quote inside a field is written twice"},
    {"a,b\n1,2\r3,4\n",
     "f.csv: line 2, column 4: a carriage return without a line feed outside quotes"},
    {"a,b\n1,2\r", "f.csv: line 2, column 4: a carriage return without a line feed outside quotes"},
    {"a,b\n1,\xff\n",
     "f.csv: line 2, column 3: the field is not valid UTF-8: save the file as UTF-8"},
    {"a,b\n\xe6\xa2,\xa7\n",
     "f.csv: line 2, column 1: the field is not valid UTF-8: save the file as UTF-8"},
    {"a\xc3,b\n", "f.csv: line 1, column 1: the field is not valid UTF-8: save the file as UTF-8"},
};

static void refusals_name_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes b = {.p = bad[i].file, .len = strlen(bad[i].file), .portion = SIZE_MAX};
        struct base_buf out = {0};
        struct base_err err = {0};
        assert_int_equal(read_all(&out, &b, 0, &err), FM_E_INPUT);
        assert_string_equal(err.text, bad[i].want);
        base_buf_release(&out);
    }
    {
        struct bytes b = {.p = "a,b\n1,x\0y\n2,\"\0\"", .len = 15, .portion = SIZE_MAX};
        struct base_buf out = {0};
        struct base_err err = {0};
        assert_int_equal(read_all(&out, &b, 0, &err), FM_E_INPUT);
        assert_string_equal(err.text, "f.csv: line 2, column 4: a NUL character");
        base_buf_release(&out);
    }
    {
        struct bytes b = {.p = "a\n", .len = 2, .portion = SIZE_MAX};
        struct base_buf out = {0};
        struct base_err err = {0};
        assert_int_equal(read_all(&out, &b, 'x', &err), FM_E_ARG);
        assert_string_equal(err.text,
                            "'x' is no CSV separator: use a comma, semicolon, tab or bar");
    }
}

/* n bytes of x between a head and a tail. */
static fm_status long_file(const char *head, size_t n, const char *tail, struct base_err *err)
{
    struct base_buf file = {0}, out = {0};
    struct bytes b = {.portion = 1000};
    fm_status st;

    base_buf_put_str(&file, head);
    memset(base_buf_extend(&file, n), 'x', n);
    base_buf_put_str(&file, tail);
    b.p = (const char *)file.p;
    b.len = file.len;
    st = read_all(&out, &b, ',', err);
    base_buf_release(&file);
    base_buf_release(&out);
    return st;
}

static void limits_hold(void **state)
{
    struct base_err err = {0};
    struct base_buf wide = {0}, out = {0};
    struct bytes b = {.portion = SIZE_MAX};

    (void)state;
    assert_int_equal(long_file("a,b\n1,", DATA_CSV_FIELD_MAX, "\n", &err), FM_OK);
    assert_int_equal(long_file("a,b\n1,\"", DATA_CSV_FIELD_MAX, "\"\n", &err), FM_OK);
    assert_int_equal(long_file("a,b\n1,", DATA_CSV_FIELD_MAX + 1, "\n", &err), FM_E_LIMIT);
    assert_string_equal(err.text, "f.csv: line 2, column 3: the field is longer than 65536 bytes");
    assert_int_equal(long_file("a,b\n1,\"", DATA_CSV_FIELD_MAX, "y\"\n", &err), FM_E_LIMIT);
    for (int i = 0; i < DATA_CSV_COLUMNS_MAX; i++)
        base_buf_put_str(&wide, "a,");
    base_buf_put_str(&wide, "a\n");
    b.p = (const char *)wide.p;
    b.len = wide.len;
    assert_int_equal(read_all(&out, &b, ',', &err), FM_E_LIMIT);
    assert_string_equal(err.text, "f.csv: line 1, column 1025: more than 512 fields");
    /* Seventeen fields of 65536 bytes are more than a row. */
    base_buf_clear(&wide);
    base_buf_put_str(&wide, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n");
    for (int i = 0; i < 17; i++) {
        memset(base_buf_extend(&wide, DATA_CSV_FIELD_MAX), 'x', DATA_CSV_FIELD_MAX);
        base_buf_put_str(&wide, i < 16 ? "," : "\n");
    }
    b = (struct bytes){.p = (const char *)wide.p, .len = wide.len, .portion = SIZE_MAX};
    assert_int_equal(read_all(&out, &b, 0, &err), FM_E_LIMIT);
    assert_string_equal(err.text,
                        "f.csv: line 2, column 1048593: the row is longer than 1048576 bytes");
    base_buf_clear(&wide);
    memset(base_buf_extend(&wide, DATA_CSV_BLOCK), 'x', DATA_CSV_BLOCK);
    base_buf_put_str(&wide, "\n");
    b = (struct bytes){.p = (const char *)wide.p, .len = wide.len, .portion = SIZE_MAX};
    assert_int_equal(read_all(&out, &b, 0, &err), FM_E_LIMIT);
    assert_string_equal(err.text, "f.csv: line 1, column 1: the header is longer than 65536 bytes");
    base_buf_release(&wide);
    base_buf_release(&out);
}

/* A row of everything, moved byte by byte over the place where one block ends and the next begins.
 */
static void blocks_join(void **state)
{
    const char *row = "\"p \"\"q\"\",\r\n\",\xe6\xa2\xa7\r\n1,NA\n";
    const char *want = "<p \"q\",\r\n><\xe6\xa2\xa7>/<1>-/";

    (void)state;
    for (size_t k = 0; k <= strlen(row); k++) {
        size_t pad = DATA_CSV_BLOCK - strlen("a,b\n,y\n") - k;
        struct base_buf file = {0}, out = {0};
        struct base_err err = {0};
        struct bytes b = {.portion = SIZE_MAX};
        base_buf_put_str(&file, "a,b\n");
        memset(base_buf_extend(&file, pad), 'x', pad);
        base_buf_put_str(&file, ",y\n");
        base_buf_put_str(&file, row);
        b.p = (const char *)file.p;
        b.len = file.len;
        assert_int_equal(read_all(&out, &b, 0, &err), FM_OK);
        assert_string_equal(base_buf_cstr(&out) + pad + strlen("<><y>/"), want);
        base_buf_release(&file);
        base_buf_release(&out);
    }
}

static void rewinding(void **state)
{
    struct bytes b = {.p = "a,b\n1,2\n", .len = 8, .portion = SIZE_MAX};
    struct data_csv_source source = {bytes_read, bytes_rewind, &b};
    const struct data_csv_field *row;
    struct base_err err = {0};
    struct data_csv *csv;

    (void)state;
    assert_int_equal(data_csv_open_source(&csv, &source, "f.csv", 0, &err), FM_OK);
    assert_int_equal(data_csv_separator(csv), ',');
    assert_string_equal(data_csv_column(csv, 1), "b");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(data_csv_next(&row, csv, &err), FM_OK);
        assert_non_null(row);
        assert_int_equal(row[1].line, 2);
        assert_int_equal(row[1].column, 3);
        assert_int_equal(data_csv_next(&row, csv, &err), FM_OK);
        assert_null(row);
        assert_int_equal(data_csv_next(&row, csv, &err), FM_OK);
        assert_null(row);
        assert_int_equal(data_csv_rewind(csv, &err), FM_OK);
    }
    b.p = "a,c\n1,2\n";
    assert_int_equal(data_csv_rewind(csv, &err), FM_E_INPUT);
    assert_string_equal(err.text, "f.csv: the file changed while it was read");
    data_csv_free(csv);
}

/* The i-th read fails, for every i; what was read before is right, and nothing comes after. */
static void failing_reads(void **state)
{
    const char *file = "a,b\n1,\"2\n3\"\n4,5\r\n";

    (void)state;
    for (size_t i = 1;; i++) {
        struct bytes b = {.p = file, .len = strlen(file), .portion = 1, .fail_at = i};
        struct base_buf out = {0};
        struct base_err err = {0};
        fm_status st = read_all(&out, &b, ',', &err);
        base_buf_release(&out);
        if (st == FM_OK) {
            assert_true(i > strlen(file));
            break;
        }
        assert_int_equal(st, FM_E_IO);
        assert_string_equal(err.text, "f.csv: read: the disk is gone");
    }
}

static void files_that_are_none(void **state)
{
    struct base_err err = {0};
    struct data_csv *csv;

    (void)state;
    assert_int_equal(data_csv_open(&csv, "/nonexistent/x.csv", 0, &err), FM_E_IO);
    assert_string_equal(err.text, "/nonexistent/x.csv: No such file or directory");
    assert_null(csv);
    assert_int_equal(data_csv_open(&csv, "/", 0, &err), FM_E_IO);
    assert_string_equal(err.text, "/: read: Is a directory");
}

/* Damaged files: any answer but a crash, a hang or a row of the wrong width. Whatever is read in
 * one portion is read the same in drops. */
static void damaged_bytes(void **state)
{
    static const char alphabet[] = "\",;\r\n\0\xef\xbb\xbf\xffNA1.";
    uint64_t seed = 4180;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char file[96];
        const char *from = good[(size_t)round % COUNT(good)].file;
        size_t len = strlen(from);
        struct bytes whole = {.p = file, .portion = SIZE_MAX}, drops = {.p = file, .portion = 1};
        struct base_buf a = {0}, b = {0};
        struct base_err err_a = {0}, err_b = {0};
        memcpy(file, from, len);
        for (int i = 0; i < 1 + round % 4; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            file[(seed >> 33) % len] = alphabet[(seed >> 20) % (sizeof alphabet - 1)];
        }
        if (seed >> 63)
            len = 1 + (seed >> 40) % len;
        whole.len = drops.len = len;
        if (read_all(&a, &whole, ',', &err_a) != read_all(&b, &drops, ',', &err_b))
            fail_msg("round %d: '%s' and '%s'", round, err_a.text, err_b.text);
        assert_string_equal(err_a.text, err_b.text);
        assert_string_equal(base_buf_cstr(&a), base_buf_cstr(&b));
        base_buf_release(&a);
        base_buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_the_rfc),    cmocka_unit_test(refusals_name_the_place),
        cmocka_unit_test(limits_hold),         cmocka_unit_test(rewinding),
        cmocka_unit_test(blocks_join),         cmocka_unit_test(failing_reads),
        cmocka_unit_test(files_that_are_none), cmocka_unit_test(damaged_bytes),
    };
    return cmocka_run_group_tests_name("exchange/data: CSV", tests, NULL, NULL);
}
