#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/lanes.h"

static fm_status check_parties(const struct mpc_session_config *c, unsigned parties,
                               struct base_err *err)
{
    if (c->compute_len != c->protocol->parties)
        return base_err_set(err, FM_E_ARG, "%s takes %u compute parties, not %zu",
                            c->protocol->name, c->protocol->parties, c->compute_len);
    for (size_t i = 0; i < c->compute_len; i++) {
        if (c->compute[i] >= parties)
            return base_err_set(err, FM_E_ARG, "compute party %u: the session has %u parties",
                                c->compute[i], parties);
        for (size_t j = 0; j < i; j++)
            if (c->compute[i] == c->compute[j])
                return base_err_set(err, FM_E_ARG, "compute party %u is listed twice",
                                    c->compute[i]);
    }
    return FM_OK;
}

static fm_status check_config(const struct mpc_session_config *c, struct base_err *err)
{
    fm_status status;

    if (c->protocol == NULL || c->random == NULL)
        return base_err_set(err, FM_E_ARG, "a session needs a protocol and a source of randomness");
    status = mpc_protocol_validate(c->protocol, err);
    if (status != FM_OK)
        return status;
    if (c->transport == NULL && c->protocol->parties != 1)
        return base_err_set(err, FM_E_ARG, "%s needs a transport", c->protocol->name);
    if (c->streams == 0 || c->streams > NET_MAX_STREAMS ||
        c->first_stream > NET_MAX_STREAMS - c->streams)
        return base_err_set(err, FM_E_ARG, "streams %u and %u more: a transport has %d",
                            c->first_stream, c->streams, NET_MAX_STREAMS);
    return check_parties(c, c->transport == NULL ? 1 : c->transport->parties, err);
}

static void fill_session(struct mpc_session *s, const struct mpc_session_config *c)
{
    s->row = c->protocol;
    s->transport = c->transport;
    s->self = c->transport == NULL ? 0 : c->transport->self;
    s->parties = c->transport == NULL ? 1 : c->transport->parties;
    for (unsigned i = 0; i < c->compute_len; i++) {
        s->compute[i] = c->compute[i];
        if (c->compute[i] == s->self) {
            s->index = i;
            s->computes = true;
        }
    }
    s->held = s->computes ? c->protocol->held : 0;
    s->public_at = -1;
    memcpy(s->context32, c->context32, sizeof s->context32);
    s->stream = c->first_stream;
    s->streams = c->streams;
    s->profile = c->profile;
    s->random.source = c->random;
    if (s->transport != NULL)
        net_stats_get(s->transport, &s->before);
}

fm_status mpc_session_open(struct mpc_session **out, const struct mpc_session_config *config,
                           struct base_err *err)
{
    struct mpc_session *s;
    fm_status status;

    *out = NULL;
    status = check_config(config, err);
    if (status != FM_OK) {
        base_err_prefix(err, "mpc session");
        return status;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        if (config->transport != NULL)
            net_abort(config->transport, "failed");
        return base_err_memory(err, "mpc session");
    }
    fill_session(s, config);
    status = s->row->open(s, err);
    if (status == FM_OK)
        status = mpc_lanes_open(s, err);
    status = mpc_finish(s, MPC_OP_OPEN, status, err);
    if (status != FM_OK) {
        mpc_session_close(s);
        return status;
    }
    *out = s;
    return FM_OK;
}

void mpc_session_close(struct mpc_session *s)
{
    if (s == NULL)
        return;
    mpc_lanes_close(s);
    s->row->close(s);
    mpc_pool_release(s);
    base_wipe(s, sizeof *s);
    free(s);
}

void mpc_session_stats(const struct mpc_session *s, struct mpc_stats *out)
{
    struct net_stats now;

    *out = s->stats;
    if (s->transport == NULL)
        return;
    net_stats_get(s->transport, &now);
    out->bytes_sent = now.bytes_sent - s->before.bytes_sent;
    out->bytes_received = now.bytes_received - s->before.bytes_received;
}

bool mpc_session_computes(const struct mpc_session *s)
{
    return s->computes;
}

unsigned mpc_session_self(const struct mpc_session *s)
{
    return s->self;
}

unsigned mpc_session_parties(const struct mpc_session *s)
{
    return s->parties;
}

enum mpc_profile mpc_session_profile(const struct mpc_session *s)
{
    return s->profile;
}

fm_status mpc_no_memory(struct mpc_session *s, const char *what, struct base_err *err)
{
    if (s->transport != NULL)
        net_abort(s->transport, "failed");
    return base_err_memory(err, what);
}

fm_status mpc_finish(struct mpc_session *s, enum mpc_op op, fm_status status, struct base_err *err)
{
    if (status == FM_OK)
        return FM_OK;
    /* What the caller got wrong is named where it was found; it is the same at all parties. */
    if (status == FM_E_ARG || status == FM_E_LIMIT || status == FM_E_UNSUPPORTED)
        return status;
    base_err_prefix(err, "%s %s", s->row->name, mpc_op_name(op));
    if (s->transport != NULL)
        net_abort(s->transport, "failed");
    return status;
}
