#include "ledger/engine/test_engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/engine/engine_message.h"

uint64_t world_random(struct world *w) /* SplitMix64 */
{
    uint64_t z = w->rng += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t world_base_seed;

void world_seed(void)
{
    const char *seed = getenv("FIRMIANA_SEED");

    world_base_seed = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (FIRMIANA_SEED)\n", (unsigned long long)world_base_seed);
}

void world_must(fm_status st, const struct base_err *err)
{
    if (st != FM_OK)
        fail_msg("%s: %s", fm_status_name(st), err->text);
}

static void find_did(struct world *w, size_t i)
{
    struct base_err err = {0};
    json_t *member;

    world_must(ledger_reader_member(ledger_chain_reader(w->node[i].chain), &member,
                                    w->node[i].alias, &err),
               &err);
    (void)snprintf(w->did[i], sizeof w->did[i], "%s",
                   json_string_value(json_object_get(member, "did")));
    json_decref(member);
}

static void add_node(struct world *w, size_t member)
{
    struct world_node *n = &w->node[w->n_nodes];
    struct base_err err = {0};

    *n = (struct world_node){.world = w, .member = member, .params = ledger_engine_defaults()};
    (void)snprintf(n->alias, sizeof n->alias, "bank_%c", (char)('a' + member));
    (void)snprintf(n->path, sizeof n->path, "%s/%zu.db", w->dir, w->n_nodes);
    n->clock_off = (int64_t)(world_random(w) % 1000) - 500;
    world_must(ledger_chain_create(&n->chain, n->path, w->genesis.p, w->genesis.len, &err), &err);
    if (w->n_nodes < w->n_members)
        find_did(w, w->n_nodes);
    w->n_nodes++;
}

struct world *world_new(uint64_t seed, size_t members, size_t quorum)
{
    struct world *w = calloc(1, sizeof *w);
    struct stat s;

    assert_non_null(w);
    assert_true(members <= WORLD_NODES);
    *w = (struct world){
        .rng = seed, .n_members = members, .quorum = quorum, .delay_min = 1, .delay_max = 1};
    (void)snprintf(w->dir, sizeof w->dir, "%s/firmiana-engine-XXXXXX",
                   stat("/dev/shm", &s) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    world_make_genesis(w);
    for (size_t i = 0; i < members; i++)
        add_node(w, i);
    return w;
}

struct world *world_running(uint64_t seed, size_t members, size_t quorum)
{
    struct world *w = world_new(seed, members, quorum);

    for (size_t i = 0; i < members; i++)
        world_start(w, i);
    world_link_all(w, true);
    return w;
}

size_t world_twin(struct world *w, size_t member)
{
    assert_true(w->n_nodes < WORLD_NODES);
    add_node(w, member);
    w->liar = true;
    return w->n_nodes - 1;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        ledger_engine_free(w->node[i].engine);
        ledger_chain_close(w->node[i].chain);
        world_remove_files(&w->node[i]);
    }
    (void)rmdir(w->dir);
    for (size_t i = 0; i < w->n_members; i++) {
        did_secret_free(w->secret[i]);
        did_secret_free(w->officer[i]);
    }
    for (size_t i = 0; i < w->queued; i++)
        free(w->queue[i].bytes);
    for (size_t i = 0; i < w->n_txs; i++)
        free(w->tx[i].bytes);
    free(w->queue);
    base_buf_release(&w->genesis);
    free(w);
}

/* ---- what the engines send, and say ---- */

static void on_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    struct world_node *n = ctx;
    struct world *w = n->world;
    size_t from = (size_t)(n - w->node);
    enum ledger_message_kind kind;
    struct ledger_message m;
    struct base_err err = {0};

    world_must(ledger_message_decode(&m, bytes, len, &err), &err); /* we read what we write */
    assert_true(len <= ledger_engine_message_max(n->engine));
    kind = m.kind;
    w->sent_by_kind[kind]++;
    ledger_message_release(&m);
    for (size_t to = 0; to < w->n_nodes; to++) {
        if (strcmp(w->node[to].alias, alias) != 0 || !w->up[from][to])
            continue;
        w->sent++;
        if (w->two_faced && (n->member == 0 || w->node[to].member == 0) &&
            n->side != w->node[to].side && kind != LEDGER_MESSAGE_HEAD)
            continue;
        if ((w->lost_kinds >> kind & 1) != 0 && (w->lost_to == WORLD_NODES || w->lost_to == to))
            continue;
        if (world_random(w) % 100 >= w->loss)
            world_hand(w, from, to, bytes, len);
        if (world_random(w) % 100 < w->doubled)
            world_hand(w, from, to, bytes, len);
    }
}

/* ---- the other callbacks ---- */

static fm_status on_cosign(void *ctx, struct ledger_cosignature *out,
                           const struct ledger_checkpoint *checkpoint, int64_t time_s,
                           struct base_err *err)
{
    struct world_node *n = ctx;

    return ledger_cosign(out, checkpoint, n->world->did[n->member], n->world->secret[n->member],
                         time_s, err);
}

static fm_status on_sign(void *ctx, json_t *tx, int64_t time_s, struct base_err *err)
{
    struct world_node *n = ctx;

    return ledger_tx_sign(tx, n->world->secret[n->member], time_s, err);
}

static void on_event(void *ctx, const struct ledger_engine_event *event)
{
    struct world_node *n = ctx;
    struct world *w = n->world;

    assert_non_null(event->text);
    n->events[event->kind]++;
    if (event->kind == LEDGER_ENGINE_FORKED ||
        (event->kind != LEDGER_ENGINE_FINAL && event->kind != LEDGER_ENGINE_RESULT &&
         event->kind != LEDGER_ENGINE_WAITING && n->events[LEDGER_ENGINE_FORKED] == 0))
        (void)snprintf(n->text, sizeof n->text, "%s", event->text);
    if (event->kind != LEDGER_ENGINE_RESULT)
        return;
    for (size_t i = w->n_txs; i-- > 0;) {
        struct world_tx *tx = &w->tx[i];
        if (memcmp(tx->id, event->id, 32) != 0)
            continue;
        assert_ptr_equal(&w->node[tx->node], n);
        tx->results++;
        tx->verdict = event->outcome->verdict;
        tx->height = event->height;
        tx->result_ms = w->now;
        return;
    }
    fail_msg("a result of a transaction that nobody submitted");
}

/* ---- safety, after every event ---- */

static size_t executed_by(const struct world *w, uint64_t height)
{
    bool has[WORLD_NODES] = {false};
    size_t count = 0;

    for (size_t i = 0; i < w->n_nodes; i++)
        has[w->node[i].member] |= w->node[i].height >= height;
    for (size_t i = 0; i < w->n_members; i++)
        count += has[i];
    return count;
}

static void check_node(struct world *w, struct world_node *n)
{
    const struct ledger_head *head = ledger_chain_head(n->chain);
    struct ledger_engine_status s;

    ledger_engine_status(n->engine, &s);
    assert_int_equal(s.height, head->height);
    assert_true(head->height < WORLD_HEIGHTS);
    assert_true(w->handover || head->height >= n->height); /* a committed block stays */
    if (head->height > n->height || !w->has_hash[head->height]) {
        if (!w->has_hash[head->height])
            memcpy(w->hash[head->height], head->app_hash, 32);
        w->has_hash[head->height] = true;
        n->height = head->height;
    }
    if (!w->liar && !w->handover)
        assert_memory_equal(w->hash[head->height], head->app_hash, 32); /* W1 */
    assert_true(s.final_height >= n->final_height);                     /* W2 */
    if (s.final_height > n->final_height && s.final_height == head->height) {
        if (!w->has_final[s.final_height])
            memcpy(w->final_hash[s.final_height], head->app_hash, 32);
        w->has_final[s.final_height] = true;
        w->final_size[s.final_height] = s.final_size;
        assert_memory_equal(w->final_hash[s.final_height], head->app_hash, 32); /* W1 */
    }
    n->final_height = s.final_height;
    if (!w->liar && !w->handover) {
        assert_true(executed_by(w, s.final_height) >= w->quorum); /* W3 */
        if (s.sequencing)
            assert_true(s.height <= s.final_height + 1); /* W4: no empty blocks in these worlds */
    }
}

void world_after(struct world *w, struct world_node *n, fm_status st, const struct base_err *err)
{
    int64_t wait = ledger_engine_wait(n->engine, w->now);

    w->events++;
    if (st == FM_E_PEER && !w->liar)
        print_message("%s: %s\n", n->alias, err->text);
    if (st == FM_E_PEER)
        w->peer_errors++;
    else if (st == FM_E_IO)
        w->world_errors++;
    else
        world_must(st, err);
    n->tick_at = w->now + (wait < 1 ? 1 : wait);
    check_node(w, n);
}

struct ledger_now world_now(const struct world *w, const struct world_node *n)
{
    return (struct ledger_now){.unix_ms = WORLD_START_MS + w->now + n->clock_off,
                               .mono_ms = w->now};
}

/* ---- nodes and links ---- */

void world_start(struct world *w, size_t node)
{
    static const struct ledger_engine_callbacks calls = {on_cosign, on_sign, on_send,
                                                         on_event,  NULL,    NULL};
    struct ledger_engine_callbacks mine = calls;
    struct world_node *n = &w->node[node];
    struct base_err err = {0};

    assert_null(n->engine);
    mine.ctx = n;
    if (n->chain == NULL)
        world_must(ledger_chain_open(&n->chain, n->path, &err), &err);
    world_must(ledger_engine_new(&n->engine, n->chain, n->alias, &mine, &n->params, &err), &err);
    n->tick_at = w->now + 1;
    check_node(w, n);
    /* Its user asks again for what the node forgot. */
    for (size_t i = 0; i < w->n_txs; i++) {
        struct world_tx *tx = &w->tx[i];
        struct ledger_outcome outcome;
        fm_status st;
        if (tx->node != node || !tx->lost || tx->results > 0)
            continue;
        tx->lost = false;
        st = ledger_engine_submit(n->engine, &outcome, tx->bytes, tx->len, world_now(w, n), &err);
        if (st == FM_E_CONFLICT)
            tx->lost = true; /* stopped */
        else
            world_after(w, n, st, &err);
    }
}

void world_stop(struct world *w, size_t node)
{
    struct world_node *n = &w->node[node];

    ledger_engine_free(n->engine);
    ledger_chain_close(n->chain);
    n->engine = NULL;
    n->chain = NULL;
    for (size_t i = 0; i < w->n_txs; i++)
        if (w->tx[i].node == node && w->tx[i].results == 0)
            w->tx[i].lost = true;
    for (size_t i = 0; i < w->n_nodes; i++)
        if (i != node && w->up[node][i])
            world_link(w, node, i, false);
}

static void set_link(struct world *w, size_t at, size_t to, bool up)
{
    struct world_node *n = &w->node[at];
    struct base_err err = {0};

    if (n->engine == NULL)
        return;
    if (up)
        world_after(
            w, n, ledger_engine_peer_up(n->engine, w->node[to].alias, world_now(w, n), &err), &err);
    else
        ledger_engine_peer_down(n->engine, w->node[to].alias);
}

void world_link(struct world *w, size_t a, size_t b, bool up)
{
    if (w->up[a][b] == up || (up && (w->node[a].engine == NULL || w->node[b].engine == NULL ||
                                     w->node[a].member == w->node[b].member)))
        return;
    w->up[a][b] = w->up[b][a] = up;
    set_link(w, a, b, up);
    set_link(w, b, a, up);
}

void world_link_all(struct world *w, bool up)
{
    for (size_t a = 0; a < w->n_nodes; a++)
        for (size_t b = 0; b < a; b++)
            world_link(w, a, b, up);
}

void world_split(struct world *w)
{
    for (size_t a = 0; a < w->n_nodes; a++)
        for (size_t b = 0; b < a; b++)
            world_link(w, a, b, w->node[a].side == w->node[b].side);
}

/* ---- transactions ---- */

void world_submit_bytes(struct world *w, size_t node, struct base_buf *bytes,
                        enum ledger_verdict expected)
{
    struct world_node *n = &w->node[node];
    struct world_tx *tx = &w->tx[w->n_txs];
    struct ledger_outcome outcome;
    struct base_err err = {0};
    json_t *json;
    fm_status st;

    assert_true(w->n_txs < WORLD_TXS);
    *tx = (struct world_tx){
        .bytes = bytes->p, .len = bytes->len, .node = node, .submitted_ms = w->now};
    *bytes = (struct base_buf){0};
    world_must(base_json_parse(&json, (const char *)tx->bytes, tx->len, &err), &err);
    world_must(ledger_tx_id(tx->id, json, &err), &err);
    json_decref(json);
    w->n_txs++;
    st = ledger_engine_submit(n->engine, &outcome, tx->bytes, tx->len, world_now(w, n), &err);
    if (st == FM_E_CONFLICT) { /* this node has stopped */
        w->n_txs--;
        free(tx->bytes);
        return;
    }
    assert_memory_equal(outcome.id, tx->id, 32);
    assert_int_equal(outcome.verdict, expected);
    world_after(w, n, st, &err);
}

void world_submit(struct world *w, size_t node)
{
    struct base_buf bytes = {0};
    bool good = w->tx_counter % 7 != 3;

    if (w->node[node].engine == NULL)
        return;
    world_make_tx(w, &bytes, w->node[node].member, good, WORLD_START_MS + w->now + 3600000);
    world_submit_bytes(w, node, &bytes, good ? LEDGER_OK : LEDGER_REFUSED);
}

/* ---- time ---- */

static void deliver(struct world *w)
{
    struct world_message m = world_dequeue(w);
    struct world_node *to = &w->node[m.to];
    struct base_err err = {0};
    fm_status st;

    if (to->engine != NULL && w->up[m.from][m.to]) {
        st = ledger_engine_receive(to->engine, w->node[m.from].alias, m.bytes, m.len,
                                   world_now(w, to), &err);
        world_after(w, to, st, &err);
    }
    free(m.bytes);
}

static bool step(struct world *w, int64_t until)
{
    struct world_node *next = NULL;
    struct base_err err = {0};

    for (size_t i = 0; i < w->n_nodes; i++) {
        struct world_node *n = &w->node[i];
        if (n->engine != NULL && (next == NULL || n->tick_at < next->tick_at))
            next = n;
    }
    if (w->queued > 0 && (next == NULL || w->queue[0].at <= next->tick_at)) {
        if (w->queue[0].at > until)
            return false;
        w->now = w->queue[0].at;
        deliver(w);
        return true;
    }
    if (next == NULL || next->tick_at > until)
        return false;
    w->now = next->tick_at;
    world_after(w, next, ledger_engine_tick(next->engine, world_now(w, next), &err), &err);
    return true;
}

void world_run(struct world *w, int64_t until)
{
    while (step(w, until))
        ;
    w->now = until;
}

static bool settled(const struct world *w)
{
    const struct ledger_head *first = ledger_chain_head(w->node[0].chain);

    for (size_t i = 0; i < w->n_txs; i++)
        if (w->tx[i].results == 0)
            return false;
    for (size_t i = 0; i < w->n_nodes; i++) {
        const struct world_node *n = &w->node[i];
        if (n->engine == NULL || ledger_engine_state(n->engine) != LEDGER_ENGINE_SETTLED ||
            memcmp(ledger_chain_head(n->chain)->app_hash, first->app_hash, 32) != 0)
            return false;
    }
    return true;
}

bool world_run_settled(struct world *w, int64_t until)
{
    while (!settled(w))
        if (!step(w, until))
            return false;
    return true;
}

void world_print(const struct world *w)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        const struct world_node *n = &w->node[i];
        struct ledger_engine_status s;
        if (n->engine == NULL)
            continue;
        ledger_engine_status(n->engine, &s);
        print_message(
            "%s/%zu: %s, epoch %llu height %llu (%llu), final %llu, known %llu, %zu pooled, %zu "
            "waiting: %s\n",
            n->alias, i, ledger_engine_state_name(s.state),
            (unsigned long long)ledger_chain_head(n->chain)->epoch, (unsigned long long)s.height,
            (unsigned long long)s.size, (unsigned long long)s.final_height,
            (unsigned long long)s.known_size, s.pool, s.outbox, n->text);
    }
}
