/* The pool: nothing comes twice, whatever dies when. A killed process (SIGKILL at random moments),
 * a machine that loses all that was not synced (fdatasync is watched, and the file put back to what
 * it was at the last one), a torn counter, changed bytes, a second process. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "mpc/paillier/pool.h"
#include "mpc/paillier/test_tools.h"

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

enum { SEEN_MAX = 20000 };

static struct test_key key;
static uint8_t seal[32] = {7};
static char folder[] = "/tmp/firmiana-pool-XXXXXX", path[64];
static struct base_err err;
static struct base_buf disk; /* what a power cut would leave */
static int watching;
static uint64_t seen[SEEN_MAX];
static size_t seen_n;

static void snapshot(void)
{
    base_buf_clear(&disk);
    TEST_OK(base_file_read(&disk, path, 1 << 24, &err));
}

int __wrap_fdatasync(int fd)
{
    int status = __real_fdatasync(fd);

    if (watching)
        snapshot();
    return status;
}

static void put_back(void)
{
    TEST_OK(base_file_write(path, disk.p, disk.len, 0600, &err));
}

static struct mpc_pai_pool *pool_open(void)
{
    struct mpc_pai_pool *p;

    TEST_OK(mpc_pai_pool_open_std(&p, path, key.std, seal, base_random_system(), &err));
    return p;
}

static void note(uint64_t low)
{
    for (size_t i = 0; i < seen_n; i++)
        if (seen[i] == low)
            fail_msg("blinding %zu came again", i);
    assert_true(seen_n < SEEN_MAX);
    seen[seen_n++] = low;
}

/* The first limb of each blinding: random, so equal only if it is the same. */
static fm_status take(struct mpc_pai_pool *p, uint64_t *low, size_t n)
{
    uint64_t whole[32 * 8];
    struct mpc_pai_cipher c;
    fm_status st;

    TEST_OK(mpc_pai_cipher_init(&c, key.n, n, &err));
    st = mpc_pai_pool_take(p, &c, &err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(whole, &c.v, &err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        low[i] = whole[2 * key.n->n2->k * i];
    mpc_pai_cipher_release(&c);
    return st;
}

static void take_and_note(struct mpc_pai_pool *p, size_t n)
{
    uint64_t low[32];

    TEST_OK(take(p, low, n));
    for (size_t i = 0; i < n; i++)
        note(low[i]);
}

static void blinds(void **state)
{
    struct mpc_pai_pool *p = pool_open(), *second;
    int64_t v[3] = {5, -6, 7}, got[3];
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c;

    (void)state;
    TEST_OK(mpc_pai_plain_init(&m, key.n, 3, &err));
    TEST_OK(mpc_pai_cipher_init(&c, key.n, 3, &err));
    assert_int_equal(mpc_pai_pool_take(p, &c, &err), FM_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "0 blindings are ready, 3 are wanted"));
    TEST_OK(mpc_pai_pool_fill(p, 3, &err));
    assert_int_equal(
        mpc_pai_pool_open_std(&second, path, key.std, seal, base_random_system(), &err),
        FM_E_CONFLICT);
    TEST_OK(mpc_pai_pool_take(p, &c, &err));
    assert_int_equal(mpc_pai_pool_ready(p), 0);
    TEST_OK(mpc_pai_plain_from_i64(&m, v, &err));
    TEST_OK(mpc_pai_encrypt_with(&c, &c, &m, &err));
    TEST_OK(mpc_pai_decrypt(&m, key.secret, &c, &err));
    TEST_OK(mpc_pai_plain_to_i64(got, &m, &err));
    assert_memory_equal(got, v, sizeof v);
    TEST_OK(mpc_pai_pool_start(p, 100, &err));
    while (mpc_pai_pool_ready(p) < 100)
        (void)usleep(1000);
    take_and_note(p, 20);
    mpc_pai_pool_close(p);
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
}

static void power_cuts(void **state)
{
    (void)state;
    for (int cut = 0; cut < 40; cut++) {
        struct mpc_pai_pool *p = pool_open();
        watching = 1;
        snapshot();
        if (mpc_pai_pool_ready(p) < 30)
            TEST_OK(mpc_pai_pool_fill(p, 60, &err));
        for (uint64_t i = test_random() % 4; i-- > 0;)
            take_and_note(p, 1 + test_random() % 5);
        watching = 0;
        mpc_pai_pool_close(p);
        put_back();
    }
}

/* Takes one by one and tells the parent of each, until it is killed. */
static void child(int to)
{
    struct mpc_pai_pool *p = pool_open();
    uint64_t low;

    for (;;) {
        if (mpc_pai_pool_ready(p) < 4)
            TEST_OK(mpc_pai_pool_fill(p, 32, &err));
        TEST_OK(take(p, &low, 1));
        if (write(to, &low, sizeof low) != sizeof low)
            _exit(1);
    }
}

static void kills(void **state)
{
    size_t before = seen_n;

    (void)state;
    for (int round = 0; round < 25; round++) {
        int pipe_fd[2], status;
        uint64_t low;
        pid_t pid;
        assert_int_equal(pipe(pipe_fd), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            (void)close(pipe_fd[0]);
            child(pipe_fd[1]);
        }
        (void)close(pipe_fd[1]);
        (void)usleep((useconds_t)(2000 + test_random() % 30000));
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(pipe_fd[0], &low, sizeof low) == sizeof low)
            note(low);
        (void)close(pipe_fd[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
    }
    assert_true(seen_n > before);
}

static void damage(void **state)
{
    struct mpc_pai_pool *p = pool_open();
    uint64_t low[4];
    uint8_t other[32] = {8};
    struct test_key stranger;

    (void)state;
    TEST_OK(mpc_pai_pool_fill(p, 40, &err));
    take_and_note(p, 2);
    mpc_pai_pool_close(p);
    snapshot();
    for (int place = 0; place < 2;
         place++) { /* one torn counter: none comes twice, some may be lost */
        struct base_buf was = {0};
        base_buf_put(&was, disk.p, disk.len);
        if (base_load_u64(was.p + 512) < base_load_u64(was.p + 1024) ? place == 0 : place == 1) {
            was.p[512 * (1 + place) + 20] ^= 1;
            TEST_OK(base_file_write(path, was.p, was.len, 0600, &err));
            p = pool_open();
            take_and_note(p, 2);
            mpc_pai_pool_close(p);
            snapshot();
        }
        base_buf_release(&was);
    }
    disk.p[512 + 20] ^= 1, disk.p[1024 + 20] ^= 1;
    put_back();
    assert_int_equal(mpc_pai_pool_open_std(&p, path, key.std, seal, base_random_system(), &err),
                     FM_E_CORRUPT);
    assert_non_null(strstr(err.text, "how much of the pool was used is lost"));
    disk.p[512 + 20] ^= 1, disk.p[1024 + 20] ^= 1;
    for (size_t i = 4096; i < disk.len; i += 50)
        disk.p[i] ^= 0x10;
    put_back();
    p = pool_open();
    assert_int_equal(take(p, low, 1), FM_E_CORRUPT);
    assert_non_null(strstr(err.text, "does not open"));
    mpc_pai_pool_close(p);
    for (size_t i = 4096; i < disk.len; i += 50)
        disk.p[i] ^= 0x10;
    put_back();
    TEST_OK(mpc_pai_pool_open_std(&p, path, key.std, other, base_random_system(), &err));
    assert_int_equal(take(p, low, 1), FM_E_CORRUPT);
    mpc_pai_pool_close(p);
    test_key_new(&stranger, MPC_PAI_STD, 256, NULL);
    assert_int_equal(
        mpc_pai_pool_open_std(&p, path, stranger.std, seal, base_random_system(), &err),
        FM_E_CORRUPT);
    test_key_free(&stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(blinds), cmocka_unit_test(power_cuts),
                                       cmocka_unit_test(kills), cmocka_unit_test(damage)};
    int failed;

    mpc_pai_gmp_init();
    test_seed();
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(path, sizeof path, "%s/pool", folder);
    test_key_new(&key, MPC_PAI_STD, 256, NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_key_free(&key);
    base_buf_release(&disk);
    (void)unlink(path);
    (void)rmdir(folder);
    return failed;
}
