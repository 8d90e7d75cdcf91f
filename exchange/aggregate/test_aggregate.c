/* The protocol among four threads (three decryptors, two of them providers too, one provider more),
 * held against SQLite over all rows; parties that lie are named; what is in the way is said. */
#include "exchange/sql/bind/test_fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "exchange/aggregate/key.h"
#include "exchange/aggregate/run_own.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/threshold_own.h"
#include "net/loop.h"

enum { PARTIES = 4, BANKS = 3, DECRYPTORS = 3, ROWS = 60, KEY_BITS = 1024 };

#define BANK(name, rows)                                                                    \
    "{\"member\":\"" name "\",\"name\":\"u\",\"version\":1,\"rows\":" rows ",\"columns\":[" \
    "{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":[0,1000]},"                            \
    "{\"name\":\"x\",\"type\":\"INTEGER\",\"range\":[-500,500],\"nullable\":true},"         \
    "{\"name\":\"g\",\"type\":\"INTEGER\",\"range\":[1,4],\"nullable\":true},"              \
    "{\"name\":\"f\",\"type\":\"BOOLEAN\"},"                                                \
    "{\"name\":\"y\",\"type\":\"TEXT(4)\",\"nullable\":true}],"                             \
    "\"subject\":{\"column\":\"id\",\"scheme\":\"s\"},\"max_rows_per_subject\":1}"

static const char catalog_text[] =
    "{\"datasets\":[" BANK("bank_a", "60") "," BANK("bank_b", "60") "," BANK("bank_d", "60") "]}";
/* bank_d provides only: party 3. bank_c decrypts only. */
static const char *const names[PARTIES] = {"bank_a", "bank_b", "bank_c", "bank_d"};
static const unsigned sources[BANKS] = {0, 1, 3};

struct row {
    bool x_null, g_null, y_null, f;
    int64_t id, x, g;
    char y[5];
};

static struct {
    struct sql_catalog catalog;
    struct mpc_pai_thr *key;
    struct mpc_pai_thr_share *shares[MPC_PAI_THR_PARTIES];
    struct base_buf params; /* the same for all, to save time */
    struct mpc_pai_bond bonds[DECRYPTORS];
    struct row rows[BANKS][ROWS];
    size_t counts[BANKS];
    sqlite3 *db;
    struct base_err err;
} world;

static uint64_t state = 88172645463325252u;
static uint64_t draw(uint64_t below) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void ok(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", world.err.text);
}

/* ---- rows ---- */

static void make_rows(void)
{
    static const char *const words[] = {"a", "b", "ab", ""};

    for (size_t b = 0; b < BANKS; b++) {
        world.counts[b] = 20 + draw(ROWS - 20);
        for (size_t i = 0; i < world.counts[b]; i++) {
            struct row *r = &world.rows[b][i];
            *r = (struct row){.x_null = draw(5) == 0,
                              .g_null = draw(9) == 0,
                              .y_null = draw(7) == 0,
                              .f = draw(2),
                              .id = (int64_t)draw(1001),
                              .x = (int64_t)draw(1001) - 500,
                              .g = 1 + (int64_t)draw(3)}; /* nobody has group 4 */
            (void)snprintf(r->y, sizeof r->y, "%s", words[draw(4)]);
        }
    }
}

static void load_oracle(void)
{
    char sql[256];

    assert_int_equal(sqlite3_open(":memory:", &world.db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(world.db, "CREATE TABLE u(bank,id,x,g,f,y)", NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t b = 0; b < BANKS; b++)
        for (size_t i = 0; i < world.counts[b]; i++) {
            const struct row *r = &world.rows[b][i];
            char x[24] = "NULL", g[24] = "NULL", y[24] = "NULL";
            if (!r->x_null)
                (void)snprintf(x, sizeof x, "%lld", (long long)r->x);
            if (!r->g_null)
                (void)snprintf(g, sizeof g, "%lld", (long long)r->g);
            if (!r->y_null)
                (void)snprintf(y, sizeof y, "'%s'", r->y);
            (void)snprintf(sql, sizeof sql, "INSERT INTO u VALUES('%s',%lld,%s,%s,%d,%s)",
                           names[sources[b]], (long long)r->id, x, g, r->f, y);
            assert_int_equal(sqlite3_exec(world.db, sql, NULL, NULL, NULL), SQLITE_OK);
        }
}

struct bank {
    const struct sql_plan *plan;
    size_t bank, next;
};

static struct sql_cell cell_of(const struct row *r, char column)
{
    switch (column) {
    case 'x':
        return (struct sql_cell){.null = r->x_null, .value = r->x};
    case 'g':
        return (struct sql_cell){.null = r->g_null, .value = r->g};
    case 'f':
        return (struct sql_cell){.value = r->f};
    case 'y':
        return (struct sql_cell){.null = r->y_null, .text = r->y, .len = strlen(r->y)};
    default:
        return (struct sql_cell){.value = r->id};
    }
}

static fm_status bank_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    struct bank *b = ctx;
    size_t i = b->next++;

    (void)err;
    *end = i == world.counts[b->bank];
    for (size_t c = 0; !*end && c < b->plan->column_count; c++)
        cells[c] = cell_of(&world.rows[b->bank][i], b->plan->columns[c].name[0]);
    return FM_OK;
}

/* ---- one run ---- */

struct party {
    const struct aggregate_shape *shape;
    struct net_transport *transport;
    unsigned self, minimum, decryptors;
    bool lies; /* its share is another's */
    struct sql_value value;
    struct sql_result result;
    struct aggregate_record record;
    fm_status status;
    struct base_err err;
};

static void *party_main(void *arg)
{
    static const uint32_t key_party[DECRYPTORS] = {1, 2, 3};
    static const unsigned recipient = 0;
    struct party *p = arg;
    struct bank bank = {.plan = p->shape->plan};
    struct sql_rows own = {bank_next, &bank};
    const struct sql_rows *rows[BANKS] = {NULL};
    struct mpc_pai_thr_share *lie = NULL;
    struct aggregate_config c = {.shape = p->shape,
                                 .transport = p->transport,
                                 .session32 = {7},
                                 .key = world.key,
                                 .decryptors = p->decryptors,
                                 .key_party = key_party,
                                 .bonds = world.bonds,
                                 .minimum = p->minimum,
                                 .params = world.params.p,
                                 .params_len = world.params.len,
                                 .sources = sources,
                                 .recipients = &recipient,
                                 .values = &p->value,
                                 .rows = rows,
                                 .random = base_random_system()};

    for (size_t b = 0; b < BANKS; b++)
        if (sources[b] == p->self) {
            bank.bank = b;
            rows[b] = &own;
        }
    if (p->self < p->decryptors)
        c.share = world.shares[p->self];
    if (p->lies) {
        lie = malloc(sizeof *lie);
        *lie = *c.share;
        lie->x[0] ^= 1;
        c.share = lie;
    }
    p->status = aggregate_run(&p->result, &p->record, &c, &p->err);
    free(lie);
    return NULL;
}

static void run(struct party parties[PARTIES], const struct aggregate_shape *shape, unsigned liars,
                unsigned minimum, unsigned decryptors)
{
    struct net_loop *loop;
    pthread_t threads[PARTIES];

    ok(net_loop_new(&loop, PARTIES, names, &world.err));
    for (unsigned i = 0; i < PARTIES; i++) {
        parties[i] = (struct party){.shape = shape,
                                    .transport = net_loop_transport(loop, i),
                                    .self = i,
                                    .minimum = minimum,
                                    .decryptors = decryptors,
                                    .lies = (liars >> i & 1) != 0,
                                    .value = {.value = -100}};
        assert_int_equal(pthread_create(&threads[i], NULL, party_main, &parties[i]), 0);
    }
    for (unsigned i = 0; i < PARTIES; i++)
        (void)pthread_join(threads[i], NULL);
    net_loop_free(loop);
}

static void release(struct party parties[PARTIES])
{
    for (unsigned i = 0; i < PARTIES; i++)
        sql_result_release(&parties[i].result);
}

static void compile(struct sql_plan *plan, struct aggregate_shape *shape, const char *text,
                    int64_t minimum)
{
    struct sql_request r = fixture_request(text);
    struct sql_param_decl decl = {.type = "INTEGER"};

    r.catalog = &world.catalog;
    r.minimum = minimum;
    r.params = &decl;
    r.param_count = strchr(text, '$') != NULL;
    fixture_compile(plan, &r);
    ok(aggregate_shape_of(shape, plan, &world.err));
}

/* ---- against SQLite ---- */

static void oracle(struct base_buf *out, const char *sql)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(world.db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(world.db));
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
    struct party parties[PARTIES];
    struct aggregate_shape shape;
    struct base_buf got = {0}, want = {0};
    struct sql_plan plan;
    const char *body;

    compile(&plan, &shape, text, minimum);
    /* Two of the key's three are enough, where both are right. */
    run(parties, &shape, liars, 2, note == NULL ? 2 : DECRYPTORS);
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
    release(parties);
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

static void liars(void **unused)
{
    struct party parties[PARTIES];
    struct aggregate_shape shape;
    struct sql_plan plan;
    static const char text[] = "SELECT COUNT(*) FROM u";

    (void)unused;
    expect(text, 5, text, 1u << 1, "the decryption share of bank_b was wrong, and was left out");
    compile(&plan, &shape, text, 5);
    run(parties, &shape, 3u << 1, 2, DECRYPTORS);
    assert_int_equal(parties[0].status, FM_E_PEER);
    assert_string_equal(parties[0].err.text,
                        "aggregate, guards: the decryption shares of bank_b, bank_c do not verify, "
                        "and too few others are left");
    release(parties);
    run(parties, &shape, 0, 4, DECRYPTORS);
    assert_int_equal(parties[0].status, FM_E_REFUSED);
    assert_string_equal(parties[0].err.text,
                        "the contract asks for at least 4 contributors, there are 3");
    release(parties);
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
    ok(mpc_pai_plain_init(&m, mpc_pai_std_modulus(mpc_pai_thr_as_std(world.key)), 1, &world.err));
    mpc_pai_limbs_from_mpz(m.w, m.k, sum);
    st = aggregate_pack_read(numbers, pack, &m, 0, at, BANKS, &world.err);
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
    compile(&plan, &shape, "SELECT COUNT(*), SUM(x) FROM u", 5);
    assert_true(aggregate_guards(&shape) + aggregate_values(&shape) <= 64);
    ok(aggregate_pack_init(&pack, &shape, mpc_pai_std_modulus(mpc_pai_thr_as_std(world.key)), BANKS,
                           &world.err));
    assert_true(pack.guard_ciphers == 1 && pack.ciphers > 1);
    for (size_t at = 0; at < pack.ciphers; at++) {
        unsigned bits = at == 0 ? pack.guards.value_bits : pack.values.value_bits;
        uint64_t zero = (uint64_t)BANKS << bits, most = BANKS * (((uint64_t)2 << bits) - 1);
        const char *says = "a sum is beyond its range: a provider put in what it may not";
        ok(read_sum(&pack, at, zero, zero, 0));
        ok(read_sum(&pack, at, zero, most, 0));
        ok(read_sum(&pack, at, zero, BANKS, 0));
        assert_int_equal(read_sum(&pack, at, zero, most + 1, 0), FM_E_PEER);
        assert_string_equal(world.err.text, says);
        assert_int_equal(read_sum(&pack, at, zero, BANKS - 1, 0), FM_E_PEER);
        assert_int_equal(read_sum(&pack, at, zero, zero, 1), FM_E_PEER);
        assert_int_equal(read_sum(&pack, at, zero, zero, 200), FM_E_PEER);
        assert_string_equal(world.err.text, says);
    }
    sql_plan_release(&plan);
}

/* Half as long as any real key: proofs take a fifth of the time. */
static void deal(void)
{
    mpz_t p, q;

    mpc_pai_gmp_init();
    mpz_inits(p, q, NULL);
    ok(mpc_pai_prime_new(p, KEY_BITS / 2, MPC_PAI_SAFE, &world.err));
    ok(mpc_pai_prime_new(q, KEY_BITS / 2, MPC_PAI_SAFE, &world.err));
    ok(mpc_pai_thr_deal_with(&world.key, world.shares, 2, 3, p, q, "the notary", NULL, &world.err));
    mpz_clears(p, q, NULL);
}

static int setup(void **unused)
{
    struct mpc_pai_bond bond = {.party = 0};
    json_t *json;

    (void)unused;
    ok(base_json_parse(&json, catalog_text, strlen(catalog_text), &world.err));
    ok(sql_catalog_from_json(&world.catalog, json, &world.err));
    json_decref(json);
    deal();
    for (unsigned i = 0; i < DECRYPTORS; i++)
        world.bonds[i] = bond;
    ok(range_params_make(&world.params, &bond, &world.err));
    make_rows();
    load_oracle();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    mpc_pai_thr_free(world.key);
    for (unsigned i = 0; i < 3; i++)
        mpc_pai_thr_share_free(world.shares[i]);
    base_buf_release(&world.params);
    sql_catalog_release(&world.catalog);
    (void)sqlite3_close(world.db);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(liars),
                                       cmocka_unit_test(out_of_range)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
