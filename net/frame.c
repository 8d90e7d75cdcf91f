#include "net/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void net_head_write(uint8_t out16[NET_HEAD], const struct net_head *head)
{
    out16[0] = NET_VERSION;
    out16[1] = head->kind;
    out16[2] = head->type;
    out16[3] = head->stream;
    out16[4] = (uint8_t)(head->len >> 24);
    out16[5] = (uint8_t)(head->len >> 16);
    out16[6] = (uint8_t)(head->len >> 8);
    out16[7] = (uint8_t)head->len;
    base_store_u64(out16 + 8, head->session);
}

fm_status net_head_read(struct net_head *out, const uint8_t *frame, size_t len,
                        struct base_err *err)
{
    struct base_cur cur = base_cur_make(frame, len);
    unsigned version = base_cur_u8(&cur);
    size_t tag;

    out->kind = base_cur_u8(&cur);
    out->type = base_cur_u8(&cur);
    out->stream = base_cur_u8(&cur);
    out->len = base_cur_u32(&cur);
    out->session = base_cur_u64(&cur);
    if (cur.bad)
        return base_err_set(err, FM_E_INPUT, "frame of %zu bytes: shorter than a head", len);
    if (version != NET_VERSION)
        return base_err_set(err, FM_E_INPUT, "frame of version %u: this node speaks version %d",
                            version, NET_VERSION);
    if (out->kind != NET_KIND_HANDSHAKE && out->kind != NET_KIND_SEALED)
        return base_err_set(err, FM_E_INPUT, "frame of unknown kind %u", out->kind);
    tag = out->kind == NET_KIND_SEALED ? NET_TAG : 0;
    if (out->len > NET_FRAME_PAYLOAD_MAX || len != NET_HEAD + (size_t)out->len + tag)
        return base_err_set(err, FM_E_INPUT, "frame of %zu bytes: its head says %u", len, out->len);
    return FM_OK;
}

bool net_route_equal(const struct net_route *a, const struct net_route *b)
{
    return a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

static void frame_release(struct net_frame *frame)
{
    free(frame);
}

struct net_frame *net_frame_new(size_t len)
{
    struct net_frame *frame = malloc(sizeof *frame + len);

    if (!frame)
        return NULL;
    *frame =
        (struct net_frame){.len = len, .bytes = (uint8_t *)(frame + 1), .release = frame_release};
    return frame;
}

void net_frame_free(struct net_frame *frame)
{
    if (frame)
        frame->release(frame);
}

void net_frames_put(struct net_frames *list, struct net_frame *frame)
{
    frame->next = NULL;
    if (list->head)
        list->last->next = frame;
    else
        list->head = frame;
    list->last = frame;
}

struct net_frame *net_frames_take(struct net_frames *list)
{
    struct net_frame *frame = list->head;

    if (frame)
        list->head = frame->next;
    return frame;
}

void net_frames_free(struct net_frames *list)
{
    struct net_frame *frame;

    while ((frame = net_frames_take(list)))
        net_frame_free(frame);
}
