/* Conversions: arguments checked here, once for all protocols. */
#include "mpc/lanes.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

static fm_status conclude(struct mpc_session *s, struct mpc_share **z, size_t count,
                          const struct mpc_record *record, fm_status status, struct base_err *err)
{
    if (status == FM_OK && s->computes)
        status = s->row->record(s, record, err);
    status = mpc_finish(s, record->op, status, err);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

/* Checks a list and makes its outputs. Bits come out with width[i] planes, or 1 if width is NULL; a
 * ring result has n elements, or one if `single`, and the range 0..(what a bit or a count can be).
 */
static fm_status begin(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                       enum mpc_domain from, const char *what, struct base_err *err)
{
    fm_status status;

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    status = mpc_check_list(x, count, what, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = mpc_check_domain(x[i], from, what, err);
    return status;
}

static fm_status check_width(unsigned width, const char *what, struct base_err *err)
{
    if (width == 0 || width > 64)
        return base_err_set(err, FM_E_ARG, "%s: width %u: 1 to 64", what, width);
    return FM_OK;
}

static fm_status check_minus(const struct mpc_share *x, const struct mpc_share *y, const char *what,
                             struct base_err *err)
{
    fm_status status;

    if (y == NULL)
        return FM_OK;
    status = mpc_check_domain(y, MPC_RING64, what, err);
    if (status != FM_OK)
        return status;
    if (y->session != x->session)
        return base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
    if (y->n != x->n && y->n != 1)
        return base_err_set(err, FM_E_ARG, "%s: lengths %zu and %zu differ", what, x->n, y->n);
    return FM_OK;
}

/* Of x - y where there is a y. */
static fm_status ring_to_bits(struct mpc_share **z, const struct mpc_share *const *x,
                              const struct mpc_share *const *y, const unsigned *width, size_t count,
                              enum mpc_op op, struct base_err *err)
{
    struct mpc_record record = {.op = op, .z = z, .x = x, .y = y, .count = count};
    struct mpc_session *s;
    fm_status status = begin(z, x, count, MPC_RING64, mpc_op_name(op), err);

    if (status != FM_OK)
        return status;
    s = x[0]->session;
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        status = check_width(width[i], mpc_op_name(op), err);
        if (status == FM_OK && y != NULL)
            status = check_minus(x[i], y[i], mpc_op_name(op), err);
        if (status == FM_OK)
            status = mpc_bits_new(&z[i], s, x[i]->n, op == MPC_OP_A2B ? width[i] : 1, err);
    }
    if (status == FM_OK && s->computes)
        status = mpc_list_run(s,
                              &(struct mpc_list_call){
                                  .op = op, .z = z, .x = x, .y = y, .width = width, .count = count},
                              err);
    return conclude(s, z, count, &record, status, err);
}

fm_status mpc_a2b_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err)
{
    return ring_to_bits(z, x, NULL, width, count, MPC_OP_A2B, err);
}

fm_status mpc_a2b(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    unsigned width = mpc_share_width(x);

    return ring_to_bits(z, &x, NULL, &width, 1, MPC_OP_A2B, err);
}

fm_status mpc_msb_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err)
{
    return ring_to_bits(z, x, NULL, width, count, MPC_OP_MSB, err);
}

fm_status mpc_msb_diff_list(struct mpc_share **z, const struct mpc_share *const *x,
                            const struct mpc_share *const *y, const unsigned *width, size_t count,
                            struct base_err *err)
{
    return ring_to_bits(z, x, y, width, count, MPC_OP_MSB, err);
}

fm_status mpc_msb_linked(struct mpc_share **z, const struct mpc_share *const *x,
                         const unsigned *width, size_t count, struct base_err *err)
{
    struct mpc_record record = {.op = MPC_OP_MSB_LINKED, .z = z, .x = x, .count = count};
    struct mpc_session *s;
    fm_status status = mpc_check_list(x, count, "linked msb", err);

    *z = NULL;
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        status = mpc_check_pair(x[i], x[0], MPC_RING64, "linked msb", err);
        if (status == FM_OK)
            status = check_width(width[i], "linked msb", err);
    }
    if (status != FM_OK)
        return status;
    s = x[0]->session;
    status = mpc_bits_new(z, s, x[0]->n, 1, err);
    if (status == FM_OK && s->computes)
        status = mpc_list_run(
            s,
            &(struct mpc_list_call){
                .op = MPC_OP_MSB_LINKED, .z = z, .x = x, .width = width, .count = count},
            err);
    return conclude(s, z, 1, &record, status, err);
}

fm_status mpc_eqz_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err)
{
    return ring_to_bits(z, x, NULL, width, count, MPC_OP_EQZ, err);
}

fm_status mpc_eqz_diff_list(struct mpc_share **z, const struct mpc_share *const *x,
                            const struct mpc_share *const *y, const unsigned *width, size_t count,
                            struct base_err *err)
{
    return ring_to_bits(z, x, y, width, count, MPC_OP_EQZ, err);
}

static struct mpc_range range_of_planes(unsigned width, enum mpc_sign sign)
{
    if (sign == MPC_SIGNED)
        return (struct mpc_range){width == 64 ? INT64_MIN : -(INT64_C(1) << (width - 1)),
                                  width == 64 ? INT64_MAX : (INT64_C(1) << (width - 1)) - 1};
    return (struct mpc_range){0, width == 63 ? INT64_MAX : (INT64_C(1) << width) - 1};
}

fm_status mpc_b2a(struct mpc_share **z, const struct mpc_share *x, enum mpc_sign sign,
                  struct base_err *err)
{
    struct mpc_record record = {.op = MPC_OP_B2A, .z = z, .x = &x, .count = 1};
    struct mpc_session *s = x->session;
    fm_status status = begin(z, &x, 1, MPC_BITS, "b2a", err);

    if (status == FM_OK)
        status = check_width(x->width, "b2a", err);
    if (status == FM_OK && sign == MPC_UNSIGNED && x->width == 64)
        status = base_err_set(err, FM_E_ARG, "b2a: an unsigned number of 64 bits does not fit");
    if (status == FM_OK)
        status = mpc_ring_new(z, s, x->n, range_of_planes(x->width, sign), err);
    if (status == FM_OK && s->computes)
        status = mpc_list_run(
            s, &(struct mpc_list_call){.op = MPC_OP_B2A, .z = z, .x = &x, .sign = sign, .count = 1},
            err);
    return conclude(s, z, 1, &record, status, err);
}

static fm_status bits_to_ring(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                              enum mpc_op op, struct base_err *err)
{
    struct mpc_record record = {.op = op, .z = z, .x = x, .count = count};
    bool counts = op == MPC_OP_BIT_COUNT;
    struct mpc_session *s;
    fm_status status = begin(z, x, count, MPC_BITS, mpc_op_name(op), err);

    if (status != FM_OK)
        return status;
    s = x[0]->session;
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        if (x[i]->width != 1)
            status = base_err_set(err, FM_E_ARG, "%s: takes width 1, not %u", mpc_op_name(op),
                                  x[i]->width);
        else
            status = mpc_ring_new(&z[i], s, counts ? 1 : x[i]->n,
                                  (struct mpc_range){0, counts ? (int64_t)x[i]->n : 1}, err);
    }
    if (status == FM_OK && s->computes)
        status = counts ? s->row->bit_count(s, z, x, count, err)
                        : mpc_list_run(s,
                                       &(struct mpc_list_call){
                                           .op = MPC_OP_BIT2A, .z = z, .x = x, .count = count},
                                       err);
    return conclude(s, z, count, &record, status, err);
}

fm_status mpc_bit2a_list(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                         struct base_err *err)
{
    return bits_to_ring(z, x, count, MPC_OP_BIT2A, err);
}

fm_status mpc_bit2a(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    return bits_to_ring(z, &x, 1, MPC_OP_BIT2A, err);
}

fm_status mpc_bit_count_list(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                             struct base_err *err)
{
    return bits_to_ring(z, x, count, MPC_OP_BIT_COUNT, err);
}
