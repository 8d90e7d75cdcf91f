#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "did/proof.h"
#include "exchange/node/node_own.h"
#include "ledger/proof/inner.h"

static bool copy_text(char *out, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* One member of the ledger, as ledger_reader_member() gives it. A deactivated document leaves the
 * key zero. */
static fm_status read_member(struct node_member *out, const json_t *member, struct base_err *err)
{
    struct did_document *doc;
    const struct did_method *methods;
    size_t count;

    *out = (struct node_member){0};
    if (!copy_text(out->alias, sizeof out->alias, member, "alias") ||
        !copy_text(out->did, sizeof out->did, member, "did") ||
        !copy_text(out->endpoint, sizeof out->endpoint, member, "endpoint"))
        return base_err_set(err, FM_E_CORRUPT,
                            "a member of the ledger has no alias, DID or endpoint");
    out->active = strcmp(json_string_value(json_object_get(member, "status")), "active") == 0;
    if (did_document_parse(&doc, json_object_get(member, "document"), DID_RULES_VERSION, err) !=
        FM_OK)
        return base_err_prefix(err, "document of %s", out->alias);
    methods = did_document_methods(doc, &count);
    for (size_t i = 0; i < count; i++)
        if ((methods[i].roles & DID_ROLE_AUTHENTICATION) != 0 &&
            methods[i].key.suite == did_suite_usual())
            memcpy(out->authentication, methods[i].key.bytes, NET_KEY);
    if (did_document_is_deactivated(doc))
        out->active = false;
    did_document_free(doc);
    return FM_OK;
}

struct listing {
    char aliases[NODE_MAX_MEMBERS][SESSION_ALIAS];
    size_t count;
};

static fm_status list_member(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct listing *l = ctx;
    const char *alias = key + strlen("member/");

    (void)value;
    if (l->count == NODE_MAX_MEMBERS || strlen(alias) >= SESSION_ALIAS)
        return base_err_set(err, FM_E_LIMIT, "the ledger has more than %d members",
                            NODE_MAX_MEMBERS);
    memcpy(l->aliases[l->count++], alias, strlen(alias) + 1);
    return FM_OK;
}

/* A suspended member has this long to hear of it: the checkpoint that makes it final travels on the
 * very channels that end. */
#define SUSPENDED_GRACE_MS 10000

static void note_suspension(const struct node *node, struct node_member *fresh,
                            const struct node_member *old)
{
    if (fresh->active)
        return;
    fresh->cut = old == NULL || old->cut;
    fresh->suspended_ms =
        old != NULL && !old->active ? old->suspended_ms : base_clock_mono_ms(node->config.clock);
}

void node_members_tick(struct node *node)
{
    int64_t now = base_clock_mono_ms(node->config.clock);
    bool any = false;

    pthread_mutex_lock(&node->members_lock);
    for (size_t i = 0; i < node->member_count; i++) {
        struct node_member *m = &node->members[i];
        if (m->active || m->cut || now - m->suspended_ms < SUSPENDED_GRACE_MS)
            continue;
        m->cut = any = true;
    }
    pthread_mutex_unlock(&node->members_lock);
    if (any && node->net != NULL)
        net_node_recheck(node->net);
}

fm_status node_members_load(struct node *node, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(node->chain);
    struct node_member fresh[NODE_MAX_MEMBERS];
    const struct node_member *self;
    struct listing l = {.count = 0};

    if (ledger_reader_list(reader, "member/", list_member, &l, err) != FM_OK)
        return err->code;
    for (size_t i = 0; i < l.count; i++) {
        const struct node_member *old = node_member_named(node, l.aliases[i]);
        json_t *member;
        fm_status st = ledger_reader_member(reader, &member, l.aliases[i], err);
        if (st == FM_OK)
            st = read_member(&fresh[i], member, err);
        json_decref(member);
        if (st != FM_OK)
            return st;
        fresh[i].up = old != NULL && old->up;
        note_suspension(node, &fresh[i], old);
        if (old != NULL)
            fresh[i].ping = old->ping;
    }
    pthread_mutex_lock(&node->members_lock);
    memcpy(node->members, fresh, l.count * sizeof fresh[0]);
    node->member_count = l.count;
    pthread_mutex_unlock(&node->members_lock);
    self = node_member_named(node, node->config.home.alias);
    if (self != NULL)
        memcpy(node->did, self->did, sizeof node->did);
    return FM_OK;
}

struct node_member *node_member_named(struct node *node, const char *alias)
{
    for (size_t i = 0; i < node->member_count; i++)
        if (strcmp(node->members[i].alias, alias) == 0)
            return &node->members[i];
    return NULL;
}

static bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    static const uint8_t none[NET_KEY];
    struct node *node = ctx;
    const struct node_member *m;
    bool known;

    pthread_mutex_lock(&node->members_lock);
    m = node_member_named(node, peer);
    known = m != NULL && !m->cut && memcmp(m->authentication, none, sizeof none) != 0;
    if (known)
        memcpy(out33, m->authentication, NET_KEY);
    pthread_mutex_unlock(&node->members_lock);
    return known;
}

struct net_keys node_keys(struct node *node)
{
    return (struct net_keys){key_of, node};
}

/* ---- channels ---- */

fm_status node_peers_set(struct node *node, struct base_err *err)
{
    struct net_peer_config peers[NODE_MAX_MEMBERS];
    fm_status st;
    size_t n = 0;

    for (size_t i = 0; i < node->member_count; i++)
        if (strcmp(node->members[i].alias, node->config.home.alias) != 0)
            peers[n++] =
                (struct net_peer_config){node->members[i].alias, node->members[i].endpoint};
    st = net_node_peers_set(node->net, peers, n, err);
    net_node_recheck(node->net);
    return st;
}

void node_peer_up(struct node *node, const char *alias)
{
    struct node_member *m = node_member_named(node, alias);
    struct base_err err = {0};

    if (m == NULL)
        return;
    m->up = true;
    node->counts.connected++;
    node_ping_up(node, m);
    node_log_peer(node->config.log, "info", "peer.up", alias, NULL, "%s is connected", alias);
    if (ledger_engine_peer_up(node->engine, alias, node_now(node), &err) != FM_OK)
        node_step_error(node, alias, &err);
    copies_peer_up(node->copies, alias);
}

void node_peer_down(struct node *node, const char *alias, const char *why)
{
    struct node_member *m = node_member_named(node, alias);

    if (m == NULL)
        return;
    m->up = false;
    node->counts.disconnected++;
    node_log_peer(node->config.log, "warn", "peer.down", alias, NULL, "%s: %s", alias, why);
    ledger_engine_peer_down(node->engine, alias);
    node_query_peer_down(node, alias, why);
    copies_peer_down(node->copies, alias);
}

bool node_send(struct node *node, const char *alias, uint16_t type, const void *bytes, size_t len)
{
    struct base_err err = {0};

    return node->net != NULL && net_node_send(node->net, alias, type, bytes, len, &err) == FM_OK;
}

/* ---- proofs by members' assertion keys ---- */

fm_status node_prove(struct node *node, const json_t *document, json_t **proof,
                     struct base_err *err)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)document);
    fm_status st;

    *proof = NULL;
    if (copy == NULL)
        return base_err_memory(err, "proof");
    st = ledger_receipt_sign(copy, node->did, node->config.assertion,
                             base_clock_unix_ms(node->config.clock) / 1000, err);
    if (st == FM_OK)
        *proof = json_incref(json_object_get(copy, "proof"));
    json_decref(copy);
    return st;
}

fm_status node_check_proof(struct node *node, const char *alias, const json_t *document,
                           const json_t *proof, struct base_err *err)
{
    json_t *member = NULL, *signed_copy = json_copy((json_t *)(uintptr_t)document);
    struct did_document *doc = NULL;
    struct did_resolver resolver;
    struct did_proof found;
    fm_status st = FM_OK;

    if (signed_copy == NULL || proof == NULL)
        st = base_err_set(err, FM_E_AUTH, "there is no proof");
    if (st == FM_OK && json_object_set(signed_copy, "proof", (json_t *)(uintptr_t)proof) != 0)
        st = base_err_memory(err, "proof");
    if (st == FM_OK)
        st = ledger_reader_member(ledger_chain_reader(node->chain), &member, alias, err);
    if (st == FM_OK && strcmp(json_string_value(json_object_get(member, "status")), "active") != 0)
        st = base_err_set(err, FM_E_AUTH, "%s is suspended", alias);
    if (st == FM_OK)
        st = did_document_parse(&doc, json_object_get(member, "document"), DID_RULES_VERSION, err);
    if (st == FM_OK) {
        resolver = did_document_resolver(doc);
        st = did_proof_verify(&found, signed_copy, DID_ROLE_ASSERTION, DID_RULES_VERSION, &resolver,
                              err);
    }
    did_document_free(doc);
    json_decref(member);
    json_decref(signed_copy);
    return st;
}
