#include "benches/ledger_members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "ledger/proof/tx.h"

enum { LEDGER_MESSAGE = 1, CONNECT_MS = 20000 };

struct base_err ledger_bench_err;

void ledger_must(fm_status st)
{
    if (st != FM_OK) {
        (void)fprintf(stderr, "bench_ledger: %s\n", ledger_bench_err.text);
        exit(fm_status_exit(st));
    }
}

struct ledger_now ledger_bench_now(void)
{
    const struct base_clock *clock = base_clock_system();

    return (struct ledger_now){base_clock_unix_ms(clock), base_clock_mono_ms(clock)};
}

/* ---- inboxes ---- */

void ledger_member_put(struct ledger_bench_member *to, size_t from, const void *bytes, size_t len)
{
    struct ledger_parcel *p = malloc(sizeof *p + len);
    const uint64_t one = 1;

    if (p == NULL)
        abort();
    p->next = NULL;
    p->from = from;
    p->len = len;
    memcpy(p->bytes, bytes, len);
    (void)pthread_mutex_lock(&to->lock);
    if (to->last == NULL)
        to->first = p;
    else
        to->last->next = p;
    to->last = p;
    (void)pthread_cond_signal(&to->more);
    (void)pthread_mutex_unlock(&to->lock);
    if (to->zmq != NULL)
        net_node_wake(net_zmq_node(to->zmq));
    if (to->wake > 0)
        (void)!write(to->wake, &one, sizeof one);
}

/* The next parcel, waiting for it at most so long; NULL: none. */
static struct ledger_parcel *take(struct ledger_bench_member *m, int64_t wait_ms)
{
    struct timespec until;
    struct ledger_parcel *p;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&m->lock);
    while (m->first == NULL && !m->stop && wait_ms > 0)
        if (pthread_cond_timedwait(&m->more, &m->lock, &until) != 0)
            break;
    p = m->first;
    if (p != NULL) {
        m->first = p->next;
        if (m->first == NULL)
            m->last = NULL;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return p;
}

/* ---- the engine's callbacks ---- */

static fm_status on_cosign(void *ctx, struct ledger_cosignature *out,
                           const struct ledger_checkpoint *checkpoint, int64_t time_s,
                           struct base_err *e)
{
    const struct ledger_bench_member *m = ctx;

    return ledger_cosign(out, checkpoint, m->did, m->node, time_s, e);
}

static fm_status on_sign(void *ctx, json_t *tx, int64_t time_s, struct base_err *e)
{
    return ledger_tx_sign(tx, ((const struct ledger_bench_member *)ctx)->node, time_s, e);
}

static void on_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    struct ledger_bench_member *m = ctx;
    struct base_err gone;

    if (m->zmq != NULL) { /* who is gone asks again */
        (void)!net_node_send(net_zmq_node(m->zmq), alias, LEDGER_MESSAGE, bytes, len, &gone);
        return;
    }
    for (size_t i = 0; i < m->bench->n; i++)
        if (strcmp(m->bench->member[i].alias, alias) == 0)
            ledger_member_put(&m->bench->member[i], m->index, bytes, len);
}

static void on_event(void *ctx, const struct ledger_engine_event *event)
{
    struct ledger_bench_member *m = ctx;

    if (event->kind != LEDGER_ENGINE_RESULT)
        return;
    if (event->outcome->verdict != LEDGER_OK) {
        (void)fprintf(stderr, "bench_ledger: %s\n", event->text);
        exit(1);
    }
    (void)pthread_mutex_lock(&m->lock);
    m->finals++;
    m->height = event->height;
    (void)pthread_cond_signal(&m->final);
    (void)pthread_mutex_unlock(&m->lock);
}

/* ---- running ---- */

static fm_status take_parcel(struct ledger_bench_member *m, const struct ledger_parcel *p,
                             struct base_err *e)
{
    struct ledger_outcome outcome;
    uint8_t id[32];

    if (p->from == LEDGER_MEMBERS_MAX)
        return ledger_engine_submit(m->engine, &outcome, p->bytes, p->len, ledger_bench_now(), e);
    if (p->from == LEDGER_PAST_ENGINE) {
        base_hash(id, p->bytes, p->len); /* of no transaction that the engine knows */
        m->broadcast(m, id, p->bytes, p->len);
        return FM_OK;
    }
    return ledger_engine_receive(m->engine, m->bench->member[p->from].alias, p->bytes, p->len,
                                 ledger_bench_now(), e);
}

fm_status ledger_member_next(struct ledger_bench_member *m, bool *some, struct base_err *e)
{
    struct ledger_parcel *p = take(m, 0);
    fm_status st = p != NULL ? take_parcel(m, p, e) : FM_OK;

    *some = p != NULL;
    free(p);
    return st;
}

static fm_status take_event(struct ledger_bench_member *m, const struct net_event *event,
                            struct base_err *e)
{
    const struct ledger_bench_member *driver = &m->bench->member[m->bench->n - 1];

    if (event->kind == NET_MESSAGE)
        return ledger_engine_receive(m->engine, event->peer, event->bytes, event->len,
                                     ledger_bench_now(), e);
    if (event->kind == NET_PEER_UP)
        return ledger_engine_peer_up(m->engine, event->peer, ledger_bench_now(), e);
    if (event->kind == NET_PEER_DOWN) {
        ledger_engine_peer_down(m->engine, event->peer);
        if (strcmp(event->peer, driver->alias) == 0)
            m->stop = true;
    }
    return FM_OK;
}

/* One thing that came, or else what time asks for. Messages go before what is handed in here. */
static fm_status turn(struct ledger_bench_member *m, struct base_err *e)
{
    int64_t wait = ledger_engine_wait(m->engine, ledger_bench_now().mono_ms);
    struct net_node *net = m->zmq != NULL ? net_zmq_node(m->zmq) : NULL;
    struct net_event *event = net != NULL ? net_node_event(net, 0) : NULL;
    struct ledger_parcel *p = event == NULL ? take(m, net != NULL ? 0 : wait) : NULL;
    fm_status st;

    if (net != NULL && event == NULL && p == NULL && wait > 0)
        event = net_node_event(net, ledger_bench_now().mono_ms + wait);
    if (event != NULL)
        st = take_event(m, event, e);
    else if (p != NULL)
        st = take_parcel(m, p, e);
    else
        st = ledger_engine_tick(m->engine, ledger_bench_now(), e);
    net_node_event_done(net, event);
    free(p);
    return st;
}

void *ledger_member_run(void *member)
{
    struct ledger_bench_member *m = member;
    struct base_err e = {0};

    for (size_t i = 0; m->zmq == NULL && i < m->bench->n; i++)
        if (i != m->index && ledger_engine_peer_up(m->engine, m->bench->member[i].alias,
                                                   ledger_bench_now(), &e) != FM_OK)
            abort();
    while (!m->stop)
        if (turn(m, &e) != FM_OK) {
            (void)fprintf(stderr, "bench_ledger: %s: %s\n", m->alias, e.text);
            exit(1);
        }
    return NULL;
}

void ledger_member_stop(struct ledger_bench_member *m)
{
    (void)pthread_mutex_lock(&m->lock);
    m->stop = true;
    (void)pthread_cond_signal(&m->more);
    (void)pthread_mutex_unlock(&m->lock);
    if (m->zmq != NULL)
        net_node_wake(net_zmq_node(m->zmq));
}

/* ---- beginning and end ---- */

static json_t *member_entry(struct ledger_bench_member *m)
{
    struct did_secret *officer, *recovery;
    struct did_document *doc;
    struct did_draft draft = {0};
    uint8_t commit[32];
    json_t *entry;

    ledger_must(base_random_fill(base_random_system(), m->node_seed, 32, &ledger_bench_err));
    ledger_must(
        did_secret_import(&m->node, did_suite_usual(), m->node_seed, 32, &ledger_bench_err));
    ledger_must(
        did_secret_generate(&officer, did_suite_usual(), base_random_system(), &ledger_bench_err));
    ledger_must(
        did_secret_generate(&recovery, did_suite_usual(), base_random_system(), &ledger_bench_err));
    did_recovery_commit(commit, did_secret_key(recovery));
    ledger_must(did_draft_first(&draft, NULL, m->alias, commit, &ledger_bench_err));
    ledger_must(did_draft_add(&draft, did_secret_key(m->node),
                              DID_ROLE_AUTHENTICATION | DID_ROLE_ASSERTION, &ledger_bench_err));
    ledger_must(
        did_draft_add(&draft, did_secret_key(officer), DID_ROLE_INVOCATION, &ledger_bench_err));
    draft.service = json_incref(m->services);
    ledger_must(did_draft_build(&doc, &draft, DID_RULES_VERSION, &ledger_bench_err));
    entry = json_pack("{s:s, s:O, s:[s,s,s], s:s}", "alias", m->alias, "document",
                      did_document_json(doc), "roles", "asker", "provider", "compute", "endpoint",
                      "tcp://127.0.0.1:7001");
    did_document_free(doc);
    did_draft_release(&draft);
    did_secret_free(officer);
    did_secret_free(recovery);
    return entry;
}

static void make_genesis(struct ledger_bench *b)
{
    json_t *members = json_array(), *genesis;

    for (size_t i = 0; i < b->n; i++)
        (void)json_array_append_new(members, member_entry(&b->member[i]));
    genesis = json_pack(
        "{s:i, s:s, s:I, s:i, s:o, s:I, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}}",
        "format", 1, "name", "bench", "time", (json_int_t)(ledger_bench_now().unix_ms - 1000),
        "rules_version", 1, "members", members, "quorum", (json_int_t)(b->n / 2 + 1), "sequencer",
        "bank_a", "limits", "tx_bytes", 65536, "block_txs", 1000, "block_bytes", 1 << 22,
        "not_after_ms", 86400000, "refused_per_day", 1000, "open_queries", 10,
        "unreceipted_queries", 10, "consent_uses", 10, "deadline_ms", 60000, "minimum_group", 2);
    if (base_profile() != BASE_PROFILE_OPEN) {
        (void)json_object_set_new(genesis, "profile",
                                  json_string(base_profile_name(base_profile())));
        (void)json_object_set_new(genesis, "rules_version", json_integer(2));
    }
    ledger_must(base_json_canonical(&b->genesis, genesis, &ledger_bench_err));
    json_decref(genesis);
    base_hash(b->chain_id, b->genesis.p, b->genesis.len);
}

void ledger_members_make(struct ledger_bench *b, const char *dir)
{
    for (size_t i = 0; i < b->n; i++) {
        struct ledger_bench_member *m = &b->member[i];
        m->bench = b;
        m->index = i;
        (void)snprintf(m->alias, sizeof m->alias, "bank_%c", (char)('a' + i));
        (void)snprintf(m->path, sizeof m->path, "%s/%zu.db", dir, i);
        (void)pthread_mutex_init(&m->lock, NULL);
        (void)pthread_cond_init(&m->more, NULL);
        (void)pthread_cond_init(&m->final, NULL);
    }
    make_genesis(b);
}

void ledger_member_open(struct ledger_bench_member *m)
{
    struct ledger_engine_callbacks calls = {on_cosign, on_sign, on_send, on_event, m, m->broadcast};
    struct ledger_engine_params params = ledger_engine_defaults();
    json_t *json;

    params.outbox_txs = 2 * LEDGER_IN_FLIGHT;
    ledger_must(ledger_chain_create(&m->chain, m->path, m->bench->genesis.p, m->bench->genesis.len,
                                    &ledger_bench_err));
    ledger_must(
        ledger_reader_member(ledger_chain_reader(m->chain), &json, m->alias, &ledger_bench_err));
    (void)snprintf(m->did, sizeof m->did, "%s", json_string_value(json_object_get(json, "did")));
    json_decref(json);
    ledger_must(
        ledger_engine_new(&m->engine, m->chain, m->alias, &calls, &params, &ledger_bench_err));
}

void ledger_member_close(struct ledger_bench_member *m)
{
    net_zmq_close(m->zmq);
    net_identity_free(m->identity);
    ledger_engine_free(m->engine);
    ledger_chain_close(m->chain);
    did_secret_free(m->node);
    while (m->first != NULL) {
        struct ledger_parcel *p = m->first;
        m->first = p->next;
        free(p);
    }
}

void ledger_bench_remove(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char name[192];

    for (size_t k = 0; k < 4; k++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[k]);
        (void)unlink(name);
    }
}

/* ---- the network ---- */

static bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct ledger_bench *b = ctx;

    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->member[i].alias, peer) == 0) {
            memcpy(out33, b->member[i].channel_key, NET_KEY);
            return true;
        }
    return false;
}

/* All others live; each NET_PEER_UP on the way is the engine's. */
static void wait_for_peers(struct ledger_bench_member *m)
{
    int64_t until = ledger_bench_now().mono_ms + CONNECT_MS;
    struct net_node *net = net_zmq_node(m->zmq);

    for (size_t up = 0; up + 1 < m->bench->n;) {
        struct net_event *event = net_node_event(net, ledger_bench_now().mono_ms + 20);
        if (event != NULL) {
            up += event->kind == NET_PEER_UP;
            ledger_must(take_event(m, event, &ledger_bench_err));
        }
        net_node_event_done(net, event);
        if (ledger_bench_now().mono_ms > until)
            ledger_must(base_err_set(&ledger_bench_err, FM_E_TIMEOUT, "%s did not reach the others",
                                     m->alias));
    }
}

void ledger_member_connect(struct ledger_bench_member *m)
{
    struct ledger_bench *b = m->bench;
    struct net_peer_config peers[LEDGER_MEMBERS_MAX];
    struct net_zmq_config config = {.bind = m->endpoint, .keys = {key_of, b}};
    size_t n = 0;

    ledger_must(net_identity_from_seed(&m->identity, m->alias, m->channel_seed, &ledger_bench_err));
    config.identity = m->identity;
    ledger_must(net_zmq_open(&m->zmq, &config, &ledger_bench_err));
    for (size_t i = 0; i < b->n; i++)
        if (i != m->index)
            peers[n++] = (struct net_peer_config){b->member[i].alias, b->member[i].endpoint};
    ledger_must(net_node_peers_set(net_zmq_node(m->zmq), peers, n, &ledger_bench_err));
    wait_for_peers(m);
}
