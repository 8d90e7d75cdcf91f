/* hostile: peers that mean harm, for tests/hostile.sh. See hostile_flood.c and hostile_proxy.c. */
#define _DEFAULT_SOURCE
#include "tests/hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t hostile_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_in address_of(const char *host, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    (void)inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

int hostile_listen(unsigned port)
{
    struct sockaddr_in a = address_of("127.0.0.1", port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0)
        return fd;
    return -1;
}

int hostile_connect(unsigned port, const char *source)
{
    struct sockaddr_in to = address_of("127.0.0.1", port), from = address_of(source, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS))
        return fd;
    (void)close(fd);
    return -1;
}

size_t hostile_frame_header(uint8_t *out, unsigned flags, uint64_t len)
{
    if (len < 256) {
        out[0] = (uint8_t)flags;
        out[1] = (uint8_t)len;
        return 2;
    }
    out[0] = (uint8_t)(flags | ZMTP_LONG);
    for (int i = 0; i < 8; i++)
        out[1 + i] = (uint8_t)(len >> (56 - 8 * i));
    return 9;
}

size_t hostile_hello(uint8_t *out)
{
    static const char ready[] = "\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\0";
    size_t n;

    memset(out, 0, ZMTP_GREETING);
    out[0] = 0xff;
    out[9] = 0x7f;
    out[10] = 3;
    out[11] = 1;
    memcpy(out + 12, "NULL", 4);
    n = ZMTP_GREETING + hostile_frame_header(out + ZMTP_GREETING, ZMTP_COMMAND, sizeof ready - 1);
    memcpy(out + n, ready, sizeof ready - 1);
    return n + sizeof ready - 1;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc >= 2 && strcmp(argv[1], "flood") == 0)
        return hostile_flood(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "proxy") == 0)
        return hostile_proxy(argc - 1, argv + 1);
    fputs("usage: hostile flood PORT KIND MILLISECONDS CONNECTIONS\n"
          "       hostile proxy PORT TARGET_PORT    (faults, a line each, on standard input)\n",
          stderr);
    return 2;
}
