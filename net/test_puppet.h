/* The mesh against a puppet: a peer made by hand from a channel and two seals, which can say what
 * no honest node would. */
#ifndef FIRMIANA_NET_TEST_PUPPET_H
#define FIRMIANA_NET_TEST_PUPPET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "net/mesh_own.h"

static int64_t test_now;

static inline int64_t test_mono_ms(void *ctx)
{
    (void)ctx;
    return test_now;
}

static const struct base_clock test_clock = {test_mono_ms, test_mono_ms, NULL};

/* One node (bank_b), its wire as lists, its last events. */
struct stage {
    struct net_identity *id[4];
    struct net_wire wire;
    struct net_waits waits;
    struct net_mesh *mesh;
    struct net_frames out;
    unsigned hangups;
    struct net_route dialled;
    unsigned ups, downs, messages, ended;
    uint64_t strangers;     /* turned away, as the node was told */
    struct net_event *kept; /* messages that the node has not taken */
    struct base_err why;
};

static const char *const names[] = {"bank_a", "bank_b", "bank_c", "bank_d"};

static inline bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct stage *st = ctx;

    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], peer) == 0) {
            memcpy(out33, net_identity_key(st->id[i]), NET_KEY);
            return true;
        }
    return false;
}

static inline void on_dial(void *ctx, const struct net_route *route, const char *endpoint)
{
    (void)endpoint;
    ((struct stage *)ctx)->dialled = *route;
}

static inline void on_hangup(void *ctx, const struct net_route *route)
{
    (void)route;
    ((struct stage *)ctx)->hangups++;
}

static inline void on_send(void *ctx, struct net_frame *frame)
{
    net_frames_put(&((struct stage *)ctx)->out, frame);
}

static inline void on_wake(void *ctx)
{
    (void)ctx;
}

static inline void on_event(void *ctx, struct net_event *event)
{
    struct stage *st = ctx;

    st->ups += event->kind == NET_PEER_UP;
    st->downs += event->kind == NET_PEER_DOWN;
    st->messages += event->kind == NET_MESSAGE;
    st->ended += event->kind == NET_SESSION_ENDED;
    st->strangers += event->strangers;
    if (event->kind == NET_MESSAGE) {
        event->next = st->kept;
        st->kept = event;
        return;
    }
    if (event->kind != NET_PEER_UP)
        st->why = event->why;
    net_event_free(event);
}

static inline void stage_init(struct stage *st)
{
    struct net_peer_config peers[] = {{"bank_a", NULL}, {"bank_c", "somewhere"}};
    struct net_mesh_config config = {.keys = {key_of, st}, .event = on_event, .event_ctx = st};
    struct base_err err;

    memset(st, 0, sizeof *st);
    test_now = 1000;
    for (int i = 0; i < 4; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        assert_int_equal(net_identity_from_seed(&st->id[i], names[i], seed, &err), FM_OK);
    }
    st->wire = (struct net_wire){
        .ctx = st, .dial = on_dial, .hangup = on_hangup, .send = on_send, .wake = on_wake};
    st->waits = *net_waits_threads();
    st->waits.clock = &test_clock;
    config.identity = st->id[1];
    config.wire = &st->wire;
    config.waits = &st->waits;
    assert_int_equal(net_mesh_new(&st->mesh, &config, &err), FM_OK);
    assert_int_equal(net_mesh_peers_set(st->mesh, peers, 2, &err), FM_OK);
}

static inline void stage_release(struct stage *st)
{
    struct net_event *e;

    net_mesh_free(st->mesh);
    net_frames_free(&st->out);
    while ((e = st->kept)) {
        st->kept = e->next;
        net_event_free(e);
    }
    for (int i = 0; i < 4; i++)
        net_identity_free(st->id[i]);
}

struct puppet {
    struct stage *st;
    struct net_route route;
    struct net_channel *channel;
    struct net_keys keys;
    struct net_control control;
    unsigned seen[NET_CLOSE + 1]; /* frames that came, by type */
    uint8_t last[16];             /* payload of the last abort or close */
};

/* Sends a handshake frame to the mesh. */
static inline void push_handshake(struct puppet *p, const uint8_t *bytes, size_t len)
{
    struct net_head head = {NET_KIND_HANDSHAKE, 0, 0, (uint32_t)len, 0};
    struct net_frame *f = net_frame_new(NET_HEAD + len);

    assert_non_null(f);
    net_head_write(f->bytes, &head);
    memcpy(f->bytes + NET_HEAD, bytes, len);
    f->route = p->route;
    net_mesh_frame(p->st->mesh, f);
}

static inline void push(struct puppet *p, struct net_seal *seal, struct net_head head,
                        const uint8_t *bytes)
{
    struct net_frame *f = net_frame_new(NET_HEAD + head.len + NET_TAG);
    struct base_err err;

    assert_non_null(f);
    head.kind = NET_KIND_SEALED;
    assert_int_equal(net_seal_frame(seal, f->bytes, &head, bytes, &err), FM_OK);
    f->route = p->route;
    net_mesh_frame(p->st->mesh, f);
}

static inline void push_control(struct puppet *p, unsigned type, const uint8_t *bytes, uint32_t len)
{
    push(p, &p->control.out, (struct net_head){.type = (uint8_t)type, .len = len}, bytes);
}

static inline void take_handshake(struct puppet *p, const uint8_t *bytes, size_t len)
{
    struct base_buf out = {0};
    struct base_err err;

    if (net_channel_handshake(p->channel, bytes, len, &out, &err) == FM_OK && out.len > 0)
        push_handshake(p, out.p, out.len);
    base_buf_release(&out);
}

/* The puppet reads all that the mesh sent it. */
static inline void pull(struct puppet *p)
{
    struct net_frame *f;

    while ((f = net_frames_take(&p->st->out))) {
        struct net_head head;
        struct base_err err;
        assert_int_equal(net_head_read(&head, f->bytes, f->len, &err), FM_OK);
        if (!net_route_equal(&f->route, &p->route)) {
            net_frame_free(f);
            continue;
        }
        if (head.kind == NET_KIND_HANDSHAKE) {
            take_handshake(p, f->bytes + NET_HEAD, head.len);
        } else if (head.session == 0) {
            if (!p->control.out.ctx)
                assert_int_equal(net_control_init(&p->control, p->channel, &err), FM_OK);
            assert_int_equal(
                net_seal_open(&p->control.in, f->bytes + NET_HEAD, f->bytes, &head, &err), FM_OK);
            p->seen[head.type]++;
            if (head.type == NET_SESSION_ABORT || head.type == NET_CLOSE)
                memcpy(p->last, f->bytes + NET_HEAD, head.len);
        }
        net_frame_free(f);
    }
}

/* A puppet that dials the mesh with the identity of that number, over a route of its own. */
static inline void puppet_dial(struct puppet *p, struct stage *st, int id, uint8_t route)
{
    struct base_err err;

    *p = (struct puppet){.st = st, .route = {2, {'r', route}}, .keys = {key_of, st}};
    assert_int_equal(net_channel_new(&p->channel, st->id[id], &p->keys, NET_DIALS, "bank_b", &err),
                     FM_OK);
    take_handshake(p, NULL, 0);
    for (int i = 0; i < 4; i++)
        pull(p);
}

static inline void puppet_release(struct puppet *p)
{
    net_control_release(&p->control);
    net_channel_free(p->channel);
}

#endif
