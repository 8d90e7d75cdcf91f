/* The mesh's sessions: opening and closing, which frames are whose, and who is told of a failure.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "net/mesh_own.h"

enum { NOBODY = 0xff };

struct net_session *net_sessions_find(const struct net_mesh *mesh, const struct net_link *link,
                                      uint64_t id, unsigned *party)
{
    for (struct net_session *s = mesh->sessions; s; s = s->next)
        for (unsigned i = 0; i < s->face.parties; i++)
            if (s->far[i].link == link->number && s->far[i].id == id) {
                *party = i;
                return s;
            }
    return NULL;
}

static fm_status send_abort(struct net_mesh *mesh, struct net_link *link, uint64_t id,
                            unsigned culprit, enum net_reason reason, struct base_err *err)
{
    uint8_t body[10] = {[8] = (uint8_t)culprit, [9] = (uint8_t)reason};

    base_store_u64(body, id);
    return net_control_emit(mesh, link, NET_SESSION_ABORT, body, sizeof body, err);
}

/* The link of a session's party, if it is still the one the session began with. */
static struct net_link *link_of(const struct net_mesh *mesh, const struct net_session *s,
                                unsigned party)
{
    struct net_peer *peer;

    if (party == s->face.self)
        return NULL;
    peer = net_mesh_peer(mesh, s->names[party]);
    return peer && peer->live && peer->live->number == s->far[party].link ? peer->live : NULL;
}

fm_status net_sessions_frame(struct net_mesh *mesh, struct net_link *link, struct net_frame *frame,
                             const struct net_head *head, struct base_err *err)
{
    unsigned party;
    struct net_session *s = net_sessions_find(mesh, link, head->session, &party);
    fm_status rv;

    if (!s && net_closed_known(link, head->session)) {
        net_frame_free(frame);
        return FM_OK;
    }
    if (!s) {
        if (net_held_put(mesh, link, head->session, frame))
            return FM_OK;
        net_held_free(net_held_take(link, head->session));
        net_closed_remember(link, head->session);
        return send_abort(mesh, link, head->session, NOBODY, NET_R_LIMIT, err);
    }
    rv = net_session_deliver(s, party, frame, head, err);
    if (rv == FM_E_MEMORY) {
        struct net_failure f = {
            .reason = NET_R_ERROR, .culprit = s->face.self, .report = true, .err = *err};
        net_session_fail(s, &f);
        return FM_OK;
    }
    return rv;
}

/* What a party's abort means here: whom the session blames, in this node's words. */
static void fail_by_word(struct net_session *s, unsigned party, unsigned culprit,
                         enum net_reason reason, enum net_tell tell)
{
    struct net_failure f = {.reason = reason, .culprit = party, .report = tell == NET_TELL};
    const char *word = net_reason_word(reason);

    if (culprit == s->face.self)
        base_err_set(&f.err, FM_E_PEER, "%s left the session, because of this node: %s",
                     s->names[party], word);
    else if (culprit < s->face.parties && culprit != party) {
        f.culprit = culprit;
        base_err_set(&f.err, FM_E_PEER, "%s left the session: %s (says %s)", s->names[culprit],
                     word, s->names[party]);
    } else
        base_err_set(&f.err, FM_E_PEER, "%s left the session: %s", s->names[party], word);
    net_session_fail(s, &f);
}

void net_sessions_abort(struct net_mesh *mesh, struct net_link *link, uint64_t id, unsigned culprit,
                        enum net_reason reason)
{
    unsigned party;
    struct net_session *s = net_sessions_find(mesh, link, id, &party);
    struct net_held *h;

    if (s) {
        /* The sender has told the others itself. */
        fail_by_word(s, party, culprit, reason, NET_SILENT);
        mesh->config.wire->wake(mesh->config.wire->ctx);
        return;
    }
    if (net_closed_known(link, id) || !(h = net_held_get(mesh, link, id)))
        return;
    h->aborted = true;
    h->culprit = (uint8_t)culprit;
    h->reason = reason;
}

void net_sessions_bye(struct net_mesh *mesh, struct net_link *link, uint64_t id)
{
    unsigned party;
    struct net_session *s = net_sessions_find(mesh, link, id, &party);
    struct net_held *h;

    if (s)
        net_session_left(s, party);
    else if (!net_closed_known(link, id) && (h = net_held_get(mesh, link, id)))
        h->left = true;
}

void net_sessions_link_ended(struct net_mesh *mesh, struct net_link *link, enum net_reason reason,
                             const struct base_err *why)
{
    for (struct net_session *s = mesh->sessions; s; s = s->next)
        for (unsigned i = 0; i < s->face.parties; i++) {
            struct net_failure f = {.reason = reason, .culprit = i, .report = true};
            if (i == s->face.self || s->far[i].link != link->number)
                continue;
            base_err_set(&f.err, FM_E_PEER, "%s left the session: %s: %s", s->names[i],
                         net_reason_word(reason), why->text);
            net_session_fail(s, &f);
        }
}

/* Tells all other parties why the session failed here, once. */
static void report(struct net_mesh *mesh, struct net_session *s)
{
    struct net_failure f;
    struct net_link *link;
    struct base_err err;

    if (!net_session_take_report(s, &f))
        return;
    for (unsigned i = 0; f.report && i < s->face.parties; i++)
        if ((link = link_of(mesh, s, i)) &&
            send_abort(mesh, link, s->far[i].id,
                       f.culprit < s->face.parties ? f.culprit : s->face.self, f.reason, &err))
            net_link_end(mesh, link, NET_R_ERROR, NET_SILENT, &err);
    if (f.damaged && f.culprit < s->face.parties && (link = link_of(mesh, s, f.culprit)))
        net_link_end(mesh, link, f.reason, NET_TELL, &f.err);
}

static void tell_node(struct net_mesh *mesh, struct net_session *s)
{
    struct net_event *e;

    if (s->told || !net_session_failed(s) || !(e = net_event_new(NET_SESSION_ENDED, "")))
        return;
    e->session = s;
    memcpy(e->descriptor32, s->descriptor32, 32);
    (void)net_session_state(s, NULL, &e->why);
    s->told = true;
    mesh->config.event(mesh->config.event_ctx, e);
}

int64_t net_sessions_tick(struct net_mesh *mesh)
{
    int64_t now = net_mesh_now(mesh), next = INT64_MAX;

    for (struct net_session *s = mesh->sessions; s; s = s->next) {
        /* Workers that wait notice the deadline themselves and can say for whom they waited. */
        int64_t due = s->deadline_ms < INT64_MAX - NET_PATIENCE_MS
                          ? s->deadline_ms + NET_PATIENCE_MS
                          : INT64_MAX;
        if (now >= due && !net_session_failed(s)) {
            struct net_failure f = {
                .reason = NET_R_TIMEOUT, .culprit = s->face.parties, .report = true};
            base_err_set(&f.err, FM_E_TIMEOUT, "the session's deadline passed");
            net_session_fail(s, &f);
        }
        report(mesh, s);
        tell_node(mesh, s);
        if (now < due && due < next)
            next = due;
    }
    return next;
}

/* Binds a session to the channel of one of its parties. */
static fm_status bind_far(struct net_mesh *mesh, struct net_session *s, unsigned i,
                          struct base_err *err)
{
    struct net_far *far = &s->far[i];
    struct net_peer *peer = net_mesh_peer(mesh, s->names[i]);
    bool dialler;
    uint8_t id[8];
    unsigned other;
    fm_status rv;

    if (!peer || !peer->live)
        return base_err_set(err, FM_E_PEER, "%s is not connected", s->names[i]);
    dialler = net_channel_side(peer->live->channel) == NET_DIALS;
    far->route = peer->live->route;
    far->out_way = dialler ? 0 : 1;
    far->in_way = dialler ? 1 : 0;
    rv = net_channel_export(peer->live->channel, far->secret32, "session", s->descriptor32, err);
    if (rv == FM_OK)
        rv = net_expand(far->salt32, 32, far->secret32, "firmiana salt", NULL, 0, err);
    if (rv == FM_OK)
        rv = net_expand(id, 8, far->secret32, "firmiana session", NULL, 0, err);
    if (rv != FM_OK)
        return rv;
    far->id = base_load_u64(id);
    if (far->id == 0 || net_sessions_find(mesh, peer->live, far->id, &other) ||
        net_closed_known(peer->live, far->id))
        return base_err_set(err, FM_E_CONFLICT,
                            "a session with this descriptor was opened with %s before",
                            s->names[i]);
    far->link = peer->live->number;
    return FM_OK;
}

/* What came for this session before it was open here. */
static void take_held(struct net_mesh *mesh, struct net_session *s, unsigned party)
{
    struct net_link *link = link_of(mesh, s, party);
    struct net_held *h = link ? net_held_take(link, s->far[party].id) : NULL;
    struct net_frame *frame;
    struct net_head head;
    struct base_err err;
    fm_status rv = FM_OK;

    if (!h)
        return;
    while (rv == FM_OK && (frame = net_frames_take(&h->frames))) {
        rv = net_head_read(&head, frame->bytes, frame->len, &err);
        assert(rv == FM_OK); /* it was read when it came */
        rv = net_session_deliver(s, party, frame, &head, &err);
    }
    if (rv != FM_OK)
        net_link_end(mesh, link, NET_R_PROTOCOL, NET_TELL, &err);
    else if (h->aborted)
        fail_by_word(s, party, h->culprit, h->reason, NET_TELL);
    else if (h->left)
        net_session_left(s, party);
    net_held_free(h);
}

fm_status net_mesh_session_open(struct net_mesh *mesh, struct net_session **out,
                                const struct net_session_config *config, struct base_err *err)
{
    struct net_session *s;
    fm_status rv;

    *out = NULL;
    rv = net_session_new(&s, config, net_mesh_self(mesh), mesh->config.wire, mesh->config.waits,
                         err);
    if (rv != FM_OK)
        return rv;
    for (unsigned i = 0; i < s->face.parties; i++) {
        if (i == s->face.self)
            continue;
        rv = bind_far(mesh, s, i, err);
        if (rv != FM_OK) {
            net_session_free(s);
            return rv;
        }
    }
    s->next = mesh->sessions;
    mesh->sessions = s;
    for (unsigned i = 0; i < s->face.parties; i++)
        if (i != s->face.self)
            take_held(mesh, s, i);
    net_links_sweep(mesh);
    mesh->config.wire->wake(mesh->config.wire->ctx); /* its deadline counts from now on */
    *out = s;
    return FM_OK;
}

void net_mesh_session_close(struct net_mesh *mesh, struct net_session *s)
{
    bool failed = net_session_failed(s);
    uint8_t id[8];

    report(mesh, s);
    for (unsigned i = 0; i < s->face.parties; i++) {
        struct net_link *link = link_of(mesh, s, i);
        struct base_err err;
        if (!link)
            continue;
        net_closed_remember(link, s->far[i].id);
        base_store_u64(id, s->far[i].id);
        if (!failed && net_control_emit(mesh, link, NET_SESSION_BYE, id, sizeof id, &err) != FM_OK)
            net_link_end(mesh, link, NET_R_ERROR, NET_SILENT, &err);
    }
    for (struct net_session **at = &mesh->sessions; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    net_session_free(s);
    net_links_sweep(mesh);
}
