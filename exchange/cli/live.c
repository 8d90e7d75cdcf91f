#include "exchange/cli/live.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static void draw(struct live *l)
{
    double s = (double)(base_clock_mono_ms(base_clock_system()) - l->began_ms) / 1e3;

    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%6.1f s  %s", s, l->stopping ? l->stopping_text : l->text);
    (void)fflush(stderr);
    l->shown = true;
}

static void on_progress(void *ctx, const char *text)
{
    struct live *l = ctx;

    (void)snprintf(l->text, sizeof l->text, "%s", text);
    draw(l);
}

static enum rpc_wish on_tick(void *ctx)
{
    struct live *l = ctx;

    l->stopping = signals > 0;
    if (signals > 1)
        return RPC_LEAVE;
    draw(l);
    return l->stopping ? RPC_STOP : RPC_GO_ON;
}

static void catch_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

void live_begin(struct live *live, const char *stopping)
{
    *live = (struct live){.began_ms = base_clock_mono_ms(base_clock_system())};
    (void)snprintf(live->stopping_text, sizeof live->stopping_text, "%s", stopping);
    signals = 0;
    catch_signals(on_signal);
}

struct rpc_watch live_watch(struct live *live)
{
    return (struct rpc_watch){on_progress, on_tick, live};
}

void live_end(struct live *live)
{
    if (live->shown)
        fputs("\r\033[K", stderr);
    (void)fflush(stderr);
    catch_signals(SIG_DFL);
}
