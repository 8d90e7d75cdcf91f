/* Paillier's decoders: public and secret keys, ciphertexts, threshold keys, shares and parts,
 * proofs. An input is one byte that says which, then what comes from the wire.
 *
 * Laws: what is accepted is written back to the same bytes; a proof or a part that verifies is one
 * of the specimens. Primes are fixed, and so is what is drawn (same_random.h), so that the
 * specimens of one run are those of the next; primes of what is multiplied here are small. */
#include <string.h>

#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_own.h"
#include "mpc/paillier/proof_slots.h"
#include "mpc/paillier/threshold_own.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same_random.h"

enum what {
    STD,
    DJN,
    SUB,
    SECRET,
    CIPHER,
    THR,
    SHARE,
    PART,
    MODULUS_PROOF,
    PEDERSEN_PROOF,
    RANGE_PROOF,
    SLOTS_PROOF,
    KINDS
};

static struct {
    struct mpc_pai_any key; /* of 512 bits */
    struct mpc_pai_cipher c;
    struct mpc_pai_thr *thr; /* of 256 */
    struct mpc_pai_thr_share *share[2];
    struct mpc_pai_cipher sum;
    struct mpc_pai_pedersen pp;
    struct mpc_pai_generators *generators;
    struct mpc_pai_bond bond;
    size_t len[KINDS]; /* of the specimens */
    const struct fuzz_corpus *corpus;
} world = {.bond = {{7}, 2}};

/* What takes 3 to 20 ms if its lengths are right, primes and tables of powers, and else nothing. */
static bool is_slow(enum what what)
{
    return what <= SECRET || what == THR;
}

static void ok(fm_status st)
{
    fuzz_law(st == FM_OK, "the specimens can be made");
}

/* 2^a + 2^b + more, or 2^a - 2^b + more: primes found once. */
static void prime(mpz_t p, unsigned a, int sign, unsigned b, unsigned long more)
{
    mpz_t t;

    mpz_init_set_ui(t, 1);
    mpz_mul_2exp(t, t, b);
    mpz_set_ui(p, 1);
    mpz_mul_2exp(p, p, a);
    if (sign > 0)
        mpz_add(p, p, t);
    else
        mpz_sub(p, p, t);
    mpz_add_ui(p, p, more);
    mpz_clear(t);
}

static void same(const struct base_buf *written, const uint8_t *data, size_t size)
{
    fuzz_law(!written->failed && written->len == size && memcmp(written->p, data, size) == 0,
             "what is accepted is written back to the same bytes");
}

static void run_key(enum what what, const uint8_t *data, size_t size)
{
    struct mpc_pai_any key = {0};
    struct mpc_pai_secret *secret = NULL;
    struct base_buf out = {0};
    struct base_err err = {0};
    fm_status st = what == STD   ? mpc_pai_std_get(&key.std, data, size, &err)
                   : what == DJN ? mpc_pai_djn_get(&key.djn, data, size, &err)
                   : what == SUB ? mpc_pai_sub_get(&key.sub, data, size, &err)
                                 : mpc_pai_secret_get(&secret, data, size, &err);

    fuzz_law(st == FM_OK || st == FM_E_INPUT, "a key is refused as input");
    if (st == FM_OK) {
        ok(what == STD   ? mpc_pai_std_put(&out, key.std, &err)
           : what == DJN ? mpc_pai_djn_put(&out, key.djn, &err)
           : what == SUB ? mpc_pai_sub_put(&out, key.sub, &err)
                         : mpc_pai_secret_put(&out, secret, &err));
        same(&out, data, size);
    }
    mpc_pai_any_free(&key);
    mpc_pai_secret_free(secret);
    base_buf_release_secret(&out);
}

static void run_cipher(const uint8_t *data, size_t size)
{
    struct base_buf out = {0};
    struct mpc_pai_cipher c;
    struct base_err err = {0};

    if (mpc_pai_cipher_get(&c, mpc_pai_any_modulus(&world.key), 8, data, size, &err) == FM_OK) {
        ok(mpc_pai_cipher_put(&out, &c, &err));
        same(&out, data, size);
        mpc_pai_cipher_release(&c);
    }
    base_buf_release(&out);
}

static void run_thr(const uint8_t *data, size_t size)
{
    struct base_buf out = {0};
    struct base_err err = {0};
    struct mpc_pai_thr *thr;

    if (mpc_pai_thr_get(&thr, data, size, &err) == FM_OK) {
        ok(mpc_pai_thr_put(&out, thr, &err));
        same(&out, data, size);
        mpc_pai_thr_free(thr);
    }
    base_buf_release(&out);
}

static void run_share(const uint8_t *data, size_t size)
{
    struct mpc_pai_thr_share *share;
    struct base_buf out = {0};
    struct base_err err = {0};

    if (mpc_pai_thr_share_get(&share, world.thr, data, size, &err) == FM_OK) {
        ok(mpc_pai_thr_share_put(&out, share, &err));
        same(&out, data, size);
        mpc_pai_thr_share_free(share);
    }
    base_buf_release_secret(&out);
}

static void run_part(const uint8_t *data, size_t size, bool specimen)
{
    struct mpc_pai_thr_part part;
    struct base_buf out = {0};
    struct base_err err = {0};

    if (mpc_pai_thr_part_get(&part, world.thr, world.sum.v.n, data, size, &err) == FM_OK) {
        ok(mpc_pai_thr_part_put(&out, &part, &err));
        same(&out, data, size);
        fuzz_law(mpc_pai_thr_part_verify(world.thr, &part, &world.sum, &world.bond, &err) !=
                         FM_OK ||
                     specimen,
                 "no other part verifies");
        mpc_pai_thr_part_release(&part);
    }
    base_buf_release(&out);
}

static const struct mpc_pai_slot slots[] = {{0, 90, 10}, {20, 0, 1}};
static const struct mpc_pai_slot_claim claim = {slots, 2};

static void run_slots(const uint8_t *data, size_t size, bool specimen)
{
    struct base_err err = {0};
    size_t wrong;
    fm_status st = mpc_pai_slots_verify(&wrong, &world.c, &claim, world.generators, data, size,
                                        &world.bond, base_random_system(), &err);

    fuzz_law((st == FM_OK && specimen) || (st == FM_E_PEER && !specimen),
             "no other proof of slots verifies");
}

static void run_proof(enum what what, const uint8_t *data, size_t size, bool specimen)
{
    struct mpc_pai_statement of = {{&world.c}, {0}, 1, 40};
    struct base_err err = {0};
    fm_status st = what == MODULUS_PROOF ? mpc_pai_modulus_verify(mpc_pai_any_modulus(&world.key),
                                                                  data, size, &world.bond, &err)
                   : what == PEDERSEN_PROOF
                       ? mpc_pai_pedersen_verify(&world.pp, data, size, &world.bond, &err)
                       : mpc_pai_range_verify(&of, &world.pp, data, size, &world.bond, &err);

    fuzz_law((st == FM_OK && specimen) || (st == FM_E_PEER && !specimen),
             "no other proof verifies");
}

static void run(const uint8_t *data, size_t size)
{
    enum what what = size > 0 ? (enum what)(data[0] % KINDS) : KINDS;
    bool specimen = size > 0 && data[0] < KINDS && fuzz_is_specimen(world.corpus, data, size);

    if (size == 0 || data[0] >= KINDS)
        return;
    data++, size--;
    if (is_slow(what) && size == world.len[what] && !specimen && fuzz_lot(data, size) % 16 != 0)
        return;
    switch (what) {
    case CIPHER:
        run_cipher(data, size);
        break;
    case THR:
        run_thr(data, size);
        break;
    case SHARE:
        run_share(data, size);
        break;
    case PART:
        run_part(data, size, specimen);
        break;
    case SLOTS_PROOF:
        run_slots(data, size, specimen);
        break;
    case MODULUS_PROOF:
    case PEDERSEN_PROOF:
    case RANGE_PROOF:
        run_proof(what, data, size, specimen);
        break;
    default:
        run_key(what, data, size);
    }
}

/* ---- specimens ---- */

static void add(struct fuzz_corpus *corpus, enum what what, struct base_buf *b)
{
    struct base_buf whole = {0};

    base_buf_put_u8(&whole, (uint8_t)what);
    base_buf_put(&whole, b->p, b->len);
    fuzz_law(!whole.failed, "the specimens fit memory");
    world.len[what] = b->len;
    for (int i = 0; i < (is_slow(what) ? 1 : 8); i++) /* what is quick is run more often */
        fuzz_add(corpus, whole.p, whole.len);
    base_buf_release(&whole);
    base_buf_clear(b);
}

/* Keys of the least size that the decoders take. */
static void add_keys(struct fuzz_corpus *corpus, struct base_buf *b)
{
    struct mpc_pai_thr_share *shares[2];
    struct mpc_pai_secret *secret;
    struct mpc_pai_thr *thr;
    struct mpc_pai_any key;
    struct base_err err;
    mpz_t p, q, n, h;

    mpz_inits(p, q, n, h, NULL);
    prime(p, 1023, 1, 1022, 2087);
    prime(q, 1024, -1, 1000, 583);
    mpz_mul(n, p, q);
    mpz_sub_ui(h, n, 4);
    for (unsigned kind = MPC_PAI_STD; kind <= MPC_PAI_SUB; kind++) {
        ok(mpc_pai_any_make(&key, kind, n, h, NULL, &err));
        ok(kind == MPC_PAI_STD   ? mpc_pai_std_put(b, key.std, &err)
           : kind == MPC_PAI_DJN ? mpc_pai_djn_put(b, key.djn, &err)
                                 : mpc_pai_sub_put(b, key.sub, &err));
        mpc_pai_any_free(&key);
        add(corpus, kind == MPC_PAI_STD ? STD : kind == MPC_PAI_DJN ? DJN : SUB, b);
    }
    ok(mpc_pai_secret_make(&secret, p, q, NULL, &err));
    ok(mpc_pai_secret_put(b, secret, &err));
    mpc_pai_secret_free(secret);
    add(corpus, SECRET, b);
    ok(mpc_pai_thr_deal_with(&thr, shares, 1, 2, p, q, "d", NULL, &err));
    ok(mpc_pai_thr_put(b, thr, &err));
    for (int i = 0; i < 2; i++)
        mpc_pai_thr_share_free(shares[i]);
    mpc_pai_thr_free(thr);
    add(corpus, THR, b);
    mpz_clears(p, q, n, h, NULL);
}

static void add_proofs(struct fuzz_corpus *corpus, struct base_buf *b)
{
    const struct base_random *random = base_random_system();
    struct mpc_pai_statement of = {{&world.c}, {0}, 1, 40};
    struct mpc_pai_pedersen_secret *trapdoor;
    struct mpc_pai_secret *secret;
    struct mpc_pai_plain m;
    uint64_t r[8] = {12345, 1}; /* a unit */
    const uint64_t *units[2] = {r, NULL};
    struct base_err err;
    mpz_t p, q, n;

    mpz_inits(p, q, n, NULL);
    prime(p, 255, 1, 254, 119);
    prime(q, 256, -1, 240, 287);
    mpz_mul(n, p, q);
    ok(mpc_pai_any_make(&world.key, MPC_PAI_STD, n, n, NULL, &err));
    ok(mpc_pai_secret_make(&secret, p, q, NULL, &err));
    ok(mpc_pai_cipher_init(&world.c, mpc_pai_any_modulus(&world.key), 1, &err));
    ok(mpc_pai_plain_init(&m, mpc_pai_any_modulus(&world.key), 1, &err));
    m.w[0] = 99;
    ok(mpc_pai_std_encrypt_r(&world.c, world.key.std, &m, r, &err));
    ok(mpc_pai_cipher_put(b, &world.c, &err));
    add(corpus, CIPHER, b);
    ok(mpc_pai_modulus_prove(b, secret, &world.bond, &err));
    add(corpus, MODULUS_PROOF, b);
    mpc_pai_pedersen_init(&world.pp);
    ok(mpc_pai_pedersen_make(&world.pp, &trapdoor, p, q, &err));
    ok(mpc_pai_pedersen_prove(b, &world.pp, trapdoor, &world.bond, &err));
    add(corpus, PEDERSEN_PROOF, b);
    ok(mpc_pai_range_prove(b, &of, &world.pp, 99, units, &world.bond, random, &err));
    add(corpus, RANGE_PROOF, b);
    ok(mpc_pai_generators_new(&world.generators, mpc_pai_slot_bits(&claim), &err));
    ok(mpc_pai_slots_prove(b, &world.c, &claim, world.generators, &m, r, &world.bond, random,
                           &err));
    add(corpus, SLOTS_PROOF, b);
    mpc_pai_pedersen_secret_free(trapdoor);
    mpc_pai_plain_release(&m);
    mpc_pai_secret_free(secret);
    mpz_clears(p, q, n, NULL);
}

static void add_parts(struct fuzz_corpus *corpus, struct base_buf *b)
{
    const struct base_random *random = base_random_system();
    struct mpc_pai_thr_part part;
    struct mpc_pai_plain m;
    struct base_err err;
    mpz_t p, q;

    mpz_inits(p, q, NULL);
    prime(p, 127, 1, 126, 3755);
    prime(q, 128, -1, 100, 11579);
    ok(mpc_pai_thr_deal_with(&world.thr, world.share, 2, 2, p, q, "dealer", NULL, &err));
    ok(mpc_pai_thr_share_put(b, world.share[1], &err));
    add(corpus, SHARE, b);
    ok(mpc_pai_plain_init(&m, &world.thr->std->n, 2, &err));
    ok(mpc_pai_cipher_init(&world.sum, &world.thr->std->n, 2, &err));
    ok(mpc_pai_std_encrypt(&world.sum, world.thr->std, &m, random, &err));
    ok(mpc_pai_thr_part_new(&part, world.thr, world.share[1], &world.sum, &world.bond, random,
                            &err));
    ok(mpc_pai_thr_part_put(b, &part, &err));
    add(corpus, PART, b);
    mpc_pai_thr_part_release(&part);
    mpc_pai_plain_release(&m);
    mpz_clears(p, q, NULL);
}

/* The world lives as long as the process. */
static void begin(struct fuzz_corpus *corpus)
{
    static struct same_random from = {1, 0};
    struct base_buf b = {0};

    same_random_use(&from);
    mpc_pai_gmp_init();
    world.corpus = corpus;
    add_keys(corpus, &b);
    add_proofs(corpus, &b);
    add_parts(corpus, &b);
    base_buf_release(&b);
}

static const char *const words[] = {"\x01\x01\x08", "\x01\x02", "\x01\x03", "\x01\x10\x08",
                                    "\x01\x20",     "\x01\x04", "\x01\x14", "\x01\x24",
                                    "\x01\x31",     "\x01\x32", "\x01\x33", NULL};
const struct fuzz_target fuzz_target = {"paillier", FUZZ_BYTES, 1 << 17, words, begin, run};
