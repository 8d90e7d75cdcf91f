#include "ledger/proof/opening.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/shape.h"

/* domain with its closing NUL | chain | salt | JCS(object); object is used up. */
static fm_status commit(uint8_t out32[32], const char *domain, const uint8_t chain32[32],
                        const uint8_t salt32[32], json_t *object, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st;

    base_buf_put(&bytes, domain, strlen(domain) + 1);
    base_buf_put(&bytes, chain32, 32);
    base_buf_put(&bytes, salt32, 32);
    st = object != NULL ? base_json_canonical(&bytes, object, err)
                        : base_err_memory(err, "commitment");
    if (st == FM_OK)
        base_hash(out32, bytes.p, bytes.len);
    base_buf_release_secret(&bytes);
    json_decref(object);
    return st;
}

fm_status ledger_requester_commit(uint8_t out32[32], const uint8_t chain32[32],
                                  const uint8_t salt32[32], const char *requester,
                                  const char *ticket, struct base_err *err)
{
    return commit(out32, "firmiana/requester/v1", chain32, salt32,
                  json_pack("{s:s,s:s}", "requester", requester, "ticket", ticket), err);
}

fm_status ledger_parameter_commit(uint8_t out32[32], const uint8_t chain32[32],
                                  const uint8_t salt32[32], const char *name, const char *value,
                                  struct base_err *err)
{
    return commit(out32, "firmiana/parameter/v1", chain32, salt32,
                  json_pack("{s:s,s:s}", "name", name, "value", value), err);
}

/* ---- checking ---- */

#define ITEMS_MAX 64

static const struct ledger_member opening_members[] = {
    {"parameters", LEDGER_IS_ARRAY, false}, {"consents", LEDGER_IS_ARRAY, false},
    {"requester", LEDGER_IS_TEXT, true},    {"ticket", LEDGER_IS_TEXT, true},
    {"salt", LEDGER_IS_HASH, true},         {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member consent_members[] = {
    {"parameter", LEDGER_IS_COUNT, false},
    {"consent", LEDGER_IS_HASH, false},
    {"nonce", LEDGER_IS_HASH, true},
    {NULL, LEDGER_IS_OBJECT, false},
};

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static fm_status parameter_hash(uint8_t out32[32], const json_t *item, const uint8_t chain32[32],
                                struct base_err *err)
{
    static const char *const shown[] = {"name", "value", "salt", NULL};
    static const char *const hidden[] = {"name", "hash", NULL};
    const char *name, *value;
    uint8_t salt[32];

    if (json_object_get(item, "hash") != NULL) {
        if (base_json_only(item, hidden, err) != FM_OK ||
            base_json_get_str(&name, item, "name", err) != FM_OK)
            return err->code;
        return base_json_get_hex(out32, 32, item, "hash", err);
    }
    if (!json_is_object(item))
        return base_err_set(err, FM_E_INPUT, "a parameter must be an object");
    if (base_json_only(item, shown, err) != FM_OK ||
        base_json_get_str(&name, item, "name", err) != FM_OK ||
        base_json_get_str(&value, item, "value", err) != FM_OK ||
        base_json_get_hex(salt, 32, item, "salt", err) != FM_OK)
        return err->code;
    return ledger_parameter_commit(out32, chain32, salt, name, value, err);
}

static fm_status check_parameters(const json_t *opening, const json_t *body,
                                  const uint8_t chain32[32], struct base_err *err)
{
    const json_t *list = json_object_get(opening, "parameters");
    uint8_t hash[32], got[32], want[32];
    struct base_hash h;
    fm_status st = base_json_get_hex(want, 32, body, "parameters", err);

    if (json_array_size(list) > ITEMS_MAX)
        return base_err_set(err, FM_E_INPUT, "more than %d parameters", ITEMS_MAX);
    base_hash_init(&h);
    for (size_t i = 0; st == FM_OK && i < json_array_size(list); i++) {
        st = parameter_hash(hash, json_array_get(list, i), chain32, err);
        base_hash_update(&h, hash, st == FM_OK ? sizeof hash : 0);
    }
    base_hash_final(&h, got);
    if (st == FM_OK && memcmp(got, want, 32) != 0)
        st = base_err_set(err, FM_E_INVALID,
                          "the parameters are not those that query.open committed to");
    return st;
}

static fm_status check_requester(const json_t *opening, const json_t *body,
                                 const uint8_t chain32[32], struct base_err *err)
{
    const char *requester = text(opening, "requester"), *ticket = text(opening, "ticket");
    uint8_t salt[32], got[32], want[32];
    fm_status st;

    if (requester == NULL && ticket == NULL && text(opening, "salt") == NULL)
        return FM_OK; /* a provider's: it was never told */
    if (requester == NULL || ticket == NULL || text(opening, "salt") == NULL)
        return base_err_set(err, FM_E_INPUT, "requester, ticket and salt belong together");
    st = base_json_get_hex(salt, 32, opening, "salt", err);
    if (st == FM_OK)
        st = base_json_get_hex(want, 32, body, "requester", err);
    if (st == FM_OK)
        st = ledger_requester_commit(got, chain32, salt, requester, ticket, err);
    if (st == FM_OK && memcmp(got, want, 32) != 0)
        st = base_err_set(err, FM_E_INVALID,
                          "requester and ticket are not those that query.open committed to");
    return st;
}

static fm_status check_consents(const json_t *opening, const json_t *body, struct base_err *err)
{
    const json_t *ours = json_object_get(opening, "consents");
    const json_t *theirs = json_object_get(body, "consents");
    bool same = json_array_size(ours) == json_array_size(theirs);
    fm_status st = ledger_shape_check_items(ours, "consents", ITEMS_MAX, consent_members, err);

    for (size_t i = 0; st == FM_OK && same && i < json_array_size(ours); i++) {
        const json_t *a = json_array_get(ours, i), *b = json_array_get(theirs, i);
        same = json_equal(json_object_get(a, "parameter"), json_object_get(b, "parameter")) &&
               json_equal(json_object_get(a, "consent"), json_object_get(b, "consent"));
    }
    if (st == FM_OK && !same)
        st = base_err_set(err, FM_E_INVALID, "the consents are not those that query.open names");
    return st;
}

fm_status ledger_opening_check(const json_t *opening, const json_t *body, const uint8_t chain32[32],
                               struct base_err *err)
{
    fm_status st = ledger_shape_check(opening, opening_members, err);

    if (st == FM_OK)
        st = check_parameters(opening, body, chain32, err);
    if (st == FM_OK)
        st = check_requester(opening, body, chain32, err);
    return st == FM_OK ? check_consents(opening, body, err) : st;
}

fm_status ledger_opening_check_consent(const json_t *opening, size_t i, const json_t *consent,
                                       const uint8_t chain32[32], struct base_err *err)
{
    const json_t *item = json_array_get(json_object_get(opening, "consents"), i);
    json_int_t n = json_integer_value(json_object_get(item, "parameter"));
    const json_t *parameter =
        n >= 1 ? json_array_get(json_object_get(opening, "parameters"), (size_t)n - 1) : NULL;
    const char *value = text(parameter, "value");
    uint8_t nonce[32], got[32], want[32];
    fm_status st;

    if (value == NULL || text(item, "nonce") == NULL)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "this opening does not show whose consent it is: it lacks the nonce or "
                            "the value");
    st = base_json_get_hex(nonce, 32, item, "nonce", err);
    if (st == FM_OK)
        st = base_json_get_hex(want, 32, consent, "commitment", err);
    ledger_subject_commit(got, chain32, value, strlen(value), nonce);
    if (st == FM_OK && memcmp(got, want, 32) != 0)
        st = base_err_set(err, FM_E_INVALID,
                          "the consent was given by another subject than the parameter names");
    return st;
}
