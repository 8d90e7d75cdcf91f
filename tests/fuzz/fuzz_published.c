/* What outsiders read: checkpoints, lists of cosigning keys, proofs of entries. Laws: what parses
 * is written again as it stood; a cosignature counts only if it is by the key that it names over
 * what it stands under, so that of the specimen's none is left once its body has changed. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/profile.h"
#include "ledger/transparency/test_site.h"
#include "ledger/transparency/tlog_proof.h"
#include "tests/fuzz/ledger_specimens.h"

static struct did_secret *secret;
static struct base_buf keys, note;
static struct ledger_vkey trusted[1];
static struct ledger_checkpoint original, seen;
static struct ledger_tlog_proof proof, got; /* the specimen's; the input's */

static void check_keys(const uint8_t *data, size_t size)
{
    struct ledger_vkey out[4];
    struct base_buf again = {0};
    struct base_err err = {0};
    size_t n;

    base_profile_forget(); /* keys say which profile's they are */
    if (ledger_vkeys_parse(out, 4, &n, (const char *)data, size, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    for (size_t i = 0; i < n; i++)
        fuzz_law(ledger_vkey_put(&again, out[i].name, &out[i].key, &err) == FM_OK, "it is a key");
    fuzz_law(again.len == size + (size > 0 && data[size - 1] != '\n') &&
                 (size == 0 || memcmp(again.p, data, size) == 0),
             "keys have one form");
    base_buf_release(&again);
}

static void check_note(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    size_t count;

    if (ledger_checkpoint_parse(&seen, (const char *)data, size, &err) != FM_OK)
        return;
    if (ledger_vkeys_count(&count, &seen, trusted, 1, &err) == FM_OK)
        fuzz_law(count == 0 || ledger_checkpoint_same(&seen, &original) ||
                     ledger_checkpoint_same(&seen, &proof.checkpoint),
                 "nobody cosigned what the key did not sign");
}

static void check_proof(const uint8_t *data, size_t size)
{
    const struct ledger_trust trust = {trusted, 1, 1};
    struct base_buf again = {0};
    struct base_err err = {0};
    size_t count;

    if (ledger_tlog_proof_parse(&got, (const char *)data, size, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(ledger_tlog_proof_encode(&again, &got, &err) == FM_OK && again.len == size &&
                 memcmp(again.p, data, size) == 0,
             "a proof has one form");
    base_buf_release(&again);
    if (ledger_tlog_proof_verify(&got, &count, &trust, &err) == FM_OK)
        fuzz_law(got.index == proof.index && memcmp(got.entry, proof.entry, 32) == 0 &&
                     ledger_checkpoint_same(&got.checkpoint, &proof.checkpoint),
                 "what is proven is the specimen");
}

static void run(const uint8_t *data, size_t size)
{
    check_keys(data, size);
    base_profile_forget();
    check_note(data, size);
    check_proof(data, size);
}

/* Entry 5 of a log of twelve. */
static void add_proof(struct fuzz_corpus *corpus)
{
    struct base_buf text = {0};
    struct base_err err = {0};

    proof.checkpoint.size = 12;
    proof.checkpoint.n = 1;
    fuzz_law(ledger_tile_root(proof.checkpoint.root, &site_log.nodes, 12, &err) == FM_OK &&
                 ledger_cosign(&proof.checkpoint.cosigner[0], &proof.checkpoint, trusted[0].name,
                               secret, 1790000000, &err) == FM_OK &&
                 ledger_tlog_prove(&proof, 5, &site_log, &err) == FM_OK &&
                 ledger_tlog_proof_encode(&text, &proof, &err) == FM_OK,
             err.text);
    fuzz_add(corpus, text.p, text.len);
    base_buf_release(&text);
}

/* A key of a national ledger's. */
static void add_national(struct fuzz_corpus *corpus)
{
    static const uint8_t seed[32] = {9};
    struct did_secret *sm2;
    struct base_buf line = {0};
    struct base_err err = {0};

    fuzz_law(base_profile_adopt(BASE_PROFILE_NATIONAL, &err) == FM_OK &&
                 did_secret_import(&sm2, did_suite_sm2(), seed, sizeof seed, &err) == FM_OK &&
                 ledger_vkey_put(&line, "witness.example/1", did_secret_key(sm2), &err) == FM_OK,
             "specimen");
    fuzz_add(corpus, line.p, line.len);
    base_buf_release(&line);
    did_secret_free(sm2);
    base_profile_forget();
}

static void begin(struct fuzz_corpus *corpus)
{
    static const uint8_t seed[32] = {7};
    struct base_err err = {0};

    fuzz_law(did_secret_import(&secret, did_suite_ed25519(), seed, sizeof seed, &err) == FM_OK &&
                 ledger_vkey_put(&keys, "witness.example/1", did_secret_key(secret), &err) == FM_OK,
             "specimen");
    (void)snprintf(trusted[0].name, sizeof trusted[0].name, "witness.example/1");
    trusted[0].key = *did_secret_key(secret);
    original.size = 12;
    original.n = 1;
    fuzz_law(ledger_cosign(&original.cosigner[0], &original, trusted[0].name, secret, 1790000000,
                           &err) == FM_OK &&
                 ledger_checkpoint_encode(&note, &original, &err) == FM_OK,
             "specimen");
    fuzz_add(corpus, keys.p, keys.len);
    add_national(corpus);
    fuzz_add(corpus, note.p, note.len);
    add_proof(corpus);
}

static const char *const words[] = {"witness.example/1", "+", "\n", "firmiana/", "epoch ", NULL};
const struct fuzz_target fuzz_target = {"published", FUZZ_BYTES, 4096, words, begin, run};
