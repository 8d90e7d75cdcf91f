/* A final query.open: contract, parties and descriptor are read off the ledger, and the session
 * begins. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "exchange/node/node_own.h"
#include "exchange/session/descriptor.h"

/* How this process came to know of a query. */
enum origin {
    FROM_LEDGER,         /* query.open became final while it ran */
    FROM_BEFORE_RESTART, /* query.open was final and the query open when it was started */
};

static int64_t now_ms(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock);
}

/* The version of a document that was current at that height, given the newest one: nodes that act
 * on the same query.open at different heads must make the same descriptor. */
static fm_status version_at(int64_t *version, struct node *node, const char *did, uint64_t height,
                            struct base_err *err)
{
    fm_status st = FM_OK;
    bool later = true;

    while (st == FM_OK && later && *version > 1) {
        json_t *value;
        st = node_state(node, &value, err, "did/%s/%lld", did, (long long)*version);
        later = (uint64_t)json_integer_value(json_object_get(value, "height")) > height;
        json_decref(value);
        if (st == FM_OK && later)
            --*version;
    }
    return st;
}

/* DIDs and document versions of all parties, at the query's height. */
static fm_status hash_descriptor(struct node *node, struct node_query *q,
                                 struct session_facts *facts, struct base_err *err)
{
    struct descriptor_member members[SESSION_MAX_PARTIES];
    json_t *held[SESSION_MAX_PARTIES] = {NULL};
    fm_status st = FM_OK;

    for (unsigned i = 0; st == FM_OK && i < facts->party_count; i++) {
        struct did_document *doc = NULL;
        st = ledger_reader_member(ledger_chain_reader(node->chain), &held[i],
                                  facts->parties[i].alias, err);
        if (st == FM_OK)
            st = did_document_parse(&doc, json_object_get(held[i], "document"), DID_RULES_VERSION,
                                    err);
        if (st == FM_OK) {
            members[i].did = json_string_value(json_object_get(held[i], "did"));
            members[i].version = did_document_version(doc);
            st = version_at(&members[i].version, node, members[i].did, facts->height, err);
            q->versions[i] = members[i].version;
        }
        did_document_free(doc);
    }
    if (st == FM_OK)
        st = descriptor_hash(facts, q->open, members, err);
    for (unsigned i = 0; i < facts->party_count; i++)
        json_decref(held[i]);
    return st;
}

static fm_status read_contract(struct node *node, struct contract *out, const char *id_hex,
                               struct base_err *err)
{
    char key[16 + 65];
    json_t *value;
    fm_status st;

    (void)snprintf(key, sizeof key, "contract/%.64s", id_hex);
    st = ledger_reader_get(ledger_chain_reader(node->chain), &value, key, err);
    if (st == FM_OK)
        st = contract_parse(out, json_object_get(value, "contract"), err);
    json_decref(value);
    return st;
}

/* Contract, parties, descriptor of a final query.open; *takes_part says whether this node is one of
 * them. */
static fm_status read_facts(struct node *node, struct node_query *q, struct session_facts *facts,
                            bool *takes_part, const struct ledger_entry *entry,
                            struct base_err *err)
{
    const char *contract;
    fm_status st;

    memcpy(facts->query, entry->id, 32);
    memcpy(facts->chain, node->chain_id, 32);
    facts->height = entry->height;
    facts->attempt = 1;
    st = base_json_get_str(&contract, q->open, "contract", err);
    if (st == FM_OK)
        st = base_json_get_int(&facts->deadline_ms, q->open, "deadline", err);
    if (st == FM_OK)
        st = read_contract(node, &q->contract, contract, err);
    if (st == FM_OK)
        st = descriptor_parties(facts, takes_part, &q->contract, node->config.home.alias, err);
    if (st != FM_OK || !*takes_part)
        return st;
    memcpy(facts->plan_hash, q->contract.plan_hash, 32);
    (void)snprintf(facts->protocol, sizeof facts->protocol, "%s", q->contract.protocol);
    (void)snprintf(facts->link, sizeof facts->link, "%s", q->contract.link);
    return hash_descriptor(node, q, facts, err);
}

/* The asker's own node kept the openings since it submitted query.open. */
static void take_asking(struct node *node, struct node_query *q, const uint8_t id[32])
{
    for (struct node_asking *a = node->askings; a != NULL; a = a->next) {
        if (memcmp(a->id, id, 32) != 0)
            continue;
        q->asked_here = true;
        q->asker_gone = a->gone;
        q->asker_stopped = a->stopped;
        q->reply = a->reply;
        q->reply_waits = a->reply_waits;
        memcpy(q->format, a->format, sizeof q->format);
        q->hidden = json_incref(a->hidden);
        q->openings = json_incref(a->openings);
        node_asking_free(node, a);
        return;
    }
}

static void replay_held(struct node *node, const struct node_query *q)
{
    struct node_held **at = &node->held;

    while (*at != NULL) {
        struct node_held *h = *at;
        if (strcmp(json_string_value(json_object_get(h->message, "q")), q->query_hex) != 0) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        node->held_count--;
        node->held_bytes -= h->size;
        node_query_message(node, h->from, h->message);
        json_decref(h->message);
        free(h);
    }
}

/* What a process before this one knew of the query (openings, shares, signatures) is gone with it.
 */
static void restarted(struct node *node, struct node_query *q)
{
    struct base_err err = {0};
    bool started; /* true when in doubt: then nothing is given back */

    if (node_started_has(&started, node->started, q->query_hex, &err) != FM_OK)
        node_step_error(node, "query.open", &err);
    session_on_restarted(q->session, started, now_ms(node));
}

/* The parties need each other all at once: without one of them the query ends here, by its name,
 * and not with a time-out. */
static bool all_connected(struct node *node, const struct node_query *q)
{
    const struct session_facts *f = session_get_facts(q->session);

    for (unsigned i = 0; i < f->party_count; i++) {
        const struct node_member *m = node_member_named(node, f->parties[i].alias);
        if (i == f->self || m == NULL || m->up)
            continue;
        session_on_peer_down(q->session, i, "not connected", now_ms(node));
        return false;
    }
    return true;
}

static void cancel_for_asker(struct node *node, struct node_query *q)
{
    char why[64];

    (void)snprintf(why, sizeof why, "cancelled by %s", node->config.home.alias);
    session_on_cancel(q->session, q->asker_stopped ? why : "the one who asked has gone away",
                      now_ms(node));
}

static void begin(struct node *node, struct node_query *q, enum origin origin)
{
    const struct session_facts *f = session_get_facts(q->session);

    if (origin == FROM_BEFORE_RESTART || (f->self == f->asker && !q->asked_here))
        restarted(node, q);
    else if (node->draining)
        session_on_cancel(q->session, "the node is stopping", now_ms(node));
    else if (q->asker_gone || q->asker_stopped)
        cancel_for_asker(node, q);
    else if (f->self == f->asker && all_connected(node, q))
        session_on_openings(q->session, q->openings, now_ms(node));
}

/* A node that catches up reads many a query.open whose query has ended long ago: it took no part,
 * and has nothing to state about it. */
static bool is_open(struct node *node, const uint8_t id[32])
{
    struct base_err err = {0};
    json_t *value;
    const char *status;
    char hex[65];
    bool open = true; /* in doubt, the session's own deadline decides */

    base_hex(hex, id, 32);
    if (node_state(node, &value, &err, "query/%s", hex) == FM_OK) {
        status = json_string_value(json_object_get(value, "status"));
        open = status == NULL || strcmp(status, "open") == 0;
    }
    json_decref(value);
    return open;
}

static void open_session(struct node *node, const struct ledger_entry *entry, enum origin origin)
{
    const struct session_host host = node_session_host(node);
    struct node_query *q = calloc(1, sizeof *q);
    struct session_facts facts = {0};
    struct base_err err = {0};
    bool takes_part = false;
    json_t *tx = NULL;
    fm_status st = q != NULL ? FM_OK : base_err_memory(&err, "query");

    if (st == FM_OK) {
        base_hex(q->query_hex, entry->id, 32);
        st = base_json_parse_canonical(&tx, entry->payload.p, entry->payload.len, &err);
    }
    if (st == FM_OK) {
        q->open = json_incref(json_object_get(tx, "body"));
        st = read_facts(node, q, &facts, &takes_part, entry, &err);
    }
    if (st == FM_OK && takes_part)
        st = session_new(&q->session, &facts, &host, now_ms(node), &err);
    json_decref(tx);
    if (st != FM_OK)
        node_step_error(node, "query.open", &err);
    if (st != FM_OK || !takes_part) {
        if (q != NULL)
            node_query_free(node, q);
        return;
    }
    session_set_context(q->session, q);
    q->opened_ms = base_clock_mono_ms(node->config.clock);
    q->next = node->queries;
    node->queries = q;
    take_asking(node, q, entry->id);
    node_room_enter(node, q, entry->leaf);
    node_log_put(node->config.log, "info", "query.open", q->query_hex,
                 "asked by %s under contract %.16s", q->contract.asker,
                 json_string_value(json_object_get(q->open, "contract")));
    begin(node, q, origin);
    replay_held(node, q);
}

void node_query_opened(struct node *node, const struct ledger_entry *entry)
{
    if (is_open(node, entry->id))
        open_session(node, entry, FROM_LEDGER);
}

/* ---- after a restart ---- */

/* Queries that were final and open when this process came to life. */
struct open_queries {
    struct node *node;
    uint8_t (*ids)[32];
    size_t count, cap;
};

/* It was closed while this node was away, and the use of a consent may come back if this node, too,
 * says that it shared nothing (ledger/machine/rule_receipt.c). */
static bool waits_for_word(const json_t *query)
{
    return json_object_get(query, "unshared") != NULL &&
           json_object_get(query, "refunded") == NULL && json_object_get(query, "shared") == NULL;
}

static fm_status take_open_query(void *ctx, const char *key, const json_t *value,
                                 struct base_err *err)
{
    struct open_queries *l = ctx;
    const char *status = json_string_value(json_object_get(value, "status"));
    json_t *filed;
    size_t i;

    if (status == NULL || (strcmp(status, "open") != 0 && !waits_for_word(value)) ||
        (uint64_t)json_integer_value(json_object_get(value, "height")) > l->node->final_height)
        return FM_OK;
    json_array_foreach(json_object_get(value, "receipts"), i, filed)
    {
        if (strcmp(json_string_value(filed), l->node->config.home.alias) == 0)
            return FM_OK; /* It has said already how the query ended for it. */
    }
    if (l->count == l->cap) {
        size_t cap = l->cap == 0 ? 16 : 2 * l->cap;
        void *p = realloc(l->ids, cap * sizeof *l->ids);
        if (p == NULL)
            return base_err_memory(err, "open queries");
        l->ids = p;
        l->cap = cap;
    }
    if (!base_unhex(l->ids[l->count], 32, key + strlen("query/"), strlen(key) - strlen("query/")))
        return base_err_set(err, FM_E_CORRUPT, "%s: not a query's key", key);
    l->count++;
    return FM_OK;
}

void node_query_resume(struct node *node)
{
    struct open_queries l = {.node = node};
    struct base_err err = {0};
    fm_status st =
        ledger_reader_list(ledger_chain_reader(node->chain), "query/", take_open_query, &l, &err);

    for (size_t i = 0; st == FM_OK && i < l.count; i++) {
        struct ledger_entry entry = {0};
        char hex[65];
        base_hex(hex, l.ids[i], 32);
        if (node_query_find(node, hex) != NULL)
            continue;
        st = ledger_reader_tx(ledger_chain_reader(node->chain), &entry, l.ids[i], &err);
        if (st == FM_OK)
            open_session(node, &entry, FROM_BEFORE_RESTART);
        ledger_entry_release(&entry);
    }
    if (st != FM_OK)
        node_step_error(node, "queries open from before the restart", &err);
    free(l.ids);
}
