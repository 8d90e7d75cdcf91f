/* Lists of vectors cut into the lanes' slices. */
#include <assert.h>
#include <stdlib.h>

#include "mpc/lanes.h"

size_t mpc_lane_begin(size_t n, unsigned k, unsigned lanes)
{
    size_t grains = n / MPC_LANE_ELEMENTS;

    if (k == lanes)
        return n;
    return (grains / lanes * k + grains % lanes * k / lanes) * MPC_LANE_ELEMENTS;
}

void mpc_share_view(struct mpc_share *view, struct mpc_session *lane, const struct mpc_share *x,
                    size_t from, size_t n)
{
    /* Not *x: its place in the list of live shares changes as lane 0 makes others. */
    *view = (struct mpc_share){.session = lane,
                               .domain = x->domain,
                               .width = x->width,
                               .n = n,
                               .range = x->range,
                               .plane_stride = x->plane_stride,
                               .comp_stride = x->comp_stride,
                               .whole = x->whole};
    if (x->domain == MPC_RING64) {
        view->plane_words = view->comp_words = n;
        view->data = x->data == NULL ? NULL : x->data + from;
        return;
    }
    view->plane_words = mpc_plane_words(n);
    view->comp_words = view->width * view->plane_words;
    view->data = x->data == NULL ? NULL : x->data + from / 64;
}

static fm_status run_whole(struct mpc_session *s, const struct mpc_list_call *c,
                           struct base_err *err)
{
    switch (c->op) {
    case MPC_OP_MUL:
        return s->row->mul(s, c->z, c->x, c->y, c->count, err);
    case MPC_OP_A2B:
        return s->row->a2b(s, c->z, c->x, c->count, err);
    case MPC_OP_B2A:
        return s->row->b2a(s, c->z, c->x, c->count, c->sign, err);
    case MPC_OP_BIT2A:
        return s->row->bit2a(s, c->z, c->x, c->count, err);
    case MPC_OP_MSB:
        return s->row->msb(s, c->z, c->x, c->y, c->width, c->count, err);
    case MPC_OP_MSB_LINKED:
        return s->row->msb_linked(s, c->z[0], c->x, c->width, c->count, err);
    default:
        assert(c->op == MPC_OP_EQZ);
        return s->row->eqz(s, c->z, c->x, c->y, c->width, c->count, err);
    }
}

/* Views of one lane's slices of all outputs and operands, and the lists that point at them. */
struct slices {
    struct mpc_share *view; /* 3 * count: z, x, y */
    struct mpc_share **z;
    const struct mpc_share **x;
    const struct mpc_share **y;
};

static fm_status slices_new(struct slices *v, size_t count, struct base_err *err)
{
    *v = (struct slices){calloc(3 * count, sizeof *v->view), calloc(count, sizeof *v->z),
                         calloc(count, sizeof *v->x), calloc(count, sizeof *v->y)};
    if (v->view == NULL || v->z == NULL || v->x == NULL || v->y == NULL)
        return base_err_memory(err, "slices");
    return FM_OK;
}

static void slices_release(struct slices *v)
{
    free(v->view);
    free(v->z);
    free(v->x);
    free(v->y);
}

/* The other lanes, and the peers' lanes, must not wait for one that gave up. The operation's name
 * is put before the text by who called the lanes. */
static fm_status leave(struct mpc_session *lane, fm_status status)
{
    if (status != FM_OK)
        net_abort(lane->transport, "failed");
    return status;
}

static fm_status run_slice(struct mpc_session *lane, const void *job, unsigned k, unsigned lanes,
                           struct base_err *err)
{
    const struct mpc_list_call *c = job;
    struct mpc_list_call mine = *c;
    struct slices v;
    fm_status status = slices_new(&v, c->count, err);

    for (size_t i = 0; status == FM_OK && i < c->count; i++) {
        size_t from = mpc_lane_begin(c->x[i]->n, k, lanes);
        size_t n = mpc_lane_begin(c->x[i]->n, k + 1, lanes) - from;

        if (i == 0 || c->op != MPC_OP_MSB_LINKED)
            mpc_share_view(v.z[i] = &v.view[3 * i], lane, c->z[i], from, n);
        mpc_share_view(&v.view[3 * i + 1], lane, c->x[i], from, n);
        v.x[i] = &v.view[3 * i + 1];
        if (c->y == NULL || c->y[i] == NULL)
            continue;
        if (c->y[i]->n == c->x[i]->n)
            mpc_share_view(&v.view[3 * i + 2], lane, c->y[i], from, n);
        else
            mpc_share_view(&v.view[3 * i + 2], lane, c->y[i], 0, 1);
        v.y[i] = &v.view[3 * i + 2];
    }
    mine.z = v.z;
    mine.x = v.x;
    mine.y = c->y != NULL ? v.y : NULL;
    if (status == FM_OK)
        status = run_whole(lane, &mine, err);
    slices_release(&v);
    return leave(lane, status);
}

fm_status mpc_list_run(struct mpc_session *s, const struct mpc_list_call *call,
                       struct base_err *err)
{
    size_t elements = 0;

    for (size_t i = 0; i < call->count; i++)
        elements += call->x[i]->n;
    if (!mpc_lanes_wanted(s, elements))
        return run_whole(s, call, err);
    return mpc_lanes_run(s, run_slice, call, err);
}

struct gate_list {
    const struct mpc_gate *gates;
    size_t count;
};

/* The view has the wire's plane alone. */
static struct mpc_wire slice_wire(struct mpc_share *view, struct mpc_session *lane,
                                  struct mpc_wire wire, unsigned k, unsigned lanes)
{
    size_t from;

    if (wire.share == NULL)
        return wire;
    from = mpc_lane_begin(wire.share->n, k, lanes);
    mpc_share_view(view, lane, wire.share, from,
                   mpc_lane_begin(wire.share->n, k + 1, lanes) - from);
    return (struct mpc_wire){view, wire.plane};
}

static fm_status run_gates(struct mpc_session *lane, const void *job, unsigned k, unsigned lanes,
                           struct base_err *err)
{
    const struct gate_list *list = job;
    struct mpc_share *view = calloc(4 * list->count, sizeof *view);
    struct mpc_gate *gates = calloc(list->count, sizeof *gates);
    fm_status status = FM_OK;

    if (view == NULL || gates == NULL)
        status = base_err_memory(err, "slices");
    for (size_t i = 0; status == FM_OK && i < list->count; i++) {
        const struct mpc_gate *g = &list->gates[i];

        gates[i] = (struct mpc_gate){slice_wire(&view[4 * i], lane, g->z, k, lanes),
                                     slice_wire(&view[4 * i + 1], lane, g->x, k, lanes),
                                     slice_wire(&view[4 * i + 2], lane, g->y, k, lanes),
                                     slice_wire(&view[4 * i + 3], lane, g->w, k, lanes)};
    }
    if (status == FM_OK)
        status = lane->row->and (lane, gates, list->count, err);
    free(view);
    free(gates);
    return leave(lane, status);
}

fm_status mpc_gate_list_run(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                            struct base_err *err)
{
    const struct gate_list list = {gates, count};
    size_t elements = 0;

    for (size_t i = 0; i < count; i++)
        elements += gates[i].z.share->n / 64 + 1;
    if (!mpc_lanes_wanted(s, elements))
        return s->row->and (s, gates, count, err);
    return mpc_lanes_run(s, run_gates, &list, err);
}
