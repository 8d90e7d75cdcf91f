/* firmiana audit ...: who asked what, when, under which authority. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

    if (st == FM_OK && !cli_flag(args, "json"))
        printf("%-20s  %6s  %-10s  %-22s  %s\n", "time", "leaf", "member", "type", "result");
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
            else if (st == FM_OK) {
                cli_put_foreign(cli_text(item, "line"));
                putchar('\n');
            }
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

fm_status cli_export(json_t **value, const struct cli_args *args, const char *out, json_t *only,
                     struct base_err *err)
{
    char part[PATH_MAX];
    int fd = -1;
    fm_status st = open_part(&fd, part, out, err);

    if (st == FM_OK)
        st = cli_call_file(value, args, "audit.export", json_pack("{s:O*}", "only", only), fd, err);
    json_decref(only);
    if (st == FM_OK)
        st = finish_part(fd, part, out, err);
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(part);
    }
    return st;
}

/* --entry and --lottery; NULL: the whole trail. */
static fm_status only_of(json_t **out, const struct cli_args *args, struct base_err *err)
{
    const char *lottery = cli_value(args, "lottery"), *text;
    json_t *entries = NULL;
    char *end;

    *out = NULL;
    if (lottery != NULL && cli_flag(args, "entry"))
        return base_err_set(err, FM_E_ARG, "audit export: --entry and --lottery are two bundles");
    if (lottery != NULL)
        *out = json_pack("{s:s}", "lottery", lottery);
    else if (cli_flag(args, "entry"))
        entries = json_array();
    for (size_t i = 0; entries != NULL && (text = cli_value_at(args, "entry", i)) != NULL; i++) {
        long long leaf = strtoll(text, &end, 10);
        if (leaf < 0 || end == text || *end != '\0') {
            json_decref(entries);
            return base_err_set(err, FM_E_ARG,
                                "audit export: --entry %s: it is a number of audit list", text);
        }
        (void)json_array_append_new(entries, json_integer(leaf));
    }
    if (entries != NULL)
        *out = json_pack("{s:o}", "entries", entries);
    return FM_OK;
}

static fm_status export_bundle(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    json_t *value = NULL, *only;
    fm_status st = only_of(&only, args, err);

    if (st == FM_OK)
        st = cli_export(&value, args, out, only, err);
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
    CLI_HOME_OPTION,
    {"out", "FILE", "the bundle", CLI_REQUIRED},
    {"entry", "LEAF", "only this entry, by its number in audit list, with proof of it",
     CLI_REPEATED},
    {"lottery", "ID", "only a lottery and those over the same list, with proof of it",
     CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_audit_export = {
    "audit export",
    "",
    0,
    0,
    "write the trail as a bundle that firmiana-verify checks offline",
    "With --entry or --lottery the bundle is compact: it has what was asked for, all that changed "
    "members, and of\nthe rest a few hashes, however long the ledger is.",
    export_options,
    export_bundle};
