/* A batch of certificates (diplomas): each signed, all under one anchor, a proof for each holder,
 * and what a verifier does with a holder's file: the certificate read, its path held against the
 * deposit, the credential's digest against the certificate, the credential verified. One thread's
 * own time. Not in it: the bundle around the deposit, which bench_verify measures, and the disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "benches/options.h"
#include "did/credential/credential.h"
#include "did/key_did.h"
#include "ledger/proof/evidence.h"

struct batch {
    struct did_secret *secret;
    char method[DID_KEY_METHOD_TEXT];
    struct ledger_evidence_item *items;
    struct base_buf lines; /* the credentials, canonical, each with its newline */
    size_t *ends;
    struct ledger_evidence_tree *tree;
    json_t *deposit;
    struct base_err err;
};

static size_t n = 100000;
static const char *suite = "ed25519";

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void digest_line(uint8_t out32[32], const uint8_t *line, size_t len)
{
    strcmp(ledger_evidence_usual(), "sm3") == 0 ? base_hash(out32, line, len)
                                                : base_sha256(out32, line, len);
}

static fm_status issue_one(struct batch *b, size_t i)
{
    char id[48], name[48];
    size_t from = b->lines.len;
    json_t *c;
    fm_status st;

    (void)snprintf(id, sizeof id, "urn:student:%zu", i + 1);
    (void)snprintf(name, sizeof name, "Student, %zu", i + 1);
    c = json_pack("{s:[s], s:[s,s], s:s, s:{s:s, s:s, s:s, s:s}}", "@context",
                  "https://www.w3.org/ns/credentials/v2", "type", "VerifiableCredential", "Diploma",
                  "validFrom", "2026-01-01T00:00:00Z", "credentialSubject", "id", id, "name", name,
                  "degree", "BSc", "university", "of Suzhou");
    st = c == NULL ? base_err_memory(&b->err, "credential")
                   : credential_issue(c, b->secret, b->method, 1767225600, &b->err);
    if (st == FM_OK)
        st = base_json_canonical(&b->lines, c, &b->err);
    base_buf_put_u8(&b->lines, '\n');
    json_decref(c);
    if (st == FM_OK)
        st = base_buf_status(&b->lines, "credentials", &b->err);
    if (st == FM_OK)
        digest_line(b->items[i].digest, b->lines.p + from, b->lines.len - from);
    if (st == FM_OK)
        st = base_random_fill(base_random_system(), b->items[i].salt, 32, &b->err);
    b->ends[i] = b->lines.len;
    return st;
}

static fm_status anchor(struct batch *b)
{
    uint8_t root[32];
    char hex[65];
    fm_status st =
        ledger_evidence_tree_new(&b->tree, ledger_evidence_usual(), b->items, n, &b->err);

    if (st != FM_OK)
        return st;
    ledger_evidence_tree_root(b->tree, root);
    base_hex(hex, root, sizeof root);
    b->deposit = json_pack("{s:s, s:I, s:s}", "algorithm", ledger_evidence_usual(), "count",
                           (json_int_t)n, "root", hex);
    return b->deposit != NULL ? FM_OK : base_err_memory(&b->err, "deposit");
}

static fm_status prove(struct base_buf *line, const struct batch *b, size_t i, struct base_err *err)
{
    struct ledger_certificate c = {.item = b->items[i], .index = i, .count = n};
    fm_status st = ledger_evidence_tree_prove(b->tree, &c.path, i, err);

    (void)snprintf(c.algorithm, sizeof c.algorithm, "%s", ledger_evidence_usual());
    (void)snprintf(c.name, sizeof c.name, "urn:student:%zu", i + 1);
    if (st == FM_OK)
        st = ledger_certificate_encode(line, &c, err);
    ledger_certificate_release(&c);
    return st;
}

static fm_status check(const struct batch *b, size_t i, const struct base_buf *certificate,
                       struct base_err *err)
{
    const size_t from = i == 0 ? 0 : b->ends[i - 1], len = b->ends[i] - from;
    const struct did_resolver keys = {did_proof_resolve_did_key, NULL};
    const struct credential_verifier v = {&keys, NULL, DID_RULES_VERSION, 1800000000};
    struct ledger_certificate c = {.count = 0};
    struct credential_facts facts;
    json_t *credential = NULL;
    uint8_t digest[32];
    fm_status st = ledger_certificate_parse(&c, certificate->p, certificate->len, err);

    if (st == FM_OK)
        st = ledger_certificate_check(&c, b->deposit, err);
    digest_line(digest, b->lines.p + from, len);
    if (st == FM_OK && memcmp(digest, c.item.digest, sizeof digest) != 0)
        st = base_err_set(err, FM_E_INVALID, "the certificate is of another credential");
    if (st == FM_OK)
        st = base_json_parse_canonical(&credential, b->lines.p + from, len - 1, err);
    if (st == FM_OK)
        st = credential_verify(&facts, credential, &v, err);
    json_decref(credential);
    ledger_certificate_release(&c);
    return st;
}

static void line(const char *op, double seconds)
{
    bench_line(op, "\"n\":%zu,\"ops_per_s\":%.0f,\"seconds\":%.2f,\"suite\":\"%s\"", n,
               (double)n / seconds, seconds, suite);
}

static fm_status measure(struct batch *b)
{
    double begin = now_s(), proven = 0, checked = 0;
    struct base_buf certificate = {0};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = issue_one(b, i);
    if (st == FM_OK)
        st = anchor(b);
    if (st == FM_OK)
        line("batch_issue", now_s() - begin);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        base_buf_clear(&certificate);
        begin = now_s();
        st = prove(&certificate, b, i, &b->err);
        proven += now_s() - begin;
        begin = now_s();
        if (st == FM_OK)
            st = check(b, i, &certificate, &b->err);
        checked += now_s() - begin;
    }
    if (st == FM_OK) {
        line("batch_prove", proven);
        line("batch_verify", checked);
    }
    base_buf_release(&certificate);
    return st;
}

static const struct bench_option options[] = {
    {"--n", BENCH_SIZE, &n, 1, 10000000, NULL, "certificates"},
    {"--suite", BENCH_TEXT, &suite, 0, 0, "ed25519|p256|sm2", "of the issuer's key"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"suite", "", "of the issuer's key"},
    {"n", "", "certificates in the batch"},
    {"seconds", "s", "for all of them: processor time of one thread"},
    {"ops_per_s", "1/s", "certificates a second"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_issued",
    "a batch of certificates under one anchor: batch_issue (signed, hashed, the anchor),\n"
    "batch_prove (each holder's proof), batch_verify (each holder's file, but for the bundle that\n"
    "all of them share)",
    options,
    fields,
    0,
    NULL};

int main(int argc, char **argv)
{
    struct batch b = {.secret = NULL};
    int status;
    fm_status st;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    b.items = calloc(n, sizeof *b.items);
    b.ends = calloc(n, sizeof *b.ends);
    st = b.items == NULL || b.ends == NULL ? base_err_memory(&b.err, "batch") : FM_OK;
    if (st == FM_OK)
        st = did_secret_generate(&b.secret, did_suite_by_name(suite), base_random_system(), &b.err);
    if (st == FM_OK)
        st = did_key_method_encode(b.method, did_secret_key(b.secret), &b.err);
    if (st == FM_OK)
        st = measure(&b);
    if (st != FM_OK)
        (void)fprintf(stderr, "bench_issued: %s\n", b.err.text);
    ledger_evidence_tree_free(b.tree);
    base_buf_release(&b.lines);
    did_secret_free(b.secret);
    json_decref(b.deposit);
    free(b.items);
    free(b.ends);
    return st == FM_OK ? 0 : 1;
}
