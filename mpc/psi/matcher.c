/* The matcher: has identifiers alone, finds what both have, adds the holder's ciphertexts up. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/proof.h"
#include "mpc/psi/psi_own.h"

fm_status mpc_psi_matcher_points(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                                 struct base_err *err)
{
    (void)cur;
    mpc_psi_head(out, psi, PSI_POINTS);
    base_buf_put(out, psi->ready.p, psi->ready.len);
    base_buf_release(&psi->ready);
    return base_buf_status(out, "psi: points", err);
}

/* Marks the holder's rows whose points are among ours; both sorted. */
static size_t match(uint8_t *matched, const struct psi_point *theirs, size_t m, const uint8_t *ours,
                    size_t n)
{
    size_t size = 0;

    for (size_t i = 0, j = 0; i < n && j < m;) {
        int order = memcmp(ours + PSI_POINT * i, theirs[j].p, PSI_POINT);
        if (order == 0) {
            matched[theirs[j].row] = 1;
            size++;
        }
        i += order <= 0;
        j += order >= 0;
    }
    return size;
}

static fm_status take_key(struct mpc_psi *psi, struct base_cur *cur, struct base_err *err)
{
    struct mpc_pai_bond bond = {.party = MPC_PSI_HOLDER};
    const struct mpc_pai_modulus *n;
    size_t len = base_cur_u32(cur);
    const uint8_t *bytes = base_cur_take(cur, len);

    if (bytes == NULL)
        return base_err_set(err, FM_E_PEER, "psi: the key is truncated");
    if (mpc_pai_djn_get(&psi->peer, bytes, len, err) != FM_OK)
        return err->code;
    n = mpc_pai_djn_modulus(psi->peer);
    if (mpc_pai_modulus_bits(n) != psi->terms.key_bits)
        return base_err_set(err, FM_E_PEER, "psi: a key of %u bits, not %u",
                            mpc_pai_modulus_bits(n), psi->terms.key_bits);
    len = base_cur_u32(cur);
    bytes = base_cur_take(cur, len);
    if (bytes == NULL)
        return base_err_set(err, FM_E_PEER, "psi: the proof is truncated");
    memcpy(bond.session32, psi->terms.session32, sizeof bond.session32);
    return mpc_pai_modulus_verify(n, bytes, len, &bond, err);
}

/* Ciphertexts of the rows that are in both, added up as their chunks are read. */
struct adding {
    struct mpc_psi *psi;
    const uint8_t *chunks, *matched;
    size_t chunk_len; /* of all but the last */
    size_t len;
    struct mpc_pai_cipher *sum; /* groups of them */
    pthread_mutex_t lock;
};

/* One group of one chunk: z (of length 1) = sum of the ciphertexts of matched rows; none: *any is
 * 0. */
static fm_status sum_of_group(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *c,
                              const uint8_t *matched, size_t rows, size_t group, size_t groups,
                              int *any, struct base_err *err)
{
    struct mpc_pai_cipher picked;
    size_t count = 0;
    fm_status st;

    for (size_t i = 0; i < rows; i++)
        count += matched[i];
    *any = count > 0;
    if (count == 0)
        return FM_OK;
    st = mpc_pai_cipher_init(&picked, c->key, count, err);
    for (size_t i = 0, at = 0; st == FM_OK && i < rows; i++)
        if (matched[i])
            mpc_pai_cipher_move(&picked, at++, c, groups * i + group);
    if (st == FM_OK)
        st = mpc_pai_sum(z, &picked, err);
    mpc_pai_cipher_release(&picked);
    return st;
}

static fm_status add_chunk(struct adding *a, const struct mpc_pai_cipher *c, const uint8_t *matched,
                           size_t rows, struct base_err *err)
{
    struct mpc_pai_cipher one = {0}, total = {0};
    fm_status st = mpc_pai_cipher_init(&one, c->key, 1, err);
    size_t groups = a->psi->groups;
    int any = 0;

    if (st == FM_OK)
        st = mpc_pai_cipher_init(&total, c->key, 1, err);
    for (size_t g = 0; st == FM_OK && g < groups; g++) {
        st = sum_of_group(&one, c, matched, rows, g, groups, &any, err);
        if (st != FM_OK || !any)
            continue;
        (void)pthread_mutex_lock(&a->lock);
        mpc_pai_cipher_move(&total, 0, a->sum, g);
        st = mpc_pai_add(&total, &total, &one, err);
        if (st == FM_OK)
            mpc_pai_cipher_move(a->sum, g, &total, 0);
        (void)pthread_mutex_unlock(&a->lock);
    }
    mpc_pai_cipher_release(&total);
    mpc_pai_cipher_release(&one);
    return st;
}

static fm_status add_range(void *ctx, size_t from, size_t to, struct base_err *err)
{
    struct adding *a = ctx;
    const struct mpc_pai_modulus *key = mpc_pai_djn_modulus(a->psi->peer);
    size_t groups = a->psi->groups, all = a->psi->terms.holder_rows;
    fm_status st = FM_OK;

    for (size_t i = from; st == FM_OK && i < to; i++) {
        size_t first = i * PSI_CHUNK, rows = all - first < PSI_CHUNK ? all - first : PSI_CHUNK;
        size_t at = i * a->chunk_len, left = a->len - at;
        struct mpc_pai_cipher c;
        st = mpc_pai_cipher_get(&c, key, rows * groups, a->chunks + at,
                                left < a->chunk_len ? left : a->chunk_len, err);
        if (st != FM_OK)
            break;
        if (c.v.n != rows * groups)
            st = base_err_set(err, FM_E_PEER, "psi: %zu ciphertexts for %zu rows", c.v.n, rows);
        else
            st = add_chunk(a, &c, a->matched + first, rows, err);
        mpc_pai_cipher_release(&c);
    }
    return st;
}

/* sum = the masks, freshly encrypted with r^n: what hides the sum from the key's owner, in
 * plaintext and in randomness. */
static fm_status mask(struct mpc_psi *psi, struct mpc_pai_cipher *sum, struct base_err *err)
{
    const struct mpc_pai_modulus *key = mpc_pai_djn_modulus(psi->peer);
    unsigned used = (unsigned)psi->slots.slots * psi->slots.slot_bits;
    fm_status st = mpc_pai_plain_init(&psi->masks, key, psi->groups, err);

    if (st == FM_OK)
        st = mpc_pai_plain_init(&psi->masked, key, psi->groups, err);
    if (st == FM_OK)
        st = mpc_pai_plain_masks(&psi->masks, used, psi->random, err);
    if (st == FM_OK)
        st = mpc_pai_std_encrypt(sum, mpc_pai_djn_as_std(psi->peer), &psi->masks, psi->random, err);
    return st;
}

static fm_status add_up(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                        const uint8_t *matched, struct base_err *err)
{
    size_t m = psi->terms.holder_rows, chunks = (m + PSI_CHUNK - 1) / PSI_CHUNK;
    struct mpc_pai_cipher sum = {0};
    struct adding a = {.psi = psi, .matched = matched, .sum = &sum};
    size_t each = 2 * (size_t)psi->terms.key_bits / 8, head = MPC_PAI_CIPHER_HEAD;
    fm_status st;

    a.chunk_len = head + each * psi->groups * PSI_CHUNK;
    a.len = head * chunks + each * psi->groups * m;
    a.chunks = base_cur_take(cur, a.len);
    if (a.chunks == NULL || cur->left > 0)
        return base_err_set(err, FM_E_PEER, "psi: the ciphertexts have another length than %zu",
                            a.len);
    st = mpc_pai_cipher_init(&sum, mpc_pai_djn_modulus(psi->peer), psi->groups, err);
    if (st == FM_OK)
        st = mask(psi, &sum, err);
    if (st == FM_OK && pthread_mutex_init(&a.lock, NULL) != 0)
        st = base_err_memory(err, "psi: lock");
    else if (st == FM_OK) {
        st = mpc_psi_share_out(chunks, psi->threads, add_range, &a, err);
        (void)pthread_mutex_destroy(&a.lock);
    }
    if (st == FM_OK)
        st = mpc_pai_cipher_put(out, &sum, err);
    mpc_pai_cipher_release(&sum);
    return st;
}

/* What the ANSWER says of the points: the size, and which of the holder's rows are in both. */
static fm_status count(struct mpc_psi *psi, struct base_cur *cur, struct psi_point *theirs,
                       uint8_t *matched, struct base_err *err)
{
    size_t n = psi->terms.matcher_rows, m = psi->terms.holder_rows;
    const uint8_t *ours = base_cur_take(cur, PSI_POINT * n);
    const uint8_t *from = base_cur_take(cur, PSI_POINT * m);

    if (ours == NULL || from == NULL)
        return base_err_set(err, FM_E_PEER, "psi: the answer is truncated");
    if (mpc_psi_ascending(ours, n, err) != FM_OK ||
        mpc_psi_times(theirs, psi, from, m, err) != FM_OK)
        return err->code;
    mpc_psi_sort(theirs, m);
    psi->size = match(matched, theirs, m, ours, n);
    return FM_OK;
}

fm_status mpc_psi_matcher_sum(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                              struct base_err *err)
{
    size_t m = psi->terms.holder_rows;
    struct psi_point *theirs = calloc(m, sizeof *theirs);
    uint8_t *matched = calloc(m, 1);
    fm_status st = theirs != NULL && matched != NULL ? count(psi, cur, theirs, matched, err)
                                                     : base_err_memory(err, "psi: points");

    if (st == FM_OK && psi->size < psi->terms.minimum) {
        mpc_psi_head(out, psi, PSI_TOO_FEW);
        psi->state = PSI_REFUSED;
        cur->left = 0; /* the ciphertexts are not even read */
    } else if (st == FM_OK) {
        mpc_psi_head(out, psi, PSI_SUM);
        base_buf_put_u64(out, psi->size);
        for (size_t j = 0; j < m; j++)
            base_buf_put(out, theirs[j].p, PSI_POINT);
        if (psi->groups > 0)
            st = take_key(psi, cur, err);
        if (st == FM_OK && psi->groups > 0)
            st = add_up(psi, cur, out, matched, err);
    }
    if (matched != NULL)
        base_wipe(matched, m);
    free(matched);
    free(theirs);
    return st;
}

fm_status mpc_psi_matcher_masks(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                                struct base_err *err)
{
    size_t len = psi->groups * (psi->terms.key_bits / 8);
    uint8_t *to;

    if (psi->groups > 0 && (psi->terms.recipients & MPC_PSI_MATCHER) != 0) {
        const uint8_t *bytes = base_cur_take(cur, len);
        if (bytes == NULL)
            return base_err_set(err, FM_E_PEER, "psi: what was opened is truncated");
        if (mpc_pai_plain_from_bytes(&psi->masked, bytes, err) != FM_OK ||
            mpc_psi_unmask(psi, err) != FM_OK)
            return err->code;
    }
    mpc_psi_head(out, psi, PSI_MASKS);
    if (psi->groups > 0 && (psi->terms.recipients & MPC_PSI_HOLDER) != 0) {
        to = base_buf_extend(out, len);
        if (to != NULL)
            mpc_pai_plain_to_bytes(to, &psi->masks);
    }
    psi->state = PSI_DONE;
    return base_buf_status(out, "psi: masks", err);
}
