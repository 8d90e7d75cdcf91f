#include "exchange/contract/compile.h"
#include "exchange/sql/bind/compile.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/contract/protocol.h"
#include "exchange/contract/subject.h"
#include "exchange/contract/uses.h"
#include "exchange/sql/physical/physical.h"
#include "exchange/sql/plan/uses.h"

enum { DEFAULT_MINIMUM_GROUP = 5 };
#define DEFAULT_VALID_MS (365LL * 86400000)

/* ---- the catalog: what the ledger says of datasets ---- */

static fm_status add_dataset(json_t *list, const char *key, const json_t *value,
                             struct base_err *err)
{
    const char *slash = strchr(key, '/');
    json_t *schema = json_object_get(value, "schema"), *entry;

    if (slash == NULL || !json_is_object(schema))
        return base_err_set(err, FM_E_INPUT, "dataset %s: no schema", key);
    entry = json_copy(schema);
    if (json_object_set_new(entry, "member", json_stringn(key, (size_t)(slash - key))) != 0 ||
        json_object_set_new(entry, "name", json_string(slash + 1)) != 0) {
        json_decref(entry);
        return base_err_memory(err, "catalog");
    }
    return json_array_append_new(list, entry) == 0 ? FM_OK : base_err_memory(err, "catalog");
}

static fm_status read_catalog(struct sql_catalog *out, const json_t *datasets, struct base_err *err)
{
    json_t *list = json_array(), *root = json_pack("{s:o}", "datasets", list);
    const char *key;
    json_t *value;
    fm_status st = root != NULL ? FM_OK : base_err_memory(err, "catalog");

    json_object_foreach((json_t *)(uintptr_t)datasets, key, value) if (st == FM_OK) st =
        add_dataset(list, key, value, err);
    if (st == FM_OK)
        st = sql_catalog_from_json(out, root, err);
    json_decref(root);
    return st;
}

/* ---- what the compiler is asked ---- */

struct asked {
    struct sql_request request;
    const char *recipients[CONTRACT_MAX_RECIPIENTS];
    struct sql_param_decl params[CONTRACT_MAX_PARAMETERS];
    char range_text[CONTRACT_MAX_PARAMETERS][2][32];
};

/* A bound of a range: an integer, or a string with a decimal or a date. */
static fm_status range_bound(const char **out, char text[32], const json_t *range, size_t i,
                             struct base_err *err)
{
    const json_t *bound = json_array_get(range, i);

    if (json_is_string(bound))
        *out = json_string_value(bound);
    else if (json_is_integer(bound)) {
        (void)snprintf(text, 32, "%lld", (long long)json_integer_value(bound));
        *out = text;
    } else
        return base_err_set(err, FM_E_INPUT, "member 'range' must be [least, greatest]");
    return FM_OK;
}

static fm_status ask_parameter(struct asked *a, size_t i, const json_t *item, struct base_err *err)
{
    struct sql_param_decl *p = &a->params[i];
    const json_t *range = json_object_get(item, "range");

    *p = (struct sql_param_decl){.hidden = json_is_true(json_object_get(item, "hidden"))};
    if (base_json_get_str(&p->type, item, "type", err) != FM_OK)
        return err->code;
    if (range == NULL)
        return FM_OK;
    if (json_array_size(range) != 2)
        return base_err_set(err, FM_E_INPUT, "member 'range' must be [least, greatest]");
    if (range_bound(&p->least, a->range_text[i][0], range, 0, err) != FM_OK)
        return err->code;
    return range_bound(&p->greatest, a->range_text[i][1], range, 1, err);
}

/* Fills the request from the members that a specification and a contract have in common. */
static fm_status ask(struct asked *a, const json_t *from, const struct sql_catalog *catalog,
                     int64_t minimum, struct base_err *err)
{
    json_t *recipients, *item;
    const json_t *parameters = json_object_get(from, "parameters");
    size_t i;

    *a = (struct asked){.request = {.catalog = catalog, .minimum = minimum}};
    if (base_json_get_str(&a->request.text, from, "sql", err) != FM_OK ||
        base_json_get_array(&recipients, from, "recipients", err) != FM_OK)
        return err->code;
    if (json_array_size(recipients) == 0 || json_array_size(recipients) > CONTRACT_MAX_RECIPIENTS ||
        json_array_size(parameters) > CONTRACT_MAX_PARAMETERS)
        return base_err_set(err, FM_E_LIMIT,
                            "a contract has 1 to %d recipients and at most %d parameters",
                            CONTRACT_MAX_RECIPIENTS, CONTRACT_MAX_PARAMETERS);
    json_array_foreach(recipients, i, item)
    {
        if (!json_is_string(item))
            return base_err_set(err, FM_E_INPUT, "member 'recipients' must hold aliases");
        a->recipients[i] = json_string_value(item);
    }
    json_array_foreach((json_t *)(uintptr_t)parameters, i,
                       item) if (ask_parameter(a, i, item, err) !=
                                 FM_OK) return base_err_prefix(err, "parameter %zu", i + 1);
    a->request.len = strlen(a->request.text);
    a->request.recipients = a->recipients;
    a->request.recipient_count = json_array_size(recipients);
    a->request.params = a->params;
    a->request.param_count = json_array_size(parameters);
    return FM_OK;
}

fm_status contract_plan(struct sql_plan *plan, const json_t *from, int64_t minimum,
                        const json_t *datasets, struct base_err *err)
{
    struct sql_catalog catalog;
    struct asked a;
    fm_status st = read_catalog(&catalog, datasets, err);

    if (st != FM_OK)
        return st;
    st = ask(&a, from, &catalog, minimum, err);
    if (st == FM_OK)
        st = sql_plan_compile(plan, &a.request, err);
    sql_catalog_release(&catalog);
    return st;
}

/* ---- consent ---- */

/* "none" leaves the subjects to the minimum group; "subject" must keep to the one that consented.
 * Anything else this program does not know how to honour. */
static fm_status check_consent(const struct sql_plan *plan, const json_t *from,
                               const json_t *datasets, struct base_err *err)
{
    const char *requirement;
    json_t *consent;
    int64_t n;

    if (base_json_get_object(&consent, from, "consent", err) != FM_OK ||
        base_json_get_str(&requirement, consent, "requirement", err) != FM_OK)
        return base_err_prefix(err, "consent");
    if (strcmp(requirement, "none") == 0)
        return FM_OK;
    if (strcmp(requirement, "subject") != 0)
        return base_err_set(err, FM_E_REFUSED, "consent: requirement must be none or subject");
    if (base_json_get_int(&n, consent, "parameter", err) != FM_OK)
        return base_err_prefix(err, "consent");
    return contract_subject_check(plan, datasets, n, err);
}

/* ---- building ---- */

/* A dataset that the text mentions twice is one table of the contract. */
static bool is_mentioned(const struct sql_plan *plan, size_t source)
{
    for (size_t i = 0; i < source; i++) {
        if (strcmp(plan->sources[i].member, plan->sources[source].member) == 0 &&
            strcmp(plan->sources[i].dataset, plan->sources[source].dataset) == 0)
            return true;
    }
    return false;
}

static fm_status tables_of(json_t **out, const struct sql_plan *plan, const json_t *datasets,
                           const json_t *dids, struct base_err *err)
{
    *out = json_array();
    for (size_t i = 0; i < plan->source_count; i++) {
        const struct sql_source *s = &plan->sources[i];
        const char *table = plan->tables[s->table].name;
        char key[160];
        const json_t *value, *did = json_object_get(dids, s->member);
        if (is_mentioned(plan, i))
            continue;
        (void)snprintf(key, sizeof key, "%s/%s", s->member, s->dataset);
        value = json_object_get(datasets, key);
        if (value == NULL || did == NULL ||
            json_array_append_new(*out,
                                  json_pack("{s:s,s:s,s:O,s:s,s:I,s:O}", "table", table, "provider",
                                            s->member, "did", did, "dataset", s->dataset,
                                            "schema_version", (json_int_t)s->version, "schema_hash",
                                            json_object_get(value, "schema_hash"))) != 0)
            return base_err_set(err, FM_E_NOT_FOUND, "dataset %s: not on the ledger", key);
    }
    return FM_OK;
}

/* Parameters with every member present, as the ledger wants them. */
static json_t *full_parameters(const json_t *spec)
{
    json_t *out = json_array(), *item;
    size_t i;

    json_array_foreach(json_object_get(spec, "parameters"), i, item)
    {
        json_t *p = json_copy(item);
        bool whole = p != NULL &&
                     (json_object_get(p, "hidden") != NULL ||
                      json_object_set_new(p, "hidden", json_false()) == 0) &&
                     (json_object_get(p, "subject") != NULL ||
                      json_object_set_new(p, "subject", json_false()) == 0);
        if (json_array_append_new(out, p) != 0 || !whole) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static fm_status check_spec(const json_t *spec, int64_t *minimum, int64_t *version,
                            int64_t *valid_ms, struct base_err *err)
{
    static const char *const names[] = {"name",    "version",      "purpose",    "sql",
                                        "compute", "recipients",   "parameters", "minimum_group",
                                        "consent", "valid_ms",     "link",       "protocol",
                                        "key",     "contributors", NULL};
    const char *text;
    json_t *list;

    if (!json_is_object(spec))
        return base_err_set(err, FM_E_INPUT, "must be a JSON object");
    if (base_json_only(spec, names, err) != FM_OK ||
        base_json_get_str(&text, spec, "name", err) != FM_OK ||
        base_json_get_str(&text, spec, "purpose", err) != FM_OK ||
        base_json_get_array(&list, spec, "compute", err) != FM_OK ||
        base_json_get_object(&list, spec, "consent", err) != FM_OK ||
        contract_link(&text, spec, err) != FM_OK ||
        (json_object_get(spec, "minimum_group") != NULL &&
         base_json_get_int(minimum, spec, "minimum_group", err) != FM_OK) ||
        (json_object_get(spec, "version") != NULL &&
         base_json_get_int(version, spec, "version", err) != FM_OK) ||
        (json_object_get(spec, "valid_ms") != NULL &&
         base_json_get_int(valid_ms, spec, "valid_ms", err) != FM_OK))
        return err->code;
    return FM_OK;
}

enum { DEFAULT_CONTRIBUTORS = 2 };

/* What a protocol other than rep3 has beside. */
static bool add_protocol(json_t *contract, const json_t *spec, const char *protocol)
{
    json_t *contributors = json_object_get(spec, "contributors"),
           *key = json_object_get(spec, "key");

    if (strcmp(protocol, "aggregate") == 0 && contributors == NULL &&
        json_object_set_new(contract, "contributors", json_integer(DEFAULT_CONTRIBUTORS)) != 0)
        return false;
    return (contributors == NULL || json_object_set(contract, "contributors", contributors) == 0) &&
           (key == NULL || json_object_set(contract, "key", key) == 0);
}

static fm_status assemble(json_t **out, const json_t *spec, const struct sql_plan *plan,
                          json_t *const parts[2], int64_t minimum, int64_t version, int64_t expires,
                          const char *asker, struct base_err *err)
{
    json_t *plan_json = NULL, *parameters = full_parameters(spec);
    uint8_t hash[32];
    char hash_hex[65];
    const char *link = NULL, *protocol = NULL;
    fm_status st = parameters != NULL
                       ? sql_plan_json(&plan_json, plan, err)
                       : base_err_set(err, FM_E_INPUT, "member 'parameters' must hold objects");

    if (st == FM_OK)
        st = base_json_hash(hash, plan_json, err);
    /* Said only where the specification says it: rules version 1 knows no link. */
    if (st == FM_OK && json_object_get(spec, "link") != NULL)
        st = contract_link(&link, spec, err);
    if (st == FM_OK)
        st = contract_protocol_of(&protocol, spec, err);
    if (st == FM_OK) {
        base_hex(hash_hex, hash, 32);
        *out = json_pack(
            "{s:i,s:O,s:I,s:s,s:O,s:O,s:s,s:s*,s:O,s:O,s:O,s:O,s:I,s:O,s:I,s:s,s:O,s:O}", "format",
            1, "name", json_object_get(spec, "name"), "version", (json_int_t)version, "asker",
            asker, "purpose", json_object_get(spec, "purpose"), "sql", json_object_get(spec, "sql"),
            "protocol", protocol, "link", link, "compute", json_object_get(spec, "compute"),
            "recipients", json_object_get(spec, "recipients"), "tables", parts[0], "parameters",
            parameters, "minimum_group", (json_int_t)minimum, "consent",
            json_object_get(spec, "consent"), "expires", (json_int_t)expires, "plan_hash", hash_hex,
            "plan", plan_json, "uses", parts[1]);
        if (*out == NULL || !add_protocol(*out, spec, protocol))
            st = base_err_memory(err, "contract");
    }
    json_decref(plan_json);
    json_decref(parameters);
    return st;
}

/* As every node will. */
static fm_status check_built(json_t **built, const struct sql_plan *plan, struct base_err *err)
{
    struct contract c = {0};
    fm_status st = contract_parse(&c, *built, err);

    if (st == FM_OK)
        st = contract_protocol_check(&c, plan, err);
    contract_release(&c);
    if (st != FM_OK) {
        json_decref(*built);
        *built = NULL;
    }
    return st;
}

fm_status contract_build(json_t **out, const json_t *spec, const char *asker,
                         const json_t *datasets, const json_t *dids, int64_t now_ms,
                         struct base_err *err)
{
    int64_t minimum = DEFAULT_MINIMUM_GROUP, version = 1, valid_ms = DEFAULT_VALID_MS;
    json_t *parts[2] = {NULL, NULL}; /* tables, uses */
    struct sql_plan plan;
    fm_status st = check_spec(spec, &minimum, &version, &valid_ms, err);

    *out = NULL;
    if (st != FM_OK)
        return base_err_prefix(err, "contract specification");
    st = contract_plan(&plan, spec, minimum, datasets, err);
    if (st != FM_OK)
        return st;
    st = check_consent(&plan, spec, datasets, err);
    if (st == FM_OK)
        st = tables_of(&parts[0], &plan, datasets, dids, err);
    if (st == FM_OK)
        st = contract_uses_by_member(&parts[1], &plan, err);
    if (st == FM_OK)
        st = assemble(out, spec, &plan, parts, minimum, version, now_ms + valid_ms, asker, err);
    if (st == FM_OK)
        st = check_built(out, &plan, err);
    json_decref(parts[0]);
    json_decref(parts[1]);
    sql_plan_release(&plan);
    return st;
}

/* ---- comparing ---- */

/* The contract's own tables out of all datasets, each as the contract pins it. */
static fm_status pinned(json_t **out, const struct contract *c, const json_t *datasets,
                        struct base_err *err)
{
    *out = json_object();
    for (unsigned i = 0; i < c->table_count; i++) {
        const struct contract_table *t = &c->tables[i];
        uint8_t hash[32];
        char key[160];
        json_t *value;
        (void)snprintf(key, sizeof key, "%s/%s", t->provider, t->dataset);
        value = json_object_get(datasets, key);
        if (value == NULL || base_json_get_hex(hash, 32, value, "schema_hash", err) != FM_OK ||
            memcmp(hash, t->schema_hash, 32) != 0)
            return base_err_set(
                err, FM_E_REFUSED,
                "dataset %s is no longer what the contract pins (schema version %lld)", key,
                (long long)t->schema_version);
        if (json_object_set(*out, key, value) != 0)
            return base_err_memory(err, "contract");
    }
    return FM_OK;
}

/* Exactly the plan's sources: a table more, or another one, and a provider could be led to put in
 * rows of a dataset that nobody was shown. */
static fm_status compare_tables(const struct sql_plan *plan, const struct contract *c,
                                struct base_err *err)
{
    bool same = true;
    size_t n = 0;

    for (size_t i = 0; same && i < plan->source_count; i++) {
        const struct contract_table *t = &c->tables[n];
        const struct sql_source *s = &plan->sources[i];
        if (is_mentioned(plan, i))
            continue;
        same = n++ < c->table_count && strcmp(t->table, plan->tables[s->table].name) == 0 &&
               strcmp(t->provider, s->member) == 0 && strcmp(t->dataset, s->dataset) == 0 &&
               t->schema_version == s->version;
    }
    if (!same || n != c->table_count)
        return base_err_set(err, FM_E_REFUSED, "the contract's tables are not those of its plan");
    return FM_OK;
}

static fm_status compare(const struct sql_plan *plan, const struct contract *c,
                         struct base_err *err)
{
    const json_t *format = json_object_get(json_object_get(c->json, "plan"), "format");
    uint8_t hash[32];
    json_t *uses = NULL;
    fm_status st = sql_plan_hash(hash, plan, err);

    if (st == FM_OK && json_integer_value(format) != SQL_PLAN_FORMAT)
        st = base_err_set(err, FM_E_REFUSED,
                          "the contract's plan is of format %lld, and this release makes plans of "
                          "format %d: draft the contract anew, and propose it",
                          (long long)json_integer_value(format), (int)SQL_PLAN_FORMAT);
    if (st == FM_OK && memcmp(hash, c->plan_hash, 32) != 0)
        st = base_err_set(err, FM_E_REFUSED,
                          "the contract's SQL does not compile to the plan that it names");
    if (st == FM_OK)
        st = compare_tables(plan, c, err);
    if (st == FM_OK)
        st = contract_uses_by_member(&uses, plan, err);
    if (st == FM_OK && !json_equal(uses, json_object_get(c->json, "uses")))
        st = base_err_set(err, FM_E_REFUSED, "the contract's uses are not those of its plan");
    json_decref(uses);
    return st;
}

/* Every party is told the parameters, the subject among them, and design.md section 8 lets
 * providers and compute parties know these, not those who only receive: so, until parties get
 * different openings, nobody only receives. */
static fm_status check_recipients(const struct contract *c, struct base_err *err)
{
    for (unsigned i = 0; i < c->recipient_count; i++) {
        const char *who = c->recipients[i];
        bool knows = strcmp(who, c->asker) == 0 || contract_is_provider(c, who);
        for (unsigned k = 0; k < c->compute_count; k++)
            knows = knows || strcmp(who, c->compute[k]) == 0;
        if (!knows)
            return base_err_set(
                err, FM_E_REFUSED,
                "recipient %s is neither asker, provider nor compute party: it would learn the "
                "query's parameters; make it one of these",
                who);
    }
    return FM_OK;
}

fm_status contract_compile(struct sql_plan *plan, const struct contract *contract,
                           const json_t *datasets, struct base_err *err)
{
    json_t *own = NULL;
    fm_status st = check_recipients(contract, err);

    if (st == FM_OK)
        st = pinned(&own, contract, datasets, err);

    if (st == FM_OK)
        st = contract_plan(plan, contract->json, contract->minimum_group, own, err);
    if (st == FM_OK) {
        st = compare(plan, contract, err);
        if (st == FM_OK)
            st = contract_protocol_check(contract, plan, err);
        if (st == FM_OK)
            st = check_consent(plan, contract->json, own, err);
        if (st != FM_OK)
            sql_plan_release(plan);
    }
    json_decref(own);
    return st;
}

fm_status contract_uses_of(const json_t **uses, uint8_t hash32[32], const struct contract *contract,
                           const char *alias, struct base_err *err)
{
    *uses = json_object_get(json_object_get(contract->json, "uses"), alias);
    if (*uses == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "%s provides no table of contract %s", alias,
                            contract->name);
    return base_json_hash(hash32, *uses, err);
}

fm_status contract_describe(struct base_buf *plan_text, struct base_buf *uses_text,
                            const struct sql_plan *plan, struct base_err *err)
{
    struct sql_uses uses;
    fm_status st = sql_uses_derive(&uses, plan, err);

    if (st != FM_OK)
        return st;
    sql_plan_print(plan_text, plan);
    sql_uses_print(uses_text, &uses);
    sql_uses_release(&uses);
    st = base_buf_status(plan_text, "plan", err);
    return st == FM_OK ? base_buf_status(uses_text, "uses", err) : st;
}
