/* Frames of sessions that are not open here yet, and ids of those that are closed. All of it
 * belongs to one authenticated link, is bounded, and goes with the link. */
#include <stdlib.h>

#include "base/bytes.h"
#include "net/mesh_own.h"

bool net_held_known(const struct net_link *link, uint64_t id)
{
    for (const struct net_held *h = link->held; h; h = h->next)
        if (h->id == id)
            return true;
    return false;
}

struct net_held *net_held_get(struct net_mesh *mesh, struct net_link *link, uint64_t id)
{
    unsigned sessions = 0;
    struct net_held *h;

    for (h = link->held; h; h = h->next, sessions++)
        if (h->id == id)
            return h;
    if (sessions >= NET_HELD_SESSIONS || !(h = calloc(1, sizeof *h)))
        return NULL;
    h->id = id;
    h->since_ms = net_mesh_now(mesh);
    h->next = link->held;
    link->held = h;
    return h;
}

bool net_held_put(struct net_mesh *mesh, struct net_link *link, uint64_t id,
                  struct net_frame *frame)
{
    struct net_held *h = net_held_get(mesh, link, id);
    unsigned frames = 0;
    size_t bytes = 0;

    for (const struct net_held *i = link->held; i; i = i->next) {
        frames += i->count;
        bytes += i->bytes;
    }
    if (!h || frames >= NET_HELD_FRAMES || bytes + frame->len > NET_HELD_BYTES) {
        net_frame_free(frame);
        return false;
    }
    h->count++;
    h->bytes += frame->len;
    net_frames_put(&h->frames, frame);
    return true;
}

struct net_held *net_held_take(struct net_link *link, uint64_t id)
{
    for (struct net_held **at = &link->held; *at; at = &(*at)->next)
        if ((*at)->id == id) {
            struct net_held *h = *at;
            *at = h->next;
            return h;
        }
    return NULL;
}

void net_held_free(struct net_held *held)
{
    if (!held)
        return;
    net_frames_free(&held->frames);
    free(held);
}

void net_closed_remember(struct net_link *link, uint64_t id)
{
    link->closed[link->closed_next] = id;
    link->closed_next = (link->closed_next + 1) % NET_CLOSED_REMEMBERED;
}

bool net_closed_known(const struct net_link *link, uint64_t id)
{
    for (unsigned i = 0; i < NET_CLOSED_REMEMBERED; i++)
        if (link->closed[i] == id)
            return true;
    return false;
}

int64_t net_held_tick(struct net_mesh *mesh, struct net_link *link)
{
    int64_t now = net_mesh_now(mesh), next = INT64_MAX;
    struct net_held **at = &link->held;

    while (*at) {
        struct net_held *h = *at;
        int64_t due = h->since_ms + mesh->config.timing.hold_ms;
        if (now < due) {
            next = due < next ? due : next;
            at = &h->next;
            continue;
        }
        *at = h->next;
        net_closed_remember(link, h->id);
        if (!h->aborted && !h->left) {
            struct base_err err;
            uint8_t body[10] = {[8] = 0xff, [9] = NET_R_UNEXPECTED};
            base_store_u64(body, h->id);
            /* If this fails for want of memory, the peer's own deadline ends its session. */
            if (net_control_emit(mesh, link, NET_SESSION_ABORT, body, sizeof body, &err) != FM_OK)
                next = now;
        }
        net_held_free(h);
    }
    return next;
}
