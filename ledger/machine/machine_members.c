/* What rules ask and tell about members and their documents. */
#include <stdio.h>
#include <string.h>

#include "ledger/machine/machine_rule.h"

fm_status ledger_member_check_shape(uint32_t rules_version, const json_t *roles,
                                    const json_t *endpoint, struct base_err *err)
{
    static const char *const known[] = {"asker", "provider", "compute", "regulator", "witness"};
    const char *at = json_string_value(endpoint);
    size_t i, k = 0, n = rules_version < 2 ? 4 : 5, len = at != NULL ? strlen(at) : 0;

    for (i = 0; i < json_array_size(roles); i++) {
        const char *role = json_string_value(json_array_get(roles, i));

        while (k < n && (role == NULL || strcmp(known[k], role) != 0))
            k++;
        if (k == n)
            return base_err_set(err, FM_E_INPUT,
                                "member 'roles' must list asker, provider, compute, regulator%s, "
                                "in this order, each at most once",
                                n == 5 ? ", witness" : "");
        k++;
    }
    if (!json_is_array(roles))
        return base_err_set(err, FM_E_INPUT, "member 'roles' must be an array");
    for (i = 0; i < len; i++)
        if (at[i] < 0x21 || at[i] > 0x7e)
            return base_err_set(err, FM_E_INPUT, "member 'endpoint' must be printable ASCII");
    if (len == 0 || len > 255)
        return base_err_set(err, FM_E_INPUT, "member 'endpoint' must have 1 to 255 characters");
    return FM_OK;
}

fm_status ledger_member_get(struct ledger_context *c, const json_t **member, const char *alias,
                            struct base_err *err)
{
    return ledger_state_get(c, member, "member", alias, err);
}

bool ledger_member_is_active(const json_t *member)
{
    return ledger_text_is(member, "status", "active");
}

bool ledger_member_has_role(const json_t *member, const char *role)
{
    return ledger_names_has(json_object_get(member, "roles"), role);
}

static fm_status count_one(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    (void)key;
    (void)err;
    if (ledger_member_is_active(value))
        ++*(size_t *)ctx;
    return FM_OK;
}

fm_status ledger_member_count_active(struct ledger_context *c, size_t *count, struct base_err *err)
{
    *count = 0;
    return ledger_view_list(c->view, "member/", count_one, count, err);
}

fm_status ledger_member_can_leave(struct ledger_context *c, bool *can, struct base_err *err)
{
    const json_t *param;
    size_t active;
    fm_status st = ledger_view_get(c->view, &param, "param", err);

    *can = false;
    if (st == FM_OK)
        st = ledger_member_count_active(c, &active, err);
    if (st == FM_OK)
        *can = (int64_t)active - 1 >= ledger_int(param, "quorum");
    return st;
}

fm_status ledger_member_set_status(struct ledger_context *c, const char *alias, const char *status,
                                   struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    const json_t *member;
    fm_status st = ledger_member_get(c, &member, alias, err);

    if (st != FM_OK)
        return st;
    return ledger_view_put(c->view, ledger_key(key, "member", alias),
                           ledger_with_status(c, member, status, "since"), err);
}

fm_status ledger_document_get(struct ledger_context *c, const struct did_document **document,
                              const char *did, struct base_err *err)
{
    const json_t *value;
    fm_status st = ledger_state_get(c, &value, "did", did, err);

    *document = NULL;
    if (st != FM_OK || value == NULL)
        return st;
    return ledger_documents_get(c->documents, document, value, c->rules_version, err);
}

fm_status ledger_document_put(struct ledger_context *c, const struct did_document *document,
                              struct base_err *err)
{
    char key[LEDGER_KEY_TEXT], number[24], hash[LEDGER_HASH_TEXT];
    const char *did = did_document_id(document);
    const char *status = did_document_is_deactivated(document) ? "deactivated" : "active";
    fm_status st = ledger_validator_remember(c, document, err);

    base_hex(hash, did_document_hash32(document), 32);
    (void)snprintf(number, sizeof number, "%lld", (long long)did_document_version(document));
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key(key, "did", did),
                             json_pack("{s:O, s:s, s:I, s:s}", "document",
                                       did_document_json(document), "hash", hash, "height",
                                       (json_int_t)c->height, "status", status),
                             err);
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key_2(key, "did", did, number),
                             json_pack("{s:s, s:I}", "hash", hash, "height", (json_int_t)c->height),
                             err);
    return st;
}
