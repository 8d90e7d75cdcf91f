#include <openssl/evp.h>

#include "net/test_channel.h"

static void agree(struct world *w)
{
    uint8_t context[32] = {0}, x[32], y[32];

    assert_int_equal(net_channel_export(w->dials, x, "session", context, &w->err), FM_OK);
    assert_int_equal(net_channel_export(w->accepts, y, "session", context, &w->err), FM_OK);
    assert_memory_equal(x, y, 32);
    assert_string_equal(net_channel_peer(w->accepts), "bank_a");
}

static void handshake_gives_equal_secrets(void **state)
{
    uint8_t context[32] = {0}, x[32], z[32];
    struct world w;
    bool met;

    (void)state;
    world_init(&w);
    open_ends(&w, w.a);
    assert_int_equal(shake(&w, 0, 0, 0, &met), FM_OK);
    assert_true(net_channel_done(w.dials) && net_channel_done(w.accepts));
    assert_string_equal(net_channel_peer(w.dials), "bank_b");
    assert_string_equal(net_channel_peer(w.accepts), "bank_a");
    agree(&w);
    assert_int_equal(net_channel_export(w.dials, x, "session", context, &w.err), FM_OK);
    assert_int_equal(net_channel_export(w.dials, z, "control", context, &w.err), FM_OK);
    assert_memory_not_equal(x, z, 32);
    context[31] = 1;
    assert_int_equal(net_channel_export(w.dials, z, "session", context, &w.err), FM_OK);
    assert_memory_not_equal(x, z, 32);
    /* A rotated key is seen when asked again. */
    assert_true(net_channel_key_current(w.accepts));
    w.book.key[0][5] ^= 1;
    assert_false(net_channel_key_current(w.accepts));
    assert_true(net_channel_key_current(w.dials));
    world_release(&w);
}

static void wrong_keys_and_names_are_refused(void **state)
{
    struct net_identity *c = identity("bank_c", 4);
    struct world w;
    bool met;

    (void)state;
    world_init(&w);
    open_ends(&w, w.mallory);
    assert_int_equal(shake(&w, 0, 0, 0, &met), FM_E_AUTH);
    assert_non_null(strstr(w.err.text, "'s key is not bank_a's registered key"));
    assert_false(net_channel_done(w.accepts));
    /* The dialler thought it was through, until the alert came. */
    assert_true(net_channel_done(w.dials));
    assert_int_equal(net_channel_handshake(w.dials, w.to_a.p, w.to_a.len, &w.to_b, &w.err),
                     FM_E_PEER);
    open_ends(&w, c);
    assert_int_equal(shake(&w, 0, 0, 0, &met), FM_E_AUTH);
    assert_string_equal(w.err.text, "bank_c is not a peer of this node");
    /* bank_a dials bank_b but meets bank_c. */
    enter(&w, 2, c);
    open_ends(&w, w.a);
    net_channel_free(w.accepts);
    assert_int_equal(net_channel_new(&w.accepts, c, &w.keys, NET_ACCEPTS, NULL, &w.err), FM_OK);
    assert_int_equal(shake(&w, 0, 0, 0, &met), FM_E_AUTH);
    assert_non_null(strstr(w.err.text, " names bank_c"));
    world_release(&w);
    net_identity_free(c);
}

static void altered_handshakes_never_finish(void **state)
{
    struct world w;
    bool met;

    (void)state;
    world_init(&w);
    for (int flight = 1; flight <= 3; flight++)
        for (size_t at = 0;; at += flight == 1 ? 1 : 7) {
            fm_status rv;
            open_ends(&w, w.a);
            rv = shake(&w, flight, at, (uint8_t)(1u << at % 8), &met);
            if (!met)
                break;
            /* Waiting for more is fine too: the deadline ends it. The record layer's own version
             * bytes are outside of TLS's transcript: then the ends agree on everything else. */
            if (net_channel_done(w.accepts)) {
                assert_int_equal(rv, FM_OK);
                assert_in_range(at, 1, 2);
                agree(&w);
            }
        }
    world_release(&w);
}

static void garbage_and_floods_are_refused(void **state)
{
    uint8_t junk[600];
    struct base_buf out = {0};
    struct world w;
    fm_status rv = FM_OK;

    (void)state;
    world_init(&w);
    open_ends(&w, w.a);
    memset(junk, 'G', sizeof junk);
    assert_int_equal(net_channel_handshake(w.accepts, junk, sizeof junk, &out, &w.err), FM_E_PEER);
    /* A hello of 64 kB in well-formed records is cut off at the limit. */
    open_ends(&w, w.a);
    memset(junk, 0, sizeof junk);
    memcpy(junk, "\x16\x03\x01\x02\x53\x01\x01\x00\x00\x03\x03", 11);
    for (int i = 0; rv == FM_OK && i < 40; i++) {
        rv = net_channel_handshake(w.accepts, junk, sizeof junk, &out, &w.err);
        memset(junk + 5, 0, 6);
        assert_true(i <= NET_HANDSHAKE_MAX / (int)sizeof junk);
    }
    assert_int_equal(rv, FM_E_LIMIT);
    /* A truncated hello waits, and is never done. */
    open_ends(&w, w.a);
    assert_int_equal(net_channel_handshake(w.dials, NULL, 0, &w.to_b, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(w.accepts, w.to_b.p, w.to_b.len - 1, &w.to_a, &w.err),
                     FM_OK);
    assert_int_equal(w.to_a.len, 0);
    assert_false(net_channel_done(w.accepts));
    base_buf_release(&out);
    world_release(&w);
}

/* A TLS client made by hand, so that it can do what a channel never would. */
struct rogue {
    struct net_verifier verifier;
    SSL *ssl;
};

static bool take_any(struct net_verifier *self, X509 *cert, int chain_len)
{
    (void)self;
    (void)cert;
    (void)chain_len;
    return true;
}

static fm_status run_rogue(struct world *w, struct rogue *r)
{
    struct base_buf out = {0};
    fm_status rv = FM_OK;

    SSL_set_connect_state(r->ssl);
    SSL_set_bio(r->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    for (int i = 0; rv == FM_OK && i < 4; i++) {
        char *bytes;
        long n;
        (void)SSL_do_handshake(r->ssl);
        n = BIO_get_mem_data(SSL_get_wbio(r->ssl), &bytes);
        rv = net_channel_handshake(w->accepts, bytes, (size_t)n, &out, &w->err);
        (void)BIO_reset(SSL_get_wbio(r->ssl));
        BIO_write(SSL_get_rbio(r->ssl), out.p, (int)out.len);
        base_buf_clear(&out);
    }
    base_buf_release(&out);
    SSL_free(r->ssl);
    return rv;
}

static void rogue_clients_are_refused(void **state)
{
    struct rogue r = {.verifier = {take_any}};
    struct world w;

    (void)state;
    world_init(&w);
    for (int what = 0; what < 5; what++) {
        fm_status rv;
        open_ends(&w, w.a);
        r.ssl = net_identity_ssl(w.a, &r.verifier);
        assert_non_null(r.ssl);
        if (what == 1)
            assert_int_equal(SSL_add1_chain_cert(r.ssl, SSL_get_certificate(r.ssl)), 1);
        if (what == 2)
            SSL_certs_clear(r.ssl); /* no certificate at all */
        if (what == 3)
            assert_int_equal(SSL_set_alpn_protos(r.ssl, (const uint8_t *)"\2h2", 3), 0);
        if (what == 4) {
            assert_int_equal(SSL_set_min_proto_version(r.ssl, TLS1_2_VERSION), 1);
            assert_int_equal(SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION), 1);
        }
        rv = run_rogue(&w, &r);
        assert_int_equal(net_channel_done(w.accepts), what == 0);
        if (what == 0)
            assert_int_equal(rv, FM_OK);
        else
            assert_int_equal(rv, what == 1 ? FM_E_AUTH : FM_E_PEER);
        if (what == 1)
            assert_string_equal(w.err.text, "the peer sent more than its own certificate");
    }
    world_release(&w);
}

static void certificates_are_read_strictly(void **state)
{
    char name[NET_NAME_MAX + 1];
    struct net_verifier v = {take_any};
    struct base_err err;
    uint8_t key[NET_KEY];
    struct world w;
    SSL *a, *other;

    (void)state;
    world_init(&w);
    a = net_identity_ssl(w.a, &v);
    other = net_identity_ssl(w.mallory, &v);
    for (int what = 0; what < 6; what++) {
        X509 *cert = X509_dup(SSL_get_certificate(a));
        EVP_PKEY *signer = SSL_get_privatekey(what == 1 ? other : a);
        EVP_PKEY *p256 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
        X509_NAME *subject = X509_get_subject_name(cert);
        fm_status rv;
        if (what == 2)
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"bank_b", -1,
                                       -1, 0);
        if (what == 3)
            X509_NAME_add_entry_by_txt(X509_get_issuer_name(cert), "O", MBSTRING_ASC,
                                       (const uint8_t *)"x", -1, -1, 0);
        if (what == 4)
            X509_NAME_ENTRY_free(X509_NAME_delete_entry(subject, 0));
        if (what == 2)
            assert_int_equal(X509_set_issuer_name(cert, subject), 1);
        if (what == 5)
            assert_int_equal(X509_set_pubkey(cert, p256), 1);
        assert_true(X509_sign(cert, what == 5 ? p256 : signer, what == 5 ? EVP_sha256() : NULL) >
                    0);
        rv = net_certificate_read(name, key, cert, &err);
        assert_int_equal(rv, what == 0 ? FM_OK : FM_E_AUTH);
        X509_free(cert);
        EVP_PKEY_free(p256);
    }
    SSL_free(a);
    SSL_free(other);
    world_release(&w);
}

static void identities_are_checked(void **state)
{
    static const char *const bad[] = {"", "Bank", "1bank", "bank-a", "bank a", "b\xc3\xa4nk"};
    struct net_identity *id = NULL;
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    char long_name[80];
    uint8_t seed[32] = {9};
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(net_identity_from_seed(&id, bad[i], seed, &err), FM_E_ARG);
    memset(long_name, 'a', sizeof long_name);
    long_name[NET_NAME_MAX + 1] = '\0';
    assert_int_equal(net_identity_from_seed(&id, long_name, seed, &err), FM_E_ARG);
    long_name[NET_NAME_MAX] = '\0';
    assert_int_equal(net_identity_from_seed(&id, long_name, seed, &err), FM_OK);
    net_identity_free(id);
    assert_int_equal(net_identity_new(&id, "bank_a", other, &err), FM_E_ARG);
    EVP_PKEY_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_gives_equal_secrets),
        cmocka_unit_test(wrong_keys_and_names_are_refused),
        cmocka_unit_test(altered_handshakes_never_finish),
        cmocka_unit_test(garbage_and_floods_are_refused),
        cmocka_unit_test(rogue_clients_are_refused),
        cmocka_unit_test(certificates_are_read_strictly),
        cmocka_unit_test(identities_are_checked),
        cmocka_unit_test_setup_teardown(handshake_gives_equal_secrets, adopt, forget),
        cmocka_unit_test_setup_teardown(wrong_keys_and_names_are_refused, adopt, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
