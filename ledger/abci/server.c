#define _GNU_SOURCE
#include "ledger/abci/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ledger/abci/frame.h"

enum { READ_EACH = 1 << 18 };

struct connection {
    int fd; /* -1: none */
    struct ledger_frames frames;
    struct base_buf out;
    size_t sent; /* of out */
};

struct ledger_abci_server {
    int fd;
    struct sockaddr_un address;
    struct ledger_abci_app *app;
    struct connection connections[LEDGER_ABCI_CONNECTIONS];
    uint8_t room[READ_EACH];
};

fm_status ledger_abci_server_open(struct ledger_abci_server **out, const char *path,
                                  struct ledger_abci_app *app, struct base_err *err)
{
    struct ledger_abci_server *s = calloc(1, sizeof *s);
    mode_t before;
    int bound;

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, "ABCI server");
    s->app = app;
    s->address.sun_family = AF_UNIX;
    for (size_t i = 0; i < LEDGER_ABCI_CONNECTIONS; i++)
        s->connections[i].fd = -1;
    if (strlen(path) >= sizeof s->address.sun_path) {
        free(s);
        return base_err_set(err, FM_E_ARG,
                            "%s: a socket's path may have %zu bytes: choose a shorter home", path,
                            sizeof s->address.sun_path - 1);
    }
    memcpy(s->address.sun_path, path, strlen(path) + 1);
    (void)unlink(path);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    before = umask(0177);
    bound = s->fd >= 0 ? bind(s->fd, (struct sockaddr *)&s->address, sizeof s->address) : -1;
    (void)umask(before);
    if (bound != 0 || listen(s->fd, LEDGER_ABCI_CONNECTIONS) != 0) {
        fm_status st = base_err_errno(err, path);
        if (s->fd >= 0)
            (void)close(s->fd);
        free(s);
        return st;
    }
    *out = s;
    return FM_OK;
}

size_t ledger_abci_server_connections(const struct ledger_abci_server *s)
{
    size_t n = 0;

    for (size_t i = 0; i < LEDGER_ABCI_CONNECTIONS; i++)
        n += s->connections[i].fd >= 0;
    return n;
}

static void drop(struct ledger_abci_server *s, struct connection *c)
{
    if (c->fd < 0)
        return;
    (void)close(c->fd);
    ledger_frames_release(&c->frames);
    base_buf_release(&c->out);
    *c = (struct connection){.fd = -1};
    if (ledger_abci_server_connections(s) == 0)
        ledger_abci_gone(s->app);
}

void ledger_abci_server_close(struct ledger_abci_server *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < LEDGER_ABCI_CONNECTIONS; i++)
        drop(s, &s->connections[i]);
    (void)close(s->fd);
    (void)unlink(s->address.sun_path);
    free(s);
}

/* Who does not take our answers is not read from any more. */
static bool is_clogged(const struct connection *c)
{
    return c->out.len - c->sent > LEDGER_FRAME_MAX;
}

void ledger_abci_server_poll(const struct ledger_abci_server *s, struct pollfd fds[LEDGER_ABCI_FDS])
{
    fds[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    for (size_t i = 0; i < LEDGER_ABCI_CONNECTIONS; i++) {
        const struct connection *c = &s->connections[i];
        short events = is_clogged(c) ? 0 : POLLIN;
        if (c->out.len > c->sent)
            events |= POLLOUT;
        fds[i + 1] = (struct pollfd){.fd = c->fd, .events = events};
    }
}

static bool write_out(struct connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        c->sent += (size_t)n;
    }
    base_buf_clear(&c->out);
    c->sent = 0;
    return true;
}

/* *well is false if the connection is of no more use. */
static fm_status answer_all(struct ledger_abci_server *s, struct connection *c, bool *well,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    while (st == FM_OK && *well) {
        struct base_err why = {0};
        const uint8_t *bytes;
        size_t len;
        bool got;

        *well = ledger_frames_next(&c->frames, &got, &bytes, &len, &why) == FM_OK;
        if (!*well || !got)
            break;
        st = ledger_abci_answer(s->app, &c->out, bytes, len, err);
        *well = write_out(c);
    }
    return st;
}

static fm_status read_in(struct ledger_abci_server *s, struct connection *c, bool *well,
                         struct base_err *err)
{
    ssize_t n = recv(c->fd, s->room, sizeof s->room, 0);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return FM_OK;
    if (n <= 0) {
        *well = false;
        return FM_OK;
    }
    ledger_frames_put(&c->frames, s->room, (size_t)n);
    return answer_all(s, c, well, err);
}

static void accept_all(struct ledger_abci_server *s)
{
    int fd;

    while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct connection *c = s->connections, *end = c + LEDGER_ABCI_CONNECTIONS;
        while (c < end && c->fd >= 0)
            c++;
        if (c < end)
            c->fd = fd;
        else
            (void)close(fd);
    }
}

/* Those that are there come before new ones, so that a restarted CometBFT finds the places of the
 * one before it free. */
fm_status ledger_abci_server_serve(struct ledger_abci_server *s,
                                   const struct pollfd fds[LEDGER_ABCI_FDS], struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < LEDGER_ABCI_CONNECTIONS; i++) {
        struct connection *c = &s->connections[i];
        bool well = true;
        if (c->fd < 0 || c->fd != fds[i + 1].fd || fds[i + 1].revents == 0)
            continue;
        if ((fds[i + 1].revents & POLLOUT) != 0)
            well = write_out(c);
        if (well && (fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            st = read_in(s, c, &well, err);
        if (!well)
            drop(s, c);
    }
    if (st == FM_OK && (fds[0].revents & POLLIN) != 0)
        accept_all(s);
    return st;
}
