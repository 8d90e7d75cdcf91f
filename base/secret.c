#define _GNU_SOURCE
#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void base_wipe(void *p, size_t len)
{
    if (len > 0)
        explicit_bzero(p, len);
}

bool base_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < len; i++)
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    return diff == 0;
}

static size_t whole_pages(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (len == 0)
        len = 1;
    if (len > SIZE_MAX - page)
        return 0;
    return (len + page - 1) / page * page;
}

void *base_secret_alloc(size_t len)
{
    size_t size = whole_pages(len);
    void *p;

    if (size == 0)
        return NULL;
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    /* Best effort: RLIMIT_MEMLOCK is small on many machines, and an unlocked page is still wiped.
     */
    (void)mlock(p, size);
    (void)madvise(p, size, MADV_DONTDUMP);
    (void)madvise(p, size, MADV_WIPEONFORK);
    return p;
}

void base_secret_free(void *p, size_t len)
{
    size_t size = whole_pages(len);

    if (p == NULL)
        return;
    base_wipe(p, size);
    (void)munmap(p, size);
}

fm_status base_secret_harden_process(struct base_err *err)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return base_err_errno(err, "setrlimit RLIMIT_CORE");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return base_err_errno(err, "prctl PR_SET_DUMPABLE");
    return FM_OK;
}
