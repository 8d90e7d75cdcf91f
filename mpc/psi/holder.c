/* The holder: has identifiers with columns, and the key. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/proof.h"
#include "mpc/psi/psi_own.h"

static fm_status check_values(const struct mpc_psi *psi, const struct mpc_psi_rows *rows,
                              struct base_err *err)
{
    int64_t limit = (int64_t)1 << psi->terms.value_bits;

    for (size_t c = 0; c < psi->terms.columns; c++)
        for (size_t i = 0; i < rows->n; i++)
            if (rows->columns[c][i] <= -limit || rows->columns[c][i] >= limit)
                return base_err_set(err, FM_E_LIMIT,
                                    "psi: row %zu of column %zu has more than %u bits", i, c,
                                    psi->terms.value_bits);
    return FM_OK;
}

/* Ciphertexts, PSI_CHUNK rows at a time, each chunk to its own place. */
struct making {
    const struct mpc_psi *psi;
    const struct mpc_psi_rows *rows;
    const struct psi_point *points;
    uint8_t *to;
    size_t chunk_len;
};

/* The rows' values in the order of their points, slot by slot; v: zeros. */
static void place(int64_t *v, const struct making *m, size_t first, size_t count)
{
    size_t width = m->psi->groups * m->psi->slots.slots;

    for (size_t i = 0; i < count; i++) {
        size_t row = m->points[first + i].row;
        for (size_t c = 0; row < m->rows->n && c < m->psi->terms.columns; c++)
            v[width * i + c] = m->rows->columns[c][row];
    }
}

static fm_status make_chunk(const struct making *m, size_t at, size_t first, size_t count,
                            struct base_err *err)
{
    const struct mpc_psi *psi = m->psi;
    const struct mpc_pai_modulus *key = mpc_pai_djn_modulus(psi->key.key);
    size_t values = count * psi->groups * psi->slots.slots;
    int64_t *v = calloc(values, sizeof *v);
    struct mpc_pai_plain plain = {0};
    struct mpc_pai_cipher c = {0};
    struct base_buf b = {0};
    fm_status st = v != NULL ? mpc_pai_plain_init(&plain, key, count * psi->groups, err)
                             : base_err_memory(err, "psi: values");

    if (st == FM_OK)
        st = mpc_pai_cipher_init(&c, key, count * psi->groups, err);
    if (st == FM_OK) {
        place(v, m, first, count);
        st = mpc_pai_slots_pack(&plain, &psi->slots, v, values, err);
    }
    if (st == FM_OK)
        st = mpc_pai_djn_encrypt(&c, psi->key.key, &plain, psi->random, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_put(&b, &c, err);
    if (st == FM_OK)
        memcpy(m->to + at, b.p, b.len);
    base_buf_release(&b);
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&plain);
    if (v != NULL)
        base_wipe(v, values * sizeof *v);
    free(v);
    return st;
}

static fm_status make_range(void *ctx, size_t from, size_t to, struct base_err *err)
{
    const struct making *m = ctx;
    size_t all = m->psi->terms.holder_rows;
    fm_status st = FM_OK;

    for (size_t i = from; st == FM_OK && i < to; i++) {
        size_t first = i * PSI_CHUNK;
        st = make_chunk(m, i * m->chunk_len, first,
                        all - first < PSI_CHUNK ? all - first : PSI_CHUNK, err);
    }
    return st;
}

static fm_status put_with_length(struct base_buf *out, const struct base_buf *b,
                                 struct base_err *err)
{
    base_buf_put_u32(out, (uint32_t)b->len);
    base_buf_put(out, b->p, b->len);
    return base_buf_status(out, "psi: answer", err);
}

/* Key, proof, ciphertexts. */
static fm_status put_columns(struct mpc_psi *psi, const struct mpc_psi_rows *rows,
                             const struct psi_point *points, struct base_err *err)
{
    struct mpc_pai_bond bond = {.party = MPC_PSI_HOLDER};
    size_t m = psi->terms.holder_rows, chunks = (m + PSI_CHUNK - 1) / PSI_CHUNK;
    size_t each = 2 * (size_t)psi->terms.key_bits / 8, head = MPC_PAI_CIPHER_HEAD;
    struct making making = {psi, rows, points, NULL, head + each * psi->groups * PSI_CHUNK};
    struct base_buf b = {0};
    fm_status st = mpc_pai_djn_put(&b, psi->key.key, err);

    if (st == FM_OK)
        st = put_with_length(&psi->ready, &b, err);
    base_buf_clear(&b);
    memcpy(bond.session32, psi->terms.session32, sizeof bond.session32);
    if (st == FM_OK)
        st = mpc_pai_modulus_prove(&b, psi->key.secret, &bond, err);
    if (st == FM_OK)
        st = put_with_length(&psi->ready, &b, err);
    base_buf_release(&b);
    if (st != FM_OK)
        return st;
    making.to = base_buf_extend(&psi->ready, head * chunks + each * psi->groups * m);
    if (making.to == NULL)
        return base_err_memory(err, "psi: ciphertexts");
    return mpc_psi_share_out(chunks, psi->threads, make_range, &making, err);
}

fm_status mpc_psi_holder_prepare(struct mpc_psi *psi, const struct mpc_psi_rows *rows,
                                 struct base_err *err)
{
    size_t m = psi->terms.holder_rows;
    struct psi_point *own;
    fm_status st;

    if (check_values(psi, rows, err) != FM_OK)
        return err->code;
    own = calloc(m, sizeof *own);
    st = own != NULL ? mpc_psi_own_points(own, psi, m, rows, err)
                     : base_err_memory(err, "psi: points");
    for (size_t j = 0; st == FM_OK && j < m; j++)
        base_buf_put(&psi->ready, own[j].p, PSI_POINT);
    if (st == FM_OK)
        st = base_buf_status(&psi->ready, "psi: points", err);
    if (st == FM_OK && psi->groups > 0)
        st = put_columns(psi, rows, own, err);
    free(own);
    return st;
}

fm_status mpc_psi_holder_answer(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                                struct base_err *err)
{
    size_t n = psi->terms.matcher_rows;
    const uint8_t *from = base_cur_take(cur, PSI_POINT * n);
    struct psi_point *both;
    fm_status st;

    if (from == NULL)
        return base_err_set(err, FM_E_PEER, "psi: the points are truncated");
    both = calloc(n, sizeof *both);
    psi->both = malloc(PSI_POINT * n);
    st = both != NULL && psi->both != NULL ? mpc_psi_times(both, psi, from, n, err)
                                           : base_err_memory(err, "psi: points");
    if (st == FM_OK) {
        mpc_psi_sort(both, n);
        for (size_t i = 0; i < n; i++)
            memcpy(psi->both + PSI_POINT * i, both[i].p, PSI_POINT);
        mpc_psi_head(out, psi, PSI_ANSWER);
        base_buf_put(out, psi->both, PSI_POINT * n);
        base_buf_put(out, psi->ready.p, psi->ready.len);
        base_buf_release(&psi->ready);
    }
    free(both);
    return st;
}

/* How many of two sorted lists are equal. */
static size_t in_both(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    size_t size = 0;

    for (size_t i = 0, j = 0; i < n && j < m;) {
        int order = memcmp(a + PSI_POINT * i, b + PSI_POINT * j, PSI_POINT);
        size += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return size;
}

static fm_status open_sum(struct mpc_psi *psi, struct base_cur *cur, struct base_err *err)
{
    const struct mpc_pai_modulus *key = mpc_pai_djn_modulus(psi->key.key);
    struct mpc_pai_cipher sum;
    size_t len = cur->left;
    fm_status st = mpc_pai_cipher_get(&sum, key, psi->groups, base_cur_take(cur, len), len, err);

    if (st != FM_OK)
        return st;
    if (sum.v.n != psi->groups)
        st = base_err_set(err, FM_E_PEER, "psi: %zu sums, not %zu", sum.v.n, psi->groups);
    if (st == FM_OK)
        st = mpc_pai_plain_init(&psi->masked, key, psi->groups, err);
    if (st == FM_OK)
        st = mpc_pai_decrypt(&psi->masked, psi->key.secret, &sum, err);
    mpc_pai_cipher_release(&sum);
    return st;
}

fm_status mpc_psi_holder_open(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                              struct base_err *err)
{
    size_t n = psi->terms.matcher_rows, m = psi->terms.holder_rows, size = base_cur_u64(cur);
    const uint8_t *theirs = base_cur_take(cur, PSI_POINT * m);
    uint8_t *to;

    if (theirs == NULL)
        return base_err_set(err, FM_E_PEER, "psi: the sum is truncated");
    if (mpc_psi_ascending(theirs, m, err) != FM_OK)
        return err->code;
    psi->size = in_both(psi->both, n, theirs, m);
    if (psi->size != size)
        return base_err_set(err, FM_E_PEER, "psi: the matcher counts %zu, we %zu", size, psi->size);
    if (size < psi->terms.minimum)
        return base_err_set(err, FM_E_PEER,
                            "psi: the matcher wants %zu rows' sums, below the minimum of %zu", size,
                            psi->terms.minimum);
    if (psi->groups > 0 && open_sum(psi, cur, err) != FM_OK)
        return err->code;
    mpc_psi_head(out, psi, PSI_OPENED);
    if (psi->groups > 0 && (psi->terms.recipients & MPC_PSI_MATCHER) != 0) {
        to = base_buf_extend(out, psi->groups * (psi->terms.key_bits / 8));
        if (to != NULL)
            mpc_pai_plain_to_bytes(to, &psi->masked);
    }
    return base_buf_status(out, "psi: opened", err);
}

fm_status mpc_psi_holder_close(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                               struct base_err *err)
{
    (void)out;
    if (psi->groups > 0 && (psi->terms.recipients & MPC_PSI_HOLDER) != 0) {
        const uint8_t *bytes = base_cur_take(cur, psi->groups * (psi->terms.key_bits / 8));
        if (bytes == NULL)
            return base_err_set(err, FM_E_PEER, "psi: the masks are truncated");
        if (mpc_pai_plain_init(&psi->masks, mpc_pai_djn_modulus(psi->key.key), psi->groups, err) !=
                FM_OK ||
            mpc_pai_plain_from_bytes(&psi->masks, bytes, err) != FM_OK ||
            mpc_psi_unmask(psi, err) != FM_OK)
            return err->code;
    }
    psi->state = PSI_DONE;
    return FM_OK;
}
