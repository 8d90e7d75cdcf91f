#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/profile.h"

enum kind { SHA256, SM3, KINDS };
static const char *const names[KINDS] = {"SHA256", "SM3"};

/* A hash over memory cannot fail at run time; an OpenSSL without it is an installation nobody can
 * repair from here, and going on with a wrong hash would be worse than stopping. */
static void must(int ok)
{
    if (ok != 1) {
        fputs("firmiana: OpenSSL cannot compute SHA-256, or SM3, on this machine\n", stderr);
        abort();
    }
}

/* OpenSSL 3 looks an algorithm up again at each use unless somebody keeps what it found, and that
 * costs more than hashing a hundred bytes (measured: 404 ns against 112). The algorithms are kept
 * for the process, a context of each for each thread. A context left behind holds no message: it
 * has been begun anew. SM3 may be missing where nobody needs it. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *algorithms[KINDS];
static pthread_key_t at_thread_end;
static _Thread_local EVP_MD_CTX *own[KINDS];

static void free_contexts(void *any)
{
    (void)any;
    for (int k = 0; k < KINDS; k++) {
        EVP_MD_CTX_free(own[k]);
        own[k] = NULL;
    }
}

static void look_up(void)
{
    for (int k = 0; k < KINDS; k++)
        algorithms[k] = EVP_MD_fetch(NULL, names[k], NULL);
    must(pthread_key_create(&at_thread_end, free_contexts) == 0);
}

static const EVP_MD *algorithm(enum kind kind)
{
    must(pthread_once(&once, look_up) == 0);
    must(algorithms[kind] != NULL);
    return algorithms[kind];
}

static EVP_MD_CTX *context(enum kind kind)
{
    if (own[kind] == NULL) {
        const EVP_MD *md = algorithm(kind);

        own[kind] = EVP_MD_CTX_new();
        must(own[kind] != NULL && EVP_DigestInit_ex(own[kind], md, NULL) == 1);
        must(pthread_setspecific(at_thread_end, own) == 0);
    }
    return own[kind];
}

static void hash(enum kind kind, uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len)
{
    EVP_MD_CTX *ctx = context(kind);

    must(EVP_DigestUpdate(ctx, bytes, len));
    must(EVP_DigestFinal_ex(ctx, out32, NULL));
    must(EVP_DigestInit_ex(ctx, NULL, NULL));
}

static enum kind kind_now(void)
{
    return base_profile_is_national() ? SM3 : SHA256;
}

void base_sha256(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len)
{
    hash(SHA256, out32, bytes, len);
}

void base_hash(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len)
{
    hash(kind_now(), out32, bytes, len);
}

const char *base_hash_name(void)
{
    return names[kind_now()];
}

static void begin(struct base_hash *h, enum kind kind)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = algorithm(kind);

    must(ctx != NULL);
    must(EVP_DigestInit_ex(ctx, md, NULL));
    h->ctx = ctx;
}

bool base_hmac(uint8_t out32[BASE_HASH_SIZE], const char *hash, const void *key, size_t key_len,
               const void *bytes, size_t len)
{
    size_t got = 0;

    return EVP_Q_mac(NULL, "HMAC", NULL, hash, NULL, key, key_len, bytes, len, out32,
                     BASE_HASH_SIZE, &got) != NULL &&
           got == BASE_HASH_SIZE;
}

void base_hash_init(struct base_hash *h)
{
    begin(h, kind_now());
}

void base_sha256_init(struct base_hash *h)
{
    begin(h, SHA256);
}

void base_sm3_init(struct base_hash *h)
{
    begin(h, SM3);
}

void base_hash_update(struct base_hash *h, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(h->ctx, bytes, len));
}

void base_hash_final(struct base_hash *h, uint8_t out32[BASE_HASH_SIZE])
{
    must(EVP_DigestFinal_ex(h->ctx, out32, NULL));
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}
