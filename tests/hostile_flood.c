/* Strangers, many at a time, from an address of their own (127.0.0.66). A connection that the node
 * closes is made again at once. Kinds:
 *
 *   silent    TCP, and not a byte          slow    the greeting, a byte a second
 *   greeted   ZMTP's handshake, pings answered, never a frame
 *   parts     one message of ever more parts of 1 MiB, all marked "more follow"
 *   oversize  a frame that says it has 2^40 bytes
 *   junk      random frames, some with the head of a handshake or of a sealed frame
 *   garbage   bytes that are almost ZMTP's handshake and commands, others each time, then a reset
 *   hello     a proper TLS ClientHello, then a new connection for the next
 *   reset     many small frames and pings in one write, then a reset of the connection
 *   churn     connects, and closes at once
 *
 * Prints one line of JSON at the end: connections made, closed by the node, bytes sent, and for how
 * long (ms) the node bore the one that it bore longest. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/hostile.h"

enum { SLOTS_MAX = 512, PART = 1 << 20, HEAD = 16 };

struct slot {
    int fd;
    int64_t since_ms;
    size_t at;    /* of the script */
    uint64_t cut; /* of the endless rest */
};

struct flood {
    const char *kind;
    unsigned port;
    struct slot slot[SLOTS_MAX];
    unsigned slots;
    uint8_t script[4096]; /* what each connection says first */
    size_t script_len;
    uint8_t *rest; /* and then, over and over; NULL: nothing */
    size_t rest_len;
    uint64_t made, closed, bytes;
    int64_t longest_ms;
};

static bool is(const struct flood *f, const char *kind)
{
    return strcmp(f->kind, kind) == 0;
}

/* The first flight of a TLS client, in the head of a handshake frame, in a ZMTP frame. */
static bool add_client_hello(struct flood *f)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    char *bytes;
    long len;

    if (!ssl || !in || !out || SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1 ||
        SSL_set1_groups_list(ssl, "X25519") != 1 ||
        SSL_set_alpn_protos(ssl, (const uint8_t *)"\12firmiana/1", 11) != 0)
        return false;
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    (void)SSL_do_handshake(ssl);
    len = BIO_get_mem_data(out, &bytes);
    if (len <= 0 || f->script_len + 9 + HEAD + (size_t)len > sizeof f->script)
        return false;
    f->script_len += hostile_frame_header(f->script + f->script_len, 0, HEAD + (size_t)len);
    memcpy(f->script + f->script_len,
           (uint8_t[HEAD]){1, 1, 0, 0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len}, HEAD);
    memcpy(f->script + f->script_len + HEAD, bytes, (size_t)len);
    f->script_len += HEAD + (size_t)len;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return true;
}

static bool add_rest(struct flood *f)
{
    size_t n = 0;

    if (!(f->rest = calloc(1, PART + 64)))
        return false;
    if (is(f, "parts")) {
        f->rest_len = hostile_frame_header(f->rest, ZMTP_MORE, PART) + PART;
        return true;
    }
    while (n + 400 < PART) { /* junk */
        size_t len = 1 + (size_t)rand() % 300;
        n += hostile_frame_header(f->rest + n, rand() % 8 == 0 ? ZMTP_MORE : 0, len);
        for (size_t i = 0; i < len; i++)
            f->rest[n + i] = (uint8_t)rand();
        if (rand() % 2 && len > HEAD) { /* a head that is right */
            size_t inner = len - HEAD;
            memcpy(f->rest + n,
                   (uint8_t[]){1, (uint8_t)(1 + rand() % 2), 0, 0, 0, 0, (uint8_t)(inner >> 8),
                               (uint8_t)inner},
                   8);
        }
        n += len;
    }
    f->rest_len = n;
    return true;
}

/* More messages than any queue of ZeroMQ's was set to, with pings between them. */
static void add_burst(struct flood *f)
{
    static const uint8_t ping[] = {ZMTP_COMMAND, 7, 4, 'P', 'I', 'N', 'G', 0, 0};

    for (unsigned i = 0; i < 200; i++) {
        f->script_len += hostile_frame_header(f->script + f->script_len, 0, 1);
        f->script[f->script_len++] = 1;
        memcpy(f->script + f->script_len, ping, sizeof ping);
        f->script_len += i % 4 == 3 ? sizeof ping : 0;
    }
}

static bool prepare(struct flood *f)
{
    if (is(f, "silent") || is(f, "churn") || is(f, "garbage"))
        return true;
    f->script_len = hostile_hello(f->script);
    if (is(f, "oversize"))
        f->script_len += hostile_frame_header(f->script + f->script_len, 0, UINT64_C(1) << 40);
    if (is(f, "hello"))
        return add_client_hello(f);
    if (is(f, "reset"))
        add_burst(f);
    if (is(f, "parts") || is(f, "junk") || is(f, "oversize"))
        return add_rest(f);
    return is(f, "slow") || is(f, "greeted") || is(f, "reset");
}

static void end_slot(struct flood *f, struct slot *s)
{
    int64_t held = hostile_now_ms() - s->since_ms;

    f->longest_ms = held > f->longest_ms ? held : f->longest_ms;
    (void)close(s->fd);
    s->fd = -1;
}

/* A handshake with a few bytes changed, or commands and frames of any kind after a proper one. */
static void make_garbage(struct flood *f)
{
    static const char *const commands[] = {"\4PING",       "\4PONG",   "\5READY", "\5ERROR",
                                           "\11SUBSCRIBE", "\6CANCEL", "\5HELLO", ""};
    size_t n = hostile_hello(f->script);

    for (int i = rand() % 4; i > 0; i--)
        f->script[(size_t)rand() % n] = (uint8_t)rand();
    for (int i = rand() % 12; i > 0; i--) {
        const char *command = commands[rand() % 8];
        size_t name = strlen(command), len = name + (size_t)rand() % 8 * (size_t)(rand() % 8);
        n += hostile_frame_header(f->script + n, (unsigned)rand() % 8 & ~(unsigned)ZMTP_LONG, len);
        memcpy(f->script + n, command, name);
        for (size_t k = name; k < len; k++)
            f->script[n + k] = (uint8_t)rand();
        n += len;
    }
    f->script_len = n;
}

static void begin_slot(struct flood *f, struct slot *s)
{
    if (is(f, "garbage"))
        make_garbage(f);
    *s = (struct slot){.fd = hostile_connect(f->port, "127.0.0.66"), .since_ms = hostile_now_ms()};
    if (s->fd >= 0)
        f->made++;
}

static size_t due(const struct flood *f, const struct slot *s)
{
    size_t seconds = (size_t)(hostile_now_ms() - s->since_ms) / 1000;

    if (!is(f, "slow"))
        return f->script_len;
    return seconds < f->script_len ? seconds : f->script_len;
}

static bool wants_to_send(const struct flood *f, const struct slot *s)
{
    return s->at < due(f, s) || (f->rest && s->at == f->script_len);
}

static void reset_slot(struct flood *f, struct slot *s)
{
    struct linger none = {.l_onoff = 1};

    (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    end_slot(f, s);
}

static void send_some(struct flood *f, struct slot *s)
{
    size_t upto = due(f, s), from = (size_t)(s->cut % (f->rest_len ? f->rest_len : 1));
    bool script = s->at < upto;
    ssize_t n = script ? send(s->fd, f->script + s->at, upto - s->at, 0)
                       : send(s->fd, f->rest + from, f->rest_len - from, 0);

    if (n < 0)
        return; /* reading tells what is wrong */
    f->bytes += (uint64_t)n;
    if (script)
        s->at += (size_t)n;
    if (is(f, "reset") && s->at == f->script_len) {
        reset_slot(f, s);
        return;
    }
    if (script)
        return;
    s->cut += (uint64_t)n;
}

/* Answers pings; false if the node closed the connection. */
static bool read_some(struct flood *f, struct slot *s)
{
    static const uint8_t pong[] = {ZMTP_COMMAND, 5, 4, 'P', 'O', 'N', 'G'};
    uint8_t bytes[4096];
    ssize_t n = recv(s->fd, bytes, sizeof bytes, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
        return false;
    for (ssize_t i = 0; i + 4 <= n && is(f, "greeted"); i++)
        if (memcmp(bytes + i, "PING", 4) == 0 && send(s->fd, pong, sizeof pong, 0) < 0)
            return false;
    if (is(f, "hello") && n > 200) { /* the node's flight: next, please */
        end_slot(f, s);
        begin_slot(f, s);
    }
    return true;
}

static void turn(struct flood *f)
{
    struct pollfd p[SLOTS_MAX];

    for (unsigned i = 0; i < f->slots; i++) {
        if (f->slot[i].fd >= 0 && is(f, "garbage") &&
            hostile_now_ms() > f->slot[i].since_ms + 20) /* it has read it by now */
            reset_slot(f, &f->slot[i]);
        if (f->slot[i].fd < 0 || is(f, "churn")) {
            if (f->slot[i].fd >= 0)
                end_slot(f, &f->slot[i]);
            begin_slot(f, &f->slot[i]);
        }
        p[i] = (struct pollfd){.fd = f->slot[i].fd,
                               .events =
                                   (short)(POLLIN | (wants_to_send(f, &f->slot[i]) ? POLLOUT : 0))};
    }
    (void)poll(p, f->slots, is(f, "churn") ? 0 : 20);
    for (unsigned i = 0; i < f->slots; i++) {
        if (p[i].revents & POLLOUT)
            send_some(f, &f->slot[i]);
        if (f->slot[i].fd >= 0 && p[i].revents & (POLLIN | POLLERR | POLLHUP) &&
            !read_some(f, &f->slot[i])) {
            end_slot(f, &f->slot[i]);
            f->closed++;
        }
    }
}

int hostile_flood(int argc, char **argv)
{
    struct flood *f = calloc(1, sizeof *f);
    int64_t end;

    if (!f || argc != 5)
        return 2;
    f->port = (unsigned)atoi(argv[1]);
    f->kind = argv[2];
    f->slots = (unsigned)atoi(argv[4]);
    f->slots = f->slots > SLOTS_MAX ? SLOTS_MAX : f->slots;
    for (unsigned i = 0; i < f->slots; i++)
        f->slot[i].fd = -1;
    if (!prepare(f)) {
        fprintf(stderr, "hostile: no flood of '%s'\n", f->kind);
        return 2;
    }
    end = hostile_now_ms() + atoi(argv[3]);
    while (hostile_now_ms() < end)
        turn(f);
    for (unsigned i = 0; i < f->slots; i++)
        if (f->slot[i].fd >= 0)
            end_slot(f, &f->slot[i]);
    printf("{\"kind\":\"%s\",\"made\":%llu,\"closed\":%llu,\"bytes\":%llu,\"longest_ms\":%lld}\n",
           f->kind, (unsigned long long)f->made, (unsigned long long)f->closed,
           (unsigned long long)f->bytes, (long long)f->longest_ms);
    free(f->rest);
    free(f);
    return 0;
}
