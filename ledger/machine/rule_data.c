/* dataset.publish: a provider says what it holds, never what is in it. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_rule.h"

/* What the machine needs of a schema; exchange/data/schema.md has the rest, and each node checks
 * it. */
static fm_status check_schema(struct ledger_context *c, const json_t *schema, struct base_err *err)
{
    int64_t version;
    json_t *columns;
    fm_status st = base_json_get_int(&version, schema, "version", err);

    if (st == FM_OK && version < 1)
        st = base_err_set(err, FM_E_INPUT, "member 'version' must be at least 1");
    if (st == FM_OK)
        st = base_json_get_array(&columns, schema, "columns", err);
    if (st == FM_OK && json_array_size(columns) == 0)
        st = base_err_set(err, FM_E_INPUT, "member 'columns' must not be empty");
    if (st != FM_OK) {
        (void)base_err_prefix(err, "schema");
        return ledger_refuse_as(c, LEDGER_RULE_DATASET_SHAPE, err);
    }
    return FM_OK;
}

/* May this schema and data version follow what is published? before is NULL for the first. */
static fm_status check_versions(struct ledger_context *c, const json_t *before,
                                const char *schema_hash, struct base_err *err)
{
    int64_t version = ledger_int(c->body, "data_version");
    int64_t schema_version = ledger_int(json_object_get(c->body, "schema"), "version");
    int64_t next = 1 + ledger_int(before, "data_version");

    if (version != next)
        return ledger_refuse(c, LEDGER_RULE_DATASET_VERSION, err,
                             "data_version is %lld, the next is %lld", (long long)version,
                             (long long)next);
    if (before != NULL && !ledger_text_is(before, "schema_hash", schema_hash) &&
        schema_version <= ledger_int(json_object_get(before, "schema"), "version"))
        return ledger_refuse(c, LEDGER_RULE_DATASET_SCHEMA, err,
                             "the schema changed, but its version %lld is not higher",
                             (long long)schema_version);
    return FM_OK;
}

/* What stays of every version, whatever is published after it. */
static fm_status put_version(struct ledger_context *c, const char *name, const char *schema_hash,
                             struct base_err *err)
{
    json_t *changes = json_object_get(c->body, "changes");
    char key[LEDGER_KEY_TEXT], number[24], dataset[LEDGER_KEY_TEXT];
    json_t *value = json_pack("{s:O, s:O, s:s, s:I, s:I}", "root", json_object_get(c->body, "root"),
                              "rows", json_object_get(c->body, "rows"), "schema_hash", schema_hash,
                              "height", (json_int_t)c->height, "time", (json_int_t)c->time_ms);

    if (value != NULL && changes != NULL && json_object_set(value, "changes", changes) != 0) {
        json_decref(value);
        value = NULL;
    }
    (void)snprintf(number, sizeof number, "%lld", (long long)ledger_int(c->body, "data_version"));
    (void)ledger_key_2(dataset, "version", c->alias, name);
    return ledger_view_put(c->view, ledger_key(key, dataset, number), value, err);
}

fm_status ledger_rule_dataset_publish(struct ledger_context *c, struct base_err *err)
{
    const char *name = ledger_text(c->body, "dataset");
    const json_t *schema = json_object_get(c->body, "schema");
    char key[LEDGER_KEY_TEXT], text[LEDGER_HASH_TEXT];
    uint8_t hash[32];
    const json_t *before;
    fm_status st;

    if (!ledger_member_has_role(c->member, "provider"))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_ROLE, err, "%s is not a provider", c->alias);
    st = check_schema(c, schema, err);
    if (st == FM_OK)
        st = base_json_hash(hash, schema, err);
    if (st != FM_OK)
        return st;
    base_hex(text, hash, sizeof hash);
    (void)ledger_key_2(key, "dataset", c->alias, name);
    st = ledger_view_get(c->view, &before, key, err);
    if (st == FM_OK)
        st = check_versions(c, before, text, err);
    if (st == FM_OK && c->rules_version >= 2)
        st = put_version(c, name, text, err);
    if (st != FM_OK)
        return st;
    return ledger_view_put(
        c->view, key,
        json_pack("{s:O, s:s, s:O, s:O, s:O, s:I}", "schema", schema, "schema_hash", text,
                  "data_version", json_object_get(c->body, "data_version"), "root",
                  json_object_get(c->body, "root"), "rows", json_object_get(c->body, "rows"),
                  "height", (json_int_t)c->height),
        err);
}
