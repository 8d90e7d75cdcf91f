#include "did/credential/schemas.h"

#include <string.h>

#include "base/json.h"
#include "did/credential/schemas_made.h"
#include "did/credential/shape.h"

bool credential_schema_at(struct credential_schema *out, size_t i)
{
    *out = (struct credential_schema){0};
    for (size_t k = 0; credential_schemas_made[k].name != NULL; k++)
        if (k == i)
            *out = credential_schemas_made[k];
    return out->name != NULL;
}

static fm_status find_schema(json_t **out, const char *id, const struct credential_schemas *more,
                             struct base_err *err)
{
    struct credential_schema made;

    *out = NULL;
    for (size_t i = 0; credential_schema_at(&made, i); i++)
        if (strcmp(made.id, id) == 0)
            return base_json_parse(out, made.text, strlen(made.text), err);
    return more == NULL ? FM_OK : more->schema(more->ctx, out, id, err);
}

static fm_status check_one(const json_t *named, const json_t *credential, bool is_bare,
                           enum credential_schema_whole whole,
                           const struct credential_schemas *more, struct base_err *err)
{
    const char *id = json_string_value(json_object_get(named, "id"));
    const json_t *at;
    json_t *schema;
    fm_status st;

    if (id == NULL)
        return base_err_set(err, FM_E_INPUT, "credentialSchema must have an id");
    if (!credential_has_type(named, "JsonSchema"))
        return more == NULL ? FM_OK
                            : base_err_set(err, FM_E_UNSUPPORTED,
                                           "schema %.120s: only JsonSchema is known here", id);
    st = find_schema(&schema, id, more, err);
    if (st == FM_OK && schema == NULL)
        return FM_OK;
    at = is_bare ? json_object_get(json_object_get(schema, "$defs"), "subject") : NULL;
    if (st == FM_OK)
        st = credential_json_schema_validate(schema, at == NULL ? schema : at, credential, whole,
                                             err);
    json_decref(schema);
    return st != FM_OK ? base_err_prefix(err, "schema %.120s", id) : FM_OK;
}

static fm_status check_each(const json_t *credential, bool is_bare,
                            enum credential_schema_whole whole,
                            const struct credential_schemas *more, struct base_err *err)
{
    const json_t *named = json_object_get(credential, "credentialSchema"), *one;
    size_t i;
    fm_status st = FM_OK;

    if (named != NULL && !json_is_array(named))
        return check_one(named, credential, is_bare, whole, more, err);
    json_array_foreach(named, i, one) st =
        st != FM_OK ? st : check_one(one, credential, is_bare, whole, more, err);
    return st;
}

fm_status credential_check_schemas(const json_t *credential, const struct credential_schemas *more,
                                   struct base_err *err)
{
    return check_each(credential, false, CREDENTIAL_SCHEMA_WHOLE, more, err);
}

fm_status credential_check_claims(const json_t *claims, enum credential_schema_whole whole,
                                  const struct credential_schemas *more, struct base_err *err)
{
    return check_each(claims, true, whole, more, err);
}
