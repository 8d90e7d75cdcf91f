/* The protocol among four threads (three decryptors, two of them providers too, one provider more),
 * held against SQLite over all rows; parties that lie are named; what is in the way is said. */
#include "exchange/aggregate/pooled_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

enum { PARTIES = 4, BANKS = 3, DECRYPTORS = 3 };

/* bank_d provides only: party 3. bank_c decrypts only. */
static const char *const names[PARTIES] = {"bank_a", "bank_b", "bank_c", "bank_d"};
static sqlite3 *db;

static void load_oracle(void)
{
    char sql[256];

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE u(bank,id,x,g,f,y)", NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t b = 0; b < BANKS; b++)
        for (size_t i = 0; i < pooled.counts[b]; i++) {
            const struct pooled_row *r = &pooled.rows[b][i];
            char x[24] = "NULL", g[24] = "NULL", y[24] = "NULL";
            if (!r->x_null)
                (void)snprintf(x, sizeof x, "%lld", (long long)r->x);
            if (!r->g_null)
                (void)snprintf(g, sizeof g, "%lld", (long long)r->g);
            if (!r->y_null)
                (void)snprintf(y, sizeof y, "'%s'", r->y);
            (void)snprintf(sql, sizeof sql, "INSERT INTO u VALUES('%s',%lld,%s,%s,%d,%s)",
                           names[pooled.sources[b]], (long long)r->id, x, g, r->f, y);
            assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        }
}

/* ---- against SQLite ---- */

static void oracle(struct base_buf *out, const char *sql)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(s) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(s); c++)
            base_buf_putf(out, "%s%s", c > 0 ? "," : "",
                          sqlite3_column_type(s, c) == SQLITE_NULL
                              ? ""
                              : (const char *)sqlite3_column_text(s, c));
        base_buf_put_str(out, "\n");
    }
    (void)sqlite3_finalize(s);
}

static void expect(const char *text, int64_t minimum, const char *oracle_text, unsigned liars,
                   const char *note)
{
    struct pooled_party parties[PARTIES] = {
        {.minimum = 2}, {.minimum = 2}, {.minimum = 2}, {.minimum = 2}};
    struct aggregate_shape shape;
    struct base_buf got = {0}, want = {0};
    struct sql_plan plan;
    const char *body;

    pooled_compile(&plan, &shape, text, minimum);
    /* Two of the key's three are enough, where both are right. */
    for (unsigned i = 0; i < PARTIES; i++)
        parties[i].lies = (liars >> i & 1) != 0;
    pooled_run(parties, &shape, note == NULL ? 2 : DECRYPTORS, NULL);
    for (unsigned i = 0; i < PARTIES; i++)
        if (parties[i].status != FM_OK)
            fail_msg("%s: %s", names[i], parties[i].err.text);
    sql_result_csv(&got, &parties[0].result);
    body = strchr(base_buf_cstr(&got), '\n');
    oracle(&want, oracle_text);
    if (body == NULL || strcmp(body + 1, base_buf_cstr(&want)) != 0)
        fail_msg("%s\n%s\nSQLite:\n%s", text, base_buf_cstr(&got), base_buf_cstr(&want));
    assert_int_equal(parties[1].result.column_count, 0);
    assert_int_equal(parties[0].result.note_count, note != NULL);
    if (note != NULL)
        assert_string_equal(parties[0].result.notes[0], note);
    /* Whoever holds a vector committed to the same. */
    for (unsigned i = 0; i < 2; i++)
        assert_memory_equal(parties[i].record.input, parties[0].record.input,
                            sizeof parties[i].record.input);
    assert_memory_equal(parties[3].record.input[2], parties[0].record.input[2], 32);
    assert_memory_equal(parties[1].record.part[1], parties[0].record.part[1], 32);
    base_buf_release(&got);
    base_buf_release(&want);
    pooled_results_release(parties);
    sql_plan_release(&plan);
}

#define OTHERS "SUM(bank <> 'bank_a' "

static void answers(void **unused)
{
    (void)unused;
    expect("SELECT COUNT(*), SUM(x), COUNT(x), AVG(x) FROM u WHERE x > $1 AND NOT (y = 'ab')", 5,
           "SELECT COUNT(*), SUM(x), COUNT(x), printf('%.6f', AVG(x)) FROM u "
           "WHERE x > -100 AND NOT (y = 'ab')",
           0, NULL);
    /* No guard: what is not there is NULL or 0. */
    expect("SELECT COUNT(x), SUM(x), AVG(x), COUNT(*) FROM u WHERE x > 499 AND x < -1", 1,
           "SELECT 0, NULL, NULL, 0", 0, NULL);
    expect("SELECT f, COUNT(*), COUNT(y) FROM u GROUP BY f ORDER BY f DESC", 1,
           "SELECT iif(f, 'true', 'false'), COUNT(*), COUNT(y) FROM u GROUP BY f ORDER BY f DESC",
           0, NULL);
    /* Too few others: the group is not there, or an aggregate of it is suppressed. A subject may be
     * at both of the others, so 7 subjects take 14 rows. */
    expect("SELECT g, COUNT(*), SUM(x) FROM u WHERE x > -300 OR f GROUP BY g ORDER BY g", 7,
           "SELECT g, COUNT(*), iif(" OTHERS "AND x IS NOT NULL) >= 14, SUM(x), 'suppressed') "
           "FROM u WHERE x > -300 OR f GROUP BY g HAVING " OTHERS ") >= 14 ORDER BY g",
           0, NULL);
}

static bool says_two(const struct base_err *err)
{
    return strcmp(err->text, "aggregate, guards: the decryption shares of bank_b, bank_c do not "
                             "verify, and too few others are left") == 0;
}

static void liars(void **unused)
{
    struct pooled_party parties[PARTIES] = {
        {.minimum = 2}, {.minimum = 2, .lies = true}, {.minimum = 2, .lies = true}, {.minimum = 2}};
    struct aggregate_shape shape;
    struct sql_plan plan;
    static const char text[] = "SELECT COUNT(*) FROM u";

    (void)unused;
    expect(text, 5, text, 1u << 1, "the decryption share of bank_b was wrong, and was left out");
    pooled_compile(&plan, &shape, text, 5);
    pooled_run(parties, &shape, DECRYPTORS, NULL);
    assert_int_equal(parties[0].status, FM_E_PEER);
    assert_true(parties[1].status == FM_E_PEER && parties[2].status == FM_E_PEER);
    assert_true(says_two(&parties[1].err) || says_two(&parties[2].err));
    pooled_results_release(parties);
    for (unsigned i = 0; i < PARTIES; i++)
        parties[i] = (struct pooled_party){.minimum = 4};
    pooled_run(parties, &shape, DECRYPTORS, NULL);
    assert_int_equal(parties[0].status, FM_E_REFUSED);
    assert_string_equal(parties[0].err.text,
                        "the contract asks for at least 4 contributors, there are 3");
    pooled_results_release(parties);
    sql_plan_release(&plan);
}

/* Plaintext at of three providers' sum, every slot raw: `each` but in one, where it is `one`. */
static fm_status read_sum(const struct aggregate_pack *pack, size_t at, uint64_t each, uint64_t one,
                          unsigned beyond)
{
    bool guards = at < pack->guard_ciphers;
    const struct mpc_pai_slots *s = guards ? &pack->guards : &pack->values;
    size_t slots = guards ? s->slots : aggregate_pack_class(pack, at)->count;
    int64_t numbers[64] = {0};
    struct mpc_pai_plain m;
    fm_status st;
    mpz_t sum, raw;

    mpz_inits(sum, raw, NULL);
    for (size_t i = 0; i < slots; i++) {
        mpz_set_ui(raw, i == 0 ? one : each);
        mpz_mul_2exp(raw, raw, i * s->slot_bits);
        mpz_add(sum, sum, raw);
    }
    if (beyond > 0)
        mpz_setbit(sum, aggregate_pack_bits(pack, at) + beyond - 1);
    pooled_ok(mpc_pai_plain_init(&m, mpc_pai_std_modulus(mpc_pai_thr_as_std(pooled.key)), 1,
                                 &pooled.err));
    mpc_pai_limbs_from_mpz(m.w, m.k, sum);
    st = aggregate_pack_read(numbers, pack, &m, 0, at, BANKS, &pooled.err);
    mpc_pai_plain_release(&m);
    mpz_clears(sum, raw, NULL);
    return st;
}

/* What three providers that keep to their ranges cannot add up to. */
static void out_of_range(void **unused)
{
    struct aggregate_shape shape;
    struct aggregate_pack pack;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, "SELECT COUNT(*), SUM(x) FROM u", 5);
    assert_true(aggregate_guards(&shape) + aggregate_values(&shape) <= 64);
    pooled_ok(aggregate_pack_init(
        &pack, &shape, mpc_pai_std_modulus(mpc_pai_thr_as_std(pooled.key)), BANKS, &pooled.err));
    assert_true(pack.guard_ciphers == 1 && pack.ciphers > 1);
    for (size_t at = 0; at < pack.ciphers; at++) {
        unsigned bits = at == 0 ? pack.guards.value_bits : pack.values.value_bits;
        uint64_t zero = (uint64_t)BANKS << bits, most = BANKS * (((uint64_t)2 << bits) - 1);
        const char *says = "a sum is beyond its range: a provider put in what it may not";
        pooled_ok(read_sum(&pack, at, zero, zero, 0));
        pooled_ok(read_sum(&pack, at, zero, most, 0));
        pooled_ok(read_sum(&pack, at, zero, BANKS, 0));
        assert_int_equal(read_sum(&pack, at, zero, most + 1, 0), FM_E_PEER);
        assert_string_equal(pooled.err.text, says);
        assert_int_equal(read_sum(&pack, at, zero, BANKS - 1, 0), FM_E_PEER);
        assert_int_equal(read_sum(&pack, at, zero, zero, 1), FM_E_PEER);
        assert_int_equal(
            read_sum(&pack, at, zero, zero, POOLED_KEY_BITS - aggregate_pack_bits(&pack, at)),
            FM_E_PEER);
        assert_string_equal(pooled.err.text, says);
    }
    sql_plan_release(&plan);
}

static int setup(void **unused)
{
    (void)unused;
    pooled.sources[1] = 1, pooled.sources[2] = 3;
    pooled_make(PARTIES, names, BANKS);
    load_oracle();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    pooled_release();
    (void)sqlite3_close(db);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(liars),
                                       cmocka_unit_test(out_of_range)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
