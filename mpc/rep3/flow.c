/* Messages to the neighbours, and overlapping them with computing. */
#include <string.h>

#include "mpc/rep3/state.h"

fm_status rep3_send(struct mpc_session *s, unsigned ahead, const uint64_t *words, size_t count,
                    struct base_err *err)
{
    return net_send(s->transport, s->stream, rep3_party(s, ahead), words, count * 8, err);
}

fm_status rep3_recv(struct mpc_session *s, unsigned ahead, uint64_t *words, size_t count,
                    struct base_err *err)
{
    return net_recv(s->transport, s->stream, rep3_party(s, ahead), words, count * 8, err);
}

fm_status rep3_flow_run(struct mpc_session *s, const struct rep3_flow *flow, struct base_err *err)
{
    size_t behind = flow->settle != NULL ? 2 * flow->lag : flow->lag;

    for (size_t u = 0; u < flow->units + behind; u++) {
        fm_status status = FM_OK;

        if (u < flow->units)
            status = flow->produce(s, flow->ctx, u, err);
        if (status == FM_OK && u >= flow->lag && u - flow->lag < flow->units)
            status = flow->consume(s, flow->ctx, u - flow->lag, err);
        if (status == FM_OK && flow->settle != NULL && u >= behind)
            status = flow->settle(s, flow->ctx, u - behind, err);
        if (status != FM_OK)
            return status;
    }
    return FM_OK;
}

/* A place in the cells' words laid end to end. */
struct place {
    size_t cell;
    size_t at;
};

struct reshare {
    const struct rep3_cell *cells;
    rep3_cell_fn *compute;
    size_t total;
    struct place out;
    struct place in;
};

static size_t unit_words(const struct reshare *job, size_t unit)
{
    size_t left = job->total - unit * MPC_CHUNK_WORDS;

    return left < MPC_CHUNK_WORDS ? left : MPC_CHUNK_WORDS;
}

/* Goes past empty and finished cells; returns how many of `want` words the cell at hand offers. */
static size_t next_piece(const struct reshare *job, struct place *p, size_t want)
{
    size_t left;

    while (p->at == job->cells[p->cell].words) {
        p->cell++;
        p->at = 0;
    }
    left = job->cells[p->cell].words - p->at;
    return left < want ? left : want;
}

static fm_status reshare_out(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reshare *job = ctx;
    uint64_t *stage = rep3_of(s)->stage;
    size_t words = unit_words(job, unit);
    size_t done = 0;

    while (done < words) {
        size_t piece = next_piece(job, &job->out, words - done);
        const struct rep3_cell *cell = &job->cells[job->out.cell];
        const uint64_t *made = cell->za + job->out.at;

        job->compute(s, cell, job->out.at, piece);
        job->out.at += piece;
        if (piece == words) /* the whole message lies in one cell: no copy */
            return rep3_send(s, 2, made, words, err);
        memcpy(stage + done, made, piece * 8);
        done += piece;
    }
    return rep3_send(s, 2, stage, words, err);
}

static fm_status reshare_in(struct mpc_session *s, void *ctx, size_t unit, struct base_err *err)
{
    struct reshare *job = ctx;
    uint64_t *stage = rep3_of(s)->stage + MPC_CHUNK_WORDS;
    size_t words = unit_words(job, unit);
    size_t piece = next_piece(job, &job->in, words);
    fm_status status;

    if (piece == words) {
        status = rep3_recv(s, 1, job->cells[job->in.cell].zb + job->in.at, words, err);
        job->in.at += piece;
        return status;
    }
    status = rep3_recv(s, 1, stage, words, err);
    for (size_t done = 0; status == FM_OK && done < words; done += piece) {
        piece = next_piece(job, &job->in, words - done);
        memcpy(job->cells[job->in.cell].zb + job->in.at, stage + done, piece * 8);
        job->in.at += piece;
    }
    return status;
}

fm_status rep3_reshare(struct mpc_session *s, const struct rep3_cell *cells, size_t count,
                       rep3_cell_fn *compute, struct base_err *err)
{
    struct reshare job = {.cells = cells, .compute = compute};
    struct rep3_flow flow = {reshare_out, reshare_in, &job, 0, 2, NULL};

    for (size_t i = 0; i < count; i++)
        job.total += cells[i].words;
    if (job.total == 0)
        return FM_OK;
    flow.units = (job.total + MPC_CHUNK_WORDS - 1) / MPC_CHUNK_WORDS;
    s->stats.rounds++;
    return rep3_flow_run(s, &flow, err);
}
