#include "mpc/gates.h"

#include <stdlib.h>

#include "mpc/lanes.h"

void mpc_gates_push(struct mpc_gates *gates, struct mpc_wire z, struct mpc_wire x,
                    struct mpc_wire y, struct mpc_wire w)
{
    if (gates->failed)
        return;
    if (gates->len == gates->cap) {
        size_t cap = gates->cap == 0 ? 64 : gates->cap * 2;
        struct mpc_gate *grown = realloc(gates->gate, cap * sizeof *grown);

        if (grown == NULL) {
            gates->failed = true;
            return;
        }
        gates->gate = grown;
        gates->cap = cap;
    }
    gates->gate[gates->len++] = (struct mpc_gate){z, x, y, w};
}

void mpc_gates_clear(struct mpc_gates *gates)
{
    gates->len = 0;
}

void mpc_gates_release(struct mpc_gates *gates)
{
    free(gates->gate);
    *gates = (struct mpc_gates){0};
}

static fm_status run(struct mpc_session *s, struct mpc_gates *gates, struct base_err *err)
{
    struct mpc_record record = {.op = MPC_OP_AND, .gates = gates->gate, .count = gates->len};
    fm_status status;

    if (gates->failed)
        return base_err_memory(err, "list of gates");
    if (!s->computes || gates->len == 0)
        return FM_OK;
    for (size_t i = 0; i < gates->len; i++)
        s->stats.and_gates += gates->gate[i].z.share->n;
    status = mpc_gate_list_run(s, gates->gate, gates->len, err);
    if (status != FM_OK)
        return status;
    return s->row->record(s, &record, err);
}

fm_status mpc_gates_and(struct mpc_session *s, struct mpc_gates *gates, struct base_err *err)
{
    fm_status status = mpc_finish(s, MPC_OP_AND, run(s, gates, err), err);

    mpc_gates_clear(gates);
    return status;
}

fm_status mpc_gates_xor(struct mpc_session *s, struct mpc_gates *gates, struct base_err *err)
{
    fm_status status = FM_OK;

    if (gates->failed)
        status = mpc_finish(s, MPC_OP_LINEAR, base_err_memory(err, "list of gates"), err);
    else if (s->computes)
        s->row->xor (s, gates->gate, gates->len);
    mpc_gates_clear(gates);
    return status;
}

void mpc_wire_flip(struct mpc_session *s, struct mpc_wire wire)
{
    if (s->computes)
        s->row->flip(s, &wire, 1);
}
