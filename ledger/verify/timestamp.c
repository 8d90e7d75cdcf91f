#include "ledger/verify/timestamp.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ts.h>

static fm_status fail(struct base_err *err, fm_status code, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    fm_status st = base_err_set(err, code, "time stamp: %s%s%s", what, why != NULL ? ": " : "",
                                why != NULL ? why : "");

    ERR_clear_error();
    return st;
}

/* The hash of the anchor; 32 bytes under both algorithms. */
static fm_status imprint_of(uint8_t out32[32], const EVP_MD **md, const char *algorithm,
                            const uint8_t anchor32[32], struct base_err *err)
{
    unsigned len = 0;

    *md = EVP_get_digestbyname(algorithm);
    if (*md == NULL || EVP_Digest(anchor32, 32, out32, &len, *md, NULL) != 1 || len != 32)
        return fail(err, FM_E_UNSUPPORTED, "this OpenSSL does not have the hash");
    return FM_OK;
}

static TS_MSG_IMPRINT *make_imprint(const EVP_MD *md, uint8_t hash32[32])
{
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algor = X509_ALGOR_new();
    bool good = imprint != NULL && algor != NULL &&
                X509_ALGOR_set0(algor, OBJ_nid2obj(EVP_MD_get_type(md)), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algor) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, hash32, 32) == 1;

    X509_ALGOR_free(algor);
    if (!good) {
        TS_MSG_IMPRINT_free(imprint);
        return NULL;
    }
    return imprint;
}

fm_status ledger_timestamp_request(struct base_buf *out, const char *algorithm,
                                   const uint8_t anchor32[32], uint64_t nonce, struct base_err *err)
{
    TS_REQ *req = TS_REQ_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    TS_MSG_IMPRINT *imprint = NULL;
    unsigned char *der = NULL;
    const EVP_MD *md;
    uint8_t hash[32];
    int len = -1;
    fm_status st = imprint_of(hash, &md, algorithm, anchor32, err);

    if (st == FM_OK)
        imprint = make_imprint(md, hash);
    if (st == FM_OK && req != NULL && number != NULL && imprint != NULL &&
        TS_REQ_set_version(req, 1) == 1 && TS_REQ_set_msg_imprint(req, imprint) == 1 &&
        ASN1_INTEGER_set_uint64(number, nonce) == 1 && TS_REQ_set_nonce(req, number) == 1 &&
        TS_REQ_set_cert_req(req, 1) == 1)
        len = i2d_TS_REQ(req, &der);
    if (st == FM_OK && len > 0)
        base_buf_put(out, der, (size_t)len);
    else if (st == FM_OK)
        st = fail(err, FM_E_MEMORY, "the request cannot be made");
    OPENSSL_free(der);
    TS_MSG_IMPRINT_free(imprint);
    ASN1_INTEGER_free(number);
    TS_REQ_free(req);
    return st == FM_OK ? base_buf_status(out, "time stamp", err) : st;
}

/* ---- checking ---- */

/* Everything that the token must be, but for its time. */
static fm_status verify_token(PKCS7 *token, const uint8_t hash32[32], const char *ca_file,
                              struct base_err *err)
{
    TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
    X509_STORE *store = ca_file != NULL ? X509_STORE_new() : NULL;
    unsigned char *copy = OPENSSL_memdup(hash32, 32);
    int flags = TS_VFY_VERSION | TS_VFY_IMPRINT | (ca_file != NULL ? TS_VFY_SIGNATURE : 0);
    fm_status st = FM_OK;

    if (ctx == NULL || copy == NULL || (ca_file != NULL && store == NULL)) {
        OPENSSL_free(copy);
        st = base_err_memory(err, "time stamp");
    } else {
        TS_VERIFY_CTX_set_flags(ctx, flags);
        TS_VERIFY_CTX_set_imprint(ctx, copy, 32); /* takes it */
        if (store != NULL && X509_STORE_load_file(store, ca_file) != 1)
            st = fail(err, FM_E_INPUT, ca_file);
        else if (store != NULL)
            TS_VERIFY_CTX_set_store(ctx, store); /* takes it */
        if (st == FM_OK) {
            store = NULL;
            if (TS_RESP_verify_token(ctx, token) != 1)
                st = fail(err, FM_E_INVALID, "it does not verify");
        }
    }
    X509_STORE_free(store);
    TS_VERIFY_CTX_free(ctx);
    return st;
}

/* The hash that the token stamps, which the imprint check leaves open. */
static bool is_of(TS_TST_INFO *info, const EVP_MD *md)
{
    const ASN1_OBJECT *oid;

    X509_ALGOR_get0(&oid, NULL, NULL, TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
    return OBJ_obj2nid(oid) == EVP_MD_get_type(md);
}

static int64_t number_of(const ASN1_INTEGER *n)
{
    int64_t v = 0;

    return n != NULL && ASN1_INTEGER_get_int64(&v, n) == 1 && v >= 0 && v < 1000000 ? v : 0;
}

static fm_status read_time(struct ledger_timestamp *out, const TS_TST_INFO *info,
                           struct base_err *err)
{
    const TS_ACCURACY *accuracy = TS_TST_INFO_get_accuracy((TS_TST_INFO *)(uintptr_t)info);
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool good = epoch != NULL &&
                ASN1_TIME_diff(&days, &seconds, epoch, TS_TST_INFO_get_time(info)) == 1 &&
                days >= 0 && seconds >= 0;

    ASN1_TIME_free(epoch);
    if (!good)
        return fail(err, FM_E_INPUT, "its time cannot be read");
    out->time_ms = ((int64_t)days * 86400 + seconds) * 1000;
    out->accuracy_ms = accuracy == NULL
                           ? -1
                           : number_of(TS_ACCURACY_get_seconds(accuracy)) * 1000 +
                                 number_of(TS_ACCURACY_get_millis(accuracy)) +
                                 (number_of(TS_ACCURACY_get_micros(accuracy)) + 999) / 1000;
    return FM_OK;
}

fm_status ledger_timestamp_check(struct ledger_timestamp *out, const char *algorithm,
                                 const uint8_t anchor32[32], const void *token, size_t len,
                                 const char *ca_file, struct base_err *err)
{
    const unsigned char *at = token;
    PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)len);
    TS_TST_INFO *info =
        p7 != NULL && at == (const unsigned char *)token + len ? PKCS7_to_TS_TST_INFO(p7) : NULL;
    const EVP_MD *md;
    uint8_t hash[32];
    fm_status st = imprint_of(hash, &md, algorithm, anchor32, err);

    if (st == FM_OK && info == NULL)
        st = fail(err, FM_E_INPUT, "it is no token");
    if (st == FM_OK && !is_of(info, md))
        st = fail(err, FM_E_INVALID, "it stamps another hash");
    if (st == FM_OK)
        st = verify_token(p7, hash, ca_file, err);
    if (st == FM_OK)
        st = read_time(out, info, err);
    TS_TST_INFO_free(info);
    PKCS7_free(p7);
    ERR_clear_error();
    return st;
}

/* ---- an answer ---- */

static fm_status check_answer(TS_RESP *resp, uint64_t nonce, struct base_err *err)
{
    long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(resp)));
    const ASN1_INTEGER *its;
    uint64_t value = 0;

    if ((status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS) ||
        TS_RESP_get_token(resp) == NULL)
        return fail(err, FM_E_REFUSED, "the authority refused to stamp this");
    its = TS_TST_INFO_get_nonce(TS_RESP_get_tst_info(resp));
    if (its == NULL || ASN1_INTEGER_get_uint64(&value, its) != 1 || value != nonce)
        return fail(err, FM_E_INVALID, "it is the answer to another request");
    return FM_OK;
}

fm_status ledger_timestamp_take(struct base_buf *token, const char *algorithm,
                                const uint8_t anchor32[32], uint64_t nonce, const void *response,
                                size_t len, struct base_err *err)
{
    const unsigned char *at = response;
    TS_RESP *resp = d2i_TS_RESP(NULL, &at, (long)len);
    struct ledger_timestamp said;
    unsigned char *der = NULL;
    int n = -1;
    fm_status st = resp != NULL ? check_answer(resp, nonce, err)
                                : fail(err, FM_E_INPUT, "that is no answer of an authority");

    if (st == FM_OK)
        n = i2d_PKCS7(TS_RESP_get_token(resp), &der);
    if (st == FM_OK && n <= 0)
        st = fail(err, FM_E_INPUT, "it holds no token");
    if (st == FM_OK)
        st = ledger_timestamp_check(&said, algorithm, anchor32, der, (size_t)n, NULL, err);
    if (st == FM_OK)
        base_buf_put(token, der, (size_t)n);
    OPENSSL_free(der);
    TS_RESP_free(resp);
    return st == FM_OK ? base_buf_status(token, "time stamp", err) : st;
}
