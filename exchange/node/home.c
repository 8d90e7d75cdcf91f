#include "exchange/node/home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/nearest.h"

static const char *const members[] = {"alias",   "listen", "data", "log", "block_interval_ms",
                                      "threads", NULL};

fm_status home_path(char out[HOME_PATH], const char *dir, const char *name, struct base_err *err)
{
    int n = name[0] == '/' ? snprintf(out, HOME_PATH, "%s", name)
                           : snprintf(out, HOME_PATH, "%s/%s", dir, name);

    if (n < 0 || n >= HOME_PATH)
        return base_err_set(err, FM_E_LIMIT, "%s/%s: path is longer than %d bytes", dir, name,
                            HOME_PATH - 1);
    return FM_OK;
}

static fm_status check_members(const json_t *json, struct base_err *err)
{
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)json, key, item)
    {
        const char *const *name = members;
        const char *nearest = base_nearest(key, members);
        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return base_err_set(err, FM_E_INPUT, "unknown member '%s'%s%s%s", key,
                                nearest != NULL ? ": did you mean '" : "",
                                nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    }
    return FM_OK;
}

/* A string member, or fallback when it is not there; it must fit. */
static fm_status take_text(char *out, size_t size, const json_t *json, const char *name,
                           const char *fallback, struct base_err *err)
{
    const char *text = fallback;

    if (json_object_get(json, name) != NULL || fallback == NULL)
        if (base_json_get_str(&text, json, name, err) != FM_OK)
            return err->code;
    if (strlen(text) >= size)
        return base_err_set(err, FM_E_INPUT, "member '%s' is longer than %zu bytes", name,
                            size - 1);
    memcpy(out, text, strlen(text) + 1);
    return FM_OK;
}

bool home_is_address(const char *text)
{
    const char *host = text + strlen("tcp://");
    const char *colon = strrchr(text, ':');
    char *end;
    long port;

    if (strncmp(text, "tcp://", 6) != 0 || strlen(text) >= sizeof((struct home *)0)->listen ||
        colon < host + 1 || colon[1] < '0' || colon[1] > '9')
        return false;
    port = strtol(colon + 1, &end, 10);
    return *end == '\0' && port >= 1 && port <= 65535;
}

static fm_status take(struct home *out, const json_t *json, struct base_err *err)
{
    char data[HOME_PATH], log[HOME_PATH];
    int64_t interval = 5, threads = 1;

    if (check_members(json, err) != FM_OK ||
        take_text(out->alias, sizeof out->alias, json, "alias", NULL, err) != FM_OK ||
        take_text(out->listen, sizeof out->listen, json, "listen", NULL, err) != FM_OK ||
        take_text(data, sizeof data, json, "data", "data.db", err) != FM_OK ||
        take_text(log, sizeof log, json, "log", "", err) != FM_OK)
        return err->code;
    if (json_object_get(json, "block_interval_ms") != NULL &&
        base_json_get_int(&interval, json, "block_interval_ms", err) != FM_OK)
        return err->code;
    if (json_object_get(json, "threads") != NULL &&
        base_json_get_int(&threads, json, "threads", err) != FM_OK)
        return err->code;
    if (interval < 1 || interval > 60000)
        return base_err_set(err, FM_E_INPUT, "member 'block_interval_ms' must be 1 to 60000");
    if (threads != 1)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "member 'threads': this version computes with 1 thread a query");
    if (!home_is_address(out->listen))
        return base_err_set(err, FM_E_INPUT, "member 'listen' must look like tcp://HOST:PORT");
    out->block_interval_ms = (int)interval;
    if (home_path(out->data, out->dir, data, err) != FM_OK)
        return err->code;
    return log[0] == '\0' ? FM_OK : home_path(out->log, out->dir, log, err);
}

fm_status home_load(struct home *out, const char *dir, struct base_err *err)
{
    char path[HOME_PATH];
    json_t *json;
    fm_status st;

    *out = (struct home){0};
    if (strlen(dir) >= sizeof out->dir)
        return base_err_set(err, FM_E_ARG, "%s: path is longer than %d bytes", dir, HOME_PATH - 1);
    memcpy(out->dir, dir, strlen(dir) + 1);
    if (home_path(path, dir, "node.json", err) != FM_OK)
        return err->code;
    if (access(path, F_OK) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: not there: make a home with firmiana init",
                            path);
    if (base_json_load_file(&json, path, 65536, err) != FM_OK)
        return err->code;
    st = json_is_object(json) ? take(out, json, err)
                              : base_err_set(err, FM_E_INPUT, "must be a JSON object");
    json_decref(json);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

fm_status home_create(const struct home *home, struct base_err *err)
{
    struct base_buf text = {0};
    char path[HOME_PATH];
    fm_status st;

    if (mkdir(home->dir, 0700) != 0 && errno != EEXIST)
        return base_err_errno(err, home->dir);
    if (home_path(path, home->dir, "node.json", err) != FM_OK)
        return err->code;
    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: this home belongs to a member already", path);
    base_buf_putf(&text, "{\n  \"alias\": \"%s\",\n  \"listen\": \"%s\"\n}\n", home->alias,
                  home->listen);
    st = base_buf_status(&text, "node.json", err);
    if (st == FM_OK)
        st = base_file_write(path, text.p, text.len, 0600, err);
    base_buf_release(&text);
    return st;
}
