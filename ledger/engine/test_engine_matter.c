/* What a world is made of: genesis, signed transactions, disks that are copied or fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/test_profile.h"
#include "did/draft.h"
#include "ledger/engine/test_engine_world.h"

/* ---- failures of the replica ---- */

uint64_t world_fail_at, world_calls;

fm_status __real_ledger_chain_execute(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                                      const struct ledger_block *block, struct base_err *err);
fm_status __wrap_ledger_chain_execute(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                                      const struct ledger_block *block, struct base_err *err);
fm_status __real_ledger_chain_cosign(struct ledger_chain *chain, size_t *n_new,
                                     uint64_t *final_size, const char *checkpoint, size_t len,
                                     struct base_err *err);
fm_status __wrap_ledger_chain_cosign(struct ledger_chain *chain, size_t *n_new,
                                     uint64_t *final_size, const char *checkpoint, size_t len,
                                     struct base_err *err);

static bool fails_now(void)
{
    return ++world_calls == world_fail_at;
}

fm_status __wrap_ledger_chain_execute(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                                      const struct ledger_block *block, struct base_err *err)
{
    if (fails_now())
        return base_err_set(err, FM_E_IO, "injected");
    return __real_ledger_chain_execute(chain, outcomes, block, err);
}

fm_status __wrap_ledger_chain_cosign(struct ledger_chain *chain, size_t *n_new,
                                     uint64_t *final_size, const char *checkpoint, size_t len,
                                     struct base_err *err)
{
    if (fails_now())
        return base_err_set(err, FM_E_IO, "injected");
    return __real_ledger_chain_cosign(chain, n_new, final_size, checkpoint, len, err);
}

/* ---- genesis ---- */

static fm_status fill_random(void *ctx, void *out, size_t len, struct base_err *err)
{
    (void)err;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)world_random(ctx);
    return FM_OK;
}

static json_t *member_entry(struct world *w, size_t i)
{
    struct base_random random = {fill_random, w};
    struct did_secret *recovery;
    struct did_document *doc;
    struct did_draft draft = {0};
    struct base_err err = {0};
    uint8_t commit[32];
    char alias[33];
    json_t *entry;

    (void)snprintf(alias, sizeof alias, "bank_%c", (char)('a' + i));
    world_must(did_secret_generate(&w->secret[i], did_suite_usual(), &random, &err), &err);
    world_must(did_secret_generate(&w->officer[i], did_suite_usual(), &random, &err), &err);
    world_must(did_secret_generate(&recovery, did_suite_usual(), &random, &err), &err);
    did_recovery_commit(commit, did_secret_key(recovery));
    world_must(did_draft_first(&draft, NULL, alias, commit, &err), &err);
    world_must(did_draft_add(&draft, did_secret_key(w->secret[i]),
                             DID_ROLE_AUTHENTICATION | DID_ROLE_ASSERTION, &err),
               &err);
    world_must(did_draft_add(&draft, did_secret_key(w->officer[i]), DID_ROLE_INVOCATION, &err),
               &err);
    world_must(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), &err);
    entry =
        json_pack("{s:s, s:O, s:[s,s,s], s:s}", "alias", alias, "document", did_document_json(doc),
                  "roles", "asker", "provider", "compute", "endpoint", "tcp://127.0.0.1:7001");
    assert_non_null(entry);
    did_document_free(doc);
    did_draft_release(&draft);
    did_secret_free(recovery);
    return entry;
}

void world_make_genesis(struct world *w)
{
    json_t *members = json_array(), *genesis;
    struct base_err err = {0};

    (void)test_profile_adopt();
    for (size_t i = 0; i < w->n_members; i++)
        assert_int_equal(json_array_append_new(members, member_entry(w, i)), 0);
    genesis = json_pack(
        "{s:i, s:s, s:I, s:i, s:o, s:I, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}}",
        "format", 1, "name", "engine test", "time", (json_int_t)(WORLD_START_MS - 1000),
        "rules_version", base_profile_is_national() ? 2 : 1, "members", members, "quorum",
        (json_int_t)w->quorum, "sequencer", "bank_a", "limits", "tx_bytes", 65536, "block_txs", 100,
        "block_bytes", 262144, "not_after_ms", 86400000, "refused_per_day", 1000000, "open_queries",
        10, "unreceipted_queries", 10, "consent_uses", 10, "deadline_ms", 60000, "minimum_group",
        2);
    assert_non_null(genesis);
    test_profile_say(genesis);
    world_must(base_json_canonical(&w->genesis, genesis, &err), &err);
    json_decref(genesis);
    base_hash(w->chain_id, w->genesis.p, w->genesis.len);
}

/* ---- transactions ---- */

void world_sign(struct world *w, struct base_buf *out, size_t member, enum ledger_tx_type type,
                json_t *body, int64_t not_after)
{
    bool by_officer = ledger_tx_type_authority(type) == LEDGER_BY_OFFICERS;
    struct base_err err = {0};
    json_t *tx;

    assert_non_null(body);
    world_must(ledger_tx_build(&tx, w->chain_id, type, w->did[member], not_after, body, &err),
               &err);
    json_decref(body);
    world_must(ledger_tx_sign(tx, by_officer ? w->officer[member] : w->secret[member],
                              WORLD_START_MS / 1000, &err),
               &err);
    world_must(base_json_canonical(out, tx, &err), &err);
    json_decref(tx);
}

void world_make_tx(struct world *w, struct base_buf *out, size_t member, bool good,
                   int64_t not_after)
{
    uint8_t root[32];
    char name[32], hex[65];

    (void)snprintf(name, sizeof name, "d%llu", (unsigned long long)w->tx_counter++);
    base_hash(root, name, strlen(name));
    base_hex(hex, root, 32);
    world_sign(w, out, member, LEDGER_TX_DATASET_PUBLISH,
               json_pack("{s:s, s:{s:i, s:[{s:s, s:s}]}, s:i, s:s, s:i}", "dataset", name, "schema",
                         "version", 1, "columns", "name", "x", "type", "integer", "data_version",
                         good ? 1 : 2, "root", hex, "rows", 10),
               not_after);
}

/* ---- disks ---- */

void world_remove_files(const struct world_node *n)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock", "-journal"};
    char path[160];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", n->path, ends[i]);
        (void)unlink(path);
    }
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char block[4096];
    size_t n;

    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        assert_int_equal(fwrite(block, 1, n, out), n);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

void world_save(struct world *w, size_t node)
{
    char aside[160];

    (void)snprintf(aside, sizeof aside, "%s.old", w->node[node].path);
    copy_file(w->node[node].path, aside);
}

void world_restore(struct world *w, size_t node)
{
    struct world_node *n = &w->node[node];
    char aside[160];

    (void)snprintf(aside, sizeof aside, "%s.old", n->path);
    world_remove_files(n);
    copy_file(aside, n->path);
    (void)unlink(aside);
    n->height = n->final_height = 0; /* the one disk that may forget */
}

/* ---- the network: a heap of messages by time ---- */

static bool before(const struct world_message *a, const struct world_message *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void world_hand(struct world *w, size_t from, size_t to, const void *bytes, size_t len)
{
    int64_t spread = w->delay_max - w->delay_min + 1;
    struct world_message m = {.at = w->now + w->delay_min +
                                    (int64_t)(world_random(w) % (uint64_t)spread),
                              .order = w->order++,
                              .from = from,
                              .to = to,
                              .bytes = malloc(len),
                              .len = len};
    size_t i;

    assert_non_null(m.bytes);
    memcpy(m.bytes, bytes, len);
    if (w->queued == w->queue_cap) {
        w->queue_cap = w->queue_cap * 2 + 64;
        w->queue = realloc(w->queue, w->queue_cap * sizeof *w->queue);
        assert_non_null(w->queue);
    }
    for (i = w->queued++; i > 0 && before(&m, &w->queue[(i - 1) / 2]); i = (i - 1) / 2)
        w->queue[i] = w->queue[(i - 1) / 2];
    w->queue[i] = m;
}

struct world_message world_dequeue(struct world *w)
{
    struct world_message top = w->queue[0], last = w->queue[--w->queued];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < w->queued) {
        if (child + 1 < w->queued && before(&w->queue[child + 1], &w->queue[child]))
            child++;
        if (before(&last, &w->queue[child]))
            break;
        w->queue[i] = w->queue[child];
        i = child;
    }
    if (w->queued > 0)
        w->queue[i] = last;
    return top;
}

/* ---- epochs ---- */

fm_status world_approve(struct world *w, size_t node, size_t member, uint64_t epoch,
                        size_t sequencer)
{
    struct world_node *n = &w->node[node];
    struct base_buf tx = {0};
    struct base_err err = {0};
    char alias[33];
    fm_status st;

    if (n->engine == NULL)
        return FM_E_NOT_FOUND;
    (void)snprintf(alias, sizeof alias, "bank_%c", (char)('a' + sequencer));
    world_sign(w, &tx, member, LEDGER_TX_EPOCH_APPROVE,
               json_pack("{s:I, s:s}", "epoch", (json_int_t)epoch, "sequencer", alias),
               WORLD_START_MS + w->now + 3600000);
    st = ledger_engine_approve(n->engine, tx.p, tx.len, world_now(w, n), &err);
    base_buf_release(&tx);
    world_after(w, n, st == FM_E_REFUSED || st == FM_E_CONFLICT ? FM_OK : st, &err);
    return st;
}

void world_check_final(struct world *w)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        if (w->node[i].engine == NULL)
            continue;
        for (uint64_t h = 0; h <= w->node[i].final_height; h++) {
            struct ledger_epoch_head at;
            struct base_err err = {0};
            bool ends;
            if (!w->has_final[h])
                continue;
            world_must(ledger_reader_state_at(ledger_chain_reader(w->node[i].chain), &ends, &at,
                                              w->final_size[h], &err),
                       &err);
            assert_true(ends);
            assert_memory_equal(at.root, w->final_hash[h], 32);
        }
    }
}

uint64_t world_total(const struct world *w, enum ledger_engine_event_kind kind)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->n_nodes; i++)
        n += w->node[i].events[kind];
    return n;
}
