/* The handshake of the national profile; test_channel.c runs what it has in common with TLS. */
#include "net/agree.h"
#include "net/sm2.h"
#include "net/test_channel.h"

/* Nothing of a flight lies outside of what is authenticated. */
static void no_bit_of_a_national_handshake_may_change(void **state)
{
    struct world w;
    bool met;

    (void)state;
    world_init(&w);
    for (int flight = 1; flight <= 3; flight++)
        for (size_t at = 0;; at += flight == 1 ? 1 : 5) {
            open_ends(&w, w.a);
            (void)shake(&w, flight, at, (uint8_t)(1u << at % 8), &met);
            if (!met)
                break;
            assert_false(net_channel_done(w.accepts));
        }
    world_release(&w);
}

static void profiles_do_not_talk_to_each_other(void **state)
{
    struct net_channel *dials, *accepts;
    struct world w;

    (void)state;
    world_init(&w);
    open_ends(&w, w.a);
    dials = w.dials;
    accepts = w.accepts;
    w.dials = w.accepts = NULL;
    world_release(&w);
    assert_int_equal(adopt(NULL), 0);
    world_init(&w);
    open_ends(&w, w.a);
    /* A national dialler at another's door, and the other way round. */
    assert_int_equal(net_channel_handshake(w.dials, NULL, 0, &w.to_b, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(accepts, w.to_b.p, w.to_b.len, &w.to_a, &w.err),
                     FM_E_PEER);
    assert_string_equal(w.err.text,
                        "handshake: the peer's profile is national, this node's is not");
    base_buf_clear(&w.to_b);
    net_channel_free(accepts);
    net_channel_free(dials);
    assert_int_equal(net_channel_handshake(w.accepts, "\x16\x03\x01\x02\x53", 5, &w.to_a, &w.err),
                     FM_E_PEER);
    assert_non_null(strstr(w.err.text, "is the peer's profile national?"));
    world_release(&w);
}

/* What an attacker in the middle can replay, reflect or cut. */
static void national_messages_belong_to_one_handshake(void **state)
{
    struct base_buf hello = {0}, answer = {0}, proof = {0}, out = {0};
    struct world w;

    (void)state;
    world_init(&w);
    open_ends(&w, w.a);
    assert_int_equal(net_channel_handshake(w.dials, NULL, 0, &hello, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(w.accepts, hello.p, hello.len, &answer, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(w.dials, answer.p, answer.len, &proof, &w.err), FM_OK);
    assert_true(net_channel_done(w.dials));
    /* The dialler's own proof back to it; then each piece in a new handshake. */
    assert_int_equal(net_channel_handshake(w.dials, proof.p, proof.len, &out, &w.err), FM_E_PEER);
    open_ends(&w, w.a);
    assert_int_equal(net_channel_handshake(w.dials, NULL, 0, &out, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(w.dials, out.p, out.len, &w.to_b, &w.err), FM_E_PEER);
    open_ends(&w, w.a);
    assert_int_equal(net_channel_handshake(w.dials, NULL, 0, &w.to_b, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(w.dials, answer.p, answer.len, &out, &w.err), FM_E_PEER);
    open_ends(&w, w.a);
    base_buf_clear(&out);
    assert_int_equal(net_channel_handshake(w.accepts, proof.p, proof.len, &out, &w.err), FM_E_PEER);
    assert_int_equal(out.len, 0);
    open_ends(&w, w.a);
    assert_int_equal(net_channel_handshake(w.accepts, hello.p, hello.len, &out, &w.err), FM_OK);
    assert_int_equal(net_channel_handshake(w.accepts, proof.p, proof.len, &out, &w.err), FM_E_PEER);
    assert_false(net_channel_done(w.accepts));
    /* Byte by byte it arrives as well. */
    open_ends(&w, w.a);
    base_buf_clear(&hello);
    base_buf_clear(&answer);
    assert_int_equal(net_channel_handshake(w.dials, NULL, 0, &hello, &w.err), FM_OK);
    for (size_t i = 0; i < hello.len; i++) {
        assert_int_equal(answer.len, 0);
        assert_int_equal(net_channel_handshake(w.accepts, hello.p + i, 1, &answer, &w.err), FM_OK);
    }
    assert_true(answer.len > 0);
    base_buf_release(&hello);
    base_buf_release(&answer);
    base_buf_release(&proof);
    base_buf_release(&out);
    world_release(&w);
}

/* Ranges, kinds, encodings and signatures. */
static void national_identities_are_checked(void **state)
{
    static const uint8_t zero[32];
    uint8_t ones[32], secret[32] = {5}, signature[NET_SM2_SIGNATURE_MAX];
    EVP_PKEY *key, *wrong = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct net_identity *id = NULL;
    struct base_err err = {0};
    size_t len = 0;
    uint8_t point[NET_SM2_POINT];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(net_identity_from_seed(&id, "bank_a", zero, &err), FM_E_ARG);
    assert_int_equal(net_identity_from_seed(&id, "bank_a", ones, &err), FM_E_ARG);
    assert_int_equal(net_identity_new(&id, "bank_a", wrong, &err), FM_E_ARG);
    assert_non_null(strstr(err.text, "the profile is national"));
    assert_int_equal(net_sm2_from_secret(&key, secret, &err), FM_OK);
    assert_true(net_sm2_public(point, key));
    assert_int_equal(net_sm2_sign(signature, &len, key, "abc", 3, &err), FM_OK);
    assert_int_equal(net_sm2_verify(point, signature, len, "abc", 3, &err), FM_OK);
    assert_int_equal(net_sm2_verify(point, signature, len, "abd", 3, &err), FM_E_AUTH);
    assert_int_equal(net_sm2_verify(point, signature, len - 1, "abc", 3, &err), FM_E_AUTH);
    point[0] = 4;
    assert_int_equal(net_sm2_verify(point, signature, len, "abc", 3, &err), FM_E_AUTH);
    EVP_PKEY_free(key);
    EVP_PKEY_free(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(profiles_do_not_talk_to_each_other, forget),
        cmocka_unit_test_setup_teardown(no_bit_of_a_national_handshake_may_change, adopt, forget),
        cmocka_unit_test_setup_teardown(national_messages_belong_to_one_handshake, adopt, forget),
        cmocka_unit_test_setup_teardown(national_identities_are_checked, adopt, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
