#include "mpc/oblivious/limbs.h"

#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum { LIMB_BITS = 62 };

static unsigned bits_of(uint64_t most)
{
    unsigned bits = 0;

    while (bits < 64 && most >> bits != 0)
        bits++;
    return bits;
}

void mpc_pieces_release(struct mpc_pieces *p)
{
    for (size_t i = 0; i < p->len; i++) {
        mpc_share_free(p->piece[i].ring);
        mpc_share_free(p->piece[i].bits);
    }
    p->len = 0;
}

unsigned mpc_pieces_width(const struct mpc_pieces *p)
{
    unsigned width = 0;

    for (size_t i = 0; i < p->len; i++)
        width += p->piece[i].width;
    return width;
}

void mpc_pieces_add(struct mpc_pieces *p, struct mpc_share *x)
{
    unsigned width = bits_of((uint64_t)x->range.hi);

    if (width == 0)
        mpc_share_free(x);
    else
        p->piece[p->len++] = (struct mpc_piece){.ring = x, .width = width};
}

static fm_status check_key(const struct mpc_sort_key *key, const struct mpc_share *like,
                           struct base_err *err)
{
    const struct mpc_share *null = key->null;

    if (key->x->session != like->session || (null != NULL && null->session != like->session))
        return base_err_set(err, FM_E_ARG, "sort: the columns are of two sessions");
    if (key->x->n != like->n || (null != NULL && null->n != like->n))
        return base_err_set(err, FM_E_ARG, "sort: lengths %zu and %zu differ", like->n,
                            key->x->n != like->n ? key->x->n : null->n);
    if (null != NULL && (null->domain != MPC_BITS || null->width != 1))
        return base_err_set(err, FM_E_ARG, "sort: NULLs are told by bits of width 1");
    return FM_OK;
}

/* z = x - lo or, descending, hi - x: 0 .. hi - lo as an unsigned number, mod 2^64. */
static fm_status from_zero(struct mpc_share **z, const struct mpc_sort_key *key,
                           struct base_err *err)
{
    const struct mpc_share *x = key->x;
    bool down = (key->flags & MPC_SORT_DESCENDING) != 0;
    struct mpc_share *end;
    fm_status status = mpc_constant(x->session, &end, down ? x->range.hi : x->range.lo, x->n, err);

    *z = NULL;
    if (status != FM_OK)
        return status;
    status = down ? mpc_sub_wrapping(z, end, x, err) : mpc_sub_wrapping(z, x, end, err);
    mpc_share_free(end);
    return status;
}

/* x becomes 0 where there is a NULL. */
static fm_status blank(struct mpc_share **x, const struct mpc_share *not_null, struct base_err *err)
{
    struct mpc_share *kept;
    fm_status status = mpc_mul(&kept, *x, not_null, err);

    if (status != FM_OK)
        return status;
    mpc_share_free(*x);
    *x = kept;
    return FM_OK;
}

static fm_status ring_piece(struct mpc_piece *piece, const struct mpc_sort_key *key,
                            const struct mpc_share *not_null, struct base_err *err)
{
    uint64_t span = (uint64_t)key->x->range.hi - (uint64_t)key->x->range.lo;
    struct mpc_share *z;
    fm_status status = from_zero(&z, key, err);

    if (status == FM_OK && not_null != NULL)
        status = blank(&z, not_null, err);
    piece->width = bits_of(span);
    if (status == FM_OK && piece->width <= LIMB_BITS) {
        status = mpc_share_narrow(z, (struct mpc_range){0, (int64_t)span}, err);
        piece->ring = z;
        return status;
    }
    if (status == FM_OK)
        status =
            mpc_a2b_list(&piece->bits, (const struct mpc_share *const *)&z, &piece->width, 1, err);
    mpc_share_free(z);
    return status;
}

/* Signed numbers are made unsigned by their top plane's complement; a column is turned round by the
 * complement of all planes. */
static fm_status bits_piece(struct mpc_piece *piece, const struct mpc_sort_key *key,
                            struct base_err *err)
{
    const struct mpc_share *x = key->x;
    struct mpc_share *there = NULL;
    fm_status status;

    piece->width = x->width;
    if (key->null != NULL) {
        status = mpc_not(&there, key->null, err);
        if (status == FM_OK)
            status = mpc_and(&piece->bits, x, there, err);
        mpc_share_free(there);
    } else
        status = mpc_slice(&piece->bits, x, 0, x->n, err);
    for (unsigned j = 0; status == FM_OK && j < x->width; j++)
        if ((j == x->width - 1 && key->sign == MPC_SIGNED) !=
            ((key->flags & MPC_SORT_DESCENDING) != 0))
            mpc_wire_flip(x->session, mpc_wire_of(piece->bits, j));
    return status;
}

/* The piece that says where NULLs go: *not_null is 1 where there is none. */
static fm_status null_piece(struct mpc_pieces *p, struct mpc_share **not_null,
                            const struct mpc_sort_key *key, struct base_err *err)
{
    struct mpc_share *minus = NULL;
    struct mpc_share *null = NULL;
    fm_status status = mpc_bit2a(&null, key->null, err);

    if (status == FM_OK)
        status = mpc_neg(&minus, null, err);
    if (status == FM_OK)
        status = mpc_add_constant(not_null, minus, 1, err);
    mpc_share_free(minus);
    if (status == FM_OK && (key->flags & MPC_SORT_NULLS_FIRST) != 0) {
        mpc_share_free(null);
        status = mpc_slice(&null, *not_null, 0, null->n, err);
    }
    if (status == FM_OK)
        mpc_pieces_add(p, null);
    return status;
}

static fm_status add_key(struct mpc_pieces *p, const struct mpc_sort_key *key, struct base_err *err)
{
    struct mpc_share *not_null = NULL;
    struct mpc_piece piece = {0};
    fm_status status = FM_OK;

    if (key->null != NULL)
        status = null_piece(p, &not_null, key, err);
    if (status == FM_OK && key->x->domain == MPC_BITS)
        status = bits_piece(&piece, key, err);
    else if (status == FM_OK && key->x->range.lo != key->x->range.hi)
        status = ring_piece(&piece, key, not_null, err);
    if (piece.width > 0)
        p->piece[p->len++] = piece;
    mpc_share_free(not_null);
    return status;
}

fm_status mpc_pieces_of_keys(struct mpc_pieces *p, const struct mpc_sort_key *keys, size_t count,
                             struct base_err *err)
{
    fm_status status = FM_OK;

    *p = (struct mpc_pieces){0};
    if (count == 0 || count > MPC_SORT_KEYS)
        return base_err_set(err, FM_E_ARG, "sort: %zu keys: 1 to %d", count, MPC_SORT_KEYS);
    if (keys[0].x->n >= UINT64_C(1) << 31)
        return base_err_set(err, FM_E_LIMIT, "sort: %zu rows: fewer than 2^31", keys[0].x->n);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = check_key(&keys[i], keys[0].x, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = add_key(p, &keys[i], err);
    if (status != FM_OK)
        mpc_pieces_release(p);
    return status;
}

/* ---- packing ---- */

/* Bits [from, from + width) of a piece, at bit `shift` of a limb. */
struct part {
    const struct mpc_piece *piece;
    unsigned from;
    unsigned width;
    unsigned shift;
    size_t limb; /* 0: the least significant */
};

enum { PARTS = MPC_PIECES + MPC_ARRANGE_LIMBS };

struct layout {
    struct part part[PARTS];
    size_t parts;
    size_t limbs;
};

/* From the least significant end into limbs of `room` bits. False if they are too many. */
static bool lay_out(struct layout *l, const struct mpc_pieces *p, unsigned room)
{
    unsigned used = 0;

    *l = (struct layout){.limbs = 1};
    for (size_t i = p->len; i > 0; i--) {
        const struct mpc_piece *piece = &p->piece[i - 1];

        for (unsigned from = 0; from < piece->width;) {
            unsigned left = piece->width - from;
            unsigned take = left < room - used ? left : room - used;

            if (take == 0 || (piece->ring != NULL && take < left)) {
                if (used == 0 || ++l->limbs > MPC_ARRANGE_LIMBS)
                    return false;
                used = 0;
                continue;
            }
            l->part[l->parts++] = (struct part){piece, from, take, used, l->limbs - 1};
            from += take;
            used += take;
        }
    }
    return true;
}

/* The fewest limbs, and then the narrowest. */
static fm_status best_layout(struct layout *best, const struct mpc_pieces *p, struct base_err *err)
{
    unsigned width = mpc_pieces_width(p);
    struct layout l;

    if (!lay_out(best, p, LIMB_BITS))
        return base_err_set(err, FM_E_LIMIT, "sort: keys of %u bits: at most about %d", width,
                            LIMB_BITS * (MPC_ARRANGE_LIMBS - 2));
    for (unsigned room = LIMB_BITS - 1; room > 0; room--) {
        if (!lay_out(&l, p, room) || l.limbs > best->limbs)
            break;
        *best = l;
    }
    return FM_OK;
}

static fm_status part_value(struct mpc_share **z, const struct part *part, struct base_err *err)
{
    struct mpc_share *planes;
    fm_status status;

    *z = NULL;
    if (part->piece->ring != NULL)
        return mpc_scale(z, part->piece->ring, INT64_C(1) << part->shift, err);
    status = mpc_planes(&planes, part->piece->bits, part->from, part->width, err);
    if (status != FM_OK)
        return status;
    status = mpc_b2a(z, planes, MPC_UNSIGNED, err);
    mpc_share_free(planes);
    if (status == FM_OK && part->shift > 0) {
        struct mpc_share *low = *z;

        status = mpc_scale(z, low, INT64_C(1) << part->shift, err);
        mpc_share_free(low);
    }
    return status;
}

fm_status mpc_pieces_pack(struct mpc_share **limb, size_t *limbs, const struct mpc_pieces *p,
                          struct base_err *err)
{
    struct layout l;
    fm_status status = best_layout(&l, p, err);

    *limbs = 0;
    if (status != FM_OK)
        return status;
    *limbs = l.limbs;
    for (size_t i = 0; i < l.limbs; i++)
        limb[i] = NULL;
    for (size_t i = 0; status == FM_OK && i < l.parts; i++) {
        struct mpc_share **to = &limb[l.limbs - 1 - l.part[i].limb];
        struct mpc_share *sum = NULL;
        struct mpc_share *z;

        status = part_value(&z, &l.part[i], err);
        if (status != FM_OK)
            break;
        if (*to != NULL) {
            status = mpc_add(&sum, *to, z, err);
            mpc_share_free(*to);
            mpc_share_free(z);
            z = sum;
        }
        *to = z;
    }
    if (status != FM_OK)
        mpc_share_free_all(limb, l.limbs);
    return status;
}
