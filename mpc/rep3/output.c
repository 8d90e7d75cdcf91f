/* Output: reveal, and open to the compute parties.
 *
 * A recipient that computes, party j, lacks one component, x_{j+2}, and is sent it as it is, by
 * party j + 2 or j + 1 in turn: what it learns follows from x, which it is told, and from what it
 * holds, so there is nothing to mask; that also holds for it together with other recipients, who
 * are told x as well. An outside recipient holds nothing, and gets three summands under a fresh
 * zero-sharing. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/kernels.h"
#include "mpc/rep3/state.h"

struct reveal {
    const struct mpc_share *const *x;
    uint64_t *const *words;
    const unsigned *recipients;
    size_t recipients_len;
    bool receives;
    bool outside;     /* some recipient does not compute */
    uint64_t *buffer; /* one message in */
    size_t out;
    size_t out_at;
    size_t in;
    size_t in_at;
};

static bool is_compute(const struct mpc_session *s, unsigned party)
{
    return party == s->compute[0] || party == s->compute[1] || party == s->compute[2];
}

static size_t reveal_step(const struct reveal *f, size_t *item, size_t *at)
{
    size_t left;

    while (*at == f->x[*item]->comp_words) {
        (*item)++;
        *at = 0;
    }
    left = f->x[*item]->comp_words - *at;
    return left < MPC_CHUNK_WORDS ? left : MPC_CHUNK_WORDS;
}

/* Bits past n in words [at, at + n) of a component's planes leave the session nowhere. */
static void clear_tails(const struct mpc_share *x, uint64_t *words, size_t at, size_t n)
{
    uint64_t mask = mpc_tail_mask(x->n);

    if (x->domain == MPC_RING64)
        return;
    for (size_t i = 0; i < n; i++)
        if ((at + i) % x->plane_words == x->plane_words - 1)
            words[i] &= mask;
}

static void combine(const struct mpc_share *x, uint64_t *z, const uint64_t *a, const uint64_t *b,
                    size_t n)
{
    if (x->domain == MPC_RING64)
        mpc_k_add(z, a, b, n);
    else
        mpc_k_xor(z, a, b, n);
}

/* Who brings a unit to a recipient that computes: party (its number + this) mod 3. */
static unsigned bringer(size_t unit)
{
    return unit % 2 == 0 ? 2 : 1;
}

/* Recipients that do not compute: our component under a zero-sharing. */
static fm_status tell_outsiders(struct mpc_session *s, struct reveal *f, const struct mpc_share *x,
                                size_t n, struct base_err *err)
{
    uint64_t *stage = rep3_of(s)->stage;
    fm_status status = rep3_zero_share(s, x->domain, stage, n, err);

    if (status != FM_OK)
        return status;
    combine(x, stage, stage, mpc_comp(x, 0) + f->out_at, n);
    clear_tails(x, stage, f->out_at, n);
    for (size_t i = 0; status == FM_OK && i < f->recipients_len; i++)
        if (!is_compute(s, f->recipients[i]))
            status = net_send(s->transport, s->stream, f->recipients[i], stage, n * 8, err);
    return status;
}

/* The one neighbour to whom we bring this unit, if it is a recipient: what it lacks is our a if it
 * is ahead by 1, our b if it is ahead by 2. */
static fm_status tell_neighbour(struct mpc_session *s, struct reveal *f, const struct mpc_share *x,
                                size_t unit, size_t n, struct base_err *err)
{
    uint64_t *stage = rep3_of(s)->stage;
    unsigned ahead = 3 - bringer(unit);
    unsigned to = rep3_party(s, ahead);

    for (size_t i = 0; i < f->recipients_len; i++) {
        if (f->recipients[i] != to)
            continue;
        memcpy(stage, mpc_comp(x, ahead - 1) + f->out_at, n * 8);
        clear_tails(x, stage, f->out_at, n);
        return rep3_send(s, ahead, stage, n, err);
    }
    return FM_OK;
}

static fm_status reveal_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reveal *f = ctx;
    size_t n = reveal_step(f, &f->out, &f->out_at);
    const struct mpc_share *x = f->x[f->out];
    fm_status status = FM_OK;

    if (s->computes && f->outside)
        status = tell_outsiders(s, f, x, n, err);
    if (s->computes && status == FM_OK)
        status = tell_neighbour(s, f, x, unit, n, err);
    f->out_at += n;
    return status;
}

static fm_status reveal_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reveal *f = ctx;
    size_t n = reveal_step(f, &f->in, &f->in_at);
    const struct mpc_share *x = f->x[f->in];
    fm_status status = FM_OK;

    if (f->receives) {
        uint64_t *words = f->words[f->in] + f->in_at;

        if (s->computes) {
            combine(x, words, mpc_comp(x, 0) + f->in_at, mpc_comp(x, 1) + f->in_at, n);
            clear_tails(x, words, f->in_at, n);
        } else {
            memset(words, 0, n * 8);
        }
        for (unsigned i = 0; status == FM_OK && i < 3; i++) {
            if (s->computes && s->compute[i] != rep3_party(s, bringer(unit)))
                continue;
            status = net_recv(s->transport, s->stream, s->compute[i], f->buffer, n * 8, err);
            if (status == FM_OK)
                combine(x, words, words, f->buffer, n);
        }
    }
    f->in_at += n;
    return status;
}

fm_status rep3_reveal_to(struct mpc_session *s, const struct mpc_share *const *x, size_t count,
                         const unsigned *recipients, size_t recipients_len, uint64_t *const *words,
                         struct base_err *err)
{
    struct reveal f = {
        .x = x, .words = words, .recipients = recipients, .recipients_len = recipients_len};
    struct rep3_flow flow = {reveal_produce, reveal_consume, &f, 0, 4, NULL};
    size_t longest = 0;
    fm_status status;

    for (size_t i = 0; i < recipients_len; i++) {
        f.receives = f.receives || recipients[i] == s->self;
        f.outside = f.outside || !is_compute(s, recipients[i]);
    }
    for (size_t i = 0; i < count; i++) {
        flow.units += (x[i]->comp_words + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
        longest = x[i]->comp_words > longest ? x[i]->comp_words : longest;
    }
    if (flow.units == 0)
        return FM_OK;
    longest = longest < MPC_CHUNK_WORDS ? longest : MPC_CHUNK_WORDS;
    f.buffer = malloc(longest * 8);
    if (f.buffer == NULL)
        return base_err_memory(err, "reveal");
    s->stats.rounds++;
    status = rep3_flow_run(s, &flow, err);
    base_wipe(f.buffer, longest * 8);
    free(f.buffer);
    return status;
}

fm_status rep3_open_masked(struct mpc_session *s, const struct mpc_share *const *x, size_t count,
                           uint64_t *const *words, struct base_err *err)
{
    return rep3_reveal_to(s, x, count, s->compute, 3, words, err);
}
