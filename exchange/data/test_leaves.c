/* Roots of many rows, hashed by several threads, against the same layout computed row by row with
 * OpenSSL's one-call functions; proofs from a large tree; sources that fail half-way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"
#include "exchange/data/root.h"

static const uint8_t secret[32] = {9, 8, 7};
static const struct data_version_key key3 = {secret, 3};
static char long_text[4000];

/* Row i of any number: its own index, and now and then a text so long that bytes end a batch. */
struct many {
    uint64_t at, count, fail_at;
    struct data_cell cells[2];
};

static void fill(struct data_cell cells[2], uint64_t i)
{
    memset(cells, 0, 2 * sizeof cells[0]);
    cells[0].value = (int64_t)(i * 2654435761U);
    cells[1].text = long_text;
    cells[1].len = i % 5000 < 400 ? sizeof long_text : i % 7;
}

static fm_status many_next(void *ctx, const struct data_cell **row, struct base_err *err)
{
    struct many *m = ctx;

    *row = NULL;
    if (m->fail_at > 0 && m->at == m->fail_at)
        return base_err_set(err, FM_E_IO, "the disk is gone");
    if (m->at == m->count)
        return FM_OK;
    fill(m->cells, m->at++);
    *row = m->cells;
    return FM_OK;
}

static void schema_for(struct data_schema *out, uint64_t rows)
{
    static struct data_column columns[2] = {
        {.name = "id", .type = {.kind = DATA_INTEGER}, .min = INT64_MIN, .max = INT64_MAX},
        {.name = "note", .type = {.kind = DATA_TEXT, .max_bytes = 4096}},
    };

    *out = (struct data_schema){
        .columns = columns, .column_count = 2, .subject = DATA_NO_COLUMN, .rows = (int64_t)rows};
}

static void digest(uint8_t out[32], const void *bytes, size_t len)
{
    assert_int_equal(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL), 1);
}

/* RFC 6962 section 2.1, over leaf data. */
static void tree(uint8_t out[32], const uint8_t (*data)[32], size_t n)
{
    uint8_t bytes[65] = {0};
    size_t k = 1;

    if (n == 1) {
        memcpy(bytes + 1, data[0], 32);
        digest(out, bytes, 33);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    bytes[0] = 1;
    tree(bytes + 1, data, k);
    tree(bytes + 33, data + k, n - k);
    digest(out, bytes, 65);
}

static void expected(uint8_t out[32], uint64_t count, uint64_t rows)
{
    static const char label[] = "firmiana/row-salts/1\0\0\0\0\0\0\0\3";
    uint8_t(*hashes)[32] = calloc(rows, 32), k[32];
    struct base_buf b = {0};

    assert_non_null(hashes);
    assert_non_null(HMAC(EVP_sha256(), secret, 32, (const uint8_t *)label, 28, k, NULL));
    for (uint64_t i = 0; i < rows; i++) {
        struct data_cell cells[2];
        uint8_t number[8], salt[32];
        fill(cells, i);
        base_store_u64(number, i);
        assert_non_null(HMAC(EVP_sha256(), k, 32, number, 8, salt, NULL));
        base_buf_clear(&b);
        base_buf_put_str(&b, "firmiana/row/1");
        base_buf_put(&b, salt, 16);
        data_row_encode(&b, i < count ? cells : NULL, 2);
        digest(hashes[i], b.p, b.len);
    }
    tree(out, (const uint8_t(*)[32])hashes, rows);
    base_buf_release(&b);
    free(hashes);
}

static void many_rows(void **state)
{
    /* About one batch, about all batches in flight, and several rounds of them. */
    static const uint64_t rows[] = {2047, 2048, 2049, 16383, 16384, 16385, 40001};

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (uint64_t padding = 0; padding <= 3000; padding += 1500) {
            struct many m = {.count = rows[i] > padding ? rows[i] - padding : 0};
            const struct data_row_source source = {many_next, &m};
            struct data_schema schema;
            struct base_err err = {0};
            uint8_t root[32], want[32];

            schema_for(&schema, rows[i]);
            expected(want, m.count, rows[i]);
            if (data_root_compute(root, &source, &schema, &key3, &err) != FM_OK)
                fail_msg("%s", err.text);
            assert_memory_equal(root, want, 32);
        }
}

static void proofs_from_many(void **state)
{
    static const uint64_t at[] = {0, 2047, 2048, 19999, 20000, 22222};

    (void)state;
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        struct many m = {.count = 20000};
        const struct data_row_source source = {many_next, &m};
        struct data_schema schema;
        struct base_err err = {0};
        uint8_t root[32], want[32];
        json_t *proof, *row;

        schema_for(&schema, 22223);
        if (i == 0)
            expected(want, m.count, 22223);
        assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key3, at[i], &err),
                         FM_OK);
        assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_OK);
        assert_int_equal(json_is_true(json_object_get(row, "present")), at[i] < m.count);
        assert_true(i > 0 || memcmp(root, want, 32) == 0);
        json_decref(row);
        json_decref(proof);
    }
}

/* Whatever the threads are doing at that moment, the failure comes out and they end. */
static void failing_sources(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 60000; at = at * 3 + 1) {
        struct many m = {.count = 60000, .fail_at = at};
        const struct data_row_source source = {many_next, &m};
        struct data_schema schema;
        struct base_err err = {0};
        uint8_t root[32];

        schema_for(&schema, 60000);
        assert_int_equal(data_root_compute(root, &source, &schema, &key3, &err), FM_E_IO);
        assert_string_equal(err.text, "the disk is gone");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rows),
        cmocka_unit_test(proofs_from_many),
        cmocka_unit_test(failing_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
