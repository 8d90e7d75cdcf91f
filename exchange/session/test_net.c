#include "exchange/session/test_net.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/session/receipt.h"

static const struct net_party *of(const struct session *s)
{
    return session_get_context(s);
}

/* ---- the host ---- */

static void host_send(void *ctx, struct session *s, unsigned to, const json_t *message)
{
    struct net_party *p = ctx;
    struct test_net *net = p->net;

    assert_ptr_equal(of(s), p);
    assert_true(to < net->n && to != p->self);
    assert_true(net->count < NET_WIRE_MAX);
    if (p->gone || net->party[to]->gone)
        return;
    net->wire[net->count++] = (struct wire_message){p->self, to, json_deep_copy(message)};
}

static uint64_t stir(uint64_t h, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3U;
    return h ^ h >> 29;
}

/* Of a value's content, whatever the order of its members. No cryptography, but quick: a fuzzer
 * makes many proofs. Depth is bounded by who parsed it. */
static uint64_t digest(const json_t *v)
{
    uint64_t h = 0xcbf29ce484222325U + (uint64_t)json_typeof(v), sum = 0;
    json_int_t number = json_integer_value(v);
    const char *key;
    json_t *child;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)v, key, child)
    {
        uint64_t of = digest(child);
        sum += stir(stir(h, key, strlen(key)), &of, sizeof of);
    }
    json_array_foreach(v, i, child)
    {
        uint64_t of = digest(child);
        h = stir(h, &of, sizeof of);
    }
    h = stir(stir(h, &sum, sizeof sum), &number, sizeof number);
    return stir(h, json_string_value(v), json_string_length(v));
}

/* A proof here is the signer's name with a digest of what it signed: unforgeable as long as nobody
 * in a test makes one. */
static json_t *proof_of(const char *alias, const json_t *document)
{
    uint8_t bytes[8];
    char hex[17];

    base_store_u64(bytes, digest(document));
    base_hex(hex, bytes, sizeof bytes);
    return json_pack("{s:s,s:s}", "verificationMethod", alias, "proofValue", hex);
}

static const char *alias_of(const struct net_party *p)
{
    return session_get_facts(p->session)->parties[p->self].alias;
}

static fm_status host_prove(void *ctx, const json_t *document, json_t **proof, struct base_err *err)
{
    struct net_party *p = ctx;
    const char *outcome = json_string_value(json_object_get(document, "outcome"));

    *proof = NULL;
    if (p->prove_fails)
        return base_err_set(err, FM_E_IO, "the key is gone");
    assert_null(json_object_get(document, "proof"));
    p->done_proofs += outcome != NULL && strcmp(outcome, "done") == 0;
    p->unshared_proofs += outcome != NULL && json_is_false(json_object_get(document, "shared"));
    *proof = proof_of(alias_of(p), document);
    return FM_OK;
}

static fm_status host_check_proof(void *ctx, const char *alias, const json_t *document,
                                  const json_t *proof, struct base_err *err)
{
    json_t *want = proof_of(alias, document);
    bool good = json_equal(want, proof);

    (void)ctx;
    json_decref(want);
    return good ? FM_OK : base_err_set(err, FM_E_AUTH, "the proof does not hold");
}

static fm_status host_prepare(void *ctx, struct session *s, const json_t *openings, json_t **inputs,
                              const char **rule, struct base_err *err)
{
    struct net_party *p = ctx;

    assert_ptr_equal(of(s), p);
    *inputs = NULL;
    if (p->refuse != NULL && !p->slow) {
        *rule = p->refuse;
        return base_err_set(err, FM_E_REFUSED, "not here");
    }
    if (!json_is_integer(json_object_get(openings, "value"))) {
        *rule = "parameter.opening";
        return base_err_set(err, FM_E_REFUSED, "these are no openings");
    }
    *inputs = p->slow ? NULL : json_array();
    return FM_OK;
}

static unsigned host_place(void *ctx, struct session *s)
{
    const struct net_party *p = ctx;

    assert_ptr_equal(of(s), p);
    assert_int_equal(session_get_state(s), SESSION_PREPARING);
    return p->place;
}

static fm_status host_start(void *ctx, struct session *s, struct base_err *err)
{
    struct net_party *p = ctx;

    assert_ptr_equal(of(s), p);
    p->started++;
    if (p->start_fails)
        return base_err_set(err, FM_E_IO, "sessions.db: disk full");
    p->running = true;
    return FM_OK;
}

static void host_stop(void *ctx, struct session *s, const char *reason)
{
    struct net_party *p = ctx;

    assert_ptr_equal(of(s), p);
    assert_non_null(reason);
    p->stopped++;
}

static fm_status host_submit(void *ctx, struct session *s, const char *type, const json_t *receipt,
                             struct base_err *err)
{
    struct net_party *p = ctx;
    struct test_net *net = p->net;
    bool asks = p->self == session_get_facts(s)->asker;

    if (p->submit_fails)
        return base_err_set(err, FM_E_REFUSED, "the ledger refuses");
    assert_non_null(json_object_get(receipt, "proof"));
    p->submitted++;
    if (strcmp(type, "query.receipt") == 0) {
        assert_false(asks);
        const char *blamed = json_string_value(json_object_get(receipt, "party"));
        (void)snprintf(net->blamed, sizeof net->blamed, "%s", blamed != NULL ? blamed : "");
        net->receipts++;
        return FM_OK;
    }
    assert_string_equal(type, "query.close");
    assert_true(asks);
    net->closes++;
    if (net->closed == NULL)
        net->closed = json_deep_copy(receipt);
    return FM_OK;
}

static void host_finished(void *ctx, struct session *s, const struct base_err *err)
{
    struct net_party *p = ctx;

    assert_ptr_equal(of(s), p);
    assert_int_equal(p->finished, 0);
    p->finished++;
    p->end = *err;
    assert_int_equal(err->code == FM_OK, session_get_state(s) == SESSION_DONE);
    assert_true(err->code == FM_OK || err->text[0] != '\0');
}

/* ---- life ---- */

static struct session_facts facts_for(const struct test_net *net, unsigned self, unsigned asker)
{
    struct session_facts f = {.height = 12,
                              .deadline_ms = NET_BEGIN_MS + NET_QUERY_MS,
                              .attempt = 1,
                              .protocol = "rep3",
                              .party_count = net->n,
                              .self = self,
                              .asker = asker};

    memset(f.query, 0x11, 32);
    memset(f.chain, 0x22, 32);
    memset(f.descriptor, 0x33, 32);
    memset(f.plan_hash, 0x44, 32);
    for (unsigned i = 0; i < net->n; i++) {
        (void)snprintf(f.parties[i].alias, sizeof f.parties[i].alias, "p%u", i);
        f.parties[i].roles = (i < 3 ? SESSION_COMPUTE : 0) | (i != 2 ? SESSION_PROVIDER : 0) |
                             (i == asker ? SESSION_ASKER | SESSION_RECIPIENT : 0);
    }
    return f;
}

void test_net_init(struct test_net *net, unsigned n, unsigned asker)
{
    const struct session_host host = {NULL,         host_send,    host_prove, host_check_proof,
                                      host_prepare, host_place,   host_start, host_stop,
                                      host_submit,  host_finished};
    struct base_err err = {0};

    *net = (struct test_net){.n = n, .now = NET_BEGIN_MS};
    for (unsigned i = 0; i < n; i++) {
        struct session_facts facts = facts_for(net, i, asker);
        struct session_host own = host;
        struct net_party *p = calloc(1, sizeof *p);
        assert_non_null(p);
        own.ctx = p;
        *p = (struct net_party){.net = net, .self = i};
        assert_int_equal(session_new(&p->session, &facts, &own, net->now, &err), FM_OK);
        session_set_context(p->session, p);
        net->party[i] = p;
    }
}

void test_net_release(struct test_net *net)
{
    while (net->count > 0)
        test_net_drop(net, net->count - 1);
    for (unsigned i = 0; i < net->n; i++) {
        session_free(net->party[i]->session);
        free(net->party[i]);
    }
    json_decref(net->closed);
}

enum session_state test_net_state(const struct test_net *net, unsigned who)
{
    return session_get_state(net->party[who]->session);
}

/* ---- what must hold ---- */

static bool proof_by(const json_t *proofs, const char *alias)
{
    json_t *item;
    size_t i;

    if (json_is_object(proofs))
        return strcmp(json_string_value(json_object_get(proofs, "verificationMethod")), alias) == 0;
    json_array_foreach(proofs, i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "verificationMethod")), alias) == 0)
            return true;
    }
    return false;
}

static void check_close(struct test_net *net)
{
    const json_t *proofs = json_object_get(net->closed, "proof");
    bool done = strcmp(json_string_value(json_object_get(net->closed, "outcome")), "done") == 0;
    bool shared = json_is_true(json_object_get(net->closed, "shared"));

    for (unsigned i = 0; i < net->n; i++) {
        const struct net_party *p = net->party[i];
        bool signed_it = proof_by(proofs, alias_of(p));
        assert_true(signed_it || !done);
        assert_true(!signed_it || !done || p->done_proofs > 0);
        assert_true(!signed_it || shared || p->started == 0);
    }
}

void test_net_check(struct test_net *net)
{
    bool closed_done = false;

    assert_true(net->closes <= 1); /* a query is closed once, whatever happens */
    if (net->closed != NULL) {
        check_close(net);
        closed_done =
            strcmp(json_string_value(json_object_get(net->closed, "outcome")), "done") == 0;
    }
    for (unsigned i = 0; i < net->n; i++) {
        const struct net_party *p = net->party[i];
        session_check(p->session);
        assert_true(p->started <= 1);
        assert_true(p->done_proofs <= 1);
        assert_true(p->started == 0 || p->unshared_proofs == 0);
        assert_true(p->finished <= 1);
        assert_int_equal(p->finished, test_net_state(net, i) == SESSION_DONE ||
                                          test_net_state(net, i) == SESSION_FAILED);
        if (test_net_state(net, i) == SESSION_DONE)
            assert_true(closed_done);
    }
}

/* ---- events ---- */

void test_net_open(struct test_net *net)
{
    struct session *s = NULL;
    json_t *openings = json_pack("{s:i}", "value", 7);

    for (unsigned i = 0; i < net->n; i++)
        if (session_get_facts(net->party[i]->session)->asker == i && !net->party[i]->gone)
            s = net->party[i]->session;
    if (s != NULL)
        session_on_openings(s, openings, net->now);
    json_decref(openings);
    test_net_check(net);
}

static struct wire_message take(struct test_net *net, unsigned i)
{
    struct wire_message m = net->wire[i];

    assert_true(i < net->count);
    memmove(&net->wire[i], &net->wire[i + 1], (net->count - i - 1) * sizeof m);
    net->count--;
    return m;
}

void test_net_drop(struct test_net *net, unsigned i)
{
    json_decref(take(net, i).message);
}

void test_net_hand(struct test_net *net, unsigned from, unsigned to, json_t *message)
{
    assert_non_null(message);
    if (!net->party[to]->gone)
        session_on_message(net->party[to]->session, from, message, net->now);
    json_decref(message);
    test_net_check(net);
}

void test_net_prepared(struct test_net *net, unsigned who)
{
    struct net_party *p = net->party[who];
    struct base_err err = {0};
    json_t *inputs = json_array();

    if (p->refuse != NULL)
        (void)base_err_set(&err, FM_E_REFUSED, "not here");
    session_on_prepared(p->session, p->refuse != NULL ? NULL : inputs, p->refuse, &err, net->now);
    json_decref(inputs);
    test_net_check(net);
}

void test_net_deliver(struct test_net *net, unsigned i)
{
    struct wire_message m = take(net, i);

    test_net_hand(net, m.from, m.to, m.message);
}

void test_net_flow(struct test_net *net)
{
    while (net->count > 0)
        test_net_deliver(net, 0);
}

json_t *test_net_message(const char *kind, const char *member, json_t *value)
{
    char query[65];
    json_t *m;

    memset(query, '1', 64);
    query[64] = '\0';
    m = json_pack("{s:s,s:s,s:i}", "m", kind, "q", query, "a", 1);
    if (member != NULL)
        assert_int_equal(json_object_set_new(m, member, value), 0);
    return m;
}

/* ---- computations ---- */

static void fill_hex(char out[65], unsigned a, unsigned b, unsigned what)
{
    uint8_t bytes[32] = {0};

    bytes[0] = (uint8_t)a;
    bytes[1] = (uint8_t)b;
    bytes[2] = (uint8_t)what;
    base_hex(out, bytes, 32);
}

json_t *test_net_part(const struct test_net *net, unsigned who)
{
    json_t *channels = json_array(), *inputs = json_array(), *result = json_array();
    const struct session_facts *f = session_get_facts(net->party[who]->session);
    char sent[65], received[65], hash[65];

    for (unsigned i = 0; i < net->n; i++) {
        if (i == who)
            continue;
        fill_hex(sent, who, i, 1);
        fill_hex(received, i, who, 1);
        (void)json_array_append_new(channels,
                                    json_pack("{s:s,s:s,s:s}", "peer", f->parties[i].alias, "sent",
                                              sent, "received", received));
    }
    /* Component c is held by compute parties c and c + 1, as in rep3. */
    for (unsigned c = 0; c < 3 && who < 3; c++) {
        if (c != who && (c + 1) % 3 != who)
            continue;
        fill_hex(hash, 0, c, 2);
        (void)json_array_append_new(
            result, json_pack("{s:i,s:s}", "component", (int)c, "commitment", hash));
        for (unsigned i = 0; i < net->n; i++) {
            if ((f->parties[i].roles & SESSION_PROVIDER) == 0)
                continue;
            fill_hex(hash, i, c, 3);
            (void)json_array_append_new(inputs, json_pack("{s:s,s:s,s:i,s:s}", "provider",
                                                          f->parties[i].alias, "table", "t",
                                                          "component", (int)c, "commitment", hash));
        }
    }
    return json_pack("{s:o,s:o,s:o}", "channels", channels, "inputs", inputs, "result", result);
}

void test_net_done(struct test_net *net, unsigned who)
{
    struct net_party *p = net->party[who];
    json_t *part = test_net_part(net, who);

    if (p->running && !p->gone) {
        p->running = false;
        session_on_worker_done(p->session, part, net->now);
    }
    json_decref(part);
    test_net_check(net);
}

void test_net_done_all(struct test_net *net)
{
    for (unsigned i = 0; i < net->n; i++)
        test_net_done(net, i);
}

/* ---- the ledger and time ---- */

void test_net_close_at(struct test_net *net, unsigned who)
{
    const json_t *r = net->closed;

    if (r == NULL || net->party[who]->gone)
        return;
    session_on_closed(net->party[who]->session, json_string_value(json_object_get(r, "outcome")),
                      json_string_value(json_object_get(r, "rule")),
                      json_string_value(json_object_get(r, "party")), net->now);
    test_net_check(net);
}

void test_net_close(struct test_net *net)
{
    for (unsigned i = 0; i < net->n; i++)
        test_net_close_at(net, i);
}

void test_net_pass(struct test_net *net, int64_t ms)
{
    net->now += ms;
    for (unsigned i = 0; i < net->n; i++)
        if (!net->party[i]->gone)
            session_on_tick(net->party[i]->session, net->now);
    test_net_check(net);
}

void test_net_finish(struct test_net *net)
{
    struct base_err aborted = {0};

    (void)base_err_set(&aborted, FM_E_PEER, "the channels were aborted");
    for (int64_t passed = 0; passed < 4 * NET_QUERY_MS; passed += 100) {
        test_net_flow(net);
        for (unsigned i = 0; i < net->n; i++) {
            struct net_party *p = net->party[i];
            if (p->running && p->stopped > 0 && !p->gone) {
                p->running = false;
                session_on_worker_failed(p->session, &aborted, NULL, net->now);
            }
        }
        test_net_close(net);
        test_net_pass(net, 100);
    }
    test_net_flow(net);
    for (unsigned i = 0; i < net->n; i++)
        assert_true(net->party[i]->gone || net->party[i]->finished == 1); /* nobody hangs */
}
