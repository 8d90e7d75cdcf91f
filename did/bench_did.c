/* bench_did [--json] [--ms N] [--suite NAME]: signatures and proofs a second for each suite (or
 * one), beside OpenSSL's own speed measured as `openssl speed` does (a key of its own, contexts set
 * up once; ed25519 over 64 bytes, which a proof has, p256 and sm2 over a digest made already), in
 * alternating rounds of N milliseconds. Min, median and max of five. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "did/draft.h"
#include "did/key_did.h"

#define ROUNDS 5

/* What the measured operations share. */
struct bench {
    const struct did_suite *suite;
    struct did_secret *secret;
    uint8_t message[64], signature[64];
    EVP_PKEY *pkey;
    EVP_MD_CTX *sign_ctx, *verify_ctx;         /* ed25519 */
    EVP_PKEY_CTX *sign_digest, *verify_digest; /* the others */
    uint8_t theirs[80];
    size_t theirs_len;
    json_t *object; /* about 2 KB with one proof */
    struct did_document *doc;
    struct base_err err;
};

typedef int (*operation)(struct bench *b); /* 1 on success */

static int our_sign(struct bench *b)
{
    uint8_t signature[64];

    return did_secret_sign(b->secret, signature, b->message, 64, &b->err) == FM_OK;
}

static int our_verify(struct bench *b)
{
    return did_key_verify(did_secret_key(b->secret), DID_RULES_VERSION, b->signature, 64,
                          b->message, 64, &b->err) == FM_OK;
}

static int openssl_sign(struct bench *b)
{
    b->theirs_len = sizeof b->theirs;
    if (b->sign_ctx != NULL)
        return EVP_DigestSign(b->sign_ctx, b->theirs, &b->theirs_len, b->message, 64);
    return EVP_PKEY_sign(b->sign_digest, b->theirs, &b->theirs_len, b->message, 32);
}

static int openssl_verify(struct bench *b)
{
    if (b->verify_ctx != NULL)
        return EVP_DigestVerify(b->verify_ctx, b->theirs, b->theirs_len, b->message, 64);
    return EVP_PKEY_verify(b->verify_digest, b->theirs, b->theirs_len, b->message, 32);
}

static int proof_verify(struct bench *b)
{
    const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
    struct did_proof proof;

    return did_proof_verify(&proof, b->object, DID_ROLE_ASSERTION, DID_RULES_VERSION, &resolver,
                            &b->err) == FM_OK;
}

static int document_parse(struct bench *b)
{
    struct did_document *doc;
    fm_status st = did_document_parse(&doc, did_document_json(b->doc), DID_RULES_VERSION, &b->err);

    did_document_free(doc);
    return st == FM_OK;
}

static const struct {
    const char *name;
    operation run;
} operations[] = {
    {"sign", our_sign},
    {"openssl_sign", openssl_sign},
    {"verify", our_verify},
    {"openssl_verify", openssl_verify},
    {"proof_verify_2k", proof_verify},
    {"document_parse", document_parse},
};
#define N_OPERATIONS (sizeof operations / sizeof operations[0])

/* ---- setting up ---- */

static fm_status make_object(struct bench *b)
{
    char method[DID_KEY_METHOD_TEXT];
    fm_status st = did_key_method_encode(method, did_secret_key(b->secret), &b->err);
    json_t *rows = json_array();

    for (int i = 0; i < 30; i++)
        (void)json_array_append_new(rows, json_pack("{s:i, s:s}", "column", i, "name",
                                                    "worst delinquency, days, all banks"));
    b->object = json_pack("{s:s, s:o}", "type", "contract.propose", "body", rows);
    if (b->object == NULL)
        return base_err_memory(&b->err, "bench");
    if (st == FM_OK)
        st = did_proof_add(b->object, b->secret, method, DID_ROLE_ASSERTION, 0, &b->err);
    return st;
}

static fm_status make_document(struct bench *b)
{
    static const uint8_t recovery32[32] = {1};
    struct did_draft draft = {0};
    fm_status st = did_draft_first(&draft, NULL, "bank_a", recovery32, &b->err);

    for (unsigned i = 0; st == FM_OK && i < 5; i++) {
        struct did_secret *secret;
        st = did_secret_generate(&secret, b->suite, base_random_system(), &b->err);
        if (st == FM_OK)
            st = did_draft_add(&draft, did_secret_key(secret),
                               i < 2 ? 1u << i : DID_ROLE_INVOCATION, &b->err);
        did_secret_free(secret);
    }
    if (st == FM_OK)
        st = did_draft_build(&b->doc, &draft, DID_RULES_VERSION, &b->err);
    did_draft_release(&draft);
    return st;
}

/* OpenSSL's side, with a key that it makes itself. */
static int setup_openssl(struct bench *b)
{
    if (b->suite == did_suite_ed25519()) {
        b->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        b->sign_ctx = EVP_MD_CTX_new();
        b->verify_ctx = EVP_MD_CTX_new();
        return b->pkey != NULL && b->sign_ctx != NULL && b->verify_ctx != NULL &&
               EVP_DigestSignInit(b->sign_ctx, NULL, NULL, NULL, b->pkey) == 1 &&
               EVP_DigestVerifyInit(b->verify_ctx, NULL, NULL, NULL, b->pkey) == 1 &&
               openssl_sign(b) == 1;
    }
    b->pkey = b->suite == did_suite_p256() ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                           : EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    b->sign_digest = b->pkey == NULL ? NULL : EVP_PKEY_CTX_new(b->pkey, NULL);
    b->verify_digest = b->pkey == NULL ? NULL : EVP_PKEY_CTX_new(b->pkey, NULL);
    return b->sign_digest != NULL && b->verify_digest != NULL &&
           EVP_PKEY_sign_init(b->sign_digest) == 1 && EVP_PKEY_verify_init(b->verify_digest) == 1 &&
           openssl_sign(b) == 1;
}

static fm_status setup(struct bench *b)
{
    fm_status st = did_secret_generate(&b->secret, b->suite, base_random_system(), &b->err);

    if (st == FM_OK)
        st = did_secret_sign(b->secret, b->signature, b->message, 64, &b->err);
    if (st == FM_OK)
        st = make_object(b);
    if (st == FM_OK)
        st = make_document(b);
    if (st == FM_OK && setup_openssl(b) != 1)
        st = base_err_memory(&b->err, "OpenSSL's keys");
    return st;
}

static void teardown(struct bench *b)
{
    EVP_MD_CTX_free(b->sign_ctx);
    EVP_MD_CTX_free(b->verify_ctx);
    EVP_PKEY_CTX_free(b->sign_digest);
    EVP_PKEY_CTX_free(b->verify_digest);
    EVP_PKEY_free(b->pkey);
    json_decref(b->object);
    did_document_free(b->doc);
    did_secret_free(b->secret);
}

/* ---- measuring ---- */

static double rate(struct bench *b, operation run, int64_t ms)
{
    const struct base_clock *clock = base_clock_system();
    int64_t from = base_clock_mono_ms(clock), now = from;
    uint64_t count = 0;

    while (now - from < ms) {
        for (int i = 0; i < 50; i++)
            if (!run(b))
                return 0;
        count += 50;
        now = base_clock_mono_ms(clock);
    }
    return (double)count * 1000 / (double)(now - from);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Returns 0, or 1 if an operation failed. */
static int measure(struct bench *b, int64_t ms, int json)
{
    double rates[N_OPERATIONS][ROUNDS];
    int failed = 0;

    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < N_OPERATIONS; i++)
            rates[i][round] = rate(b, operations[i].run, ms);
    for (size_t i = 0; i < N_OPERATIONS; i++) {
        qsort(rates[i], ROUNDS, sizeof(double), compare);
        failed |= rates[i][0] <= 0;
        if (json)
            printf("{\"bench\":\"did\",\"operation\":\"%s\",\"per_second_max\":%.0f,"
                   "\"per_second_median\":%.0f,\"per_second_min\":%.0f,\"suite\":\"%s\"}\n",
                   operations[i].name, rates[i][ROUNDS - 1], rates[i][ROUNDS / 2], rates[i][0],
                   b->suite->name);
        else
            printf("%-8s %-16s min %8.0f  median %8.0f  max %8.0f  a second\n", b->suite->name,
                   operations[i].name, rates[i][0], rates[i][ROUNDS / 2], rates[i][ROUNDS - 1]);
    }
    if (failed)
        fprintf(stderr, "bench_did: %s\n", b->err.text);
    return failed;
}

static int bench_suite(const struct did_suite *suite, long ms, int json)
{
    struct bench b = {.suite = suite};
    int failed = 1;

    if (setup(&b) == FM_OK)
        failed = measure(&b, ms, json);
    else
        fprintf(stderr, "bench_did: %s\n", b.err.text);
    teardown(&b);
    return failed;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"ed25519", "p256", "sm2"};
    const char *only = NULL;
    int json = 0, failed = 0;
    long ms = 300;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = 1;
        } else if (strcmp(argv[i], "--ms") == 0 && i + 1 < argc) {
            ms = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--suite") == 0 && i + 1 < argc &&
                   did_suite_by_name(argv[i + 1]) != NULL) {
            only = argv[++i];
        } else {
            fprintf(stderr, "usage: bench_did [--json] [--ms N] [--suite ed25519|p256|sm2]\n");
            return 2;
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (only == NULL || strcmp(only, names[i]) == 0)
            failed |= bench_suite(did_suite_by_name(names[i]), ms, json);
    return failed;
}
