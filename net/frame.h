/* A frame: what travels as one piece. Its head of 16 bytes, its kinds and types, and the routes
 * that frames come by. wire.md has every byte. */
#ifndef FIRMIANA_NET_FRAME_H
#define FIRMIANA_NET_FRAME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    NET_HEAD = 16,
    NET_TAG = 16,
    NET_VERSION = 1,
    NET_FRAME_PAYLOAD_MAX = 1 << 20,
    NET_FRAME_MAX = NET_HEAD + NET_FRAME_PAYLOAD_MAX + NET_TAG,
    NET_ROUTE_MAX = 16,
};

enum net_kind {
    NET_KIND_HANDSHAKE = 1, /* head, then TLS records in the clear */
    NET_KIND_SEALED = 2     /* head, ciphertext, tag */
};

/* Types of sealed frames. The first two carry payload under flow control, on a session's streams
 * and on the control stream alike. */
enum net_frame_type {
    NET_DATA_PART = 1, /* a message goes on in the next frame */
    NET_DATA_END = 2,  /* the message ends here */
    NET_WINDOW = 3,    /* how much was taken so far, u64 */
    NET_HEARTBEAT = 4, /* control stream from here on; session u64, stream u8, frames u64 each */
    NET_SESSION_ABORT = 5, /* session u64, culprit u8, reason u8 */
    NET_SESSION_BYE = 6,   /* session u64 */
    NET_CLOSE = 7          /* reason u8: this connection ends */
};

struct net_head {
    uint8_t kind;
    uint8_t type;
    uint8_t stream;
    uint32_t len;     /* of the payload, without tag */
    uint64_t session; /* 0: the control stream */
};

void net_head_write(uint8_t out16[NET_HEAD], const struct net_head *head);

/* Reads the head of a whole frame and checks it against the frame's length, so that nothing later
 * needs to. FM_E_INPUT says what is wrong. Nothing here is authenticated yet. */
fm_status net_head_read(struct net_head *out, const uint8_t *frame, size_t len,
                        struct base_err *err) FM_CHECK;

/* Where a frame came from or goes to, as its wire names it. Opaque; no two open routes of one node
 * are alike. */
struct net_route {
    uint8_t len;
    uint8_t id[NET_ROUTE_MAX];
};

bool net_route_equal(const struct net_route *a, const struct net_route *b);

/* A frame in memory: one owner, who passes it on or frees it. */
struct net_frame {
    struct net_frame *next;
    struct net_route route;
    bool opened; /* the payload has been decrypted in place */
    size_t len;
    uint8_t *bytes;
    atomic_bool handed_over; /* set by a wire before a thread of a library takes it */
    void (*release)(struct net_frame *frame);
};

/* A frame of len uninitialised bytes; NULL when memory is out. */
struct net_frame *net_frame_new(size_t len);
void net_frame_free(struct net_frame *frame); /* NULL is allowed */

/* First in, first out. */
struct net_frames {
    struct net_frame *head;
    struct net_frame *last;
};

void net_frames_put(struct net_frames *list, struct net_frame *frame);
struct net_frame *net_frames_take(struct net_frames *list); /* NULL when empty */
void net_frames_free(struct net_frames *list);

#endif
