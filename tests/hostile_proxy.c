/* Somebody between two nodes: passes on what it gets, frame by frame, and does one bad thing when
 * told. Faults come as lines on standard input; each is done once, to the next frame of a session
 * (for `control`: of the control stream), and then "fired FAULT" is printed.
 *
 *   version kind type stream length session cipher tag   flips one bit there
 *   control     flips one bit in the ciphertext of a control frame
 *   more        marks the frame as the first part of a longer message
 *   drop        forgets it             double    sends it twice
 *   swap        sends it after the next frame of its stream
 *   record      keeps a copy           replay    sends the copy first
 *   halves      from now on nothing passes, on any connection, and none is closed; until
 *   heal        closes all connections and passes everything again
 *   quit */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/hostile.h"

enum { CONNECTIONS = 32, HEAD = 16, KIND_SEALED = 2 };

/* One way of a connection: bytes that came and are not yet a whole frame. */
struct way {
    int from, to;
    size_t greeted; /* bytes of the greeting that have passed */
    size_t len;
    uint8_t *bytes; /* HOSTILE_FRAME_MAX */
    uint8_t *kept;  /* a frame that is sent after the next */
    size_t kept_len, kept_header;
};

struct proxy {
    int listener;
    unsigned target;
    struct way way[2 * CONNECTIONS]; /* 2i and 2i + 1 belong together; from -1: free */
    char fault[16];                  /* "" none */
    bool halved;
    uint8_t *record;
    size_t record_len;
};

static void close_pair(struct proxy *p, unsigned i)
{
    i &= ~1u;
    (void)close(p->way[i].from);
    (void)close(p->way[i].to);
    for (unsigned k = i; k < i + 2; k++) {
        free(p->way[k].bytes);
        free(p->way[k].kept);
        p->way[k] = (struct way){.from = -1};
    }
}

static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, 0);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void fired(struct proxy *p)
{
    printf("fired %s\n", p->fault);
    (void)fflush(stdout);
    p->fault[0] = '\0';
}

/* Where a fault's bit is, in a frame of that length; 0: it flips none. */
static size_t place_of(const char *fault, size_t len)
{
    static const struct {
        const char *name;
        size_t at;
    } places[] = {{"version", 0}, {"kind", 1},     {"type", 2},      {"stream", 3},
                  {"length", 7},  {"session", 12}, {"cipher", HEAD}, {"control", HEAD}};

    if (strcmp(fault, "tag") == 0)
        return len;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(fault, places[i].name) == 0)
            return places[i].at + 1;
    return 0;
}

/* One frame, whole: header bytes, then len bytes. Does the fault if it is its turn. */
static bool pass(struct proxy *p, struct way *w, size_t header, size_t len)
{
    uint8_t *body = w->bytes + header;
    bool message = !(w->bytes[0] & ZMTP_COMMAND) && len > HEAD && body[1] == KIND_SEALED;
    bool control = message && memcmp(body + 8, "\0\0\0\0\0\0\0", 8) == 0;
    bool turn = p->fault[0] != '\0' && message && control == (strcmp(p->fault, "control") == 0);
    size_t whole = header + len, at = turn ? place_of(p->fault, len) : 0;
    bool double_it = false, ok;

    if (at > 0) {
        body[at - 1] ^= strcmp(p->fault, "kind") == 0 ? 3 : 1; /* sealed becomes handshake */
        fired(p);
    } else if (turn && strcmp(p->fault, "record") == 0) {
        free(p->record);
        p->record = malloc(whole);
        if (p->record)
            memcpy(p->record, w->bytes, p->record_len = whole);
        fired(p);
    } else if (turn && strcmp(p->fault, "replay") == 0) {
        fired(p);
        if (!send_all(w->to, p->record, p->record_len))
            return false;
    } else if (turn && strcmp(p->fault, "drop") == 0) {
        fired(p);
        return true;
    } else if (turn && strcmp(p->fault, "swap") == 0) {
        fired(p);
        w->kept = malloc(whole);
        if (w->kept)
            memcpy(w->kept, w->bytes, w->kept_len = whole);
        w->kept_header = header;
        return w->kept != NULL;
    } else if (turn && strcmp(p->fault, "more") == 0) {
        w->bytes[0] |= ZMTP_MORE;
        fired(p);
    } else if (turn && strcmp(p->fault, "double") == 0) {
        double_it = true;
        fired(p);
    }
    ok = send_all(w->to, w->bytes, whole) && (!double_it || send_all(w->to, w->bytes, whole));
    if (ok && w->kept && message && memcmp(w->kept + w->kept_header + 8, body + 8, 8) == 0 &&
        w->kept[w->kept_header + 3] == body[3]) {
        ok = send_all(w->to, w->kept, w->kept_len);
        free(w->kept);
        w->kept = NULL;
    }
    return ok;
}

/* A greeting is sent in pieces, each when the other end's has come: it is passed on as it comes. */
static bool pass_greeting(struct way *w)
{
    size_t n = ZMTP_GREETING - w->greeted < w->len ? ZMTP_GREETING - w->greeted : w->len;

    if (!send_all(w->to, w->bytes, n))
        return false;
    w->greeted += n;
    w->len -= n;
    memmove(w->bytes, w->bytes + n, w->len);
    return true;
}

/* Passes on all whole frames that have come. */
static bool pass_whole(struct proxy *p, struct way *w)
{
    for (;;) {
        size_t header = w->len > 0 && w->bytes[0] & ZMTP_LONG ? 9 : 2, len = 0;
        if (w->len < header)
            return true;
        for (size_t i = 1; i < header; i++)
            len = len << 8 | w->bytes[i];
        if (header + len > HOSTILE_FRAME_MAX)
            return false;
        if (w->len < header + len)
            return true;
        if (!pass(p, w, header, len))
            return false;
        w->len -= header + len;
        memmove(w->bytes, w->bytes + header + len, w->len);
    }
}

static bool take(struct proxy *p, struct way *w)
{
    ssize_t n = recv(w->from, w->bytes + w->len, HOSTILE_FRAME_MAX - w->len, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK;
    w->len += (size_t)n;
    return n > 0 && pass_greeting(w) && pass_whole(p, w);
}

static void blocking(int fd)
{
    struct timeval patience = {.tv_sec = 5};

    (void)fcntl(fd, F_SETFL, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void accept_one(struct proxy *p)
{
    int in = accept(p->listener, NULL, NULL),
        out = in >= 0 ? hostile_connect(p->target, "127.0.0.1") : -1;
    struct pollfd wait = {.fd = out, .events = POLLOUT};
    unsigned i = 0;

    while (i < 2 * CONNECTIONS && p->way[i].from >= 0)
        i += 2;
    if (out < 0 || i == 2 * CONNECTIONS || poll(&wait, 1, 2000) != 1) {
        if (in >= 0)
            (void)close(in);
        if (out >= 0)
            (void)close(out);
        return;
    }
    blocking(in);
    blocking(out);
    p->way[i] = (struct way){.from = in, .to = out, .bytes = malloc(HOSTILE_FRAME_MAX)};
    p->way[i + 1] = (struct way){.from = out, .to = in, .bytes = malloc(HOSTILE_FRAME_MAX)};
    if (!p->way[i].bytes || !p->way[i + 1].bytes)
        close_pair(p, i);
}

static bool obey(struct proxy *p)
{
    char line[64];

    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "quit") == 0)
        return false;
    snprintf(p->fault, sizeof p->fault, "%.15s", line);
    if (strcmp(line, "halves") != 0 && strcmp(line, "heal") != 0)
        return true;
    p->halved = strcmp(line, "halves") == 0;
    for (unsigned i = 0; i < 2 * CONNECTIONS && !p->halved; i += 2)
        if (p->way[i].from >= 0)
            close_pair(p, i);
    fired(p);
    return true;
}

int hostile_proxy(int argc, char **argv)
{
    struct proxy *p = calloc(1, sizeof *p);
    struct pollfd polled[2 + 2 * CONNECTIONS];
    bool on = true;

    if (!p || argc != 3 || (p->listener = hostile_listen((unsigned)atoi(argv[1]))) < 0)
        return 2;
    p->target = (unsigned)atoi(argv[2]);
    for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
        p->way[i].from = -1;
    while (on) {
        polled[0] = (struct pollfd){.fd = 0, .events = POLLIN};
        polled[1] = (struct pollfd){.fd = p->listener, .events = POLLIN};
        for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
            polled[2 + i] =
                (struct pollfd){.fd = p->halved ? -1 : p->way[i].from, .events = POLLIN};
        (void)poll(polled, 2 + 2 * CONNECTIONS, -1);
        for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
            if (polled[2 + i].revents && p->way[i].from == polled[2 + i].fd && !take(p, &p->way[i]))
                close_pair(p, i);
        if (polled[1].revents)
            accept_one(p);
        if (polled[0].revents)
            on = obey(p);
    }
    for (unsigned i = 0; i < 2 * CONNECTIONS; i += 2)
        if (p->way[i].from >= 0)
            close_pair(p, i);
    free(p->record);
    free(p);
    return 0;
}
