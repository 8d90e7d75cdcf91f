/* What systemd hears: read from the socket that it would have bound. With "listen PATH" as
 * arguments the program binds that socket itself and prints each line that comes, until STOPPING=1
 * or for 60 s (tests/operate.sh runs a node against it). */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "exchange/node/notify.h"

static int bind_to(const struct sockaddr_un *at, size_t name_len)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)at, len), 0);
    return fd;
}

static void hears(int fd, const char *want)
{
    char got[256];
    ssize_t n = recv(fd, got, sizeof got - 1, 0);

    if (want == NULL) {
        assert_true(n < 0);
        return;
    }
    assert_true(n >= 0);
    got[n] = '\0';
    assert_string_equal(got, want);
}

static void test_a_path(void **state)
{
    char folder[] = "/tmp/firmiana-notify.XXXXXX";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/s", folder);
    fd = bind_to(&at, strlen(at.sun_path));
    assert_int_equal(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
    notify_send("READY=1\nSTATUS=x");
    hears(fd, "READY=1\nSTATUS=x");
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    notify_send("WATCHDOG=1");
    hears(fd, NULL);
    (void)close(fd);
    (void)unlink(at.sun_path);
    (void)rmdir(folder);
}

static void test_an_abstract_name(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    int fd;

    (void)state;
    (void)snprintf(name, sizeof name, "@firmiana-test-%ld", (long)getpid());
    memcpy(at.sun_path, name, strlen(name));
    at.sun_path[0] = '\0';
    fd = bind_to(&at, strlen(name));
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    notify_send("STOPPING=1");
    hears(fd, "STOPPING=1");
    (void)close(fd);
    notify_send("STOPPING=1"); /* nobody there: nothing happens */
}

static void test_odd_names(void **state)
{
    char long_name[256];

    (void)state;
    memset(long_name, '/', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(setenv("NOTIFY_SOCKET", long_name, 1), 0);
    notify_send("READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
    notify_send("READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
    notify_send("READY=1");
}

static void watchdog(const char *usec, const char *pid, int64_t want)
{
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    if (usec != NULL)
        assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
    if (pid != NULL)
        assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
    assert_int_equal(notify_watchdog_ms(), want);
}

static void test_watchdog(void **state)
{
    char self[32];

    (void)state;
    (void)snprintf(self, sizeof self, "%ld", (long)getpid());
    watchdog(NULL, NULL, 0);
    watchdog("30000000", NULL, 15000);
    watchdog("30000000", self, 15000);
    watchdog("30000000", "1", getpid() == 1 ? 15000 : 0);
    watchdog("1", NULL, 1);
    watchdog("0", NULL, 0);
    watchdog("-5", NULL, 0);
    watchdog("30s", NULL, 0);
}

static int listen_at(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = 60};
    char got[256];
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
        return 1;
    while ((n = recv(fd, got, sizeof got - 1, 0)) > 0) {
        got[n] = '\0';
        puts(got);
        (void)fflush(stdout);
        if (strcmp(got, "STOPPING=1") == 0)
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path),
        cmocka_unit_test(test_an_abstract_name),
        cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_watchdog),
    };

    if (argc == 3 && strcmp(argv[1], "listen") == 0)
        return listen_at(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
