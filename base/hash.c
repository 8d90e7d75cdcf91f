#include "base/hash.h"

#include <openssl/evp.h>
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

void base_sha256(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len)
{
    must(EVP_Digest(bytes, len, out32, NULL, EVP_sha256(), NULL));
}

void base_sha256_init(struct base_sha256 *h)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(ctx != NULL);
    must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
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
