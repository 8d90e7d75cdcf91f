/* A side's life: terms, commitment, one message after another. */
#include "mpc/psi/psi.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "mpc/psi/psi_own.h"

enum { VERSION = 1, MASK_BITS = 40 + 3 /* and what keeps a masked plaintext below n / 4 */ };

static unsigned log2_up(size_t n)
{
    unsigned bits = 0;

    while (((size_t)1 << bits) < n)
        bits++;
    return bits;
}

/* Most rows that both can have. */
static size_t most(const struct mpc_psi_terms *t)
{
    return t->matcher_rows < t->holder_rows ? t->matcher_rows : t->holder_rows;
}

static fm_status slots_of(struct mpc_pai_slots *slots, const struct mpc_psi_terms *t,
                          struct base_err *err)
{
    return mpc_pai_slots_plan(slots, t->value_bits, most(t), t->key_bits - MASK_BITS, err);
}

fm_status mpc_psi_terms_check(const struct mpc_psi_terms *t, struct base_err *err)
{
    struct mpc_pai_slots slots;

    if (t->matcher_rows < 1 || t->holder_rows < 1 || t->matcher_rows > MPC_PSI_ROWS ||
        t->holder_rows > MPC_PSI_ROWS || t->columns > MPC_PSI_COLUMNS)
        return base_err_set(err, FM_E_ARG, "psi: 1 to %d rows a side and at most %d columns",
                            MPC_PSI_ROWS, MPC_PSI_COLUMNS);
    if (t->minimum < 1)
        return base_err_set(err, FM_E_ARG, "psi: the minimum intersection is at least 1");
    if (t->columns == 0)
        return FM_OK;
    if ((t->recipients & ~(unsigned)(MPC_PSI_MATCHER | MPC_PSI_HOLDER)) != 0 || t->recipients == 0)
        return base_err_set(err, FM_E_ARG, "psi: nobody receives the sums");
    if (t->key_bits != 2048 && t->key_bits != 3072 && t->key_bits != 4096)
        return base_err_set(err, FM_E_ARG, "psi: keys have 2048, 3072 or 4096 bits, not %u",
                            t->key_bits);
    if (t->value_bits < 1 || t->value_bits + log2_up(most(t)) > 62)
        return base_err_set(err, FM_E_LIMIT,
                            "psi: a sum of %zu values of %u bits may have more than 62", most(t),
                            t->value_bits);
    return slots_of(&slots, t, err);
}

size_t mpc_psi_groups(const struct mpc_psi_terms *t)
{
    struct mpc_pai_slots slots = {.slots = 1};
    struct base_err err;

    if (t->columns == 0 || slots_of(&slots, t, &err) != FM_OK)
        return 0;
    return (t->columns + slots.slots - 1) / slots.slots;
}

static void hash_u64(struct base_hash *h, uint64_t v)
{
    uint8_t b[8];

    base_store_u64(b, v);
    base_hash_update(h, b, sizeof b);
}

static void hash_terms(uint8_t out32[32], const struct mpc_psi_terms *t)
{
    struct base_hash h;

    base_hash_init(&h);
    base_hash_update(&h, "firmiana psi-sum terms 1", 24);
    base_hash_update(&h, t->session32, sizeof t->session32);
    hash_u64(&h, t->matcher_rows);
    hash_u64(&h, t->holder_rows);
    hash_u64(&h, t->columns);
    hash_u64(&h, t->columns > 0 ? t->value_bits : 0);
    hash_u64(&h, t->columns > 0 ? t->key_bits : 0);
    hash_u64(&h, t->minimum);
    hash_u64(&h, t->columns > 0 ? t->recipients : 0);
    base_hash_final(&h, out32);
}

void mpc_psi_commitment_of(uint8_t commitment32[32], const uint8_t opening[MPC_PSI_OPENING],
                           enum mpc_psi_side side, const struct mpc_psi_rows *rows, size_t columns)
{
    struct base_hash h;
    uint8_t len[4] = {0, 0, (uint8_t)(rows->id_len >> 8), (uint8_t)rows->id_len};
    uint8_t which = (uint8_t)side;

    base_hash_init(&h);
    base_hash_update(&h, "firmiana psi-sum input 1", 24);
    base_hash_update(&h, opening + 64, 32);
    base_hash_update(&h, &which, 1);
    base_hash_update(&h, opening, 64);
    hash_u64(&h, rows->n);
    base_hash_update(&h, len, sizeof len);
    for (size_t i = 0; i < rows->n; i++) {
        base_hash_update(&h, rows->ids + rows->id_len * i, rows->id_len);
        for (size_t c = 0; c < columns; c++)
            hash_u64(&h, (uint64_t)rows->columns[c][i]);
    }
    base_hash_final(&h, commitment32);
}

static void commit(struct mpc_psi *psi, const struct mpc_psi_rows *rows)
{
    uint8_t opening[MPC_PSI_OPENING];

    mpc_psi_opening(psi, opening);
    mpc_psi_commitment_of(psi->commitment, opening, psi->side, rows,
                          psi->side == MPC_PSI_HOLDER ? psi->terms.columns : 0);
    base_wipe(opening, sizeof opening);
}

static fm_status check_rows(const struct mpc_psi_rows *rows, size_t declared, struct base_err *err)
{
    if (rows->n > declared)
        return base_err_set(err, FM_E_LIMIT, "psi: %zu rows, %zu are declared", rows->n, declared);
    if (rows->id_len < 1 || rows->id_len > 255)
        return base_err_set(err, FM_E_ARG, "psi: identifiers of %zu bytes, not 1 to 255",
                            rows->id_len);
    return FM_OK;
}

/* A fresh scalar, terms, commitment. */
static fm_status side_new(struct mpc_psi **out, enum mpc_psi_side side,
                          const struct mpc_psi_terms *terms, const struct mpc_psi_rows *rows,
                          unsigned threads, const struct base_random *random, struct base_err *err)
{
    uint8_t wide[64];
    struct mpc_psi *psi;
    fm_status st;

    *out = NULL;
    if (mpc_psi_terms_check(terms, err) != FM_OK ||
        check_rows(rows, side == MPC_PSI_MATCHER ? terms->matcher_rows : terms->holder_rows, err) !=
            FM_OK)
        return err->code;
    if (threads < 1 || threads > MPC_PSI_THREADS)
        return base_err_set(err, FM_E_ARG, "psi: 1 to %d threads, not %u", MPC_PSI_THREADS,
                            threads);
    if (sodium_init() < 0)
        return base_err_set(err, FM_E_IO, "psi: libsodium does not start");
    psi = base_secret_alloc(sizeof *psi);
    if (psi == NULL)
        return base_err_memory(err, "psi");
    *psi = (struct mpc_psi){.side = side,
                            .terms = *terms,
                            .threads = threads,
                            .random = random,
                            .group = mpc_psi_group()};
    psi->groups = mpc_psi_groups(terms);
    st = terms->columns > 0 ? slots_of(&psi->slots, terms, err) : FM_OK;
    if (st == FM_OK)
        st = base_random_fill(random, psi->salt, sizeof psi->salt, err);
    if (st == FM_OK)
        st = base_random_fill(random, wide, sizeof wide, err);
    if (st == FM_OK)
        st = psi->group->scalar(psi->scalar, wide, err);
    if (st == FM_OK) {
        hash_terms(psi->terms32, terms);
        commit(psi, rows);
    }
    base_wipe(wide, sizeof wide);
    *out = psi;
    if (st != FM_OK)
        mpc_psi_free(psi), *out = NULL;
    return st;
}

static fm_status matcher_prepare(struct mpc_psi *psi, const struct mpc_psi_rows *rows,
                                 struct base_err *err)
{
    size_t n = psi->terms.matcher_rows;
    struct psi_point *own = calloc(n, sizeof *own);
    fm_status st = own != NULL ? mpc_psi_own_points(own, psi, n, rows, err)
                               : base_err_memory(err, "psi: points");

    for (size_t i = 0; st == FM_OK && i < n; i++)
        base_buf_put(&psi->ready, own[i].p, PSI_POINT);
    if (st == FM_OK)
        st = base_buf_status(&psi->ready, "psi: points", err);
    free(own);
    return st;
}

fm_status mpc_psi_matcher_new(struct mpc_psi **out, const struct mpc_psi_terms *terms,
                              const struct mpc_psi_rows *rows, unsigned threads,
                              const struct base_random *random, struct base_err *err)
{
    fm_status st = side_new(out, MPC_PSI_MATCHER, terms, rows, threads, random, err);

    if (st == FM_OK)
        st = matcher_prepare(*out, rows, err);
    if (st != FM_OK)
        mpc_psi_free(*out), *out = NULL;
    return st;
}

fm_status mpc_psi_holder_new(struct mpc_psi **out, const struct mpc_psi_terms *terms,
                             const struct mpc_psi_rows *rows, const struct mpc_psi_key *key,
                             unsigned threads, const struct base_random *random,
                             struct base_err *err)
{
    fm_status st;

    *out = NULL;
    if (terms->columns > 0 &&
        (key == NULL || mpc_pai_modulus_bits(mpc_pai_djn_modulus(key->key)) != terms->key_bits ||
         !mpc_pai_secret_opens(key->secret, mpc_pai_djn_modulus(key->key))))
        return base_err_set(err, FM_E_ARG, "psi: the holder needs a key of %u bits and its secret",
                            terms->key_bits);
    st = side_new(out, MPC_PSI_HOLDER, terms, rows, threads, random, err);
    if (st == FM_OK) {
        (*out)->key = key != NULL ? *key : (struct mpc_psi_key){0};
        st = mpc_psi_holder_prepare(*out, rows, err);
    }
    if (st != FM_OK)
        mpc_psi_free(*out), *out = NULL;
    return st;
}

void mpc_psi_free(struct mpc_psi *psi)
{
    if (psi == NULL)
        return;
    mpc_pai_plain_release(&psi->masks);
    mpc_pai_plain_release(&psi->masked);
    mpc_pai_djn_free(psi->peer);
    base_buf_release(&psi->ready);
    free(psi->both);
    if (psi->sums != NULL)
        base_wipe(psi->sums, psi->terms.columns * sizeof *psi->sums);
    free(psi->sums);
    base_secret_free(psi, sizeof *psi);
}

void mpc_psi_commitment(const struct mpc_psi *psi, uint8_t commitment32[32])
{
    memcpy(commitment32, psi->commitment, 32);
}

void mpc_psi_opening(const struct mpc_psi *psi, uint8_t opening[MPC_PSI_OPENING])
{
    memcpy(opening, psi->salt, 32);
    memcpy(opening + 32, psi->scalar, 32);
    memcpy(opening + 64, psi->terms32, 32);
}

void mpc_psi_head(struct base_buf *out, const struct mpc_psi *psi, enum psi_message type)
{
    base_buf_put_u8(out, VERSION);
    base_buf_put_u8(out, (uint8_t)type);
    base_buf_put(out, psi->terms32, sizeof psi->terms32);
}

/* What comes in, in order; 0: nothing, the side begins. */
struct stage {
    unsigned takes;
    psi_handler *handle;
};
static const struct stage matcher_stages[] = {
    {0, mpc_psi_matcher_points},
    {PSI_ANSWER, mpc_psi_matcher_sum},
    {PSI_OPENED, mpc_psi_matcher_masks},
};
static const struct stage holder_stages[] = {
    {PSI_POINTS, mpc_psi_holder_answer},
    {PSI_SUM, mpc_psi_holder_open},
    {PSI_MASKS, mpc_psi_holder_close},
};

static const struct stage *stage_of(const struct mpc_psi *psi)
{
    return psi->side == MPC_PSI_MATCHER ? &matcher_stages[psi->stage] : &holder_stages[psi->stage];
}

static fm_status take_head(unsigned *type, struct base_cur *cur, const struct mpc_psi *psi,
                           struct base_err *err)
{
    unsigned version = base_cur_u8(cur);
    const uint8_t *terms;

    *type = base_cur_u8(cur);
    terms = base_cur_take(cur, sizeof psi->terms32);
    if (terms == NULL)
        return base_err_set(err, FM_E_PEER, "psi: a message is truncated");
    if (version != VERSION)
        return base_err_set(err, FM_E_PEER, "psi: a message of version %u, not %d", version,
                            VERSION);
    if (memcmp(terms, psi->terms32, sizeof psi->terms32) != 0)
        return base_err_set(err, FM_E_PEER, "psi: the peer runs another session or other terms");
    return FM_OK;
}

static fm_status take(struct mpc_psi *psi, const void *in, size_t len, struct base_buf *out,
                      struct base_err *err)
{
    const struct stage *stage = stage_of(psi);
    struct base_cur cur = base_cur_make(in, len);
    unsigned type = 0;
    fm_status st;

    if (stage->takes == 0 && len > 0)
        return base_err_set(err, FM_E_CONFLICT, "psi: the matcher speaks first");
    if (stage->takes != 0 && take_head(&type, &cur, psi, err) != FM_OK)
        return err->code;
    if (type == PSI_TOO_FEW && stage->takes == PSI_SUM && cur.left == 0) {
        psi->state = PSI_REFUSED;
        return FM_OK;
    }
    if (type != stage->takes)
        return base_err_set(err, FM_E_PEER, "psi: message %u where %u is due", type, stage->takes);
    st = stage->handle(psi, &cur, out, err);
    if (st == FM_OK && (cur.bad || cur.left > 0))
        st = base_err_set(err, FM_E_PEER, "psi: message %u has another length than its terms say",
                          type);
    if (st == FM_OK)
        st = base_buf_status(out, "psi: message", err);
    return st;
}

fm_status mpc_psi_step(struct mpc_psi *psi, const void *in, size_t len, struct base_buf *out,
                       struct base_err *err)
{
    size_t before = out->len;
    fm_status st;

    if (psi->state != PSI_WORKS)
        return base_err_set(err, FM_E_CONFLICT, "psi: no message is due");
    st = take(psi, in, len, out, err);
    if (st == FM_OK) {
        psi->stage++;
        return FM_OK;
    }
    psi->state = PSI_BROKEN;
    out->len = before;
    if (st == FM_E_INPUT) { /* what a decoder below said of the peer's bytes */
        err->code = FM_E_PEER;
        st = base_err_prefix(err, "psi");
    }
    return st;
}

int mpc_psi_waits(const struct mpc_psi *psi)
{
    return psi->state == PSI_WORKS && stage_of(psi)->takes != 0;
}

size_t mpc_psi_message_max(const struct mpc_psi *psi)
{
    const struct mpc_psi_terms *t = &psi->terms;
    size_t key = t->columns > 0 ? t->key_bits / 8 : 0, chunks, g = psi->groups;

    if (!mpc_psi_waits(psi))
        return 0;
    switch (stage_of(psi)->takes) {
    case PSI_POINTS:
        return PSI_HEAD + PSI_POINT * t->matcher_rows;
    case PSI_ANSWER: /* 128 rounds of the proof with numbers of two keys' length at most */
        chunks = (t->holder_rows + PSI_CHUNK - 1) / PSI_CHUNK;
        return PSI_HEAD + PSI_POINT * (t->matcher_rows + t->holder_rows) +
               (g > 0 ? 64 + 3 * key + 129 * (2 * key + 8) + 64 * chunks +
                            2 * key * g * t->holder_rows
                      : 0);
    case PSI_SUM:
        return PSI_HEAD + 8 + PSI_POINT * t->holder_rows + 64 + 2 * key * g;
    default:
        return PSI_HEAD + key * g;
    }
}

fm_status mpc_psi_unmask(struct mpc_psi *psi, struct base_err *err)
{
    struct mpc_pai_plain *m = &psi->masked;
    unsigned used = (unsigned)psi->slots.slots * psi->slots.slot_bits;
    size_t columns = psi->terms.columns;

    psi->sums = calloc(columns, sizeof *psi->sums);
    if (psi->sums == NULL)
        return base_err_memory(err, "psi: sums");
    if (mpc_pai_plain_take_masks(m, &psi->masks, used, err) != FM_OK)
        return base_err_set(err, FM_E_PEER, "psi: what was opened is no masked sum");
    return mpc_pai_slots_unpack(psi->sums, columns, &psi->slots, m, psi->size, err);
}

fm_status mpc_psi_result(const struct mpc_psi *psi, size_t *size, int64_t *sums,
                         struct base_err *err)
{
    if (psi->state == PSI_REFUSED)
        return base_err_set(err, FM_E_REFUSED,
                            "psi: the intersection is below the minimum of %zu: nothing is opened",
                            psi->terms.minimum);
    if (psi->state != PSI_DONE)
        return base_err_set(err, FM_E_CONFLICT, "psi: there is no result yet");
    *size = psi->size;
    if (psi->sums != NULL && sums != NULL)
        memcpy(sums, psi->sums, psi->terms.columns * sizeof *sums);
    return FM_OK;
}
