/* firmiana dataset prove, forget: rows of published versions, opened one by one, and let go. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"

/* ---- opening a row ---- */

/* The entry that published it, as a compact bundle. */
static fm_status export_version(const struct cli_args *args, const json_t *row,
                                struct base_err *err)
{
    json_t *value = NULL;
    fm_status st = cli_export(
        &value, args, cli_value(args, "trail"),
        json_pack("{s:{s:s,s:s,s:O}}", "version", "member", cli_text(row, "member"), "dataset",
                  cli_text(row, "dataset"), "data_version", json_object_get(row, "data_version")),
        err);

    json_decref(value);
    return st == FM_OK ? st : base_err_prefix(err, "--trail");
}

static fm_status ask(json_t **request, const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out"), *trail = cli_value(args, "trail");
    const char *key = cli_value(args, "key");
    int64_t number = 0;
    fm_status st = FM_OK;

    *request = NULL;
    if ((key != NULL) == (cli_value(args, "row") != NULL))
        return base_err_set(
            err, FM_E_ARG, "dataset prove: say which row, with --row N or with --key COLUMN=VALUE");
    if (trail != NULL && strcmp(out, trail) == 0)
        return base_err_set(err, FM_E_ARG, "--out and --trail are two files");
    *request = json_pack("{s:s,s:s*}", "table", cli_value(args, "table"), "key", key);
    if (key == NULL)
        st = cli_int(&number, args, "row", 0, INT64_MAX / 2, err);
    if (st == FM_OK && key == NULL)
        (void)json_object_set_new(*request, "row", json_integer((json_int_t)number));
    if (st == FM_OK && cli_value(args, "version") != NULL) {
        st = cli_int(&number, args, "version", 1, INT64_MAX / 2, err);
        (void)json_object_set_new(*request, "version", json_integer((json_int_t)number));
    }
    return st;
}

static void tell(const struct cli_args *args, const json_t *row)
{
    const char *out = cli_value(args, "out"), *trail = cli_value(args, "trail");
    const json_t *proof = json_object_get(row, "proof");

    printf("%s: row %lld of %s, version %lld. It holds the row: for whoever is entitled to see "
           "it\n",
           out, (long long)json_integer_value(json_object_get(proof, "index")),
           cli_text(row, "dataset"),
           (long long)json_integer_value(json_object_get(row, "data_version")));
    if (trail != NULL)
        printf("%s: where that version was published; check both with: firmiana dataset check %s "
               "%s\n",
               trail, out, trail);
}

/* Under two names they may still be one: then the second would be lost with the first. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Both files or neither; a trail never replaces a file that was there. */
static fm_status prove(const struct cli_args *args, struct base_err *err)
{
    const char *trail = cli_value(args, "trail");
    json_t *value = NULL, *request;
    fm_status st = ask(&request, args, err);

    if (st == FM_OK)
        st = cli_call_for(&value, args, "dataset.prove", json_incref(request), 600000, err);
    if (st == FM_OK && trail != NULL)
        st = export_version(args, value, err);
    if (st == FM_OK && trail != NULL && same_file(cli_value(args, "out"), trail)) {
        (void)unlink(trail);
        st = base_err_set(err, FM_E_ARG, "--out and --trail are two files");
    }
    if (st == FM_OK) {
        st = cli_write_json(cli_value(args, "out"), value, 0600, err);
        if (st != FM_OK && trail != NULL)
            (void)unlink(trail);
    }
    if (st == FM_OK)
        tell(args, value);
    json_decref(request);
    json_decref(value);
    return st;
}

static const struct cli_option prove_options[] = {
    CLI_HOME_OPTION,
    {"table", "NAME", "one's own dataset", CLI_REQUIRED},
    {"version", "V", "of the versions that dataset history lists (default: the newest)",
     CLI_OPTIONAL},
    {"row", "N", "its place, from 0, in rowid order", CLI_OPTIONAL},
    {"key", "COLUMN=VALUE", "instead: the one row that has this value", CLI_OPTIONAL},
    {"out", "FILE", "the row with its proof", CLI_REQUIRED},
    {"trail", "FILE", "as well: the part of the trail that dataset check asks for", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_dataset_prove = {
    "dataset prove",
    "",
    0,
    0,
    "open one row of one's own dataset, with proof that a published version has it",
    "Nobody else can: the root is over salted hashes. The other rows stay closed, in every "
    "version.\nThe node keeps the rows of every version that it published, sealed in versions.db, "
    "whatever the table\nhas become since, until dataset forget.",
    prove_options,
    prove};

/* ---- letting go ---- */

static fm_status forget(const struct cli_args *args, struct base_err *err)
{
    const char *table = cli_value(args, "table");
    json_t *value = NULL;
    int64_t before = 0, versions, rows, oldest;
    fm_status st = cli_int(&before, args, "before", 2, INT64_MAX / 2, err);

    if (st == FM_OK)
        st = cli_call_for(&value, args, "dataset.forget",
                          json_pack("{s:s,s:I}", "table", table, "before", (json_int_t)before),
                          600000, err);
    if (st == FM_OK && cli_flag(args, "json")) {
        st = cli_print_json(value, err);
    } else if (st == FM_OK) {
        versions = json_integer_value(json_object_get(value, "versions"));
        oldest = json_integer_value(json_object_get(value, "oldest"));
        rows = json_integer_value(json_object_get(value, "rows"));
        printf("%s: %lld version%s forgotten, %lld row%s erased that no later version has; ", table,
               (long long)versions, versions == 1 ? "" : "s", (long long)rows,
               rows == 1 ? "" : "s");
        if (oldest > 0)
            printf("rows of version %lld and later can still be proved\n", (long long)oldest);
        else
            puts("no row can be proved from what is kept");
    }
    json_decref(value);
    return st;
}

static const struct cli_option forget_options[] = {
    CLI_HOME_OPTION,
    {"table", "NAME", "one's own dataset", CLI_REQUIRED},
    {"before", "V", "versions below V are forgotten", CLI_REQUIRED},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_dataset_forget = {
    "dataset forget",
    "",
    0,
    0,
    "erase what is kept of older versions: their rows can then not be proved by anybody",
    "To erase a person: delete their rows, publish (that is version V), then forget before V. "
    "Roots "
    "and times stay on the\nledger and say nothing of the rows; rows that V still has stay kept. "
    "Copies of versions.db in backups are erased\nby whoever keeps them. The file is overwritten; "
    "SQLite's journal beside it is removed, and what it held can be in\nfree blocks of the disk "
    "until they are used again.",
    forget_options,
    forget};
