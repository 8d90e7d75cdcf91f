/* Parties that cheat, die or withdraw; and sixteen providers. */
#include "exchange/aggregate/pooled_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_slots_own.h"

enum { MANY = 16, FEW = 4, CHEAT = 3 /* of few: provides alone */ };

static const char *const names[MANY] = {"bank_a", "bank_b", "bank_c", "bank_d", "bank_e", "bank_f",
                                        "bank_g", "bank_h", "bank_i", "bank_j", "bank_k", "bank_l",
                                        "bank_m", "bank_n", "bank_o", "bank_p"};

static bool full(void)
{
    const char *said = getenv("FIRMIANA_FULL");

    return said != NULL && atoi(said) != 0;
}

static void fresh(struct pooled_party *parties)
{
    for (unsigned i = 0; i < MANY; i++)
        parties[i] = (struct pooled_party){.minimum = 2};
}

/* COUNT and SUM over the rows that the banks have. */
static void want(char *out, size_t size)
{
    int64_t count = 0, sum = 0;

    for (unsigned b = 0; b < pooled.banks; b++)
        for (size_t i = 0; i < pooled.counts[b]; i++) {
            const struct pooled_row *r = &pooled.rows[b][i];
            count++;
            sum += r->x_null ? 0 : r->x;
        }
    (void)snprintf(out, size, "%lld,%lld\n", (long long)count, (long long)sum);
}

static void is_right(const struct pooled_party *p)
{
    struct base_buf got = {0};
    char line[64];

    want(line, sizeof line);
    sql_result_csv(&got, &p->result);
    assert_string_equal(strchr(base_buf_cstr(&got), '\n') + 1, line);
    base_buf_release(&got);
}

#define TEXT "SELECT COUNT(*), SUM(x) FROM u"

static void sixteen(void **unused)
{
    struct pooled_party parties[MANY];
    struct aggregate_shape shape;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, TEXT, 5);
    fresh(parties);
    pooled_run(parties, &shape, 3, NULL);
    for (unsigned i = 0; i < MANY; i++)
        if (parties[i].status != FM_OK)
            fail_msg("%s: %s", names[i], parties[i].err.text);
    is_right(&parties[0]);
    pooled_results_release(parties);
    sql_plan_release(&plan);
}

/* ---- a provider that cheats ---- */

/* What it puts into one slot: least + by, or least + span + by; how, with bits of a right plaintext
 * or with bits that say what it is. */
struct cheat {
    size_t cipher, slot;
    bool above, bends_bits;
};

static void send_all(struct pooled_party *p, const struct base_buf *bytes, unsigned parties)
{
    uint8_t len[8];

    base_store_u64(len, bytes->len);
    for (unsigned to = 0; to < parties; to++) {
        if (net_send(p->transport, 0, to, len, sizeof len, &p->err) != FM_OK ||
            net_send(p->transport, 0, to, bytes->p, bytes->len, &p->err) != FM_OK)
            return; /* found out already */
    }
}

/* Plaintexts with every slot at its least, but one; bits that say so. */
static void fill(struct mpc_pai_plain *m, uint64_t *beta, const struct aggregate_claims *claims,
                 size_t ciphers, const struct cheat *cheat)
{
    size_t at = 0;
    mpz_t sum, one;

    mpz_inits(sum, one, NULL);
    for (size_t i = 0; i < ciphers; i++) {
        mpz_set_ui(sum, 0);
        for (size_t j = 0; j < claims->of[i].count; j++) {
            const struct mpc_pai_slot *s = &claims->of[i].slots[j];
            bool here = cheat != NULL && i == cheat->cipher && j == cheat->slot;
            mpz_set_ui(one, s->least);
            if (here && cheat->above)
                mpz_add_ui(one, one, s->span + 1);
            else if (here)
                mpz_sub_ui(one, one, 1);
            if (here && cheat->bends_bits && s->span > 0)
                beta[at] = s->span + 1; /* the first weight is 1, but for a span of 1 it is too */
            mpz_mul_2exp(one, one, s->at);
            mpz_add(sum, sum, one);
            at += s->span == 0 ? 0 : 64 - (size_t)__builtin_clzll(s->span);
        }
        mpc_pai_limbs_from_mpz(m->w + m->k * i, m->k, sum);
    }
    mpz_clears(sum, one, NULL);
}

/* A provider's part of the protocol. */
static void provide(struct pooled_party *p, void *ctx)
{
    const struct mpc_pai_std *std = mpc_pai_thr_as_std(pooled.key);
    struct aggregate_config c = pooled_config(p);
    struct aggregate_run r = {.c = &c};
    struct mpc_pai_bond bond = {.party = p->self + 1};
    struct mpc_pai_generators *generators;
    struct aggregate_claims claims;
    struct aggregate_pack pack;
    struct mpc_pai_cipher cipher;
    struct mpc_pai_plain m;
    struct base_buf bytes = {0};
    uint64_t *beta, *r_units;

    pooled_ok(
        aggregate_pack_init(&pack, p->shape, mpc_pai_std_modulus(std), pooled.banks, &pooled.err));
    pooled_ok(aggregate_pack_claims(&claims, &pack, CHEAT, &pooled.err));
    pooled_ok(mpc_pai_generators_new(&generators, claims.bits, &pooled.err));
    pooled_ok(mpc_pai_plain_init(&m, mpc_pai_std_modulus(std), pack.ciphers, &pooled.err));
    pooled_ok(mpc_pai_cipher_init(&cipher, m.key, pack.ciphers, &pooled.err));
    beta = calloc(pack.ciphers * claims.bits + 1, sizeof *beta);
    r_units = calloc(pack.ciphers * m.k, sizeof *r_units);
    fill(&m, beta, &claims, pack.ciphers, ctx);
    pooled_ok(mpc_pai_std_encrypt_keep(&cipher, r_units, std, &m, c.random, &pooled.err));
    pooled_ok(mpc_pai_cipher_put(&bytes, &cipher, &pooled.err));
    send_all(p, &bytes, p->decryptors);
    base_buf_clear(&bytes);
    aggregate_hash(bond.session32, &r, "firmiana/aggregate/range/v2", NULL, 0);
    pooled_ok(mpc_pai_slots_prove_bits(&bytes, &cipher, claims.of, generators, beta, r_units, &bond,
                                       c.random, &pooled.err));
    send_all(p, &bytes, p->decryptors);
    free(beta);
    free(r_units);
    base_buf_release(&bytes);
    mpc_pai_cipher_release(&cipher);
    mpc_pai_plain_release(&m);
    mpc_pai_generators_free(generators);
    aggregate_claims_release(&claims);
}

static void is_named(const struct pooled_party *parties, size_t cipher, size_t ciphers)
{
    char says[160];
    unsigned named = 0;

    (void)snprintf(says, sizeof says,
                   "aggregate, encrypt: bank_d: a number in ciphertext %zu of its %zu is not "
                   "within its declared range, by its proof",
                   cipher + 1, ciphers);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(parties[i].status, FM_E_PEER);
        named += strcmp(parties[i].err.text, says) == 0;
    }
    if (named == 0)
        fail_msg("%s\ninstead of\n%s", parties[0].err.text, says);
}

/* Every slot of the vector: one above its range, one below (a negative number of rows: where there
 * is none below it borrows from the slot above), and with bits that are none. */
static void out_of_each_slot(void **unused)
{
    struct pooled_party parties[MANY];
    struct aggregate_claims claims;
    struct aggregate_shape shape;
    struct aggregate_pack pack;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, "SELECT COUNT(*), SUM(x), COUNT(x) FILTER (WHERE f) FROM u", 5);
    pooled_ok(aggregate_pack_init(&pack, &shape,
                                  mpc_pai_std_modulus(mpc_pai_thr_as_std(pooled.key)), pooled.banks,
                                  &pooled.err));
    pooled_ok(aggregate_pack_claims(&claims, &pack, CHEAT, &pooled.err));
    fresh(parties);
    parties[CHEAT].instead = provide; /* the frame is right: no cheat, an answer */
    pooled_run(parties, &shape, 3, NULL);
    assert_int_equal(parties[0].status, FM_OK);
    pooled_results_release(parties);
    for (size_t i = 0; i < pack.ciphers; i++)
        for (size_t j = 0; j < claims.of[i].count; j++)
            for (unsigned how = 0; how < 3; how++) {
                struct cheat cheat = {i, j, how != 1, how == 2};
                bool fixed = claims.of[i].slots[j].span == 0;
                if ((fixed && how == 2) || (!full() && j > 1 && j + 1 < claims.of[i].count))
                    continue;
                fresh(parties);
                parties[CHEAT].instead = provide, parties[CHEAT].ctx = &cheat;
                pooled_run(parties, &shape, 3, NULL);
                is_named(parties, i, pack.ciphers);
                pooled_results_release(parties);
            }
    aggregate_claims_release(&claims);
    sql_plan_release(&plan);
}

/* ---- faults ---- */

/* Bits flipped in messages: the right answer, or none, and whoever sent it is blamed, or those whom
 * it made differ. */
static void altered(void **unused)
{
    struct pooled_party parties[MANY];
    struct pooled_fault fault = {.kind = NET_LOOP_ALTER, .fired = true};
    struct aggregate_shape shape;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, TEXT, 5);
    for (unsigned party = 0; party < FEW; party++)
        for (fault.at = 1, fault.fired = true; fault.fired; fault.at += full() ? 1 : 5) {
            fault.party = party, fault.bit = 977 * fault.at + 13;
            fresh(parties);
            pooled_run(parties, &shape, 3, &fault);
            if (parties[0].status == FM_OK)
                is_right(&parties[0]);
            else if (parties[0].status != FM_E_PEER)
                fail_msg("message %d of %s: %s", (int)fault.at, names[party], parties[0].err.text);
            pooled_results_release(parties);
        }
    sql_plan_release(&plan);
}

/* A party that dies at any of its messages is named by all others that did not end before. */
static void killed(void **unused)
{
    struct pooled_party parties[MANY];
    struct pooled_fault fault = {.kind = NET_LOOP_KILL};
    struct aggregate_shape shape;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, TEXT, 5);
    for (unsigned party = 0; party < FEW; party++)
        for (fault.at = 1, fault.fired = true; fault.fired; fault.at += full() ? 1 : 3) {
            fault.party = party;
            fresh(parties);
            pooled_run(parties, &shape, 3, &fault);
            if (fault.fired)
                assert_int_equal(parties[party].status, FM_E_CANCELLED);
            for (unsigned i = 0; i < FEW; i++) {
                if (i == party || parties[i].status == FM_OK)
                    continue;
                assert_int_equal(parties[i].status, FM_E_PEER);
                assert_non_null(strstr(parties[i].err.text, names[party]));
            }
            if (parties[0].status == FM_OK)
                is_right(&parties[0]);
            pooled_results_release(parties);
        }
    sql_plan_release(&plan);
}

/* What a node is asked before each part of a decryption leaves it: a consent or an authorization
 * was withdrawn meanwhile. */
static fm_status withdrawn(void *ctx, struct base_err *err)
{
    int *left = ctx;

    return (*left)-- > 0 ? FM_OK : base_err_set(err, FM_E_REFUSED, "authorization.revoked");
}

/* Before the guards, or before the values: two of three then decrypt nothing more. */
static void revoked(void **unused)
{
    struct pooled_party parties[MANY];
    struct aggregate_shape shape;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, TEXT, 5);
    for (int after = 0; after < 2; after++) {
        int left = after;
        fresh(parties);
        parties[1].may_open = withdrawn, parties[1].ctx = &left;
        pooled_run(parties, &shape, 3, NULL);
        assert_int_equal(parties[1].status, FM_E_REFUSED);
        assert_string_equal(parties[1].err.text, after == 0
                                                     ? "aggregate, guards: authorization.revoked"
                                                     : "aggregate, decrypt: authorization.revoked");
        assert_int_equal(parties[0].status, FM_E_PEER);
        assert_non_null(strstr(parties[0].err.text, "bank_b"));
        assert_int_equal(parties[0].result.column_count, 0);
        pooled_results_release(parties);
    }
    sql_plan_release(&plan);
}

/* A recipient that decrypts sees no sums of guards where the others reach the threshold: nobody
 * sends it a part of them. Lengths and bodies are messages of their own. */
static void guards_apart(void **unused)
{
    struct pooled_party parties[MANY];
    struct aggregate_shape shape;
    struct sql_plan plan;

    (void)unused;
    pooled_compile(&plan, &shape, TEXT, 5);
    for (unsigned decryptors = 2; decryptors <= 3; decryptors++) {
        fresh(parties);
        pooled_run(parties, &shape, decryptors, NULL);
        for (unsigned i = 0; i < FEW; i++)
            assert_int_equal(parties[i].status, FM_OK);
        is_right(&parties[0]);
        /* bank_b, to bank_a: vector 2, proof 2, hash 1, guards' part 2, reached 1, values' part 2.
         * To bank_c: vector, proof, hash, guards' part; bank_a then has none of the last. */
        assert_int_equal(parties[1].stats.messages_sent, decryptors == 2 ? 10 : 8 + 7);
        assert_int_equal(parties[0].stats.rounds, 3); /* it waits for vectors, hashes, parts */
        pooled_results_release(parties);
    }
    sql_plan_release(&plan);
}

static int make(void **state)
{
    pooled_make(*(unsigned *)*state, names, *(unsigned *)*state);
    return 0;
}

static int unmake(void **unused)
{
    (void)unused;
    pooled_release();
    return 0;
}

int main(void)
{
    static unsigned many = MANY, few = FEW;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(sixteen, make, unmake, &many),
        cmocka_unit_test_prestate_setup_teardown(out_of_each_slot, make, unmake, &few),
        cmocka_unit_test_prestate_setup_teardown(altered, make, unmake, &few),
        cmocka_unit_test_prestate_setup_teardown(killed, make, unmake, &few),
        cmocka_unit_test_prestate_setup_teardown(revoked, make, unmake, &few),
        cmocka_unit_test_prestate_setup_teardown(guards_apart, make, unmake, &few)};

    for (unsigned b = 0; b < MANY; b++)
        pooled.sources[b] = b;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
