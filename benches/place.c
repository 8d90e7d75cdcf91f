#define _GNU_SOURCE
#include "benches/place.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

fm_status bench_place_of(struct bench_place *out, unsigned party, struct base_err *err)
{
    const char *at = getenv("FIRMIANA_BENCH_PLACES");

    *out = (struct bench_place){.host = "127.0.0.1"};
    if (at == NULL)
        return FM_OK;
    for (unsigned i = 0; i < party && at != NULL; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || sscanf(at, "%63[^ =]=%63[^ =]", out->netns, out->host) != 2)
        return base_err_set(err, FM_E_ARG,
                            "FIRMIANA_BENCH_PLACES has no NAMESPACE=ADDRESS for party %u", party);
    return FM_OK;
}

static fm_status move(const char *path, struct base_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    fm_status st = FM_OK;

    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        st = base_err_errno(err, path);
    if (fd >= 0)
        (void)close(fd);
    return st;
}

fm_status bench_place_enter(const struct bench_place *place, int *back, struct base_err *err)
{
    char path[96];

    *back = -1;
    if (place->netns[0] == '\0')
        return FM_OK;
    (void)snprintf(path, sizeof path, "/run/netns/%s", place->netns);
    *back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*back < 0)
        return base_err_errno(err, "/proc/thread-self/ns/net");
    return move(path, err);
}

fm_status bench_place_leave(int back, struct base_err *err)
{
    fm_status st = FM_OK;

    if (back < 0)
        return FM_OK;
    if (setns(back, CLONE_NEWNET) != 0)
        st = base_err_errno(err, "the network namespace that the bench began in");
    (void)close(back);
    return st;
}
