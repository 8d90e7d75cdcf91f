/* firmiana dataset ...: from a CSV file to a declaration on the ledger. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/dataset.h"
#include "exchange/data/import.h"

bool cli_dataset_progress(void *ctx, enum data_import_pass pass, uint64_t rows, uint64_t bytes,
                          uint64_t bytes_total)
{
    (void)ctx;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s %llu rows, %llu%%   ",
                pass == DATA_IMPORT_INFER ? "reading" : "writing", (unsigned long long)rows,
                bytes_total > 0 ? (unsigned long long)(bytes * 100 / bytes_total) : 0);
    return true;
}

void cli_dataset_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%40s\r", "");
}

static fm_status print_import(const struct cli_args *args, const struct data_import_result *r,
                              const char *table, struct base_err *err)
{
    json_t *schema;
    fm_status st;

    for (size_t i = 0; i < r->notes.count; i++)
        fprintf(stderr, "note: %s\n", r->notes.items[i]);
    if (!cli_flag(args, "json")) {
        printf("%s: %llu rows, %zu columns", table, (unsigned long long)r->rows,
               r->schema.column_count);
        if (cli_value(args, "update") != NULL)
            printf("; %llu changed, %llu added", (unsigned long long)r->changed,
                   (unsigned long long)r->added);
        putchar('\n');
        return FM_OK;
    }
    st = data_schema_to_json(&schema, &r->schema, err);
    if (st == FM_OK) {
        json_t *answer = json_pack("{s:s,s:I,s:I,s:I,s:o}", "table", table, "rows",
                                   (json_int_t)r->rows, "changed", (json_int_t)r->changed, "added",
                                   (json_int_t)r->added, "schema", schema);
        st = answer != NULL ? cli_print_json(answer, err) : base_err_memory(err, "answer");
        json_decref(answer);
    }
    return st;
}

fm_status cli_dataset_separator(char *out, const struct cli_args *args, struct base_err *err)
{
    const char *text = cli_value(args, "separator");

    *out = text != NULL ? text[0] : '\0';
    if (text != NULL && strcmp(text, ",") != 0 && strcmp(text, ";") != 0)
        return base_err_set(err, FM_E_ARG, "--separator must be ',' or ';'");
    return FM_OK;
}

static fm_status import(const struct cli_args *args, struct base_err *err)
{
    const char *schema_path = cli_value(args, "schema");
    struct data_schema schema = {0};
    struct data_import_result result = {0};
    struct data_import job = {.csv_path = args->operands[0],
                              .db_path = cli_value(args, "db"),
                              .table = cli_value(args, "table"),
                              .mode = cli_value(args, "update") != NULL ? DATA_IMPORT_DELTA
                                      : cli_flag(args, "replace")       ? DATA_IMPORT_REPLACE
                                                                        : DATA_IMPORT_NEW,
                              .key = cli_value(args, "update"),
                              .progress = {cli_dataset_progress, NULL}};
    fm_status st = cli_dataset_separator(&job.separator, args, err);

    if (st == FM_OK && job.key != NULL && (schema_path != NULL || cli_flag(args, "replace")))
        st = base_err_set(err, FM_E_ARG,
                          "--update keeps the table and its schema: leave out --replace and "
                          "--schema");
    if (st == FM_OK && schema_path != NULL) {
        st = data_schema_load(&schema, schema_path, err);
        job.schema = &schema;
    }
    if (st == FM_OK)
        st = data_import(&result, &job, err);
    cli_dataset_progress_end();
    if (st == FM_OK)
        st = print_import(args, &result, job.table, err);
    data_import_release(&result);
    if (job.schema != NULL)
        data_schema_release(&schema);
    return st;
}

static const struct cli_option import_options[] = {
    {"db", "FILE", "the member's SQLite file (made if it is not there)", CLI_REQUIRED},
    {"table", "NAME", "the table to make", CLI_REQUIRED},
    {"schema", "FILE",
     "the declared schema (exchange/data/schema.md); without it types are inferred", CLI_OPTIONAL},
    {"separator", "C", "',' or ';' (default: as the header shows)", CLI_OPTIONAL},
    {"replace", NULL, "replace an existing table", CLI_OPTIONAL},
    {"update", "KEY",
     "the file is a delta: rows whose KEY the table has change it, others are added", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_dataset_import = {
    "dataset import",
    "FILE.csv",
    1,
    1,
    "read a CSV file into the member's database",
    "RFC 4180 with a header line; NULL is an empty field or NA. A bad row is refused with file, "
    "line and column, and\n"
    "no half table stays.",
    import_options,
    import};

/* What the provider's own node says about the version before. */
static void print_changes(const json_t *changes)
{
    static const char *const names[] = {"changed", "added", "removed"};
    const char *unknown = cli_text(changes, "unknown");

    if (changes == NULL)
        return;
    if (unknown[0] != '\0') {
        printf("what changed is not known: %s\n", unknown);
        return;
    }
    printf("since version %lld:", (long long)json_integer_value(json_object_get(changes, "since")));
    for (size_t i = 0; i < 3; i++)
        printf("%s %lld %s", i > 0 ? "," : "",
               (long long)json_integer_value(json_object_get(changes, names[i])), names[i]);
    printf(", %lld rows the same\n",
           (long long)json_integer_value(json_object_get(changes, "same")));
}

/* Read here, so that what is wrong with it is told with the file's name. */
static fm_status load_schema(json_t **out, const char *path, struct base_err *err)
{
    struct data_schema schema;
    fm_status st = data_schema_load(&schema, path, err);

    *out = NULL;
    if (st == FM_OK)
        st = data_schema_to_json(out, &schema, err);
    data_schema_release(&schema);
    return st;
}

static fm_status publish(const struct cli_args *args, struct base_err *err)
{
    const char *schema_path = cli_value(args, "schema"), *rule;
    json_t *request = json_pack("{s:s}", "table", cli_value(args, "table")), *schema = NULL,
           *value = NULL;
    fm_status st = schema_path != NULL ? load_schema(&schema, schema_path, err) : FM_OK;

    if (st == FM_OK && schema != NULL)
        (void)json_object_set_new(request, "schema", schema);
    if (st == FM_OK)
        st = cli_call_for(&value, args, "dataset.publish", json_incref(request), 600000, err);
    if (st == FM_OK) {
        rule = cli_text(value, "rule");
        if (rule[0] != '\0')
            st = base_err_set(err, FM_E_REFUSED, "dataset refused, on the ledger: %s: %s", rule,
                              cli_text(value, "detail"));
        else if (cli_flag(args, "json"))
            st = cli_print_json(value, err);
        else
            printf("dataset %s: final at height %lld, leaf %lld\n", cli_value(args, "table"),
                   (long long)json_integer_value(json_object_get(value, "height")),
                   (long long)json_integer_value(json_object_get(value, "leaf")));
        if (st == FM_OK && !cli_flag(args, "json"))
            print_changes(json_object_get(value, "changes"));
    }
    json_decref(request);
    json_decref(value);
    return st;
}

static const struct cli_option publish_options[] = {
    CLI_HOME_OPTION,
    {"table", "NAME", "the table, in the member's database", CLI_REQUIRED},
    {"schema", "FILE", "what to declare (default: what the import declared)", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_dataset_publish = {
    "dataset publish",
    "",
    0,
    0,
    "declare a table on the ledger: schema, bounds and a salted root, never rows",
    "The node checks every row against the declaration first.",
    publish_options,
    publish};

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *item;
    const char *key;
    fm_status st = cli_call(&value, args, "dataset.list", NULL, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        printf("%-32s %8s %6s %10s  %s\n", "dataset", "schema", "data", "rows", "root");
        json_object_foreach(json_object_get(value, "datasets"), key, item) printf(
            "%-32s %8lld %6lld %10lld  %.16s\n", key,
            (long long)json_integer_value(
                json_object_get(json_object_get(item, "schema"), "version")),
            (long long)json_integer_value(json_object_get(item, "data_version")),
            (long long)json_integer_value(json_object_get(item, "rows")), cli_text(item, "root"));
    }
    json_decref(value);
    return st;
}

static const struct cli_option list_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_dataset_list = {
    "dataset list", "", 0, 0, "the datasets that members have published", NULL, list_options, list};
