#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "exchange/node/rpc.h"
#include "exchange/node/rpc_wire.h"

static fm_status connect_to(int *out, const char *path, struct base_err *err)
{
    struct sockaddr_un address;
    int fd;

    if (rpc_address(&address, path, err) != FM_OK)
        return err->code;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return base_err_errno(err, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        if (why == ENOENT || why == ECONNREFUSED)
            return base_err_set(err, FM_E_NOT_FOUND,
                                "%s: no node is running here: start it with firmiana node", path);
        if (why == EACCES)
            return base_err_set(err, FM_E_REFUSED,
                                "%s: not yours to open: node.json can put a socket where others "
                                "reach it (\"socket\") and give them roles",
                                path);
        return base_err_errno(err, path);
    }
    *out = fd;
    return FM_OK;
}

/* However the node went away (it stopped, was killed, crashed), it is the same thing to its people.
 */
static fm_status lost(struct base_err *err)
{
    return base_err_set(err, FM_E_PEER, "the node closed the connection: see its log");
}

/* The first byte carries the file. */
static ssize_t send_with(int fd, int file, const void *bytes, size_t len)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec from = {(void *)(uintptr_t)bytes, len};
    struct msghdr message = {.msg_iov = &from,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(c), &file, sizeof file);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* A node that does not want to hear more says why before it closes: so failing here is no error
 * yet, the answer decides. */
static void send_all(int fd, const struct base_buf *line, int file)
{
    for (size_t sent = 0; sent < line->len;) {
        ssize_t n = sent == 0 && file >= 0
                        ? send_with(fd, file, line->p, line->len)
                        : send(fd, line->p + sent, line->len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        sent += (size_t)n;
    }
}

/* One conversation. */
struct talk {
    int fd;
    int timeout_ms;
    const struct rpc_watch *watch;
    bool stopped; /* the node was asked to */
};

/* What the user wants by now. */
static fm_status heed(struct talk *t, struct base_err *err)
{
    static const char stop[] = "{\"stop\":true}\n";
    enum rpc_wish wish = t->watch->tick != NULL ? t->watch->tick(t->watch->ctx) : RPC_GO_ON;

    if (wish == RPC_LEAVE)
        return base_err_set(err, FM_E_CANCELLED, "left before the end: the node ends it by itself");
    if (wish == RPC_STOP && !t->stopped) {
        t->stopped = true;
        if (send(t->fd, stop, strlen(stop), MSG_NOSIGNAL) < 0)
            return FM_OK; /* the node has closed already: what it said is read next */
    }
    return FM_OK;
}

/* Waits for something to read. */
static fm_status await(struct talk *t, struct base_err *err)
{
    struct pollfd wait = {.fd = t->fd, .events = POLLIN};
    int left = t->timeout_ms;

    for (;;) {
        int slice = t->watch->tick != NULL && left > RPC_TICK_MS ? RPC_TICK_MS : left;
        int ready = poll(&wait, 1, slice);
        bool interrupted = ready < 0 && errno == EINTR; /* before tick() touches errno */
        if (interrupted && t->watch->tick == NULL)
            return base_err_set(err, FM_E_CANCELLED, "interrupted");
        if (heed(t, err) != FM_OK)
            return err->code;
        if (ready > 0 || (ready < 0 && !interrupted))
            return FM_OK; /* recv() tells what is wrong */
        left -= ready == 0 ? slice : 0;
        if (left <= 0)
            return base_err_set(err, FM_E_TIMEOUT, "the node did not answer within %d s",
                                t->timeout_ms / 1000);
    }
}

/* Reads until `in` holds a newline at or after `from`. */
static fm_status read_line(struct talk *t, struct base_buf *in, size_t *line_len,
                           struct base_err *err)
{
    size_t searched = 0;

    for (;;) {
        const uint8_t *newline =
            in->len > searched ? memchr(in->p + searched, '\n', in->len - searched) : NULL;
        uint8_t block[65536];
        ssize_t n;

        if (newline != NULL) {
            *line_len = (size_t)(newline - in->p);
            return FM_OK;
        }
        searched = in->len;
        if (await(t, err) != FM_OK)
            return err->code;
        n = recv(t->fd, block, sizeof block, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lost(err);
        base_buf_put(in, block, (size_t)n);
        if (base_buf_status(in, "answer", err) != FM_OK)
            return err->code;
    }
}

static fm_status code_named(const char *name)
{
    for (int i = 1; name != NULL && i < FM_STATUS_COUNT; i++)
        if (strcmp(fm_status_name((fm_status)i), name) == 0)
            return (fm_status)i;
    return FM_E_PEER;
}

/* One line of the node: true when it was the last one. */
static bool take_line(const json_t *line, json_t **value, const struct rpc_watch *watch,
                      struct base_err *err)
{
    const char *text = json_string_value(json_object_get(line, "progress"));
    const json_t *error = json_object_get(line, "error");

    if (text != NULL && watch->progress != NULL)
        watch->progress(watch->ctx, text);
    if (!json_is_true(json_object_get(line, "end")))
        return false;
    if (error != NULL) {
        const char *why = json_string_value(json_object_get(error, "text"));
        (void)base_err_set(err, code_named(json_string_value(json_object_get(error, "code"))), "%s",
                           why != NULL ? why : "the node gave no reason");
        return true;
    }
    *value = json_incref(json_object_get(line, "ok"));
    if (*value == NULL)
        (void)base_err_set(err, FM_E_PEER, "the node's answer is malformed");
    return true;
}

static fm_status converse(json_t **value, struct talk *t, struct base_err *err)
{
    struct base_buf in = {0};
    bool over = false;

    base_err_clear(err);
    while (!over && err->code == FM_OK) {
        size_t len;
        json_t *line;
        if (read_line(t, &in, &len, err) != FM_OK || rpc_get_line(&line, in.p, len, err) != FM_OK)
            break;
        over = take_line(line, value, t->watch, err);
        json_decref(line);
        memmove(in.p, in.p + len + 1, in.len - len - 1);
        in.len -= len + 1;
    }
    base_buf_release_secret(&in);
    return err->code;
}

fm_status rpc_request(json_t **value, const char *path, const json_t *request, int timeout_ms,
                      void (*progress)(void *ctx, const char *text), void *ctx,
                      struct base_err *err)
{
    return rpc_request_file(value, path, request, -1, timeout_ms, progress, ctx, err);
}

fm_status rpc_request_file(json_t **value, const char *path, const json_t *request, int file,
                           int timeout_ms, void (*progress)(void *ctx, const char *text), void *ctx,
                           struct base_err *err)
{
    const struct rpc_watch watch = {progress, NULL, ctx};

    return rpc_request_watched(value, path, request, file, timeout_ms, &watch, err);
}

fm_status rpc_request_watched(json_t **value, const char *path, const json_t *request, int file,
                              int timeout_ms, const struct rpc_watch *watch, struct base_err *err)
{
    struct talk talk = {.fd = -1, .timeout_ms = timeout_ms, .watch = watch};
    struct base_buf line = {0};
    fm_status st = rpc_put_line(&line, request, err);

    *value = NULL;
    if (st == FM_OK)
        st = connect_to(&talk.fd, path, err);
    if (st == FM_OK) {
        send_all(talk.fd, &line, file);
        st = converse(value, &talk, err);
    }
    if (talk.fd >= 0)
        (void)close(talk.fd);
    base_buf_release_secret(&line);
    return st;
}
