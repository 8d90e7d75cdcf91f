/* Proofs: a W3C Data Integrity proof on an object, an inclusion proof of the log, a proof of the
 * state tree. Laws: a proof that verifies over these roots and keys is one of the specimens; what
 * was read is written as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/proof.h"
#include "ledger/proof/log.h"
#include "ledger/proof/log_proof.h"
#include "ledger/proof/state_proof.h"
#include "tests/fuzz/ledger_specimens.h"

enum { LEAVES = 23, WANTED = 13, SIGNERS = 2, SIGNED_AT = 1795168260 };

static struct fuzz_corpus good, contents; /* specimens; signed ones without their proofs */
static uint8_t nodes[8][32][32];          /* the log's, by level and index */
static uint8_t root[32];

/* ---- the log ---- */

static void leaf_hash(uint8_t out32[32], uint64_t i)
{
    uint8_t bytes[8];

    base_store_u64(bytes, i);
    ledger_log_leaf_hash_of(out32, bytes, sizeof bytes);
}

static void keep(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    (void)ctx;
    memcpy(nodes[level][index], hash32, 32);
}

static fm_status kept(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                      struct base_err *err)
{
    (void)ctx;
    (void)err;
    memcpy(out32, nodes[level][index], 32);
    return FM_OK;
}

static json_t *make_log_proof(void)
{
    const struct ledger_log_sink sink = {keep, NULL};
    const struct ledger_log_source source = {kept, NULL};
    struct ledger_log log = {0};
    struct ledger_log_proof proof;
    struct base_err err = {0};
    uint8_t leaf[32];

    for (uint64_t i = 0; i < LEAVES; i++) {
        leaf_hash(leaf, i);
        ledger_log_append(&log, leaf, &sink);
    }
    ledger_log_root(root, &log);
    fuzz_law(ledger_log_prove_inclusion(&proof, WANTED, LEAVES, &source, &err) == FM_OK, err.text);
    return ledger_log_proof_json(&proof);
}

static void check_log(const json_t *json, const uint8_t *data, size_t size)
{
    struct ledger_log_proof proof;
    struct base_err err = {0};
    json_t *again;
    uint8_t leaf[32];

    if (ledger_log_proof_parse(&proof, json, &err) != FM_OK)
        return;
    again = ledger_log_proof_json(&proof);
    fuzz_law(json_equal(json, again), "a log proof is written as it was read");
    json_decref(again);
    leaf_hash(leaf, WANTED);
    if (ledger_log_verify_inclusion(&proof, leaf, WANTED, LEAVES, root, &err) == FM_OK)
        fuzz_law(fuzz_is_specimen(&good, data, size), "only the right path proves the leaf");
    leaf_hash(leaf, WANTED + 1);
    fuzz_law(ledger_log_verify_inclusion(&proof, leaf, WANTED, LEAVES, root, &err) != FM_OK,
             "no path proves another leaf");
}

/* ---- the state ---- */

static void check_state(const json_t *json)
{
    struct ledger_state_proof *proof = malloc(sizeof *proof);
    static const uint8_t path[32] = {0x5a};
    struct base_err err = {0};
    json_t *again;

    fuzz_law(proof != NULL, "there is memory");
    if (ledger_state_proof_parse(proof, json, &err) == FM_OK) {
        again = json_is_string(json_object_get(json, "siblings"))
                    ? ledger_state_proof_short(proof, path)
                    : ledger_state_proof_json(proof, path);
        fuzz_law(json_equal(json, again) ||
                     (proof->leaf && memcmp(proof->leaf_path, path, 32) == 0),
                 "a state proof is written as it was read");
        json_decref(again);
        fuzz_law(ledger_state_verify_present(proof, root, path, path, &err) != FM_OK &&
                     ledger_state_verify_absent(proof, root, path, &err) != FM_OK,
                 "no proof leads to another tree's root");
    }
    free(proof);
}

/* ---- signatures ---- */

/* One signer of two is a signer too: a proof taken out of a set stands by itself (did/proof.h). But
 * what is signed is what a specimen says. */
static bool was_signed(const json_t *json)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)json);
    struct base_buf bytes = {0};
    struct base_err err = {0};
    bool known;

    (void)json_object_del(bare, "proof");
    fuzz_law(base_json_canonical(&bytes, bare, &err) == FM_OK, "what verifies is canonical");
    known = fuzz_is_specimen(&contents, bytes.p, bytes.len);
    json_decref(bare);
    base_buf_release(&bytes);
    return known;
}

static void check_signed(const json_t *json)
{
    const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
    struct did_proof set[DID_PROOF_SET_MAX];
    struct base_err err = {0};
    size_t count;

    for (size_t i = 0; i < DID_ROLE_COUNT; i++)
        if (did_proof_verify_set(set, &count, json, did_roles[i], 1, &resolver, &err) == FM_OK) {
            fuzz_law(did_roles[i] == DID_ROLE_ASSERTION, "a proof has the purpose that was signed");
            fuzz_law(count <= SIGNERS && was_signed(json), "nobody signed what is no specimen");
            for (size_t k = 0; k < count; k++)
                fuzz_law(set[k].created_s == SIGNED_AT, "nor at another time");
        }
}

static void run(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    json_t *json = NULL;

    if (base_json_parse_canonical(&json, data, size, &err) != FM_OK)
        return;
    if (json_is_array(json))
        check_log(json, data, size);
    else if (json_object_get(json, "siblings") != NULL)
        check_state(json);
    else if (json_is_object(json))
        check_signed(json);
    json_decref(json);
}

/* Objects signed by one and by two did:keys. */
static json_t *make_signed(size_t signers)
{
    json_t *object =
        json_pack("{s:s,s:i,s:[s,s]}", "type", "Note", "n", (int)signers, "list", "a", "b");
    struct base_err err = {0};
    struct base_buf bytes = {0};

    fuzz_law(base_json_canonical(&bytes, object, &err) == FM_OK, err.text);
    fuzz_add(&contents, bytes.p, bytes.len);
    base_buf_release(&bytes);
    for (size_t i = 0; i < signers; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        struct did_secret *secret;
        char method[DID_KEY_METHOD_TEXT];
        fuzz_law(did_secret_import(&secret, did_suite_ed25519(), seed, sizeof seed, &err) == FM_OK,
                 err.text);
        fuzz_law(did_key_method_encode(method, did_secret_key(secret), &err) == FM_OK &&
                     did_proof_add_to_set(object, secret, method, DID_ROLE_ASSERTION, SIGNED_AT,
                                          &err) == FM_OK,
                 err.text);
        did_secret_free(secret);
    }
    return object;
}

/* The short form of a proof, for the same other path. */
static json_t *make_short(const json_t *json)
{
    struct ledger_state_proof *proof = malloc(sizeof *proof);
    static const uint8_t path[32] = {0x5a};
    struct base_err err = {0};
    json_t *made;

    fuzz_law(proof != NULL && ledger_state_proof_parse(proof, json, &err) == FM_OK, err.text);
    made = ledger_state_proof_short(proof, path);
    free(proof);
    return made;
}

static void begin(struct fuzz_corpus *corpus)
{
    json_t *array = json_array();
    const json_t *line;
    size_t i;

    fuzz_law(json_array_append_new(array, make_log_proof()) == 0 &&
                 json_array_append_new(array, make_signed(1)) == 0 &&
                 json_array_append_new(array, make_signed(SIGNERS)) == 0,
             "there is memory");
    json_array_foreach(ledger_specimens()->states, i, line)
    {
        const json_t *proof = json_object_get(line, "proof");
        fuzz_law(json_array_append(array, (json_t *)(uintptr_t)proof) == 0 &&
                     json_array_append_new(array, make_short(proof)) == 0,
                 "there is memory");
    }
    fuzz_add_json(corpus, array);
    fuzz_add_json(&good, array);
    json_decref(array);
}

static const char *const words[] = {" ",
                                    "\n",
                                    "siblings",
                                    "leaf",
                                    "path",
                                    "value_hash",
                                    "proof",
                                    "proofValue",
                                    "proofPurpose",
                                    "assertionMethod",
                                    "authentication",
                                    "verificationMethod",
                                    "created",
                                    "cryptosuite",
                                    "eddsa-jcs-2022",
                                    "DataIntegrityProof",
                                    "did:key:z6Mk",
                                    "2026-11-20T09:51:00Z",
                                    NULL};
const struct fuzz_target fuzz_target = {"proof", FUZZ_JSON, 8192, words, begin, run};
