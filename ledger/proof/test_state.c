/* The state tree against its definition, against ICS-23's own proofs, and against every change that
 * must be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/state_proof.h"

static struct base_err err;
static struct ledger_state_proof proof;

/* ---- pages in memory: a hash table that grows, with faults on demand ---- */

struct slot {
    uint8_t id[LEDGER_STATE_ID_MAX];
    size_t id_len, len;
    uint8_t *page;
};

static struct memory {
    struct slot *slot;
    size_t size, filled, reads, writes;
    size_t fail_at; /* the fail_at-th call fails; 0: none does */
} memory;

static struct slot *find(const uint8_t *id, size_t id_len)
{
    uint8_t hash[32];
    size_t i;

    base_hash(hash, id, id_len);
    i = (size_t)base_load_u64(hash) & (memory.size - 1);
    while (memory.slot[i].id_len != 0 &&
           (memory.slot[i].id_len != id_len || memcmp(memory.slot[i].id, id, id_len) != 0))
        i = (i + 1) & (memory.size - 1);
    return &memory.slot[i];
}

static void memory_clear(void)
{
    for (size_t i = 0; i < memory.size; i++)
        free(memory.slot[i].page);
    free(memory.slot);
    memory = (struct memory){.size = 1 << 18};
    memory.slot = calloc(memory.size, sizeof *memory.slot);
    assert_non_null(memory.slot);
}

static fm_status maybe_fail(struct base_err *e)
{
    if (memory.fail_at > 0 && --memory.fail_at == 0)
        return base_err_set(e, FM_E_IO, "test: no disk");
    return FM_OK;
}

static fm_status get(void *ctx, uint8_t *out, size_t *len, const uint8_t *id, size_t id_len,
                     struct base_err *e)
{
    struct slot *slot = find(id, id_len);

    (void)ctx;
    memory.reads++;
    *len = slot->page == NULL ? 0 : slot->len;
    if (slot->page != NULL)
        memcpy(out, slot->page, slot->len);
    return maybe_fail(e);
}

static fm_status put(void *ctx, const uint8_t *id, size_t id_len, const uint8_t *page, size_t len,
                     struct base_err *e)
{
    struct slot *slot = find(id, id_len);

    (void)ctx;
    assert_true(len > 0 && len <= LEDGER_STATE_PAGE_MAX && id_len <= LEDGER_STATE_ID_MAX);
    memory.writes++;
    if (slot->id_len == 0)
        assert_true(++memory.filled < memory.size / 2);
    memcpy(slot->id, id, id_len);
    slot->id_len = id_len;
    free(slot->page);
    slot->page = malloc(len);
    assert_non_null(slot->page);
    memcpy(slot->page, page, len);
    slot->len = len;
    return maybe_fail(e);
}

static fm_status del(void *ctx, const uint8_t *id, size_t id_len, struct base_err *e)
{
    struct slot *slot = find(id, id_len);

    (void)ctx;
    assert_non_null(slot->page); /* what is deleted was there */
    free(slot->page);
    slot->page = NULL;
    return maybe_fail(e);
}

static const struct ledger_state_pages pages = {get, put, del, NULL, NULL};

static size_t pages_left(void)
{
    size_t n = 0;

    for (size_t i = 0; i < memory.size; i++)
        n += memory.slot[i].page != NULL;
    return n;
}

/* ---- the definition, written as format.md writes it ---- */

struct entry {
    uint8_t path[32], value[32];
};

static int by_entry(const void *a, const void *b)
{
    return memcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path, 32);
}

static void define(uint8_t out32[32], const struct entry *e, size_t n, unsigned bit)
{
    uint8_t in[65];
    size_t k = 0;

    memset(out32, 0, 32);
    if (n == 0)
        return;
    if (n == 1) {
        in[0] = 0;
        memcpy(in + 1, e->path, 32);
        memcpy(in + 33, e->value, 32);
    } else {
        while (k < n && (e[k].path[bit / 8] & 0x80 >> bit % 8) == 0)
            k++;
        in[0] = 1;
        define(in + 1, e, k, bit + 1);
        define(in + 33, e + k, n - k, bit + 1);
    }
    base_hash(out32, in, sizeof in);
}

/* ---- randomness with a seed that is printed ---- */

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed * 0x2545f4914f6cdd1dULL >> 11) % below;
}

/* Paths that crowd together: few distinct leading bytes, sometimes equal but for the last bits. */
static void draw_path(uint8_t out32[32])
{
    uint64_t kind = draw(4), n = draw(300);

    memset(out32, kind == 1 ? 0xff : 0, 32);
    if (kind == 0) {
        out32[31] = (uint8_t)n;
        out32[30] = (uint8_t)(n >> 8);
    } else if (kind == 1) {
        out32[draw(32)] ^= (uint8_t)(1 << draw(8));
    } else {
        base_hash(out32, &n, sizeof n);
        if (kind == 3)
            out32[0] = 0x55;
    }
}

static void check_proof(const uint8_t root[32], const struct entry *e, size_t n,
                        const uint8_t path[32])
{
    const struct entry *found = NULL;
    struct ledger_state_proof again;
    json_t *json;
    uint8_t bad[32];

    for (size_t i = 0; i < n; i++) {
        if (memcmp(e[i].path, path, 32) == 0)
            found = &e[i];
    }
    assert_int_equal(ledger_state_prove(&proof, path, &pages, &err), FM_OK);
    json = ledger_state_proof_json(&proof, path);
    assert_non_null(json);
    assert_int_equal(ledger_state_proof_parse(&again, json, &err), FM_OK);
    json_decref(json);
    if (found == NULL) {
        assert_int_equal(ledger_state_verify_absent(&proof, root, path, &err), FM_OK);
        assert_int_equal(ledger_state_verify_absent(&again, root, path, &err), FM_OK);
        assert_int_equal(ledger_state_verify_present(&again, root, path, e[0].value, &err),
                         FM_E_INVALID);
        return;
    }
    assert_int_equal(ledger_state_verify_present(&proof, root, path, found->value, &err), FM_OK);
    assert_int_equal(ledger_state_verify_present(&again, root, path, found->value, &err), FM_OK);
    assert_int_equal(ledger_state_verify_absent(&proof, root, path, &err), FM_E_INVALID);
    assert_int_equal(ledger_state_verify_absent(&again, root, path, &err), FM_E_INVALID);
    memcpy(bad, found->value, 32);
    bad[draw(32)] ^= 1;
    assert_int_equal(ledger_state_verify_present(&again, root, path, bad, &err), FM_E_INVALID);
    memcpy(bad, path, 32);
    bad[draw(32)] ^= 1;
    assert_int_equal(ledger_state_verify_present(&again, root, bad, found->value, &err),
                     FM_E_INVALID);
}

#define WORLD 700

static void random_batches_follow_the_definition(void **state)
{
    static struct entry e[WORLD];
    static struct ledger_state_change change[200];
    size_t n = 0;
    uint8_t root[32], want[32];

    (void)state;
    seed = (uint64_t)time(NULL) | 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    memory_clear();
    for (int round = 0; round < 300; round++) {
        size_t m = 0, batch = 1 + draw(round % 7 == 0 ? 190 : 12);
        bool shrink = round / 40 % 2 == 1;
        for (size_t i = 0; i < batch; i++) {
            struct ledger_state_change *c = &change[m];
            size_t j = 0;
            draw_path(c->path);
            if (shrink && n > 0 && draw(4) != 0)
                memcpy(c->path, e[draw(n)].path, 32);
            while (j < m && memcmp(change[j].path, c->path, 32) != 0)
                j++;
            if (j < m)
                continue;
            c->removed = draw(8) < (shrink ? 7 : 2);
            for (size_t b = 0; b < 32; b++)
                c->value_hash[b] = (uint8_t)draw(256);
            for (j = 0; j < n && memcmp(e[j].path, c->path, 32) != 0;)
                j++;
            if (c->removed && j < n) {
                e[j] = e[--n];
            } else if (!c->removed && (j < n || n < WORLD)) {
                memcpy(e[j].path, c->path, 32);
                memcpy(e[j].value, c->value_hash, 32);
                n += j == n;
            } else if (!c->removed) {
                continue;
            }
            m++;
        }
        assert_int_equal(ledger_state_update(root, &pages, change, m, &err), FM_OK);
        qsort(e, n, sizeof *e, by_entry);
        define(want, e, n, 0);
        assert_memory_equal(root, want, 32);
        assert_int_equal(ledger_state_root(root, &pages, &err), FM_OK);
        assert_memory_equal(root, want, 32);
        for (int i = 0; i < 5 && n > 0; i++) {
            uint8_t path[32];
            draw_path(path);
            check_proof(root, e, n, path);
            check_proof(root, e, n, e[draw(n)].path);
        }
    }
    for (size_t i = 0; i < n; i++) { /* and down to nothing, one by one */
        memcpy(change[0].path, e[i].path, 32);
        change[0].removed = true;
        assert_int_equal(ledger_state_update(root, &pages, change, 1, &err), FM_OK);
        define(want, e + i + 1, n - i - 1, 0);
        assert_memory_equal(root, want, 32);
    }
    assert_int_equal(pages_left(), 0);
    assert_int_equal(ledger_state_prove(&proof, e[0].path, &pages, &err), FM_OK);
    assert_int_equal(ledger_state_verify_absent(&proof, root, e[0].path, &err), FM_OK);
}

static void fill(size_t n)
{
    struct ledger_state_change *change = calloc(n, sizeof *change);
    uint8_t root[32];

    assert_non_null(change);
    for (size_t i = 0; i < n; i++) {
        base_hash(change[i].path, &i, sizeof i);
        base_hash(change[i].value_hash, change[i].path, 32);
    }
    assert_int_equal(ledger_state_update(root, &pages, change, n, &err), FM_OK);
    free(change);
}

static void every_changed_bit_is_found(void **state)
{
    struct ledger_state_proof good;
    uint8_t root[32], path[32], value[32];

    (void)state;
    memory_clear();
    fill(100);
    assert_int_equal(ledger_state_root(root, &pages, &err), FM_OK);
    for (size_t i = 90; i < 110; i++) { /* ten present, ten absent */
        base_hash(path, &i, sizeof i);
        base_hash(value, path, 32);
        assert_int_equal(ledger_state_prove(&good, path, &pages, &err), FM_OK);
        for (size_t bit = 0; bit < (size_t)good.n * 256; bit++) {
            proof = good;
            proof.sibling[bit / 256][bit % 256 / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(i < 100 ? ledger_state_verify_present(&proof, root, path, value, &err)
                                     : ledger_state_verify_absent(&proof, root, path, &err),
                             FM_E_INVALID);
        }
        for (size_t byte = 0; i >= 100 && good.leaf && byte < 64; byte++) {
            proof = good;
            (byte < 32 ? proof.leaf_path : proof.leaf_value_hash)[byte % 32] ^= 1;
            assert_int_equal(ledger_state_verify_absent(&proof, root, path, &err), FM_E_INVALID);
        }
        proof = good;
        proof.n--;
        assert_int_equal(ledger_state_verify_absent(&proof, root, path, &err), FM_E_INVALID);
        assert_int_equal(ledger_state_verify_present(&proof, root, path, value, &err),
                         FM_E_INVALID);
    }
}

static void a_leaf_from_elsewhere_proves_nothing(void **state)
{
    uint8_t root[32], here[32], there[32];
    size_t a = 0, b = 1;

    (void)state;
    memory_clear();
    fill(100);
    assert_int_equal(ledger_state_root(root, &pages, &err), FM_OK);
    base_hash(here, &a, sizeof a);
    base_hash(there, &b, sizeof b);
    assert_int_equal(ledger_state_prove(&proof, there, &pages, &err), FM_OK);
    assert_int_equal(ledger_state_verify_absent(&proof, root, here, &err), FM_E_INVALID);
    assert_string_equal(err.text, "state proof: its leaf stands elsewhere");
}

static void faults_and_corruption(void **state)
{
    struct ledger_state_change twice[2] = {{.path = {1}}, {.path = {1}}};
    uint8_t root[32], path[32];
    size_t i = 5, failed = 0;

    (void)state;
    memory_clear();
    assert_int_equal(ledger_state_update(root, &pages, twice, 2, &err), FM_E_ARG);
    for (size_t at = 1;; at++) {
        struct ledger_state_change change[3] = {{.path = {1}}, {.path = {0x80}}, {.path = {2}}};
        fm_status st;
        memory_clear();
        fill(60);
        memory.fail_at = at;
        st = ledger_state_update(root, &pages, change, 3, &err);
        if (memory.fail_at != 0) {
            assert_int_equal(st, FM_OK);
            break;
        }
        assert_int_equal(st, FM_E_IO);
        failed++;
    }
    assert_int_equal(failed, 6); /* three pages read, three written */
    memory.fail_at = 0;
    base_hash(path, &i, sizeof i);
    for (size_t s = 0; s < memory.size; s++) {
        struct slot *slot = &memory.slot[s];
        uint8_t kept;
        if (slot->page == NULL || slot->id_len == 1)
            continue;
        kept = slot->page[0];
        slot->page[0] = 9;
        memcpy(twice[0].path, path, 32);
        if (ledger_state_prove(&proof, path, &pages, &err) != FM_OK)
            assert_int_equal(err.code, FM_E_CORRUPT);
        slot->page[0] = kept;
    }
    for (size_t s = 0; s < memory.size; s++) { /* a page lost */
        if (memory.slot[s].page != NULL && memory.slot[s].id_len > 1) {
            free(memory.slot[s].page);
            memory.slot[s].page = NULL;
        }
    }
    assert_int_equal(ledger_state_prove(&proof, path, &pages, &err), FM_E_CORRUPT);
    assert_int_equal(ledger_state_update(root, &pages, twice, 1, &err), FM_E_CORRUPT);
}

static void json_is_strict(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"siblings\":{}}",
        "{\"siblings\":[1]}",
        "{\"siblings\":[\"00\"]}",
        "{\"siblings\":[\"0000000000000000000000000000000000000000000000000000000000000000\"]}",
        "{\"siblings\":[],\"more\":true}",
        "{\"leaf\":[],\"siblings\":[]}",
        "{\"leaf\":{\"path\":\"00\",\"value_hash\":\"00\"},\"siblings\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *json;
        assert_int_equal(base_json_parse(&json, bad[i], strlen(bad[i]), &err), FM_OK);
        assert_int_equal(ledger_state_proof_parse(&proof, json, &err), FM_E_INPUT);
        json_decref(json);
    }
}

/* Work per key, so that a change for the worse shows: pages touched, and time as a note. */
static void many_keys(void **state)
{
    struct timespec a, b;
    double s;

    (void)state;
    memory_clear();
    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    for (int block = 0; block < 20; block++) {
        static struct ledger_state_change change[1000];
        uint8_t root[32];
        for (int i = 0; i < 1000; i++) {
            int k = block * 1000 + i;
            base_hash(change[i].path, &k, sizeof k);
            memcpy(change[i].value_hash, change[i].path, 32);
            change[i].removed = false;
        }
        assert_int_equal(ledger_state_update(root, &pages, change, 1000, &err), FM_OK);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    print_message("20,000 new keys in 20 blocks: %.0f keys/s in memory, %.2f reads and %.2f writes "
                  "a key, %zu pages\n",
                  20000 / s, (double)memory.reads / 20000, (double)memory.writes / 20000,
                  pages_left());
    assert_true(memory.writes < 3 * 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_batches_follow_the_definition),
        cmocka_unit_test(every_changed_bit_is_found),
        cmocka_unit_test(a_leaf_from_elsewhere_proves_nothing),
        cmocka_unit_test(faults_and_corruption),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(many_keys),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    memory_clear();
    free(memory.slot);
    return failed;
}
