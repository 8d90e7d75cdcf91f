/* firmiana dataset describe: what stands in a file or table, for the person who must declare it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/dataset.h"
#include "exchange/data/profile.h"

/* The notes of a plain table's store say again what the columns say, but for what was left out. */
static void print_left_out(const struct data_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        if (strstr(notes->items[i], " is left out: ") != NULL)
            printf("note: %s\n", notes->items[i]);
}

static void print_head(const struct data_profile *p, const char *name)
{
    printf("%s: %llu rows, %zu columns", name, (unsigned long long)p->rows, p->column_count);
    if (p->separator != '\0')
        printf(", separator '%c', UTF-8%s", p->separator,
               p->has_mark ? " with a byte order mark (not part of the first name)" : "");
    putchar('\n');
}

static void print_column(const struct data_advice *a)
{
    printf("\n%s  %s\n  why      %s\n  seen     %s\n  declare  %s\n", a->proposal.name, a->type,
           a->why, a->seen, a->declare);
    for (size_t i = 0; i < a->warnings.count; i++)
        printf("  look     %s\n", a->warnings.items[i]);
}

static fm_status print_text(const struct data_profile *p, const struct data_notes *notes,
                            const char *name, const char *draft, struct base_err *err)
{
    fm_status st = FM_OK;

    print_head(p, name);
    print_left_out(notes);
    for (size_t i = 0; st == FM_OK && i < p->column_count; i++) {
        struct data_advice a;
        st = data_profile_advise(&a, p, i, err);
        if (st == FM_OK)
            print_column(&a);
        data_advice_release(&a);
    }
    if (st != FM_OK)
        return st;
    printf("\nrows  %llu are there; declare more, so that the number is not told and the table can "
           "grow: %lld\n",
           (unsigned long long)p->rows, (long long)data_profile_padded_rows(p));
    if (draft != NULL)
        printf("%s: the proposals above. Look at each, name the subject if rows are about "
               "somebody,\nand delete its member 'draft'; until then no command takes it.\n",
               draft);
    else
        puts("Nothing is declared by this. --out FILE writes the proposals as a draft schema.");
    return FM_OK;
}

static json_t *column_json(const struct data_advice *a, const struct data_profile_column *c)
{
    json_t *warnings = json_array();

    for (size_t i = 0; i < a->warnings.count; i++)
        (void)json_array_append_new(warnings, json_string(a->warnings.items[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:o}", "name", a->proposal.name, "type",
                     a->type, "why", a->why, "seen", a->seen, "declare", a->declare, "nulls",
                     (json_int_t)c->infer.nulls, "distinct",
                     (json_int_t)data_distinct_values(&c->distinct), "most_rows",
                     (json_int_t)data_distinct_most_rows(&c->distinct), "exact",
                     (int)data_distinct_exact(&c->distinct), "warnings", warnings);
}

static fm_status print_json(const struct data_profile *p, struct base_err *err)
{
    json_t *columns = json_array(), *answer;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < p->column_count; i++) {
        struct data_advice a;
        st = data_profile_advise(&a, p, i, err);
        if (st == FM_OK)
            (void)json_array_append_new(columns, column_json(&a, &p->columns[i]));
        data_advice_release(&a);
    }
    answer = json_pack("{s:I,s:I,s:o}", "rows", (json_int_t)p->rows, "padded_rows",
                       (json_int_t)data_profile_padded_rows(p), "columns", columns);
    if (st == FM_OK)
        st = cli_print_json(answer, err);
    json_decref(answer);
    return st;
}

/* Its owner's alone, and never over a file that somebody has worked on. */
static fm_status write_draft(const struct data_profile *p, const char *path, struct base_err *err)
{
    struct base_buf lines = {0};
    json_t *draft = NULL;
    char *text;
    fm_status st;

    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s is there already: choose another name", path);
    st = data_profile_draft(&draft, p, err);
    if (st != FM_OK)
        return st;
    text = json_dumps(draft, JSON_INDENT(1));
    json_decref(draft);
    if (text == NULL)
        return base_err_memory(err, "draft");
    base_buf_put_str(&lines, text);
    base_buf_put_u8(&lines, '\n');
    free(text);
    st = base_buf_status(&lines, path, err);
    if (st == FM_OK)
        st = base_file_write(path, lines.p, lines.len, 0600, err);
    base_buf_release(&lines);
    return st;
}

/* Which tables --table can name. */
static fm_status ask_for_table(struct data_store *store, struct base_err *err)
{
    struct base_buf list = {0};
    struct data_notes names;
    fm_status st = data_store_tables(&names, store, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < names.count; i++)
        base_buf_putf(&list, "%s%s", i > 0 ? ", " : ": ", names.items[i]);
    st =
        base_err_set(err, FM_E_ARG, "dataset describe: --table NAME says which of its %zu tables%s",
                     names.count, base_buf_cstr(&list));
    base_buf_release(&list);
    data_notes_release(&names);
    return st;
}

static fm_status profile_table(struct data_profile *p, struct data_notes *notes,
                               const struct cli_args *args, struct base_err *err)
{
    struct data_store *store;
    fm_status st;

    if (cli_value(args, "db") == NULL)
        return base_err_set(err, FM_E_ARG,
                            "dataset describe needs FILE.csv, or --db FILE with --table NAME");
    st = data_store_open(&store, cli_value(args, "db"), err);
    if (st != FM_OK)
        return st;
    st = cli_value(args, "table") != NULL
             ? data_profile_table(p, notes, store, cli_value(args, "table"), err)
             : ask_for_table(store, err);
    data_store_free(store);
    return st;
}

static fm_status describe(const struct cli_args *args, struct base_err *err)
{
    const struct data_progress progress = {cli_dataset_progress, NULL};
    const char *file = args->operand_count > 0 ? args->operands[0] : NULL;
    const char *draft = cli_value(args, "out");
    struct data_profile p = {0};
    struct data_notes notes = {0};
    char separator;
    fm_status st = cli_dataset_separator(&separator, args, err);

    if (st == FM_OK && file != NULL &&
        (cli_value(args, "db") != NULL || cli_value(args, "table") != NULL))
        st = base_err_set(err, FM_E_ARG, "dataset describe takes a CSV file or a table, not both");
    if (st == FM_OK)
        st = file != NULL ? data_profile_csv(&p, file, separator, &progress, err)
                          : profile_table(&p, &notes, args, err);
    cli_dataset_progress_end();
    if (st == FM_OK && draft != NULL)
        st = write_draft(&p, draft, err);
    if (st == FM_OK)
        st = cli_flag(args, "json")
                 ? print_json(&p, err)
                 : print_text(&p, &notes, file != NULL ? file : cli_value(args, "table"), draft,
                              err);
    data_notes_release(&notes);
    data_profile_release(&p);
    return st;
}

static const struct cli_option describe_options[] = {
    {"db", "FILE", "a member's SQLite file, instead of a CSV file", CLI_OPTIONAL},
    {"table", "NAME", "the table in it", CLI_OPTIONAL},
    {"separator", "C", "',' or ';' (default: as the header shows)", CLI_OPTIONAL},
    {"out", "FILE", "write a draft schema, for a person to confirm", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_dataset_describe = {
    "dataset describe",
    "[FILE.csv]",
    0,
    1,
    "say what a file or table holds: types and why, ranges, keys, what to declare",
    "For the owner's eyes: it shows values, and declares nothing. Proposals are rounded outwards; "
    "a "
    "draft schema\n"
    "(--out) is refused by import and publish until a person has deleted its member 'draft'.",
    describe_options,
    describe};
