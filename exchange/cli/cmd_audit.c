/* firmiana audit ...: who asked what, when, under which authority. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    int64_t from = 0;
    json_t *value = NULL, *entries, *item;
    bool more = true;
    fm_status st = cli_int(&from, args, "from", 0, INT64_MAX, err);

    while (st == FM_OK && more) {
        size_t i;
        st =
            cli_call(&value, args, "audit.list", json_pack("{s:I}", "from", (json_int_t)from), err);
        if (st != FM_OK)
            break;
        entries = json_object_get(value, "entries");
        json_array_foreach(entries, i, item)
        {
            if (st == FM_OK && cli_flag(args, "json"))
                st = cli_print_json(item, err);
            else if (st == FM_OK)
                printf("%s\n", cli_text(item, "line"));
        }
        from = json_integer_value(json_object_get(value, "next"));
        more = json_is_true(json_object_get(value, "more"));
        json_decref(value);
    }
    return st;
}

static const struct cli_option list_options[] = {
    CLI_HOME_OPTION,
    {"from", "LEAF", "begin at this leaf of the log", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_audit_list = {
    "audit list", "", 0, 0, "the ledger's entries, one line each", NULL, list_options, list};

/* Written beside it first: no half bundle is ever there, and nothing that is there is replaced. */
static fm_status open_part(int *fd, char part[PATH_MAX], const char *out, struct base_err *err)
{
    if (access(out, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", out);
    if (snprintf(part, PATH_MAX, "%s.part", out) >= PATH_MAX)
        return base_err_set(err, FM_E_ARG, "--out: path too long");
    *fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return *fd < 0 ? base_err_errno(err, part) : FM_OK;
}

static fm_status finish_part(int fd, const char *part, const char *out, struct base_err *err)
{
    if (fchmod(fd, 0644) != 0 || fsync(fd) != 0)
        return base_err_errno(err, part);
    if (link(part, out) != 0)
        return errno == EEXIST
                   ? base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", out)
                   : base_err_errno(err, out);
    return FM_OK;
}

static fm_status export_bundle(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    char part[PATH_MAX];
    json_t *value = NULL;
    int fd = -1;
    fm_status st = open_part(&fd, part, out, err);

    if (st == FM_OK)
        st = cli_call_file(&value, args, "audit.export", NULL, fd, err);
    if (st == FM_OK)
        st = finish_part(fd, part, out, err);
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(part);
    }
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK)
        printf("%s: %lld leaves up to height %lld; check it anywhere with: firmiana-verify %s\n",
               out, (long long)json_integer_value(json_object_get(value, "leaves")),
               (long long)json_integer_value(json_object_get(value, "height")), out);
    json_decref(value);
    return st;
}

static const struct cli_option export_options[] = {
    CLI_HOME_OPTION, {"out", "FILE", "the bundle", CLI_REQUIRED}, CLI_JSON_OPTION, {0}};

const struct cli_command cli_audit_export = {
    "audit export",
    "",
    0,
    0,
    "write the whole trail as a bundle that firmiana-verify checks offline",
    NULL,
    export_options,
    export_bundle};
