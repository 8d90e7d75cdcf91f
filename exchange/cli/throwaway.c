#define _GNU_SOURCE
#include "exchange/cli/throwaway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "exchange/cli/identity.h"
#include "exchange/cli/throwaway_pipe.h"
#include "exchange/node/rpc.h"

enum { STOP_MS = 10000, CALL_MS = 600000 };

/* ---- signals: a handler has no argument, so what it acts on is the process's own ---- */

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t signalled;
static volatile sig_atomic_t process_count;
static pid_t processes[THROWAWAY_MAX]; /* written before process_count counts it */

/* Ends the processes; whoever waits for one of them sees it go. */
static void on_signal(int number)
{
    int why = errno;

    signalled = number;
    for (int i = 0; i < process_count; i++)
        (void)kill(processes[i], SIGTERM);
    errno = why;
}

static void ending_set(sigset_t *set)
{
    (void)sigemptyset(set);
    for (size_t i = 0; i < sizeof ending_signals / sizeof ending_signals[0]; i++)
        (void)sigaddset(set, ending_signals[i]);
}

static void catch_signals(void)
{
    struct sigaction before, action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof ending_signals / sizeof ending_signals[0]; i++)
        if (sigaction(ending_signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(ending_signals[i], &action, NULL); /* nohup stays nohup */
    (void)signal(SIGPIPE, SIG_IGN);
}

int throwaway_signalled(void)
{
    return (int)signalled;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* ---- a party's process ---- */

/* Ports are taken and given back at once; the node binds its own a moment later. */
static fm_status free_port(int *port, struct base_err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fm_status st = FM_OK;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        st = base_err_errno(err, "a port on 127.0.0.1");
    *port = ntohs(address.sin_port);
    if (fd >= 0)
        (void)close(fd);
    return st;
}

struct child {
    int to_parent;
};

static void child_ready(void *ctx)
{
    const struct child *c = ctx;
    struct base_err err = {0};

    (void)!throwaway_pipe_write(c->to_parent, "ready", 5, &err);
}

static fm_status child_run(const struct throwaway_member *m, int from_parent, int to_parent,
                           struct base_err *err)
{
    int64_t until = base_clock_mono_ms(base_clock_system()) + THROWAWAY_START_MS;
    struct base_buf text = {0}, genesis = {0};
    struct child c = {to_parent};
    struct identity id = {0};
    struct home h = {.block_interval_ms = 1};
    int port;
    fm_status st = free_port(&port, err);

    (void)snprintf(h.dir, sizeof h.dir, "%s", m->dir);
    (void)snprintf(h.alias, sizeof h.alias, "%s", m->alias);
    (void)snprintf(h.data, sizeof h.data, "%s", m->data);
    (void)snprintf(h.listen, sizeof h.listen, "tcp://127.0.0.1:%d", port);
    (void)snprintf(h.log, sizeof h.log, "%.480s/node.log", m->dir);
    if (st == FM_OK)
        st = identity_new(&id, h.alias, h.listen, NULL, err);
    if (st == FM_OK)
        st = base_json_canonical(&text, id.member, err);
    if (st == FM_OK)
        st = throwaway_pipe_write(to_parent, text.p, text.len, err);
    if (st == FM_OK)
        st = throwaway_pipe_read(from_parent, &genesis, until, err);
    if (st == FM_OK)
        st = serve_node(&h, &id.keys, genesis.p, genesis.len, child_ready, &c, err);
    identity_release(&id);
    base_buf_release(&text);
    base_buf_release(&genesis);
    return st;
}

/* Runs with the ending signals blocked: its node reads them when it is ready to. It leaves nothing
 * behind even if its parent was killed: the last one to leave removes the common folder. */
static void child_main(const struct throwaway *t, const struct throwaway_member *m, pid_t parent,
                       int from_parent, int to_parent)
{
    struct base_err err = {0}, ignored = {0};

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && child_run(m, from_parent, to_parent, &err) != FM_OK) {
        (void)base_err_prefix(&err, "error %s", m->alias);
        (void)!throwaway_pipe_write(to_parent, err.text, strlen(err.text), &ignored);
    }
    (void)nftw(m->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    (void)rmdir(t->root);
    _exit(fm_status_exit(err.code));
}

/* The handler must know of a process as soon as it exists: the caller holds its signals back. */
static void fork_child(struct throwaway *t, size_t i, const int down[2], const int up[2])
{
    struct throwaway_member *m = &t->members[i];
    pid_t parent = getpid();
    sigset_t set, before;

    ending_set(&set);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    m->pid = signalled != 0 ? -1 : fork();
    if (m->pid == 0) {
        for (size_t k = 0; k < i; k++) { /* the others' pipes are not ours */
            (void)close(t->members[k].to);
            (void)close(t->members[k].from);
        }
        (void)close(down[1]);
        (void)close(up[0]);
        child_main(t, m, parent, down[0], up[1]);
    }
    if (m->pid > 0) {
        processes[i] = m->pid;
        process_count = (sig_atomic_t)i + 1;
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static fm_status spawn(struct throwaway *t, size_t i, struct base_err *err)
{
    struct throwaway_member *m = &t->members[i];
    int down[2], up[2];

    (void)snprintf(m->dir, sizeof m->dir, "%.400s/%s", t->root, m->alias);
    if (mkdir(m->dir, 0700) != 0)
        return base_err_errno(err, m->dir);
    if (pipe2(down, O_CLOEXEC) != 0)
        return base_err_errno(err, "pipe");
    if (pipe2(up, O_CLOEXEC) != 0) {
        (void)close(down[0]);
        (void)close(down[1]);
        return base_err_errno(err, "pipe");
    }
    fork_child(t, i, down, up);
    (void)close(down[0]);
    (void)close(up[1]);
    m->to = down[1];
    m->from = up[0];
    return m->pid > 0 ? FM_OK : base_err_errno(err, "fork");
}

/* ---- the parent ---- */

static fm_status gather_genesis(struct throwaway *t, struct base_buf *genesis, int64_t until,
                                struct base_err *err)
{
    json_t *members = json_array(), *member;
    fm_status st = members != NULL ? FM_OK : base_err_memory(err, "genesis");

    for (size_t i = 0; st == FM_OK && i < t->count; i++) {
        struct base_buf text = {0};
        st = throwaway_pipe_read(t->members[i].from, &text, until, err);
        if (st == FM_OK && strncmp(base_buf_cstr(&text), "error ", 6) == 0)
            st = base_err_set(err, FM_E_IO, "%s", base_buf_cstr(&text) + 6);
        if (st == FM_OK)
            st = base_json_parse_canonical(&member, text.p, text.len, err);
        if (st == FM_OK && json_array_append_new(members, member) != 0)
            st = base_err_memory(err, "genesis");
        base_buf_release(&text);
    }
    if (st == FM_OK)
        st = identity_genesis(genesis, "throwaway", members, (int64_t)t->count, t->members[0].alias,
                              IDENTITY_THROWAWAY, base_clock_unix_ms(base_clock_system()), err);
    json_decref(members);
    return st;
}

static fm_status wait_ready(struct throwaway *t, int64_t until, struct base_err *err)
{
    for (size_t i = 0; i < t->count; i++) {
        struct base_buf text = {0};
        fm_status st = throwaway_pipe_read(t->members[i].from, &text, until, err);
        if (st == FM_OK && strcmp(base_buf_cstr(&text), "ready") != 0)
            st = base_err_set(err, FM_E_IO, "%s", base_buf_cstr(&text));
        base_buf_release(&text);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

/* Every node must see all others: a query needs all of them at once. */
static fm_status wait_connected(const struct throwaway *t, int64_t until, struct base_err *err)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    for (size_t i = 0; i < t->count;) {
        json_t *value;
        bool all;
        if (throwaway_call(&value, t, i, json_pack("{s:s}", "do", "status"), err) != FM_OK)
            return err->code;
        all = json_integer_value(json_object_get(value, "connected")) >= (json_int_t)t->count - 1;
        json_decref(value);
        if (all)
            i++;
        else if (signalled != 0)
            return base_err_set(err, FM_E_CANCELLED, "ended by a signal");
        else if (base_clock_mono_ms(base_clock_system()) > until)
            return base_err_set(err, FM_E_TIMEOUT, "%s did not reach all other parties",
                                t->members[i].alias);
        else
            (void)nanosleep(&pause, NULL);
    }
    return FM_OK;
}

fm_status throwaway_start(struct throwaway *t, struct base_err *err)
{
    int64_t until = base_clock_mono_ms(base_clock_system()) + THROWAWAY_START_MS;
    const char *tmp = getenv("TMPDIR") != NULL        ? getenv("TMPDIR")
                      : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                      : "/tmp";
    struct base_buf genesis = {0};
    fm_status st = FM_OK;

    catch_signals();
    (void)snprintf(t->root, sizeof t->root, "%.200s/firmiana.XXXXXX", tmp);
    if (mkdtemp(t->root) == NULL) {
        st = base_err_errno(err, t->root);
        t->root[0] = '\0';
    }
    for (size_t i = 0; st == FM_OK && i < t->count; i++)
        st = spawn(t, i, err);
    if (st == FM_OK)
        st = gather_genesis(t, &genesis, until, err);
    for (size_t i = 0; st == FM_OK && i < t->count; i++)
        st = throwaway_pipe_write(t->members[i].to, genesis.p, genesis.len, err);
    if (st == FM_OK)
        st = wait_ready(t, until, err);
    if (st == FM_OK)
        st = wait_connected(t, until, err);
    base_buf_release(&genesis);
    return st;
}

/* Waits for a process that was asked to end; one that does not is killed. */
static void wait_ended(pid_t pid, int64_t until)
{
    const struct timespec pause = {.tv_nsec = 2000000};

    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (base_clock_mono_ms(base_clock_system()) > until)
            (void)kill(pid, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
}

void throwaway_stop(struct throwaway *t)
{
    int64_t until = base_clock_mono_ms(base_clock_system()) + STOP_MS;

    for (size_t i = 0; i < t->count; i++)
        if (t->members[i].pid > 0)
            (void)kill(t->members[i].pid, SIGTERM);
    process_count =
        0; /* from here on they are waited for, and their numbers are not theirs for ever */
    for (size_t i = 0; i < t->count; i++)
        if (t->members[i].pid > 0) {
            (void)close(t->members[i].to);
            (void)close(t->members[i].from);
            wait_ended(t->members[i].pid, until);
            t->members[i].pid = 0;
        }
    if (t->root[0] != '\0')
        (void)nftw(t->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    t->root[0] = '\0';
}

fm_status throwaway_call(json_t **value, const struct throwaway *t, size_t i, json_t *request,
                         struct base_err *err)
{
    char path[HOME_PATH];
    fm_status st = request != NULL ? home_path(path, t->members[i].dir, "node.sock", err)
                                   : base_err_memory(err, "request");

    *value = NULL;
    if (st == FM_OK)
        st = rpc_request(value, path, request, CALL_MS, NULL, NULL, err);
    json_decref(request);
    return st;
}
