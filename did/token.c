#include "did/token.h"

#include <dlfcn.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "did/token_own.h"

/* What is used of p11-kit, which is loaded when it is needed: who has no token needs no library. */
static struct {
    void *library;
    CK_FUNCTION_LIST **(*load_all)(int flags);
    void (*release_all)(CK_FUNCTION_LIST **modules);
    CK_FUNCTION_LIST *(*load)(const char *path, int flags);
    CK_RV (*initialize)(CK_FUNCTION_LIST *module);
    CK_RV (*finalize)(CK_FUNCTION_LIST *module);
    void (*release)(CK_FUNCTION_LIST *module);
    P11KitUri *(*uri_new)(void);
    void (*uri_free)(P11KitUri *uri);
    int (*uri_parse)(const char *text, P11KitUriType type, P11KitUri *uri);
    int (*uri_match_token)(const P11KitUri *uri, const CK_TOKEN_INFO *info);
    CK_ATTRIBUTE *(*uri_attribute)(P11KitUri *uri, CK_ATTRIBUTE_TYPE type);
    const char *(*uri_module_path)(const P11KitUri *uri);
    const char *(*uri_pin_value)(const P11KitUri *uri);
    const char *(*uri_pin_source)(const P11KitUri *uri);
    int (*uri_unrecognized)(P11KitUri *uri);
} kit;

static pthread_once_t kit_once = PTHREAD_ONCE_INIT;

static void load_kit(void)
{
    static const struct {
        const char *name;
        void *slot;
    } symbols[] = {
        {"p11_kit_modules_load_and_initialize", &kit.load_all},
        {"p11_kit_modules_finalize_and_release", &kit.release_all},
        {"p11_kit_module_load", &kit.load},
        {"p11_kit_module_initialize", &kit.initialize},
        {"p11_kit_module_finalize", &kit.finalize},
        {"p11_kit_module_release", &kit.release},
        {"p11_kit_uri_new", &kit.uri_new},
        {"p11_kit_uri_free", &kit.uri_free},
        {"p11_kit_uri_parse", &kit.uri_parse},
        {"p11_kit_uri_match_token_info", &kit.uri_match_token},
        {"p11_kit_uri_get_attribute", &kit.uri_attribute},
        {"p11_kit_uri_get_module_path", &kit.uri_module_path},
        {"p11_kit_uri_get_pin_value", &kit.uri_pin_value},
        {"p11_kit_uri_get_pin_source", &kit.uri_pin_source},
        {"p11_kit_uri_any_unrecognized", &kit.uri_unrecognized},
    };
    void *library = dlopen("libp11-kit.so.0", RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; library != NULL && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (symbol == NULL)
            return;
        memcpy(symbols[i].slot, &symbol, sizeof symbol);
    }
    kit.library = library;
}

/* ---- a session with a token ---- */

struct token {
    P11KitUri *uri;
    CK_FUNCTION_LIST *one[2], **modules; /* the one that the URI names, or all */
    CK_FUNCTION_LIST *module;            /* the token's */
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    const struct did_suite *suite;
    pthread_mutex_t lock; /* a session signs one thing at a time */
};

static void close_token(void *ctx)
{
    struct token *t = ctx;

    if (t->session != 0)
        (void)t->module->C_CloseSession(t->session); /* the last one logs out */
    if (t->modules == t->one && t->one[0] != NULL) {
        (void)kit.finalize(t->one[0]);
        kit.release(t->one[0]);
    } else if (t->modules != NULL && t->modules != t->one) {
        kit.release_all(t->modules);
    }
    if (t->uri != NULL)
        kit.uri_free(t->uri);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

static fm_status module_failed(CK_RV rv, const char *what, struct base_err *err)
{
    if (rv == CKR_HOST_MEMORY)
        return base_err_memory(err, what);
    return base_err_set(err, FM_E_IO, "the token's module fails: %s (CKR 0x%lx)", what,
                        (unsigned long)rv);
}

static fm_status parse_uri(struct token *t, const char *uri, struct base_err *err)
{
    if (pthread_once(&kit_once, load_kit) != 0 || kit.library == NULL)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "keys in tokens need p11-kit: apt install libp11-kit0");
    t->uri = kit.uri_new();
    if (t->uri == NULL)
        return base_err_memory(err, "token");
    if (kit.uri_parse(uri, P11_KIT_URI_FOR_ANY, t->uri) != P11_KIT_URI_OK ||
        kit.uri_unrecognized(t->uri))
        return base_err_set(err, FM_E_ARG,
                            "'%.120s' is not understood: needed is an RFC 7512 URI, such as "
                            "pkcs11:token=Bank%%20A;object=officer",
                            uri);
    if (kit.uri_pin_value(t->uri) != NULL || kit.uri_pin_source(t->uri) != NULL)
        return base_err_set(err, FM_E_ARG,
                            "a token's URI holds no PIN: it is asked for like a passphrase");
    return FM_OK;
}

static fm_status load_modules(struct token *t, struct base_err *err)
{
    const char *path = kit.uri_module_path(t->uri);
    CK_RV rv;

    if (path == NULL) {
        t->modules = kit.load_all(0);
        return t->modules != NULL
                   ? FM_OK
                   : base_err_set(err, FM_E_IO, "p11-kit cannot load the modules it has");
    }
    t->one[0] = kit.load(path, 0);
    if (t->one[0] == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "%.200s: no such PKCS#11 module", path);
    rv = kit.initialize(t->one[0]);
    if (rv != CKR_OK) {
        kit.release(t->one[0]);
        t->one[0] = NULL;
        return module_failed(rv, "it cannot begin", err);
    }
    t->modules = t->one;
    return FM_OK;
}

/* The one token that the URI matches. */
static fm_status find_token(struct token *t, CK_SLOT_ID *slot, struct base_err *err)
{
    unsigned found = 0;

    for (CK_FUNCTION_LIST **m = t->modules; *m != NULL; m++) {
        CK_SLOT_ID slots[64];
        CK_ULONG n = sizeof slots / sizeof slots[0];
        if ((*m)->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
            continue;
        for (CK_ULONG i = 0; i < n; i++) {
            CK_TOKEN_INFO info;
            if ((*m)->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
                kit.uri_match_token(t->uri, &info) != 1 ||
                (info.flags & CKF_TOKEN_INITIALIZED) == 0)
                continue;
            found++;
            t->module = *m;
            *slot = slots[i];
        }
    }
    if (found == 0)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "no token that the URI names is here: plugged in, "
                            "and its module installed?");
    return found == 1
               ? FM_OK
               : base_err_set(err, FM_E_ARG,
                              "%u tokens match the URI: name one by token= or serial=", found);
}

static fm_status log_in(struct token *t, CK_SLOT_ID slot, const struct did_passphrase *pin,
                        struct base_err *err)
{
    size_t len;
    const char *bytes = did_passphrase_bytes(pin, &len);
    CK_RV rv = t->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session);

    if (rv != CKR_OK) {
        t->session = 0;
        return module_failed(rv, "no session", err);
    }
    rv = t->module->C_Login(t->session, CKU_USER, (unsigned char *)(uintptr_t)bytes, len);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return FM_OK;
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID)
        return base_err_set(err, FM_E_AUTH, "the PIN is wrong (a token locks after a few of them)");
    if (rv == CKR_PIN_LOCKED || rv == CKR_PIN_EXPIRED)
        return base_err_set(err, FM_E_AUTH, "the token's PIN is locked or expired");
    return module_failed(rv, "no login", err);
}

/* ---- objects ---- */

/* The only object of that class that the URI (or, for a public key, the id) names; 0 if none. */
static fm_status find_object(const struct token *t, CK_OBJECT_HANDLE *out, CK_OBJECT_CLASS class,
                             const CK_ATTRIBUTE *id, struct base_err *err)
{
    CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &class, sizeof class}};
    CK_ATTRIBUTE *label = id == NULL ? kit.uri_attribute(t->uri, CKA_LABEL) : NULL;
    CK_OBJECT_HANDLE found[2];
    CK_ULONG n = 0, terms = 1;
    CK_RV rv;

    *out = 0;
    if (id == NULL)
        id = kit.uri_attribute(t->uri, CKA_ID);
    if (label != NULL)
        wanted[terms++] = *label;
    if (id != NULL)
        wanted[terms++] = *id;
    rv = t->module->C_FindObjectsInit(t->session, wanted, terms);
    if (rv == CKR_OK) {
        rv = t->module->C_FindObjects(t->session, found, 2, &n);
        (void)t->module->C_FindObjectsFinal(t->session);
    }
    if (rv != CKR_OK)
        return module_failed(rv, "no search", err);
    if (n > 1)
        return base_err_set(err, FM_E_ARG,
                            "several keys of the token match the URI: name one by object= or id=");
    if (n == 1)
        *out = found[0];
    return FM_OK;
}

/* An attribute's value; false if the token does not tell it or it is longer than cap. */
static bool read_attribute(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                           void *out, size_t cap, size_t *len)
{
    CK_ATTRIBUTE attribute = {type, out, cap};

    if (t->module->C_GetAttributeValue(t->session, object, &attribute, 1) != CKR_OK ||
        attribute.ulValueLen > cap)
        return false;
    *len = attribute.ulValueLen;
    return true;
}

/* CKA_EC_PARAMS of the two curves: an object identifier or, for Ed25519, also its name. */
static const struct did_suite *suite_of(const uint8_t *params, size_t len)
{
    static const uint8_t p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    static const uint8_t ed25519[] = {6, 3, 0x2b, 0x65, 0x70};
    static const uint8_t edwards[] = "\x13\x0c"
                                     "edwards25519";

    if (len == sizeof p256 && memcmp(params, p256, len) == 0)
        return did_suite_p256();
    if ((len == sizeof ed25519 && memcmp(params, ed25519, len) == 0) ||
        (len == sizeof edwards - 1 && memcmp(params, edwards, len) == 0))
        return did_suite_ed25519();
    return NULL;
}

static fm_status find_key(struct token *t, struct base_err *err)
{
    CK_BBOOL out = CK_TRUE, signs = CK_FALSE, each_time = CK_FALSE;
    uint8_t params[64];
    size_t len;
    fm_status st = find_object(t, &t->key, CKO_PRIVATE_KEY, NULL, err);

    if (st != FM_OK)
        return st;
    if (t->key == 0)
        return base_err_set(err, FM_E_NOT_FOUND, "the token has no private key that the URI names");
    if (read_attribute(t, t->key, CKA_EC_PARAMS, params, sizeof params, &len))
        t->suite = suite_of(params, len);
    if (t->suite == NULL)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "the token's key is of no suite known here: P-256 or Ed25519 is");
    if (!read_attribute(t, t->key, CKA_EXTRACTABLE, &out, sizeof out, &len) || out != CK_FALSE)
        return base_err_set(err, FM_E_REFUSED,
                            "the token would let the key out (CKA_EXTRACTABLE): make one that "
                            "stays, on the token");
    if (!read_attribute(t, t->key, CKA_SIGN, &signs, sizeof signs, &len) || signs != CK_TRUE)
        return base_err_set(err, FM_E_REFUSED, "the token's key may not sign (CKA_SIGN)");
    if (read_attribute(t, t->key, CKA_ALWAYS_AUTHENTICATE, &each_time, sizeof each_time, &len) &&
        each_time != CK_FALSE)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "the token asks for the PIN at each signature "
                            "(CKA_ALWAYS_AUTHENTICATE), which is not offered");
    return FM_OK;
}

fm_status did_token_point(struct did_key *out, const struct did_suite *suite, const uint8_t *point,
                          size_t len, struct base_err *err)
{
    uint8_t bytes[DID_KEY_MAX];
    size_t want = suite == did_suite_ed25519() ? 32 : 65;

    if (len == want + 2 && point[0] == 4 && point[1] == want) { /* in an OCTET STRING */
        point += 2;
        len = want;
    }
    if (len != want || (want == 65 && point[0] != 4))
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "the token tells its public key in an unknown "
                            "form (CKA_EC_POINT of %zu bytes)",
                            len);
    if (want == 65) {
        bytes[0] = (uint8_t)(2 + (point[64] & 1));
        memcpy(bytes + 1, point + 1, 32);
    } else {
        memcpy(bytes, point, 32);
    }
    return did_key_make(out, suite, bytes, suite->key_len, DID_RULES_VERSION, err);
}

/* From the public key beside it, which has the same id. */
static fm_status read_public(const struct token *t, struct did_key *out, struct base_err *err)
{
    CK_OBJECT_HANDLE public = 0;
    uint8_t id[256], point[80];
    CK_ATTRIBUTE same = {CKA_ID, id, 0};
    size_t len = 0;
    fm_status st = FM_OK;

    if (read_attribute(t, t->key, CKA_ID, id, sizeof id, &len) && len > 0) {
        same.ulValueLen = len;
        st = find_object(t, &public, CKO_PUBLIC_KEY, &same, err);
    }
    if (st == FM_OK &&
        (public == 0 || !read_attribute(t, public, CKA_EC_POINT, point, sizeof point, &len)))
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "the token has no public key of the same id beside the private one");
    return st == FM_OK ? did_token_point(out, t->suite, point, len, err) : st;
}

/* ---- signing ---- */

static fm_status sign(void *ctx, uint8_t *signature, const void *message, size_t message_len,
                      struct base_err *err)
{
    struct token *t = ctx;
    bool hashed = t->suite == did_suite_p256();
    CK_MECHANISM mechanism = {hashed ? CKM_ECDSA : CKM_EDDSA, NULL, 0};
    CK_ULONG len = t->suite->signature_len;
    uint8_t hash[BASE_HASH_SIZE];
    CK_RV rv;

    if (hashed)
        base_sha256(hash, message, message_len);
    if (pthread_mutex_lock(&t->lock) != 0)
        return base_err_memory(err, "token");
    rv = t->module->C_SignInit(t->session, &mechanism, t->key);
    if (rv == CKR_OK)
        rv = t->module->C_Sign(t->session, hashed ? hash : (unsigned char *)(uintptr_t)message,
                               hashed ? sizeof hash : message_len, signature, &len);
    (void)pthread_mutex_unlock(&t->lock);
    if (rv != CKR_OK || len != t->suite->signature_len)
        return module_failed(rv, "no signature", err);
    return FM_OK;
}

static const struct did_signer signer = {sign, close_token};

static fm_status open_session(struct token *t, const char *uri, const struct did_passphrase *pin,
                              struct base_err *err)
{
    CK_SLOT_ID slot = 0;
    fm_status st;

    if ((st = parse_uri(t, uri, err)) != FM_OK || (st = load_modules(t, err)) != FM_OK ||
        (st = find_token(t, &slot, err)) != FM_OK || (st = log_in(t, slot, pin, err)) != FM_OK)
        return st;
    return find_key(t, err);
}

fm_status did_token_open(struct did_secret **out, const char *uri, const struct did_key *key,
                         const struct did_passphrase *pin, struct base_err *err)
{
    static const char probe[] = "firmiana:token:probe:1"; /* no message of ours: 22 bytes of text */
    struct token *t = calloc(1, sizeof *t);
    uint8_t signature[DID_SIGNATURE_MAX];
    struct did_key found;
    fm_status st;

    *out = NULL;
    if (t == NULL)
        return base_err_memory(err, "token");
    if (pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t);
        return base_err_memory(err, "token");
    }
    st = open_session(t, uri, pin, err);
    if (st == FM_OK && key == NULL)
        st = read_public(t, &found, err);
    if (st == FM_OK && key != NULL) {
        found = *key;
        if (key->suite != t->suite)
            st = base_err_set(err, FM_E_AUTH, "the token's key is of suite %s, not %s",
                              t->suite->name, key->suite->name);
    }
    if (st == FM_OK)
        st = did_secret_elsewhere(out, &found, &signer, t, err);
    else
        close_token(t);
    if (st == FM_OK) {
        st = did_secret_sign(*out, signature, probe, sizeof probe - 1, err);
        if (st != FM_OK) {
            did_secret_free(*out);
            *out = NULL;
        }
    }
    return st;
}
