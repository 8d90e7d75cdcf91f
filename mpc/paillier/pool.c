#define _GNU_SOURCE
#include "mpc/paillier/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/pool_seal.h"

enum { HEAD = 80, ENTRIES_AT = 4096, PLACE = 512, PLACE_SIZE = 8 + 32, AD = HEAD + 8, CHUNK = 32 };

struct mpc_pai_pool {
    char *path;
    int fd;
    enum mpc_pai_kind kind;
    const void *key; /* of that kind */
    const struct mpc_pai_modulus *n;
    const struct base_random *random;
    uint8_t seal32[32], head[HEAD];
    uint64_t made, used;  /* entries in the file; of them, handed out */
    unsigned place;       /* where `used` stands: the next one goes to the other */
    pthread_mutex_t lock; /* of all that is above */
    pthread_cond_t wanted;
    pthread_t thread;
    bool running, stop;
    size_t target;
    struct base_err failed; /* why the thread ended */
};

static size_t blinding_bytes(const struct mpc_pai_pool *p)
{
    return (p->n->bits + 7) / 8 * 2;
}

static size_t entry_bytes(const struct mpc_pai_pool *p)
{
    return MPC_PAI_SEAL_NONCE + blinding_bytes(p) + MPC_PAI_SEAL_TAG;
}

static fm_status write_at(const struct mpc_pai_pool *p, const void *bytes, size_t len, uint64_t at,
                          struct base_err *err)
{
    const uint8_t *b = bytes;

    while (len > 0) {
        ssize_t n = pwrite(p->fd, b, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return base_err_errno(err, p->path);
        b += n, at += (uint64_t)n, len -= (size_t)n;
    }
    return FM_OK;
}

static fm_status read_at(const struct mpc_pai_pool *p, void *bytes, size_t len, uint64_t at,
                         struct base_err *err)
{
    uint8_t *b = bytes;

    while (len > 0) {
        ssize_t n = pread(p->fd, b, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, p->path);
        if (n == 0)
            return base_err_set(err, FM_E_CORRUPT, "%s: the pool ends too early", p->path);
        b += n, at += (uint64_t)n, len -= (size_t)n;
    }
    return FM_OK;
}

static fm_status sync_now(const struct mpc_pai_pool *p, struct base_err *err)
{
    return fdatasync(p->fd) == 0 ? FM_OK : base_err_errno(err, p->path);
}

static void place_bytes(uint8_t out[PLACE_SIZE], const struct mpc_pai_pool *p, uint64_t used)
{
    uint8_t in[AD];

    memcpy(in, p->head, HEAD);
    base_store_u64(in + HEAD, used);
    base_store_u64(out, used);
    base_hash(out + 8, in, sizeof in);
}

/* Invariant 1: nothing that is counted here was handed out before this returns. */
static fm_status put_used(struct mpc_pai_pool *p, struct base_err *err)
{
    uint8_t bytes[PLACE_SIZE];
    fm_status st;

    place_bytes(bytes, p, p->used);
    st = write_at(p, bytes, sizeof bytes, PLACE * (2 - (uint64_t)p->place), err);
    if (st == FM_OK)
        st = sync_now(p, err);
    if (st == FM_OK)
        p->place = 1 - p->place;
    return st;
}

static fm_status get_used(struct mpc_pai_pool *p, struct base_err *err)
{
    bool any = false;

    p->used = 0;
    for (unsigned turn = 0; turn < 2; turn++) {
        uint8_t bytes[PLACE_SIZE], want[PLACE_SIZE];
        uint64_t used;
        if (read_at(p, bytes, sizeof bytes, PLACE * (1 + turn), err) != FM_OK)
            return err->code;
        used = base_load_u64(bytes);
        place_bytes(want, p, used);
        if (!base_equal(bytes, want, sizeof want))
            continue;
        if (!any || used > p->used)
            p->used = used, p->place = turn;
        any = true;
    }
    return any ? FM_OK
               : base_err_set(err, FM_E_CORRUPT, "%s: how much of the pool was used is lost",
                              p->path);
}

/* The blank file is whole before it has its name. */
static fm_status blank(struct mpc_pai_pool *p, struct base_err *err)
{
    uint8_t file[ENTRIES_AT] = {0};
    struct base_buf head = {0};
    uint8_t salt[32];
    fm_status st = base_random_fill(p->random, salt, sizeof salt, err);

    base_buf_put(&head, "FPAIPOOL", 8);
    base_buf_put_u32(&head, MPC_PAI_VERSION);
    base_buf_put_u32(&head, (uint32_t)p->kind);
    base_buf_put(&head, p->n->id, 32);
    base_buf_put(&head, salt, sizeof salt);
    if (st == FM_OK)
        st = base_buf_status(&head, p->path, err);
    if (st == FM_OK) {
        memcpy(p->head, head.p, HEAD);
        memcpy(file, head.p, HEAD);
        place_bytes(file + PLACE, p, 0);
        place_bytes(file + 2 * (size_t)PLACE, p, 0);
        st = base_file_write(p->path, file, sizeof file, 0600, err);
    }
    base_buf_release(&head);
    return st;
}

/* Opens the file that has the name now and locks it. */
static fm_status open_locked(struct mpc_pai_pool *p, struct base_err *err)
{
    p->fd = open(p->path, O_RDWR | O_CLOEXEC);
    if (p->fd < 0)
        return base_err_errno(err, p->path);
    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? base_err_set(err, FM_E_CONFLICT, "%s: another process uses this pool", p->path)
                   : base_err_errno(err, p->path);
    return FM_OK;
}

static fm_status load(struct mpc_pai_pool *p, struct base_err *err)
{
    struct stat status;
    fm_status st;

    if (access(p->path, F_OK) != 0 && blank(p, err) != FM_OK)
        return err->code;
    st = open_locked(p, err);
    if (st == FM_OK)
        st = read_at(p, p->head, HEAD, 0, err);
    if (st == FM_OK && (memcmp(p->head, "FPAIPOOL\0\0\0\1\0\0\0", 15) != 0 ||
                        p->head[15] != p->kind || !base_equal(p->head + 16, p->n->id, 32)))
        st = base_err_set(err, FM_E_CORRUPT, "%s: not a pool of this key", p->path);
    if (st == FM_OK)
        st = get_used(p, err);
    if (st == FM_OK && fstat(p->fd, &status) != 0)
        st = base_err_errno(err, p->path);
    if (st == FM_OK)
        p->made = status.st_size < ENTRIES_AT
                      ? 0
                      : ((uint64_t)status.st_size - ENTRIES_AT) / entry_bytes(p);
    if (st == FM_OK &&
        p->used > p->made) /* entries that were never synced are lost, their numbers too */
        p->made = p->used;
    return st;
}

static fm_status pool_open(struct mpc_pai_pool **out, const char *path, enum mpc_pai_kind kind,
                           const void *key, const struct mpc_pai_modulus *n,
                           const uint8_t seal32[32], const struct base_random *random,
                           struct base_err *err)
{
    struct mpc_pai_pool *p = calloc(1, sizeof *p);
    fm_status st;

    *out = NULL;
    if (p == NULL)
        return base_err_memory(err, "paillier: pool");
    *p = (struct mpc_pai_pool){.fd = -1, .kind = kind, .key = key, .n = n, .random = random};
    memcpy(p->seal32, seal32, sizeof p->seal32);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->wanted, NULL);
    p->path = strdup(path);
    st = p->path != NULL ? load(p, err) : base_err_memory(err, "paillier: pool");
    if (st != FM_OK)
        mpc_pai_pool_close(p);
    else
        *out = p;
    return st;
}

fm_status mpc_pai_pool_open_std(struct mpc_pai_pool **pool, const char *path,
                                const struct mpc_pai_std *key, const uint8_t seal32[32],
                                const struct base_random *random, struct base_err *err)
{
    return pool_open(pool, path, MPC_PAI_STD, key, mpc_pai_std_modulus(key), seal32, random, err);
}

fm_status mpc_pai_pool_open_djn(struct mpc_pai_pool **pool, const char *path,
                                const struct mpc_pai_djn *key, const uint8_t seal32[32],
                                const struct base_random *random, struct base_err *err)
{
    return pool_open(pool, path, MPC_PAI_DJN, key, mpc_pai_djn_modulus(key), seal32, random, err);
}

fm_status mpc_pai_pool_open_sub(struct mpc_pai_pool **pool, const char *path,
                                const struct mpc_pai_sub *key, const uint8_t seal32[32],
                                const struct base_random *random, struct base_err *err)
{
    return pool_open(pool, path, MPC_PAI_SUB, key, mpc_pai_sub_modulus(key), seal32, random, err);
}

void mpc_pai_pool_close(struct mpc_pai_pool *pool)
{
    if (pool == NULL)
        return;
    if (pool->running) {
        (void)pthread_mutex_lock(&pool->lock);
        pool->stop = true;
        (void)pthread_cond_signal(&pool->wanted);
        (void)pthread_mutex_unlock(&pool->lock);
        (void)pthread_join(pool->thread, NULL);
    }
    if (pool->fd >= 0)
        (void)close(pool->fd);
    (void)pthread_cond_destroy(&pool->wanted);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->path);
    base_wipe(pool, sizeof *pool);
    free(pool);
}

static void entry_ad(uint8_t ad[AD], const struct mpc_pai_pool *p, uint64_t index)
{
    memcpy(ad, p->head, HEAD);
    base_store_u64(ad + HEAD, index);
}

static fm_status make(const struct mpc_pai_pool *p, struct mpc_pai_cipher *z, struct base_err *err)
{
    if (p->kind == MPC_PAI_STD)
        return mpc_pai_std_blinding(z, p->key, p->random, err);
    if (p->kind == MPC_PAI_DJN)
        return mpc_pai_djn_blinding(z, p->key, p->random, err);
    return mpc_pai_sub_blinding(z, p->key, p->random, err);
}

/* All used: a blank file with a new salt takes the place. The lock moves to it before the old one
 * goes. */
static fm_status renew(struct mpc_pai_pool *p, struct base_err *err)
{
    int old = p->fd;
    fm_status st = blank(p, err);

    if (st == FM_OK)
        st = open_locked(p, err);
    if (st != FM_OK) {
        if (p->fd != old && p->fd >= 0)
            (void)close(p->fd);
        p->fd = old;
        return st;
    }
    (void)close(old);
    p->made = p->used = 0;
    p->place = 0;
    return FM_OK;
}

/* Seals n blindings behind the last entry. whole: their 2 k limbs each. */
static fm_status append(struct mpc_pai_pool *p, const uint64_t *whole, size_t n,
                        struct base_err *err)
{
    size_t k2 = 2 * p->n->n2->k, len = blinding_bytes(p), size = entry_bytes(p);
    uint8_t *plain = malloc(len), *sealed = malloc(size * n), ad[AD];
    fm_status st = plain != NULL && sealed != NULL ? FM_OK : base_err_memory(err, "paillier: pool");

    if (st == FM_OK && p->used == p->made && p->made > 0)
        st = renew(p, err);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        mpc_pai_limbs_store(plain, len, whole + k2 * i, k2);
        entry_ad(ad, p, p->made + i);
        st = mpc_pai_seal(sealed + size * i, p->seal32, ad, sizeof ad, plain, len, p->random, err);
    }
    if (st == FM_OK)
        st = write_at(p, sealed, size * n, ENTRIES_AT + p->made * size, err);
    if (st == FM_OK)
        st = sync_now(p, err);
    if (st == FM_OK)
        p->made += n;
    if (plain != NULL)
        base_wipe(plain, len);
    free(plain);
    free(sealed);
    return st;
}

fm_status mpc_pai_pool_fill(struct mpc_pai_pool *pool, size_t n, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i += CHUNK) {
        size_t now = n - i < CHUNK ? n - i : CHUNK, words = 2 * pool->n->n2->k * now;
        uint64_t *whole = mpc_pai_words_new(words);
        struct mpc_pai_cipher z;
        st = mpc_pai_cipher_init(&z, pool->n, now, err);
        if (st == FM_OK && whole == NULL)
            st = base_err_memory(err, "paillier: pool");
        if (st == FM_OK)
            st = make(pool, &z, err);
        if (st == FM_OK)
            st = mpc_pai_vec_store_whole(whole, &z.v, err);
        if (st == FM_OK) {
            (void)pthread_mutex_lock(&pool->lock);
            st = append(pool, whole, now, err);
            (void)pthread_mutex_unlock(&pool->lock);
        }
        mpc_pai_cipher_release(&z);
        mpc_pai_words_free(whole, words);
    }
    return st;
}

static void *keep_full(void *arg)
{
    struct mpc_pai_pool *p = arg;
    struct base_err err = {0};
    fm_status st = FM_OK;

    (void)setpriority(PRIO_PROCESS, 0, 19); /* on Linux: this thread's */
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop && st == FM_OK) {
        if (p->made - p->used >= p->target) {
            (void)pthread_cond_wait(&p->wanted, &p->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&p->lock);
        st = mpc_pai_pool_fill(p, CHUNK, &err);
        (void)pthread_mutex_lock(&p->lock);
    }
    p->failed = err;
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

fm_status mpc_pai_pool_start(struct mpc_pai_pool *pool, size_t target, struct base_err *err)
{
    if (pool->running)
        return base_err_set(err, FM_E_CONFLICT, "%s: the pool is being filled already", pool->path);
    pool->target = target;
    errno = pthread_create(&pool->thread, NULL, keep_full, pool);
    if (errno != 0)
        return base_err_errno(err, "paillier: pool thread");
    pool->running = true;
    return FM_OK;
}

size_t mpc_pai_pool_ready(struct mpc_pai_pool *pool)
{
    uint64_t n;

    (void)pthread_mutex_lock(&pool->lock);
    n = pool->made - pool->used;
    (void)pthread_mutex_unlock(&pool->lock);
    return (size_t)n;
}

static fm_status open_entries(struct mpc_pai_pool *p, uint64_t *whole, uint64_t first, size_t n,
                              struct base_err *err)
{
    size_t k2 = 2 * p->n->n2->k, len = blinding_bytes(p), size = entry_bytes(p);
    uint8_t *plain = malloc(len), *sealed = malloc(size * n), ad[AD];
    fm_status st = plain != NULL && sealed != NULL ? FM_OK : base_err_memory(err, "paillier: pool");

    if (st == FM_OK)
        st = read_at(p, sealed, size * n, ENTRIES_AT + first * size, err);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        entry_ad(ad, p, first + i);
        st = mpc_pai_unseal(plain, p->seal32, ad, sizeof ad, sealed + size * i, len, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s: blinding %llu", p->path,
                                  (unsigned long long)(first + i));
        else
            mpc_pai_limbs_load(whole + k2 * i, k2, plain, len);
    }
    if (plain != NULL)
        base_wipe(plain, len);
    free(plain);
    free(sealed);
    return st;
}

/* With the lock held: counts them as used, on disk, and only then opens them. */
static fm_status reserve(struct mpc_pai_pool *p, uint64_t *whole, size_t n, struct base_err *err)
{
    uint64_t first = p->used;
    fm_status st;

    if (p->made - p->used < n) {
        if (p->failed.code != FM_OK) {
            *err = p->failed;
            return base_err_prefix(err, "%s: no longer filled", p->path);
        }
        return base_err_set(
            err, FM_E_NOT_FOUND,
            "%s: %llu blindings are ready, %zu are wanted: wait, or encrypt without", p->path,
            (unsigned long long)(p->made - p->used), n);
    }
    p->used += n;
    st = put_used(p, err);
    return st == FM_OK ? open_entries(p, whole, first, n, err) : st;
}

fm_status mpc_pai_pool_take(struct mpc_pai_pool *pool, struct mpc_pai_cipher *blinding,
                            struct base_err *err)
{
    size_t n = blinding->v.n, k2 = 2 * pool->n->n2->k;
    uint64_t *whole = mpc_pai_words_new(k2 * n);
    fm_status st = FM_OK;

    if (whole == NULL)
        return base_err_memory(err, "paillier: pool");
    if (n > 0) {
        (void)pthread_mutex_lock(&pool->lock);
        st = reserve(pool, whole, n, err);
        (void)pthread_cond_signal(&pool->wanted);
        (void)pthread_mutex_unlock(&pool->lock);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_load(&blinding->v, whole, k2, err);
    mpc_pai_words_free(whole, k2 * n);
    return st;
}
