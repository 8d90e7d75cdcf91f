#define _GNU_SOURCE
#include "exchange/comet/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE_MS = 1000, PAUSE_MAX_MS = 30000, WELL_MS = 60000 };

/* In the child, between fork and exec: async-signal-safe calls alone. Its environment is empty but
 * for the path: the passphrase, for one, is none of its business. */
static void become(const char *program, char *const *arguments, char *const *environment, int out,
                   pid_t parent)
{
    sigset_t none;

    /* Not SIGTERM: it may hang while it stops, when we answer it no more, and would keep its files
     * from the next one. It survives power cuts, and so this. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    (void)setpgid(0, 0); /* Ctrl-C is for the node, which ends us in its turn */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(127);
    (void)execvpe(program, arguments, environment);
    _exit(127);
}

static pid_t spawn(const char *program, char *const *arguments, const char *folder, int out)
{
    const char *path = getenv("PATH");
    char path_text[4096], home_text[600];
    char *environment[] = {path_text, home_text, NULL};
    pid_t parent = getpid(), pid;

    (void)snprintf(path_text, sizeof path_text, "PATH=%s", path != NULL ? path : "/usr/bin:/bin");
    (void)snprintf(home_text, sizeof home_text, "HOME=%s", folder);
    pid = fork();
    if (pid == 0)
        become(program, arguments, environment, out, parent);
    return pid;
}

/* ---- which one is it ---- */

static fm_status judge_version(const char *text, const char *program, struct base_err *err)
{
    unsigned major, minor, patch;

    if (sscanf(text, "%u.%u.%u", &major, &minor, &patch) != 3)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "%s: no CometBFT program: `./run cometbft` installs it; node.json's "
                            "'cometbft' says where it is",
                            program);
    if (major != 0 || minor != 38 || patch < 21)
        return base_err_set(
            err, FM_E_UNSUPPORTED,
            "%s is CometBFT %u.%u.%u: 0.38.21 or a later 0.38 is needed (older ones "
            "have a known weakness): `./run cometbft` installs one",
            program, major, minor, patch);
    return FM_OK;
}

fm_status comet_version_check(char out[32], const char *program, struct base_err *err)
{
    char *const arguments[] = {(char *)(uintptr_t) "cometbft", (char *)(uintptr_t) "version", NULL};
    size_t len = 0;
    int ends[2], status;
    ssize_t n;
    pid_t pid;

    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return base_err_errno(err, "pipe");
    pid = spawn(program, arguments, "/", ends[1]);
    (void)close(ends[1]);
    while (pid > 0 && len < 31 && (n = read(ends[0], out + len, 31 - len)) > 0)
        len += (size_t)n;
    (void)close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    out[len] = '\0';
    out[strcspn(out, "\r\n ")] = '\0';
    return pid < 0 ? base_err_errno(err, "fork") : judge_version(out, program, err);
}

/* ---- its life ---- */

fm_status comet_process_start(struct comet_process *p, int64_t now_ms, struct base_err *err)
{
    char *const arguments[] = {(char *)(uintptr_t) "cometbft", (char *)(uintptr_t) "start",
                               (char *)(uintptr_t) "--home", p->folder, NULL};
    char path[600];
    int out;

    (void)snprintf(path, sizeof path, "%s/rpc.sock", p->folder);
    (void)unlink(path); /* what a killed one left: it would keep the next from starting */
    (void)snprintf(path, sizeof path, "%s/cometbft.log", p->folder);
    out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0)
        return base_err_errno(err, path);
    p->pid = spawn(p->program, arguments, p->folder, out);
    (void)close(out);
    if (p->pid < 0) {
        p->pid = 0;
        return base_err_errno(err, "fork");
    }
    p->started_ms = now_ms;
    return FM_OK;
}

bool comet_process_ended(struct comet_process *p, char how[64], int64_t now_ms)
{
    int status;

    if (p->pid <= 0 || waitpid(p->pid, &status, WNOHANG) != p->pid)
        return false;
    if (WIFSIGNALED(status))
        (void)snprintf(how, 64, "signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, 64, "exit code %d", WEXITSTATUS(status));
    p->pid = 0;
    p->restarts++;
    if (p->pause_ms == 0 || now_ms - p->started_ms > WELL_MS)
        p->pause_ms = PAUSE_MS;
    else if (p->pause_ms < PAUSE_MAX_MS)
        p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
    p->again_ms = now_ms + p->pause_ms;
    return true;
}

void comet_process_ask(const struct comet_process *p)
{
    if (p->pid > 0)
        (void)kill(p->pid, SIGTERM);
}

void comet_process_kill(struct comet_process *p)
{
    int status;

    if (p->pid <= 0)
        return;
    (void)kill(p->pid, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    p->pid = 0;
}
