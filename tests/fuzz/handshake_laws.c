#include "tests/fuzz/handshake_laws.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/channel.h"
#include "net/frame.h"
#include "tests/fuzz/same_random.h"

static struct net_identity *self, *peer;
static uint8_t secret[32]; /* of the recorded handshake */
static bool ended;         /* the last one that was run */
static const struct same_random begins[] = {[NET_DIALS] = {3, 0}, [NET_ACCEPTS] = {4, 0}};

static bool key_of(void *ctx, const char *name, uint8_t out33[NET_KEY])
{
    const struct net_identity *who = strcmp(name, "bank_a") == 0   ? self
                                     : strcmp(name, "bank_b") == 0 ? peer
                                                                   : NULL;

    (void)ctx;
    if (who != NULL)
        memcpy(out33, net_identity_key(who), NET_KEY);
    return who != NULL;
}

static const struct net_keys keys = {key_of, NULL};

static void check_head(const uint8_t *frame, size_t len)
{
    uint8_t again[NET_HEAD];
    struct net_head head;
    struct base_err err = {0};

    if (net_head_read(&head, frame, len, &err) != FM_OK)
        return;
    net_head_write(again, &head);
    fuzz_law(memcmp(again, frame, NET_HEAD) == 0, "an accepted head is written as it was");
    fuzz_law(len == (size_t)NET_HEAD + head.len + (head.kind == NET_KIND_SEALED ? NET_TAG : 0),
             "and says how long its frame is");
}

static void export_secret(uint8_t out32[32], struct net_channel *ch)
{
    static const uint8_t context[32] = {5};
    struct base_err err = {0};

    fuzz_law(net_channel_export(ch, out32, "fuzz", context, &err) == FM_OK, err.text);
}

static void check_end(struct net_channel *ch)
{
    uint8_t own[32];

    ended = net_channel_done(ch);
    if (!ended)
        return;
    export_secret(own, ch);
    fuzz_law(memcmp(own, secret, 32) == 0, "nobody is a peer without the key");
    fuzz_law(
        strcmp(net_channel_peer(ch), net_channel_side(ch) == NET_DIALS ? "bank_a" : "bank_b") == 0,
        "the peer is who it was");
}

void handshake_run(const uint8_t *data, size_t size)
{
    enum net_side side = size > 0 && (data[0] & 1) != 0 ? NET_DIALS : NET_ACCEPTS;
    struct same_random random = begins[side];
    struct net_channel *ch;
    struct base_buf out = {0};
    struct base_err err = {0};
    size_t at = 1;

    if (size < 3)
        return;
    same_random_use(&random);
    fuzz_law((side == NET_DIALS ? net_channel_new(&ch, peer, &keys, side, "bank_a", &err)
                                : net_channel_new(&ch, self, &keys, side, NULL, &err)) == FM_OK,
             "a channel begins");
    fuzz_law(side == NET_ACCEPTS || net_channel_handshake(ch, NULL, 0, &out, &err) == FM_OK,
             "who dials speaks first");
    while (size - at > 2) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];
        at += 2;
        if (len > size - at)
            len = size - at;
        check_head(data + at, len);
        if (len > NET_HEAD &&
            net_channel_handshake(ch, data + at + NET_HEAD, len - NET_HEAD, &out, &err) != FM_OK)
            break;
        at += len;
    }
    check_end(ch);
    fuzz_law(out.len <= NET_HANDSHAKE_MAX, "answers stay within the limit");
    net_channel_free(ch);
    base_buf_release(&out);
}

/* A frame around the bytes. */
static void put_frame(struct base_buf *out, const struct base_buf *bytes)
{
    const struct net_head head = {.kind = NET_KIND_HANDSHAKE, .len = (uint32_t)bytes->len};
    uint8_t head16[NET_HEAD];

    net_head_write(head16, &head);
    base_buf_put_u16(out, (uint16_t)(NET_HEAD + bytes->len));
    base_buf_put(out, head16, sizeof head16);
    base_buf_put(out, bytes->p, bytes->len);
}

/* The flights of one real handshake: what each side would read. */
void handshake_begin(struct fuzz_corpus *corpus)
{
    static const uint8_t seeds[2][32] = {{1}, {2}};
    struct net_channel *dials, *accepts;
    struct base_buf to_accepter = {0}, to_dialler = {0}, a = {0}, b = {0};
    struct same_random dialler = begins[NET_DIALS], accepter = begins[NET_ACCEPTS];
    struct base_err err = {0};

    same_random_use(&dialler);
    fuzz_law(net_identity_from_seed(&self, "bank_a", seeds[0], &err) == FM_OK &&
                 net_identity_from_seed(&peer, "bank_b", seeds[1], &err) == FM_OK,
             err.text);
    dialler = begins[NET_DIALS];
    fuzz_law(net_channel_new(&dials, peer, &keys, NET_DIALS, "bank_a", &err) == FM_OK, err.text);
    base_buf_put_u8(&to_accepter, 0);
    base_buf_put_u8(&to_dialler, 1);
    fuzz_law(net_channel_handshake(dials, NULL, 0, &a, &err) == FM_OK, "the first flight");
    put_frame(&to_accepter, &a);
    same_random_use(&accepter);
    fuzz_law(net_channel_new(&accepts, self, &keys, NET_ACCEPTS, NULL, &err) == FM_OK, err.text);
    fuzz_law(net_channel_handshake(accepts, a.p, a.len, &b, &err) == FM_OK, "the second flight");
    put_frame(&to_dialler, &b);
    base_buf_clear(&a);
    same_random_use(&dialler);
    fuzz_law(net_channel_handshake(dials, b.p, b.len, &a, &err) == FM_OK, "the third flight");
    put_frame(&to_accepter, &a);
    export_secret(secret, dials);
    fuzz_add(corpus, to_accepter.p, to_accepter.len);
    fuzz_add(corpus, to_dialler.p, to_dialler.len);
    net_channel_free(dials);
    net_channel_free(accepts);
    base_buf_release(&a);
    base_buf_release(&b);
    for (size_t i = 0; i < corpus->count; i++) {
        handshake_run(corpus->items[i].p, corpus->items[i].len);
        fuzz_law(ended, "what was recorded ends a handshake again");
    }
    base_buf_release(&to_accepter);
    base_buf_release(&to_dialler);
}
