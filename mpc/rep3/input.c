/* Input. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "mpc/kernels.h"
#include "mpc/rep3/state.h"

/* An owner o that computes: x_o = F(k_o) (known to o and o - 1), x_{o+1} = x - x_o, sent to party o
 * + 1, and x_{o+2} = 0. An outside owner: x_0 and x_1 from two fresh seeds, sent to their holders
 * (0 and 2; 1 and 0), and the correction x_2 = x - x_0 - x_1 to its holders 2 and 1, who then
 * compare hashes of what they got. */

/* An outside owner in this call: at the owner the generators of both seeds, at a compute party
 * those it was sent, and the hashes of everything held in its components. */
struct outside {
    unsigned owner;
    struct mpc_joint gen[2];  /* of components 0 and 1 */
    struct base_hash hash[2]; /* of held components a and b */
    bool hashing;
};

struct input_flow {
    const struct mpc_input *items;
    struct mpc_share *const *z;
    struct outside *outside;
    size_t outside_count;
    size_t out; /* the item that produce stands in, and its next word */
    size_t out_at;
    size_t in;
    size_t in_at;
};

static bool computes(const struct mpc_session *s, unsigned party, unsigned *index)
{
    for (unsigned i = 0; i < 3; i++) {
        if (s->compute[i] == party) {
            *index = i;
            return true;
        }
    }
    return false;
}

static struct outside *outside_of(const struct input_flow *f, unsigned owner)
{
    for (size_t i = 0; i < f->outside_count; i++)
        if (f->outside[i].owner == owner)
            return &f->outside[i];
    return NULL;
}

static size_t step(const struct input_flow *f, size_t *item, size_t *at)
{
    size_t left;

    while (*at == f->z[*item]->comp_words) {
        (*item)++;
        *at = 0;
    }
    left = f->z[*item]->comp_words - *at;
    return left < MPC_CHUNK_WORDS ? left : MPC_CHUNK_WORDS;
}

static const uint64_t *own_words(const struct mpc_input *item)
{
    return item->domain == MPC_RING64 ? (const uint64_t *)item->values : item->planes;
}

static void subtract(enum mpc_domain domain, uint64_t *z, const uint64_t *x, const uint64_t *y,
                     size_t n)
{
    if (domain == MPC_RING64)
        mpc_k_sub(z, x, y, n);
    else
        mpc_k_xor(z, x, y, n);
}

/* Our part of an item whose owner computes, before messages. */
static fm_status inside_produce(struct mpc_session *s, struct input_flow *f, unsigned owner,
                                size_t n, struct base_err *err)
{
    struct rep3 *r = rep3_of(s);
    struct mpc_share *z = f->z[f->out];
    const struct mpc_input *item = &f->items[f->out];
    uint64_t *z0 = mpc_comp(z, 0) + f->out_at;
    uint64_t *z1 = mpc_comp(z, 1) + f->out_at;

    switch ((r->i + 3 - owner) % 3) {
    case 0:
        mpc_joint_fill(&r->own, z0, n);
        subtract(item->domain, z1, own_words(item) + f->out_at, z0, n);
        return rep3_send(s, 1, z1, n, err);
    case 1:
        memset(z1, 0, n * 8);
        return FM_OK;
    default:
        memset(z0, 0, n * 8);
        mpc_joint_fill(&r->next, z1, n);
        return FM_OK;
    }
}

/* We own the item and do not compute: the correction to parties 1 and 2. */
static fm_status send_correction(struct mpc_session *s, struct input_flow *f, size_t n,
                                 uint64_t *buffer, struct base_err *err)
{
    const struct mpc_input *item = &f->items[f->out];
    struct outside *o = outside_of(f, s->self);
    uint64_t *mask = buffer + MPC_CHUNK_WORDS;
    fm_status status;

    mpc_joint_fill(&o->gen[0], mask, n);
    subtract(item->domain, buffer, own_words(item) + f->out_at, mask, n);
    mpc_joint_fill(&o->gen[1], mask, n);
    subtract(item->domain, buffer, buffer, mask, n);
    status = net_send(s->transport, s->stream, s->compute[1], buffer, n * 8, err);
    if (status == FM_OK)
        status = net_send(s->transport, s->stream, s->compute[2], buffer, n * 8, err);
    return status;
}

/* A compute party's components that come from seeds. */
static void seeded_produce(struct mpc_session *s, struct input_flow *f, struct outside *o, size_t n)
{
    struct mpc_share *z = f->z[f->out];

    for (unsigned c = 0; c < 2; c++) {
        unsigned component = (rep3_of(s)->i + c) % 3;

        if (component < 2)
            mpc_joint_fill(&o->gen[component], mpc_comp(z, c) + f->out_at, n);
    }
}

static fm_status input_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct input_flow *f = ctx;
    size_t n = step(f, &f->out, &f->out_at);
    unsigned owner = f->items[f->out].owner;
    unsigned index;
    fm_status status = FM_OK;

    (void)unit;
    if (computes(s, owner, &index)) {
        if (s->computes)
            status = inside_produce(s, f, index, n, err);
    } else if (s->computes) {
        seeded_produce(s, f, outside_of(f, owner), n);
    } else if (owner == s->self) {
        uint64_t *buffer = malloc(2 * MPC_CHUNK_WORDS * 8);

        if (buffer == NULL)
            return base_err_memory(err, "input");
        status = send_correction(s, f, n, buffer, err);
        base_wipe(buffer, 2 * MPC_CHUNK_WORDS * 8);
        free(buffer);
    }
    f->out_at += n;
    return status;
}

static fm_status input_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct input_flow *f = ctx;
    size_t n = step(f, &f->in, &f->in_at);
    struct mpc_share *z = f->z[f->in];
    unsigned owner = f->items[f->in].owner;
    unsigned index;
    fm_status status = FM_OK;

    (void)unit;
    if (!s->computes) {
        f->in_at += n;
        return FM_OK;
    }
    if (computes(s, owner, &index)) {
        if ((rep3_of(s)->i + 3 - index) % 3 == 1)
            status = rep3_recv(s, 2, mpc_comp(z, 0) + f->in_at, n, err);
    } else if (rep3_of(s)->i != 0) { /* component 2: held 1 of party 1, held 0 of party 2 */
        unsigned c = rep3_of(s)->i == 1 ? 1 : 0;
        uint64_t *words = mpc_comp(z, c) + f->in_at;

        status = net_recv(s->transport, s->stream, owner, words, n * 8, err);
        if (status == FM_OK)
            base_hash_update(&outside_of(f, owner)->hash[c], words, n * 8);
    }
    f->in_at += n;
    return status;
}

/* At the owner: draws both seeds and sends them to their holders. */
static fm_status send_seeds(struct mpc_session *s, struct outside *o, struct base_err *err)
{
    uint8_t seeds[2][MPC_SEED];
    fm_status status = mpc_private_fill(&s->random, seeds, sizeof seeds, err);

    for (unsigned k = 0; status == FM_OK && k < 2; k++) {
        status = mpc_joint_init(&o->gen[k], seeds[k], s->context32, "rep3 input", s->stream, err);
        /* component k: at party k and at party k - 1 */
        if (status == FM_OK)
            status = net_send(s->transport, s->stream, s->compute[k], seeds[k], MPC_SEED, err);
        if (status == FM_OK)
            status =
                net_send(s->transport, s->stream, s->compute[(k + 2) % 3], seeds[k], MPC_SEED, err);
    }
    base_wipe(seeds, sizeof seeds);
    return status;
}

static fm_status receive_seeds(struct mpc_session *s, struct outside *o, struct base_err *err)
{
    uint8_t seed[MPC_SEED];
    fm_status status = FM_OK;

    for (unsigned c = 0; c < 2; c++)
        base_hash_init(&o->hash[c]);
    o->hashing = true;
    /* In the order they were sent: component 0 before component 1. */
    for (unsigned k = 0; status == FM_OK && k < 2; k++) {
        unsigned c = (k + 3 - rep3_of(s)->i) % 3;

        if (c > 1)
            continue;
        status = net_recv(s->transport, s->stream, o->owner, seed, MPC_SEED, err);
        if (status == FM_OK)
            status = mpc_joint_init(&o->gen[k], seed, s->context32, "rep3 input", s->stream, err);
        if (status == FM_OK)
            base_hash_update(&o->hash[c], seed, MPC_SEED);
    }
    base_wipe(seed, sizeof seed);
    return status;
}

/* Party i tells party i - 1 the hash of its component i; i - 1 holds that too. */
static fm_status compare_hashes(struct mpc_session *s, struct input_flow *f, struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t i = 0; i < f->outside_count; i++) {
        uint8_t mine[32];

        base_hash_final(&f->outside[i].hash[0], mine);
        if (status == FM_OK)
            status = net_send(s->transport, s->stream, rep3_party(s, 2), mine, sizeof mine, err);
    }
    for (size_t i = 0; i < f->outside_count; i++) {
        uint8_t mine[32];
        uint8_t theirs[32];

        base_hash_final(&f->outside[i].hash[1], mine);
        f->outside[i].hashing = false;
        if (status == FM_OK)
            status =
                net_recv(s->transport, s->stream, rep3_party(s, 1), theirs, sizeof theirs, err);
        if (status == FM_OK && !base_equal(mine, theirs, sizeof mine))
            status = base_err_set(
                err, FM_E_PEER, "%s sent different shares to %s and %s (or one of the two lies)",
                s->transport->names[f->outside[i].owner], s->transport->names[s->self],
                s->transport->names[rep3_party(s, 1)]);
    }
    s->stats.rounds++;
    return status;
}

static void outside_release(struct input_flow *f)
{
    uint8_t unused[32];

    for (size_t i = 0; f->outside != NULL && i < f->outside_count; i++) {
        for (unsigned c = 0; c < 2; c++) {
            mpc_joint_release(&f->outside[i].gen[c]);
            if (f->outside[i].hashing)
                base_hash_final(&f->outside[i].hash[c], unused);
        }
    }
    free(f->outside);
}

static fm_status find_outside(const struct mpc_session *s, struct input_flow *f, size_t count,
                              struct base_err *err)
{
    unsigned index;

    f->outside = calloc(NET_MAX_PARTIES, sizeof *f->outside);
    if (f->outside == NULL)
        return base_err_memory(err, "input");
    for (size_t i = 0; i < count; i++) {
        unsigned owner = f->items[i].owner;

        if (!computes(s, owner, &index) && outside_of(f, owner) == NULL)
            f->outside[f->outside_count++].owner = owner;
    }
    return FM_OK;
}

fm_status rep3_input(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_input *items, size_t count, struct base_err *err)
{
    struct input_flow f = {.items = items, .z = z};
    struct rep3_flow flow = {input_produce, input_consume, &f, 0, 32, NULL};
    fm_status status = find_outside(s, &f, count, err);

    for (size_t i = 0; status == FM_OK && i < f.outside_count; i++) {
        if (s->computes)
            status = receive_seeds(s, &f.outside[i], err);
        else if (f.outside[i].owner == s->self)
            status = send_seeds(s, &f.outside[i], err);
    }
    if (status != FM_OK)
        goto out;
    for (size_t i = 0; i < count; i++)
        flow.units += (z[i]->comp_words + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
    s->stats.rounds++;
    status = rep3_flow_run(s, &flow, err);
    if (status == FM_OK && s->computes && f.outside_count > 0)
        status = compare_hashes(s, &f, err);
out:
    outside_release(&f);
    return status;
}
