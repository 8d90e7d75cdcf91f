/* Output: reveal to recipients under a fresh zero-sharing, and open to the compute parties. */
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
    size_t out;
    size_t out_at;
    size_t in;
    size_t in_at;
};

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

static fm_status reveal_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reveal *f = ctx;
    size_t n = reveal_step(f, &f->out, &f->out_at);
    const struct mpc_share *x = f->x[f->out];
    uint64_t *stage;
    fm_status status;

    (void)unit;
    if (!s->computes) {
        f->out_at += n;
        return FM_OK;
    }
    stage = rep3_of(s)->stage;
    status = rep3_zero_share(s, x->domain, stage, n, err);
    if (status != FM_OK)
        return status;
    if (x->domain == MPC_RING64)
        mpc_k_add(stage, stage, mpc_comp(x, 0) + f->out_at, n);
    else
        mpc_k_xor(stage, stage, mpc_comp(x, 0) + f->out_at, n);
    clear_tails(x, stage, f->out_at, n);
    for (size_t i = 0; status == FM_OK && i < f->recipients_len; i++)
        if (f->recipients[i] != s->self)
            status = net_send(s->transport, s->stream, f->recipients[i], stage, n * 8, err);
    if (f->receives)
        memcpy(f->words[f->out] + f->out_at, stage, n * 8);
    f->out_at += n;
    return status;
}

static fm_status reveal_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reveal *f = ctx;
    size_t n = reveal_step(f, &f->in, &f->in_at);
    const struct mpc_share *x = f->x[f->in];
    uint64_t *buffer = NULL;
    fm_status status = FM_OK;

    (void)unit;
    if (f->receives) {
        uint64_t *words = f->words[f->in] + f->in_at;

        buffer = malloc(n * 8);
        if (buffer == NULL)
            return base_err_memory(err, "reveal");
        if (!s->computes)
            memset(words, 0, n * 8);
        for (unsigned i = 0; status == FM_OK && i < 3; i++) {
            if (s->compute[i] == s->self)
                continue;
            status = net_recv(s->transport, s->stream, s->compute[i], buffer, n * 8, err);
            if (status == FM_OK && x->domain == MPC_RING64)
                mpc_k_add(words, words, buffer, n);
            else if (status == FM_OK)
                mpc_k_xor(words, words, buffer, n);
        }
        base_wipe(buffer, n * 8);
        free(buffer);
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
    struct rep3_flow flow = {reveal_produce, reveal_consume, &f, 0, 4};

    for (size_t i = 0; i < recipients_len; i++)
        f.receives = f.receives || recipients[i] == s->self;
    for (size_t i = 0; i < count; i++)
        flow.units += (x[i]->comp_words + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
    if (flow.units == 0)
        return FM_OK;
    s->stats.rounds++;
    return rep3_flow_run(s, &flow, err);
}

/* ---- open to the compute parties: party i lacks x_{i+2}, which party i - 1 sends it ---- */

static fm_status open_produce(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reveal *f = ctx;
    size_t n = reveal_step(f, &f->out, &f->out_at);
    const struct mpc_share *x = f->x[f->out];
    const uint64_t *a = mpc_comp(x, 0) + f->out_at;
    const uint64_t *b = mpc_comp(x, 1) + f->out_at;
    uint64_t *words = f->words[f->out] + f->out_at;
    fm_status status;

    (void)unit;
    memcpy(words, a, n * 8);
    clear_tails(x, words, f->out_at, n);
    status = rep3_send(s, 1, words, n, err);
    if (x->domain == MPC_RING64)
        mpc_k_add(words, words, b, n);
    else
        mpc_k_xor(words, words, b, n);
    clear_tails(x, words, f->out_at, n);
    f->out_at += n;
    return status;
}

static fm_status open_consume(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reveal *f = ctx;
    uint64_t *stage = rep3_of(s)->stage;
    size_t n = reveal_step(f, &f->in, &f->in_at);
    uint64_t *words = f->words[f->in] + f->in_at;
    fm_status status = rep3_recv(s, 2, stage, n, err);

    (void)unit;
    if (status != FM_OK)
        return status;
    if (f->x[f->in]->domain == MPC_RING64)
        mpc_k_add(words, words, stage, n);
    else
        mpc_k_xor(words, words, stage, n);
    f->in_at += n;
    return FM_OK;
}

fm_status rep3_open_masked(struct mpc_session *s, const struct mpc_share *const *x, size_t count,
                           uint64_t *const *words, struct base_err *err)
{
    struct reveal f = {.x = x, .words = words};
    struct rep3_flow flow = {open_produce, open_consume, &f, 0, 2};

    for (size_t i = 0; i < count; i++)
        flow.units += (x[i]->comp_words + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
    if (flow.units == 0)
        return FM_OK;
    s->stats.rounds++;
    return rep3_flow_run(s, &flow, err);
}
