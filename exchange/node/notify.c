#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "exchange/node/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    socklen_t size;
    int fd;

    if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@') /* an abstract socket: its name begins with a zero byte */
        to.sun_path[0] = '\0';
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    while (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size) < 0 &&
           errno == EINTR)
        continue;
    (void)close(fd);
}

static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long long v;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    v = strtoll(text, &end, 10);
    return *end == '\0' ? v : 0;
}

int64_t notify_watchdog_ms(void)
{
    int64_t pid = number_of("WATCHDOG_PID"), usec = number_of("WATCHDOG_USEC");

    if (usec <= 0 || (pid != 0 && pid != getpid()))
        return 0;
    return usec / 2000 > 0 ? usec / 2000 : 1;
}
