#define _GNU_SOURCE
#include "exchange/node/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "exchange/node/rpc_wire.h"

struct rpc_call {
    struct rpc_server *server;
    int fd;
    int file; /* lent by the client; -1 */
    struct node_peer peer;
    struct base_buf in;
    struct base_buf out;
    size_t out_sent;
    bool stopped;  /* the client asked for the end */
    bool asked;    /* the request went to the handler */
    bool answered; /* the last line is in `out` */
};

struct rpc_server {
    int fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    struct rpc_handler handler;
    struct rpc_call *calls[RPC_MAX_CLIENTS];
};

/* ---- lines ---- */

fm_status rpc_address(struct sockaddr_un *out, const char *path, struct base_err *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path)
        return base_err_set(err, FM_E_ARG,
                            "%s: a socket path has at most %zu bytes: use a shorter home folder",
                            path, sizeof out->sun_path - 1);
    memcpy(out->sun_path, path, strlen(path));
    return FM_OK;
}

fm_status rpc_put_line(struct base_buf *out, const json_t *value, struct base_err *err)
{
    fm_status st = base_json_canonical(out, value, err);

    base_buf_put_u8(out, '\n');
    return st == FM_OK ? base_buf_status(out, "answer", err) : st;
}

fm_status rpc_get_line(json_t **out, const uint8_t *bytes, size_t len, struct base_err *err)
{
    fm_status st = base_json_parse(out, (const char *)bytes, len, err);

    if (st == FM_OK && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        st = base_err_set(err, FM_E_INPUT, "not a JSON object");
    }
    return st;
}

/* ---- the server's socket ---- */

fm_status rpc_server_probe(const char *path, struct base_err *err)
{
    struct sockaddr_un address;
    bool live;
    int fd;

    if (rpc_address(&address, path, err) != FM_OK)
        return err->code;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    live = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (live)
        return base_err_set(err, FM_E_CONFLICT, "%s: a node is running on this home already", path);
    return FM_OK;
}

static fm_status listen_at(int *out, const char *path, unsigned mode, struct base_err *err)
{
    struct sockaddr_un address;
    mode_t mask;
    int fd, bound;

    if (rpc_address(&address, path, err) != FM_OK || rpc_server_probe(path, err) != FM_OK)
        return err->code;
    (void)unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return base_err_errno(err, "socket");
    mask = umask(0777 & ~(mode_t)mode);
    bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    (void)umask(mask);
    if (bound != 0 || listen(fd, RPC_MAX_CLIENTS) != 0) {
        fm_status st = base_err_errno(err, path);
        (void)close(fd);
        return st;
    }
    *out = fd;
    return FM_OK;
}

fm_status rpc_server_open(struct rpc_server **out, const char *path, unsigned mode,
                          const struct rpc_handler *handler, struct base_err *err)
{
    struct rpc_server *server = calloc(1, sizeof *server);

    *out = NULL;
    if (server == NULL)
        return base_err_memory(err, "socket");
    server->handler = *handler;
    if (listen_at(&server->fd, path, mode, err) != FM_OK) {
        free(server);
        return err->code;
    }
    memcpy(server->path, path, strlen(path) + 1);
    *out = server;
    return FM_OK;
}

/* ---- calls ---- */

static void call_free(struct rpc_call *call)
{
    struct rpc_server *server = call->server;

    for (size_t i = 0; i < RPC_MAX_CLIENTS; i++)
        if (server->calls[i] == call)
            server->calls[i] = NULL;
    (void)close(call->fd);
    if (call->file >= 0)
        (void)close(call->file);
    base_buf_release_secret(&call->in);
    base_buf_release_secret(&call->out);
    free(call);
}

static void call_gone(struct rpc_call *call)
{
    if (call->asked && !call->answered)
        call->server->handler.cancelled(call->server->handler.ctx, call);
    call_free(call);
}

void rpc_server_close(struct rpc_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < RPC_MAX_CLIENTS; i++)
        if (server->calls[i] != NULL)
            call_gone(server->calls[i]);
    (void)close(server->fd);
    (void)unlink(server->path);
    free(server);
}

const struct node_peer *rpc_call_peer(const struct rpc_call *call)
{
    return &call->peer;
}

int rpc_call_file(const struct rpc_call *call)
{
    return call->file;
}

static bool who_is(struct node_peer *out, int fd)
{
    struct ucred peer;
    gid_t groups[NODE_GROUPS_MAX];
    socklen_t len = sizeof peer, groups_len = sizeof groups;

    *out = (struct node_peer){0};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    out->uid = (uint32_t)peer.uid;
    out->groups[out->group_count++] = (uint32_t)peer.gid;
    /* More groups than fit are an error of the kernel's: then only the first one counts. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_len) == 0)
        for (size_t i = 0; i < groups_len / sizeof groups[0]; i++)
            if (out->group_count < NODE_GROUPS_MAX)
                out->groups[out->group_count++] = (uint32_t)groups[i];
    return true;
}

static json_t *error_line(const struct base_err *err)
{
    json_t *text = json_string(err->text);

    if (text == NULL) /* A path in an error may not be UTF-8. */
        text = json_string("the error text is not valid UTF-8");
    return json_pack("{s:b,s:{s:s,s:o}}", "end", 1, "error", "code", fm_status_name(err->code),
                     "text", text);
}

/* One line, and nothing kept of the stranger. */
static void turn_away(int fd, const struct base_err *why)
{
    struct base_buf line = {0};
    struct base_err err = {0};
    json_t *answer = error_line(why);

    if (answer != NULL && rpc_put_line(&line, answer, &err) == FM_OK &&
        send(fd, line.p, line.len, MSG_NOSIGNAL) < 0)
        err.code = FM_E_IO; /* it does not listen: nothing more to do */
    base_buf_release(&line);
    json_decref(answer);
    (void)close(fd);
}

static void accept_client(struct rpc_server *server)
{
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct base_err err = {0};
    struct node_peer peer;
    struct rpc_call *call;

    if (fd < 0)
        return;
    if (!who_is(&peer, fd))
        (void)base_err_errno(&err, "SO_PEERCRED");
    else if (server->handler.admit(server->handler.ctx, &peer, &err) == FM_OK) {
        for (size_t i = 0; i < RPC_MAX_CLIENTS; i++) {
            if (server->calls[i] != NULL)
                continue;
            call = calloc(1, sizeof *call);
            if (call == NULL)
                break;
            call->server = server;
            call->fd = fd;
            call->file = -1;
            call->peer = peer;
            server->calls[i] = call;
            return;
        }
        (void)base_err_set(&err, FM_E_LIMIT, "the node answers %d requests at a time: try again",
                           RPC_MAX_CLIENTS);
    }
    turn_away(fd, &err);
}

/* Writes what the socket takes; false when the client is gone. */
static bool flush(struct rpc_call *call)
{
    while (call->out_sent < call->out.len) {
        ssize_t n = send(call->fd, call->out.p + call->out_sent, call->out.len - call->out_sent,
                         MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        call->out_sent += (size_t)n;
    }
    return true;
}

static void put_answer(struct rpc_call *call, json_t *answer)
{
    struct base_err err = {0};

    if (answer == NULL || rpc_put_line(&call->out, answer, &err) != FM_OK) {
        base_buf_clear(&call->out);
        call->out_sent = 0;
        base_buf_put_str(
            &call->out,
            "{\"end\":true,\"error\":{\"code\":\"memory\",\"text\":\"answer: out of memory\"}}\n");
        call->answered = true;
    }
    json_decref(answer);
    (void)flush(call);
}

void rpc_progress(struct rpc_call *call, const char *text)
{
    put_answer(call, json_pack("{s:s}", "progress", text));
}

void rpc_ok(struct rpc_call *call, const json_t *value)
{
    call->answered = true;
    put_answer(call, json_pack("{s:b,s:O}", "end", 1, "ok", value));
}

void rpc_error(struct rpc_call *call, const struct base_err *err)
{
    call->answered = true;
    put_answer(call, error_line(err));
}

static void take_request(struct rpc_call *call, size_t line_len)
{
    struct base_err err = {0};
    json_t *request;

    call->asked = true;
    if (rpc_get_line(&request, call->in.p, line_len, &err) != FM_OK) {
        rpc_error(call, &err);
        return;
    }
    call->server->handler.request(call->server->handler.ctx, call, request);
    json_decref(request);
}

/* Keeps the first file that comes along and closes all others. */
static void take_files(struct rpc_call *call, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (call->file < 0)
                call->file = fd;
            else
                (void)close(fd);
        }
    }
}

/* What recv() gives, with a file or two. */
static ssize_t receive(struct rpc_call *call, uint8_t *block, size_t size)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec into = {block, size};
    struct msghdr message = {.msg_iov = &into,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(call->fd, &message, MSG_CMSG_CLOEXEC);

    if (n >= 0)
        take_files(call, &message);
    return n;
}

/* After its request a client may say one thing more, once; false for anything else. */
static bool take_more(struct rpc_call *call, const uint8_t *bytes, size_t len)
{
    static const char stop[] = "{\"stop\":true}\n";

    if (call->stopped || len != strlen(stop) || memcmp(bytes, stop, len) != 0)
        return false;
    call->stopped = true;
    if (!call->answered && call->server->handler.stop != NULL)
        call->server->handler.stop(call->server->handler.ctx, call);
    return true;
}

/* Reads what there is; false when the client is gone or floods. */
static bool read_client(struct rpc_call *call)
{
    uint8_t block[65536];

    for (;;) {
        ssize_t n = receive(call, block, sizeof block);
        const uint8_t *newline;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n > 0 && call->asked) {
            if (!take_more(call, block, (size_t)n))
                return false;
            continue;
        }
        if (n == 0 || (size_t)n > RPC_MAX_REQUEST - call->in.len)
            return false;
        base_buf_put(&call->in, block, (size_t)n);
        if (call->in.failed)
            return false;
        newline = memchr(call->in.p, '\n', call->in.len);
        if (newline != NULL)
            take_request(call, (size_t)(newline - call->in.p));
    }
}

size_t rpc_server_poll(const struct rpc_server *server, struct pollfd *fds)
{
    size_t n = 0;

    fds[n++] = (struct pollfd){.fd = server->fd, .events = POLLIN};
    for (size_t i = 0; i < RPC_MAX_CLIENTS; i++) {
        const struct rpc_call *call = server->calls[i];
        if (call != NULL)
            fds[n++] = (struct pollfd){
                .fd = call->fd,
                .events = (short)(POLLIN | (call->out_sent < call->out.len ? POLLOUT : 0))};
    }
    return n;
}

static void serve_call(struct rpc_call *call, short revents)
{
    bool alive = true;

    if ((revents & POLLOUT) != 0)
        alive = flush(call);
    if (alive && (revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        alive = read_client(call);
    if (!alive)
        call_gone(call);
    else if (call->answered && call->out_sent == call->out.len)
        call_free(call);
}

void rpc_server_serve(struct rpc_server *server, const struct pollfd *fds, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (fds[k].fd == server->fd && (fds[k].revents & POLLIN) != 0)
            accept_client(server);
        for (size_t i = 0; i < RPC_MAX_CLIENTS; i++)
            if (server->calls[i] != NULL && server->calls[i]->fd == fds[k].fd &&
                fds[k].revents != 0) {
                serve_call(server->calls[i], fds[k].revents);
                break;
            }
    }
    /* Answers given outside of serve_call (by a finished query) are closed here once they are out.
     */
    for (size_t i = 0; i < RPC_MAX_CLIENTS; i++) {
        struct rpc_call *call = server->calls[i];
        if (call != NULL && call->answered && call->out_sent == call->out.len)
            call_free(call);
    }
}
