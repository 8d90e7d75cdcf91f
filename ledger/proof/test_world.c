#include "ledger/proof/test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/test_profile.h"
#include "did/proof.h"
#include "ledger/proof/checkpoint.h"

enum { CREATED_S = 1790000000, HOUR_MS = 3600000 };

int world_rules_version;
static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

struct did_secret *world_secret(struct world *w)
{
    struct did_secret *secret;
    uint8_t seed[32];

    w->secrets++;
    base_hash(seed, &w->secrets, sizeof w->secrets);
    must(did_secret_import(&secret, did_suite_usual(), seed, sizeof seed, &err));
    return secret;
}

/* ---- members ---- */

static void make_member(struct world *w, size_t i, const char *alias, const char *chain)
{
    struct world_member *m = &w->m[i];
    struct did_draft draft = {0};
    uint8_t commit[32];

    m->alias = alias;
    m->channel = world_secret(w);
    m->node = world_secret(w);
    m->officer[0] = world_secret(w);
    m->officer[1] = world_secret(w);
    m->recovery = world_secret(w);
    did_recovery_commit(commit, did_secret_key(m->recovery));
    must(did_draft_first(&draft, chain, alias, commit, &err));
    must(did_draft_add(&draft, did_secret_key(m->channel), DID_ROLE_AUTHENTICATION, &err));
    must(did_draft_add(&draft, did_secret_key(m->node), DID_ROLE_ASSERTION, &err));
    must(did_draft_add(&draft, did_secret_key(m->officer[0]), DID_ROLE_INVOCATION, &err));
    must(did_draft_add(&draft, did_secret_key(m->officer[1]), DID_ROLE_INVOCATION, &err));
    draft.threshold = i == 0 ? 2 : 1;
    must(did_draft_build(&m->doc, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    m->did = did_document_id(m->doc);
}

static json_t *member_json(const struct world_member *m)
{
    return json_pack("{s:s, s:O, s:[s,s,s], s:s}", "alias", m->alias, "document",
                     did_document_json(m->doc), "roles", "asker", "provider", "compute", "endpoint",
                     "127.0.0.1:7000");
}

static void make_genesis(struct world *w, size_t count, int quorum)
{
    json_t *members = json_array();

    for (size_t i = 0; i < count; i++)
        assert_int_equal(json_array_append_new(members, member_json(&w->m[i])), 0);
    w->genesis = json_pack(
        "{s:i, s:s, s:I, s:i, s:o, s:i, s:s, s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}}",
        "format", 1, "name", "test consortium", "time", (json_int_t)w->time_ms, "rules_version",
        world_rules(), "members", members, "quorum", quorum, "sequencer", "bank_a", "limits",
        "tx_bytes", 65536, "block_txs", 1000, "block_bytes", 1 << 20, "not_after_ms", 24 * HOUR_MS,
        "refused_per_day", 100, "open_queries", 10, "unreceipted_queries", 3, "consent_uses", 100,
        "deadline_ms", HOUR_MS, "minimum_group", 2);
    assert_non_null(w->genesis);
    test_profile_say(w->genesis);
    must(base_json_hash(w->chain, w->genesis, &err));
}

/* ---- writing ---- */

static fm_status sink_write(void *ctx, const void *bytes, size_t len, struct base_err *e)
{
    struct world *w = ctx;

    base_buf_put(&w->bundle, bytes, len);
    return base_buf_status(&w->bundle, "bundle", e);
}

static struct ledger_bundle_sink sink_of(struct world *w)
{
    return (struct ledger_bundle_sink){sink_write, w};
}

static void canonical(struct base_buf *out, const json_t *json)
{
    must(base_json_canonical(out, json, &err));
}

void world_init_of(struct world *w, size_t members, int quorum)
{
    static const char *const aliases[] = {"bank_a", "bank_b", "bank_c", "regulator"};
    struct ledger_bundle_sink sink = sink_of(w);
    struct base_buf bytes = {0};
    char chain[DID_CHAIN_TEXT];

    (void)test_profile_adopt();
    *w = (struct world){.time_ms = 1790000000000, .step_ms = 1000};
    for (size_t i = 0; i < WORLD_MEMBERS; i++)
        make_member(w, i, aliases[i], NULL);
    make_genesis(w, members, quorum);
    for (size_t i = 0; i < members; i++) {
        struct did_document *bound;
        must(did_document_bind(&bound, w->m[i].doc, w->chain, DID_RULES_VERSION, &err));
        did_document_free(w->m[i].doc);
        w->m[i].doc = bound;
        w->m[i].did = did_document_id(bound);
    }
    did_chain_text(chain, w->chain);
    make_member(w, WORLD_NEW, "carol_credit", chain);
    canonical(&bytes, w->genesis);
    must(ledger_bundle_genesis(&sink, LEDGER_BUNDLE_WHOLE, w->chain, bytes.p, bytes.len, &err));
    base_buf_release(&bytes);
    (void)world_block(w);
}

void world_release(struct world *w)
{
    for (size_t i = 0; i <= WORLD_MEMBERS; i++) {
        struct world_member *m = &w->m[i];
        did_secret_free(m->channel);
        did_secret_free(m->node);
        did_secret_free(m->old_node);
        did_secret_free(m->officer[0]);
        did_secret_free(m->officer[1]);
        did_secret_free(m->recovery);
        did_document_free(m->doc);
    }
    json_decref(w->genesis);
    json_decref(w->overrides);
    base_buf_release(&w->bundle);
}

/* ---- transactions ---- */

json_t *world_tx_unsigned(struct world *w, enum ledger_tx_type type, size_t sender, json_t *body)
{
    json_t *tx;

    assert_non_null(body);
    must(ledger_tx_build(&tx, w->chain, type, w->m[sender].did, w->time_ms + HOUR_MS, body, &err));
    json_decref(body);
    return tx;
}

void world_sign(json_t *tx, const struct did_secret *secret)
{
    must(ledger_tx_sign(tx, secret, CREATED_S, &err));
}

json_t *world_tx(struct world *w, enum ledger_tx_type type, size_t sender, json_t *body)
{
    json_t *tx = world_tx_unsigned(w, type, sender, body);
    const struct world_member *m = &w->m[sender];

    switch (ledger_tx_type_authority(type)) {
    case LEDGER_BY_NODE:
        world_sign(tx, m->node);
        break;
    case LEDGER_BY_RECOVERY:
        world_sign(tx, m->recovery);
        break;
    case LEDGER_BY_OFFICERS:
        for (size_t i = 0; i < did_document_threshold(m->doc); i++)
            world_sign(tx, m->officer[i]);
        break;
    }
    return tx;
}

static void add_hash(struct ledger_log *log, const uint8_t data32[32])
{
    uint8_t hash[32];

    ledger_log_leaf_hash(hash, data32);
    ledger_log_append(log, hash, NULL);
}

static uint64_t put(struct world *w, json_t *tx, enum ledger_rule rule, bool hide)
{
    struct ledger_bundle_sink sink = sink_of(w);
    struct base_buf payload = {0}, result = {0};
    json_t *json = rule == LEDGER_RULE_OK
                       ? json_pack("{s:s}", "code", "ok")
                       : json_pack("{s:s, s:s, s:s}", "code", "refused", "rule",
                                   ledger_rule_code(rule), "detail", ledger_rule_text(rule));
    uint8_t hash[32];

    canonical(&payload, tx);
    canonical(&result, json);
    base_hash(hash, payload.p, payload.len);
    if (hide)
        must(ledger_bundle_hidden(&sink, w->log.size, hash, result.p, result.len, &err));
    else
        must(ledger_bundle_leaf(&sink, w->log.size, payload.p, payload.len, result.p, result.len,
                                &err));
    add_hash(&w->log, hash);
    add_hash(&w->txs, hash);
    base_hash(hash, result.p, result.len);
    add_hash(&w->results, hash);
    base_buf_release(&payload);
    base_buf_release(&result);
    json_decref(json);
    json_decref(tx);
    return w->log.size - 1;
}

uint64_t world_put(struct world *w, json_t *tx, enum ledger_rule rule)
{
    return put(w, tx, rule, false);
}

uint64_t world_hide(struct world *w, json_t *tx, enum ledger_rule rule)
{
    return put(w, tx, rule, true);
}

uint64_t world_block(struct world *w)
{
    struct ledger_bundle_sink sink = sink_of(w);
    struct base_buf payload = {0};
    char prev[65], txs[65], results[65], state[65];
    uint8_t root[32];
    json_t *block;

    if (w->log.size > 0) {
        w->height++;
        w->time_ms += w->step_ms;
    }
    base_hex(prev, w->prev, 32);
    ledger_log_root(root, &w->txs);
    base_hex(txs, root, 32);
    ledger_log_root(root, &w->results);
    base_hex(results, root, 32);
    base_hex(state, w->state_root, 32);
    block = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:i, s:I, s:I}", "kind", "block",
                      "height", (json_int_t)w->height, "time", (json_int_t)w->time_ms, "prev", prev,
                      "tx_root", txs, "result_root", results, "state_root", state, "rules_version",
                      world_rules(), "epoch", (json_int_t)w->epoch, "txs", (json_int_t)w->txs.size);
    assert_int_equal(w->overrides == NULL ? 0 : json_object_update(block, w->overrides), 0);
    json_decref(w->overrides);
    w->overrides = NULL;
    canonical(&payload, block);
    json_decref(block);
    must(ledger_bundle_leaf(&sink, w->log.size, payload.p, payload.len, NULL, 0, &err));
    base_hash(w->prev, payload.p, payload.len);
    add_hash(&w->log, w->prev);
    base_buf_release(&payload);
    w->txs = w->results = (struct ledger_log){0};
    return w->log.size - 1;
}

void world_checkpoint(struct world *w, unsigned cosigners)
{
    static const size_t by_alias[] = {0, 1, 2, WORLD_NEW, 3};
    struct ledger_bundle_sink sink = sink_of(w);
    static struct ledger_checkpoint c;
    struct base_buf text = {0};

    memset(&c, 0, sizeof c);
    memcpy(c.chain, w->chain, 32);
    c.size = w->log.size;
    c.epoch = w->epoch;
    ledger_log_root(c.root, &w->log);
    for (size_t k = 0; k < sizeof by_alias / sizeof *by_alias; k++) {
        const struct world_member *m = &w->m[by_alias[k]];
        if ((cosigners >> by_alias[k] & 1) != 0)
            must(ledger_cosign(&c.cosigner[c.n++], &c, m->did, m->node, CREATED_S, &err));
    }
    must(ledger_checkpoint_encode(&text, &c, &err));
    must(ledger_bundle_checkpoint(&sink, (const char *)text.p, text.len, &err));
    base_buf_release(&text);
}

/* ---- state ---- */

static struct world_page *find_page(struct world *w, const uint8_t *id, size_t id_len)
{
    for (size_t i = 0; i < w->n_pages; i++) {
        if (w->page[i].id_len == id_len && memcmp(w->page[i].id, id, id_len) == 0)
            return &w->page[i];
    }
    return NULL;
}

static fm_status page_get(void *ctx, uint8_t *out, size_t *len, const uint8_t *id, size_t id_len,
                          struct base_err *e)
{
    const struct world_page *p = find_page(ctx, id, id_len);

    (void)e;
    *len = p == NULL ? 0 : p->len;
    if (p != NULL)
        memcpy(out, p->page, p->len);
    return FM_OK;
}

static fm_status page_put(void *ctx, const uint8_t *id, size_t id_len, const uint8_t *page,
                          size_t len, struct base_err *e)
{
    struct world *w = ctx;
    struct world_page *p = find_page(w, id, id_len);

    (void)e;
    if (p == NULL) {
        assert_true(w->n_pages < sizeof w->page / sizeof *w->page);
        p = &w->page[w->n_pages++];
    }
    memcpy(p->id, id, id_len);
    p->id_len = id_len;
    memcpy(p->page, page, len);
    p->len = len;
    return FM_OK;
}

static fm_status page_del(void *ctx, const uint8_t *id, size_t id_len, struct base_err *e)
{
    struct world *w = ctx;

    (void)e;
    *find_page(w, id, id_len) = w->page[--w->n_pages];
    return FM_OK;
}

void world_state(struct world *w, const char *key, json_t *value)
{
    const struct ledger_state_pages pages = {page_get, page_put, page_del, w, NULL};
    struct ledger_state_change change = {.removed = value == NULL};

    ledger_state_path(change.path, key);
    if (value != NULL)
        must(base_json_hash(change.value_hash, value, &err));
    json_decref(value);
    must(ledger_state_update(w->state_root, &pages, &change, 1, &err));
}

void world_prove(struct world *w, const char *key, const json_t *value)
{
    const struct ledger_state_pages pages = {page_get, page_put, page_del, w, NULL};
    struct ledger_bundle_sink sink = sink_of(w);
    static struct ledger_state_proof proof;
    uint8_t path[32];
    json_t *json;

    ledger_state_path(path, key);
    must(ledger_state_prove(&proof, path, &pages, &err));
    json = ledger_state_proof_json(&proof, path);
    must(ledger_bundle_state(&sink, key, value, json, &err));
    json_decref(json);
}

/* ---- bodies ---- */

void world_id(uint8_t out32[32], const json_t *body)
{
    must(base_json_hash(out32, body, &err));
}

json_t *world_contract(struct world *w)
{
    char zeros[65];
    static const uint8_t none[32];
    json_t *c;

    base_hex(zeros, none, 32);
    c = json_pack("{s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:[s,s,s], s:[s], s:[{s:s, s:s, s:s, s:s, "
                  "s:i, s:s}, {s:s, s:s, s:s, s:s, s:i, s:s}], s:[], s:i, s:{s:s, s:s}, s:I, s:s, "
                  "s:{}, s:{}}",
                  "format", 1, "name", "exposure", "version", 1, "asker", "bank_a", "purpose",
                  "credit decision", "sql", "SELECT SUM(balance) FROM loans", "protocol", "rep3",
                  "compute", "bank_a", "bank_b", "bank_c", "recipients", "bank_a", "tables",
                  "table", "loans", "provider", "bank_b", "did", w->m[1].did, "dataset", "loans",
                  "schema_version", 1, "schema_hash", zeros, "table", "loans", "provider", "bank_c",
                  "did", w->m[2].did, "dataset", "loans", "schema_version", 1, "schema_hash", zeros,
                  "parameters", "minimum_group", 5, "consent", "requirement", "none", "basis",
                  "statute", "expires", (json_int_t)(w->time_ms + HOUR_MS), "plan_hash", zeros,
                  "plan", "uses");
    assert_non_null(c);
    return c;
}

json_t *world_consent(struct world *w, const struct did_secret *subject)
{
    static const uint8_t nonce[32] = {7};
    struct ledger_consent c = {.scheme = "cn.id",
                               .grantee = "bank_a",
                               .purpose = "credit decision",
                               .not_before = w->time_ms,
                               .expires = w->time_ms + HOUR_MS,
                               .uses = 2};
    json_t *json;

    memcpy(c.chain, w->chain, 32);
    ledger_subject_commit(c.commitment, w->chain, "11010519491231002X", 18, nonce);
    must(ledger_consent_build(&json, &c, subject, &err));
    must(ledger_subject_sign(json, subject, CREATED_S, &err));
    return json;
}

json_t *world_open(struct world *w, const json_t *contract)
{
    char id[65], hash[65];
    uint8_t bytes[32];

    world_id(bytes, contract);
    base_hex(id, bytes, 32);
    base_hex(hash, w->chain, 32);
    return world_tx(w, LEDGER_TX_QUERY_OPEN, 0,
                    json_pack("{s:s, s:I, s:[], s:s, s:s, s:[s,s,s], s:I}", "contract", id,
                              "height", (json_int_t)w->height, "consents", "parameters", hash,
                              "requester", hash, "compute", "bank_a", "bank_b", "bank_c",
                              "deadline", (json_int_t)(w->time_ms + 60000)));
}

json_t *world_receipt(struct world *w, const json_t *open, enum ledger_outcome_kind outcome,
                      unsigned signers)
{
    struct ledger_receipt r = {.attempt = 1,
                               .protocol = "rep3",
                               .outcome = outcome,
                               .party = outcome == LEDGER_RECEIPT_ABORTED ? "bank_b" : NULL,
                               .rule = outcome == LEDGER_RECEIPT_DONE ? NULL : "peer.left",
                               .shared = true};
    json_t *json, *channels = json_array(), *inputs = json_array(), *result = json_array();
    char hash[65];

    base_hex(hash, w->chain, 32);
    assert_int_equal(json_array_append_new(channels, json_pack("{s:s, s:s, s:s}", "from", "bank_a",
                                                               "to", "bank_b", "hash", hash)),
                     0);
    assert_int_equal(
        json_array_append_new(inputs, json_pack("{s:s, s:s, s:i, s:[s,s], s:s}", "provider",
                                                "bank_b", "table", "loans", "component", 0,
                                                "holders", "bank_a", "bank_b", "commitment", hash)),
        0);
    memcpy(r.chain, w->chain, 32);
    must(ledger_tx_id(r.query, open, &err));
    r.channels = channels;
    r.inputs = inputs;
    r.result = result;
    must(ledger_receipt_build(&json, &r, &err));
    json_decref(channels);
    json_decref(inputs);
    json_decref(result);
    for (size_t i = 0; i <= WORLD_MEMBERS; i++) {
        if ((signers >> i & 1) != 0)
            must(ledger_receipt_sign(json, w->m[i].did, w->m[i].node, CREATED_S, &err));
    }
    return json;
}

json_t *world_next_document(struct world *w, size_t member, bool recovery)
{
    struct world_member *m = &w->m[member];
    struct did_secret *node = world_secret(w), *rescue;
    struct did_draft draft = {0};
    struct did_document *next;
    char previous[65];
    json_t *body;

    base_hex(previous, did_document_hash32(m->doc), 32);
    must(did_draft_next(&draft, m->doc, &err));
    must(did_draft_rotate(&draft, did_secret_key(m->node), did_secret_key(node), &err));
    if (recovery) {
        rescue = world_secret(w);
        did_recovery_commit(draft.recovery32, did_secret_key(rescue));
        did_secret_free(rescue);
    }
    must(did_draft_build(&next, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    body = json_pack("{s:O, s:s}", "document", did_document_json(next), "previous", previous);
    did_document_free(m->doc);
    did_secret_free(m->old_node);
    m->old_node = m->node;
    m->doc = next;
    m->did = did_document_id(next);
    m->node = node;
    return body;
}
