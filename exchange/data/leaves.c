#include "exchange/data/leaves.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/secret.h"

enum {
    BATCH_ROWS = 2048,
    BATCH_BYTES = 1 << 20, /* of rows: a batch ends with the row that reaches it */
    BATCHES = 8,           /* in flight at most; they bound the memory */
    WORKERS_MAX = 4, /* one keeps up with a scan of SQLite; more help where reading is faster */
};

/* ---- salts: HMAC with base_hash, keyed once and then run for each row ---- */

struct salts {
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;
};

static void salts_release(struct salts *salts)
{
    EVP_MAC_CTX_free(salts->ctx);
    EVP_MAC_free(salts->mac);
    memset(salts, 0, sizeof *salts);
}

static bool mac_run(struct salts *salts, uint8_t out32[32], const void *bytes, size_t len)
{
    size_t got = 0;

    return EVP_MAC_update(salts->ctx, bytes, len) == 1 &&
           EVP_MAC_final(salts->ctx, out32, &got, 32) == 1 && got == 32;
}

static bool salts_init(struct salts *salts, const struct data_version_key *key)
{
    static const char label[] = "firmiana/row-salts/1";
    char *digest = (char *)(uintptr_t)base_hash_name(); /* is only read */
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    uint8_t message[sizeof label - 1 + 8], k[32];
    bool done;

    memcpy(message, label, sizeof label - 1);
    base_store_u64(message + sizeof label - 1, key->data_version);
    salts->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    salts->ctx = salts->mac != NULL ? EVP_MAC_CTX_new(salts->mac) : NULL;
    done = salts->ctx != NULL && EVP_MAC_init(salts->ctx, key->secret32, 32, params) == 1 &&
           mac_run(salts, k, message, sizeof message) &&
           EVP_MAC_init(salts->ctx, k, sizeof k, params) == 1;
    base_wipe(k, sizeof k);
    return done;
}

static bool salt_of(struct salts *salts, uint8_t out16[DATA_SALT_SIZE], uint64_t index)
{
    uint8_t message[8], full[32];
    bool done;

    base_store_u64(message, index);
    /* Without a key given, the context starts over with the one it has. */
    done = EVP_MAC_init(salts->ctx, NULL, 0, NULL) == 1 &&
           mac_run(salts, full, message, sizeof message);
    memcpy(out16, full, DATA_SALT_SIZE);
    base_wipe(full, sizeof full);
    return done;
}

/* ---- leaves ---- */

fm_status data_leaf_hash(uint8_t out32[32], struct base_buf *scratch,
                         const uint8_t salt16[DATA_SALT_SIZE], const uint8_t *row, size_t len,
                         struct base_err *err)
{
    uint8_t hash[32];
    fm_status st;

    base_buf_clear(scratch);
    base_buf_put_str(scratch, "firmiana/row/1");
    base_buf_put(scratch, salt16, DATA_SALT_SIZE);
    base_buf_put(scratch, row, len);
    st = base_buf_status(scratch, "row hash", err);
    if (st != FM_OK)
        return st;
    base_hash(hash, scratch->p, scratch->len);
    ledger_log_leaf_hash(out32, hash);
    return FM_OK;
}

/* A batch goes FILLING (the caller's) -> FULL (whoever takes it) -> TAKEN (a worker's) -> HASHED
 * (the caller's again, which appends its leaves) -> FILLING. */
enum stage { FILLING, FULL, TAKEN, HASHED };

struct batch {
    enum stage stage;
    bool failed; /* out of memory, or HMAC failed */
    uint64_t first;
    size_t count;
    struct base_buf rows; /* one behind the other */
    size_t ends[BATCH_ROWS];
    uint8_t leaf[BATCH_ROWS][32];
};

struct worker {
    struct data_leaves *leaves;
    struct salts salts;
    struct base_buf scratch;
    pthread_t thread;
};

struct data_leaves {
    struct ledger_log *log;
    const struct ledger_log_sink *sink;
    struct data_version_key key; /* borrows the caller's secret */
    struct worker self;          /* for salts, and batches when there are no workers */
    struct batch batches[BATCHES];
    uint64_t filling; /* batches begun so far - 1; batch i stands at i % BATCHES */
    uint64_t rows;

    pthread_mutex_t lock; /* over the stages, `taking` and `closing` */
    pthread_cond_t changed;
    uint64_t taking; /* the next batch for a worker */
    bool closing;
    bool tried; /* to start workers */
    unsigned workers;
    struct worker worker[WORKERS_MAX];
};

static void hash_batch(struct worker *worker, struct batch *batch)
{
    uint8_t salt[DATA_SALT_SIZE];
    struct base_err err;
    size_t from = 0;

    for (size_t i = 0; !batch->failed && i < batch->count; i++) {
        batch->failed = !salt_of(&worker->salts, salt, batch->first + i) ||
                        data_leaf_hash(batch->leaf[i], &worker->scratch, salt, batch->rows.p + from,
                                       batch->ends[i] - from, &err) != FM_OK;
        from = batch->ends[i];
    }
    base_wipe(salt, sizeof salt);
}

/* ---- workers ---- */

static void *work(void *ctx)
{
    struct worker *worker = ctx;
    struct data_leaves *l = worker->leaves;

    (void)pthread_mutex_lock(&l->lock);
    while (!l->closing) {
        struct batch *batch = &l->batches[l->taking % BATCHES];
        if (batch->stage != FULL) {
            (void)pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        l->taking++;
        batch->stage = TAKEN;
        (void)pthread_mutex_unlock(&l->lock);
        hash_batch(worker, batch);
        (void)pthread_mutex_lock(&l->lock);
        batch->stage = HASHED;
        (void)pthread_cond_broadcast(&l->changed);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* As many as there are processors beside the caller's. With none, or if the system gives no
 * thread, the caller hashes: slower, and the same. */
static void start_workers(struct data_leaves *l)
{
    long want = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    sigset_t all, before;

    l->tried = true;
    (void)sigfillset(&all);
    /* Signals are for the program's own threads. */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    while (l->workers < WORKERS_MAX && (long)l->workers < want) {
        struct worker *worker = &l->worker[l->workers];
        worker->leaves = l;
        if (!salts_init(&worker->salts, &l->key) ||
            pthread_create(&worker->thread, NULL, work, worker) != 0) {
            salts_release(&worker->salts);
            break;
        }
        l->workers++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the caller's side ---- */

fm_status data_leaves_open(struct data_leaves **out, struct ledger_log *log,
                           const struct ledger_log_sink *sink, const struct data_version_key *key,
                           struct base_err *err)
{
    struct data_leaves *l = calloc(1, sizeof *l);

    *out = NULL;
    if (l == NULL)
        return base_err_memory(err, "row hashes");
    l->log = log;
    l->sink = sink;
    l->key = *key;
    if (pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return base_err_memory(err, "row hashes");
    }
    if (pthread_cond_init(&l->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
        return base_err_memory(err, "row hashes");
    }
    if (!salts_init(&l->self.salts, key)) {
        data_leaves_free(l);
        return base_err_memory(err, "row salts: HMAC");
    }
    *out = l;
    return FM_OK;
}

/* The hashed batch's leaves go to the log, and it is empty again. */
static fm_status append(struct data_leaves *l, struct batch *batch, struct base_err *err)
{
    if (batch->failed)
        return base_err_memory(err, "row hashes");
    for (size_t i = 0; i < batch->count; i++)
        ledger_log_append(l->log, batch->leaf[i], l->sink);
    batch->count = 0;
    base_buf_clear(&batch->rows);
    return FM_OK;
}

static fm_status collect(struct data_leaves *l, struct batch *batch, struct base_err *err)
{
    (void)pthread_mutex_lock(&l->lock);
    while (batch->stage != HASHED)
        (void)pthread_cond_wait(&l->changed, &l->lock);
    batch->stage = FILLING;
    (void)pthread_mutex_unlock(&l->lock);
    return append(l, batch, err);
}

static fm_status hash_here(struct data_leaves *l, struct batch *batch, struct base_err *err)
{
    hash_batch(&l->self, batch);
    return append(l, batch, err);
}

/* The batch that is being filled is full: over to the workers, and on to the next one, whose
 * leaves of last time are appended first. */
static fm_status hand_over(struct data_leaves *l, struct base_err *err)
{
    struct batch *batch = &l->batches[l->filling % BATCHES];

    if (!l->tried)
        start_workers(l);
    if (l->workers == 0)
        return hash_here(l, batch, err);
    (void)pthread_mutex_lock(&l->lock);
    batch->stage = FULL;
    (void)pthread_cond_broadcast(&l->changed);
    (void)pthread_mutex_unlock(&l->lock);
    l->filling++;
    batch = &l->batches[l->filling % BATCHES];
    return batch->count > 0 ? collect(l, batch, err) : FM_OK;
}

fm_status data_leaves_add(struct data_leaves *l, const struct data_cell *row, size_t columns,
                          struct base_err *err)
{
    struct batch *batch = &l->batches[l->filling % BATCHES];
    fm_status st;

    if (batch->count == 0)
        batch->first = l->rows;
    data_row_encode(&batch->rows, row, columns);
    st = base_buf_status(&batch->rows, "row hashes", err);
    if (st != FM_OK)
        return st;
    batch->ends[batch->count++] = batch->rows.len;
    l->rows++;
    return batch->count == BATCH_ROWS || batch->rows.len >= BATCH_BYTES ? hand_over(l, err) : FM_OK;
}

fm_status data_leaves_finish(struct data_leaves *l, struct base_err *err)
{
    /* The oldest batch under way stands behind the one that is being filled. */
    struct batch *last = &l->batches[l->filling % BATCHES];
    fm_status st = FM_OK;

    for (uint64_t i = 1; st == FM_OK && i < BATCHES; i++) {
        struct batch *batch = &l->batches[(l->filling + i) % BATCHES];
        if (batch->count > 0)
            st = collect(l, batch, err);
    }
    return st == FM_OK && last->count > 0 ? hash_here(l, last, err) : st;
}

void data_leaves_free(struct data_leaves *l)
{
    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->closing = true;
    (void)pthread_cond_broadcast(&l->changed);
    (void)pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->workers; i++) {
        (void)pthread_join(l->worker[i].thread, NULL);
        salts_release(&l->worker[i].salts);
        base_buf_release_secret(&l->worker[i].scratch);
    }
    salts_release(&l->self.salts);
    base_buf_release_secret(&l->self.scratch);
    for (size_t i = 0; i < BATCHES; i++)
        base_buf_release_secret(&l->batches[i].rows);
    (void)pthread_cond_destroy(&l->changed);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

fm_status data_leaves_salt(uint8_t out16[DATA_SALT_SIZE], struct data_leaves *l, uint64_t index,
                           struct base_err *err)
{
    return salt_of(&l->self.salts, out16, index) ? FM_OK : base_err_memory(err, "row salts: HMAC");
}
