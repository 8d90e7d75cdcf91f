/* Signatures, proofs and credentials of 2 KB a second for each suite, beside OpenSSL's own speed
 * measured as `openssl speed` does (a key of its own, contexts set up once; ed25519 over 64 bytes,
 * which a proof has, p256 and sm2 over a digest made already). Ours and OpenSSL's take turns of a
 * few milliseconds, so that a machine that is slower for a while is so for both; all of this
 * thread's own time. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "benches/options.h"
#include "did/credential/credential.h"
#include "did/draft.h"
#include "did/key_did.h"

enum { TURNS = 30, RATIO_PERCENT_MAX = 100 };

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
    json_t *object;             /* about 2 KB with one proof */
    json_t *draft, *credential; /* about 2 KB, before and after it was issued */
    char method[DID_KEY_METHOD_TEXT];
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

static int issue(struct bench *b)
{
    json_t *credential = json_deep_copy(b->draft);
    fm_status st = credential_issue(credential, b->secret, b->method, 0, &b->err);

    json_decref(b->credential);
    b->credential = credential;
    return st == FM_OK;
}

/* Canonicalises, hashes and checks the credential that was issued last. */
static int check_credential(struct bench *b)
{
    const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
    const struct credential_verifier verifier = {&resolver, NULL, DID_RULES_VERSION, 0};
    struct credential_facts facts;

    return credential_verify(&facts, b->credential, &verifier, &b->err) == FM_OK;
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
    operation run, theirs; /* OpenSSL's own, or NULL */
} operations[] = {
    {"sign", our_sign, openssl_sign},        {"verify", our_verify, openssl_verify},
    {"proof_verify_2k", proof_verify, NULL}, {"document_parse", document_parse, NULL},
    {"credential_issue_2k", issue, NULL},    {"credential_verify_2k", check_credential, NULL},
};
#define N_OPERATIONS (sizeof operations / sizeof operations[0])

/* ---- setting up ---- */

static fm_status make_object(struct bench *b)
{
    fm_status st = did_key_method_encode(b->method, did_secret_key(b->secret), &b->err);
    json_t *rows = json_array();

    for (int i = 0; i < 30; i++)
        (void)json_array_append_new(rows, json_pack("{s:i, s:s}", "column", i, "name",
                                                    "worst delinquency, days, all banks"));
    b->object = json_pack("{s:s, s:o}", "type", "contract.propose", "body", json_incref(rows));
    if (b->object == NULL)
        st = base_err_memory(&b->err, "bench");
    if (st == FM_OK)
        st = did_proof_add(b->object, b->secret, b->method, DID_ROLE_ASSERTION, 0, &b->err);
    b->draft = json_pack(
        "{s:[s], s:[s], s:{s:s, s:O}}", "@context", "https://www.w3.org/ns/credentials/v2", "type",
        "VerifiableCredential", "credentialSubject", "id",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "examined", rows);
    json_decref(rows);
    if (st == FM_OK && b->draft == NULL)
        st = base_err_memory(&b->err, "bench");
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
    json_decref(b->draft);
    json_decref(b->credential);
    did_document_free(b->doc);
    did_secret_free(b->secret);
}

/* ---- measuring ---- */

/* This thread's own time: what else the machine does changes nothing. */
static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A second, over a turn of at least so long; 0: it failed. */
static double rate(struct bench *b, operation run, double turn_s, size_t *n)
{
    double from = now_s(), now;
    size_t count = 0;

    do {
        if (!run(b))
            return 0;
        count++;
        now = now_s();
    } while (now - from < turn_s);
    *n += count;
    return (double)count / (now - from);
}

static double median(double values[TURNS])
{
    qsort(values, TURNS, sizeof values[0], bench_ascending);
    return (values[TURNS / 2 - 1] + values[TURNS / 2]) / 2;
}

/* Is it at least so fast as asked for, of OpenSSL's own speed? */
static bool enough(const struct bench *b, const char *op, double ratio, size_t percent)
{
    if (100 * ratio >= (double)percent)
        return true;
    fprintf(stderr, "bench_did: %s %s: %.3f of OpenSSL's own speed, less than %zu percent\n",
            b->suite->name, op, ratio, percent);
    return false;
}

/* One operation; ours and OpenSSL's turn by turn, who begins in turn as well. */
static int measure_one(struct bench *b, size_t i, double turn_s, size_t percent)
{
    double ours[TURNS], theirs[TURNS] = {0}, ratio[TURNS] = {0}, per_s;
    char more[96] = "";
    size_t n = 0, other = 0;

    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t k = 0; k < 2; k++) {
            if ((turn + k) % 2 == 0)
                ours[turn] = rate(b, operations[i].run, turn_s, &n);
            else if (operations[i].theirs != NULL)
                theirs[turn] = rate(b, operations[i].theirs, turn_s, &other);
        }
    for (size_t turn = 0; turn < TURNS; turn++) {
        if (ours[turn] <= 0 || (operations[i].theirs != NULL && theirs[turn] <= 0)) {
            fprintf(stderr, "bench_did: %s %s: %s\n", b->suite->name, operations[i].name,
                    ours[turn] <= 0 ? b->err.text : "OpenSSL's own failed");
            return 1;
        }
        ratio[turn] = theirs[turn] > 0 ? ours[turn] / theirs[turn] : 0;
    }
    per_s = median(ours);
    if (operations[i].theirs != NULL)
        (void)snprintf(more, sizeof more, "\"openssl_per_s\":%.0f,\"ratio\":%.3f,", median(theirs),
                       median(ratio));
    bench_line(operations[i].name,
               "\"max\":%.0f,\"min\":%.0f,\"n\":%zu,%s\"ops_per_s\":%.0f,\"seconds\":%.4f,"
               "\"suite\":\"%s\",\"turns\":%d",
               ours[TURNS - 1], ours[0], n, more, per_s, (double)n / per_s, b->suite->name, TURNS);
    return operations[i].theirs == NULL || enough(b, operations[i].name, ratio[TURNS / 2], percent)
               ? 0
               : 1;
}

static void many_line(const struct bench *b, const char *op, size_t n, double seconds)
{
    bench_line(op, "\"n\":%zu,\"ops_per_s\":%.0f,\"seconds\":%.2f,\"suite\":\"%s\"", n,
               (double)n / seconds, seconds, b->suite->name);
}

/* n credentials issued one after the other, then verified. */
static int measure_many(struct bench *b, size_t n)
{
    json_t **all = calloc(n, sizeof *all);
    double issued = now_s(), verified;
    int failed = all == NULL;

    for (size_t i = 0; !failed && i < n; i++) {
        failed = !issue(b);
        all[i] = json_incref(b->credential);
    }
    verified = now_s();
    issued = verified - issued;
    for (size_t i = 0; !failed && i < n; i++) {
        json_decref(b->credential);
        b->credential = json_incref(all[i]);
        failed = !check_credential(b);
    }
    verified = now_s() - verified;
    if (failed) {
        fprintf(stderr, "bench_did: %s\n", all == NULL ? "no memory" : b->err.text);
    } else {
        many_line(b, "credentials_issue", n, issued);
        many_line(b, "credentials_verify", n, verified);
    }
    for (size_t i = 0; all != NULL && i < n; i++)
        json_decref(all[i]);
    free(all);
    return failed;
}

static const char *only = "all";
static size_t ms = 1500, many, percent;
static const struct bench_option options[] = {
    {"--suite", BENCH_TEXT, &only, 0, 0, "ed25519|p256|sm2|all", "of keys"},
    {"--ms", BENCH_SIZE, &ms, 1, 600000, NULL, "processor milliseconds for each, in 30 turns"},
    {"--credentials", BENCH_SIZE, &many, 1, 10000000, NULL,
     "only so many credentials, issued and then verified"},
    {"--at-least", BENCH_SIZE, &percent, 1, RATIO_PERCENT_MAX, NULL,
     "percent of OpenSSL's own speed; less is an error (without it: none)"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"suite", "", "of keys"},
    {"n", "", "operations timed, or credentials"},
    {"seconds", "s", "that they take: processor time of one thread"},
    {"ops_per_s", "1/s", "median of the turns"},
    {"min", "1/s", "of the same, the least"},
    {"max", "1/s", "the greatest"},
    {"turns", "", "of each side"},
    {"openssl_per_s", "1/s", "of sign and verify: OpenSSL's own, turn by turn with ours; median"},
    {"ratio", "", "of sign and verify: ours over OpenSSL's own, median of the turns' ratios"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_did", "signatures, proofs and credentials of 2 KB, beside OpenSSL's own speed",
    options,     fields,
    0,           NULL};

static int bench_suite(const struct did_suite *suite)
{
    struct bench b = {.suite = suite};
    int failed = 1;

    if (setup(&b) == FM_OK) {
        failed = many > 0 ? measure_many(&b, many) : 0;
        for (size_t i = 0; many == 0 && i < N_OPERATIONS; i++)
            failed |= measure_one(&b, i, (double)ms / 1000 / TURNS, percent);
    } else {
        fprintf(stderr, "bench_did: %s\n", b.err.text);
    }
    teardown(&b);
    return failed;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"ed25519", "p256", "sm2"};
    int failed = 0, status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(only, "all") == 0 || strcmp(only, names[i]) == 0)
            failed |= bench_suite(did_suite_by_name(names[i]));
    return failed;
}
