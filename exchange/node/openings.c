#include "exchange/node/openings.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

fm_status node_opening_keep(struct node *node, const char *query_hex, const json_t *opening,
                            struct base_err *err)
{
    const json_t *list = json_object_get(opening, "parameters");
    const char *abouts[CONTRACT_MAX_PARAMETERS];
    struct base_buf text = {0};
    size_t n = 0;
    fm_status st = base_json_canonical(&text, opening, err);

    for (size_t i = 0; i < json_array_size(list) && n < CONTRACT_MAX_PARAMETERS; i++) {
        abouts[n] = json_string_value(json_object_get(json_array_get(list, i), "value"));
        n += abouts[n] != NULL;
    }
    if (st == FM_OK)
        st = node_sealed_put(node->started, OPENING_KIND, query_hex, text.p, text.len, abouts, n,
                             base_clock_unix_ms(node->config.clock), err);
    base_buf_release_secret(&text);
    return st;
}

fm_status node_input_opening_keep(struct node *node, const char *query_hex, int attempt,
                                  const uint8_t opening[MPC_PSI_OPENING], struct base_err *err)
{
    char name[96];

    (void)snprintf(name, sizeof name, "%s/%d", query_hex, attempt);
    return node_sealed_put(node->started, OPENING_INPUT, name, opening, MPC_PSI_OPENING, NULL, 0,
                           base_clock_unix_ms(node->config.clock), err);
}

static fm_status get(struct node *node, json_t **out, const char *kind, const char *name,
                     struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = node_sealed_get(&text, node->started, kind, name, err);

    *out = NULL;
    if (st == FM_OK)
        st = base_json_parse(out, base_buf_cstr(&text), text.len, err);
    base_buf_release_secret(&text);
    return st;
}

fm_status node_opening_get(struct node *node, json_t **out, const char *query_hex,
                           struct base_err *err)
{
    return get(node, out, OPENING_KIND, query_hex, err);
}

/* ---- a provider's ---- */

static json_t *parameters_of(const struct contract *c, const json_t *opened)
{
    const json_t *from = json_object_get(opened, "parameters");
    json_t *list = json_array();

    for (unsigned i = 0; i < c->parameter_count; i++) {
        json_t *item = json_copy(json_array_get(from, i));
        if (item == NULL ||
            json_object_set_new(item, "name", json_string(c->parameters[i].name)) != 0 ||
            json_array_append(list, item) != 0) {
            json_decref(item);
            json_decref(list);
            return NULL;
        }
        json_decref(item);
    }
    return list;
}

/* query.open's own list, each with the nonce that the asker showed for its parameter. */
static json_t *consents_of(const json_t *open, const json_t *opened)
{
    const json_t *from = json_object_get(open, "consents");
    const json_t *nonces = json_object_get(opened, "consents");
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(from); i++) {
        json_t *item = json_copy(json_array_get(from, i));
        const json_t *n = json_object_get(item, "parameter");
        for (size_t k = 0; k < json_array_size(nonces); k++)
            if (json_equal(json_object_get(json_array_get(nonces, k), "parameter"), n))
                (void)json_object_set(item, "nonce",
                                      json_object_get(json_array_get(nonces, k), "nonce"));
        (void)json_array_append_new(list, item);
    }
    return list;
}

json_t *node_opening_of_party(const struct contract *c, const json_t *open, const json_t *opened)
{
    return json_pack("{s:o,s:o}", "parameters", parameters_of(c, opened), "consents",
                     consents_of(open, opened));
}

/* ---- format 0 ---- */

/* Commitments of openings without a name -> the ids of their queries. */
struct unnamed {
    struct node *node;
    json_t *ids; /* requester in hex -> query id, or null */
    size_t left;
};

static fm_status note(void *ctx, const char *name, long long at_ms, struct base_err *err)
{
    struct unnamed *u = ctx;

    (void)at_ms;
    u->left++;
    return json_object_set_new(u->ids, name, json_null()) == 0 ? FM_OK
                                                               : base_err_memory(err, "openings");
}

static fm_status look(void *ctx, struct ledger_entry *entry, struct base_err *err)
{
    struct unnamed *u = ctx;
    struct base_err none = {0};
    const char *requester;
    char id[65];
    json_t *tx;

    if (entry->is_block || strcmp(entry->type, "query.open") != 0 ||
        base_json_parse_canonical(&tx, entry->payload.p, entry->payload.len, &none) != FM_OK)
        return FM_OK; /* or erased: then its commitment is gone */
    requester = json_string_value(json_object_get(json_object_get(tx, "body"), "requester"));
    base_hex(id, entry->id, 32);
    if (requester != NULL && json_is_null(json_object_get(u->ids, requester))) {
        u->left--;
        if (json_object_set_new(u->ids, requester, json_string(id)) != 0)
            (void)base_err_memory(err, "openings");
    }
    json_decref(tx);
    return u->left == 0 ? base_err_set(err, FM_E_CANCELLED, "all found") : FM_OK;
}

/* Format 0 knew the consents' ids alone, one at most, and not for which parameter it was. */
static fm_status rename_one(struct node *node, const char *requester, const char *query,
                            struct base_err *err)
{
    json_t *opening = NULL, *tx = NULL;
    struct ledger_entry entry = {0};
    uint8_t id[32];
    bool good = base_unhex(id, 32, query, strlen(query));
    fm_status st = get(node, &opening, OPENING_UNNAMED, requester, err);

    if (st == FM_OK && good)
        st = ledger_reader_tx(ledger_chain_reader(node->chain), &entry, id, err);
    if (st == FM_OK)
        st = base_json_parse_canonical(&tx, entry.payload.p, entry.payload.len, err);
    if (st == FM_OK &&
        json_object_set(opening, "consents",
                        json_object_get(json_object_get(tx, "body"), "consents")) != 0)
        st = base_err_memory(err, "openings");
    if (st == FM_OK)
        st = node_opening_keep(node, query, opening, err);
    if (st == FM_OK)
        st = node_sealed_remove(node->started, OPENING_UNNAMED, requester, err);
    json_decref(opening);
    json_decref(tx);
    ledger_entry_release(&entry);
    return st;
}

fm_status node_openings_name(struct node *node, struct base_err *err)
{
    struct unnamed u = {node, json_object(), 0};
    const char *requester;
    json_t *query;
    fm_status st = node_sealed_list(node->started, OPENING_UNNAMED, NULL, note, &u, err);

    if (st == FM_OK && u.left > 0)
        st = ledger_reader_entries(ledger_chain_reader(node->chain), 0, look, &u, err);
    if (st == FM_E_CANCELLED)
        st = FM_OK;
    json_object_foreach(u.ids, requester, query)
    {
        if (st == FM_OK && json_is_string(query))
            st = rename_one(node, requester, json_string_value(query), err);
    }
    json_decref(u.ids);
    return st;
}
