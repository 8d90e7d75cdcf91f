#include "mpc/debug/debug.h"

#include <stdio.h>
#include <string.h>

#include "mpc/linear.h"
#include "mpc/perm.h"
#include "mpc/share.h"

static struct mpc_debug *debug_of(const struct mpc_session *s)
{
    return (struct mpc_debug *)(uintptr_t)s->row;
}

struct span {
    enum mpc_op op;
    struct mpc_stats before;
};

static fm_status enter(struct mpc_session *s, struct span *span, enum mpc_op op,
                       struct base_err *err)
{
    struct mpc_debug *d = debug_of(s);

    span->op = op;
    mpc_session_stats(s, &span->before);
    d->count[op].calls++;
    d->operations++;
    if (d->foreign)
        return base_err_set(err, FM_E_ARG,
                            "debug: a local operation met a share of another session");
    if (d->fail_at != 0 && d->operations == d->fail_at)
        return base_err_set(err, FM_E_IO, "debug: operation %llu, %s, fails on demand",
                            (unsigned long long)d->fail_at, mpc_op_name(op));
    d->depth++;
    return FM_OK;
}

static fm_status leave(struct mpc_session *s, const struct span *span, fm_status status)
{
    struct mpc_debug *d = debug_of(s);
    struct mpc_stats now;

    d->depth--;
    if (d->depth == 0) {
        mpc_session_stats(s, &now);
        d->count[span->op].rounds += now.rounds - span->before.rounds;
        d->count[span->op].bytes += now.bytes_sent - span->before.bytes_sent;
    }
    return status;
}

static void watch(struct mpc_session *s, const struct mpc_share *x)
{
    if (x != NULL && x->session != s)
        debug_of(s)->foreign = true;
}

static void watch_list(struct mpc_session *s, const struct mpc_share *const *x, size_t count)
{
    for (size_t i = 0; x != NULL && i < count; i++)
        watch(s, x[i]);
}

static fm_status enter_list(struct mpc_session *s, struct span *span, enum mpc_op op,
                            const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    watch_list(s, x, count);
    return enter(s, span, op, err);
}

static void watch_gates(struct mpc_session *s, const struct mpc_gate *gates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        watch(s, gates[i].z.share);
        watch(s, gates[i].x.share);
        watch(s, gates[i].y.share);
        watch(s, gates[i].w.share);
    }
}

static fm_status debug_open(struct mpc_session *s, struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_OPEN, err);

    return status != FM_OK ? status : leave(s, &span, debug_of(s)->inner->open(s, err));
}

static void debug_close(struct mpc_session *s)
{
    debug_of(s)->inner->close(s);
}

static void debug_held(const struct mpc_session *s, unsigned *held)
{
    debug_of(s)->inner->held_components(s, held);
}

static fm_status debug_input(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_input *items, size_t count, struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_INPUT, err);

    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->input(s, z, items, count, err));
}

static fm_status debug_reveal_to(struct mpc_session *s, const struct mpc_share *const *x,
                                 size_t count, const unsigned *recipients, size_t recipients_len,
                                 uint64_t *const *words, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_REVEAL, x, count, err);

    if (status != FM_OK)
        return status;
    status = debug_of(s)->inner->reveal_to(s, x, count, recipients, recipients_len, words, err);
    return leave(s, &span, status);
}

static fm_status debug_open_masked(struct mpc_session *s, const struct mpc_share *const *x,
                                   size_t count, uint64_t *const *words, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_OPEN_MASKED, x, count, err);

    return status != FM_OK
               ? status
               : leave(s, &span, debug_of(s)->inner->open_masked(s, x, count, words, err));
}

static fm_status debug_check(struct mpc_session *s, struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_CHECK, err);

    return status != FM_OK ? status : leave(s, &span, debug_of(s)->inner->check(s, err));
}

static fm_status debug_prepare(struct mpc_session *s, const struct mpc_counts *counts,
                               struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_PREPARE, err);

    return status != FM_OK ? status : leave(s, &span, debug_of(s)->inner->prepare(s, counts, err));
}

static fm_status debug_record(struct mpc_session *s, const struct mpc_record *record,
                              struct base_err *err)
{
    return debug_of(s)->inner->record(s, record, err);
}

static void debug_zero(struct mpc_session *s, struct mpc_share *z)
{
    watch(s, z);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->zero(s, z);
}

static void debug_add(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                      const struct mpc_share *y)
{
    watch_list(s, (const struct mpc_share *const[]){z, x, y}, 3);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->add(s, z, x, y);
}

static void debug_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                      const struct mpc_share *y)
{
    watch_list(s, (const struct mpc_share *const[]){z, x, y}, 3);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->sub(s, z, x, y);
}

static void debug_scale(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                        uint64_t c)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->scale(s, z, x, c);
}

static void debug_add_constant(struct mpc_session *s, struct mpc_share *z, uint64_t c)
{
    watch(s, z);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->add_constant(s, z, c);
}

static void debug_sum(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->sum(s, z, x);
}

static void debug_spread(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->spread(s, z, x);
}

static void debug_place(struct mpc_session *s, struct mpc_share *z, size_t at,
                        const struct mpc_share *x, size_t from, size_t n)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->place(s, z, at, x, from, n);
}

static void debug_gather(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                         const uint32_t *map)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->gather(s, z, x, map);
}

static void debug_gather_sub(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                             const uint32_t *p, const uint32_t *q)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->gather_sub(s, z, x, p, q);
}

static void debug_prefix(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x)
{
    watch_list(s, (const struct mpc_share *const[]){z, x}, 2);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->prefix(s, z, x);
}

static void debug_xor(struct mpc_session *s, const struct mpc_gate *gates, size_t count)
{
    watch_gates(s, gates, count);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->xor (s, gates, count);
}

static void debug_flip(struct mpc_session *s, const struct mpc_wire *wires, size_t count)
{
    for (size_t i = 0; i < count; i++)
        watch(s, wires[i].share);
    debug_of(s)->count[MPC_OP_LINEAR].calls++;
    debug_of(s)->inner->flip(s, wires, count);
}

static fm_status debug_mul(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           size_t count, struct base_err *err)
{
    struct span span;
    fm_status status;

    watch_list(s, x, count);
    watch_list(s, y, count);
    status = enter(s, &span, MPC_OP_MUL, err);
    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->mul(s, z, x, y, count, err));
}

static fm_status debug_dot(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           size_t count, struct base_err *err)
{
    struct span span;
    fm_status status;

    watch_list(s, x, count);
    watch_list(s, y, count);
    status = enter(s, &span, MPC_OP_DOT, err);
    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->dot(s, z, x, y, count, err));
}

static fm_status debug_dot_columns(struct mpc_session *s, struct mpc_share *z,
                                   const struct mpc_share *const *x,
                                   const struct mpc_share *const *y, size_t count,
                                   struct base_err *err)
{
    struct span span;
    fm_status status;

    watch_list(s, y, count);
    status = enter_list(s, &span, MPC_OP_DOT_COLUMNS, x, count, err);
    return status != FM_OK
               ? status
               : leave(s, &span, debug_of(s)->inner->dot_columns(s, z, x, y, count, err));
}

static fm_status debug_and(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                           struct base_err *err)
{
    struct span span;
    fm_status status;

    watch_gates(s, gates, count);
    status = enter(s, &span, MPC_OP_AND, err);
    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->and (s, gates, count, err));
}

static fm_status debug_a2b(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_A2B, x, count, err);

    return status != FM_OK ? status : leave(s, &span, debug_of(s)->inner->a2b(s, z, x, count, err));
}

static fm_status debug_b2a(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                           struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_B2A, x, count, err);

    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->b2a(s, z, x, count, sign, err));
}

static fm_status debug_bit2a(struct mpc_session *s, struct mpc_share *const *z,
                             const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_BIT2A, x, count, err);

    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->bit2a(s, z, x, count, err));
}

static fm_status debug_msb(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           const unsigned *width, size_t count, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_MSB, x, count, err);

    watch_list(s, y, count);
    return status != FM_OK
               ? status
               : leave(s, &span, debug_of(s)->inner->msb(s, z, x, y, width, count, err));
}

static fm_status debug_msb_linked(struct mpc_session *s, struct mpc_share *z,
                                  const struct mpc_share *const *x, const unsigned *width,
                                  size_t count, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_MSB_LINKED, x, count, err);

    return status != FM_OK
               ? status
               : leave(s, &span, debug_of(s)->inner->msb_linked(s, z, x, width, count, err));
}

static fm_status debug_eqz(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, const struct mpc_share *const *y,
                           const unsigned *width, size_t count, struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_EQZ, x, count, err);

    watch_list(s, y, count);
    return status != FM_OK
               ? status
               : leave(s, &span, debug_of(s)->inner->eqz(s, z, x, y, width, count, err));
}

static fm_status debug_bit_count(struct mpc_session *s, struct mpc_share *const *z,
                                 const struct mpc_share *const *x, size_t count,
                                 struct base_err *err)
{
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_BIT_COUNT, x, count, err);

    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->bit_count(s, z, x, count, err));
}

static fm_status debug_perm_random(struct mpc_session *s, struct mpc_perm *perm,
                                   struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_PERM, err);

    return status != FM_OK ? status
                           : leave(s, &span, debug_of(s)->inner->perm_random(s, perm, err));
}

static fm_status debug_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                                  struct mpc_share *const *z, const struct mpc_share *const *x,
                                  size_t count, struct base_err *err)
{
    struct mpc_session *s = perm->session;
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_PERM, x, count, err);

    if (status != FM_OK)
        return status;
    return leave(s, &span, debug_of(s)->inner->perm_apply(perm, direction, z, x, count, err));
}

static void debug_perm_free(struct mpc_perm *perm)
{
    debug_of(perm->session)->inner->perm_free(perm);
}

static fm_status debug_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_COIN, err);

    return status != FM_OK ? status : leave(s, &span, debug_of(s)->inner->coin(s, out, len, err));
}

static fm_status debug_zero_share(struct mpc_session *s, enum mpc_domain domain, uint64_t *out,
                                  size_t words, struct base_err *err)
{
    struct span span;
    fm_status status = enter(s, &span, MPC_OP_ZERO_SHARE, err);

    return status != FM_OK
               ? status
               : leave(s, &span, debug_of(s)->inner->zero_share(s, domain, out, words, err));
}

static fm_status debug_random(struct mpc_session *s, struct mpc_share *z, struct base_err *err)
{
    const struct mpc_share *const one = z;
    struct span span;
    fm_status status = enter_list(s, &span, MPC_OP_RANDOM, &one, 1, err);

    return status != FM_OK ? status : leave(s, &span, debug_of(s)->inner->random(s, z, err));
}

void mpc_debug_init(struct mpc_debug *debug, const struct mpc_protocol *inner)
{
    memset(debug, 0, sizeof *debug);
    debug->inner = inner;
    snprintf(debug->name, sizeof debug->name, "debug(%s)", inner->name);
    debug->row = (struct mpc_protocol){
        .name = debug->name,
        .parties = inner->parties,
        .corrupt = inner->corrupt,
        .adversary = inner->adversary,
        .components = inner->components,
        .held = inner->held,
        .costs = inner->costs,
        .most_lanes = 1,
        .lane = mpc_lane_unsupported,
        .open = debug_open,
        .close = debug_close,
        .held_components = debug_held,
        .input = debug_input,
        .reveal_to = debug_reveal_to,
        .open_masked = debug_open_masked,
        .check = debug_check,
        .prepare = debug_prepare,
        .record = debug_record,
        .zero = debug_zero,
        .add = debug_add,
        .sub = debug_sub,
        .scale = debug_scale,
        .add_constant = debug_add_constant,
        .sum = debug_sum,
        .spread = debug_spread,
        .place = debug_place,
        .gather = debug_gather,
        .gather_sub = debug_gather_sub,
        .prefix = debug_prefix,
        .xor = debug_xor,
        .flip = debug_flip,
        .mul = debug_mul,
        .dot = debug_dot,
        .dot_columns = debug_dot_columns,
        .and = debug_and,
        .a2b = debug_a2b,
        .b2a = debug_b2a,
        .bit2a = debug_bit2a,
        .msb = debug_msb,
        .msb_linked = debug_msb_linked,
        .eqz = debug_eqz,
        .bit_count = debug_bit_count,
        .perm_random = debug_perm_random,
        .perm_apply = debug_perm_apply,
        .perm_free = debug_perm_free,
        .coin = debug_coin,
        .zero_share = debug_zero_share,
        .random = debug_random,
    };
}
