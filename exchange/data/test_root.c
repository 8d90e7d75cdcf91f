/* Row roots: the layout of root.h as another implementation computes it, trees of every small size
 * by RFC 6962's own recursion, a proof for every row, and no proof that survives a changed byte. */
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

#include "base/hash.h"
#include "exchange/data/root.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

static const uint8_t secret[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
static const struct data_version_key key7 = {secret, 7};

/* Rows in memory; the last ones of `count` may be missing. */
struct memory {
    const struct data_cell (*rows)[3];
    size_t count, at, fail_at;
};

static fm_status memory_next(void *ctx, const struct data_cell **row, struct base_err *err)
{
    struct memory *m = ctx;

    *row = NULL;
    if (m->fail_at > 0 && m->at + 1 == m->fail_at)
        return base_err_set(err, FM_E_IO, "the disk is gone");
    if (m->at < m->count)
        *row = m->rows[m->at++];
    return FM_OK;
}

static const struct data_cell three[3][3] = {
    {{.value = 1}, {.value = -1250}, {.text = "card", .len = 4}},
    {{.value = 2}, {.null = true}, {.text = "", .len = 0}},
    {{.value = 3}, {.value = 99}, {.text = "\xe6\xa2\xa7", .len = 3}},
};

static void schema_for(struct data_schema *out, int64_t rows)
{
    static struct data_column columns[3] = {
        {.name = "id", .type = {.kind = DATA_INTEGER}, .max = 9},
        {.name = "balance",
         .type = {.kind = DATA_DECIMAL, .precision = 6, .scale = 2},
         .nullable = true},
        {.name = "product", .type = {.kind = DATA_TEXT, .max_bytes = 8}},
    };

    *out = (struct data_schema){
        .columns = columns, .column_count = 3, .subject = DATA_NO_COLUMN, .rows = rows};
}

static void same_as_elsewhere(void **state)
{
    struct memory m = {.rows = three, .count = 3};
    const struct data_row_source source = {memory_next, &m};
    struct data_schema schema;
    struct base_err err = {0};
    uint8_t root[32], want[32];

    (void)state;
    /* Computed by Python's hashlib and hmac from the layout in root.h. */
    assert_true(base_unhex(want, 32,
                           "fd27353214687cf14a53e70c380eecf1a52fe609eefda67ef778f622ebce2d8b", 64));
    schema_for(&schema, 5);
    assert_int_equal(data_root_compute(root, &source, &schema, &key7, &err), FM_OK);
    assert_memory_equal(root, want, 32);
}

/* RFC 6962 section 2.1, word by word. */
static void tree_hash(uint8_t out[32], const uint8_t (*data)[32], size_t n)
{
    uint8_t bytes[65];
    size_t k = 1;

    if (n == 1) {
        bytes[0] = 0;
        memcpy(bytes + 1, data[0], 32);
        base_hash(out, bytes, 33);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    bytes[0] = 1;
    tree_hash(bytes + 1, data, k);
    tree_hash(bytes + 33, data + k, n - k);
    base_hash(out, bytes, 65);
}

static void hmac(uint8_t out[32], const uint8_t *k, const char *label, uint64_t n)
{
    uint8_t message[40];
    size_t len = strlen(label);
    unsigned got = 0;

    memcpy(message, label, len);
    base_store_u64(message + len, n);
    assert_non_null(HMAC(EVP_sha256(), k, 32, message, len + 8, out, &got));
}

static void every_size_and_row(void **state)
{
    struct data_cell rows[70][3];
    uint8_t k[32];

    (void)state;
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < 70; i++) {
        rows[i][0].value = (int64_t)i;
        rows[i][1].value = -(int64_t)(i * i);
        rows[i][2].text = "x";
        rows[i][2].len = i % 2;
    }
    hmac(k, secret, "firmiana/row-salts/1", 7);
    for (size_t size = 1; size <= 70; size++) {
        struct memory m = {.rows = (const struct data_cell(*)[3])rows, .count = size - size / 3};
        const struct data_row_source source = {memory_next, &m};
        uint8_t hashes[70][32], want[32], root[32];
        struct base_err err = {0};
        struct data_schema schema;

        schema_for(&schema, (int64_t)size);
        for (size_t i = 0; i < size; i++) {
            struct base_buf b = {0};
            uint8_t salt[32];
            hmac(salt, k, "", i);
            base_buf_put_str(&b, "firmiana/row/1");
            base_buf_put(&b, salt, 16);
            data_row_encode(&b, i < m.count ? rows[i] : NULL, 3);
            base_hash(hashes[i], b.p, b.len);
            base_buf_release(&b);
        }
        tree_hash(want, (const uint8_t(*)[32])hashes, size);
        assert_int_equal(data_root_compute(root, &source, &schema, &key7, &err), FM_OK);
        assert_memory_equal(root, want, 32);
        for (size_t i = 0; i < size; i++) {
            json_t *proof, *row, *values;
            int64_t index;
            bool present;
            m.at = 0;
            if (data_root_prove(&proof, root, &source, &schema, &key7, i, &err) != FM_OK ||
                data_root_verify(&row, proof, want, &schema, &err) != FM_OK)
                fail_msg("size %zu, row %zu: %s", size, i, err.text);
            assert_memory_equal(root, want, 32);
            assert_int_equal(base_json_get_int(&index, row, "index", &err), FM_OK);
            assert_int_equal(base_json_get_bool(&present, row, "present", &err), FM_OK);
            assert_true(index == (int64_t)i && present == (i < m.count));
            if (present) {
                const char *text;
                char id[8];
                assert_int_equal(base_json_get_object(&values, row, "values", &err), FM_OK);
                assert_int_equal(base_json_get_str(&text, values, "id", &err), FM_OK);
                (void)snprintf(id, sizeof id, "%zu", i);
                assert_string_equal(text, id);
            }
            json_decref(row);
            json_decref(proof);
        }
    }
}

static void what_a_court_reads(void **state)
{
    struct memory m = {.rows = three, .count = 3};
    const struct data_row_source source = {memory_next, &m};
    struct base_buf text = {0};
    struct data_schema schema;
    struct base_err err = {0};
    json_t *proof, *row;
    uint8_t root[32];

    (void)state;
    schema_for(&schema, 5);
    assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key7, 0, &err), FM_OK);
    assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_OK);
    assert_int_equal(base_json_canonical(&text, row, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text),
                        "{\"index\":0,\"null\":[],\"present\":true,\"values\":{\"balance\":"
                        "\"-12.50\",\"id\":\"1\",\"product\":\"card\"}}");
    json_decref(row);
    json_decref(proof);
    m.at = 0;
    base_buf_clear(&text);
    assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key7, 1, &err), FM_OK);
    assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_OK);
    assert_int_equal(base_json_canonical(&text, row, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text),
                        "{\"index\":1,\"null\":[\"balance\"],\"present\":true,\"values\":{\"id\":"
                        "\"2\",\"product\":\"\"}}");
    json_decref(row);
    json_decref(proof);
    base_buf_release(&text);
}

/* Each character of each string of the proof is changed in turn; then its index and the root. */
static void tampered_proofs(void **state)
{
    struct memory m = {.rows = three, .count = 3};
    const struct data_row_source source = {memory_next, &m};
    struct base_buf text = {0};
    struct data_schema schema;
    struct base_err err = {0};
    json_t *proof, *row;
    uint8_t root[32];

    (void)state;
    schema_for(&schema, 5);
    assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key7, 2, &err), FM_OK);
    assert_int_equal(base_json_canonical(&text, proof, &err), FM_OK);
    json_decref(proof);
    for (size_t i = 0; i < text.len; i++) {
        fm_status st;
        uint8_t old = text.p[i];
        text.p[i] = old == '0' ? '1' : '0';
        if (base_json_parse(&proof, (const char *)text.p, text.len, &err) == FM_OK) {
            st = data_root_verify(&row, proof, root, &schema, &err);
            if (st != FM_E_INVALID && st != FM_E_INPUT)
                fail_msg("byte %zu: accepted", i);
            assert_null(row);
            json_decref(proof);
        }
        text.p[i] = old;
    }
    assert_int_equal(base_json_parse(&proof, (const char *)text.p, text.len, &err), FM_OK);
    for (size_t i = 0; i < 32; i++) {
        root[i] ^= 1;
        assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_E_INVALID);
        root[i] ^= 1;
    }
    schema.rows = 9; /* another number of levels; 6 would have the same: root.h */
    assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_E_INVALID);
    schema.rows = 2;
    assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_E_INVALID);
    assert_string_equal(err.text, "row proof: row 2 is beyond the 2 declared");
    json_decref(proof);
    base_buf_release(&text);
}

/* Rows that were committed, but are none of the schema: said, never crashed on. */
static void rows_of_another_schema(void **state)
{
    static const struct data_cell odd[4][3] = {
        {{.value = 1}, {.value = 1000000}, {.text = "x", .len = 1}},
        {{.text = "1", .len = 1}, {.value = 1}, {.text = "x", .len = 1}},
        {{.value = 1}, {.value = 1}, {.text = "123456789", .len = 9}},
        {{.value = 1}, {.value = 1}, {.text = "\xff", .len = 1}},
    };
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct memory m = {.rows = odd, .count = 4};
        const struct data_row_source source = {memory_next, &m};
        struct data_schema schema;
        json_t *proof, *row;
        uint8_t root[32];
        schema_for(&schema, 4);
        assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key7, i, &err), FM_OK);
        assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_E_INVALID);
        assert_non_null(strstr(err.text, "not a value of its type"));
        schema.column_count = 2;
        assert_int_equal(data_root_verify(&row, proof, root, &schema, &err), FM_E_INVALID);
        assert_string_equal(err.text, "row proof: the row has other columns than the schema");
        json_decref(proof);
    }
}

/* A tree of one row whose bytes we choose: what a dishonest provider could have committed. */
static fm_status verify_bytes(const void *bytes, size_t len, struct base_err *err)
{
    struct base_buf b = {0}, hex = {0};
    struct data_schema schema;
    uint8_t hash[33] = {0}, root[32];
    json_t *proof, *row;
    fm_status st;

    base_buf_put_str(&b, "firmiana/row/1");
    base_buf_put(&b, secret, 16);
    base_buf_put(&b, bytes, len);
    base_hash(hash + 1, b.p, b.len);
    base_hash(root, hash, 33);
    base_buf_put_hex(&hex, bytes, len);
    proof =
        json_pack("{s:s, s:i, s:[], s:s, s:s}", "format", "firmiana-row-proof-1", "index", 0,
                  "path", "row", base_buf_cstr(&hex), "salt", "000102030405060708090a0b0c0d0e0f");
    assert_non_null(proof);
    schema_for(&schema, 1);
    st = data_root_verify(&row, proof, root, &schema, err);
    assert_int_equal(st == FM_OK, row != NULL);
    json_decref(row);
    json_decref(proof);
    base_buf_release(&hex);
    base_buf_release(&b);
    return st;
}

/* A good row with each byte in turn at every value, and cut and lengthened: only rows that encode
 * again to the same bytes pass. */
static void committed_bytes(void **state)
{
    struct base_buf good = {0};
    struct base_err err = {0};
    size_t passed = 0;

    (void)state;
    data_row_encode(&good, three[0], 3);
    assert_int_equal(verify_bytes(good.p, good.len, &err), FM_OK);
    for (size_t i = 0; i < good.len; i++) {
        uint8_t old = good.p[i];
        assert_int_equal(verify_bytes(good.p, i, &err), FM_E_INVALID);
        for (unsigned v = 0; v < 256; v++) {
            fm_status st;
            good.p[i] = (uint8_t)v;
            st = verify_bytes(good.p, good.len, &err);
            assert_true(st == FM_OK || st == FM_E_INVALID);
            passed += st == FM_OK;
        }
        good.p[i] = old;
    }
    /* Any id in 8 bytes; a balance of at most six digits in up to 3; ASCII in the 4 of the text;
     * and the row as it is, once for each byte. */
    assert_in_range(passed, 8 * 256, 8 * 256 + 3 * 256 + 4 * 128 + good.len);
    base_buf_put_u8(&good, 0);
    assert_int_equal(verify_bytes(good.p, good.len, &err), FM_E_INVALID);
    assert_string_equal(err.text, "row proof: the row: 1 bytes left over");
    assert_int_equal(verify_bytes("\x00", 1, &err), FM_OK);
    assert_int_equal(verify_bytes("\x00\x00", 2, &err), FM_E_INVALID);
    assert_int_equal(verify_bytes("\x02", 1, &err), FM_E_INVALID);
    assert_string_equal(err.text, "row proof: the row begins with neither 0 nor 1");
    assert_int_equal(verify_bytes("", 0, &err), FM_E_INVALID);
    base_buf_release(&good);
}

static void what_changes_the_root(void **state)
{
    static const uint8_t other_secret[32] = {1};
    struct data_version_key key8 = {secret, 8}, other = {other_secret, 7};
    const struct data_version_key *keys[] = {&key7, &key8, &other};
    uint8_t roots[6][32];
    struct data_schema schema;
    struct base_err err = {0};

    (void)state;
    schema_for(&schema, 5);
    for (size_t i = 0; i < 6; i++) {
        struct data_cell rows[3][3];
        struct memory m = {.rows = (const struct data_cell(*)[3])rows, .count = i == 3 ? 2 : 3};
        const struct data_row_source source = {memory_next, &m};
        memcpy(rows, three, sizeof rows);
        rows[0][0].value += i == 4;
        schema.rows = i == 5 ? 6 : 5;
        assert_int_equal(data_root_compute(roots[i], &source, &schema, keys[i < 3 ? i : 0], &err),
                         FM_OK);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(roots[i], roots[j], 32);
    }
}

static void refusals(void **state)
{
    struct memory m = {.rows = three, .count = 3};
    const struct data_row_source source = {memory_next, &m};
    struct data_schema schema;
    struct base_err err = {0};
    uint8_t root[32];
    json_t *proof;

    (void)state;
    schema_for(&schema, 2);
    assert_int_equal(data_root_compute(root, &source, &schema, &key7, &err), FM_E_INPUT);
    assert_string_equal(err.text, "row root: more rows than the 2 declared");
    assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key7, 2, &err), FM_E_ARG);
    assert_string_equal(err.text, "row proof: row 2 is beyond the 2 declared");
    schema_for(&schema, 5);
    for (m.fail_at = 1; m.fail_at <= 4; m.fail_at++) {
        m.at = 0;
        assert_int_equal(data_root_prove(&proof, root, &source, &schema, &key7, 0, &err), FM_E_IO);
        assert_null(proof);
    }
}

/* From a table: the root of what SQLite holds, checked against the schema on the way. */
static void from_a_table(void **state)
{
    const char *db = testing_path("root.db");
    struct data_row_source source;
    struct data_schema schema;
    struct base_err err = {0};
    struct data_store *store;
    struct data_rows *rows;
    uint8_t root[32], want[32];
    struct memory m = {.rows = three, .count = 3};
    const struct data_row_source memory = {memory_next, &m};

    (void)state;
    (void)testing_sql(db,
                      "CREATE TABLE t (id INTEGER, balance, product TEXT); INSERT INTO t VALUES "
                      "(1, -12.5, 'card'), (2, NULL, ''), (3, '0.99', '\xe6\xa2\xa7')");
    schema_for(&schema, 5);
    schema.columns[1].min = -9999;
    schema.columns[1].max = 9999;
    assert_int_equal(data_store_open(&store, db, &err), FM_OK);
    assert_int_equal(data_rows_open(&rows, store, "t", &schema, NULL, 0, &err), FM_OK);
    source = data_rows_source(rows);
    assert_int_equal(data_root_compute(root, &source, &schema, &key7, &err), FM_OK);
    assert_int_equal(data_root_compute(want, &memory, &schema, &key7, &err), FM_OK);
    assert_memory_equal(root, want, 32);
    data_rows_free(rows);
    data_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_elsewhere),      cmocka_unit_test(every_size_and_row),
        cmocka_unit_test(what_a_court_reads),     cmocka_unit_test(tampered_proofs),
        cmocka_unit_test(rows_of_another_schema), cmocka_unit_test(committed_bytes),
        cmocka_unit_test(what_changes_the_root),  cmocka_unit_test(refusals),
        cmocka_unit_test(from_a_table),
    };
    return cmocka_run_group_tests_name("exchange/data: row roots", tests, testing_folder_make,
                                       testing_folder_remove);
}
