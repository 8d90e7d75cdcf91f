#include <stdlib.h>
#include <string.h>

#include "mpc/reckon/own.h"

/* A transport that carries nothing. */

static fm_status no_send(struct net_transport *t, unsigned stream, unsigned to, const void *bytes,
                         size_t len, struct base_err *err)
{
    (void)t;
    (void)stream;
    (void)to;
    (void)bytes;
    return base_err_set(err, FM_E_ARG, "a reckoning wants to send %zu bytes", len);
}

static fm_status no_recv(struct net_transport *t, unsigned stream, unsigned from, void *out,
                         size_t len, struct base_err *err)
{
    (void)t;
    (void)stream;
    (void)from;
    (void)out;
    return base_err_set(err, FM_E_ARG, "a reckoning waits for %zu bytes", len);
}

static void no_abort(struct net_transport *t, const char *reason)
{
    (void)t;
    (void)reason;
}

static void no_stats(const struct net_transport *t, struct net_stats *out)
{
    (void)t;
    *out = (struct net_stats){0};
}

static const struct net_transport_ops nothing = {no_send, no_recv, no_abort, no_stats};

fm_status mpc_reckon_new(struct mpc_reckon **out, const struct mpc_reckon_config *config,
                         struct base_err *err)
{
    struct mpc_reckon *r = calloc(1, sizeof *r);
    struct mpc_session_config c = {.protocol = &mpc_reckon_row,
                                   .compute = &config->parties, /* behind all others */
                                   .compute_len = 1,
                                   .streams = 1,
                                   .profile = config->profile,
                                   .random = base_random_system()};
    fm_status st;

    *out = NULL;
    if (r == NULL)
        return base_err_memory(err, "reckoning");
    if (config->parties >= NET_MAX_PARTIES) {
        free(r);
        return base_err_set(err, FM_E_LIMIT, "%u parties: a reckoning takes at most %d",
                            config->parties, NET_MAX_PARTIES - 1);
    }
    for (unsigned i = 0; i <= config->parties; i++)
        r->names[i] = "nobody";
    memcpy(r->compute, config->compute, sizeof r->compute);
    r->face = (struct net_transport){&nothing, config->parties, config->parties + 1, r->names};
    c.transport = &r->face;
    st = mpc_session_open(&r->session, &c, err);
    if (st != FM_OK) {
        free(r);
        return st;
    }
    *out = r;
    return FM_OK;
}

void mpc_reckon_free(struct mpc_reckon *r)
{
    if (r == NULL)
        return;
    mpc_session_close(r->session);
    free(r);
}

struct mpc_session *mpc_reckon_session(struct mpc_reckon *r)
{
    return r->session;
}

struct net_transport *mpc_reckon_transport(struct mpc_reckon *r)
{
    return &r->face;
}

unsigned mpc_reckon_self(const struct mpc_reckon *r)
{
    return r->face.self;
}

void mpc_reckon_get(const struct mpc_reckon *r, struct mpc_reckoned *out)
{
    *out =
        (struct mpc_reckoned){.rounds = r->session->stats.rounds,
                              .memory = r->session->stats.memory_peak,
                              .pool = r->session->stats.memory_pool + r->session->stats.memory_heap,
                              .busy_ns = (uint64_t)r->busy_ns,
                              .bytes = r->evenly + r->brought};
    memcpy(out->sent, r->sent, sizeof out->sent);
    memcpy(out->received, r->received, sizeof out->received);
    for (unsigned p = 0; p < NET_MAX_PARTIES; p++)
        out->bytes += r->sent[p];
    for (unsigned k = 0; k < 3; k++) {
        out->sent[r->compute[k]] += (r->evenly + r->brought) / 3;
        out->received[r->compute[k]] += r->evenly / 3;
    }
}
