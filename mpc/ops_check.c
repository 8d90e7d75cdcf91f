#include "mpc/ops_check.h"

#include "mpc/share.h"

static const char *domain_name(enum mpc_domain domain)
{
    return domain == MPC_RING64 ? "ring" : "bits";
}

fm_status mpc_check_domain(const struct mpc_share *x, enum mpc_domain domain, const char *what,
                           struct base_err *err)
{
    if (x->domain != domain)
        return base_err_set(err, FM_E_ARG, "%s: takes a %s column, not %s", what,
                            domain_name(domain), domain_name(x->domain));
    return FM_OK;
}

fm_status mpc_check_pair(const struct mpc_share *x, const struct mpc_share *y,
                         enum mpc_domain domain, const char *what, struct base_err *err)
{
    fm_status status = mpc_check_domain(x, domain, what, err);

    if (status == FM_OK)
        status = mpc_check_domain(y, domain, what, err);
    if (status != FM_OK)
        return status;
    if (x->session != y->session)
        return base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
    if (x->n != y->n)
        return base_err_set(err, FM_E_ARG, "%s: lengths %zu and %zu differ", what, x->n, y->n);
    return FM_OK;
}

fm_status mpc_check_list(const struct mpc_share *const *x, size_t count, const char *what,
                         struct base_err *err)
{
    if (count == 0 || count > MPC_MAX_LIST)
        return base_err_set(err, FM_E_ARG, "%s: a list of %zu columns: 1 to %d", what, count,
                            MPC_MAX_LIST);
    for (size_t i = 1; i < count; i++)
        if (x[i]->session != x[0]->session)
            return base_err_set(err, FM_E_ARG, "%s: column %zu is of another session", what, i);
    return FM_OK;
}
