/* What the node needs of its machine: ports, a clock, room. */
#define _GNU_SOURCE /* adjtimex */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/random.h"
#include "exchange/cli/check.h"
#include "exchange/node/rpc.h"

enum { FILES_LEAST = 1024, FREE_LEAST_MB = 1000, SKEW_MS = 5000 };

void check_running(struct check *c)
{
    char path[HOME_PATH];
    struct base_err err = {0};
    fm_status st = home_path(path, c->home->dir, "node.sock", &err);

    if (st == FM_OK)
        st = rpc_server_probe(path, &err);
    c->running = st == FM_E_CONFLICT;
    if (st != FM_OK && !c->running) {
        check_tell(c, CHECK_BAD, "socket", FM_E_ARG, "%s", err.text);
        return;
    }
    check_tell(c, CHECK_GOOD, "node", FM_OK,
               c->running ? "runs on this home" : "does not run on this home");
}

/* ---- ports ---- */

/* 0, or errno of the bind. */
static int try_bind(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0), yes = 1, failed = 0;

    if (fd < 0)
        return errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 1) != 0)
        failed = errno;
    (void)close(fd);
    return failed;
}

/* HOST:PORT, HOST perhaps in brackets. */
static bool split(char host[HOME_ADDRESS], char port[8], const char *address)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon != NULL ? (size_t)(colon - address) : 0;

    if (n == 0 || n >= HOME_ADDRESS)
        return false;
    if (n > 2 && address[0] == '[' && address[n - 1] == ']') {
        address++;
        n -= 2;
    }
    memcpy(host, address, n);
    host[n] = '\0';
    (void)snprintf(port, 8, "%u", home_port(colon));
    return true;
}

static void check_port(struct check *c, const char *name, const char *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[HOME_ADDRESS], port[8];
    struct addrinfo *list = NULL;
    int failed;

    if (!split(host, port, address) ||
        (failed = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &list)) != 0) {
        check_tell(c, CHECK_BAD, name, FM_E_ARG,
                   "%s: there is no such host: change it in node.json", address);
        return;
    }
    failed = try_bind(list);
    freeaddrinfo(list);
    if (failed == 0)
        check_tell(c, CHECK_GOOD, name, FM_OK, "%s is free", address);
    else if (failed == EADDRINUSE && c->running)
        check_tell(c, CHECK_GOOD, name, FM_OK, "%s is in use, by the running node as it seems",
                   address);
    else if (failed == EADDRINUSE)
        check_tell(c, CHECK_BAD, name, FM_E_CONFLICT,
                   "%s: the port is in use: change '%s' in node.json, or stop who has it", address,
                   name);
    else
        check_tell(c, CHECK_BAD, name, FM_E_ARG, "%s: %s: change '%s' in node.json", address,
                   strerror(failed), name);
}

void check_ports(struct check *c)
{
    check_port(c, "listen", c->home->listen + strlen("tcp://"));
    if (c->home->metrics[0] != '\0')
        check_port(c, "metrics", c->home->metrics);
}

/* ---- clock ---- */

void check_clock(struct check *c)
{
    int64_t now = base_clock_unix_ms(base_clock_system());
    struct timex t = {0};

    if (now < c->newest_block_ms - SKEW_MS) {
        check_tell(c, CHECK_BAD, "clock", FM_E_INPUT,
                   "this clock is %lld s behind the ledger's newest block: set it",
                   (long long)((c->newest_block_ms - now) / 1000));
        return;
    }
    if (adjtimex(&t) < 0 || (t.status & STA_UNSYNC) != 0)
        check_tell(c, CHECK_WARN, "clock", FM_OK,
                   "the kernel knows of no time service that keeps it right (chrony, "
                   "systemd-timesyncd): blocks more than %d s off are refused",
                   SKEW_MS / 1000);
    else
        check_tell(c, CHECK_GOOD, "clock", FM_OK, "kept right by a time service");
}

/* ---- room ---- */

void check_room(struct check *c)
{
    struct statvfs fs;
    struct rlimit files;

    if (statvfs(c->home->dir, &fs) == 0) {
        double mb = (double)fs.f_bavail * (double)fs.f_frsize / 1e6;
        check_tell(c, mb < FREE_LEAST_MB ? CHECK_WARN : CHECK_GOOD, "disk", FM_OK, "%.1f GB free",
                   mb / 1000);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_LEAST)
        check_tell(c, CHECK_WARN, "files", FM_OK,
                   "only %llu files may be open at once: ulimit -n %d",
                   (unsigned long long)files.rlim_cur, FILES_LEAST);
}
