#include "mpc/paillier/triples.h"

#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

enum {
    SLOT = 170,
    MASK = 169,
    MASK_LIMBS = (MASK + 63) / 64,
    ROW = MPC_PAI_BATCH,
    SLOTS_MAX = MPC_PAI_MAX_BITS / SLOT
};

static size_t slots_of(unsigned bits)
{
    return (bits - 1) / SLOT;
}

size_t mpc_pai_triples_block(unsigned bits)
{
    return ROW * slots_of(bits);
}

/* w += v 2^(SLOT slot), v of n limbs; nothing stands there yet, so no carry leaves the slot. */
static void place(uint64_t *w, size_t k, size_t slot, const uint64_t *v, size_t n)
{
    size_t at = slot * SLOT / 64, shift = slot * SLOT % 64;

    for (size_t i = 0; i < n; i++) {
        w[at + i] |= v[i] << shift;
        if (shift > 0 && at + i + 1 < k)
            w[at + i + 1] |= v[i] >> (64 - shift);
    }
}

static uint64_t taken(const uint64_t *w, size_t k, size_t slot)
{
    size_t at = slot * SLOT / 64, shift = slot * SLOT % 64;
    uint64_t v = w[at] >> shift;

    if (shift > 0 && at + 1 < k)
        v |= w[at + 1] << (64 - shift);
    return v;
}

/* Triple i of a block stands in slot i / ROW of the ciphertext i % ROW. */
static fm_status ask_block(struct base_buf *out, const struct mpc_pai_djn *key, const uint64_t *a,
                           const uint64_t *b, size_t n, const struct base_random *random,
                           struct base_err *err)
{
    const struct mpc_pai_modulus *mod = &key->s.std.n;
    size_t block = mpc_pai_triples_block(mod->bits);
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c = {0};
    fm_status st = mpc_pai_plain_init(&m, mod, 2 * block, err);

    if (st == FM_OK)
        st = mpc_pai_cipher_init(&c, mod, 2 * block, err);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        place(m.w + m.k * i, m.k, i / ROW, &a[i], 1);
        place(m.w + m.k * (block + i), m.k, i / ROW, &b[i], 1);
    }
    if (st == FM_OK)
        st = mpc_pai_djn_encrypt(&c, key, &m, random, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_put(out, &c, err);
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
    return st;
}

fm_status mpc_pai_triples_ask(struct base_buf *out, const struct mpc_pai_djn *key,
                              const uint64_t *a, const uint64_t *b, size_t n,
                              const struct base_random *random, struct base_err *err)
{
    size_t block = mpc_pai_triples_block(key->s.std.n.bits);
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i += block)
        st = ask_block(out, key, a + i, b + i, n - i < block ? n - i : block, random, err);
    return st;
}

/* m: masks in all slots; c -= them, for those of the n that there are. */
static fm_status draw_masks(struct mpc_pai_plain *m, uint64_t *c, size_t n,
                            const struct base_random *random, struct base_err *err)
{
    uint64_t mask[MASK_LIMBS];
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < ROW * slots_of(m->key->bits); i++) {
        st = mpc_pai_limbs_random_bits(mask, MASK, random, err);
        if (st != FM_OK)
            break;
        place(m->w + m->k * (i % ROW), m->k, i / ROW, mask, MASK_LIMBS);
        if (i < n)
            c[i] -= mask[0];
    }
    base_wipe(mask, sizeof mask);
    return st;
}

static fm_status answer_block(struct base_buf *out, uint64_t *c, const struct mpc_pai_djn *peer,
                              const struct mpc_pai_cipher *asked, const uint64_t *a,
                              const uint64_t *b, size_t n, const struct base_random *random,
                              struct base_err *err)
{
    const struct mpc_pai_modulus *mod = &peer->s.std.n;
    size_t block = mpc_pai_triples_block(mod->bits);
    uint64_t by[2 * ROW * SLOTS_MAX] = {0};
    struct mpc_pai_plain m;
    struct mpc_pai_cipher masks = {0}, sum = {0};
    fm_status st = mpc_pai_plain_init(&m, mod, ROW, err);

    if (st == FM_OK)
        st = mpc_pai_cipher_init(&masks, mod, ROW, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_init(&sum, mod, ROW, err);
    for (size_t i = 0; i < n; i++) {
        by[i] = b[i], by[block + i] = a[i];
        c[i] = a[i] * b[i];
    }
    if (st == FM_OK)
        st = draw_masks(&m, c, n, random, err);
    if (st == FM_OK)
        st = mpc_pai_std_encrypt(&masks, &peer->s.std, &m, random, err);
    if (st == FM_OK)
        st = mpc_pai_vec_dots(&sum.v, &asked->v, by, 64, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&sum.v, &sum.v, &masks.v, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_put(out, &sum, err);
    mpc_pai_cipher_release(&sum);
    mpc_pai_cipher_release(&masks);
    mpc_pai_plain_release(&m);
    base_wipe(by, sizeof by);
    return st;
}

/* The next `count` ciphertexts of cur, exactly so many. */
static fm_status get_block(struct mpc_pai_cipher *c, struct base_cur *cur,
                           const struct mpc_pai_modulus *key, size_t count, struct base_err *err)
{
    size_t len = MPC_PAI_CIPHER_HEAD + count * (key->bits / 4);
    const uint8_t *bytes = base_cur_take(cur, len);

    if (bytes == NULL)
        return base_err_set(err, FM_E_INPUT, "paillier: triples: truncated");
    if (mpc_pai_cipher_get(c, key, count, bytes, len, err) != FM_OK)
        return base_err_prefix(err, "triples");
    return FM_OK; /* its length says that there are as many */
}

fm_status mpc_pai_triples_answer(struct base_buf *out, uint64_t *c, const struct mpc_pai_djn *peer,
                                 const void *in, size_t len, const uint64_t *a, const uint64_t *b,
                                 size_t n, const struct base_random *random, struct base_err *err)
{
    const struct mpc_pai_modulus *mod = &peer->s.std.n;
    size_t block = mpc_pai_triples_block(mod->bits);
    struct base_cur cur = base_cur_make(in, len);
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i += block) {
        struct mpc_pai_cipher asked;
        st = get_block(&asked, &cur, mod, 2 * block, err);
        if (st != FM_OK)
            break;
        st = answer_block(out, c + i, peer, &asked, a + i, b + i, n - i < block ? n - i : block,
                          random, err);
        mpc_pai_cipher_release(&asked);
    }
    return st == FM_OK ? base_cur_end(&cur, "paillier: triples", err) : st;
}

static fm_status take_block(uint64_t *c, const struct mpc_pai_secret *secret,
                            const struct mpc_pai_cipher *answer, const uint64_t *a,
                            const uint64_t *b, size_t n, struct base_err *err)
{
    struct mpc_pai_plain m;
    fm_status st = mpc_pai_plain_init(&m, answer->key, ROW, err);

    if (st == FM_OK)
        st = mpc_pai_decrypt(&m, secret, answer, err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        c[i] = a[i] * b[i] + taken(m.w + m.k * (i % ROW), m.k, i / ROW);
    mpc_pai_plain_release(&m);
    return st;
}

fm_status mpc_pai_triples_take(uint64_t *c, const struct mpc_pai_djn *key,
                               const struct mpc_pai_secret *secret, const void *in, size_t len,
                               const uint64_t *a, const uint64_t *b, size_t n, struct base_err *err)
{
    const struct mpc_pai_modulus *mod = &key->s.std.n;
    size_t block = mpc_pai_triples_block(mod->bits);
    struct base_cur cur = base_cur_make(in, len);
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i += block) {
        struct mpc_pai_cipher answer;
        st = get_block(&answer, &cur, mod, ROW, err);
        if (st != FM_OK)
            break;
        st = take_block(c + i, secret, &answer, a + i, b + i, n - i < block ? n - i : block, err);
        mpc_pai_cipher_release(&answer);
    }
    return st == FM_OK ? base_cur_end(&cur, "paillier: triples", err) : st;
}
