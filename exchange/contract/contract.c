#include "exchange/contract/contract.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/opening.h"

static fm_status wrong(const char *what, size_t i, struct base_err *err)
{
    return base_err_prefix(err, "contract: %s %zu", what, i + 1);
}

static fm_status read_aliases(const char **out, size_t most, unsigned *count, const json_t *json,
                              const char *name, struct base_err *err)
{
    json_t *list, *item;
    size_t i;

    if (base_json_get_array(&list, json, name, err) != FM_OK)
        return base_err_prefix(err, "contract");
    if (json_array_size(list) > most)
        return base_err_set(err, FM_E_LIMIT, "contract: more than %zu %s", most, name);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item) || json_string_length(item) >= CONTRACT_ALIAS)
            return base_err_set(err, FM_E_INPUT, "contract: %s %zu must be an alias", name, i + 1);
        out[i] = json_string_value(item);
    }
    *count = (unsigned)json_array_size(list);
    return FM_OK;
}

static fm_status read_tables(struct contract *c, struct base_err *err)
{
    json_t *list, *item;
    size_t i;

    if (base_json_get_array(&list, c->json, "tables", err) != FM_OK)
        return base_err_prefix(err, "contract");
    if (json_array_size(list) == 0 || json_array_size(list) > CONTRACT_MAX_TABLES)
        return base_err_set(err, FM_E_LIMIT, "contract: needs 1 to %d tables", CONTRACT_MAX_TABLES);
    json_array_foreach(list, i, item)
    {
        struct contract_table *t = &c->tables[i];
        if (base_json_get_str(&t->table, item, "table", err) != FM_OK ||
            base_json_get_str(&t->provider, item, "provider", err) != FM_OK ||
            base_json_get_str(&t->dataset, item, "dataset", err) != FM_OK ||
            base_json_get_int(&t->schema_version, item, "schema_version", err) != FM_OK ||
            base_json_get_hex(t->schema_hash, 32, item, "schema_hash", err) != FM_OK)
            return wrong("table", i, err);
    }
    c->table_count = (unsigned)json_array_size(list);
    return FM_OK;
}

static fm_status read_parameters(struct contract *c, struct base_err *err)
{
    json_t *list, *item;
    size_t i;

    if (base_json_get_array(&list, c->json, "parameters", err) != FM_OK)
        return base_err_prefix(err, "contract");
    if (json_array_size(list) > CONTRACT_MAX_PARAMETERS)
        return base_err_set(err, FM_E_LIMIT, "contract: more than %d parameters",
                            CONTRACT_MAX_PARAMETERS);
    json_array_foreach(list, i, item)
    {
        struct contract_parameter *p = &c->parameters[i];
        if (base_json_get_str(&p->name, item, "name", err) != FM_OK ||
            base_json_get_str(&p->type, item, "type", err) != FM_OK ||
            base_json_get_bool(&p->hidden, item, "hidden", err) != FM_OK ||
            base_json_get_bool(&p->subject, item, "subject", err) != FM_OK)
            return wrong("parameter", i, err);
    }
    c->parameter_count = (unsigned)json_array_size(list);
    return FM_OK;
}

static fm_status read_consent(struct contract *c, struct base_err *err)
{
    const char *requirement;
    json_t *consent;

    if (base_json_get_object(&consent, c->json, "consent", err) != FM_OK ||
        base_json_get_str(&requirement, consent, "requirement", err) != FM_OK)
        return base_err_prefix(err, "contract");
    if (strcmp(requirement, "subject") != 0)
        return FM_OK;
    if (base_json_get_int(&c->subject_parameter, consent, "parameter", err) != FM_OK)
        return base_err_prefix(err, "contract: consent");
    if (c->subject_parameter < 1 || c->subject_parameter > (int64_t)c->parameter_count)
        return base_err_set(err, FM_E_INPUT, "contract: consent names parameter %lld of %u",
                            (long long)c->subject_parameter, c->parameter_count);
    return FM_OK;
}

static fm_status read_scalars(struct contract *c, struct base_err *err)
{
    const json_t *j = c->json;

    if (base_json_hash(c->id, j, err) != FM_OK ||
        base_json_get_str(&c->name, j, "name", err) != FM_OK ||
        base_json_get_str(&c->asker, j, "asker", err) != FM_OK ||
        base_json_get_str(&c->purpose, j, "purpose", err) != FM_OK ||
        base_json_get_str(&c->sql, j, "sql", err) != FM_OK ||
        base_json_get_str(&c->protocol, j, "protocol", err) != FM_OK ||
        contract_link(&c->link, j, err) != FM_OK ||
        base_json_get_int(&c->minimum_group, j, "minimum_group", err) != FM_OK ||
        base_json_get_int(&c->expires, j, "expires", err) != FM_OK ||
        base_json_get_hex(c->plan_hash, 32, j, "plan_hash", err) != FM_OK)
        return base_err_prefix(err, "contract");
    return FM_OK;
}

fm_status contract_link(const char **out, const json_t *from, struct base_err *err)
{
    static const char *const links[] = {"lan", "metro", "wan"};
    const char *name = links[0];

    *out = links[0];
    if (json_object_get(from, "link") == NULL)
        return FM_OK;
    if (base_json_get_str(&name, from, "link", err) != FM_OK)
        return err->code;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (strcmp(name, links[i]) == 0) {
            *out = links[i];
            return FM_OK;
        }
    return base_err_set(err, FM_E_INPUT,
                        "member 'link' must be lan, metro or wan: what lies between the compute "
                        "parties");
}

static fm_status read_compute(struct contract *c, struct base_err *err)
{
    if (read_aliases(c->compute, CONTRACT_MAX_COMPUTE, &c->compute_count, c->json, "compute",
                     err) != FM_OK)
        return err->code;
    if (strcmp(c->protocol, "rep3") == 0 && c->compute_count != 3)
        return base_err_set(err, FM_E_INPUT, "contract: needs three compute parties, not %u",
                            c->compute_count);
    if (c->compute_count == 0)
        return base_err_set(err, FM_E_INPUT, "contract: needs compute parties");
    if (json_object_get(c->json, "contributors") != NULL &&
        base_json_get_int(&c->contributors, c->json, "contributors", err) != FM_OK)
        return base_err_prefix(err, "contract");
    return FM_OK;
}

fm_status contract_parse(struct contract *out, const json_t *json, struct base_err *err)
{
    fm_status st;

    *out = (struct contract){.json = json_incref((json_t *)(uintptr_t)json)};
    st = read_scalars(out, err);
    if (st == FM_OK)
        st = read_compute(out, err);
    if (st == FM_OK)
        st = read_aliases(out->recipients, CONTRACT_MAX_RECIPIENTS, &out->recipient_count, json,
                          "recipients", err);
    if (st == FM_OK)
        st = read_tables(out, err);
    if (st == FM_OK)
        st = read_parameters(out, err);
    if (st == FM_OK)
        st = read_consent(out, err);
    if (st != FM_OK)
        contract_release(out);
    return st;
}

void contract_release(struct contract *c)
{
    json_decref(c->json);
    *c = (struct contract){0};
}

bool contract_is_recipient(const struct contract *c, const char *alias)
{
    for (unsigned i = 0; i < c->recipient_count; i++)
        if (strcmp(c->recipients[i], alias) == 0)
            return true;
    return false;
}

bool contract_is_provider(const struct contract *c, const char *alias)
{
    for (unsigned i = 0; i < c->table_count; i++)
        if (strcmp(c->tables[i].provider, alias) == 0)
            return true;
    return false;
}

/* ---- commitments ---- */

fm_status contract_requester_commit(uint8_t out32[32], const uint8_t chain32[32],
                                    const uint8_t salt32[32], const char *requester,
                                    const char *ticket, struct base_err *err)
{
    return ledger_requester_commit(out32, chain32, salt32, requester, ticket, err);
}

fm_status contract_parameter_commit(uint8_t out32[32], const uint8_t chain32[32],
                                    const uint8_t salt32[32], const char *name, const char *value,
                                    struct base_err *err)
{
    return ledger_parameter_commit(out32, chain32, salt32, name, value, err);
}

void contract_parameters_hash(uint8_t out32[32], const struct contract_opening *openings,
                              unsigned count)
{
    struct base_hash h;

    base_hash_init(&h);
    for (unsigned i = 0; i < count; i++)
        base_hash_update(&h, openings[i].hash, 32);
    base_hash_final(&h, out32);
}

static fm_status open_one(struct contract_opening *o, const struct contract_parameter *p,
                          const json_t *item, const uint8_t chain32[32], struct base_err *err)
{
    static const char *const shown[] = {"value", "salt", NULL};
    static const char *const hidden[] = {"hash", NULL};

    *o = (struct contract_opening){0};
    if (p->hidden) {
        if (base_json_only(item, hidden, err) != FM_OK)
            return err->code;
        return base_json_get_hex(o->hash, 32, item, "hash", err);
    }
    if (base_json_only(item, shown, err) != FM_OK ||
        base_json_get_str(&o->value, item, "value", err) != FM_OK ||
        base_json_get_hex(o->salt, 32, item, "salt", err) != FM_OK)
        return err->code;
    return contract_parameter_commit(o->hash, chain32, o->salt, p->name, o->value, err);
}

fm_status contract_open_parameters(struct contract_opening *openings, const struct contract *c,
                                   const json_t *json, const uint8_t chain32[32],
                                   const uint8_t committed32[32], struct base_err *err)
{
    uint8_t hash[32];
    json_t *list, *item;
    size_t i;

    if (base_json_get_array(&list, json, "parameters", err) != FM_OK)
        return base_err_prefix(err, "openings");
    if (json_array_size(list) != c->parameter_count)
        return base_err_set(err, FM_E_INPUT, "openings: %zu parameters for a contract of %u",
                            json_array_size(list), c->parameter_count);
    json_array_foreach(list, i,
                       item) if (open_one(&openings[i], &c->parameters[i], item, chain32, err) !=
                                 FM_OK) return wrong("opening of parameter", i, err);
    contract_parameters_hash(hash, openings, c->parameter_count);
    if (memcmp(hash, committed32, 32) != 0)
        return base_err_set(err, FM_E_REFUSED,
                            "the parameters are not those that query.open committed to");
    return FM_OK;
}

fm_status contract_open_consent(uint8_t nonce32[32], const json_t *json, int64_t parameter,
                                struct base_err *err)
{
    json_t *list, *item;
    size_t i;

    if (base_json_get_array(&list, json, "consents", err) != FM_OK)
        return base_err_prefix(err, "openings");
    json_array_foreach(list, i, item)
    {
        int64_t which;
        if (base_json_get_int(&which, item, "parameter", err) != FM_OK ||
            base_json_get_hex(nonce32, 32, item, "nonce", err) != FM_OK)
            return base_err_prefix(err, "openings: consent %zu", i + 1);
        if (which == parameter)
            return FM_OK;
    }
    return base_err_set(err, FM_E_INPUT, "openings: no consent for parameter %lld",
                        (long long)parameter);
}
