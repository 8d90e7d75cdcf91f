/* Permutations that no party knows: three, each known to two parties, one after another (Laur,
 * Willemson, Zhang, ISC 2011), in the two rounds and four messages of Araki et al., CCS 2021.
 *
 * Say a and b know the first, c and a the second, b and c the third. a holds the component that it
 * shares with b and the one with c, so their sum A; b holds the rest, B. Every two parties also
 * share a key (k_i is of parties i and i - 1, who are the holders of component i).
 *
 *     a:  X = second(first(A) + z_ab) + z_ac     to b
 *     b:  Y = first(B) - z_ab                    to c
 *     b:  third(X) - r_ab                        to c
 *     c:  third(second(Y) - z_ac) - r_ac         to b
 *
 * The new components are r_ab, r_ac, and for b and c the sum of the last two messages. Each message
 * is masked by a key that its receiver lacks: X by z_ac, Y by z_ab, the last ones by r_ab and r_ac.
 * The whole permutation is uniform to each party, because each misses one of the three. The inverse
 * runs the three backwards, so that a and c change places. Who is who goes round by handle: b sends
 * twice. */
#include <string.h>

#include "mpc/kernels.h"
#include "mpc/rep3/state.h"

/* map[e] of a handle is the one that party e does not know. They are applied in the order turn,
 * turn + 1, turn + 2. */
fm_status rep3_perm_random(struct mpc_session *s, struct mpc_perm *perm, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);

    perm->turn = r->perms++ % 3;
    for (unsigned e = 0; e < 3; e++) {
        fm_status status;

        if (e == r->i)
            continue;
        status = mpc_perm_draw(perm, e, r->i == (e + 1) % 3 ? &r->next : &r->own, err);
        if (status != FM_OK)
            return status; /* the key is k_{e+2} */
    }
    return FM_OK;
}

/* One application, seen by one party. Its two components and keys: those it shares with the next
 * party of the ring (1, `next`) and with the one before (0, `own`). */
struct shuffle {
    unsigned a;
    unsigned b;
    unsigned c;
    const struct mpc_perm *perm; /* maps by who does not know it: first c, second b, third a */
    enum mpc_direction direction;
    const struct mpc_share *const *x;
    struct mpc_share *const *z;
    unsigned to;   /* ring distance of whom we send to in this phase, 0: nobody */
    unsigned from; /* and of whom we receive from */
    unsigned send; /* which component of z the message lies in */
    unsigned recv; /* and where the other one goes */
    bool add;      /* to what is there */
    size_t out;    /* column, and the word of it, that produce stands in */
    size_t out_at;
    size_t in;
    size_t in_at;
};

static unsigned distance(const struct mpc_session *s, unsigned party)
{
    return (party + 3 - rep3_of(s)->i) % 3;
}

/* The component and generator that we share with another party. */
static unsigned shared(const struct mpc_session *s, unsigned party)
{
    return distance(s, party) == 1 ? 1 : 0;
}

static struct mpc_joint *key(const struct mpc_session *s, unsigned party)
{
    return distance(s, party) == 1 ? &rep3_of(s)->next : &rep3_of(s)->own;
}

static void combine(const struct mpc_share *x, uint64_t *z, const uint64_t *a, const uint64_t *b,
                    size_t n)
{
    if (x->domain == MPC_RING64)
        mpc_k_add(z, a, b, n);
    else
        mpc_k_xor(z, a, b, n);
}

/* z += mask or z -= mask, of the next words of a generator. */
static void mask(const struct mpc_share *x, uint64_t *z, struct mpc_joint *joint, bool minus)
{
    for (size_t at = 0; at < x->comp_words;) {
        size_t have;
        const uint64_t *words = mpc_joint_peek(joint, &have);

        have = x->comp_words - at < have ? x->comp_words - at : have;
        if (x->domain == MPC_BITS)
            mpc_k_xor(z + at, z + at, words, have);
        else if (minus)
            mpc_k_sub(z + at, z + at, words, have);
        else
            mpc_k_add(z + at, z + at, words, have);
        mpc_joint_take(joint, have);
        at += have;
    }
}

/* The next piece of the columns' words laid end to end. */
static size_t step(const struct shuffle *h, size_t *column, size_t *at)
{
    size_t left;

    while (*at == h->z[*column]->comp_words) {
        (*column)++;
        *at = 0;
    }
    left = h->z[*column]->comp_words - *at;
    return left < MPC_CHUNK_WORDS ? left : MPC_CHUNK_WORDS;
}

static fm_status produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct shuffle *h = ctx;
    size_t n = step(h, &h->out, &h->out_at);
    fm_status status = FM_OK;

    (void)unit;
    if (h->to != 0)
        status = rep3_send(s, h->to, mpc_comp(h->z[h->out], h->send) + h->out_at, n, err);
    h->out_at += n;
    return status;
}

static fm_status consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct shuffle *h = ctx;
    size_t n = step(h, &h->in, &h->in_at);
    uint64_t *stage = rep3_stage(rep3_of(s), REP3_IN);
    uint64_t *to = mpc_comp(h->z[h->in], h->recv) + h->in_at;
    fm_status status = FM_OK;

    (void)unit;
    if (h->from != 0)
        status = rep3_recv(s, h->from, h->add ? stage : to, n, err);
    if (h->from != 0 && h->add && status == FM_OK)
        combine(h->z[h->in], to, to, stage, n);
    h->in_at += n;
    return status;
}

static fm_status exchange(struct mpc_session *s, struct shuffle *h, size_t units,
                          struct base_err *err)
{
    struct rep3_flow flow = {produce, consume, h, units, 2, NULL};

    h->out = h->out_at = h->in = h->in_at = 0;
    s->stats.rounds++;
    return rep3_flow_run(s, &flow, err);
}

/* X at a, Y at b, into the component that is sent from. */
static void first_messages(const struct mpc_session *s, struct shuffle *h, size_t count)
{
    unsigned me = rep3_of(s)->i;

    for (size_t i = 0; i < count; i++) {
        const struct mpc_share *x = h->x[i];
        uint64_t *z0;
        uint64_t *z1;

        if (x->n == 0)
            continue;
        z0 = mpc_comp(h->z[i], 0);
        z1 = mpc_comp(h->z[i], 1);
        if (me == h->a) {
            combine(x, z1, mpc_comp(x, 0), mpc_comp(x, 1), x->comp_words);
            mpc_perm_move(h->perm, h->c, h->direction, x, z0, z1);
            mask(x, z0, key(s, h->b), false);
            mpc_perm_move(h->perm, h->b, h->direction, x, z1, z0);
            mask(x, z1, key(s, h->c), false);
        } else if (me == h->b) {
            uint64_t *y = mpc_comp(h->z[i], h->send);

            mpc_perm_move(h->perm, h->c, h->direction, x, y, mpc_comp(x, shared(s, h->c)));
            mask(x, y, key(s, h->a), true);
        }
    }
    if (me == h->c)
        return;
    h->to = me == h->a ? distance(s, h->b) : distance(s, h->c);
}

/* c: second(Y) - z_ac, beside Y. All columns before second_messages(): a draws in that order. */
static void unmask(const struct mpc_session *s, struct shuffle *h, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t *z;

        if (h->x[i]->n == 0)
            continue;
        z = mpc_comp(h->z[i], shared(s, h->a));
        mpc_perm_move(h->perm, h->b, h->direction, h->x[i], z, mpc_comp(h->z[i], shared(s, h->b)));
        mask(h->x[i], z, key(s, h->a), true);
    }
}

/* What b and c send each other; r_ab and r_ac. */
static void second_messages(const struct mpc_session *s, struct shuffle *h, size_t count)
{
    unsigned me = rep3_of(s)->i;

    for (size_t i = 0; i < count; i++) {
        const struct mpc_share *x = h->x[i];
        uint64_t *mine;   /* r_ab or r_ac, shared with a */
        uint64_t *theirs; /* shared by b and c */

        if (x->n == 0)
            continue;
        if (me == h->a) {
            mpc_joint_fill(key(s, h->b), mpc_comp(h->z[i], shared(s, h->b)), x->comp_words);
            mpc_joint_fill(key(s, h->c), mpc_comp(h->z[i], shared(s, h->c)), x->comp_words);
            continue;
        }
        mine = mpc_comp(h->z[i], shared(s, h->a));
        theirs = mpc_comp(h->z[i], 1 - shared(s, h->a));
        mpc_perm_move(h->perm, h->a, h->direction, x, theirs, mine);
        mpc_joint_fill(key(s, h->a), mine, x->comp_words);
        if (x->domain == MPC_RING64)
            mpc_k_sub(theirs, theirs, mine, x->comp_words);
        else
            mpc_k_xor(theirs, theirs, mine, x->comp_words);
    }
}

fm_status rep3_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                          struct mpc_share *const *z, const struct mpc_share *const *x,
                          size_t count, struct base_err *err)
{
    struct mpc_session *s = perm->session;
    unsigned me = rep3_of(s)->i;
    bool forward = direction == MPC_FORWARD;
    struct shuffle h = {.a = (perm->turn + (forward ? 2 : 0)) % 3,
                        .b = (perm->turn + 1) % 3,
                        .c = (perm->turn + (forward ? 0 : 2)) % 3,
                        .perm = perm,
                        .direction = direction,
                        .x = x,
                        .z = z};
    size_t units = 0;
    fm_status status;

    for (size_t i = 0; i < count; i++)
        units += (x[i]->comp_words + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
    if (units == 0)
        return FM_OK;
    /* b sends Y from where b and c's component will be and receives X beside it; c receives Y
     * there.
     */
    h.send = me == h.a ? 1 : shared(s, h.c);
    h.recv = me == h.b ? shared(s, h.a) : shared(s, h.b);
    h.from = me == h.a ? 0 : me == h.b ? distance(s, h.a) : distance(s, h.b);
    first_messages(s, &h, count);
    status = exchange(s, &h, units, err);
    if (status != FM_OK)
        return status;
    if (me == h.c)
        unmask(s, &h, count);
    second_messages(s, &h, count);
    if (me == h.a) {
        s->stats.rounds++;
        return FM_OK;
    }
    h.to = h.from = me == h.b ? distance(s, h.c) : distance(s, h.b);
    h.send = h.recv = 1 - shared(s, h.a);
    h.add = true;
    return exchange(s, &h, units, err);
}
