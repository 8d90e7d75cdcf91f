/* The shape of a contract (format.md section 3): every member there, none unknown, each of its type
 * and fitting the others. Errors are FM_E_INPUT and name the member. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/machine/contract_shape.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/shape.h"

#define LEDGER_COLUMNS_MAX 1024 /* of one provider, in one contract */

static fm_status bad(struct base_err *err, const char *name, const char *what)
{
    return base_err_set(err, FM_E_INPUT, "member '%s' %s", name, what);
}

static fm_status check_text(const json_t *object, const char *name, size_t max,
                            struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, object, name, err);

    if (st == FM_OK && (text[0] == '\0' || strlen(text) > max))
        return base_err_set(err, FM_E_INPUT, "member '%s' must have 1 to %zu bytes", name, max);
    return st;
}

static fm_status check_int(const json_t *object, const char *name, int64_t least,
                           struct base_err *err)
{
    int64_t value;
    fm_status st = base_json_get_int(&value, object, name, err);

    if (st == FM_OK && value < least)
        return base_err_set(err, FM_E_INPUT, "member '%s' must be at least %lld", name,
                            (long long)least);
    return st;
}

static fm_status check_name(const json_t *object, const char *name, struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, object, name, err);

    return st == FM_OK && !ledger_is_name(text)
               ? bad(err, name, "must be [a-z][a-z0-9_]*, at most 32")
               : st;
}

static const struct ledger_member table_members[] = {
    {"table", LEDGER_IS_TEXT, false},
    {"provider", LEDGER_IS_ALIAS, false},
    {"did", LEDGER_IS_DID, false},
    {"dataset", LEDGER_IS_NAME, false},
    {"schema_version", LEDGER_IS_COUNT, false},
    {"schema_hash", LEDGER_IS_HASH, false},
    {NULL, LEDGER_IS_TEXT, false},
};

static const struct ledger_member column_members[] = {
    {"column", LEDGER_IS_TEXT, false},
    {"uses", LEDGER_IS_ARRAY, false},
    {NULL, LEDGER_IS_TEXT, false},
};

static fm_status check_tables(const json_t *contract, struct base_err *err)
{
    json_t *tables;
    size_t i, j;
    fm_status st = base_json_get_array(&tables, contract, "tables", err);

    if (st == FM_OK && json_array_size(tables) == 0)
        return bad(err, "tables", "must not be empty");
    if (st == FM_OK)
        st = ledger_shape_check_items(tables, "tables", LEDGER_TABLES_MAX, table_members, err);
    for (i = 0; st == FM_OK && i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);

        for (j = 0; j < i; j++) {
            const json_t *other = json_array_get(tables, j);

            if (ledger_text_is(other, "table", ledger_text(table, "table")) &&
                ledger_text_is(other, "provider", ledger_text(table, "provider")))
                return bad(err, "tables", "has the same table of the same provider twice");
        }
    }
    return st;
}

static fm_status check_parameters(const json_t *contract, struct base_err *err)
{
    static const char *const members[] = {"name", "type", "range", "hidden", "subject", NULL};
    json_t *parameters;
    char name[24];
    bool flag;
    size_t i;
    fm_status st = base_json_get_array(&parameters, contract, "parameters", err);

    if (st == FM_OK && json_array_size(parameters) > 64)
        return bad(err, "parameters", "must have at most 64 entries");
    for (i = 0; st == FM_OK && i < json_array_size(parameters); i++) {
        const json_t *p = json_array_get(parameters, i);

        if (!json_is_object(p))
            return bad(err, "parameters", "must hold objects");
        (void)snprintf(name, sizeof name, "$%zu", i + 1);
        st = base_json_only(p, members, err);
        if (st == FM_OK && !ledger_text_is(p, "name", name))
            st = bad(err, "name", "must be $1, $2, ... in order");
        if (st == FM_OK)
            st = check_text(p, "type", 64, err);
        if (st == FM_OK)
            st = base_json_get_bool(&flag, p, "hidden", err);
        if (st == FM_OK)
            st = base_json_get_bool(&flag, p, "subject", err);
        if (st != FM_OK)
            return base_err_prefix(err, "parameters[%zu]", i);
    }
    return st;
}

static fm_status check_modes(const json_t *consent, struct base_err *err)
{
    static const char *const known[] = {"attested", "mandate", "signed"};
    json_t *modes;
    size_t i, k = 0;
    fm_status st = base_json_get_array(&modes, consent, "modes", err);

    if (st != FM_OK)
        return st;
    for (i = 0; i < json_array_size(modes); i++) {
        const char *mode = json_string_value(json_array_get(modes, i));

        while (k < 3 && (mode == NULL || strcmp(known[k], mode) != 0))
            k++;
        if (k++ == 3)
            break;
    }
    if (i == 0 || i < json_array_size(modes))
        return bad(err, "modes",
                   "must list attested, mandate, signed, in this order, at least one");
    return FM_OK;
}

static fm_status check_consent(const json_t *contract, struct base_err *err)
{
    static const char *const none_members[] = {"requirement", "basis", NULL};
    static const char *const subject_members[] = {"requirement", "parameter", "modes", NULL};
    json_t *consent;
    const json_t *parameter;
    int64_t n;
    fm_status st = base_json_get_object(&consent, contract, "consent", err);

    if (st != FM_OK)
        return st;
    if (ledger_text_is(consent, "requirement", "none")) {
        st = base_json_only(consent, none_members, err);
        return st == FM_OK ? check_text(consent, "basis", 1024, err) : st;
    }
    if (!ledger_text_is(consent, "requirement", "subject"))
        return bad(err, "requirement", "must be none or subject");
    st = base_json_only(consent, subject_members, err);
    if (st == FM_OK)
        st = base_json_get_int(&n, consent, "parameter", err);
    if (st != FM_OK)
        return st;
    parameter =
        n >= 1 ? json_array_get(json_object_get(contract, "parameters"), (size_t)n - 1) : NULL;
    if (!json_is_true(json_object_get(parameter, "subject")))
        return bad(err, "parameter", "must be the number of a parameter that is a subject");
    return check_modes(consent, err);
}

static bool is_use(const char *use)
{
    static const char *const known[] = {"filter",    "join",    "group", "aggregate", "condition",
                                        "parameter", "extreme", "order", "reveal"};
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (use != NULL && strcmp(known[i], use) == 0)
            return true;
    return false;
}

static fm_status check_uses_of(const json_t *columns, struct base_err *err)
{
    size_t i, j;
    fm_status st;

    if (!json_is_array(columns))
        return bad(err, "uses", "must hold an array per provider");
    st = ledger_shape_check_items(columns, "uses", LEDGER_COLUMNS_MAX, column_members, err);
    for (i = 0; st == FM_OK && i < json_array_size(columns); i++) {
        const json_t *uses = json_object_get(json_array_get(columns, i), "uses");

        for (j = 0; j < json_array_size(uses); j++)
            if (!is_use(json_string_value(json_array_get(uses, j))))
                return bad(err, "uses", "names a use that does not exist");
    }
    return st;
}

/* Exactly the providers have uses. */
static fm_status check_uses(const json_t *contract, struct base_err *err)
{
    const json_t *tables = json_object_get(contract, "tables");
    json_t *uses;
    const char *alias;
    json_t *columns;
    size_t i;
    fm_status st = base_json_get_object(&uses, contract, "uses", err);

    if (st != FM_OK)
        return st;
    for (i = 0; i < json_array_size(tables); i++)
        if (json_object_get(uses, ledger_text(json_array_get(tables, i), "provider")) == NULL)
            return bad(err, "uses", "must have an entry for every provider");
    json_object_foreach(uses, alias, columns)
    {
        for (i = 0; i < json_array_size(tables); i++)
            if (ledger_text_is(json_array_get(tables, i), "provider", alias))
                break;
        if (i == json_array_size(tables))
            return bad(err, "uses", "has an entry for somebody who is no provider");
        st = check_uses_of(columns, err);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

static fm_status check_plan(const json_t *contract, struct base_err *err)
{
    uint8_t said[32], is[32];
    json_t *plan;
    fm_status st = base_json_get_hex(said, sizeof said, contract, "plan_hash", err);

    if (st == FM_OK)
        st = base_json_get_object(&plan, contract, "plan", err);
    if (st == FM_OK)
        st = base_json_hash(is, plan, err);
    if (st == FM_OK && memcmp(said, is, sizeof said) != 0)
        st = bad(err, "plan_hash", "is not the hash of the plan");
    return st;
}

/* What lies between the compute parties; absent: lan. */
static fm_status check_link(const json_t *contract, struct base_err *err)
{
    return json_object_get(contract, "link") == NULL || ledger_text_is(contract, "link", "lan") ||
                   ledger_text_is(contract, "link", "metro") ||
                   ledger_text_is(contract, "link", "wan")
               ? FM_OK
               : bad(err, "link", "must be lan, metro or wan");
}

/* Version 1 had one protocol, asked for it here, and knew no link. */
static fm_status check_way(const json_t *contract, uint32_t rules_version, struct base_err *err)
{
    return rules_version < LEDGER_PROTOCOLS_SINCE
               ? ledger_contract_check_protocol(contract, rules_version, err)
               : check_link(contract, err);
}

static fm_status check_head(const json_t *contract, uint32_t rules_version, struct base_err *err)
{
    int64_t format;
    fm_status st = base_json_get_int(&format, contract, "format", err);

    if (st == FM_OK && format != 1)
        st = bad(err, "format", "must be 1");
    if (st == FM_OK)
        st = check_text(contract, "name", 128, err);
    if (st == FM_OK)
        st = check_int(contract, "version", 1, err);
    if (st == FM_OK)
        st = check_name(contract, "asker", err);
    if (st == FM_OK)
        st = check_text(contract, "purpose", 256, err);
    if (st == FM_OK)
        st = check_text(contract, "sql", 65536, err);
    if (st == FM_OK)
        st = check_way(contract, rules_version, err);
    if (st == FM_OK && !ledger_is_names(json_object_get(contract, "recipients"), 0))
        st = bad(err, "recipients", "must be different aliases, at least one");
    if (st == FM_OK)
        st = check_int(contract, "minimum_group", 1, err);
    if (st == FM_OK)
        st = check_int(contract, "expires", 1, err);
    return st;
}

fm_status ledger_contract_check_shape(const json_t *contract, uint32_t rules_version,
                                      struct base_err *err)
{
    /* The last three are of version 2. */
    static const char *const all[] = {
        "format",   "name",         "version",    "asker",  "purpose",    "sql",
        "protocol", "compute",      "recipients", "tables", "parameters", "minimum_group",
        "consent",  "expires",      "plan_hash",  "plan",   "uses",       "link",
        "key",      "contributors", NULL};
    enum { FIRST_MEMBERS = 17 };
    const char *first[FIRST_MEMBERS + 1] = {NULL};
    struct ledger_parties parties;
    fm_status st;

    memcpy(first, all, FIRST_MEMBERS * sizeof *first);
    st = base_json_only(contract, rules_version < LEDGER_PROTOCOLS_SINCE ? first : all, err);
    if (st == FM_OK)
        st = check_head(contract, rules_version, err);
    if (st == FM_OK)
        st = check_tables(contract, err);
    if (st == FM_OK && rules_version >= LEDGER_PROTOCOLS_SINCE)
        st = ledger_contract_check_protocol(contract, rules_version, err);
    if (st == FM_OK)
        st = check_parameters(contract, err);
    if (st == FM_OK)
        st = check_consent(contract, err);
    if (st == FM_OK)
        st = check_plan(contract, err);
    if (st == FM_OK)
        st = check_uses(contract, err);
    if (st == FM_OK && !ledger_parties_of(&parties, contract))
        st = base_err_set(err, FM_E_INPUT, "the contract names more than %d members",
                          LEDGER_PARTIES_MAX);
    return st;
}
