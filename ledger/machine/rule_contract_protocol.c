/* What a contract says of its protocol (format.md section 3): which one, who computes, and what
 * that protocol alone needs. Numbers of a key are for the nodes, which read them. */
#include "base/json.h"
#include "ledger/machine/contract_shape.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/shape.h"

#define PUBLIC_MAX 65536 /* bytes of a key's public part, as text */

static fm_status bad(struct base_err *err, const char *name, const char *what)
{
    return base_err_set(err, FM_E_INPUT, "member '%s' %s", name, what);
}

static fm_status none_of(const json_t *contract, const char *const *names, const char *protocol,
                         struct base_err *err)
{
    for (; *names != NULL; names++)
        if (json_object_get(contract, *names) != NULL)
            return base_err_set(err, FM_E_INPUT, "member '%s' is nothing that %s has", *names,
                                protocol);
    return FM_OK;
}

static bool provides(const json_t *contract, const char *alias)
{
    const json_t *tables = json_object_get(contract, "tables");
    size_t i;

    for (i = 0; i < json_array_size(tables); i++)
        if (ledger_text_is(json_array_get(tables, i), "provider", alias))
            return true;
    return false;
}

static fm_status check_rep3(const json_t *contract, struct base_err *err)
{
    static const char *const none[] = {"key", "contributors", NULL};

    if (!ledger_is_names(json_object_get(contract, "compute"), 3))
        return bad(err, "compute", "must be three different aliases");
    return none_of(contract, none, "rep3", err);
}

/* ---- aggregate ---- */

static fm_status check_public(const json_t *key, struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, key, "public", err);

    if (st == FM_OK &&
        (text[0] == '\0' || json_string_length(json_object_get(key, "public")) > PUBLIC_MAX))
        st = bad(err, "public", "must be a key's public part");
    return st;
}

static fm_status check_key(const json_t *contract, struct base_err *err)
{
    static const struct ledger_member members[] = {
        {"bits", LEDGER_IS_COUNT, false},      {"dealer", LEDGER_IS_TEXT, false},
        {"kind", LEDGER_IS_NAME, false},       {"parties", LEDGER_IS_ALIASES, false},
        {"threshold", LEDGER_IS_COUNT, false}, {NULL, LEDGER_IS_TEXT, false}};
    json_t *key, *bare;
    fm_status st = base_json_get_object(&key, contract, "key", err);

    if (st == FM_OK)
        st = check_public(key, err);
    if (st != FM_OK)
        return st;
    bare = json_copy(key);
    if (bare == NULL)
        return base_err_memory(err, "contract");
    (void)json_object_del(bare, "public");
    st = ledger_shape_check(bare, members, err);
    json_decref(bare);
    if (st == FM_OK && !ledger_text_is(key, "kind", "threshold"))
        st = bad(err, "kind", "must be threshold");
    return st == FM_OK ? st : base_err_prefix(err, "key");
}

/* Decryptors hold shares, and are enough to decrypt. */
static fm_status check_decryptors(const json_t *contract, struct base_err *err)
{
    const json_t *compute = json_object_get(contract, "compute");
    const json_t *key = json_object_get(contract, "key");
    size_t i;

    if (!ledger_is_names(compute, 0) || json_array_size(compute) < 2)
        return bad(err, "compute", "must be different aliases, at least two");
    for (i = 0; i < json_array_size(compute); i++)
        if (!ledger_names_has(json_object_get(key, "parties"),
                              json_string_value(json_array_get(compute, i))))
            return base_err_set(err, FM_E_INPUT,
                                "member 'compute' names %s, which has no share of the key",
                                json_string_value(json_array_get(compute, i)));
    if ((int64_t)json_array_size(compute) < ledger_int(key, "threshold"))
        return base_err_set(
            err, FM_E_INPUT,
            "member 'compute' names %zu of the key's parties, decryption takes %lld",
            json_array_size(compute), (long long)ledger_int(key, "threshold"));
    return FM_OK;
}

static fm_status check_aggregate(const json_t *contract, struct base_err *err)
{
    int64_t contributors;
    fm_status st = check_key(contract, err);

    if (st == FM_OK)
        st = check_decryptors(contract, err);
    if (st == FM_OK)
        st = base_json_get_int(&contributors, contract, "contributors", err);
    if (st == FM_OK && contributors < 1)
        st = bad(err, "contributors", "must be at least 1");
    if (st == FM_OK && contributors > (int64_t)json_array_size(json_object_get(contract, "tables")))
        st = base_err_set(
            err, FM_E_INPUT, "member 'contributors' asks for %lld, the contract has %zu tables",
            (long long)contributors, json_array_size(json_object_get(contract, "tables")));
    return st;
}

/* ---- psi-sum ---- */

static fm_status check_psi_sum(const json_t *contract, struct base_err *err)
{
    static const char *const none[] = {"key", "contributors", NULL};
    const json_t *compute = json_object_get(contract, "compute");
    size_t i;

    if (!ledger_is_names(compute, 2))
        return bad(err, "compute", "must be two different aliases");
    for (i = 0; i < 2; i++)
        if (!provides(contract, json_string_value(json_array_get(compute, i))))
            return base_err_set(err, FM_E_INPUT,
                                "member 'compute' names %s, which provides no table: psi-sum is "
                                "between two providers",
                                json_string_value(json_array_get(compute, i)));
    return none_of(contract, none, "psi-sum", err);
}

fm_status ledger_contract_check_protocol(const json_t *contract, uint32_t rules_version,
                                         struct base_err *err)
{
    if (ledger_text_is(contract, "protocol", "rep3"))
        return check_rep3(contract, err);
    if (rules_version >= LEDGER_PROTOCOLS_SINCE &&
        ledger_text_is(contract, "protocol", "aggregate"))
        return check_aggregate(contract, err);
    if (rules_version >= LEDGER_PROTOCOLS_SINCE && ledger_text_is(contract, "protocol", "psi-sum"))
        return check_psi_sum(contract, err);
    return bad(err, "protocol",
               rules_version >= LEDGER_PROTOCOLS_SINCE ? "must be rep3, aggregate or psi-sum"
                                                       : "must be rep3");
}
