#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method, which has no successor in 3.0 */
#include "tests/fuzz/same_random.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static struct same_random *current;

/* splitmix64 of the seed and the place. */
static uint64_t draw(struct same_random *r)
{
    uint64_t x = r->seed + ++r->drawn * 0x9e3779b97f4a7c15U;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

static int fill(unsigned char *out, int len)
{
    for (int i = 0; i < len; i++)
        out[i] = (unsigned char)draw(current);
    return 1;
}

static int ready(void)
{
    return 1;
}

void same_random_use(struct same_random *from)
{
    static RAND_METHOD method;

    if (method.bytes == NULL) {
        method.bytes = method.pseudorand = fill;
        method.status = ready;
        fuzz_law(RAND_set_rand_method(&method) == 1, "OpenSSL takes our randomness");
    }
    current = from;
}

/* ---- what is remembered ---- */

enum { KEY = 32, KEYS = 8, AGREED = 1024 };

/* The program's functions come before the library's of the same name (ELF symbol resolution), for
 * libssl too. */
static void *behind(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);

    fuzz_law(f != NULL, "libcrypto has the function");
    return f;
}

int EVP_PKEY_keygen(EVP_PKEY_CTX *ctx, EVP_PKEY **out) __attribute__((visibility("default")));
int EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *len)
    __attribute__((visibility("default")));

static struct same_key {
    struct same_random before, after;
    EVP_PKEY *key;
} keys[KEYS];

/* The same randomness gives the same key. TLS makes X25519 keys, nothing else (net/identity.c). */
int EVP_PKEY_keygen(EVP_PKEY_CTX *ctx, EVP_PKEY **out)
{
    static int (*make)(EVP_PKEY_CTX *, EVP_PKEY **);
    struct same_key *k = keys;

    while (k < keys + KEYS && k->key != NULL &&
           (k->before.seed != current->seed || k->before.drawn != current->drawn))
        k++;
    fuzz_law(k < keys + KEYS, "a target makes few keys");
    if (k->key == NULL) {
        if (make == NULL)
            *(void **)&make = behind("EVP_PKEY_keygen");
        k->before = *current;
        if (make(ctx, out) != 1)
            return 0;
        k->after = *current;
        k->key = *out;
    }
    *current = k->after;
    *out = k->key;
    return EVP_PKEY_up_ref(k->key);
}

static struct agreed {
    uint8_t own[KEY], peer[KEY], secret[KEY];
    bool known;
} agreed[AGREED];

static bool raw_key(uint8_t out32[KEY], EVP_PKEY *key)
{
    size_t len = KEY;

    return key != NULL && EVP_PKEY_get_raw_public_key(key, out32, &len) == 1 && len == KEY;
}

/* The last secret of each place in a table that the peer's key leads to. */
int EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *len)
{
    static int (*derive)(EVP_PKEY_CTX *, unsigned char *, size_t *);
    uint8_t own[KEY], peer[KEY];
    struct agreed *a;

    if (derive == NULL)
        *(void **)&derive = behind("EVP_PKEY_derive");
    if (out == NULL || *len < KEY || !raw_key(own, EVP_PKEY_CTX_get0_pkey(ctx)) ||
        !raw_key(peer, EVP_PKEY_CTX_get0_peerkey(ctx)))
        return derive(ctx, out, len);
    a = &agreed[(peer[0] | peer[1] << 8) % AGREED];
    if (!a->known || memcmp(a->own, own, KEY) != 0 || memcmp(a->peer, peer, KEY) != 0) {
        a->known = false;
        if (derive(ctx, out, len) != 1 || *len != KEY)
            return 0;
        memcpy(a->own, own, KEY);
        memcpy(a->peer, peer, KEY);
        memcpy(a->secret, out, KEY);
        a->known = true;
    }
    memcpy(out, a->secret, KEY);
    *len = KEY;
    return 1;
}
