/* contract.propose, authorization.grant, authorization.revoke: what may be asked, and who allows
 * it (design.md section 5). */
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_rule.h"

/* ---- parties ---- */

static bool add_party(struct ledger_parties *p, const char *alias, unsigned is)
{
    size_t i;

    for (i = 0; i < p->count; i++) {
        if (strcmp(p->who[i].alias, alias) == 0) {
            p->who[i].is |= is;
            return true;
        }
    }
    if (p->count == LEDGER_PARTIES_MAX)
        return false;
    p->who[p->count].alias = alias;
    p->who[p->count++].is = is;
    return true;
}

static bool add_parties(struct ledger_parties *p, const json_t *aliases, unsigned is)
{
    size_t i;

    for (i = 0; i < json_array_size(aliases); i++)
        if (!add_party(p, json_string_value(json_array_get(aliases, i)), is))
            return false;
    return true;
}

bool ledger_parties_of(struct ledger_parties *out, const json_t *contract)
{
    const json_t *tables = json_object_get(contract, "tables");
    size_t i;

    out->count = 0;
    if (!add_party(out, ledger_text(contract, "asker"), LEDGER_PARTY_ASKER) ||
        !add_parties(out, json_object_get(contract, "compute"), LEDGER_PARTY_COMPUTE) ||
        !add_parties(out, json_object_get(contract, "recipients"), LEDGER_PARTY_RECIPIENT))
        return false;
    for (i = 0; i < json_array_size(tables); i++)
        if (!add_party(out, ledger_text(json_array_get(tables, i), "provider"),
                       LEDGER_PARTY_PROVIDER))
            return false;
    return true;
}

unsigned ledger_parties_find(const struct ledger_parties *parties, const char *alias)
{
    size_t i;

    for (i = 0; i < parties->count; i++)
        if (strcmp(parties->who[i].alias, alias) == 0)
            return parties->who[i].is;
    return 0;
}

/* ---- the world a contract names ---- */

fm_status ledger_contract_get(struct ledger_context *c, const json_t **contract, const char *id,
                              struct base_err *err)
{
    const json_t *value;
    fm_status st = ledger_state_get(c, &value, "contract", id, err);

    *contract = NULL;
    if (st == FM_OK && value != NULL)
        *contract = json_object_get(value, "contract");
    return st;
}

static fm_status check_member(struct ledger_context *c, const char *alias, unsigned is,
                              struct base_err *err)
{
    static const struct {
        unsigned bit;
        const char *role;
    } needed[] = {{LEDGER_PARTY_ASKER, "asker"},
                  {LEDGER_PARTY_COMPUTE, "compute"},
                  {LEDGER_PARTY_PROVIDER, "provider"}};
    const json_t *member;
    size_t i;
    fm_status st = ledger_member_get(c, &member, alias, err);

    if (st != FM_OK)
        return st;
    if (member == NULL)
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_MEMBER, err, "there is no member %s", alias);
    if (!ledger_member_is_active(member))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_SUSPENDED, err, "%s is suspended", alias);
    for (i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if ((is & needed[i].bit) != 0 && !ledger_member_has_role(member, needed[i].role))
            return ledger_refuse(c, LEDGER_RULE_MEMBER_ROLE, err, "%s does not have the role %s",
                                 alias, needed[i].role);
    return FM_OK;
}

static fm_status check_dataset(struct ledger_context *c, const json_t *table, struct base_err *err)
{
    const char *provider = ledger_text(table, "provider");
    const char *name = ledger_text(table, "dataset");
    char key[LEDGER_KEY_TEXT];
    const json_t *member, *dataset;
    fm_status st = ledger_member_get(c, &member, provider, err);

    if (st != FM_OK)
        return st;
    if (!ledger_text_is(member, "did", ledger_text(table, "did")))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_MEMBER, err, "%s has another DID", provider);
    st = ledger_view_get(c->view, &dataset, ledger_key_2(key, "dataset", provider, name), err);
    if (st != FM_OK)
        return st;
    if (dataset == NULL)
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_DATASET, err, "%s has not published %s",
                             provider, name);
    if (!ledger_text_is(dataset, "schema_hash", ledger_text(table, "schema_hash")) ||
        ledger_int(json_object_get(dataset, "schema"), "version") !=
            ledger_int(table, "schema_version"))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_DATASET, err,
                             "%s has published %s with another schema", provider, name);
    return FM_OK;
}

fm_status ledger_contract_check_world(struct ledger_context *c, const json_t *contract,
                                      struct base_err *err)
{
    const json_t *tables = json_object_get(contract, "tables");
    struct ledger_parties parties;
    size_t i;
    fm_status st = FM_OK;

    if (!ledger_parties_of(&parties, contract))
        return base_err_set(err, FM_E_CORRUPT, "a contract in the state names too many members");
    for (i = 0; st == FM_OK && i < parties.count; i++)
        st = check_member(c, parties.who[i].alias, parties.who[i].is, err);
    for (i = 0; st == FM_OK && i < json_array_size(tables); i++)
        st = check_dataset(c, json_array_get(tables, i), err);
    return st;
}

fm_status ledger_rule_contract_propose(struct ledger_context *c, struct base_err *err)
{
    const json_t *contract = c->body;
    char key[LEDGER_KEY_TEXT], id[LEDGER_HASH_TEXT];
    uint8_t hash[32];
    const json_t *there;
    fm_status st = ledger_contract_check_shape(contract, c->rules_version, err);

    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_CONTRACT_SHAPE, err);
    if (!ledger_text_is(contract, "asker", c->alias))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_ASKER, err, "the contract's asker is %s",
                             ledger_text(contract, "asker"));
    if (c->time_ms >= ledger_int(contract, "expires"))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_EXPIRED, err, "the contract has expired");
    if (ledger_int(contract, "minimum_group") < ledger_limit(c, "minimum_group") &&
        !ledger_text_is(json_object_get(contract, "consent"), "requirement", "subject"))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_MINIMUM_GROUP, err,
                             "a minimum group below %lld needs the subject's consent",
                             (long long)ledger_limit(c, "minimum_group"));
    st = base_json_hash(hash, contract, err);
    if (st != FM_OK)
        return st;
    base_hex(id, hash, sizeof hash);
    st = ledger_state_get(c, &there, "contract", id, err);
    if (st != FM_OK)
        return st;
    if (there != NULL)
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_EXISTS, err, "contract %s is there already",
                             id);
    st = ledger_contract_check_world(c, contract, err);
    if (st != FM_OK)
        return st;
    return ledger_view_put(c->view, ledger_key(key, "contract", id),
                           json_pack("{s:O, s:s, s:I}", "contract", contract, "proposer", c->alias,
                                     "height", (json_int_t)c->height),
                           err);
}

/* ---- authorizations ---- */

/* A provider of the contract that the body names. */
static fm_status find_contract(struct ledger_context *c, const json_t **contract,
                               struct base_err *err)
{
    const char *id = ledger_text(c->body, "contract");
    struct ledger_parties parties;
    fm_status st = ledger_contract_get(c, contract, id, err);

    if (st != FM_OK)
        return st;
    if (*contract == NULL)
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_UNKNOWN, err, "there is no contract %s", id);
    if (!ledger_parties_of(&parties, *contract))
        return base_err_set(err, FM_E_CORRUPT, "a contract in the state names too many members");
    if ((ledger_parties_find(&parties, c->alias) & LEDGER_PARTY_PROVIDER) == 0)
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_PROVIDER, err,
                             "%s is no provider of the contract", c->alias);
    return FM_OK;
}

/* What the officer signed, the list and its hash, is what the contract's plan does. */
static fm_status check_uses(struct ledger_context *c, const json_t *contract, struct base_err *err)
{
    const json_t *shown = json_object_get(c->body, "uses");
    const json_t *planned = json_object_get(json_object_get(contract, "uses"), c->alias);
    char text[LEDGER_HASH_TEXT];
    uint8_t hash[32];
    fm_status st = base_json_hash(hash, planned, err);

    if (st != FM_OK)
        return st;
    base_hex(text, hash, sizeof hash);
    if (!ledger_text_is(c->body, "uses_hash", text) || !json_equal(shown, planned))
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_USES, err,
                             "the contract's uses of %s have the hash %s", c->alias, text);
    return FM_OK;
}

fm_status ledger_rule_authorization_grant(struct ledger_context *c, struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    const json_t *contract;
    fm_status st = find_contract(c, &contract, err);

    if (st != FM_OK)
        return st;
    if (c->time_ms >= ledger_int(contract, "expires"))
        return ledger_refuse(c, LEDGER_RULE_CONTRACT_EXPIRED, err, "the contract has expired");
    st = check_uses(c, contract, err);
    if (st != FM_OK)
        return st;
    if (ledger_int(c->body, "runs") < 1 || c->time_ms >= ledger_int(c->body, "expires"))
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_RUNS, err,
                             "an authorization needs at least one run and an expiry ahead");
    (void)ledger_key_2(key, "authorization", ledger_text(c->body, "contract"), c->alias);
    return ledger_view_put(c->view, key,
                           json_pack("{s:O, s:O, s:O, s:i, s:s, s:I}", "uses_hash",
                                     json_object_get(c->body, "uses_hash"), "expires",
                                     json_object_get(c->body, "expires"), "runs",
                                     json_object_get(c->body, "runs"), "used", 0, "status",
                                     "active", "height", (json_int_t)c->height),
                           err);
}

fm_status ledger_rule_authorization_revoke(struct ledger_context *c, struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    const json_t *contract, *authorization;
    fm_status st = find_contract(c, &contract, err);

    if (st != FM_OK)
        return st;
    (void)ledger_key_2(key, "authorization", ledger_text(c->body, "contract"), c->alias);
    st = ledger_view_get(c->view, &authorization, key, err);
    if (st != FM_OK)
        return st;
    if (authorization == NULL)
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_MISSING, err,
                             "%s has not authorized the contract", c->alias);
    if (!ledger_text_is(authorization, "status", "active"))
        return ledger_refuse(c, LEDGER_RULE_AUTHORIZATION_REVOKED, err,
                             "%s has withdrawn its authorization already", c->alias);
    return ledger_view_put(c->view, key, ledger_with_status(c, authorization, "revoked", "height"),
                           err);
}
