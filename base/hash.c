#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* SHA-256 over memory cannot fail at run time; an OpenSSL without it is an installation nobody can
 * repair from here, and going on with a wrong hash would be worse than stopping. */
static void must(int ok)
{
    if (ok != 1) {
        fputs("firmiana: OpenSSL cannot compute SHA-256 on this machine\n", stderr);
        abort();
    }
}

/* OpenSSL 3 looks an algorithm up again at each use unless somebody keeps what it found, and that
 * costs more than hashing a hundred bytes (measured: 404 ns against 112). The algorithm is kept for
 * the process, a context for each thread. A context left behind holds no message: it has been
 * begun anew. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static pthread_key_t at_thread_end;
static _Thread_local EVP_MD_CTX *own;

static void free_context(void *ctx)
{
    own = NULL;
    EVP_MD_CTX_free(ctx);
}

static void look_up(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256 != NULL);
    must(pthread_key_create(&at_thread_end, free_context) == 0);
}

static EVP_MD_CTX *context(void)
{
    if (own == NULL) {
        must(pthread_once(&once, look_up) == 0);
        own = EVP_MD_CTX_new();
        must(own != NULL && EVP_DigestInit_ex(own, sha256, NULL) == 1);
        must(pthread_setspecific(at_thread_end, own) == 0);
    }
    return own;
}

void base_sha256(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len)
{
    EVP_MD_CTX *ctx = context();

    must(EVP_DigestUpdate(ctx, bytes, len));
    must(EVP_DigestFinal_ex(ctx, out32, NULL));
    must(EVP_DigestInit_ex(ctx, NULL, NULL));
}

void base_sha256_init(struct base_sha256 *h)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(pthread_once(&once, look_up) == 0);
    must(ctx != NULL);
    must(EVP_DigestInit_ex(ctx, sha256, NULL));
    h->ctx = ctx;
}

void base_sha256_update(struct base_sha256 *h, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(h->ctx, bytes, len));
}

void base_sha256_final(struct base_sha256 *h, uint8_t out32[BASE_HASH_SIZE])
{
    must(EVP_DigestFinal_ex(h->ctx, out32, NULL));
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}
