/* Carries of x = u + v by groups of up to four positions, where u = x_d + x_{d+1} is the dealer's
 * and v = x_{d+2} the other two's (rep3.h). A group's generate and propagate are sums of products
 * of one monomial of u's bits and one of v's: with U_S the product of u_j over j in S,
 *
 *     P = prod_j (u_j ^ v_j)                 = XOR over all S of U_S V_{rest of S},
 *     G = XOR_j u_j v_j prod_{i>j}(u_i ^ v_i) = XOR over S not empty of U_S V_{g(S)},
 *
 * g(S) = {min S} and all i > min S that are not in S: the term of j has exactly the S with min S =
 * j. So the dealer shares the monomials instead of the bits, U_S = F(k_d) ^ (what it sends party d
 * + 1), the other two multiply their parts by what they know in the clear, and one resharing
 * between those two makes G and P of all groups: two rounds, whatever the group's size, where bit
 * by bit takes two rounds for one position and two ANDs and a round for each doubling after that.
 *
 * Resharing as in inject.c: components d and d + 1 of the result are drawn from k_d and k_{d+1};
 * d + 1 and d + 2 send each other their part less the one of these it knows, which the receiver
 * cannot know; both messages XORed are component d + 2. */
#include "mpc/rep3/group.h"

#include <string.h>

#include "mpc/kernels.h"

enum { MOST_WORDS = 512, LAG = 6 };

/* Where a stage of the flow stands: an item, a word of its planes, the unit's number. */
struct cursor {
    size_t item;
    size_t at;
    size_t unit;
};

struct flow {
    const struct rep3_group *items;
    unsigned dealer; /* of unit 0 */
    struct cursor out;
    struct cursor mid;
    struct cursor in;
};

unsigned rep3_group_count(unsigned bits, unsigned size)
{
    return (bits + size - 1) / size;
}

static unsigned products(unsigned bits, unsigned size)
{
    return 2 * rep3_group_count(bits, size) - 1;
}

static unsigned products_of(const struct rep3_group *it)
{
    return products(it->bits, it->size) + it->linked;
}

/* Planes that the dealer shares: all monomials of all groups, and the bit above. */
static unsigned dealt(unsigned bits, unsigned size)
{
    return bits / size * ((1u << size) - 1) + (1u << bits % size) - 1 + 1;
}

uint64_t rep3_group_bytes(unsigned bits, unsigned size)
{
    return 8 * (uint64_t)dealt(bits, size) + 16 * (uint64_t)products(bits, size);
}

static size_t words_of(const struct rep3_group *it, size_t at)
{
    size_t words = MPC_CHUNK_WORDS / dealt(it->bits, it->size) / 8 * 8;
    size_t left = it->gp->plane_words - at;

    words = words < MOST_WORDS ? words : MOST_WORDS;
    return left < words ? left : words;
}

static size_t units_of(const struct rep3_group *it)
{
    size_t whole = it->gp->plane_words;
    size_t words = whole == 0 ? 1 : words_of(it, 0);

    return (whole + words - 1) / words;
}

/* One unit's view: the item, its first word and how many, and our distance from its dealer. */
struct unit {
    const struct rep3_group *it;
    size_t at;
    size_t words;
    unsigned role;
    unsigned groups;
    unsigned dealt;
    unsigned products;
};

static struct unit step(const struct mpc_session *s, const struct flow *f, struct cursor *c)
{
    struct unit u = {0};

    while (c->at == f->items[c->item].gp->plane_words) {
        c->item++;
        c->at = 0;
    }
    u.it = &f->items[c->item];
    u.at = c->at;
    u.words = words_of(u.it, c->at);
    u.role = (unsigned)((rep3_of(s)->i + 6 - f->dealer - c->unit % 3) % 3);
    u.groups = rep3_group_count(u.it->bits, u.it->size);
    u.dealt = dealt(u.it->bits, u.it->size);
    u.products = products_of(u.it);
    c->at += u.words;
    c->unit++;
    return u;
}

/* Product number j, or, for j = products, the top. */
static uint64_t *plane_of(const struct unit *u, unsigned comp, unsigned j)
{
    unsigned plane = j < u->groups      ? u->it->g_at + j
                     : j == u->products ? u->it->top_at
                                        : u->it->p_at + j - u->groups;

    return mpc_plane(u->it->gp, comp, plane) + u->at;
}

/* The bits of the unit's part of y, or of y + y2: bits + 1 planes of `words` words. */
static const uint64_t *planes_of(struct rep3 *r, const struct unit *u, const uint64_t *y,
                                 const uint64_t *y2)
{
    uint64_t *planes = rep3_stage(r, REP3_PLANES);
    size_t from = u->at * 64;
    size_t n = u->it->x->n - from < u->words * 64 ? u->it->x->n - from : u->words * 64;

    y += from;
    if (y2 != NULL) {
        mpc_k_add(rep3_stage(r, REP3_VALUES), y, y2 + from, n);
        y = rep3_stage(r, REP3_VALUES);
    }
    mpc_k_to_planes(planes, u->words, u->it->bits + 1, y, n);
    return planes;
}

static unsigned group_size(const struct unit *u, unsigned g)
{
    unsigned left = u->it->bits - g * u->it->size;

    return left < u->it->size ? left : u->it->size;
}

static fm_status deal(struct mpc_session *s, const struct unit *u, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    const struct mpc_share *x = u->it->x;
    uint64_t *out = rep3_stage(r, REP3_OUT);
    uint64_t *top = out + (u->dealt - 1) * u->words;
    const uint64_t *planes = planes_of(r, u, mpc_comp(x, 0), mpc_comp(x, 1));
    uint64_t *to = out;

    mpc_joint_fill(&r->own, out, u->dealt * u->words);
    memcpy(plane_of(u, 0, u->products), top, u->words * 8);
    for (unsigned g = 0; g < u->groups; g++) {
        unsigned size = group_size(u, g);

        mpc_k_monomials(to, planes + g * u->it->size * u->words, size, u->words);
        to += ((1u << size) - 1) * u->words;
    }
    mpc_k_xor(top, top, planes + u->it->bits * u->words, u->words);
    memcpy(plane_of(u, 1, u->products), top, u->words * 8);
    for (unsigned j = 0; j < u->products; j++) {
        mpc_joint_fill(&r->own, plane_of(u, 0, j), u->words);
        mpc_joint_fill(&r->next, plane_of(u, 1, j), u->words);
    }
    return rep3_send(s, 1, out, u->dealt * u->words, err);
}

/* sums ^= our part of all G and P: monomials is our part of the dealt ones, v in the clear. The
 * terms without any of u's bits are the one party's that adds `constant`. */
static void multiply(uint64_t *sums, const struct unit *u, const uint64_t *monomials,
                     const uint64_t *v, bool constant)
{
    for (unsigned g = 0; g < u->groups; g++) {
        unsigned size = group_size(u, g);
        unsigned at = u->groups + g - (u->it->linked ? 0 : 1);
        uint64_t *p = g == 0 && !u->it->linked ? NULL : sums + at * u->words;
        const uint64_t *bits = v + g * u->it->size * u->words;

        mpc_k_group_products(sums + g * u->words, p, monomials, bits, size, u->words);
        if (p != NULL && constant)
            mpc_k_xor_product(p, bits, size, u->words);
        monomials += ((1u << size) - 1) * u->words;
    }
}

/* Party d + 2: all it needs comes from k_d. */
static fm_status answer(struct mpc_session *s, const struct unit *u, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    uint64_t *masks = rep3_stage(r, REP3_IN);
    uint64_t *sums = rep3_stage(r, REP3_OUT);
    const uint64_t *v = planes_of(r, u, mpc_comp(u->it->x, 0), NULL);

    mpc_joint_fill(&r->next, masks, u->dealt * u->words);
    memcpy(plane_of(u, 1, u->products), masks + (u->dealt - 1) * u->words, u->words * 8);
    memcpy(plane_of(u, 0, u->products), v + u->it->bits * u->words, u->words * 8);
    for (unsigned j = 0; j < u->products; j++) {
        mpc_joint_fill(&r->next, sums + j * u->words, u->words);
        memcpy(plane_of(u, 1, j), sums + j * u->words, u->words * 8);
    }
    multiply(sums, u, masks, v, true);
    for (unsigned j = 0; j < u->products; j++)
        memcpy(plane_of(u, 0, j), sums + j * u->words, u->words * 8);
    return u->products == 0 ? FM_OK : rep3_send(s, 2, sums, u->products * u->words, err);
}

static fm_status produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct flow *f = ctx;
    struct unit u = step(s, f, &f->out);

    (void)unit;
    switch (u.role) {
    case 0:
        return deal(s, &u, err);
    case 1:
        for (unsigned j = 0; j < u.products; j++)
            mpc_joint_fill(&rep3_of(s)->own, plane_of(&u, 0, j), u.words);
        return FM_OK;
    default:
        return answer(s, &u, err);
    }
}

/* Party d + 1: the dealt monomials are here. */
static fm_status consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct flow *f = ctx;
    struct rep3 *r = rep3_of(s);
    struct unit u = step(s, f, &f->mid);
    uint64_t *in = rep3_stage(r, REP3_IN);
    uint64_t *sums = rep3_stage(r, REP3_OUT);
    const uint64_t *v;
    fm_status status;

    (void)unit;
    if (u.role != 1)
        return FM_OK;
    status = rep3_recv(s, 2, in, u.dealt * u.words, err);
    if (status != FM_OK)
        return status;
    v = planes_of(r, &u, mpc_comp(u.it->x, 1), NULL);
    memcpy(plane_of(&u, 0, u.products), in + (u.dealt - 1) * u.words, u.words * 8);
    memcpy(plane_of(&u, 1, u.products), v + u.it->bits * u.words, u.words * 8);
    if (u.products == 0)
        return FM_OK;
    for (unsigned j = 0; j < u.products; j++)
        memcpy(sums + j * u.words, plane_of(&u, 0, j), u.words * 8);
    multiply(sums, &u, in, v, false);
    status = rep3_send(s, 1, sums, u.products * u.words, err);
    if (status == FM_OK)
        status = rep3_recv(s, 1, in, u.products * u.words, err);
    for (unsigned j = 0; status == FM_OK && j < u.products; j++)
        mpc_k_xor(plane_of(&u, 1, j), sums + j * u.words, in + j * u.words, u.words);
    return status;
}

/* Party d + 2: the other's part is here. */
static fm_status settle(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct flow *f = ctx;
    struct unit u = step(s, f, &f->in);
    uint64_t *in = rep3_stage(rep3_of(s), REP3_IN);
    fm_status status;

    (void)unit;
    if (u.role != 2 || u.products == 0)
        return FM_OK;
    status = rep3_recv(s, 2, in, u.products * u.words, err);
    for (unsigned j = 0; status == FM_OK && j < u.products; j++)
        mpc_k_xor(plane_of(&u, 0, j), plane_of(&u, 0, j), in + j * u.words, u.words);
    return status;
}

fm_status rep3_group_all(struct mpc_session *s, const struct rep3_group *items, size_t count,
                         struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    struct flow f = {.items = items, .dealer = r->deals % 3};
    struct rep3_flow flow = {produce, consume, &f, 0, LAG, settle};
    unsigned rounds = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned here = items[i].bits == 0 ? 1 : 2;

        flow.units += units_of(&items[i]);
        rounds = here > rounds ? here : rounds;
        s->stats.and_gates += (uint64_t)products_of(&items[i]) * items[i].x->n;
    }
    if (flow.units == 0)
        return FM_OK;
    r->deals += (unsigned)(flow.units % 3);
    s->stats.rounds += rounds;
    return rep3_flow_run(s, &flow, err);
}
