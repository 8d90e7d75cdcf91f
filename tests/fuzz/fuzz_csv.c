/* CSV. Laws: however the bytes come in portions, the rows or the error are the same; what was read,
 * written again with every field quoted, reads as the same rows. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "exchange/data/csv.h"
#include "tests/fuzz/fuzz.h"

struct portions {
    const uint8_t *p;
    size_t len, at, most;
};

static fm_status read_portion(void *ctx, void *out, size_t cap, size_t *got, struct base_err *err)
{
    struct portions *s = ctx;
    size_t n = s->len - s->at;

    (void)err;
    n = n < cap ? n : cap;
    *got = n < s->most ? n : s->most;
    memcpy(out, s->p + s->at, *got);
    s->at += *got;
    return FM_OK;
}

static void put_field(struct base_buf *out, const char *text, size_t len)
{
    base_buf_put_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            base_buf_put_u8(out, '"');
        base_buf_put_u8(out, (uint8_t)text[i]);
    }
    base_buf_put_u8(out, '"');
}

/* Everything that was read, quoted, in `text`. Lines and columns are in err alone. */
static fm_status read_all(struct base_buf *text, const void *bytes, size_t len, size_t portion,
                          char separator, struct base_err *err)
{
    struct portions p = {bytes, len, 0, portion};
    const struct data_csv_source source = {read_portion, NULL, &p};
    const struct data_csv_field *row = NULL;
    struct data_csv *csv;
    fm_status st = data_csv_open_source(&csv, &source, "f", separator, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < data_csv_column_count(csv); i++) {
        base_buf_put_str(text, i > 0 ? "," : "");
        put_field(text, data_csv_column(csv, i), strlen(data_csv_column(csv, i)));
    }
    base_buf_put_u8(text, '\n');
    while ((st = data_csv_next(&row, csv, err)) == FM_OK && row != NULL) {
        for (size_t i = 0; i < data_csv_column_count(csv); i++) {
            base_buf_put_str(text, i > 0 ? "," : "");
            fuzz_law(row[i].len == 0 || memchr(row[i].text, 0, row[i].len) == NULL,
                     "a field holds no NUL");
            put_field(text, row[i].text, row[i].len);
        }
        base_buf_put_u8(text, '\n');
    }
    data_csv_free(csv);
    return st;
}

static void run(const uint8_t *data, size_t size)
{
    struct base_buf whole = {0}, pieces = {0}, again = {0};
    struct base_err err = {0}, other = {0};
    fm_status st = read_all(&whole, data, size, SIZE_MAX, 0, &err);

    fuzz_law(read_all(&pieces, data, size, 1 + size % 7, 0, &other) == st,
             "portions do not change the outcome");
    fuzz_law(strcmp(err.text, other.text) == 0, "portions do not change the error");
    fuzz_law(whole.len == pieces.len &&
                 (whole.len == 0 || memcmp(whole.p, pieces.p, whole.len) == 0),
             "portions do not change the rows");
    if (st == FM_OK) {
        fuzz_law(read_all(&again, whole.p, whole.len, SIZE_MAX, ',', &err) == FM_OK,
                 "what was written quoted can be read");
        fuzz_law(again.len == whole.len && memcmp(again.p, whole.p, whole.len) == 0,
                 "what was written quoted reads as the same");
    }
    base_buf_release(&whole);
    base_buf_release(&pieces);
    base_buf_release(&again);
}

static void begin(struct fuzz_corpus *corpus)
{
    static const char *const texts[] = {
        "a,b,c\n1,2,3\n4,5,6\n",
        "\xef\xbb\xbfsubject;balance\r\n46948328;\"12,50\"\r\nNA;\r\n",
        "name,note\n\"M\xc3\xbcller, \"\"Otto\"\"\",\"two\nlines\"\n,NA\n\n\n",
        "x\n1\n\n3",
        "\"quoted head\",'b'\n\"\",\"NA\"\n",
        "a;b,c;d\n1;2,3;4\n",
        "a,b\r\n\"1\r\n2\",3\r\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fuzz_add(corpus, texts[i], strlen(texts[i]));
}

static const char *const words[] = {"\"", "\"\"",         "\r\n", "\n",           "\r",   ",", ";",
                                    "NA", "\xef\xbb\xbf", "\xff", "\xed\xa0\x80", "\"\n", NULL};
const struct fuzz_target fuzz_target = {"csv", FUZZ_BYTES, 4096, words, begin, run};
