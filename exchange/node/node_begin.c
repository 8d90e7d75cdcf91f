/* A final query.open: contract, parties and descriptor are read off the ledger, and the session
 * begins. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "exchange/node/node_own.h"
#include "exchange/session/descriptor.h"

static int64_t now_ms(const struct node *node)
{
    return base_clock_unix_ms(node->config.clock);
}

/* DIDs and document versions of all parties, at this node's newest height. */
static fm_status hash_descriptor(struct node *node, struct session_facts *facts, const json_t *open,
                                 struct base_err *err)
{
    struct descriptor_member members[SESSION_MAX_PARTIES];
    json_t *held[SESSION_MAX_PARTIES] = {NULL};
    fm_status st = FM_OK;

    for (unsigned i = 0; st == FM_OK && i < facts->party_count; i++) {
        struct did_document *doc = NULL;
        st = ledger_reader_member(ledger_chain_reader(node->chain), &held[i],
                                  facts->parties[i].alias, err);
        if (st == FM_OK)
            st = did_document_parse(&doc, json_object_get(held[i], "document"), 1, err);
        if (st == FM_OK) {
            members[i].did = json_string_value(json_object_get(held[i], "did"));
            members[i].version = did_document_version(doc);
        }
        did_document_free(doc);
    }
    if (st == FM_OK)
        st = descriptor_hash(facts, open, members, err);
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
    return hash_descriptor(node, facts, q->open, err);
}

/* The asker's own node kept the openings since it submitted query.open. */
static void take_asking(struct node *node, struct node_query *q, const uint8_t id[32])
{
    for (struct node_asking *a = node->askings; a != NULL; a = a->next) {
        if (memcmp(a->id, id, 32) != 0)
            continue;
        q->asked_here = true;
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

static void begin(struct node *node, struct node_query *q)
{
    const struct session_facts *f = session_get_facts(q->session);

    if (node->draining) {
        session_on_cancel(q->session, "the node is stopping", now_ms(node));
        return;
    }
    if (f->self != f->asker)
        return;
    if (q->openings != NULL)
        session_on_openings(q->session, q->openings, now_ms(node));
    else /* We asked before a restart: the openings are gone with the process that had them. */
        session_on_cancel(q->session, "the asker's node was restarted", now_ms(node));
}

void node_query_opened(struct node *node, const struct ledger_entry *entry)
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
    q->next = node->queries;
    node->queries = q;
    take_asking(node, q, entry->id);
    node_log_put(node->config.log, "info", "query.open", q->query_hex,
                 "asked by %s under contract %.16s", q->contract.asker,
                 json_string_value(json_object_get(q->open, "contract")));
    begin(node, q);
    replay_held(node, q);
}
