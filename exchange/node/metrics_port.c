#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "exchange/node/home.h"
#include "exchange/node/metrics.h"

struct metrics_port {
    struct MHD_Daemon *daemon;
    int epoll_fd;
    void (*write)(void *ctx, struct base_buf *out);
    void *ctx;
};

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned code, const char *type,
                              const void *bytes, size_t len)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result queued = MHD_NO;

    if (r == NULL)
        return MHD_NO;
    if (MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
        MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES)
        queued = MHD_queue_response(c, code, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned code, const char *text)
{
    return answer(c, code, "text/plain; charset=utf-8", text, strlen(text));
}

/* "localhost", "127.0.0.1" or "[::1]", with or without a port. */
static bool is_local_name(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(host, names[i], n) == 0 &&
            (host[n] == '\0' || (host[n] == ':' && home_port(host) != 0)))
            return true;
    }
    return false;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **own)
{
    struct metrics_port *port = ctx;
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    struct base_buf out = {0};
    enum MHD_Result result;

    (void)version;
    (void)upload;
    (void)own;
    *upload_len = 0; /* whatever comes with a request is not read */
    if (host != NULL && !is_local_name(host))
        return say(c, MHD_HTTP_FORBIDDEN, "metrics are for this machine\n");
    if (strcmp(url, "/metrics") != 0)
        return say(c, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET\n");
    port->write(port->ctx, &out);
    result = out.failed ? say(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n")
                        : answer(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", out.p,
                                 out.len);
    base_buf_release(&out);
    return result;
}

/* ---- the socket ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill_address(union address *out, const char *text)
{
    *out = (union address){0};
    if (text[0] == '[') {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)home_port(text));
        out->v6.sin6_addr = in6addr_loopback;
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons((uint16_t)home_port(text));
    out->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof out->v4;
}

static fm_status listen_on(int *out, const char *text, struct base_err *err)
{
    union address address;
    socklen_t len = fill_address(&address, text);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    fm_status st = FM_OK;

    if (fd < 0)
        return base_err_errno(err, text);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, &address.any, len) != 0 || listen(fd, METRICS_CLIENTS) != 0)
        st = errno == EADDRINUSE
                 ? base_err_set(err, FM_E_CONFLICT,
                                "%s: the port is in use: change metrics in node.json", text)
                 : base_err_errno(err, text);
    if (st != FM_OK)
        (void)close(fd);
    else
        *out = fd;
    return st;
}

fm_status metrics_port_open(struct metrics_port **out, const char *address,
                            void (*write)(void *ctx, struct base_buf *out), void *ctx,
                            struct base_err *err)
{
    struct metrics_port *port = calloc(1, sizeof *port);
    const union MHD_DaemonInfo *info;
    int fd = -1;

    *out = NULL;
    if (port == NULL)
        return base_err_memory(err, "metrics");
    port->write = write;
    port->ctx = ctx;
    if (listen_on(&fd, address, err) != FM_OK) {
        free(port);
        return err->code;
    }
    /* It takes the socket over. */
    port->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, port, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)METRICS_CLIENTS, MHD_OPTION_CONNECTION_TIMEOUT, 5U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
    info =
        port->daemon != NULL ? MHD_get_daemon_info(port->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (info == NULL) {
        if (port->daemon == NULL)
            (void)close(fd);
        metrics_port_close(port);
        return base_err_set(err, FM_E_IO, "%s: the HTTP server for metrics does not start",
                            address);
    }
    port->epoll_fd = info->epoll_fd;
    *out = port;
    return FM_OK;
}

void metrics_port_close(struct metrics_port *port)
{
    if (port == NULL)
        return;
    if (port->daemon != NULL)
        MHD_stop_daemon(port->daemon);
    free(port);
}

int metrics_port_fd(const struct metrics_port *port)
{
    return port->epoll_fd;
}

int metrics_port_wait_ms(const struct metrics_port *port)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(port->daemon, &ms) != MHD_YES)
        return -1;
    return ms > 1000 ? 1000 : (int)ms;
}

void metrics_port_serve(struct metrics_port *port)
{
    (void)MHD_run(port->daemon); /* a connection that fails is the client's affair */
}
