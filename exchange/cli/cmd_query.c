/* firmiana query ...: an analyst asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"

/* Opening files that consent create wrote: {"consent": id, "nonce": hex, "parameter"?: n, ...}. */
static fm_status read_consents(json_t **out, const struct cli_args *args, struct base_err *err)
{
    const char *path;

    *out = json_array();
    for (size_t i = 0; (path = cli_value_at(args, "consent", i)) != NULL; i++) {
        const char *id, *nonce;
        json_t *file;
        fm_status st = base_json_load_file(&file, path, 65536, err);
        if (st == FM_OK && (base_json_get_str(&id, file, "consent", err) != FM_OK ||
                            base_json_get_str(&nonce, file, "nonce", err) != FM_OK))
            st = base_err_prefix(err, "%s", path);
        if (st == FM_OK &&
            json_array_append_new(*out, json_pack("{s:s,s:s}", "consent", id, "nonce", nonce)) != 0)
            st = base_err_memory(err, path);
        json_decref(file);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

static const char *format_of(const struct cli_args *args)
{
    return cli_flag(args, "json") ? "json" : cli_flag(args, "csv") ? "csv" : "table";
}

static fm_status print_result(const struct cli_args *args, json_t *value, struct base_err *err)
{
    if (strcmp(format_of(args), "table") == 0) /* JSON and CSV are for programs, which want all */
        cli_tame_lines(value);
    if (fputs(cli_text(value, "text"), stdout) == EOF)
        return base_err_errno(err, "standard output");
    if (cli_flag(args, "stats"))
        fprintf(stderr, "%s", cli_text(value, "stats_text"));
    if (!cli_flag(args, "json") && !cli_flag(args, "csv"))
        printf("query %.16s: done, closed at height %lld, receipt signed by %s\n",
               cli_text(value, "query"),
               (long long)json_integer_value(json_object_get(value, "height")),
               cli_text(value, "signers"));
    return FM_OK;
}

static fm_status run_query(const struct cli_args *args, struct base_err *err)
{
    int64_t timeout_s = 60;
    json_t *parameters = NULL, *consents = NULL, *value = NULL;
    const char *format = format_of(args);
    const char *ticket = cli_value(args, "ticket");
    fm_status st = cli_int(&timeout_s, args, "timeout", 1, 3600, err);

    if (st == FM_OK)
        st = cli_parameters(&parameters, args, err);
    if (st == FM_OK)
        st = read_consents(&consents, args, err);
    if (st == FM_OK)
        st = cli_call_for(&value, args, "query.run",
                          json_pack("{s:s,s:O,s:O,s:s,s:s,s:I}", "contract", args->operands[0],
                                    "parameters", parameters, "consents", consents, "ticket",
                                    ticket != NULL ? ticket : "none", "format", format,
                                    "timeout_ms", (json_int_t)timeout_s * 1000),
                          (int)(timeout_s * 1000) + 60000, err);
    if (st == FM_OK)
        st = print_result(args, value, err);
    json_decref(value);
    json_decref(parameters);
    json_decref(consents);
    return st;
}

static const struct cli_option run_options[] = {
    CLI_HOME_OPTION,
    {"param", "N=VALUE", "the value of parameter $N", CLI_REPEATED},
    {"param-file", "N=PATH",
     "the same from a file: arguments can be seen by every user of this machine", CLI_REPEATED},
    {"consent", "FILE", "the opening of a subject's consent, from firmiana consent create",
     CLI_REPEATED},
    {"ticket", "TEXT",
     "under which ticket (committed on the ledger, with who asks, as the kernel says; not shown)",
     CLI_OPTIONAL},
    {"timeout", "SECONDS", "end the query after this long (default 60)", CLI_OPTIONAL},
    {"csv", NULL, "print CSV: a header line, NULL is empty", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {"stats", NULL, "print seconds, rounds and bytes on standard error", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_query_run = {
    "query run",
    "CONTRACT",
    1,
    1,
    "run a contract's query and print its answer",
    "CONTRACT is a contract's id, or enough of its first digits. The query is opened on the "
    "ledger, computed by the\n"
    "contract's compute parties, shown to its recipients alone, and closed on the ledger with "
    "everyone's signature.\n"
    "Ctrl-C ends it everywhere and waits for that; a second Ctrl-C leaves at once. On a terminal "
    "one "
    "line says where\nthe query is. An answer that comes too late for the caller is kept for an "
    "hour: firmiana query answer.",
    run_options,
    run_query};

static fm_status list_queries(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *list, *item;
    fm_status st = cli_call(&value, args, "query.list", NULL, err);
    size_t i;

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        list = json_object_get(value, "queries");
        printf("%-18s %-10s %-10s %-8s %s\n", "query", "asker", "status", "height", "rule");
        json_array_foreach(list, i, item) printf(
            "%-18.16s %-10s %-10s %-8lld %s%s%s\n", cli_text(item, "query"),
            cli_text(item, "asker"), cli_text(item, "status"),
            (long long)json_integer_value(json_object_get(item, "height")), cli_text(item, "rule"),
            cli_text(item, "party")[0] != '\0' ? " by " : "", cli_text(item, "party"));
    }
    json_decref(value);
    return st;
}

static const struct cli_option list_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_query_list = {
    "query list", "",           0,           0, "the ledger's queries and how they ended",
    NULL,         list_options, list_queries};

/* ---- one query ---- */

static void print_time(const char *label, const json_t *value, const char *name)
{
    time_t s = (time_t)(json_integer_value(json_object_get(value, name)) / 1000);
    struct tm tm;
    char text[32];

    if (gmtime_r(&s, &tm) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        printf("%-10s %s\n", label, text);
}

static fm_status show_query(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *item;
    size_t i;

    if (cli_call(&value, args, "query.show", json_pack("{s:s}", "query", args->operands[0]), err) !=
        FM_OK)
        return err->code;
    if (cli_flag(args, "json")) {
        fm_status st = cli_print_json(value, err);
        json_decref(value);
        return st;
    }
    cli_tame(value);
    printf("query      %s\nstatus     %s", cli_text(value, "query"), cli_text(value, "status"));
    if (cli_text(value, "rule")[0] != '\0')
        printf(" (%s%s%s)", cli_text(value, "rule"),
               cli_text(value, "party")[0] != '\0' ? ", by " : "", cli_text(value, "party"));
    printf("\n");
    if (cli_text(value, "where")[0] != '\0')
        printf("here       %s\n", cli_text(value, "where"));
    printf("asker      %s\ncontract   %s\n", cli_text(value, "asker"), cli_text(value, "contract"));
    print_time("opened", value, "time");
    print_time("deadline", value, "deadline");
    printf("filed by  ");
    json_array_foreach(json_object_get(value, "receipts"), i, item)
        printf("%s%s", i > 0 ? ", " : " ", json_string_value(item));
    printf("%s\nanswer     %s\n", i == 0 ? " nobody yet" : "", cli_text(value, "answer"));
    json_decref(value);
    return FM_OK;
}

static const struct cli_option show_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_query_show = {
    "query show",
    "ID",
    1,
    1,
    "one query: how it ended, or where it is",
    "ID is a query's id, or its first 8 digits or more (firmiana query list has them). What the "
    "ledger has of it,\n"
    "what this node does for it at the moment, and whether its answer is here.",
    show_options,
    show_query};

static fm_status answer_query(const struct cli_args *args, struct base_err *err)
{
    const char *format = format_of(args);
    json_t *value;
    fm_status st =
        cli_call(&value, args, "query.answer",
                 json_pack("{s:s,s:s}", "query", args->operands[0], "format", format), err);

    if (st == FM_OK && strcmp(format, "table") == 0)
        cli_tame_lines(value);
    if (st == FM_OK && fputs(cli_text(value, "text"), stdout) == EOF)
        st = base_err_errno(err, "standard output");
    json_decref(value);
    return st;
}

static const struct cli_option answer_options[] = {
    CLI_HOME_OPTION,
    {"csv", NULL, "print CSV: a header line, NULL is empty", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_query_answer = {
    "query answer",
    "ID",
    1,
    1,
    "the answer of a query that is done, once more",
    "For a caller that was gone, or out of time, before the query was done, and for recipients "
    "that "
    "did not ask.\n"
    "The node keeps answers for an hour, in memory: a restart forgets them.",
    answer_options,
    answer_query};
