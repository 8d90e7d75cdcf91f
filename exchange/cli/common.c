#include "exchange/cli/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json_any.h"
#include "base/text.h"
#include "exchange/cli/live.h"
#include "exchange/node/home.h"
#include "exchange/node/rpc.h"

enum { CALL_TIMEOUT_MS = 60000, FILE_TIMEOUT_MS = 600000 };

fm_status cli_home(const char **out, const struct cli_args *args, struct base_err *err)
{
    const char *home = cli_value(args, "home");

    if (home == NULL)
        home = getenv("FIRMIANA_HOME");
    *out = home;
    if (home == NULL || home[0] == '\0')
        return base_err_set(err, FM_E_ARG, "%s needs --home DIR (or FIRMIANA_HOME)",
                            args->command->name);
    return FM_OK;
}

static void show_progress(void *ctx, const char *text)
{
    (void)ctx;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s\n", text);
}

static const struct rpc_watch quiet = {show_progress, NULL, NULL};

/* The node's socket: the home itself may be named by it, by those who cannot enter the home. */
static fm_status socket_path(char out[HOME_PATH], const char *home, struct base_err *err)
{
    struct stat st;
    bool is_socket = stat(home, &st) == 0 && S_ISSOCK(st.st_mode);

    return is_socket ? home_path(out, ".", home, err) : home_path(out, home, "node.sock", err);
}

static fm_status call(json_t **value, const struct cli_args *args, const char *name,
                      json_t *request, int file, int timeout_ms, const struct rpc_watch *watch,
                      struct base_err *err)
{
    char path[HOME_PATH];
    const char *home;
    json_t *full = request != NULL ? request : json_object();
    fm_status st = cli_home(&home, args, err);

    *value = NULL;
    if (st == FM_OK)
        st = socket_path(path, home, err);
    if (st == FM_OK && (full == NULL || json_object_set_new(full, "do", json_string(name)) != 0))
        st = base_err_memory(err, "request");
    if (st == FM_OK)
        st = rpc_request_watched(value, path, full, file, timeout_ms, watch, err);
    json_decref(full);
    return st;
}

fm_status cli_call_for(json_t **value, const struct cli_args *args, const char *name,
                       json_t *request, int timeout_ms, struct base_err *err)
{
    struct live live;
    struct rpc_watch watch;
    fm_status st;

    live_begin(&live, "ending it everywhere (Ctrl-C again leaves at once)");
    watch = live_watch(&live);
    st = call(value, args, name, request, -1, timeout_ms, &watch, err);
    live_end(&live);
    return st;
}

fm_status cli_call_file(json_t **value, const struct cli_args *args, const char *name,
                        json_t *request, int file, struct base_err *err)
{
    return call(value, args, name, request, file, FILE_TIMEOUT_MS, &quiet, err);
}

fm_status cli_call(json_t **value, const struct cli_args *args, const char *name, json_t *request,
                   struct base_err *err)
{
    return call(value, args, name, request, -1, CALL_TIMEOUT_MS, &quiet, err);
}

fm_status cli_print_json(const json_t *value, struct base_err *err)
{
    struct base_buf line = {0};
    fm_status st = base_json_any_canonical(&line, value, err);

    if (st == FM_OK)
        puts(base_buf_cstr(&line));
    base_buf_release(&line);
    return st;
}

fm_status cli_print_made(json_t *value, struct base_err *err)
{
    fm_status st = value != NULL ? cli_print_json(value, err) : base_err_memory(err, "answer");

    json_decref(value);
    return st;
}

fm_status cli_verdict(fm_status st, struct base_err *err)
{
    return st == FM_E_INPUT || st == FM_E_AUTH ? (err->code = FM_E_INVALID) : st;
}

fm_status cli_fresh(const char *path, struct base_err *err)
{
    return path == NULL || access(path, F_OK) != 0
               ? FM_OK
               : base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
}

fm_status cli_write_json(const char *path, const json_t *value, unsigned mode, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = base_json_any_canonical(&bytes, value, err);

    base_buf_put_u8(&bytes, '\n');
    if (st == FM_OK)
        st = base_buf_status(&bytes, path, err);
    if (st == FM_OK)
        st = base_file_write(path, bytes.p, bytes.len, mode, err);
    base_buf_release_secret(&bytes);
    return st;
}

fm_status cli_duration(int64_t *out_ms, const char *text, const char *option, struct base_err *err)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end;
    long long v;

    errno = 0;
    v = strtoll(text, &end, 10);
    for (size_t i = 0; errno == 0 && end != text && end[0] != '\0' && end[1] == '\0' && i < 4; i++)
        if (*end == units[i].unit && v > 0 && v < 1000000) {
            *out_ms = v * units[i].ms;
            return FM_OK;
        }
    return base_err_set(err, FM_E_ARG, "--%s %s: write a number and a unit: 90s, 45m, 12h or 30d",
                        option, text);
}

const char *cli_text(const json_t *value, const char *name)
{
    const char *text = json_string_value(json_object_get(value, name));

    return text != NULL ? text : "";
}

const char *cli_moment(char out[DID_MOMENT_TEXT], const json_t *value, const char *name)
{
    struct base_err ignored = {0};

    if (did_moment_format(out, json_integer_value(json_object_get(value, name)) / 1000, &ignored) !=
        FM_OK)
        (void)strcpy(out, "beyond the year 9999");
    return out;
}

/* A text that does not fit into memory is not printed. */
static char *tamed(const char *text, const char *keep)
{
    char *copy = strdup(text);

    if (copy != NULL)
        base_text_tame(copy, keep);
    return copy;
}

void cli_put_foreign(const char *text)
{
    char *copy = tamed(text, "");

    (void)fputs(copy != NULL ? copy : "", stdout);
    free(copy);
}

/* An answer that was parsed is no deeper than BASE_JSON_MAX_DEPTH. */
static void tame(json_t *value, const char *keep)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(value)) {
        char *copy = tamed(json_string_value(value), keep);
        (void)json_string_set(value, copy != NULL ? copy : "");
        free(copy);
    }
    json_array_foreach(value, i, item) tame(item, keep);
    json_object_foreach(value, key, item) tame(item, keep);
}

void cli_tame(json_t *value)
{
    tame(value, "");
}

void cli_tame_lines(json_t *value)
{
    tame(value, "\n");
}

fm_status cli_report(const struct cli_args *args, const json_t *value, const char *what,
                     struct base_err *err)
{
    const char *rule = cli_text(value, "rule");

    if (rule[0] != '\0')
        return base_err_set(err, FM_E_REFUSED, "%s refused, on the ledger at height %lld: %s: %s",
                            what, (long long)json_integer_value(json_object_get(value, "height")),
                            rule, cli_text(value, "detail"));
    if (cli_flag(args, "json"))
        return cli_print_json(value, err);
    printf("%s: final at height %lld, leaf %lld, transaction %s\n", what,
           (long long)json_integer_value(json_object_get(value, "height")),
           (long long)json_integer_value(json_object_get(value, "leaf")), cli_text(value, "id"));
    return FM_OK;
}

fm_status cli_submit(const struct cli_args *args, json_t *tx, const char *what,
                     struct base_err *err)
{
    /* An approval of another sequencer does not go through the one there is. */
    bool approval = strcmp(cli_text(tx, "type"), "epoch.approve") == 0;
    json_t *value;
    fm_status st = cli_call(&value, args, approval ? "epoch.approve" : "tx.submit",
                            json_pack("{s:o}", "tx", tx), err);

    if (st == FM_OK && !approval)
        st = cli_report(args, value, what, err);
    json_decref(value);
    return st;
}

fm_status cli_submit_named(const struct cli_args *args, const char *type, json_t *body,
                           const char *kind, const uint8_t id32[32], struct base_err *err)
{
    char id[65], what[128];
    json_t *value;
    fm_status st =
        cli_call(&value, args, "tx.sign", json_pack("{s:s,s:o}", "type", type, "body", body), err);

    base_hex(id, id32, 32);
    (void)snprintf(what, sizeof what, "%s %s", kind, id);
    if (st == FM_OK && json_object_set_new(value, kind, json_string(id)) != 0)
        st = base_err_memory(err, kind);
    if (st == FM_OK)
        st = cli_report(args, value, what, err);
    json_decref(value);
    return st;
}

fm_status cli_submit_by_node(const struct cli_args *args, const char *type, json_t *body,
                             const char *what, struct base_err *err)
{
    json_t *value;
    fm_status st =
        cli_call(&value, args, "tx.sign", json_pack("{s:s,s:o}", "type", type, "body", body), err);

    if (st == FM_OK)
        st = cli_report(args, value, what, err);
    json_decref(value);
    return st;
}
