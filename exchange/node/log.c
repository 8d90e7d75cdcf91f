#define _GNU_SOURCE /* dup3 */
#include "exchange/node/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "did/moment.h"

enum { REPEATS = 64, REPEAT_MS = 10000, REPEAT_MOST_MS = 3600000 };

/* A warning that was said, and when it may be said again. Mono times; key 0: a free place. */
struct repeat {
    uint64_t key, held;
    int64_t seen_ms, due_ms, interval_ms;
};

struct node_log {
    int fd; /* -1: keeps nothing */
    int least;
    char *path; /* NULL for standard error, or nothing */
    const struct base_clock *clock;
    pthread_mutex_t lock; /* guards repeats */
    struct repeat repeats[REPEATS];
};

static int rank_of(const char *level)
{
    return strcmp(level, "error") == 0 ? 2 : strcmp(level, "warn") == 0 ? 1 : 0;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

fm_status node_log_open(struct node_log **out, const char *path, const struct base_clock *clock,
                        struct base_err *err)
{
    struct node_log *log = calloc(1, sizeof *log);
    bool to_file = path != NULL && path[0] != '\0';
    fm_status st = FM_OK;

    *out = NULL;
    if (log == NULL)
        return base_err_memory(err, "log");
    log->clock = clock;
    if (pthread_mutex_init(&log->lock, NULL) != 0) {
        free(log);
        return base_err_set(err, FM_E_MEMORY, "log: no mutex");
    }
    log->fd = path == NULL ? -1 : to_file ? open_file(path) : STDERR_FILENO;
    if (to_file)
        log->path = strdup(path);
    if (path != NULL && log->fd < 0)
        st = base_err_errno(err, path);
    else if (to_file && log->path == NULL)
        st = base_err_memory(err, "log");
    if (st != FM_OK) {
        node_log_close(log);
        return st;
    }
    *out = log;
    return FM_OK;
}

void node_log_close(struct node_log *log)
{
    if (log == NULL)
        return;
    if (log->fd > STDERR_FILENO)
        (void)close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

void node_log_set_level(struct node_log *log, const char *least)
{
    log->least = rank_of(least);
}

/* The new file takes the old one's descriptor, in one step: lines that other threads write
 * meanwhile go to the one or the other. */
fm_status node_log_reopen(struct node_log *log, struct base_err *err)
{
    int fd;

    if (log->path == NULL)
        return FM_OK;
    fd = open_file(log->path);
    if (fd < 0 || dup3(fd, log->fd, O_CLOEXEC) < 0) {
        fm_status st = base_err_errno(err, log->path);
        if (fd >= 0)
            (void)close(fd);
        return st;
    }
    (void)close(fd);
    return FM_OK;
}

/* FNV-1a over the strings, digits left out: "silent for 5 s" and "silent for 10 s" are one. */
static uint64_t key_of(const char *event, const char *peer, const char *text)
{
    const char *const parts[] = {event, peer, text};
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (const char *s = parts[i]; *s != '\0'; s++)
            if (*s < '0' || *s > '9')
                h = (h ^ (unsigned char)*s) * 1099511628211u;
        h = (h ^ 1) * 1099511628211u; /* between the strings */
    }
    return h != 0 ? h : 1;
}

static struct repeat *place_of(struct node_log *log, uint64_t key)
{
    struct repeat *oldest = &log->repeats[0];

    for (size_t i = 0; i < REPEATS; i++) {
        if (log->repeats[i].key == key)
            return &log->repeats[i];
        if (log->repeats[i].key == 0 ||
            (oldest->key != 0 && log->repeats[i].seen_ms < oldest->seen_ms))
            oldest = &log->repeats[i];
    }
    *oldest = (struct repeat){.key = key};
    return oldest;
}

/* May it be said now? *held: how many were not since the last. */
static bool is_due(struct node_log *log, uint64_t key, uint64_t *held)
{
    int64_t now = base_clock_mono_ms(log->clock);
    struct repeat *r;
    bool due;

    pthread_mutex_lock(&log->lock);
    r = place_of(log, key);
    if (now - r->seen_ms > REPEAT_MOST_MS) /* long ago: it begins again */
        r->interval_ms = 0;
    due = r->interval_ms == 0 || now >= r->due_ms;
    r->seen_ms = now;
    if (due) {
        r->interval_ms = r->interval_ms == 0                   ? REPEAT_MS
                         : r->interval_ms < REPEAT_MOST_MS / 2 ? 2 * r->interval_ms
                                                               : REPEAT_MOST_MS;
        r->due_ms = now + r->interval_ms;
        *held = r->held;
        r->held = 0;
    } else
        r->held++;
    pthread_mutex_unlock(&log->lock);
    return due;
}

static json_t *time_text(const struct node_log *log)
{
    int64_t now = base_clock_unix_ms(log->clock);
    char seconds[DID_MOMENT_TEXT], whole[DID_MOMENT_TEXT + 4];
    struct base_err err = {0};

    if (now < 0 || did_moment_format(seconds, now / 1000, &err) != FM_OK)
        return json_string(""); /* a clock before 1970: node check names it */
    (void)snprintf(whole, sizeof whole, "%.19s.%03dZ", seconds, (int)(now % 1000));
    return json_string(whole);
}

static void put(struct node_log *log, const char *level, const char *event, const char *peer,
                const char *query, const char *text)
{
    struct base_buf line = {0};
    struct base_err err = {0};
    json_t *said, *entry;
    uint64_t held = 0;

    if (query == NULL && strcmp(level, "warn") == 0 &&
        !is_due(log, key_of(event, peer != NULL ? peer : "", text), &held))
        return;
    said = json_string(text); /* A path in an error may not be UTF-8. */
    entry = json_pack("{s:o,s:s,s:s,s:o}", "time", time_text(log), "level", level, "event", event,
                      "text", said != NULL ? said : json_string("(text is not valid UTF-8)"));

    if (entry != NULL && query != NULL)
        (void)json_object_set_new(entry, "query", json_string(query));
    if (entry != NULL && held > 0)
        (void)json_object_set_new(entry, "repeated", json_integer((json_int_t)held));
    if (entry != NULL && peer != NULL && peer[0] != '\0')
        (void)json_object_set_new(entry, "peer", json_string(peer));
    if (entry != NULL && base_json_canonical(&line, entry, &err) == FM_OK) {
        base_buf_put_u8(&line, '\n');
        /* One write a line: lines of several threads do not mix. A full disk must not stop a node:
         * the line is lost. */
        if (!line.failed)
            (void)!write(log->fd, line.p, line.len);
    }
    base_buf_release(&line);
    json_decref(entry);
}

void node_log_put(struct node_log *log, const char *level, const char *event, const char *query,
                  const char *fmt, ...)
{
    char text[BASE_ERR_TEXT];
    va_list args;

    if (log->fd < 0 || rank_of(level) < log->least)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    put(log, level, event, NULL, query, text);
}

void node_log_peer(struct node_log *log, const char *level, const char *event, const char *peer,
                   const char *query, const char *fmt, ...)
{
    char text[BASE_ERR_TEXT];
    va_list args;

    if (log->fd < 0 || rank_of(level) < log->least)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    put(log, level, event, peer, query, text);
}
