#include "did/proof.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_any.h"
#include "base/profile.h"
#include "base/sm3.h"
#include "did/copy.h"
#include "did/key_did.h"
#include "did/moment.h"
#include "did/multibase.h"

#define TYPE "DataIntegrityProof"

/* ---- what is signed ---- */

/* Whose JSON it is: the ledger's subset (base/json.h), or anybody's (base/json_any.h). */
enum form { LEDGERS, ANYBODYS };

static enum form form_of(const struct did_proof_terms *terms)
{
    return terms == NULL ? LEDGERS : ANYBODYS;
}

static fm_status hash_value(uint8_t out32[32], const json_t *value, enum form form,
                            enum did_digest digest, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = form == LEDGERS ? base_json_canonical(&bytes, value, err)
                                   : base_json_any_canonical(&bytes, value, err);

    if (st == FM_OK && digest == DID_DIGEST_SM3)
        st = base_sm3(out32, &(struct base_sm3_part){bytes.p, bytes.len}, 1, err);
    else if (st == FM_OK)
        base_sha256(out32, bytes.p, bytes.len);
    base_buf_release_secret(&bytes);
    return st;
}

/* The ledger's own hash, base_hash: what an object has been hashed with already. */
static enum did_digest usual_digest(void)
{
    return base_profile_is_national() ? DID_DIGEST_SM3 : DID_DIGEST_SHA256;
}

/* The hash of the canonical bytes of an object without one of its members. */
static fm_status hash_without(uint8_t out32[32], const json_t *object, const char *member,
                              enum form form, enum did_digest digest, struct base_err *err)
{
    json_t *copy = did_copy_without(object, member);
    fm_status st;

    if (copy == NULL)
        return base_err_memory(err, "proof");
    st = hash_value(out32, copy, form, digest, err);
    json_decref(copy);
    return st;
}

static fm_status hash_both(uint8_t out64[64], const json_t *object, const json_t *proof,
                           enum form form, enum did_digest digest, struct base_err *err)
{
    fm_status st = hash_without(out64, proof, "proofValue", form, digest, err);

    return st == FM_OK ? hash_without(out64 + 32, object, "proof", form, digest, err) : st;
}

fm_status did_proof_hash(uint8_t out64[64], const json_t *object, const json_t *proof,
                         enum did_digest digest, struct base_err *err)
{
    return hash_both(out64, object, proof, ANYBODYS, digest, err);
}

/* ---- signing ---- */

/* A new proof over object, owned by the caller. */
static fm_status make_proof(json_t **out, const json_t *object, const struct did_secret *secret,
                            const char *method, enum did_role role, int64_t created_s,
                            const char *challenge, const char *domain, enum form form,
                            struct base_err *err)
{
    const struct did_suite *suite = did_secret_key(secret)->suite;
    json_t *context = json_object_get(object, "@context");
    uint8_t hash64[64], signature[DID_SIGNATURE_MAX];
    char created[DID_MOMENT_TEXT];
    struct base_buf value = {0};
    json_t *proof = NULL;
    fm_status st;

    *out = NULL;
    if (strlen(method) >= DID_METHOD_TEXT)
        return base_err_set(err, FM_E_ARG, "verification method '%.40s...' is too long", method);
    st = did_moment_format(created, created_s, err);
    if (st != FM_OK)
        return st;
    proof = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:O*}", "type", TYPE, "cryptosuite",
                      suite->cryptosuite, "created", created, "verificationMethod", method,
                      "proofPurpose", did_role_name(role), "challenge", challenge, "domain", domain,
                      "@context", context);
    if (proof == NULL)
        return base_err_memory(err, "proof");
    st = hash_both(hash64, object, proof, form, suite->digest, err);
    if (st == FM_OK)
        st = did_secret_sign(secret, signature, hash64, sizeof hash64, err);
    if (st == FM_OK) {
        did_multibase_encode(&value, signature, suite->signature_len);
        st = base_buf_status(&value, "proof", err);
    }
    if (st == FM_OK &&
        json_object_set_new(proof, "proofValue", json_string(base_buf_cstr(&value))) != 0)
        st = base_err_memory(err, "proof");
    base_buf_release(&value);
    if (st == FM_OK)
        *out = proof;
    else
        json_decref(proof);
    return st;
}

static fm_status add(json_t *object, const struct did_secret *secret, const char *method,
                     enum did_role role, int64_t created_s, const char *challenge,
                     const char *domain, enum form form, struct base_err *err)
{
    json_t *proof;
    fm_status st;

    if (!json_is_object(object))
        return base_err_set(err, FM_E_ARG, "only a JSON object can carry a proof");
    if (json_object_get(object, "proof") != NULL)
        return base_err_set(err, FM_E_CONFLICT, "the object carries a proof already");
    st = make_proof(&proof, object, secret, method, role, created_s, challenge, domain, form, err);
    if (st == FM_OK && json_object_set_new(object, "proof", proof) != 0)
        st = base_err_memory(err, "proof");
    return st;
}

fm_status did_proof_add(json_t *object, const struct did_secret *secret, const char *method,
                        enum did_role role, int64_t created_s, struct base_err *err)
{
    return add(object, secret, method, role, created_s, NULL, NULL, LEDGERS, err);
}

fm_status did_proof_add_answer(json_t *object, const struct did_secret *secret, const char *method,
                               enum did_role role, int64_t created_s, const char *challenge,
                               const char *domain, struct base_err *err)
{
    return add(object, secret, method, role, created_s, challenge, domain, ANYBODYS, err);
}

static const char *method_of(const json_t *proof)
{
    const char *method = json_string_value(json_object_get(proof, "verificationMethod"));

    return method == NULL ? "" : method;
}

/* The proofs of an object as a new array; empty if there are none. NULL when memory is out. */
static json_t *proofs_of(const json_t *object)
{
    json_t *proof = json_object_get(object, "proof");

    if (json_is_array(proof))
        return did_copy_array(proof);
    return proof == NULL ? json_array() : json_pack("[O]", proof);
}

/* Where method belongs in the order of a set; FM_E_CONFLICT if it is there. */
static fm_status place_of(size_t *place, const json_t *set, const char *method,
                          struct base_err *err)
{
    *place = 0;
    while (*place < json_array_size(set)) {
        int order = strcmp(method_of(json_array_get(set, *place)), method);
        if (order == 0)
            return base_err_set(err, FM_E_CONFLICT, "'%s' has signed this object already", method);
        if (order > 0)
            break;
        ++*place;
    }
    return FM_OK;
}

fm_status did_proof_add_to_set(json_t *object, const struct did_secret *secret, const char *method,
                               enum did_role role, int64_t created_s, struct base_err *err)
{
    json_t *set, *proof;
    size_t place;
    fm_status st;

    if (!json_is_object(object) || json_object_get(object, "proof") == NULL)
        return did_proof_add(object, secret, method, role, created_s, err);
    set = proofs_of(object);
    if (set == NULL)
        return base_err_memory(err, "proof set");
    st = place_of(&place, set, method, err);
    if (st == FM_OK && json_array_size(set) >= DID_PROOF_SET_MAX)
        st =
            base_err_set(err, FM_E_LIMIT, "a proof set holds at most %d proofs", DID_PROOF_SET_MAX);
    if (st == FM_OK)
        st = make_proof(&proof, object, secret, method, role, created_s, NULL, NULL, LEDGERS, err);
    if (st == FM_OK && (json_array_insert_new(set, place, proof) != 0 ||
                        json_object_set(object, "proof", set) != 0))
        st = base_err_memory(err, "proof set");
    json_decref(set);
    return st;
}

/* ---- verifying ---- */

static const char *const proof_members[] = {"@context",           "created",    "cryptosuite",
                                            "proofPurpose",       "proofValue", "type",
                                            "verificationMethod", NULL};
static const char *const open_members[] = {
    "@context", "challenge", "created",      "cryptosuite", "domain", "expires",
    "id",       "nonce",     "proofPurpose", "proofValue",  "type",   "verificationMethod",
    NULL};

/* A member of a proof is exactly this text, or is not there. */
static fm_status check_answer(const json_t *proof, const char *name, const char *wanted,
                              struct base_err *err)
{
    const json_t *member = json_object_get(proof, name);

    if (member == NULL && wanted == NULL)
        return FM_OK;
    if (member == NULL || wanted == NULL || !json_is_string(member) ||
        strcmp(json_string_value(member), wanted) != 0)
        return base_err_set(err, FM_E_AUTH, "%s is %s", name,
                            member == NULL   ? "missing"
                            : wanted == NULL ? "not expected here"
                                             : "not the one that was asked for");
    return FM_OK;
}

/* "created"; NULL where it may be missing, and is. */
static fm_status get_created(const char **out, const json_t *proof,
                             const struct did_proof_terms *terms, struct base_err *err)
{
    *out = NULL;
    return terms != NULL && json_object_get(proof, "created") == NULL
               ? FM_OK
               : base_json_get_str(out, proof, "created", err);
}

/* The members that have to do with time. */
static fm_status check_moments(struct did_proof *out, const char *created, const json_t *proof,
                               const struct did_proof_terms *terms, struct base_err *err)
{
    const char *expires = NULL;
    int64_t expires_s;
    fm_status st = FM_OK;

    if (terms != NULL && json_object_get(proof, "expires") != NULL)
        st = base_json_get_str(&expires, proof, "expires", err);
    if (st != FM_OK)
        return st;
    if (terms == NULL && !did_moment_parse(&out->created_s, created))
        return base_err_set(err, FM_E_INPUT, "created must be like 2026-11-20T09:51:00Z");
    if (terms != NULL && created != NULL && !did_moment_parse_any(&out->created_s, created))
        return base_err_set(err, FM_E_INPUT, "created is no moment");
    if (expires != NULL && !did_moment_parse_any(&expires_s, expires))
        return base_err_set(err, FM_E_INPUT, "expires is no moment");
    if (expires != NULL && expires_s <= terms->now_s)
        return base_err_set(err, FM_E_INVALID, "it expired at %s", expires);
    return FM_OK;
}

/* Everything but the key and the signature. */
static fm_status check_form(struct did_proof *out, const char **proof_value, const json_t *object,
                            const json_t *proof, enum did_role role,
                            const struct did_proof_terms *terms, struct base_err *err)
{
    const json_t *context = json_object_get(proof, "@context");
    const char *type, *created, *purpose, *method;
    fm_status st;

    if (!json_is_object(proof))
        return base_err_set(err, FM_E_INPUT, "a proof must be a JSON object");
    if ((st = base_json_only(proof, terms == NULL ? proof_members : open_members, err)) != FM_OK ||
        (st = base_json_get_str(&type, proof, "type", err)) != FM_OK ||
        (st = get_created(&created, proof, terms, err)) != FM_OK ||
        (st = base_json_get_str(&purpose, proof, "proofPurpose", err)) != FM_OK ||
        (st = base_json_get_str(&method, proof, "verificationMethod", err)) != FM_OK ||
        (st = base_json_get_str(proof_value, proof, "proofValue", err)) != FM_OK)
        return st;
    if (strcmp(type, TYPE) != 0)
        return base_err_set(err, FM_E_INPUT, "type must be '" TYPE "'");
    st = check_moments(out, created, proof, terms, err);
    if (st == FM_OK && terms != NULL)
        st = check_answer(proof, "challenge", terms->challenge, err);
    if (st == FM_OK && terms != NULL)
        st = check_answer(proof, "domain", terms->domain, err);
    if (st != FM_OK)
        return st;
    if (strlen(method) >= sizeof out->method)
        return base_err_set(err, FM_E_INPUT, "verificationMethod is too long");
    if (context != NULL &&
        !json_equal((json_t *)(uintptr_t)context, json_object_get(object, "@context")))
        return base_err_set(err, FM_E_INPUT, "@context is not that of the signed object");
    if (strcmp(purpose, did_role_name(role)) != 0)
        return base_err_set(err, FM_E_AUTH, "purpose is '%.40s', needed is '%s'", purpose,
                            did_role_name(role));
    (void)snprintf(out->method, sizeof out->method, "%s", method);
    return FM_OK;
}

/* In the very words in which programs that do not know the suite refuse it: details of refusals are
 * part of what the ledger hashes. */
static fm_status refuse_suite(const struct did_key *key, uint32_t rules_version,
                              struct base_err *err)
{
    char text[DID_MULTIKEY_TEXT];
    struct did_key ignored;
    fm_status st = did_multikey_encode(text, key, err);

    return st != FM_OK ? st : did_multikey_decode(&ignored, text, rules_version, err);
}

static fm_status verify_one(struct did_proof *out, const json_t *object, const uint8_t bare32[32],
                            const json_t *proof, enum did_role role,
                            const struct did_proof_terms *terms, uint32_t rules_version,
                            const struct did_resolver *resolver, struct base_err *err)
{
    uint8_t hash64[64], signature[DID_SIGNATURE_MAX];
    const char *value, *cryptosuite;
    fm_status st;

    memset(out, 0, sizeof *out);
    st = check_form(out, &value, object, proof, role, terms, err);
    if (st == FM_OK)
        st = resolver->key(resolver->ctx, &out->key, out->method, role, err);
    if (st == FM_OK && out->key.suite->since > rules_version)
        st = refuse_suite(&out->key, rules_version, err);
    if (st == FM_OK)
        st = base_json_get_str(&cryptosuite, proof, "cryptosuite", err);
    if (st == FM_OK && strcmp(cryptosuite, out->key.suite->cryptosuite) != 0)
        st = base_err_set(err, FM_E_AUTH, "cryptosuite is '%.40s', but the key is for '%s'",
                          cryptosuite, out->key.suite->cryptosuite);
    if (st == FM_OK)
        st = did_multibase_decode(signature, out->key.suite->signature_len, value, err);
    if (st == FM_OK && out->key.suite->digest != usual_digest()) {
        st = hash_both(hash64, object, proof, form_of(terms), out->key.suite->digest, err);
    } else if (st == FM_OK) {
        st = hash_without(hash64, proof, "proofValue", form_of(terms), usual_digest(), err);
        memcpy(hash64 + 32, bare32, 32);
    }
    if (st == FM_OK)
        st = did_key_verify(&out->key, rules_version, signature, out->key.suite->signature_len,
                            hash64, sizeof hash64, err);
    if (st != FM_OK) {
        st = out->method[0] == '\0' ? base_err_prefix(err, "proof")
                                    : base_err_prefix(err, "proof by %s", out->method);
        memset(out, 0, sizeof *out);
    }
    return st;
}

/* One proof, as an object. bare32: the hash of object without it. */
static fm_status verify_single(struct did_proof *out, const json_t *object,
                               const uint8_t bare32[32], enum did_role role,
                               const struct did_proof_terms *terms, uint32_t rules_version,
                               const struct did_resolver *resolver, struct base_err *err)
{
    const json_t *proof = json_object_get(object, "proof");

    memset(out, 0, sizeof *out);
    if (!json_is_object(object) || proof == NULL)
        return base_err_set(err, FM_E_INPUT, "the object carries no proof");
    if (!json_is_object(proof))
        return base_err_set(err, FM_E_INPUT, "exactly one proof is needed here, as an object");
    return verify_one(out, object, bare32, proof, role, terms, rules_version, resolver, err);
}

fm_status did_proof_verify(struct did_proof *out, const json_t *object, enum did_role role,
                           uint32_t rules_version, const struct did_resolver *resolver,
                           struct base_err *err)
{
    return did_proof_verify_terms(out, object, role, NULL, rules_version, resolver, err);
}

fm_status did_proof_verify_terms(struct did_proof *out, const json_t *object, enum did_role role,
                                 const struct did_proof_terms *terms, uint32_t rules_version,
                                 const struct did_resolver *resolver, struct base_err *err)
{
    uint8_t bare[32];
    fm_status st = hash_without(bare, object, "proof", form_of(terms), usual_digest(), err);

    memset(out, 0, sizeof *out);
    return st != FM_OK
               ? st
               : verify_single(out, object, bare, role, terms, rules_version, resolver, err);
}

/* The array form: 2 or more, in order. */
static fm_status check_set(const json_t *set, struct base_err *err)
{
    size_t count = json_array_size(set);

    if (!json_is_array(set) || count < 2 || count > DID_PROOF_SET_MAX)
        return base_err_set(err, FM_E_INPUT,
                            "proof must be an object, or an array of 2 to %d objects",
                            DID_PROOF_SET_MAX);
    for (size_t i = 1; i < count; i++)
        if (strcmp(method_of(json_array_get(set, i - 1)), method_of(json_array_get(set, i))) >= 0)
            return base_err_set(err, FM_E_INPUT,
                                "the proofs of a set must ascend by verificationMethod, each once");
    return FM_OK;
}

fm_status did_proof_verify_hashed(struct did_proof out[DID_PROOF_SET_MAX], size_t *out_count,
                                  const json_t *object, const uint8_t bare32[32],
                                  enum did_role role, uint32_t rules_version,
                                  const struct did_resolver *resolver, struct base_err *err)
{
    const json_t *set = json_object_get(object, "proof");
    fm_status st;

    *out_count = 0;
    if (set == NULL || json_is_object(set)) {
        st = verify_single(out, object, bare32, role, NULL, rules_version, resolver, err);
        *out_count = st == FM_OK ? 1 : 0;
        return st;
    }
    st = check_set(set, err);
    for (size_t i = 0; st == FM_OK && i < json_array_size(set); i++) {
        st = verify_one(&out[i], object, bare32, json_array_get(set, i), role, NULL, rules_version,
                        resolver, err);
        for (size_t j = 0; st == FM_OK && j < i; j++)
            if (did_key_equal(&out[i].key, &out[j].key))
                st = base_err_set(err, FM_E_AUTH, "%s and %s are the same key", out[j].method,
                                  out[i].method);
    }
    if (st == FM_OK)
        *out_count = json_array_size(set);
    return st;
}

fm_status did_proof_verify_set(struct did_proof out[DID_PROOF_SET_MAX], size_t *out_count,
                               const json_t *object, enum did_role role, uint32_t rules_version,
                               const struct did_resolver *resolver, struct base_err *err)
{
    uint8_t bare[32];
    fm_status st = hash_without(bare, object, "proof", LEDGERS, usual_digest(), err);

    *out_count = 0;
    return st != FM_OK ? st
                       : did_proof_verify_hashed(out, out_count, object, bare, role, rules_version,
                                                 resolver, err);
}

fm_status did_proof_resolve_did_key(void *ctx, struct did_key *out, const char *method,
                                    enum did_role role, struct base_err *err)
{
    (void)ctx;
    (void)role;
    return did_key_method_decode(out, method, DID_RULES_VERSION, err);
}
