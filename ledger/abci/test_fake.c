#define _GNU_SOURCE
#include "ledger/abci/test_fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- the story ---- */

static struct base_buf publish(struct town *t, int who, int64_t version)
{
    return town_tx(t, LEDGER_TX_DATASET_PUBLISH, who, town_dataset(t, version, 1, "balance"));
}

/* Takes the newest block from the town's replica, with something between its transactions that no
 * block may hold: it must leave no trace. */
static void record(struct fake *f)
{
    static const char nonsense[] = "{\"no\":\"transaction\"}";
    struct fake_block *b = &f->blocks[++f->height];
    struct ledger_block kept;
    struct ledger_bytes *txs, *more;
    json_int_t room = json_integer_value(
        json_object_get(json_object_get(f->town.genesis, "limits"), "block_txs"));
    size_t at;

    assert_true(f->height < FAKE_BLOCKS && room > 0);
    must(ledger_reader_block(ledger_chain_reader(f->town.chain), &b->bytes, f->height, &err));
    must(ledger_block_decode(&kept, &txs, b->bytes.p, b->bytes.len, &err));
    more = calloc(kept.count + 2, sizeof *more);
    assert_non_null(more);
    at = kept.vouched + (kept.count > kept.vouched); /* behind the first transaction */
    b->nonsense = at > kept.vouched && (json_int_t)(kept.count - kept.vouched) < room;
    for (size_t i = 0; i < kept.count; i++)
        more[i + (b->nonsense && i >= at)] = txs[i];
    if (b->nonsense)
        more[at] = (struct ledger_bytes){(const uint8_t *)nonsense, sizeof nonsense - 1};
    b->block = kept;
    b->block.count = kept.count + b->nonsense;
    b->block.txs = b->txs = more;
    b->after = *ledger_chain_head(f->town.chain);
    free(txs);
}

/* Blocks of one, of many, of refused ones, and empty ones; and a query with all that it stands on.
 */
static void tell_story(struct fake *f)
{
    struct town *t = &f->town;
    struct town_id id;
    struct base_buf many[6];
    json_t *c;

    t->unchecked = true;
    f->blocks[0].after = *ledger_chain_head(t->chain);
    c = town_set_up(t, town_contract_subject(t));
    id = town_ask(t, c);
    town_refused(t, publish(t, BANK_A, 7), LEDGER_RULE_DATASET_VERSION);
    town_wait(t, 10000);
    for (size_t i = 0; i < 6; i++)
        many[i] = publish(t, (int)(i % 3), 2 + (int64_t)(i / 3));
    town_block(t, NULL, many, 6, 3);
    town_wait(t, 1);
    town_ok(t, town_tx(t, LEDGER_TX_QUERY_CLOSE, BANK_A,
                       json_pack("{s:o}", "receipt",
                                 town_receipt(t, c, id.text, LEDGER_RECEIPT_DONE, true, 7))));
    json_decref(c);
}

/* Heads of earlier blocks are read back from a replica that follows them one by one. */
void fake_hear(struct fake *f)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    struct ledger_chain *chain;
    char path[128], name[160];

    while (f->height < ledger_chain_head(f->town.chain)->height)
        record(f);

    (void)snprintf(path, sizeof path, "%s/c.ledger", f->folder);
    must(ledger_chain_create(&chain, path, f->town.genesis_bytes.p, f->town.genesis_bytes.len,
                             &err));
    for (uint64_t h = 1; h <= f->height; h++) {
        must(ledger_chain_execute(chain, NULL, &f->blocks[h].block, &err));
        f->blocks[h].after = *ledger_chain_head(chain);
    }
    assert_memory_equal(ledger_chain_head(chain), ledger_chain_head(f->town.chain),
                        sizeof(struct ledger_head));
    ledger_chain_close(chain);
    for (size_t k = 0; k < 4; k++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[k]);
        (void)unlink(name);
    }
}

/* ---- the node ---- */

static fm_status on_cosign(void *ctx, struct ledger_cosignature *out,
                           const struct ledger_checkpoint *checkpoint, int64_t time_s,
                           struct base_err *why)
{
    const struct fake *f = ctx;
    const struct town_person *p = &f->town.who[BANK_B];

    if (f->mute)
        return base_err_set(why, FM_E_IO, "no signer");
    return ledger_cosign(out, checkpoint, did_document_id(p->doc), p->node, time_s, why);
}

static fm_status on_sign(void *ctx, json_t *tx, int64_t time_s, struct base_err *why)
{
    const struct fake *f = ctx;

    return ledger_tx_sign(tx, f->town.who[BANK_B].node, time_s, why);
}

static void on_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    struct fake *f = ctx;

    (void)alias;
    base_buf_clear(&f->line);
    base_buf_put(&f->line, bytes, len);
}

static void on_event(void *ctx, const struct ledger_engine_event *event)
{
    struct fake *f = ctx;

    f->finals += event->kind == LEDGER_ENGINE_FINAL;
    f->waiting += event->kind == LEDGER_ENGINE_WAITING;
}

static void on_broadcast(void *ctx, const uint8_t id[32], const void *tx, size_t len)
{
    struct fake *f = ctx;

    (void)id;
    (void)tx;
    (void)len;
    f->broadcasts++;
}

static struct ledger_now now_of(void *ctx)
{
    const struct fake *f = ctx;

    return f->now;
}

static void on_text(void *ctx, const char *text)
{
    struct fake *f = ctx;

    (void)snprintf(f->event, sizeof f->event, "%s", text);
}

static void on_misbehavior(void *ctx, const struct ledger_abci_misbehavior *what)
{
    struct fake *f = ctx;

    f->misbehavior = *what;
    f->misbehaviors++;
}

static bool is_peer(void *ctx, const char *id)
{
    (void)ctx;
    return strcmp(id, "00112233445566778899aabbccddeeff00112233") == 0;
}

void fake_start(struct fake *f)
{
    const struct ledger_engine_callbacks calls = {on_cosign, on_sign, on_send,
                                                  on_event,  f,       on_broadcast};
    struct ledger_abci_host host = {
        NULL,         NULL,    now_of,        on_text, is_peer, f, FAKE_SNAPSHOT_EVERY,
        f->snapshots, f->path, on_misbehavior};

    if (access(f->path, F_OK) != 0)
        must(ledger_chain_create(&f->chain, f->path, f->town.genesis_bytes.p,
                                 f->town.genesis_bytes.len, &err));
    else
        must(ledger_chain_open(&f->chain, f->path, &err));
    if (f->newest_rules > 0)
        town_older_program(f->chain, f->newest_rules);
    must(ledger_engine_new(&f->engine, f->chain, "bank_b", &calls, NULL, &err));
    host.engine = f->engine;
    host.chain = f->chain;
    must(ledger_abci_app_new(&f->app, &host, &err));
    must(ledger_abci_server_open(&f->server, f->socket, f->app, &err));
    for (int i = 0; i < FAKE_CONNECTIONS; i++)
        fake_connect(f, i);
}

void fake_crash(struct fake *f)
{
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        if (f->fd[i] >= 0)
            (void)close(f->fd[i]);
        ledger_frames_release(&f->frames[i]);
        f->fd[i] = -1;
    }
    ledger_abci_server_close(f->server);
    ledger_abci_app_free(f->app);
    ledger_engine_free(f->engine);
    ledger_chain_close(f->chain);
}

static void make_paths(struct fake *f, char path[128])
{
    memset(f, 0, sizeof *f);
    (void)snprintf(f->folder, sizeof f->folder, "%s/firmiana-abci-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(path, 128, "%s/a.ledger", f->folder);
    (void)snprintf(f->path, sizeof f->path, "%s/b.ledger", f->folder);
    (void)snprintf(f->socket, sizeof f->socket, "%s/abci.sock", f->folder);
    (void)snprintf(f->snapshots, sizeof f->snapshots, "%s/snapshots", f->folder);
    for (int i = 0; i < FAKE_CONNECTIONS; i++)
        f->fd[i] = -1;
}

static void begin(struct fake *f)
{
    f->now = (struct ledger_now){f->town.time_ms + 1000, 1000};
    fake_start(f);
}

void fake_init(struct fake *f)
{
    char path[128];

    make_paths(f, path);
    town_init(&f->town, path);
    tell_story(f);
    fake_hear(f);
    begin(f);
}

void fake_init_validators(struct fake *f, int rules)
{
    char path[128];

    make_paths(f, path);
    town_init_validators(&f->town, path, rules);
    f->blocks[0].after = *ledger_chain_head(f->town.chain);
    begin(f);
}

void fake_release(struct fake *f)
{
    static const char *const names[] = {"a.ledger", "b.ledger"};
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char name[160];

    fake_crash(f);
    town_release(&f->town);
    base_buf_release(&f->line);
    for (uint64_t h = 1; h <= f->height; h++) {
        base_buf_release(&f->blocks[h].bytes);
        base_buf_release(&f->blocks[h].told);
        free(f->blocks[h].txs);
    }
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 4; k++) {
            (void)snprintf(name, sizeof name, "%s/%s%s", f->folder, names[i], endings[k]);
            (void)unlink(name);
        }
    (void)rmdir(f->snapshots);
    assert_int_equal(rmdir(f->folder), 0);
}

/* ---- the wire ---- */

void fake_connect(struct fake *f, int connection)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", f->socket);
    f->fd[connection] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(f->fd[connection] >= 0);
    assert_int_equal(connect(f->fd[connection], (struct sockaddr *)&address, sizeof address), 0);
    fake_serve(f);
}

void fake_serve(struct fake *f)
{
    struct pollfd fds[LEDGER_ABCI_FDS];

    ledger_abci_server_poll(f->server, fds);
    if (poll(fds, LEDGER_ABCI_FDS, 0) > 0)
        must(ledger_abci_server_serve(f->server, fds, &err));
}

void fake_send(struct fake *f, int connection, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    while (len > 0) {
        ssize_t n = send(f->fd[connection], p, len, MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN) {
            return; /* it hung up: the answer will say */
        }
        fake_serve(f);
    }
}

Abci__Response *fake_take(struct fake *f, int connection)
{
    struct ledger_frames *frames = &f->frames[connection];
    uint8_t room[65536];

    for (int turns = 0; turns < 100000; turns++) {
        const uint8_t *bytes;
        size_t len;
        ssize_t n;
        bool got;
        must(ledger_frames_next(frames, &got, &bytes, &len, &err));
        if (got)
            return abci__response__unpack(NULL, len, bytes);
        fake_serve(f);
        n = recv(f->fd[connection], room, sizeof room, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return NULL;
        if (n > 0)
            ledger_frames_put(frames, room, (size_t)n);
    }
    fail_msg("no answer came");
    return NULL;
}

Abci__Response *fake_ask(struct fake *f, int connection, const Abci__Request *request)
{
    size_t len = abci__request__get_packed_size(request);
    struct base_buf out = {0};

    ledger_frame_length(&out, len);
    (void)abci__request__pack(request, base_buf_extend(&out, len));
    fake_send(f, connection, out.p, out.len);
    base_buf_release(&out);
    return fake_take(f, connection);
}
