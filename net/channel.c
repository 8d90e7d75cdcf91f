#include "net/channel.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/profile.h"
#include "base/secret.h"
#include "net/agree.h"

struct net_channel {
    struct net_verifier verifier; /* first: a verifier pointer is a channel pointer */
    SSL *ssl;                     /* or */
    struct net_agree *agree;      /* where the profile is national */
    const struct net_keys *keys;
    enum net_side side;
    bool done;
    char peer[NET_NAME_MAX + 1];
    uint8_t peer_key33[NET_KEY];
    size_t received;
    struct base_err refused; /* why the certificate was refused, once it was */
};

/* Is it whom we wanted, or a peer at all, and with the key that it has now? shown: what says so. */
static fm_status accept_peer(struct net_channel *ch, const char *shown, const char *name,
                             const uint8_t key33[NET_KEY], struct base_err *err)
{
    uint8_t expected[NET_KEY] = {0};

    memcpy(ch->peer_key33, key33, NET_KEY);
    if (!net_name_ok(name) || (ch->peer[0] != '\0' && strcmp(ch->peer, name) != 0))
        return base_err_set(err, FM_E_AUTH, "the %s names %s", shown,
                            net_name_ok(name) ? name : "nobody");
    if (!ch->keys->key_of(ch->keys->ctx, name, expected))
        return base_err_set(err, FM_E_AUTH, "%s is not a peer of this node", name);
    if (!base_equal(expected, key33, NET_KEY))
        return base_err_set(err, FM_E_AUTH, "the %s's key is not %s's registered key", shown, name);
    strcpy(ch->peer, name);
    return FM_OK;
}

/* The first failing check gives the error's text. */
static bool accept_certificate(struct net_verifier *self, X509 *cert, int chain_len)
{
    struct net_channel *ch = (struct net_channel *)self;
    struct base_err *why = &ch->refused;
    char name[NET_NAME_MAX + 1] = "";
    uint8_t key[NET_KEY];

    if (chain_len != 1) {
        base_err_set(why, FM_E_AUTH, "the peer sent more than its own certificate");
        return false;
    }
    return net_certificate_read(name, key, cert, why) == FM_OK &&
           accept_peer(ch, "certificate", name, key, why) == FM_OK;
}

static fm_status accept_proof(void *ctx, const char *name, const uint8_t key33[NET_KEY],
                              struct base_err *err)
{
    return accept_peer(ctx, "handshake", name, key33, err);
}

static bool begin_tls(struct net_channel *ch, const struct net_identity *self)
{
    BIO *in, *to;

    ch->verifier.accept = accept_certificate;
    if (!(ch->ssl = net_identity_ssl(self, &ch->verifier)))
        return false;
    in = BIO_new(BIO_s_mem());
    to = BIO_new(BIO_s_mem());
    SSL_set_bio(ch->ssl, in, to);
    if (ch->side == NET_DIALS)
        SSL_set_connect_state(ch->ssl);
    else
        SSL_set_accept_state(ch->ssl);
    return in && to;
}

fm_status net_channel_new(struct net_channel **out, const struct net_identity *self,
                          const struct net_keys *keys, enum net_side side, const char *peer,
                          struct base_err *err)
{
    struct net_channel *ch = calloc(1, sizeof *ch);
    fm_status st;

    assert((side == NET_DIALS) == (peer != NULL));
    *out = NULL;
    if (!ch)
        return base_err_memory(err, "connection");
    if (peer)
        snprintf(ch->peer, sizeof ch->peer, "%s", peer);
    ch->keys = keys;
    ch->side = side;
    if (base_profile_is_national())
        st = net_agree_new(&ch->agree, self, side == NET_DIALS,
                           (struct net_agree_judge){accept_proof, ch}, err);
    else
        st = begin_tls(ch, self) ? FM_OK : base_err_memory(err, "TLS connection");
    if (st == FM_OK)
        *out = ch;
    else
        net_channel_free(ch); /* UNTESTED: memory */
    return st;
}

void net_channel_free(struct net_channel *ch)
{
    if (!ch)
        return;
    SSL_free(ch->ssl);
    net_agree_free(ch->agree);
    free(ch);
}

static fm_status collect(struct net_channel *ch, struct base_buf *out, struct base_err *err)
{
    char *bytes;
    long len = BIO_get_mem_data(SSL_get_wbio(ch->ssl), &bytes);

    base_buf_put(out, bytes, len > 0 ? (size_t)len : 0);
    (void)BIO_reset(SSL_get_wbio(ch->ssl));
    return base_buf_status(out, "handshake", err);
}

/* What went wrong, as far as OpenSSL or our own check can say. */
static fm_status explain(struct net_channel *ch, struct base_err *err)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;

    if (ch->refused.code != FM_OK)
        return base_err_set(err, ch->refused.code, "%s", ch->refused.text);
    return base_err_set(err, FM_E_PEER, "TLS handshake: %s", reason ? reason : "broken off");
}

/* One turn of TLS with the new bytes in place: FM_OK if all is well so far. */
static fm_status advance(struct net_channel *ch, struct base_err *err)
{
    char byte;
    int n;

    ERR_clear_error();
    if (!ch->done) {
        n = SSL_do_handshake(ch->ssl);
        if (n != 1 && SSL_get_error(ch->ssl, n) != SSL_ERROR_WANT_READ)
            return explain(ch, err);
        if (n != 1)
            return FM_OK;
        ch->done = true;
    }
    /* After the handshake only an alert may come. */
    n = SSL_read(ch->ssl, &byte, 1);
    if (n > 0)
        return base_err_set(err, FM_E_PEER, "application data in TLS records");
    if (SSL_get_error(ch->ssl, n) != SSL_ERROR_WANT_READ)
        return explain(ch, err);
    return FM_OK;
}

fm_status net_channel_handshake(struct net_channel *ch, const void *in, size_t len,
                                struct base_buf *out, struct base_err *err)
{
    fm_status rv, sent;
    struct base_err second;

    if (len > NET_HANDSHAKE_MAX - ch->received)
        return base_err_set(err, FM_E_LIMIT, "handshake of more than %d bytes", NET_HANDSHAKE_MAX);
    if (!ch->agree && ch->received == 0 && net_agree_begins(in, len))
        return base_err_set(err, FM_E_PEER,
                            "handshake: the peer's profile is national, this node's is not");
    ch->received += len;
    if (ch->agree) {
        rv = net_agree_step(ch->agree, in, len, out, err);
        ch->done = ch->done || net_agree_done(ch->agree);
        return rv;
    }
    if (len > 0 && BIO_write(SSL_get_rbio(ch->ssl), in, (int)len) != (int)len)
        return base_err_memory(err, "handshake"); /* UNTESTED: memory */
    rv = advance(ch, err);
    sent = collect(ch, out, rv == FM_OK ? err : &second);
    return rv == FM_OK ? sent : rv;
}

bool net_channel_done(const struct net_channel *ch)
{
    return ch->done;
}

enum net_side net_channel_side(const struct net_channel *ch)
{
    return ch->side;
}

const char *net_channel_peer(const struct net_channel *ch)
{
    return ch->peer;
}

bool net_channel_key_current(const struct net_channel *ch)
{
    uint8_t now[NET_KEY] = {0};

    return ch->keys->key_of(ch->keys->ctx, ch->peer, now) &&
           base_equal(now, ch->peer_key33, NET_KEY);
}

fm_status net_channel_export(struct net_channel *ch, uint8_t out32[32], const char *label,
                             const uint8_t context32[32], struct base_err *err)
{
    char full[64];
    int n = snprintf(full, sizeof full, "EXPORTER-firmiana-%s", label);

    assert(ch->done && n > 0 && (size_t)n < sizeof full);
    if (ch->agree)
        return net_agree_export(ch->agree, out32, full, context32, err);
    if (SSL_export_keying_material(ch->ssl, out32, 32, full, (size_t)n, context32, 32, 1) != 1)
        return base_err_memory(err, "TLS exporter"); /* UNTESTED: memory */
    return FM_OK;
}
