#include "did/x509.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/multibase.h"

#define TYPE "FirmianaX509"
#define CERTIFICATE_MAX 16384
#define DOCUMENT_SIGNING "1.3.6.1.5.5.7.3.36" /* RFC 9336 */

static fm_status no_memory(struct base_err *err)
{
    ERR_clear_error();
    return base_err_memory(err, "certificate");
}

/* ---- certificates ---- */

/* OpenSSL 3.0 verifies SM2 signatures under the ID that it is told, else under an empty one. */
static bool set_sm2_id(X509 *cert)
{
    char group[32] = "";
    ASN1_OCTET_STRING *id;

    (void)EVP_PKEY_get_utf8_string_param(X509_get0_pubkey(cert), OSSL_PKEY_PARAM_GROUP_NAME, group,
                                         sizeof group, NULL);
    ERR_clear_error();
    if (strcmp(group, "SM2") != 0 && X509_get_signature_nid(cert) != NID_SM2_with_SM3)
        return true;
    id = ASN1_OCTET_STRING_new();
    if (id == NULL || ASN1_OCTET_STRING_set(id, (const unsigned char *)DID_SM2_SIGNER_ID,
                                            sizeof DID_SM2_SIGNER_ID - 1) != 1) {
        ASN1_OCTET_STRING_free(id);
        return false;
    }
    X509_set0_distinguishing_id(cert, id);
    return true;
}

static bool push(STACK_OF(X509) * out, X509 *cert)
{
    if (cert != NULL && set_sm2_id(cert) && sk_X509_push(out, cert) > 0)
        return true;
    X509_free(cert);
    return false;
}

/* All certificates of a PEM text; what else stands there is passed over. */
static fm_status read_pem(STACK_OF(X509) * out, const char *pem, size_t len, struct base_err *err)
{
    BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    X509 *cert;
    fm_status st = FM_OK;

    if (bio == NULL)
        return no_memory(err);
    while (st == FM_OK && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        st = push(out, cert) ? FM_OK : no_memory(err);
    if (st == FM_OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        st = base_err_set(err, FM_E_INPUT, "certificate %d cannot be read", sk_X509_num(out) + 1);
    ERR_clear_error();
    BIO_free(bio);
    return st;
}

static fm_status read_record(STACK_OF(X509) * out, const json_t *list, struct base_err *err)
{
    size_t n = json_array_size(list);
    fm_status st = FM_OK;

    if (n < 1 || n > DID_X509_CERTIFICATES_MAX)
        return base_err_set(err, FM_E_INPUT, "a record has 1 to %d certificates",
                            DID_X509_CERTIFICATES_MAX);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const json_t *item = json_array_get(list, i);
        struct base_buf der = {0};
        const unsigned char *at;
        X509 *cert = NULL;

        if (json_is_string(item) &&
            base_unbase64url(&der, json_string_value(item), json_string_length(item)) &&
            der.len <= CERTIFICATE_MAX) {
            at = der.p;
            cert = d2i_X509(NULL, &at, (long)der.len);
        }
        if (cert == NULL || at != der.p + der.len) {
            X509_free(cert);
            st = base_err_set(err, FM_E_INPUT, "certificate %zu is not base64url of DER", i + 1);
        } else if (!push(out, cert)) {
            st = no_memory(err);
        }
        ERR_clear_error();
        base_buf_release(&der);
    }
    return st;
}

/* ---- whose it is ---- */

/* The certificate's key as a key of ours: false if no suite has such keys. */
static bool key_of(struct did_key *out, X509 *cert, uint32_t rules_version)
{
    EVP_PKEY *pkey = X509_get0_pubkey(cert);
    uint8_t bytes[80];
    size_t len = sizeof bytes;
    char group[32] = "";
    struct base_err err = {0};
    const struct did_suite *suite = NULL;

    if (pkey == NULL)
        return false;
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        suite = EVP_PKEY_get_raw_public_key(pkey, bytes, &len) == 1 ? did_suite_ed25519() : NULL;
    } else if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                              NULL) == 1 &&
               EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes,
                                               &len) == 1) {
        if (strcmp(group, "prime256v1") == 0)
            suite = did_suite_p256();
        else if (strcmp(group, "SM2") == 0)
            suite = did_suite_sm2();
        if (len == 65 && bytes[0] == 4) { /* we write points compressed */
            bytes[0] = 2 + (bytes[64] & 1);
            len = 33;
        }
    }
    ERR_clear_error();
    return suite != NULL && did_key_make(out, suite, bytes, len, rules_version, &err) == FM_OK;
}

/* Whether a URI in subjectAltName is the DID, and whether one is another DID. */
static void look_at_names(X509 *cert, const char *did, bool *is_named, bool *is_another)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    *is_named = *is_another = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const char *uri;
        size_t len;
        if (name->type != GEN_URI)
            continue;
        uri = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
        len = (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
        if (len == strlen(did) && memcmp(uri, did, len) == 0)
            *is_named = true;
        else if (len >= 4 && memcmp(uri, "did:", 4) == 0)
            *is_another = true;
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

/* Rules 2 and 3. */
static fm_status check_binding(bool *by_key, bool *by_name, X509 *cert, const char *did,
                               const struct did_key *signer, uint32_t rules_version, fm_status code,
                               struct base_err *err)
{
    struct did_key key;
    bool is_another;

    look_at_names(cert, did, by_name, &is_another);
    *by_key = key_of(&key, cert, rules_version) && did_key_equal(&key, signer);
    if (is_another)
        return base_err_set(err, code, "the certificate names another DID than %s", did);
    if (!*by_key && !*by_name)
        return base_err_set(err, code,
                            "the certificate is not bound to %s: it is not that of the key that "
                            "signed, and its subjectAltName does not have the DID",
                            did);
    return FM_OK;
}

/* ---- attaching ---- */

static fm_status put_certificates(json_t **out, STACK_OF(X509) * certs, struct base_err *err)
{
    fm_status st = FM_OK;

    *out = json_array();
    for (int i = 0; st == FM_OK && i < sk_X509_num(certs); i++) {
        struct base_buf text = {0};
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(certs, i), &der);
        if (len > CERTIFICATE_MAX)
            st = base_err_set(err, FM_E_INPUT, "certificate %d is longer than %d bytes", i + 1,
                              CERTIFICATE_MAX);
        else if (len > 0)
            base_base64url(&text, der, (size_t)len);
        if (st == FM_OK && (len <= 0 || text.failed ||
                            json_array_append_new(*out, json_string(base_buf_cstr(&text))) != 0))
            st = no_memory(err);
        OPENSSL_free(der);
        base_buf_release(&text);
    }
    return st;
}

fm_status did_x509_attach(json_t **out, const char *pem, size_t len, const char *method,
                          const struct did_secret *secret, enum did_role role, int64_t created_s,
                          struct base_err *err)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    char did[DID_METHOD_TEXT];
    json_t *list = NULL;
    bool by_key, by_name;
    fm_status st = certs != NULL ? read_pem(certs, pem, len, err) : no_memory(err);

    *out = NULL;
    if (st == FM_OK && (sk_X509_num(certs) < 1 || sk_X509_num(certs) > DID_X509_CERTIFICATES_MAX))
        st = base_err_set(err, FM_E_INPUT, "it has %d certificates in PEM, not 1 to %d",
                          sk_X509_num(certs), DID_X509_CERTIFICATES_MAX);
    if (st == FM_OK && !did_method_split(did, method))
        st = base_err_set(err, FM_E_ARG, "'%.80s' names no key of a DID", method);
    if (st == FM_OK)
        st = check_binding(&by_key, &by_name, sk_X509_value(certs, 0), did, did_secret_key(secret),
                           DID_RULES_VERSION, FM_E_CONFLICT, err);
    if (st == FM_OK)
        st = put_certificates(&list, certs, err);
    if (st == FM_OK) {
        *out = json_pack("{s:O, s:s, s:s}", "certificates", list, "did", did, "type", TYPE);
        st = *out != NULL ? did_proof_add(*out, secret, method, role, created_s, err)
                          : no_memory(err);
    }
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    json_decref(list);
    sk_X509_pop_free(certs, X509_free);
    return st;
}

/* ---- checking the chain ---- */

/* Rule 5: a certificate's extendedKeyUsage. */
static bool is_use_ours(X509 *cert)
{
    EXTENDED_KEY_USAGE *extended = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    bool is_for_us = extended == NULL;

    for (int i = 0; i < sk_ASN1_OBJECT_num(extended); i++) {
        const ASN1_OBJECT *use = sk_ASN1_OBJECT_value(extended, i);
        char oid[64] = "";
        int nid = OBJ_obj2nid(use);
        (void)OBJ_obj2txt(oid, sizeof oid, use, 1);
        is_for_us |= nid == NID_client_auth || nid == NID_email_protect ||
                     nid == NID_anyExtendedKeyUsage || strcmp(oid, DOCUMENT_SIGNING) == 0;
    }
    sk_ASN1_OBJECT_pop_free(extended, ASN1_OBJECT_free);
    ERR_clear_error();
    return is_for_us;
}

/* Rule 5, of the member's own certificate. */
static fm_status check_use(X509 *cert, struct base_err *err)
{
    uint32_t usage = X509_get_key_usage(cert); /* all bits if it does not say */

    if (X509_check_ca(cert) != 0)
        return base_err_set(err, FM_E_INVALID, "the certificate is a CA's own");
    if ((usage & (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION)) == 0)
        return base_err_set(err, FM_E_INVALID, "the certificate's key may not sign (keyUsage)");
    if (!is_use_ours(cert))
        return base_err_set(err, FM_E_INVALID,
                            "the certificate is for other uses (extendedKeyUsage)");
    return FM_OK;
}

/* Rule 5, of those between it and the root: a CA for web servers names no members. */
static fm_status check_issuers(STACK_OF(X509) * chain, struct base_err *err)
{
    for (int i = 1; i + 1 < sk_X509_num(chain); i++)
        if (!is_use_ours(sk_X509_value(chain, i)))
            return base_err_set(err, FM_E_INVALID,
                                "certificate %d of the chain: the CA is for other uses "
                                "(extendedKeyUsage)",
                                i + 1);
    return FM_OK;
}

static fm_status add_crls(X509_STORE *store, const struct did_x509_terms *terms,
                          struct base_err *err)
{
    BIO *bio =
        terms->crls_len <= INT32_MAX ? BIO_new_mem_buf(terms->crls, (int)terms->crls_len) : NULL;
    X509_CRL *crl;
    int n = 0;
    fm_status st = FM_OK;

    if (bio == NULL)
        return no_memory(err);
    while (st == FM_OK && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        n++;
        if (X509_CRL_get_signature_nid(crl) == NID_SM2_with_SM3)
            st = base_err_set(err, FM_E_UNSUPPORTED,
                              "revocation list %d is signed by SM2: OpenSSL checks such a list "
                              "only without the signer's ID, which none leaves out",
                              n);
        else if (X509_STORE_add_crl(store, crl) != 1)
            st = no_memory(err);
        X509_CRL_free(crl);
    }
    if (st == FM_OK && (n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
        st = base_err_set(err, FM_E_ARG,
                          n == 0 ? "no revocation list (PEM) is there"
                                 : "revocation list %d cannot be read",
                          n + 1);
    if (st == FM_OK)
        (void)X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    ERR_clear_error();
    BIO_free(bio);
    return st;
}

static fm_status make_store(X509_STORE **out, const struct did_x509_terms *terms,
                            struct base_err *err)
{
    STACK_OF(X509) *roots = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    fm_status st = roots != NULL && store != NULL
                       ? read_pem(roots, terms->roots, terms->roots_len, err)
                       : no_memory(err);

    if (st == FM_E_INPUT || (st == FM_OK && sk_X509_num(roots) == 0))
        st = base_err_set(err, FM_E_ARG, "no readable certificate (PEM) of a CA is there");
    for (int i = 0; st == FM_OK && i < sk_X509_num(roots); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(roots, i)) != 1)
            st = no_memory(err);
    if (st == FM_OK && terms->crls != NULL)
        st = add_crls(store, terms, err);
    if (st != FM_OK) {
        X509_STORE_free(store);
        store = NULL;
    }
    sk_X509_pop_free(roots, X509_free);
    *out = store;
    return st;
}

/* OpenSSL's verdict in our words. */
static fm_status say(X509_STORE_CTX *ctx, struct base_err *err)
{
    int code = X509_STORE_CTX_get_error(ctx);
    X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
    char name[DID_X509_NAME] = "";
    fm_status st = FM_E_AUTH;

    if (code == X509_V_ERR_OUT_OF_MEM)
        return no_memory(err);
    if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID ||
        code == X509_V_ERR_CERT_REVOKED)
        st = FM_E_INVALID;
    if (cert != NULL)
        (void)X509_NAME_oneline(X509_get_subject_name(cert), name, sizeof name);
    ERR_clear_error();
    return base_err_set(err, st, "certificate %d of the chain%s%.150s: %s",
                        X509_STORE_CTX_get_error_depth(ctx) + 1, name[0] != '\0' ? ", " : "", name,
                        X509_verify_cert_error_string(code));
}

/* Rule 4, and 6. */
static fm_status check_chain(STACK_OF(X509) * certs, const struct did_x509_terms *terms,
                             struct base_err *err)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE *store = NULL;
    X509_VERIFY_PARAM *param;
    fm_status st = ctx != NULL ? make_store(&store, terms, err) : no_memory(err);

    if (st == FM_OK && X509_STORE_CTX_init(ctx, store, sk_X509_value(certs, 0), certs) != 1)
        st = no_memory(err);
    if (st == FM_OK) {
        param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, (time_t)terms->at_s);
        X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits */
        X509_VERIFY_PARAM_set_depth(param, DID_X509_CERTIFICATES_MAX);
        if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) != 1)
            st = no_memory(err);
        else if (X509_verify_cert(ctx) != 1)
            st = say(ctx, err);
        else
            st = check_issuers(X509_STORE_CTX_get0_chain(ctx), err);
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return st;
}

/* ---- checking a record ---- */

static void put_name(char out[DID_X509_NAME], const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int len = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_read(bio, out, DID_X509_NAME - 1);
    out[len > 0 ? len : 0] = '\0';
    BIO_free(bio);
}

static int64_t unix_of(const ASN1_TIME *when)
{
    ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;

    (void)ASN1_TIME_diff(&days, &seconds, zero, when);
    ASN1_TIME_free(zero);
    return (int64_t)days * 86400 + seconds;
}

static void put_facts(struct did_x509_facts *out, X509 *cert)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    int len = ASN1_STRING_length(serial);

    put_name(out->subject, X509_get_subject_name(cert));
    put_name(out->issuer, X509_get_issuer_name(cert));
    base_hex(out->serial, ASN1_STRING_get0_data(serial), len < 31 ? (size_t)len : 31);
    out->from_s = unix_of(X509_get0_notBefore(cert));
    out->until_s = unix_of(X509_get0_notAfter(cert));
}

fm_status did_x509_did(const char **out, const json_t *record, struct base_err *err)
{
    static const char *const members[] = {"certificates", "did", "proof", "type", NULL};
    const char *type;
    json_t *list;
    fm_status st;

    if ((st = base_json_only(record, members, err)) != FM_OK ||
        (st = base_json_get_str(out, record, "did", err)) != FM_OK ||
        (st = base_json_get_array(&list, record, "certificates", err)) != FM_OK ||
        (st = base_json_get_str(&type, record, "type", err)) != FM_OK)
        return st;
    return strcmp(type, TYPE) == 0
               ? FM_OK
               : base_err_set(err, FM_E_INPUT, "type '%.40s' is not " TYPE, type);
}

/* Rule 1. The role is the one that the proof says it is for. */
static fm_status check_proof(struct did_proof *proof, enum did_role *role, const json_t *record,
                             const struct did_document *doc, uint32_t rules_version,
                             struct base_err *err)
{
    const struct did_resolver resolver = did_document_resolver(doc);
    const char *purpose =
        json_string_value(json_object_get(json_object_get(record, "proof"), "proofPurpose"));

    *role = purpose != NULL && strcmp(purpose, did_role_name(DID_ROLE_INVOCATION)) == 0
                ? DID_ROLE_INVOCATION
                : DID_ROLE_ASSERTION;
    return did_proof_verify(proof, record, *role, rules_version, &resolver, err);
}

fm_status did_x509_verify(struct did_x509_facts *out, const json_t *record,
                          const struct did_document *doc, const struct did_x509_terms *terms,
                          struct base_err *err)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    struct did_proof proof;
    const char *did;
    fm_status st = certs != NULL ? did_x509_did(&did, record, err) : no_memory(err);

    *out = (struct did_x509_facts){0};
    if (st == FM_OK && strcmp(did, did_document_id(doc)) != 0)
        st = base_err_set(err, FM_E_INVALID, "the record is %.120s's, the document %s's", did,
                          did_document_id(doc));
    if (st == FM_OK)
        st = check_proof(&proof, &out->role, record, doc, terms->rules_version, err);
    if (st == FM_OK)
        st = read_record(certs, json_object_get(record, "certificates"), err);
    if (st == FM_OK)
        st = check_binding(&out->by_key, &out->by_name, sk_X509_value(certs, 0), did, &proof.key,
                           terms->rules_version, FM_E_INVALID, err);
    if (st == FM_OK)
        st = check_chain(certs, terms, err);
    if (st == FM_OK)
        st = check_use(sk_X509_value(certs, 0), err);
    if (st == FM_OK)
        put_facts(out, sk_X509_value(certs, 0));
    else
        *out = (struct did_x509_facts){0};
    sk_X509_pop_free(certs, X509_free);
    return st;
}
