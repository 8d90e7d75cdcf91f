#include "mpc/linked.h"

#include <stdlib.h>

#include "mpc/share.h"

/* The signs of all x[k], and of -x[k] but for the last: sign[2k] and sign[2k + 1]. Minus the least
 * number of a width would not fit, but x[k] - 1 fits, so it does not occur. */
static fm_status signs(struct mpc_share **sign, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err)
{
    size_t all = 2 * count - 1;
    const struct mpc_share **d = calloc(all, sizeof *d);
    struct mpc_share **minus = calloc(count, sizeof *minus);
    unsigned *widths = calloc(all, sizeof *widths);
    fm_status status = FM_OK;

    if (d == NULL || minus == NULL || widths == NULL)
        status = base_err_memory(err, "linked signs");
    for (size_t k = 0; status == FM_OK && k < count; k++) {
        d[2 * k] = x[k];
        widths[2 * k] = width[k];
        if (k + 1 == count)
            break;
        status = mpc_ring_new(&minus[k], x[k]->session, x[k]->n, MPC_RANGE_FULL, err);
        if (status == FM_OK)
            x[k]->session->row->scale(x[k]->session, minus[k], x[k], UINT64_MAX);
        d[2 * k + 1] = minus[k];
        widths[2 * k + 1] = width[k];
    }
    if (status == FM_OK)
        status = mpc_msb_list(sign, d, widths, all, err);
    if (minus != NULL)
        mpc_share_free_all(minus, count);
    free(d);
    free(minus);
    free(widths);
    return status;
}

/* below = less ^ (neither less nor greater, & below). */
static fm_status combine(struct mpc_share **below, const struct mpc_share *less,
                         const struct mpc_share *greater, struct base_err *err)
{
    struct mpc_share *t[4] = {NULL};
    fm_status status = mpc_xor(&t[0], less, greater, err);

    if (status == FM_OK)
        status = mpc_not(&t[1], t[0], err);
    if (status == FM_OK)
        status = mpc_and(&t[2], t[1], *below, err);
    if (status == FM_OK)
        status = mpc_xor(&t[3], less, t[2], err);
    if (status == FM_OK) {
        mpc_share_free(*below);
        *below = t[3];
        t[3] = NULL;
    }
    mpc_share_free_all(t, 4);
    return status;
}

fm_status mpc_msb_linked_by_signs(struct mpc_session *s, struct mpc_share *z,
                                  const struct mpc_share *const *x, const unsigned *width,
                                  size_t count, struct base_err *err)
{
    struct mpc_share **sign = calloc(2 * count, sizeof *sign);
    size_t last = 2 * count - 2;
    fm_status status;

    if (sign == NULL)
        return base_err_memory(err, "linked signs");
    status = signs(sign, x, width, count, err);
    for (size_t k = count - 1; status == FM_OK && k > 0; k--)
        status = combine(&sign[last], sign[2 * k - 2], sign[2 * k - 1], err);
    if (status == FM_OK) {
        s->row->zero(s, z);
        s->row->place(s, z, 0, sign[last], 0, z->n);
    }
    mpc_share_free_all(sign, 2 * count);
    free(sign);
    return status;
}
