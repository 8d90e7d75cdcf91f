/* Running circuits (masked.h). A column goes in units of some thousand elements, small enough to
 * stay in cache through the whole circuit. BATCH units are dealt in each step and make their level
 * l of gates LAG l steps later, so that what a level needs has been on the wire for LAG steps; in
 * each step a party sends each of the others at most what it deals and one message with the gates
 * of all units under way, which take up to 32 MB a party and lane, however long the column. */
#include "mpc/rep3/masked.h"

#include <string.h>

#include "mpc/kernels.h"

enum { LAG = 2, BATCH = 4, MOST_WORDS = 136, STAGES = MASKED_LEVELS + 2 };

/* Where a stage stands: an item, a word of its planes, the unit's number. */
struct cursor {
    size_t item;
    size_t at;
    size_t unit;
};

/* One unit seen by one party. Planes have `words` words each. */
struct unit {
    const struct masked_item *it;
    const struct masked_program *p;
    size_t at;
    size_t words;
    unsigned role;   /* our distance from the dealer */
    uint64_t *share; /* of lambdas: the dealt ones, then those of made wires */
    uint64_t *open;  /* m: of leaves, then of made wires */
};

struct run {
    const struct masked_item *items;
    size_t units;
    unsigned dealer; /* of unit 0 */
    unsigned stages; /* dealing, levels, outputs */
    struct cursor at[STAGES];
    uint64_t *slots; /* of the units under way */
    size_t slot_words;
    size_t slot_count;
    uint64_t *deal;   /* the dealer's scratch */
    uint64_t *out[3]; /* by ring distance, from 1 */
    uint64_t *in[3];
    size_t out_len[3];
    size_t in_at[3];
};

/* An odd number of cache lines a plane: lines of many planes then spread over the cache. */
size_t masked_unit_words(const struct masked_program *p)
{
    size_t lines = MPC_CHUNK_WORDS / (p->dealt < 16 ? 16 : p->dealt) / 8;

    lines = lines < MOST_WORDS / 8 ? lines : MOST_WORDS / 8;
    return (lines - (lines % 2 == 0)) * 8;
}

static size_t words_at(const struct masked_item *it, size_t at)
{
    size_t left = it->z->plane_words - at;
    size_t words = masked_unit_words(it->program);

    return left < words ? left : words;
}

static size_t units_of(const struct masked_item *it)
{
    size_t words = masked_unit_words(it->program);

    return (it->z->plane_words + words - 1) / words;
}

static struct unit next_unit(const struct mpc_session *s, const struct run *r, struct cursor *c)
{
    struct unit u = {0};

    while (c->at == r->items[c->item].z->plane_words) {
        c->item++;
        c->at = 0;
    }
    u.it = &r->items[c->item];
    u.p = u.it->program;
    u.at = c->at;
    u.words = words_at(u.it, c->at);
    u.role = (unsigned)((rep3_of(s)->i + 6 - r->dealer - c->unit % 3) % 3);
    u.share = r->slots + c->unit % r->slot_count * r->slot_words;
    u.open = u.share + (u.p->dealt + u.p->fresh) * u.words;
    c->at += u.words;
    c->unit++;
    return u;
}

/* Plane of a wire or lambda among `first` planes and those of made wires behind them. */
static uint64_t *plane(const struct unit *u, uint64_t *planes, unsigned first, uint16_t number)
{
    size_t i = number < MASKED_FRESH ? number : number - MASKED_FRESH + first;

    return planes + i * u->words;
}

static void put_out(const struct unit *u, unsigned comp, uint64_t *planes, unsigned first)
{
    for (unsigned j = 0; j < u->p->outs; j++) {
        uint64_t *z = mpc_plane(u->it->z, comp, j) + u->at;
        const uint64_t *a = plane(u, planes, first, u->p->out[j][0]);

        if (u->p->out[j][1] == MASKED_NONE)
            memcpy(z, a, u->words * 8);
        else
            mpc_k_xor(z, a, plane(u, planes, first, u->p->out[j][1]), u->words);
    }
}

/* Bits of the unit's part of component `comp` of x - y, plus c; of both, if asked for. */
static void bits_of(const struct unit *u, uint64_t *planes, unsigned comp, bool both, uint64_t c)
{
    const struct mpc_share *x = u->it->x;
    const struct mpc_share *y = u->it->y;
    size_t from = u->at * 64;
    size_t n = x->n - from < u->words * 64 ? x->n - from : u->words * 64;
    const uint64_t *terms[4] = {NULL}; /* x of both components, less y of both */

    for (unsigned i = 0; i < 1u + both; i++) {
        terms[i] = mpc_comp(x, comp + i) + from;
        if (y != NULL && y->n == x->n)
            terms[2 + i] = mpc_comp(y, comp + i) + from;
        else if (y != NULL)
            c -= mpc_comp(y, comp + i)[0];
    }
    mpc_k_sum_to_planes(planes, u->words, u->p->leaves, terms, c, n);
}

/* Leaves that nobody has to deal. */
static size_t at_hand(const struct unit *u)
{
    return u->it->x->domain == MPC_BITS ? u->p->leaves * u->words : 0;
}

/* r of leaf j. */
static const uint64_t *known_plane(const struct unit *u, unsigned j)
{
    return u->it->known + u->at * 64 + j * u->words;
}

/* The unit's part of component `comp` of shared bits. */
static void copy_leaves(const struct unit *u, uint64_t *planes, unsigned comp)
{
    const struct mpc_share *x = u->it->x;

    for (unsigned j = 0; j < u->p->leaves; j++)
        if (j < x->width)
            memcpy(planes + j * u->words, mpc_plane(x, comp, j) + u->at, u->words * 8);
        else
            memset(planes + j * u->words, 0, u->words * 8);
}

/* What the two who did not deal know of the leaves: m. */
static void open_leaves(const struct unit *u, unsigned comp)
{
    const struct mpc_share *x = u->it->x;

    if (x->domain != MPC_BITS) {
        bits_of(u, u->open, comp, false, u->it->add);
        return;
    }
    copy_leaves(u, u->open, comp);
    mpc_k_xor(u->open, u->open, known_plane(u, 0), x->width * u->words);
    if (u->it->flip)
        mpc_k_not(u->open + (x->width - 1) * u->words, u->words);
}

/* The dealer: its two parts of everything, and the message to d + 1. */
static fm_status deal(struct mpc_session *s, const struct run *r, const struct unit *u,
                      struct base_err *err)
{
    struct rep3 *own = rep3_of(s);
    const struct masked_program *p = u->p;
    const size_t w = u->words;
    uint64_t *first = r->deal;                            /* F(k_d) of all wires */
    uint64_t *second = first + (p->dealt + p->fresh) * w; /* the message; then F(k_{d+1}) */
    uint64_t *lambda = second + (p->dealt + p->fresh) * w;
    const size_t here = at_hand(u);

    mpc_joint_fill(&own->own, first + here, (p->dealt + p->fresh) * w - here);
    mpc_joint_fill(&own->next, second + p->dealt * w, p->fresh * w);
    mpc_k_xor(lambda + p->dealt * w, first + p->dealt * w, second + p->dealt * w, p->fresh * w);
    if (here > 0) {
        copy_leaves(u, first, 0);
        copy_leaves(u, second, 1);
        mpc_k_xor(lambda, first, second, here);
    } else {
        bits_of(u, lambda, 0, true, 0);
        mpc_k_xor(second, first, lambda, p->leaves * w);
    }
    for (unsigned i = p->leaves; i < p->dealt; i++) {
        const struct masked_product *f = &p->product[i - p->leaves];

        mpc_k_and_xor(lambda + i * w, second + i * w, plane(u, lambda, p->dealt, f->a),
                      plane(u, lambda, p->dealt, f->b), first + i * w, w);
    }
    put_out(u, 0, first, p->dealt);
    put_out(u, 1, second, p->dealt);
    return rep3_send(s, 1, second + here, p->dealt * w - here, err);
}

static fm_status begin(struct mpc_session *s, const struct run *r, const struct unit *u,
                       struct base_err *err)
{
    struct rep3 *own = rep3_of(s);
    const struct masked_program *p = u->p;
    const size_t here = at_hand(u);

    if (u->role == 0)
        return deal(s, r, u, err);
    if (here > 0)
        copy_leaves(u, u->share, u->role - 1);
    if (u->role == 1)
        mpc_joint_fill(&own->own, u->share + p->dealt * u->words, p->fresh * u->words);
    else
        mpc_joint_fill(&own->next, u->share + here, (p->dealt + p->fresh) * u->words - here);
    return FM_OK;
}

/* Our shares of one gate into its wire's plane. */
static void run_gate(const struct unit *u, const struct masked_gate *g)
{
    const struct masked_program *p = u->p;
    const uint64_t *m[MASKED_WIRES];
    const uint64_t *lambda[(1 << MASKED_WIRES) - 1];
    const uint64_t *times[2] = {NULL, NULL};

    for (unsigned j = 0; j < g->k; j++)
        m[j] = plane(u, u->open, p->leaves, g->wire[j]);
    for (unsigned set = 1; set < 1u << g->k; set++)
        lambda[set - 1] = plane(u, u->share, p->dealt, g->lambda[set - 1]);
    for (unsigned j = 0; j < 2; j++)
        if (g->times[j] != MASKED_NONE)
            times[j] =
                at_hand(u) > 0 ? known_plane(u, g->times[j]) : u->open + g->times[j] * u->words;
    mpc_k_masked_and(plane(u, u->open, p->leaves, g->out), m, lambda, g->k, times,
                     u->role == 1 ? ~UINT64_C(0) : 0, u->words);
}

/* Distance of the one other than the dealer. */
static unsigned partner(const struct unit *u)
{
    return u->role == 1 ? 1 : 2;
}

static void run_level(struct run *r, const struct unit *u, unsigned level)
{
    const struct masked_program *p = u->p;
    unsigned from = p->level_fresh[level - 1];
    size_t words = (p->level_fresh[level] - from) * u->words;
    uint64_t *made = u->open + (p->leaves + from) * u->words;
    unsigned to = partner(u);

    memcpy(made, u->share + (p->dealt + from) * u->words, words * 8);
    for (unsigned g = p->level_gate[level - 1]; g < p->level_gate[level]; g++)
        run_gate(u, &p->gate[g]);
    memcpy(r->out[to] + r->out_len[to], made, words * 8);
    r->out_len[to] += words;
}

/* The partner's shares of a level are here: its wires are open. */
static void open_level(struct run *r, const struct unit *u, unsigned level)
{
    const struct masked_program *p = u->p;
    unsigned from = p->level_fresh[level - 1];
    size_t words = (p->level_fresh[level] - from) * u->words;
    uint64_t *made = u->open + (p->leaves + from) * u->words;
    size_t *at = &r->in_at[partner(u)];

    mpc_k_xor(made, made, r->in[partner(u)] + *at, words);
    *at += words;
}

/* Stage st of a unit that this party did not deal: st - 1 levels are made. */
static fm_status stage(struct mpc_session *s, struct run *r, const struct unit *u, unsigned st,
                       struct base_err *err)
{
    unsigned v = u->role == 1 ? 1 : 0; /* the component d + 2 */

    if (u->role == 0 || st > u->p->levels + 1)
        return FM_OK;
    if (st == 1) {
        if (u->role == 1) {
            fm_status status =
                rep3_recv(s, 2, u->share + at_hand(u), u->p->dealt * u->words - at_hand(u), err);

            if (status != FM_OK)
                return status;
        }
        open_leaves(u, v);
    } else {
        open_level(r, u, st - 1);
    }
    if (st <= u->p->levels) {
        run_level(r, u, st);
        return FM_OK;
    }
    put_out(u, v, u->open, u->p->leaves);
    put_out(u, 1 - v, u->share, u->p->dealt);
    return FM_OK;
}

/* The units that are in one stage at a step, in order. */
static size_t units_in(const struct mpc_session *s, struct run *r, struct unit units[BATCH],
                       size_t t, unsigned st)
{
    size_t from = (t - (size_t)st * LAG) * BATCH;
    size_t count = 0;

    if (t < (size_t)st * LAG)
        return 0;
    for (; count < BATCH && from + count < r->units; count++)
        units[count] = next_unit(s, r, &r->at[st]);
    return count;
}

/* What the others sent LAG steps ago, of the units that are now in stages 2 and up. */
static fm_status take_in(struct mpc_session *s, struct run *r, struct unit units[][BATCH],
                         const size_t *count, struct base_err *err)
{
    size_t words[3] = {0};
    fm_status status = FM_OK;

    for (unsigned st = 2; st < r->stages; st++)
        for (size_t i = 0; i < count[st]; i++) {
            const struct unit *u = &units[st][i];

            if (u->role != 0 && st <= u->p->levels + 1)
                words[partner(u)] +=
                    (u->p->level_fresh[st - 1] - u->p->level_fresh[st - 2]) * u->words;
        }
    for (unsigned k = 1; k < 3; k++) {
        r->in_at[k] = r->out_len[k] = 0;
        if (status == FM_OK && words[k] > 0)
            status = rep3_recv(s, k, r->in[k], words[k], err);
    }
    return status;
}

static fm_status step(struct mpc_session *s, struct run *r, size_t t, struct base_err *err)
{
    struct unit units[STAGES][BATCH];
    size_t count[STAGES];
    fm_status status;

    for (unsigned st = 0; st < r->stages; st++)
        count[st] = units_in(s, r, units[st], t, st);
    status = take_in(s, r, units, count, err);
    for (unsigned st = 1; st < r->stages; st++)
        for (size_t i = 0; status == FM_OK && i < count[st]; i++)
            status = stage(s, r, &units[st][i], st, err);
    for (unsigned k = 1; k < 3; k++)
        if (status == FM_OK && r->out_len[k] > 0)
            status = rep3_send(s, k, r->out[k], r->out_len[k], err);
    for (size_t i = 0; status == FM_OK && i < count[0]; i++)
        status = begin(s, r, &units[0][i], err);
    return status;
}

/* Counts units and levels; the memory that all of it needs. */
static fm_status measure(struct run *r, struct mpc_session *s, struct mpc_share **block,
                         size_t count, struct base_err *err)
{
    size_t exchange = 0;
    size_t deal_words = 0;
    fm_status status;

    for (size_t i = 0; i < count; i++) {
        const struct masked_program *p = r->items[i].program;
        size_t words = r->items[i].z->plane_words < masked_unit_words(p)
                           ? r->items[i].z->plane_words
                           : masked_unit_words(p);
        size_t slot = (p->dealt + p->leaves + 2 * p->fresh) * words;
        size_t scratch = 3 * (p->dealt + p->fresh) * words;

        if (p->failed)
            return base_err_memory(err, "circuit");
        r->units += units_of(&r->items[i]);
        r->stages = p->levels + 2 > r->stages ? p->levels + 2 : r->stages;
        r->slot_words = slot > r->slot_words ? slot : r->slot_words;
        deal_words = scratch > deal_words ? scratch : deal_words;
        exchange = p->fresh * words > exchange ? p->fresh * words : exchange;
        s->stats.and_gates += p->and_gates * r->items[i].x->n;
    }
    r->slot_count = ((size_t)(r->stages - 1) * LAG + 1) * BATCH;
    r->slot_count = r->units < r->slot_count ? r->units : r->slot_count;
    /* Units of several programs may be under way, each in one stage. */
    exchange *= r->units < (size_t)r->stages * BATCH ? r->units : (size_t)r->stages * BATCH;
    status = mpc_block_new(
        block, s, (r->slot_count * r->slot_words + deal_words + 4 * exchange) * 8 + 64, err);
    if (status != FM_OK)
        return status;
    r->slots = (*block)->data;
    r->deal = r->slots + r->slot_count * r->slot_words;
    for (unsigned k = 0; k < 4; k++)
        (k < 2 ? r->out : r->in)[1 + k % 2] = r->deal + deal_words + k * exchange;
    return FM_OK;
}

fm_status masked_run(struct mpc_session *s, const struct masked_item *items, size_t count,
                     struct base_err *err)
{
    struct rep3 *own = rep3_of(s);
    struct run r = {.items = items, .dealer = own->deals % 3};
    struct mpc_share *block = NULL;
    size_t steps;
    fm_status status = measure(&r, s, &block, count, err);

    if (status == FM_OK && r.units > 0) {
        own->deals += (unsigned)(r.units % 3);
        s->stats.rounds += r.stages - 1;
        steps = (r.units + BATCH - 1) / BATCH + (size_t)(r.stages - 1) * LAG;
        for (size_t t = 0; status == FM_OK && t < steps; t++)
            status = step(s, &r, t, err);
    }
    mpc_share_free(block);
    return status;
}
