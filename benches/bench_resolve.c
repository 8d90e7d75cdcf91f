/* bench_resolve: a ledger's state with so many members, each with a DID
 * document of its own, on disk; and how long it takes to resolve one: out of the state, parsed
 * strictly (which proves its id), into a W3C result; how long to prove that it is the state's, and
 * to check that, from the proof alone; and how many bytes the proof has in a bundle, in its short
 * form too. Of this thread's own time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "benches/options.h"
#include "did/draft.h"
#include "did/resolution.h"
#include "ledger/proof/state_proof.h"
#include "ledger/store/store.h"

enum { BLOCK = 2000, KEYS = 5, PROBES = 2000, KEY_TEXT = 256 };

static struct base_err err;

static void must(fm_status st)
{
    if (st == FM_OK)
        return;
    fprintf(stderr, "bench_resolve: %s\n", err.text);
    exit(1);
}

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- the state ---- */

struct world {
    struct did_key keys[KEYS];
    char chain[DID_CHAIN_TEXT];
    char (*did)[DID_FIRMIANA_TEXT];
    size_t n;
    uint8_t root[32];
};

/* Documents differ by alias alone, which makes each id another. */
static void make_document(struct did_document **out, const struct world *w, size_t i)
{
    static const uint8_t recovery32[32] = {1};
    struct did_draft draft = {0};
    char alias[32];

    (void)snprintf(alias, sizeof alias, "member_%zu", i);
    must(did_draft_first(&draft, w->chain, alias, recovery32, &err));
    for (unsigned k = 0; k < KEYS; k++)
        must(did_draft_add(&draft, &w->keys[k], k < 2 ? 1u << k : DID_ROLE_INVOCATION, &err));
    must(did_draft_build(out, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
}

struct row {
    char key[KEY_TEXT];
    struct base_buf value;
};

/* did/DID and did/DID/1, as the machine puts them (format.md section 6). */
static void fill_rows(struct row rows[2], const char *did, const struct did_document *doc)
{
    json_t *hash, *value;
    char hex[65];

    base_hex(hex, did_document_hash32(doc), 32);
    hash = json_string(hex);
    value = json_pack("{s:O, s:O, s:i, s:s}", "document", did_document_json(doc), "hash", hash,
                      "height", 0, "status", "active");
    (void)snprintf(rows[0].key, KEY_TEXT, "did/%s", did);
    must(base_json_canonical(&rows[0].value, value, &err));
    json_decref(value);
    value = json_pack("{s:o, s:i}", "hash", hash, "height", 0);
    (void)snprintf(rows[1].key, KEY_TEXT, "did/%s/1", did);
    must(base_json_canonical(&rows[1].value, value, &err));
    json_decref(value);
}

static void write_block(struct ledger_store *store, struct world *w, size_t first, size_t n)
{
    static struct row rows[2 * BLOCK];
    static struct ledger_update updates[2 * BLOCK];
    static struct ledger_state_change changes[2 * BLOCK];
    struct ledger_state_pages pages = ledger_store_pages(store);

    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < n; i++) {
        struct did_document *doc;
        make_document(&doc, w, first + i);
        (void)snprintf(w->did[first + i], DID_FIRMIANA_TEXT, "%s", did_document_id(doc));
        fill_rows(&rows[2 * i], w->did[first + i], doc);
        did_document_free(doc);
    }
    for (size_t i = 0; i < 2 * n; i++) {
        updates[i] = (struct ledger_update){rows[i].key, rows[i].value.p, rows[i].value.len};
        changes[i].removed = false;
        ledger_state_path(changes[i].path, rows[i].key);
        base_hash(changes[i].value_hash, rows[i].value.p, rows[i].value.len);
    }
    must(ledger_store_begin_write(store, &err));
    must(ledger_store_put_updates(store, updates, 2 * n, &err));
    must(ledger_state_update(w->root, &pages, changes, 2 * n, &err));
    must(ledger_store_commit(store, &err));
    for (size_t i = 0; i < 2 * n; i++)
        base_buf_release(&rows[i].value);
}

static void make_world(struct world *w, struct ledger_store *store)
{
    uint8_t genesis[32] = {1};

    for (size_t i = 0; i < KEYS; i++) {
        struct did_secret *secret;
        must(did_secret_generate(&secret, did_suite_usual(), base_random_system(), &err));
        w->keys[i] = *did_secret_key(secret);
        did_secret_free(secret);
    }
    did_chain_text(w->chain, genesis);
    w->did = calloc(w->n, sizeof *w->did);
    if (w->did == NULL)
        abort();
    must(ledger_store_begin_write(store, &err));
    must(ledger_store_put_genesis(store, genesis, "{}", 2, &err));
    must(ledger_store_commit(store, &err));
    for (size_t at = 0; at < w->n; at += BLOCK)
        write_block(store, w, at, w->n - at < BLOCK ? w->n - at : BLOCK);
}

/* ---- measuring ---- */

struct probe {
    double resolve_us[PROBES], prove_us[PROBES], check_us[PROBES], bytes[PROBES],
        short_bytes[PROBES];
};

static double bytes_of(json_t *json)
{
    struct base_buf text = {0};
    double len;

    must(base_json_canonical(&text, json, &err));
    len = (double)text.len;
    base_buf_release(&text);
    json_decref(json);
    return len;
}

/* The document as a node has it, into the result that did resolve prints. */
static void resolve(struct ledger_store *reader, const char *did, struct base_buf *value)
{
    const struct ledger_state_source state = ledger_store_source(reader);
    struct did_history history = {0};
    struct did_version version = {.by = "genesis"};
    char key[KEY_TEXT];
    json_t *row, *result;
    bool found;

    (void)snprintf(key, sizeof key, "did/%s", did);
    base_buf_clear(value);
    must(state.get(state.ctx, value, &found, key, &err));
    if (!found)
        abort();
    must(base_json_parse(&row, (const char *)value->p, value->len, &err));
    must(base_json_get_hex(version.hash32, 32, row, "hash", &err));
    must(did_history_add(&history, &version, &err));
    must(did_resolution_of_member(&result, did, &history, 0, json_object_get(row, "document"),
                                  &err));
    json_decref(result);
    json_decref(row);
    did_history_release(&history);
}

static void probe(struct probe *p, size_t i, struct ledger_store *reader, const char *did,
                  const uint8_t root[32])
{
    struct ledger_state_pages pages = ledger_store_pages(reader);
    struct ledger_state_proof proof;
    struct base_buf value = {0};
    uint8_t path[32], hash[32];
    char key[KEY_TEXT];
    double start;

    must(ledger_store_begin_read(reader, &err));
    start = now_us();
    resolve(reader, did, &value);
    p->resolve_us[i] = now_us() - start;
    (void)snprintf(key, sizeof key, "did/%s", did);
    ledger_state_path(path, key);
    start = now_us();
    must(ledger_state_prove(&proof, path, &pages, &err));
    p->prove_us[i] = now_us() - start;
    start = now_us();
    base_hash(hash, value.p, value.len);
    must(ledger_state_verify_present(&proof, root, path, hash, &err));
    p->check_us[i] = now_us() - start;
    p->bytes[i] = bytes_of(ledger_state_proof_json(&proof, path));
    p->short_bytes[i] = bytes_of(ledger_state_proof_short(&proof, path));
    ledger_store_rollback(reader);
    base_buf_release(&value);
}

static void say(const char *what, double *us, size_t members)
{
    qsort(us, PROBES, sizeof us[0], bench_ascending);
    bench_line(what,
               "\"n\":%zu,\"ops_per_s\":%.0f,\"seconds\":%.7f,\"us_99\":%.1f,\"us_median\":%.1f,"
               "\"us_min\":%.1f",
               members, 1e6 / us[PROBES / 2], us[PROBES / 2] / 1e6, us[PROBES * 99 / 100],
               us[PROBES / 2], us[0]);
}

static void say_bytes(const char *what, double *bytes, size_t members)
{
    qsort(bytes, PROBES, sizeof bytes[0], bench_ascending);
    bench_line(what, "\"bytes_99\":%.0f,\"bytes_median\":%.0f,\"bytes_min\":%.0f,\"n\":%zu",
               bytes[PROBES * 99 / 100], bytes[PROBES / 2], bytes[0], members);
}

static void measure(struct world *w, const char *path)
{
    static struct probe p;
    struct ledger_store *store, *reader;

    must(ledger_store_open(&store, path, LEDGER_STORE_CREATE, &err));
    make_world(w, store);
    must(ledger_store_open(&reader, path, LEDGER_STORE_READ, &err));
    for (size_t i = 0; i < PROBES; i++)
        probe(&p, i, reader, w->did[i * 7919 % w->n], w->root);
    say("resolve", p.resolve_us, w->n);
    say("prove", p.prove_us, w->n);
    say("check_proof", p.check_us, w->n);
    say_bytes("proof", p.bytes, w->n);
    say_bytes("proof_short", p.short_bytes, w->n);
    ledger_store_close(reader);
    ledger_store_abandon(store);
    free(w->did);
}

static struct world world = {.n = 100000};
static const char *dir = "/tmp";
static const struct bench_option options[] = {
    {"--n", BENCH_SIZE, &world.n, 1, 10000000, NULL, "members, each with a document of its own"},
    {"--members", BENCH_SIZE, &world.n, 1, 10000000, NULL, "the same"},
    {"--dir", BENCH_TEXT, &dir, 0, 0, NULL, "where the state goes, and is removed"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"n", "members", "of the state"},
    {"us_median", "us", "processor time to resolve a DID, to prove it, to check the proof"},
    {"us_min", "us", "of the same"},
    {"us_99", "us", "99 of 100 take less"},
    {"seconds", "s", "us_median in seconds"},
    {"ops_per_s", "1/s", "of the same"},
    {"bytes_median", "bytes", "of a proof as it stands in a bundle"},
    {"bytes_min", "bytes", "of the same"},
    {"bytes_99", "bytes", "99 of 100 have less"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_resolve",
    "a DID resolved out of a ledger's state on disk, and proven to be the state's",
    options,
    fields,
    0,
    NULL};

int main(int argc, char **argv)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char folder[128], path[160];
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    (void)snprintf(folder, sizeof folder, "%.100s/firmiana-bench-XXXXXX", dir);
    if (mkdtemp(folder) == NULL) {
        fprintf(stderr, "bench_resolve: --dir %s: a folder cannot be made there\n", dir);
        return 8;
    }
    (void)snprintf(path, sizeof path, "%s/state.db", folder);
    measure(&world, path);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/state.db%s", folder, endings[i]);
        (void)unlink(path);
    }
    return rmdir(folder) == 0 ? 0 : 8;
}
