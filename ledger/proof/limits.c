#include "ledger/proof/limits.h"

#include <string.h>

#include "base/json.h"

static const struct {
    const char *name;
    int64_t least, greatest;
} limits_known[] = {
    {"tx_bytes", 4096, 1 << 22},
    {"block_txs", 1, 100000},
    {"block_bytes", 4096, 1 << 28},
    {"not_after_ms", 1000, 86400000},
    {"refused_per_day", 0, 1000000},
    {"open_queries", 1, 1000},
    {"unreceipted_queries", 1, 1000},
    {"consent_uses", 1, 1000000},
    {"deadline_ms", 1000, 30 * 86400000LL},
    {"minimum_group", 1, 1000000},
};
#define N_LIMITS (sizeof limits_known / sizeof limits_known[0])

static fm_status check(const json_t *limits, enum ledger_limits_which which, struct base_err *err)
{
    const char *names[N_LIMITS + 1] = {NULL};
    int64_t value;

    for (size_t i = 0; i < N_LIMITS; i++) {
        fm_status st;

        names[i] = limits_known[i].name;
        if (which == LEDGER_LIMITS_SOME && json_object_get(limits, names[i]) == NULL)
            continue;
        st = base_json_get_int(&value, limits, names[i], err);
        if (st != FM_OK)
            return st;
        if (value < limits_known[i].least || value > limits_known[i].greatest)
            return base_err_set(err, FM_E_INPUT, "member '%s' must be %lld to %lld", names[i],
                                (long long)limits_known[i].least,
                                (long long)limits_known[i].greatest);
    }
    if (json_object_size(limits) == 0)
        return base_err_set(err, FM_E_INPUT, "names no limit");
    return base_json_only(limits, names, err);
}

fm_status ledger_limits_check(const json_t *limits, enum ledger_limits_which which,
                              struct base_err *err)
{
    fm_status st = check(limits, which, err);

    if (st == FM_OK && which == LEDGER_LIMITS_ALL && !ledger_limits_agree(limits))
        st = base_err_set(err, FM_E_INPUT, "member 'block_bytes' must not be below tx_bytes");
    return st == FM_OK ? FM_OK : base_err_prefix(err, "limits");
}

bool ledger_limits_agree(const json_t *limits)
{
    return json_integer_value(json_object_get(limits, "block_bytes")) >=
           json_integer_value(json_object_get(limits, "tx_bytes"));
}
