#include "net/identity.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/profile.h"
#include "net/sm2.h"

struct net_identity {
    char name[NET_NAME_MAX + 1];
    uint8_t key33[NET_KEY];
    EVP_PKEY *key;
    SSL_CTX *tls; /* NULL with an SM2 key */
};

bool net_name_ok(const char *name)
{
    size_t i;

    if (name[0] < 'a' || name[0] > 'z')
        return false;
    for (i = 1; name[i] != '\0'; i++)
        if (i == NET_NAME_MAX || ((name[i] < 'a' || name[i] > 'z') &&
                                  (name[i] < '0' || name[i] > '9') && name[i] != '_'))
            return false;
    return true;
}

/* Always valid: whether the key is good at a given time is the ledger's to say, not a date's. */
static int fill_certificate(X509 *cert, const char *name, EVP_PKEY *key)
{
    X509_NAME *subject = X509_get_subject_name(cert);

    return X509_set_version(cert, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "19700101000000Z") == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "99991231235959Z") == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(cert, subject) == 1 && X509_set_pubkey(cert, key) == 1 &&
           X509_sign(cert, key, NULL) > 0;
}

/* The protocol's name is agreed by ALPN, so that another protocol's connection is never taken for
 * ours: length, then the name. */
static const unsigned char alpn[] = "\x0a"
                                    "firmiana/1";

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, alpn, sizeof alpn - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* In place of X.509 path validation: there is no path, and no authority but the verifier's. That
 * the peer holds the key is shown by TLS's CertificateVerify. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct net_verifier *v = SSL_get_app_data(ssl);
    bool ok = v->accept(v, X509_STORE_CTX_get0_cert(store),
                        sk_X509_num(X509_STORE_CTX_get0_untrusted(store)));

    (void)arg;
    X509_STORE_CTX_set_error(store, ok ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return ok;
}

static int configure(SSL_CTX *tls)
{
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(tls, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(tls, 4096);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(tls, verify, NULL);
    SSL_CTX_set_alpn_select_cb(tls, choose_alpn, NULL);
    return SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(tls, 0) == 1 && SSL_CTX_set_max_early_data(tls, 0) == 1 &&
           SSL_CTX_set_ciphersuites(tls, "TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set1_groups_list(tls, "X25519") == 1 &&
           SSL_CTX_set1_sigalgs_list(tls, "ed25519") == 1 &&
           SSL_CTX_set_alpn_protos(tls, alpn, sizeof alpn - 1) == 0;
}

static bool set_up_tls(struct net_identity *id)
{
    X509 *cert = X509_new();
    size_t len = NET_SEED;
    bool good = cert != NULL && EVP_PKEY_get_raw_public_key(id->key, id->key33, &len) == 1 &&
                (id->tls = SSL_CTX_new(TLS_method())) != NULL &&
                fill_certificate(cert, id->name, id->key) && configure(id->tls) &&
                SSL_CTX_use_certificate(id->tls, cert) == 1 &&
                SSL_CTX_use_PrivateKey(id->tls, id->key) == 1;

    X509_free(cert);
    return good;
}

fm_status net_identity_new(struct net_identity **out, const char *name, EVP_PKEY *key,
                           struct base_err *err)
{
    const char *kind = base_profile_is_national() ? "SM2" : "ED25519";
    struct net_identity *id;

    *out = NULL;
    if (!net_name_ok(name))
        return base_err_set(err, FM_E_ARG, "'%.80s' is no party's name: [a-z][a-z0-9_]*, up to %d",
                            name, NET_NAME_MAX);
    if (!EVP_PKEY_is_a(key, kind))
        return base_err_set(err, FM_E_ARG, "%s: a channel needs an %s key: the profile is %s", name,
                            kind, base_profile_name(base_profile()));
    if (!(id = calloc(1, sizeof *id)))
        return base_err_memory(err, "identity");
    strcpy(id->name, name);
    if (EVP_PKEY_up_ref(key) == 1)
        id->key = key;
    if (id->key != NULL &&
        (base_profile_is_national() ? net_sm2_public(id->key33, key) : set_up_tls(id))) {
        *out = id;
        return FM_OK;
    }
    /* UNTESTED: memory, or an OpenSSL without TLS 1.3 or these keys. */
    net_identity_free(id);
    return base_err_set(err, FM_E_MEMORY, "%s: OpenSSL cannot set up a channel with this key",
                        name);
}

fm_status net_identity_from_seed(struct net_identity **out, const char *name,
                                 const uint8_t seed32[NET_SEED], struct base_err *err)
{
    EVP_PKEY *key = NULL;
    fm_status rv = FM_OK;

    *out = NULL;
    if (base_profile_is_national())
        rv = net_sm2_from_secret(&key, seed32, err);
    else if (!(key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed32, NET_SEED)))
        rv = base_err_memory(err, "Ed25519 key");
    if (rv == FM_OK)
        rv = net_identity_new(out, name, key, err);
    EVP_PKEY_free(key);
    return rv;
}

void net_identity_free(struct net_identity *id)
{
    if (!id)
        return;
    SSL_CTX_free(id->tls);
    EVP_PKEY_free(id->key);
    free(id);
}

const char *net_identity_name(const struct net_identity *id)
{
    return id->name;
}

const uint8_t *net_identity_key(const struct net_identity *id)
{
    return id->key33;
}

EVP_PKEY *net_identity_pkey(const struct net_identity *id)
{
    return id->key;
}

SSL *net_identity_ssl(const struct net_identity *id, struct net_verifier *verifier)
{
    SSL *ssl = id->tls != NULL ? SSL_new(id->tls) : NULL;

    if (ssl)
        SSL_set_app_data(ssl, verifier);
    return ssl;
}

fm_status net_certificate_read(char name[NET_NAME_MAX + 1], uint8_t key33[NET_KEY], X509 *cert,
                               struct base_err *err)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    EVP_PKEY *key = X509_get0_pubkey(cert);
    size_t len = NET_SEED;
    int n;

    memset(key33, 0, NET_KEY);
    if (!key || !EVP_PKEY_is_a(key, "ED25519") ||
        EVP_PKEY_get_raw_public_key(key, key33, &len) != 1 || len != NET_SEED)
        return base_err_set(err, FM_E_AUTH, "the certificate's key is not Ed25519");
    n = X509_NAME_get_text_by_NID(subject, NID_commonName, name, NET_NAME_MAX + 1);
    if (X509_NAME_entry_count(subject) != 1 || n < 1 || (size_t)n != strlen(name) ||
        !net_name_ok(name))
        return base_err_set(err, FM_E_AUTH, "the certificate does not name one party");
    if (X509_NAME_cmp(subject, X509_get_issuer_name(cert)) != 0 || X509_verify(cert, key) != 1)
        return base_err_set(err, FM_E_AUTH, "the certificate is not signed by its own key");
    return FM_OK;
}
