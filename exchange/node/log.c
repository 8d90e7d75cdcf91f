#include "exchange/node/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"

struct node_log {
    int fd; /* -1: keeps nothing */
    const struct base_clock *clock;
};

fm_status node_log_open(struct node_log **out, const char *path, const struct base_clock *clock,
                        struct base_err *err)
{
    struct node_log *log = calloc(1, sizeof *log);

    *out = NULL;
    if (log == NULL)
        return base_err_memory(err, "log");
    log->clock = clock;
    log->fd = -1;
    if (path != NULL && path[0] == '\0')
        log->fd = STDERR_FILENO;
    else if (path != NULL)
        log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (path != NULL && log->fd < 0) {
        free(log);
        return base_err_errno(err, path);
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
    free(log);
}

void node_log_put(struct node_log *log, const char *level, const char *event, const char *query,
                  const char *fmt, ...)
{
    struct base_buf line = {0};
    struct base_err err = {0};
    char text[BASE_ERR_TEXT];
    va_list args;
    json_t *entry;

    if (log->fd < 0)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    entry = json_pack("{s:I,s:s,s:s,s:s}", "t", (json_int_t)base_clock_unix_ms(log->clock), "level",
                      level, "event", event, "text", text);
    if (entry != NULL && query != NULL)
        (void)json_object_set_new(entry, "query", json_string(query));
    if (entry != NULL && base_json_canonical(&line, entry, &err) == FM_OK) {
        base_buf_put_u8(&line, '\n');
        /* One write a line: lines of several threads do not mix. A full disk must not stop a node.
         */
        if (!line.failed && write(log->fd, line.p, line.len) < 0)
            log->fd = log->fd == STDERR_FILENO ? -1 : log->fd;
    }
    base_buf_release(&line);
    json_decref(entry);
}
