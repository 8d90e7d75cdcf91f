/* contract.draft and contract.check: the node compiles and compares; officer.authorize is for
 * throwaway consortia. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/contract/compile.h"
#include "exchange/contract/protocol.h"
#include "exchange/node/contract_diff.h"
#include "exchange/node/requests_own.h"

/* ---- finding one ---- */

struct search {
    const char *prefix;
    char id_hex[65];
    unsigned found;
};

static fm_status match(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct search *s = ctx;

    (void)value;
    (void)err;
    if (strlen(key) == strlen("contract/") + 64) {
        memcpy(s->id_hex, key + strlen("contract/"), 65);
        s->found++;
    }
    return FM_OK;
}

fm_status node_contract(struct node *node, struct contract *out, char id_hex[65],
                        const json_t *request, struct base_err *err)
{
    struct search s = {.found = 0};
    char prefix[16 + 65];
    json_t *value;
    fm_status st;

    if (base_json_get_str(&s.prefix, request, "contract", err) != FM_OK)
        return err->code;
    if (strlen(s.prefix) < 8 || strlen(s.prefix) > 64 ||
        strspn(s.prefix, "0123456789abcdef") != strlen(s.prefix))
        return base_err_set(err, FM_E_ARG,
                            "a contract is named by its id: 8 to 64 lower-case hex digits");
    (void)snprintf(prefix, sizeof prefix, "contract/%s", s.prefix);
    st = ledger_reader_list(ledger_chain_reader(node->chain), prefix, match, &s, err);
    if (st == FM_OK && s.found != 1)
        st = base_err_set(err, s.found == 0 ? FM_E_NOT_FOUND : FM_E_ARG,
                          "%s contract on the ledger begins with %s",
                          s.found == 0 ? "contract.unknown: no" : "more than one", s.prefix);
    if (st != FM_OK)
        return st;
    memcpy(id_hex, s.id_hex, 65);
    st = node_state(node, &value, err, "contract/%s", id_hex);
    if (st == FM_OK)
        st = contract_parse(out, json_object_get(value, "contract"), err);
    json_decref(value);
    return st;
}

/* ---- drafting ---- */

static json_t *member_dids(const struct node *node)
{
    json_t *dids = json_object();

    for (size_t i = 0; i < node->member_count; i++)
        (void)json_object_set_new(dids, node->members[i].alias, json_string(node->members[i].did));
    return dids;
}

static fm_status describe(json_t *answer, const struct sql_plan *plan, struct base_err *err)
{
    struct base_buf plan_text = {0}, uses_text = {0};
    fm_status st = contract_describe(&plan_text, &uses_text, plan, err);

    if (st == FM_OK &&
        (json_object_set_new(answer, "plan_text", json_string(base_buf_cstr(&plan_text))) != 0 ||
         json_object_set_new(answer, "uses_text", json_string(base_buf_cstr(&uses_text))) != 0))
        st = base_err_memory(err, "contract");
    base_buf_release(&plan_text);
    base_buf_release(&uses_text);
    return st;
}

void node_request_contract_draft(struct node *node, const json_t *request,
                                 const struct node_reply *reply)
{
    struct base_err err = {0};
    struct contract c = {0};
    struct sql_plan plan;
    json_t *datasets = NULL, *dids = member_dids(node), *contract = NULL, *answer = NULL, *spec;
    char id_hex[65];
    fm_status st = base_json_get_object(&spec, request, "spec", &err);

    if (st == FM_OK)
        st = node_datasets(node, &datasets, &err);
    if (st == FM_OK)
        st = contract_build(&contract, spec, node->config.home.alias, datasets, dids,
                            base_clock_unix_ms(node->config.clock), &err);
    if (st == FM_OK)
        st = contract_parse(&c, contract, &err);
    if (st == FM_OK)
        st = contract_compile(&plan, &c, datasets, &err);
    if (st == FM_OK) {
        base_hex(id_hex, c.id, 32);
        answer = json_pack("{s:s,s:O}", "id", id_hex, "contract", contract);
        st = answer != NULL ? describe(answer, &plan, &err) : base_err_memory(&err, "contract");
        sql_plan_release(&plan);
    }
    if (st == FM_OK)
        node_reply_value(reply, json_incref(answer));
    else
        node_reply_error(reply, &err);
    json_decref(answer);
    json_decref(contract);
    json_decref(datasets);
    json_decref(dids);
    contract_release(&c);
}

/* ---- checking ---- */

static fm_status put_text(json_t *answer, const char *name, struct base_buf *text,
                          struct base_err *err)
{
    fm_status st = base_buf_status(text, name, err);

    if (st == FM_OK && json_object_set_new(answer, name, json_string(base_buf_cstr(text))) != 0)
        st = base_err_memory(err, name);
    base_buf_release(text);
    return st;
}

static fm_status summarize(json_t *answer, const struct contract *c, const char *id_hex,
                           const struct sql_plan *plan, struct base_err *err)
{
    struct base_buf text = {0};

    base_buf_putf(
        &text,
        "contract %s\n  name        %s\n  asked by    %s for %s\n  sql         %s\n  recipients  ",
        id_hex, c->name, c->asker, c->purpose, c->sql);
    for (unsigned i = 0; i < c->recipient_count; i++)
        base_buf_putf(&text, "%s%s", i > 0 ? ", " : "", c->recipients[i]);
    base_buf_put_str(&text, "\n  computed by ");
    for (unsigned i = 0; i < c->compute_count; i++)
        base_buf_putf(&text, "%s%s", i > 0 ? ", " : "", c->compute[i]);
    base_buf_putf(&text, " (%s, link %s)\n", c->protocol, c->link);
    if (contract_protocol_describe(&text, c, plan, err) != FM_OK) {
        base_buf_release(&text);
        return err->code;
    }
    base_buf_putf(&text, "  minimum     %lld subjects of others%s\n", (long long)c->minimum_group,
                  c->subject_parameter > 0 ? "; needs the subject's consent" : "");
    return put_text(answer, "summary", &text, err);
}

static fm_status list_authorizations(struct node *node, json_t *answer, const struct contract *c,
                                     const char *id_hex, struct base_err *err)
{
    struct base_buf text = {0};

    for (unsigned i = 0; i < c->table_count; i++) {
        struct base_err none = {0};
        json_t *value;
        const char *status = "missing";
        if (node_state(node, &value, &none, "authorization/%s/%s", id_hex, c->tables[i].provider) ==
            FM_OK)
            status = json_string_value(json_object_get(value, "status"));
        base_buf_putf(&text, "  %-16s %s", c->tables[i].provider,
                      status != NULL ? status : "missing");
        if (value != NULL)
            base_buf_putf(&text, ", %lld of %lld runs used",
                          (long long)json_integer_value(json_object_get(value, "used")),
                          (long long)json_integer_value(json_object_get(value, "runs")));
        base_buf_put_str(&text, "\n");
        json_decref(value);
    }
    return put_text(answer, "authorizations_text", &text, err);
}

static fm_status add_diff(struct node *node, json_t *answer, const struct contract *c,
                          struct base_err *err)
{
    struct base_buf text = {0};

    if (node_contract_diff(node, &text, c, err) != FM_OK) {
        base_buf_release(&text);
        return err->code;
    }
    return put_text(answer, "diff_text", &text, err);
}

/* The uses of this member's own columns: what its officer would sign. */
static fm_status add_own_uses(struct node *node, json_t *answer, const struct contract *c,
                              struct base_err *err)
{
    struct base_buf text = {0};
    const json_t *uses;
    json_t *item, *use;
    uint8_t hash[32];
    char hash_hex[65];
    size_t i, k;

    if (!contract_is_provider(c, node->config.home.alias))
        return FM_OK;
    if (contract_uses_of(&uses, hash, c, node->config.home.alias, err) != FM_OK)
        return err->code;
    base_hex(hash_hex, hash, 32);
    json_array_foreach((json_t *)(uintptr_t)uses, i, item)
    {
        base_buf_putf(&text, "  %-24s", json_string_value(json_object_get(item, "column")));
        json_array_foreach(json_object_get(item, "uses"), k, use)
            base_buf_putf(&text, " %s", json_string_value(use));
        base_buf_put_str(&text, "\n");
    }
    if (json_object_set(answer, "own_uses", (json_t *)(uintptr_t)uses) != 0 ||
        json_object_set_new(answer, "own_uses_hash", json_string(hash_hex)) != 0)
        return base_err_memory(err, "uses");
    return put_text(answer, "own_uses_text", &text, err);
}

static fm_status check(struct node *node, json_t **out, struct contract *c, const json_t *request,
                       struct base_err *err)
{
    struct sql_plan plan;
    json_t *datasets = NULL, *answer = NULL;
    char id_hex[65];
    fm_status st = node_contract(node, c, id_hex, request, err);

    if (st == FM_OK)
        st = node_datasets(node, &datasets, err);
    if (st == FM_OK)
        st = contract_compile(&plan, c, datasets, err);
    json_decref(datasets);
    if (st != FM_OK)
        return st;
    answer = json_pack("{s:s,s:O}", "id", id_hex, "contract", c->json);
    st = answer != NULL ? describe(answer, &plan, err) : base_err_memory(err, "contract");
    if (st == FM_OK)
        st = summarize(answer, c, id_hex, &plan, err);
    sql_plan_release(&plan);
    if (st == FM_OK)
        st = list_authorizations(node, answer, c, id_hex, err);
    if (st == FM_OK)
        st = add_own_uses(node, answer, c, err);
    if (st == FM_OK)
        st = add_diff(node, answer, c, err);
    if (st != FM_OK) {
        json_decref(answer);
        answer = NULL;
    }
    *out = answer;
    return st;
}

void node_request_contract_check(struct node *node, const json_t *request,
                                 const struct node_reply *reply)
{
    struct base_err err = {0};
    struct contract c = {0};
    json_t *answer = NULL;

    if (check(node, &answer, &c, request, &err) == FM_OK)
        node_reply_value(reply, answer);
    else
        node_reply_error(reply, &err);
    contract_release(&c);
}

/* In a throwaway consortium one process is a whole member, officer included: the same transaction,
 * signed here. */
void node_request_officer_authorize(struct node *node, const json_t *request,
                                    const struct node_reply *reply)
{
    struct base_err err = {0};
    struct contract c = {0};
    int64_t now = base_clock_unix_ms(node->config.clock);
    json_t *answer = NULL, *tx = NULL, *body = NULL, *submit = NULL;
    fm_status st =
        node->config.officer != NULL
            ? check(node, &answer, &c, request, &err)
            : base_err_set(&err, FM_E_REFUSED,
                           "officers sign with firmiana contract authorize, not in the node");

    if (st == FM_OK) {
        body = json_pack("{s:O,s:O,s:O,s:I,s:i}", "contract", json_object_get(answer, "id"),
                         "uses_hash", json_object_get(answer, "own_uses_hash"), "uses",
                         json_object_get(answer, "own_uses"), "expires",
                         (json_int_t)(now + 86400000), "runs", 1000);
        st = body != NULL ? ledger_tx_build(&tx, node->chain_id, LEDGER_TX_AUTHORIZATION_GRANT,
                                            node->did, now + 600000, body, &err)
                          : base_err_set(&err, FM_E_REFUSED,
                                         "this member provides no table of the contract");
    }
    if (st == FM_OK)
        st = ledger_tx_sign(tx, node->config.officer, now / 1000, &err);
    if (st == FM_OK) {
        submit = json_pack("{s:s,s:O}", "do", "tx.submit", "tx", tx);
        node_request(node, submit, reply);
    } else
        node_reply_error(reply, &err);
    json_decref(submit);
    json_decref(tx);
    json_decref(body);
    json_decref(answer);
    contract_release(&c);
}
