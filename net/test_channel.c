#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "net/channel.h"
#include "net/seal.h"

/* Who may speak, as a small table: what key_of answers. */
struct book {
    const char *name[3];
    uint8_t key[3][32];
};

static bool key_of(void *ctx, const char *peer, uint8_t out32[NET_KEY])
{
    const struct book *book = ctx;

    for (int i = 0; i < 3; i++)
        if (book->name[i] && strcmp(book->name[i], peer) == 0) {
            memcpy(out32, book->key[i], 32);
            return true;
        }
    return false;
}

struct world {
    struct net_identity *a, *b, *mallory;
    struct book book;
    struct net_keys keys;
    struct net_channel *dials, *accepts;
    struct base_buf to_b, to_a;
    struct base_err err;
};

static struct net_identity *identity(const char *name, uint8_t seed)
{
    struct net_identity *id = NULL;
    struct base_err err = {0};
    uint8_t seed32[32];

    memset(seed32, seed, sizeof seed32);
    assert_int_equal(net_identity_from_seed(&id, name, seed32, &err), FM_OK);
    return id;
}

static void enter(struct world *w, int i, const struct net_identity *id)
{
    w->book.name[i] = net_identity_name(id);
    memcpy(w->book.key[i], net_identity_key(id), 32);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->a = identity("bank_a", 1);
    w->b = identity("bank_b", 2);
    w->mallory = identity("bank_a", 3);
    enter(w, 0, w->a);
    enter(w, 1, w->b);
    w->keys = (struct net_keys){key_of, &w->book};
}

static void world_release(struct world *w)
{
    net_channel_free(w->dials);
    net_channel_free(w->accepts);
    net_identity_free(w->a);
    net_identity_free(w->b);
    net_identity_free(w->mallory);
    base_buf_release(&w->to_a);
    base_buf_release(&w->to_b);
}

static void open_ends(struct world *w, const struct net_identity *dialler)
{
    net_channel_free(w->dials);
    net_channel_free(w->accepts);
    base_buf_clear(&w->to_a);
    base_buf_clear(&w->to_b);
    assert_int_equal(net_channel_new(&w->dials, dialler, &w->keys, NET_DIALS, "bank_b", &w->err),
                     FM_OK);
    assert_int_equal(net_channel_new(&w->accepts, w->b, &w->keys, NET_ACCEPTS, NULL, &w->err),
                     FM_OK);
}

/* Runs the handshake; in flight number `flight` (1 to 3) the byte at `at` is XORed with mask.
 * Returns the first status that is not FM_OK. *met says whether the byte existed. */
static fm_status shake(struct world *w, int flight, size_t at, uint8_t mask, bool *met)
{
    fm_status rv = net_channel_handshake(w->dials, NULL, 0, &w->to_b, &w->err);

    *met = false;
    for (int f = 1; rv == FM_OK && f <= 4; f++) {
        struct base_buf *from = f % 2 ? &w->to_b : &w->to_a;
        struct base_buf *to = f % 2 ? &w->to_a : &w->to_b;
        if (f == flight && at < from->len) {
            from->p[at] ^= mask;
            *met = true;
        }
        rv = net_channel_handshake(f % 2 ? w->accepts : w->dials, from->p, from->len, to, &w->err);
        base_buf_clear(from);
    }
    return rv;
}

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
    assert_string_equal(w.err.text, "the certificate's key is not bank_a's registered key");
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
    assert_string_equal(w.err.text, "the certificate names bank_c");
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
    /* A record that promises much and comes in drops is cut off at the limit. */
    open_ends(&w, w.a);
    memcpy(junk, "\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03", 11);
    for (int i = 0; rv == FM_OK && i < 40; i++)
        rv = net_channel_handshake(w.accepts, junk, sizeof junk, &out, &w.err);
    assert_int_not_equal(rv, FM_OK);
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

/* Sealing. */

static void expand_is_rfc5869(void **state)
{
    /* Test case 1, the first 32 bytes of its output. */
    static const uint8_t info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    uint8_t prk[32], okm[32], out[32];
    struct base_err err;

    (void)state;
    assert_true(base_unhex(prk, 32,
                           "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", 64));
    assert_true(base_unhex(okm, 32,
                           "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf", 64));
    assert_int_equal(net_expand(out, 32, prk, "", info, sizeof info, &err), FM_OK);
    assert_memory_equal(out, okm, 32);
    assert_int_equal(net_expand(out, 12, prk, "\xf0\xf1", info + 2, 8, &err), FM_OK);
    assert_memory_equal(out, okm, 12);
}

enum { SMALL = 40 };

static void pair(struct net_seal *seal, struct net_seal *open, uint64_t limit)
{
    uint8_t secret[32];
    struct base_err err;

    memset(secret, 7, sizeof secret);
    assert_int_equal(net_seal_init(seal, NET_SEAL, secret, limit, &err), FM_OK);
    assert_int_equal(net_seal_init(open, NET_OPEN, secret, limit, &err), FM_OK);
}

static void release(struct net_seal *seal, struct net_seal *open)
{
    net_seal_release(seal);
    net_seal_release(open);
}

static fm_status unseal(struct net_seal *open, uint8_t *plain, const uint8_t *frame, size_t len)
{
    struct net_head head;
    struct base_err err;
    fm_status rv = net_head_read(&head, frame, len, &err);

    return rv == FM_OK ? net_seal_open(open, plain, frame, &head, &err) : rv;
}

static void make(struct net_seal *seal, uint8_t *frame, uint32_t len, uint8_t fill)
{
    struct net_head head = {NET_KIND_SEALED, NET_DATA_END, 3, len, 0x1122334455667788};
    struct base_err err;

    memset(frame + NET_HEAD, fill, len);
    assert_int_equal(net_seal_frame(seal, frame, &head, frame + NET_HEAD, &err), FM_OK);
}

static void every_bit_counts(void **state)
{
    uint8_t frame[NET_HEAD + SMALL + NET_TAG], plain[SMALL], zero[SMALL] = {0};
    struct net_seal seal, open;

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof frame; bit++) {
        pair(&seal, &open, NET_SEAL_BLOCKS);
        make(&seal, frame, SMALL, 0xab);
        memset(plain, 0, sizeof plain);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(unseal(&open, plain, frame, sizeof frame), FM_OK);
        assert_memory_equal(plain, zero, sizeof plain);
        release(&seal, &open);
    }
    for (size_t len = 0; len < sizeof frame; len++) {
        pair(&seal, &open, NET_SEAL_BLOCKS);
        make(&seal, frame, SMALL, 0xab);
        assert_int_equal(unseal(&open, plain, frame, len), FM_E_INPUT);
        release(&seal, &open);
    }
}

static void order_counts(void **state)
{
    uint8_t one[NET_HEAD + SMALL + NET_TAG], two[NET_HEAD + SMALL + NET_TAG], plain[SMALL];
    struct net_seal seal, open;

    (void)state;
    pair(&seal, &open, NET_SEAL_BLOCKS);
    make(&seal, one, SMALL, 1);
    make(&seal, two, SMALL, 1);
    assert_memory_not_equal(one, two, sizeof one);
    assert_int_equal(unseal(&open, plain, two, sizeof two), FM_E_AUTH); /* reordered or lost */
    release(&seal, &open);
    pair(&seal, &open, NET_SEAL_BLOCKS);
    make(&seal, one, SMALL, 1);
    assert_int_equal(unseal(&open, plain, one, sizeof one), FM_OK);
    assert_int_equal(plain[SMALL - 1], 1);
    assert_int_equal(unseal(&open, plain, one, sizeof one), FM_E_AUTH); /* replayed */
    release(&seal, &open);
}

static void keys_turn_over_together(void **state)
{
    uint8_t frame[NET_HEAD + 100 + NET_TAG], plain[100], first_iv[12], secret[32];
    struct net_seal seal, open;
    unsigned turns = 0;
    uint64_t last = 0;

    (void)state;
    pair(&seal, &open, 50);
    memcpy(first_iv, seal.iv12, 12);
    memcpy(secret, seal.secret32, 32);
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t len = i * 37 % 101;
        make(&seal, frame, len, (uint8_t)i);
        assert_int_equal(unseal(&open, plain, frame, NET_HEAD + len + NET_TAG), FM_OK);
        assert_true(len == 0 || plain[len - 1] == (uint8_t)i);
        assert_true(seal.blocks <= 50);
        turns += seal.counter < last;
        last = seal.counter;
    }
    assert_true(turns > 30);
    assert_memory_not_equal(first_iv, seal.iv12, 12);
    assert_memory_not_equal(secret, seal.secret32, 32);
    release(&seal, &open);
}

static void oversize_is_refused_before_anything(void **state)
{
    uint8_t *frame = calloc(1, NET_FRAME_MAX + 1);
    struct net_head head = {NET_KIND_SEALED, NET_DATA_END, 0, NET_FRAME_PAYLOAD_MAX + 1, 1};
    struct base_err err;

    (void)state;
    assert_non_null(frame);
    net_head_write(frame, &head);
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX + 1, &err), FM_E_INPUT);
    head = (struct net_head){NET_KIND_SEALED, NET_DATA_END, 0, NET_FRAME_PAYLOAD_MAX, 1};
    net_head_write(frame, &head);
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX, &err), FM_OK);
    assert_int_equal(net_head_read(&head, frame, NET_FRAME_MAX - 1, &err), FM_E_INPUT);
    assert_string_equal(err.text, "frame of 1048607 bytes: its head says 1048576");
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_gives_equal_secrets),
        cmocka_unit_test(wrong_keys_and_names_are_refused),
        cmocka_unit_test(altered_handshakes_never_finish),
        cmocka_unit_test(garbage_and_floods_are_refused),
        cmocka_unit_test(identities_are_checked),
        cmocka_unit_test(expand_is_rfc5869),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(order_counts),
        cmocka_unit_test(keys_turn_over_together),
        cmocka_unit_test(oversize_is_refused_before_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
