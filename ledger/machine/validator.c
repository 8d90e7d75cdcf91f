#include "ledger/machine/validator.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "did/document.h"
#include "did/multibase.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/misbehavior.h"

static const char *endpoint_of(const json_t *document)
{
    json_t *list = json_object_get(document, "service"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *type = json_string_value(json_object_get(item, "type"));
        if (type != NULL && strcmp(type, "CometBFTValidator") == 0)
            return json_string_value(json_object_get(item, "serviceEndpoint"));
    }
    return NULL;
}

fm_status ledger_validator_read(uint8_t out32[32], bool *found, const json_t *document,
                                struct base_err *err)
{
    const char *uri = endpoint_of(document);
    struct did_key key;
    fm_status st;

    memset(out32, 0, 32);
    *found = false;
    if (uri == NULL)
        return FM_OK;
    st = strncmp(uri, "ed25519://", 10) == 0
             ? did_multikey_decode(&key, uri + 10, LEDGER_VALIDATORS_SINCE, err)
             : base_err_set(err, FM_E_INPUT, "it is not ed25519://...");
    if (st == FM_OK && key.suite != did_suite_ed25519())
        st = base_err_set(err, FM_E_INPUT, "it is no Ed25519 key");
    if (st != FM_OK)
        return base_err_prefix(err, "service CometBFTValidator");
    memcpy(out32, key.bytes, 32);
    *found = true;
    return FM_OK;
}

void ledger_validator_address(uint8_t out20[20], const uint8_t key32[32])
{
    uint8_t hash[32];

    base_sha256(hash, key32, 32);
    memcpy(out20, hash, 20);
}

/* ---- keys of before ---- */

void ledger_validator_key(char out[LEDGER_VALIDATOR_KEY_TEXT], const uint8_t address20[20])
{
    memcpy(out, "validator/", 10);
    base_hex(out + 10, address20, 20);
}

/* Who is proven to have misbehaved is named by its key: it must not lose its name with the key. */
fm_status ledger_validator_remember(struct ledger_context *c, const struct did_document *next,
                                    struct base_err *err)
{
    const struct did_document *last = NULL;
    uint8_t was[32], is[32], address[20];
    char key[LEDGER_VALIDATOR_KEY_TEXT];
    struct base_err why = {0};
    bool had = false, has = false;
    fm_status st = FM_OK;

    if (c->rules_version < LEDGER_MISBEHAVIOR_SINCE)
        return FM_OK;
    st = ledger_document_get(c, &last, did_document_id(next), err);
    if (st != FM_OK || last == NULL)
        return st;
    if (ledger_validator_read(was, &had, did_document_json(last), &why) != FM_OK || !had)
        return FM_OK;
    if (ledger_validator_read(is, &has, did_document_json(next), &why) == FM_OK && has &&
        memcmp(was, is, sizeof was) == 0)
        return FM_OK;
    ledger_validator_address(address, was);
    ledger_validator_key(key, address);
    return ledger_view_put(
        c->view, key,
        json_pack("{s:s, s:I}", "did", did_document_id(next), "until", (json_int_t)c->height), err);
}

/* ---- the rule ---- */

struct census {
    struct ledger_context *c;
    const char *but;      /* this member is not counted */
    const uint8_t *other; /* is it another's? */
    char whose[33];
    size_t n;
};

static fm_status look(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct census *all = ctx;
    const json_t *there; /* not the documents in memory: these make room for one another */
    struct base_err why = {0};
    uint8_t theirs[32];
    bool found = false;
    fm_status st;

    key += strlen("member/");
    if (!ledger_member_is_active(value) || strcmp(key, all->but) == 0)
        return FM_OK;
    st = ledger_state_get(all->c, &there, "did", ledger_text(value, "did"), err);
    if (st != FM_OK || there == NULL)
        return st;
    if (ledger_validator_read(theirs, &found, json_object_get(there, "document"), &why) != FM_OK ||
        !found)
        return FM_OK; /* orders nothing */
    all->n++;
    if (all->other != NULL && memcmp(theirs, all->other, sizeof theirs) == 0 &&
        (all->whose[0] == '\0' || strcmp(key, all->whose) < 0)) /* the list has no order */
        (void)snprintf(all->whose, sizeof all->whose, "%s", key);
    return FM_OK;
}

/* Its own document alone changes: whom the others vote out, they have thought about. */
fm_status ledger_validator_check(struct ledger_context *c, const struct did_document *next,
                                 struct base_err *err)
{
    struct census all = {.c = c, .but = c->alias};
    uint8_t old_key[32], new_key[32];
    struct base_err why = {0};
    bool had = false, has;
    const json_t *param;
    fm_status st;

    if (c->rules_version < LEDGER_VALIDATORS_SINCE || did_document_is_deactivated(next))
        return FM_OK;
    st = ledger_validator_read(new_key, &has, did_document_json(next), err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_DID_VALIDATOR, err);
    if (ledger_validator_read(old_key, &had, did_document_json(c->document), &why) != FM_OK)
        had = false;
    if (had == has && memcmp(old_key, new_key, sizeof old_key) == 0)
        return FM_OK;
    all.other = has ? new_key : NULL;
    st = ledger_view_list(c->view, "member/", look, &all, err);
    if (st == FM_OK)
        st = ledger_view_get(c->view, &param, "param", err);
    if (st != FM_OK)
        return st;
    if (all.whose[0] != '\0')
        return ledger_refuse(c, LEDGER_RULE_DID_VALIDATOR, err, "its validator key is that of %s",
                             all.whose);
    if (had && !has && ledger_member_is_active(c->member) &&
        (int64_t)all.n < ledger_int(param, "quorum"))
        return ledger_refuse(c, LEDGER_RULE_DID_VALIDATOR, err,
                             "without %s fewer members would order blocks than the quorum",
                             c->alias);
    return FM_OK;
}
