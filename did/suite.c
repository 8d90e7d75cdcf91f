#include "did/suite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/profile.h"
#include "base/secret.h"

/* Every row of the table. */
static const struct did_suite *(*const rows[])(void) = {did_suite_ed25519, did_suite_p256,
                                                        did_suite_sm2};

const struct did_suite *did_suite_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i]()->name, name) == 0)
            return rows[i]();
    return NULL;
}

const struct did_suite *did_suite_by_multicodec(const uint8_t prefix2[2])
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (memcmp(rows[i]()->multicodec, prefix2, 2) == 0)
            return rows[i]();
    return NULL;
}

/* ---- public keys ---- */

/* What the genesis forbids is no key here, whoever shows it. */
static fm_status check_profile(const struct did_suite *suite, struct base_err *err)
{
    enum base_profile profile = base_profile();

    if (profile == BASE_PROFILE_OPEN ||
        (suite == did_suite_sm2()) == (profile == BASE_PROFILE_NATIONAL))
        return FM_OK;
    return base_err_set(err, FM_E_AUTH,
                        "%s keys and signatures are not allowed: the profile is %s (%s)",
                        suite->name, base_profile_name(profile),
                        profile == BASE_PROFILE_NATIONAL ? "sm2" : "ed25519, p256");
}

fm_status did_suite_allowed(const struct did_suite *suite, struct base_err *err)
{
    return check_profile(suite, err) == FM_OK ? FM_OK : (err->code = FM_E_CONFLICT);
}

const struct did_suite *did_suite_usual(void)
{
    return base_profile_is_national() ? did_suite_sm2() : did_suite_ed25519();
}

static fm_status check_rules(const struct did_suite *suite, uint32_t rules_version,
                             struct base_err *err)
{
    if (rules_version < 1 || rules_version > DID_RULES_VERSION)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "signature rules version %lu is not known to this build (it knows 1 to "
                            "%d): upgrade the node",
                            (unsigned long)rules_version, DID_RULES_VERSION);
    if (rules_version < suite->since)
        return base_err_set(err, FM_E_AUTH,
                            "%s keys and signatures are not allowed under rules version %lu",
                            suite->name, (unsigned long)rules_version);
    return check_profile(suite, err);
}

fm_status did_key_make(struct did_key *out, const struct did_suite *suite, const uint8_t *bytes,
                       size_t len, uint32_t rules_version, struct base_err *err)
{
    fm_status st = check_rules(suite, rules_version, err);

    memset(out, 0, sizeof *out);
    if (st != FM_OK)
        return st;
    if (len != suite->key_len)
        return base_err_set(err, FM_E_AUTH, "%s public key has %zu bytes, not %zu", suite->name,
                            len, suite->key_len);
    st = suite->check_key(out->aid, bytes, rules_version, err);
    if (st != FM_OK) {
        memset(out, 0, sizeof *out);
        return st;
    }
    out->suite = suite;
    memcpy(out->bytes, bytes, len);
    return FM_OK;
}

bool did_key_equal(const struct did_key *a, const struct did_key *b)
{
    return a->suite == b->suite && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

fm_status did_key_verify(const struct did_key *key, uint32_t rules_version,
                         const uint8_t *signature, size_t signature_len, const void *message,
                         size_t message_len, struct base_err *err)
{
    fm_status st;

    assert(key->suite != NULL);
    st = check_rules(key->suite, rules_version, err);
    if (st != FM_OK)
        return st;
    if (signature_len != key->suite->signature_len)
        return base_err_set(err, FM_E_AUTH, "%s signature has %zu bytes, not %zu", key->suite->name,
                            signature_len, key->suite->signature_len);
    return key->suite->verify(key, rules_version, signature, message, message_len, err);
}

/* ---- secret keys ---- */

struct did_secret {
    struct did_key key;
    uint8_t *bytes;                  /* base_secret_alloc(suite->secret_len); NULL with a signer */
    const struct did_signer *signer; /* NULL: the suite signs */
    void *impl;                      /* the suite's, or the signer's ctx */
};

/* An empty key with its secret page; the caller fills bytes and calls secret_open(). */
static struct did_secret *secret_new(const struct did_suite *suite)
{
    struct did_secret *secret = calloc(1, sizeof *secret);

    if (secret == NULL)
        return NULL;
    secret->key.suite = suite;
    secret->bytes = base_secret_alloc(suite->secret_len);
    if (secret->bytes == NULL) {
        free(secret);
        return NULL;
    }
    return secret;
}

static fm_status secret_open(struct did_secret **out, struct did_secret *secret,
                             struct base_err *err)
{
    const struct did_suite *suite = secret->key.suite;
    fm_status st = check_profile(suite, err);

    if (st == FM_OK)
        st = suite->open(&secret->impl, &secret->key, secret->bytes, err);
    if (st != FM_OK) {
        did_secret_free(secret);
        return st;
    }
    *out = secret;
    return FM_OK;
}

static fm_status generate_once(struct did_secret **out, const struct did_suite *suite,
                               const struct base_random *random, struct base_err *err)
{
    struct did_secret *secret = secret_new(suite);
    fm_status st;

    *out = NULL;
    if (secret == NULL)
        return base_err_memory(err, "new key");
    st = base_random_fill(random, secret->bytes, suite->secret_len, err);
    if (st != FM_OK) {
        did_secret_free(secret);
        return base_err_prefix(err, "new %s key", suite->name);
    }
    return secret_open(out, secret, err);
}

fm_status did_secret_generate(struct did_secret **out, const struct did_suite *suite,
                              const struct base_random *random, struct base_err *err)
{
    fm_status st = generate_once(out, suite, random, err);

    /* One string in 2^32 is no secret of p256 or sm2. A source that gives nothing else is broken.
     */
    for (int again = 0; st == FM_E_INPUT && again < 3; again++)
        st = generate_once(out, suite, random, err);
    return st;
}

fm_status did_secret_import(struct did_secret **out, const struct did_suite *suite,
                            const uint8_t *bytes, size_t len, struct base_err *err)
{
    struct did_secret *secret;

    *out = NULL;
    if (len != suite->secret_len)
        return base_err_set(err, FM_E_INPUT, "%s secret key has %zu bytes, not %zu", suite->name,
                            len, suite->secret_len);
    secret = secret_new(suite);
    if (secret == NULL)
        return base_err_memory(err, "secret key");
    memcpy(secret->bytes, bytes, len);
    return secret_open(out, secret, err);
}

fm_status did_secret_elsewhere(struct did_secret **out, const struct did_key *key,
                               const struct did_signer *signer, void *ctx, struct base_err *err)
{
    fm_status st = check_profile(key->suite, err);

    *out = st == FM_OK ? calloc(1, sizeof **out) : NULL;
    if (*out == NULL) {
        signer->close(ctx);
        return st != FM_OK ? st : base_err_memory(err, "key");
    }
    **out = (struct did_secret){.key = *key, .signer = signer, .impl = ctx};
    return FM_OK;
}

void did_secret_free(struct did_secret *secret)
{
    if (secret == NULL)
        return;
    if (secret->signer != NULL) {
        secret->signer->close(secret->impl);
        free(secret);
        return;
    }
    if (secret->impl != NULL)
        secret->key.suite->close(secret->impl);
    base_secret_free(secret->bytes, secret->key.suite->secret_len);
    free(secret);
}

const struct did_key *did_secret_key(const struct did_secret *secret)
{
    return &secret->key;
}

const uint8_t *did_secret_bytes(const struct did_secret *secret)
{
    return secret->bytes;
}

fm_status did_secret_sign(const struct did_secret *secret, uint8_t *signature, const void *message,
                          size_t message_len, struct base_err *err)
{
    const struct did_suite *suite = secret->key.suite;
    fm_status st;

    memset(signature, 0, suite->signature_len);
    st = check_profile(suite, err);
    if (st != FM_OK)
        return st;
    if (secret->signer == NULL) {
        st = suite->sign(secret->impl, signature, message, message_len, err);
    } else {
        st = secret->signer->sign(secret->impl, signature, message, message_len, err);
        if (st == FM_OK && did_key_verify(&secret->key, DID_RULES_VERSION, signature,
                                          suite->signature_len, message, message_len, err) != FM_OK)
            st = base_err_prefix(err, "the token signed with another key");
    }
    if (st != FM_OK)
        memset(signature, 0, suite->signature_len);
    return st;
}
