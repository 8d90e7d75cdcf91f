/* Tiles against the tree itself, at many sizes; every byte that is published matters; witnesses
 * sign one history. That public tools read the same: tests/transparency.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/profile.h"
#include "ledger/proof/log.h"
#include "ledger/proof/test_world.h"
#include "ledger/transparency/published.h"

enum { MOST = 66000, MEMBERS = 3 };

static struct base_err err;
static char dir[64], memory[96];
static struct world world, *w = &world;
static uint8_t (*data)[32];
static struct ledger_vkey trusted[MEMBERS];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/firmiana-tiles-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(memory, sizeof memory, "%s/../%s.memory", dir, strrchr(dir, '/') + 1);
    world_init(w);
    data = calloc(MOST, sizeof *data);
    assert_non_null(data);
    for (uint64_t i = 0; i < MOST; i++)
        base_hash(data[i], &i, sizeof i);
    for (size_t i = 0; i < MEMBERS; i++) {
        (void)snprintf(trusted[i].name, sizeof trusted[i].name, "%s", w->m[i].did);
        trusted[i].key = *did_secret_key(w->m[i].node);
    }
    return 0;
}

static int tear_down(void **state)
{
    char command[256];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s %s", dir, memory);
    assert_int_equal(system(command), 0);
    world_release(w);
    free(data);
    return 0;
}

/* Any node, from the leaves below it. */
static fm_status node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                      struct base_err *e)
{
    struct ledger_log log = {0};
    uint8_t hash[32];

    (void)ctx;
    (void)e;
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        assert_true(i < MOST);
        ledger_log_leaf_hash(hash, data[i]);
        ledger_log_append(&log, hash, NULL);
    }
    ledger_log_root(out32, &log);
    return FM_OK;
}

static fm_status entry(void *ctx, uint8_t out32[32], uint64_t leaf, struct base_err *e)
{
    (void)ctx;
    (void)e;
    memcpy(out32, data[leaf], 32);
    return FM_OK;
}

static struct ledger_checkpoint *checkpoint(uint64_t size, unsigned cosigners)
{
    static struct ledger_checkpoint c;
    const struct ledger_log_source source = {node, NULL};

    memset(&c, 0, sizeof c);
    memcpy(c.chain, w->chain, 32);
    c.size = size;
    must(ledger_tile_root(c.root, &source, size, &err));
    for (size_t i = 0; i < MEMBERS; i++)
        if ((cosigners >> i & 1) != 0)
            must(
                ledger_cosign(&c.cosigner[c.n++], &c, w->m[i].did, w->m[i].node, 1790000000, &err));
    return &c;
}

static fm_status publish(uint64_t size, unsigned cosigners)
{
    const struct ledger_tile_log log = {{node, NULL}, entry, NULL};
    struct ledger_tile_report report;

    return ledger_tiles_publish(dir, &log, checkpoint(size, cosigners), "", &report, &err);
}

static fm_status verify(size_t quorum)
{
    const struct ledger_trust trust = {trusted, MEMBERS, quorum};
    static struct ledger_checkpoint c;
    size_t signers;

    return ledger_published_verify(&c, &signers, dir, &trust, &err);
}

static void paths_are_those_of_c2sp(void **state)
{
    static const struct {
        unsigned level, width;
        uint64_t index;
        const char *path;
    } known[] = {{0, 256, 0, "tile/0/000"},
                 {0, 1, 999, "tile/0/999.p/1"},
                 {1, 256, 1000, "tile/1/x001/000"},
                 {3, 255, 1234067, "tile/3/x001/x234/067.p/255"},
                 {8, 12, 67, "tile/entries/067.p/12"}};
    char path[LEDGER_TILE_PATH];

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(ledger_tile_path(path, known[i].level, known[i].index, known[i].width),
                            known[i].path);
}

/* Grown step by step, over every kind of edge; then every node that a proof may ask for. */
static void tiles_are_the_tree(void **state)
{
    static const uint64_t sizes[] = {1,   2,   5,    255,  256,   257,   511,  512,
                                     513, 600, 1024, 5000, 65535, 65536, 65537};
    static struct ledger_tile_reader r;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ledger_log_source tiles = ledger_tile_source(&r), tree = {node, NULL};
        struct ledger_log_proof proof;
        uint8_t root[32];
        uint64_t size = sizes[i], old = i == 0 ? 1 : sizes[i - 1];

        must(publish(size, 7));
        must(verify(3));
        ledger_tile_reader_init(&r, dir, size);
        must(ledger_tile_root(root, &tiles, size, &err));
        assert_memory_equal(root, checkpoint(size, 0)->root, 32);
        must(ledger_tile_root(root, &tree, old, &err));
        must(ledger_log_prove_consistency(&proof, old, size, &tiles, &err));
        must(ledger_log_verify_consistency(&proof, old, root, size, checkpoint(size, 0)->root,
                                           &err));
        for (uint64_t leaf = 0; leaf < size; leaf += size / 3 + 1) {
            uint8_t hash[32];

            ledger_log_leaf_hash(hash, data[leaf]);
            must(ledger_log_prove_inclusion(&proof, leaf, size, &tiles, &err));
            must(ledger_log_verify_inclusion(&proof, hash, leaf, size, checkpoint(size, 0)->root,
                                             &err));
        }
        assert_int_equal(r.size, size);
    }
    assert_int_equal(publish(65536, 7), FM_E_CONFLICT);
    assert_int_equal(verify(4), FM_E_INVALID);
    assert_non_null(strstr(err.text, "3 of the trusted keys cosigned, 4 are needed"));
}

static void flip(const char *name, size_t at)
{
    char path[256];
    struct base_buf bytes = {0};

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    must(base_file_read(&bytes, path, 1 << 20, &err));
    assert_true(at < bytes.len);
    bytes.p[at] ^= 1;
    must(base_file_write(path, bytes.p, bytes.len, 0644, &err));
    base_buf_release(&bytes);
}

static void every_bit_matters(void **state)
{
    static const char *const files[] = {
        "tile/0/000",       "tile/0/002.p/88",       "tile/1/000.p/2",
        "tile/entries/001", "tile/entries/002.p/88", "checkpoint"};
    uint8_t kept[32];

    (void)state;
    must(publish(600, 7));
    must(verify(3));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (size_t at = 0; at < 60; at += 7) {
            flip(files[i], at);
            if (verify(3) == FM_OK)
                fail_msg("%s, byte %zu", files[i], at);
            flip(files[i], at);
        }
    }
    must(verify(3));
    /* Another history under the same name is not published over this one. */
    memcpy(kept, data[5], 32);
    memset(data[5], 9, 32);
    assert_int_equal(publish(700, 7), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "another history of this ledger is published there"));
    memcpy(data[5], kept, 32);
}

static fm_status cosign_as(const char *name, const struct did_secret *secret, const char *note)
{
    const struct ledger_trust trust = {trusted, MEMBERS, 2};
    const struct ledger_witness witness = {name, secret, memory, note};
    static struct ledger_checkpoint c;

    return ledger_witness_cosign(&c, dir, &witness, &trust, 1790000001, &err);
}

static fm_status cosign(const struct did_secret *secret)
{
    return cosign_as("witness.example/1", secret, NULL);
}

static void witnesses_sign_one_history(void **state)
{
    static struct ledger_checkpoint c;
    struct did_secret *secret = world_secret(w);
    struct ledger_vkey key = {.name = "witness.example/1", .key = *did_secret_key(secret)};
    char command[160];
    uint8_t kept[32];
    size_t signers;

    (void)state;
    must(publish(600, 1));
    assert_int_equal(cosign(secret), FM_E_INVALID); /* one member is not enough */
    must(publish(600, 3));
    must(cosign(secret));
    must(ledger_published_checkpoint(&c, dir, &err));
    assert_int_equal(c.n, 3);
    must(ledger_vkeys_count(&signers, &c, &key, 1, &err));
    assert_int_equal(signers, 1);
    must(verify(2)); /* its line disturbs nobody, */
    must(publish(600, 7));
    must(ledger_published_checkpoint(&c, dir, &err));
    assert_int_equal(c.n, 4); /* and stays while the state does */
    must(publish(1300, 7));
    must(cosign(secret));
    must(cosign(secret));

    /* The ledger is rewritten, and published elsewhere with every member's signature. */
    (void)snprintf(command, sizeof command, "rm -r %s && mkdir %s", dir, dir);
    assert_int_equal(system(command), 0);
    memcpy(kept, data[5], 32);
    memset(data[5], 9, 32);
    must(publish(1400, 7));
    must(verify(3));
    assert_int_equal(cosign(secret), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "is no beginning of this log"));
    assert_int_equal(system(command), 0);
    memcpy(data[5], kept, 32);
    must(publish(1200, 7));
    assert_int_equal(cosign(secret), FM_E_INVALID); /* it went back */
    must(publish(1400, 7));
    must(cosign(secret));
    did_secret_free(secret);
}

/* Every bit and every length of a key's line counts; two lines may not have one name. */
static void check_line(const struct did_key *of)
{
    struct base_buf line = {0}, two = {0};
    struct ledger_vkey key[2];
    size_t n;

    must(ledger_vkey_put(&line, "a.example", of, &err));
    must(ledger_vkeys_parse(key, 2, &n, (const char *)line.p, line.len, &err));
    assert_int_equal(n, 1);
    assert_true(did_key_equal(&key[0].key, of));
    for (size_t i = 0; i < line.len; i++) {
        line.p[i] ^= 1;
        assert_int_not_equal(ledger_vkeys_parse(key, 2, &n, (const char *)line.p, line.len, &err),
                             FM_OK);
        line.p[i] ^= 1;
        if (i + 1 < line.len - 1)
            assert_int_not_equal(ledger_vkeys_parse(key, 2, &n, (const char *)line.p, i + 1, &err),
                                 FM_OK);
    }
    base_buf_put(&two, line.p, line.len);
    base_buf_put(&two, line.p, line.len);
    assert_int_equal(ledger_vkeys_parse(key, 2, &n, (const char *)two.p, two.len, &err),
                     FM_E_INPUT);
    assert_int_equal(ledger_vkeys_parse(key, 1, &n, (const char *)two.p, two.len, &err),
                     FM_E_LIMIT);
    base_buf_release(&line);
    base_buf_release(&two);
}

static void keys_are_strict(void **state)
{
    (void)state;
    check_line(did_secret_key(w->m[0].node));
}

/* SM2 keys say that their ledger is national; the other profile's are refused by name. */
static void national_keys_are_strict(void **state)
{
    static const uint8_t seed[32] = {7};
    struct did_secret *sm2;
    struct base_buf ours = {0}, theirs = {0};
    struct ledger_vkey key[2];
    size_t n;

    (void)state;
    must(ledger_vkey_put(&theirs, "b.example", did_secret_key(w->m[0].node), &err));
    must(base_profile_adopt(BASE_PROFILE_NATIONAL, &err));
    must(did_secret_import(&sm2, did_suite_sm2(), seed, sizeof seed, &err));
    check_line(did_secret_key(sm2));
    must(ledger_vkey_put(&ours, "a.example", did_secret_key(sm2), &err));
    assert_int_equal(ledger_vkey_put(&ours, "x", did_secret_key(w->m[0].node), &err),
                     FM_E_UNSUPPORTED);
    base_profile_forget();
    must(ledger_vkeys_parse(key, 2, &n, (const char *)ours.p, ours.len, &err));
    assert_true(base_profile_is_national());
    assert_int_equal(ledger_vkeys_parse(key, 2, &n, (const char *)theirs.p, theirs.len, &err),
                     FM_E_AUTH);
    base_profile_forget();
    base_buf_put(&theirs, ours.p, ours.len);
    assert_int_equal(ledger_vkeys_parse(key, 2, &n, (const char *)theirs.p, theirs.len, &err),
                     FM_E_INPUT);
    assert_non_null(strstr(err.text, "key 2: sm2, but key 1 is of suite ed25519"));
    base_profile_forget();
    must(base_profile_adopt(BASE_PROFILE_INTERNATIONAL, &err));
    assert_int_equal(ledger_vkeys_parse(key, 2, &n, (const char *)ours.p, ours.len, &err),
                     FM_E_CONFLICT);
    base_profile_forget();
    did_secret_free(sm2);
    base_buf_release(&ours);
    base_buf_release(&theirs);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(paths_are_those_of_c2sp),    T(tiles_are_the_tree), T(every_bit_matters),
        T(witnesses_sign_one_history), T(keys_are_strict),    T(national_keys_are_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
