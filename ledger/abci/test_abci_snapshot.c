/* State sync between two nodes of one ledger, by the requests that CometBFT makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "ledger/abci/test_fake.h"

static struct fake *giver, *joiner; /* the towns are alike to the byte */

static int set_up(void **state)
{
    (void)state;
    giver = calloc(1, sizeof *giver);
    joiner = calloc(1, sizeof *joiner);
    assert_true(giver != NULL && joiner != NULL);
    fake_init(giver);
    fake_init(joiner);
    assert_memory_equal(giver->town.chain_id, joiner->town.chain_id, 32);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_release(giver);
    fake_release(joiner);
    free(giver);
    free(joiner);
    return 0;
}

/* Waits until the newest snapshot is of this height. */
static Abci__Response *list(struct fake *f, uint64_t height)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__Empty empty = ABCI__EMPTY__INIT;

    q.value_case = ABCI__REQUEST__VALUE_LIST_SNAPSHOTS;
    q.list_snapshots = &empty;
    for (int i = 0; i < 100000; i++) {
        Abci__Response *r = fake_ask(f, FAKE_SNAPSHOT, &q);
        assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_LIST_SNAPSHOTS);
        if (r->list_snapshots->n_snapshots > 0 && r->list_snapshots->snapshots[0]->height == height)
            return r;
        abci__response__free_unpacked(r, NULL);
        (void)poll(NULL, 0, 1);
    }
    fail_msg("no snapshot of block %d was made", (int)height);
    return NULL;
}

/* All blocks, with a snapshot at each height that is due: none is begun while another is made. */
static void replay(struct fake *f)
{
    for (uint64_t h = FAKE_SNAPSHOT_EVERY; h <= f->height; h += FAKE_SNAPSHOT_EVERY) {
        fake_replay(f, h);
        abci__response__free_unpacked(list(f, h), NULL);
    }
    fake_replay(f, f->height);
}

static uint32_t offer(Abci__Snapshot *s, const uint8_t *app_hash)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestOfferSnapshot in = ABCI__REQUEST_OFFER_SNAPSHOT__INIT;
    Abci__Response *r;
    uint32_t result;

    in.snapshot = s;
    in.app_hash = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)app_hash};
    q.value_case = ABCI__REQUEST__VALUE_OFFER_SNAPSHOT;
    q.offer_snapshot = &in;
    r = fake_ask(joiner, FAKE_SNAPSHOT, &q);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_OFFER_SNAPSHOT);
    result = r->offer_snapshot->result;
    abci__response__free_unpacked(r, NULL);
    return result;
}

static Abci__Response *load(uint64_t height, uint32_t format, uint32_t chunk)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestLoadChunk in = ABCI__REQUEST_LOAD_CHUNK__INIT;
    Abci__Response *r;

    in.height = height;
    in.format = format;
    in.chunk = chunk;
    q.value_case = ABCI__REQUEST__VALUE_LOAD_CHUNK;
    q.load_chunk = &in;
    r = fake_ask(giver, FAKE_SNAPSHOT, &q);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_LOAD_CHUNK);
    return r;
}

static Abci__Response *apply(uint32_t index, const uint8_t *bytes, size_t len)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestApplyChunk in = ABCI__REQUEST_APPLY_CHUNK__INIT;
    Abci__Response *r;

    in.index = index;
    in.chunk = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)bytes};
    in.sender = (char *)(uintptr_t) "a peer";
    q.value_case = ABCI__REQUEST__VALUE_APPLY_CHUNK;
    q.apply_chunk = &in;
    r = fake_ask(joiner, FAKE_SNAPSHOT, &q);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_APPLY_CHUNK);
    return r;
}

static uint32_t apply_plain(uint32_t index, const uint8_t *bytes, size_t len)
{
    Abci__Response *r = apply(index, bytes, len);
    uint32_t result = r->apply_chunk->result;

    abci__response__free_unpacked(r, NULL);
    return result;
}

static void test_join(void **state)
{
    uint64_t height = giver->height / FAKE_SNAPSHOT_EVERY * FAKE_SNAPSHOT_EVERY;
    Abci__Response *all, *chunk, *r;
    Abci__Snapshot *s;
    uint8_t *bytes;
    size_t len;

    (void)state;
    replay(giver);
    all = list(giver, height);
    s = all->list_snapshots->snapshots[0];
    assert_int_equal(s->chunks, 1);
    assert_int_equal(offer(s, giver->blocks[height].after.app_hash), 1);
    chunk = load(height, 1, 0);
    bytes = chunk->load_chunk->chunk.data;
    len = chunk->load_chunk->chunk.len;
    assert_int_equal(apply_plain(1, bytes, len), 2); /* there is no such chunk */
    bytes[len / 2] ^= 1;
    r = apply(0, bytes, len); /* again, and not from that one */
    assert_int_equal(r->apply_chunk->result, 3);
    assert_int_equal(r->apply_chunk->n_again, 1);
    assert_int_equal(r->apply_chunk->again[0], 0);
    assert_string_equal(r->apply_chunk->reject[0], "a peer");
    abci__response__free_unpacked(r, NULL);
    bytes[len / 2] ^= 1;
    assert_int_equal(apply_plain(0, bytes, len), 1);
    fake_at(joiner, height);
    assert_int_equal(offer(s, giver->blocks[height].after.app_hash), 2); /* no second time */
    fake_replay(joiner, joiner->height);                                 /* and on, with blocks */
    fake_crash(joiner);
    fake_start(joiner);
    fake_at(joiner, joiner->height);
    abci__response__free_unpacked(chunk, NULL);
    abci__response__free_unpacked(all, NULL);
}

/* All is of one height, and says another app_hash than the light client's: rejected as a whole, and
 * the replica begins at its genesis still. */
static void test_refused(void **state)
{
    uint64_t height = giver->height / FAKE_SNAPSHOT_EVERY * FAKE_SNAPSHOT_EVERY;
    Abci__Response *all, *chunk;
    Abci__Snapshot *s;

    (void)state;
    replay(giver);
    all = list(giver, height);
    s = all->list_snapshots->snapshots[0];
    chunk = load(height, 1, 0);
    assert_int_equal(offer(s, giver->blocks[height - 1].after.app_hash), 1);
    assert_int_equal(apply_plain(0, chunk->load_chunk->chunk.data, chunk->load_chunk->chunk.len),
                     5);
    assert_true(strstr(joiner->event, "another app_hash") != NULL);
    fake_at(joiner, 0);
    s->hash.data[0] ^= 1;
    assert_int_equal(offer(s, giver->blocks[height].after.app_hash), 3);
    s->hash.data[0] ^= 1;
    s->format = 2;
    assert_int_equal(offer(s, giver->blocks[height].after.app_hash), 4);
    s->format = 1;
    s->chunks = 2;
    assert_int_equal(offer(s, giver->blocks[height].after.app_hash), 3);
    assert_int_equal(apply_plain(0, (const uint8_t *)"x", 1), 2); /* nothing is under way */
    abci__response__free_unpacked(chunk, NULL);
    for (uint32_t i = 0; i < 3; i++) { /* what we do not have */
        chunk = load(height + (i == 0), 1 + (i == 1), i == 2);
        assert_int_equal(chunk->load_chunk->chunk.len, 0);
        abci__response__free_unpacked(chunk, NULL);
    }
    abci__response__free_unpacked(all, NULL);
    fake_replay(joiner, joiner->height);
}

/* What begins as no snapshot of ours can is refused by its first chunk, with thousands to come. */
static void test_first_chunk(void **state)
{
    enum { CHUNKS = 4096 };
    uint64_t height = giver->height / FAKE_SNAPSHOT_EVERY * FAKE_SNAPSHOT_EVERY;
    const uint8_t *trusted = giver->blocks[height].after.app_hash;
    Abci__Response *all, *chunk;
    Abci__Snapshot s;
    uint8_t *metadata = calloc(CHUNKS, 32), hash[32], *bytes;
    struct base_cur cur;
    size_t tip;

    (void)state;
    assert_non_null(metadata);
    replay(giver);
    all = list(giver, height);
    chunk = load(height, 1, 0);
    s = *all->list_snapshots->snapshots[0];
    s.hash = (ProtobufCBinaryData){32, hash};
    s.metadata = (ProtobufCBinaryData){(size_t)32 * CHUNKS, metadata};
    s.chunks = CHUNKS;
    bytes = chunk->load_chunk->chunk.data;
    cur = base_cur_make(bytes + 8, 4);
    tip = (size_t)12 + base_cur_u32(&cur);
    for (int i = 0; i <= 5; i++) {
        /* the magic; the genesis; height; time; leaves; nothing: it goes on */
        size_t at = i == 0 ? 3 : i == 1 ? 40 : i == 2 ? tip + 7 : i == 3 ? tip + 9 : tip + 32;
        bytes[at] ^= i < 5;
        base_sha256(metadata, bytes, chunk->load_chunk->chunk.len);
        base_sha256(hash, metadata, s.metadata.len);
        assert_int_equal(offer(&s, trusted), 1);
        assert_int_equal(apply_plain(0, bytes, chunk->load_chunk->chunk.len), i < 5 ? 5 : 1);
        bytes[at] ^= i < 5;
        assert_true(i == 5 ||
                    strstr(joiner->event, i == 3 ? "in the future" : "snapshot: it is") != NULL);
        fake_at(joiner, 0);
    }
    abci__response__free_unpacked(chunk, NULL);
    abci__response__free_unpacked(all, NULL);
    free(metadata);
}

/* Byte-identical: two nodes that executed the same blocks make the same snapshot. */
static void test_alike(void **state)
{
    Abci__Response *a, *b;

    (void)state;
    for (uint64_t h = FAKE_SNAPSHOT_EVERY; h <= giver->height; h += FAKE_SNAPSHOT_EVERY) {
        fake_replay(giver, h);
        a = list(giver, h);
        fake_replay(joiner, h);
        b = list(joiner, h);
        assert_memory_equal(a->list_snapshots->snapshots[0]->hash.data,
                            b->list_snapshots->snapshots[0]->hash.data, 32);
        assert_true(a->list_snapshots->n_snapshots <= 2);
        abci__response__free_unpacked(a, NULL);
        abci__response__free_unpacked(b, NULL);
    }
}

/* ---- crashes ---- */

/* A snapshot of more than one chunk: a block full of transactions, in both towns the same. */
static uint64_t grow(struct fake *f)
{
    enum { MANY = 1900 };
    struct town *t = &f->town;
    struct base_buf *txs = calloc(MANY, sizeof *txs);
    struct ledger_outcome *out = calloc(MANY, sizeof *out);

    assert_true(txs != NULL && out != NULL);
    for (size_t i = 0; i < MANY; i++) /* behind the story's versions */
        txs[i] = town_tx(t, LEDGER_TX_DATASET_PUBLISH, BANK_C,
                         town_dataset(t, 4 + (int64_t)i, 1, "balance"));
    town_block(t, out, txs, MANY, 1000); /* releases them */
    assert_int_equal(out[MANY - 1].verdict, LEDGER_OK);
    while (ledger_chain_head(t->chain)->height % FAKE_SNAPSHOT_EVERY != 0)
        town_wait(t, 1000);
    fake_hear(f);
    free(txs);
    free(out);
    return f->height;
}

static void crash_joiner(bool node)
{
    if (node) {
        fake_crash(joiner);
        fake_start(joiner);
    } else { /* its CometBFT alone */
        for (int i = 0; i < FAKE_CONNECTIONS; i++) {
            (void)close(joiner->fd[i]);
            ledger_frames_release(&joiner->frames[i]);
        }
        while (ledger_abci_server_connections(joiner->server) > 0)
            fake_serve(joiner);
        for (int i = 0; i < FAKE_CONNECTIONS; i++)
            fake_connect(joiner, i);
    }
    fake_at(joiner, 0);
}

/* It dies behind the offer, and behind each chunk but the last: nothing of it is left, what comes
 * unasked is not taken, and from the beginning it joins, or follows block by block. */
static void test_crash_between_chunks(void **state)
{
    uint64_t height = grow(giver);
    const uint8_t *trusted = giver->blocks[height].after.app_hash;
    Abci__Response *all, *chunk[8];
    Abci__Snapshot *s;

    (void)state;
    assert_int_equal(grow(joiner), height);
    replay(giver);
    all = list(giver, height);
    s = all->list_snapshots->snapshots[0];
    assert_in_range(s->chunks, 2, 8);
    for (uint32_t i = 0; i < s->chunks; i++)
        chunk[i] = load(height, 1, i);
    for (uint32_t life = 0; life < 2 * s->chunks; life++) {
        assert_int_equal(offer(s, trusted), 1);
        for (uint32_t i = 0; i < life / 2; i++)
            assert_int_equal(
                apply_plain(i, chunk[i]->load_chunk->chunk.data, chunk[i]->load_chunk->chunk.len),
                1);
        crash_joiner(life % 2 == 0);
        assert_int_equal(apply_plain(life / 2, chunk[life / 2]->load_chunk->chunk.data,
                                     chunk[life / 2]->load_chunk->chunk.len),
                         2);
    }
    assert_int_equal(offer(s, trusted), 1);
    for (uint32_t i = 0; i < s->chunks; i++)
        assert_int_equal(
            apply_plain(i, chunk[i]->load_chunk->chunk.data, chunk[i]->load_chunk->chunk.len), 1);
    fake_crash(joiner); /* behind the last one: it is on disk, and CometBFT may not know */
    fake_start(joiner);
    fake_at(joiner, height);
    assert_int_equal(offer(s, trusted), 2);
    for (uint32_t i = 0; i < s->chunks; i++)
        abci__response__free_unpacked(chunk[i], NULL);
    abci__response__free_unpacked(all, NULL);
}

static bool is_there(const struct fake *f, uint64_t height, const char *ending, bool torn)
{
    char path[160];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%llu.snapshot%s", f->snapshots,
                   (unsigned long long)height, ending);
    if (torn) {
        file = fopen(path, "wbe");
        assert_non_null(file);
        assert_true(fputs("half of a snapshot", file) >= 0 && fclose(file) == 0);
    }
    return access(path, F_OK) == 0;
}

/* It dies while a snapshot is made, at each height at which one is due: what is on disk, half or
 * whole, is shown to nobody after the start, and the next one is what another node makes. */
static void test_crash_while_a_snapshot_is_made(void **state)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__Empty empty = ABCI__EMPTY__INIT;
    uint64_t last = giver->height / FAKE_SNAPSHOT_EVERY * FAKE_SNAPSHOT_EVERY;
    Abci__Response *a, *b, *r;

    (void)state;
    q.value_case = ABCI__REQUEST__VALUE_LIST_SNAPSHOTS;
    q.list_snapshots = &empty;
    for (uint64_t h = FAKE_SNAPSHOT_EVERY; h < last; h += FAKE_SNAPSHOT_EVERY) {
        fake_replay(joiner, h); /* its commit begins one */
        fake_crash(joiner);
        assert_true(is_there(joiner, h, ".part", true) && is_there(joiner, h, "", true));
        fake_start(joiner);
        fake_at(joiner, h);
        assert_false(is_there(joiner, h, ".part", false) || is_there(joiner, h, "", false));
        r = fake_ask(joiner, FAKE_SNAPSHOT, &q);
        assert_int_equal(r->list_snapshots->n_snapshots, 0);
        abci__response__free_unpacked(r, NULL);
    }
    replay(giver);
    a = list(giver, last);
    fake_replay(joiner, last);
    b = list(joiner, last);
    assert_memory_equal(a->list_snapshots->snapshots[0]->hash.data,
                        b->list_snapshots->snapshots[0]->hash.data, 32);
    abci__response__free_unpacked(a, NULL);
    abci__response__free_unpacked(b, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_join, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_first_chunk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crash_between_chunks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crash_while_a_snapshot_is_made, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
