#include "net/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "net/session_own.h"

static fm_status take_names(struct net_session *s, const struct net_session_config *config,
                            const char *self, struct base_err *err)
{
    bool found = false;

    for (unsigned i = 0; i < config->parties; i++) {
        const char *name = config->names[i];
        if (!net_name_ok(name))
            return base_err_set(err, FM_E_ARG, "'%.80s' is no party's name", name);
        strcpy(s->names[i], name);
        s->name_of[i] = s->names[i];
        for (unsigned j = 0; j < i; j++)
            if (strcmp(s->names[j], name) == 0)
                return base_err_set(err, FM_E_ARG, "%s is named twice in the session", name);
        if (strcmp(name, self) == 0) {
            s->face.self = i;
            found = true;
        }
    }
    if (!found)
        return base_err_set(err, FM_E_ARG, "%s is not a party of the session", self);
    return FM_OK;
}

fm_status net_session_new(struct net_session **out, const struct net_session_config *config,
                          const char *self, const struct net_wire *wire,
                          const struct net_waits *waits, struct base_err *err)
{
    struct net_session *s;
    fm_status rv;

    *out = NULL;
    if (config->parties < 1 || config->parties > NET_MAX_PARTIES)
        return base_err_set(err, FM_E_ARG, "session of %u parties: must be 1 to %d",
                            config->parties, NET_MAX_PARTIES);
    if (!(s = calloc(1, sizeof *s)))
        return base_err_memory(err, "session");
    s->face.ops = &net_session_ops;
    s->face.parties = config->parties;
    s->face.names = s->name_of;
    s->wire = wire;
    s->waits = waits;
    s->flags = config->flags;
    s->deadline_ms = config->deadline_ms;
    memcpy(s->descriptor32, config->descriptor32, 32);
    rv = take_names(s, config, self, err);
    if (rv != FM_OK)
        goto fail;
    rv = FM_E_MEMORY;
    if (!(s->lock = waits->create(waits->ctx)))
        goto fail_memory;
    for (unsigned i = 0; i < NET_MAX_STREAMS; i++)
        if (!(s->lane[i].wait = waits->create(waits->ctx)))
            goto fail_memory;
    *out = s;
    return FM_OK;
fail_memory:
    base_err_memory(err, "session");
fail:
    net_session_free(s);
    return rv;
}

static void pipe_free(struct net_pipe *p)
{
    if (!p)
        return;
    net_frames_free(&p->inbox);
    net_frames_free(&p->opened);
    net_transcript_release(&p->wrote);
    net_transcript_release(&p->read);
    net_seal_release(&p->out);
    net_seal_release(&p->in);
    free(p);
}

void net_session_free(struct net_session *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < NET_MAX_STREAMS; i++) {
        for (unsigned j = 0; j < NET_MAX_PARTIES; j++)
            pipe_free(s->lane[i].pipe[j]);
        if (s->lane[i].wait)
            s->waits->destroy(s->lane[i].wait);
    }
    if (s->lock)
        s->waits->destroy(s->lock);
    base_wipe(s, sizeof *s);
    free(s);
}

struct net_transport *net_session_transport(struct net_session *s)
{
    return &s->face;
}

unsigned net_session_party(const struct net_session *s, const char *name)
{
    unsigned i = 0;

    while (i < s->face.parties && strcmp(s->names[i], name) != 0)
        i++;
    return i;
}

void net_session_fail(struct net_session *s, const struct net_failure *failure)
{
    bool first;

    assert(failure->err.code != FM_OK && failure->culprit <= s->face.parties);
    s->waits->lock(s->lock);
    first = !s->failed;
    if (first)
        s->failure = *failure;
    s->failed = true;
    s->waits->unlock(s->lock);
    if (!first)
        return;
    for (unsigned i = 0; i < NET_MAX_STREAMS; i++) {
        struct net_lane *lane = &s->lane[i];
        s->waits->lock(lane->wait);
        lane->failed = true;
        s->waits->wake(lane->wait);
        s->waits->unlock(lane->wait);
    }
    if (failure->report || failure->damaged)
        s->wire->wake(s->wire->ctx);
}

bool net_session_failed(struct net_session *s)
{
    bool failed;

    s->waits->lock(s->lock);
    failed = s->failed;
    s->waits->unlock(s->lock);
    return failed;
}

bool net_session_take_report(struct net_session *s, struct net_failure *out)
{
    bool due;

    s->waits->lock(s->lock);
    due = s->failed && (s->failure.report || s->failure.damaged);
    if (due)
        *out = s->failure;
    s->failure.report = false;
    s->failure.damaged = false;
    s->waits->unlock(s->lock);
    return due;
}

fm_status net_session_state(struct net_session *s, unsigned *culprit, struct base_err *err)
{
    fm_status rv = FM_OK;

    s->waits->lock(s->lock);
    if (s->failed)
        rv = base_err_set(err, s->failure.err.code, "%s", s->failure.err.text);
    if (culprit)
        *culprit = s->failed ? s->failure.culprit : s->face.parties;
    s->waits->unlock(s->lock);
    return rv;
}

/* The lane's lock is held. */
static fm_status admit(struct net_session *s, struct net_lane *lane, unsigned party,
                       const struct net_head *head, struct base_err *err)
{
    struct net_pipe *p = lane->pipe[party];
    uint64_t cost = net_frame_cost(head->len);

    if (!p && !(p = lane->pipe[party] = calloc(1, sizeof *p)))
        return base_err_memory(err, "stream");
    if (head->type == NET_WINDOW) {
        if (head->len != 8 || p->windows == NET_WINDOWS_WAITING)
            return base_err_set(err, FM_E_PEER, "%s sent window announcements out of turn",
                                s->names[party]);
        p->windows++;
        return FM_OK;
    }
    if (cost > NET_WINDOW_BYTES - p->inbox_cost)
        return base_err_set(err, FM_E_PEER, "%s overran the window of stream %u", s->names[party],
                            head->stream);
    p->inbox_cost += cost;
    return FM_OK;
}

fm_status net_session_deliver(struct net_session *s, unsigned party, struct net_frame *frame,
                              const struct net_head *head, struct base_err *err)
{
    struct net_lane *lane;
    fm_status rv;

    if (head->stream >= NET_MAX_STREAMS || head->type < NET_DATA_PART || head->type > NET_WINDOW) {
        net_frame_free(frame);
        return base_err_set(err, FM_E_PEER, "%s sent a frame of type %u on stream %u",
                            s->names[party], head->type, head->stream);
    }
    lane = &s->lane[head->stream];
    s->waits->lock(lane->wait);
    rv = admit(s, lane, party, head, err);
    if (rv == FM_OK) {
        lane->pipe[party]->came++;
        net_frames_put(&lane->pipe[party]->inbox, frame);
        s->waits->wake(lane->wait);
    }
    s->waits->unlock(lane->wait);
    if (rv != FM_OK)
        net_frame_free(frame);
    return rv;
}

void net_session_left(struct net_session *s, unsigned party)
{
    for (unsigned i = 0; i < NET_MAX_STREAMS; i++) {
        struct net_lane *lane = &s->lane[i];
        s->waits->lock(lane->wait);
        lane->left |= 1u << party;
        s->waits->wake(lane->wait);
        s->waits->unlock(lane->wait);
    }
}

fm_status net_session_transcript(struct net_session *s, unsigned party, uint8_t sent32[32],
                                 uint8_t received32[32], struct base_err *err)
{
    struct base_hash sent, received;

    if (party >= s->face.parties || party == s->face.self)
        return base_err_set(err, FM_E_ARG, "party %u: not another party of this session", party);
    if (!(s->flags & NET_SESSION_TRANSCRIPT))
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "this session keeps no transcript: open it with one");
    base_hash_init(&sent);
    base_hash_init(&received);
    base_hash_update(&sent, s->far[party].salt32, 32);
    base_hash_update(&received, s->far[party].salt32, 32);
    for (unsigned i = 0; i < NET_MAX_STREAMS; i++) {
        struct net_pipe *p = s->lane[i].pipe[party];
        if (!p)
            continue;
        net_transcript_close(&p->wrote, i, &sent);
        net_transcript_close(&p->read, i, &received);
    }
    base_hash_final(&sent, sent32);
    base_hash_final(&received, received32);
    return FM_OK;
}
