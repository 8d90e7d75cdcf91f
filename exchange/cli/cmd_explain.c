/* firmiana explain: what a query would do, before anybody is asked to allow it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"

/* ---- costs ---- */

static void print_bytes(int width, json_int_t bytes)
{
    static const char *const units[] = {"B ", "kB", "MB", "GB", "TB"};
    double x = (double)bytes;
    size_t unit = 0;

    for (; x >= 9999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        x /= 1000;
    printf("%*.0f %s", width - 3, x, units[unit]);
}

static json_int_t number(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static void print_cost(const json_t *step)
{
    if (step == NULL) {
        printf("%8s %10s %9s", "", "", "");
        return;
    }
    printf("%8lld ", (long long)number(step, "rounds"));
    print_bytes(10, number(step, "bytes"));
    printf(" %9.3f", (double)number(step, "us") * 1e-6);
}

/* Of an operator, or of what has a name and no number. */
static const json_t *find_step(const json_t *value, const char *name, json_int_t operator_number)
{
    const json_t *step;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(value, "estimate"), "steps"), i,
                       step) if (name != NULL
                                     ? strcmp(cli_text(step, "step"), name) == 0
                                     : number(step, "operator") == operator_number) return step;
    return NULL;
}

static void print_step(const json_t *value, const char *name, const char *does)
{
    const json_t *step = find_step(value, name, 0);

    if (step == NULL)
        return;
    printf("%3s  %-10s %12s ", "", name, "");
    print_cost(step);
    printf("  %s\n", does);
}

static void print_total(const json_t *value)
{
    const json_t *e = json_object_get(value, "estimate"), *link = json_object_get(e, "link"), *p;
    size_t i;

    if (e == NULL)
        return;
    printf("%3s  %-10s %12s ", "", "all", "");
    print_cost(e);
    printf("  estimated, link '%s': %.3f ms a round", cli_text(link, "name"),
           (double)number(link, "round_us") * 1e-3);
    if (json_object_get(link, "mbit_s") != NULL)
        printf(", %lld Mbit/s", (long long)number(link, "mbit_s"));
    puts("\n\nby party:");
    json_array_foreach(json_object_get(e, "parties"), i, p)
    {
        printf("  %-20s sends", cli_text(p, "who"));
        print_bytes(9, number(p, "sent"));
        printf(", receives");
        print_bytes(9, number(p, "received"));
        printf(", holds at most");
        print_bytes(9, number(p, "memory"));
        puts(json_is_true(json_object_get(p, "computes")) ? ", computes" : "");
    }
}

/* ---- operators ---- */

static void print_operators(const json_t *value)
{
    const json_t *o, *input;
    size_t i, k;

    printf("%3s  %-10s %12s %8s %10s %9s\n", "", "operator", "rows", "rounds", "bytes", "seconds");
    print_step(value, "rows", "read and checked by their owners, all at once");
    print_step(value, "share", "all inputs");
    json_array_foreach(json_object_get(value, "operators"), i, o)
    {
        printf("%3lld  %-10s %12lld ", (long long)number(o, "number"), cli_text(o, "operator"),
               (long long)number(o, "rows"));
        print_cost(find_step(value, NULL, number(o, "number")));
        fputs("  ", stdout);
        if (strstr(cli_text(o, "operator"), "join") == NULL &&
            strcmp(cli_text(o, "operator"), "union") != 0) {
            json_array_foreach(json_object_get(o, "inputs"), k, input)
                printf("of %lld: ", (long long)json_integer_value(input));
        }
        fputs(cli_text(o, "does"), stdout);
        if (json_object_get(o, "local") != NULL)
            printf(" (by %s alone, in the clear)", cli_text(o, "local"));
        if (number(o, "shared_with") > 0)
            printf(" (the shares of %lld)", (long long)number(o, "shared_with"));
        puts("");
    }
    print_step(value, "compute", "all operators, as one program of vector steps");
    print_step(value, "open", "the result, to its recipients");
    print_total(value);
}

static void print_contract(const json_t *c)
{
    const json_t *alias, *missing = json_object_get(c, "missing");
    json_int_t subject = number(c, "consent");
    size_t i;

    printf("contract %.16s (%s) on the ledger has this plan", cli_text(c, "id"),
           cli_text(c, "name"));
    if (json_array_size(missing) == 0)
        printf("; all providers allow it");
    json_array_foreach((json_t *)(uintptr_t)missing, i, alias)
        printf("%s %s", i > 0 ? "," : "; missing: the authorization of", json_string_value(alias));
    if (subject > 0)
        printf("; each run needs the consent of the subject in $%lld", (long long)subject);
    puts("");
}

static void print_needs(const json_t *value)
{
    const json_t *item, *contracts = json_object_get(value, "contracts");
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)contracts, i, item) print_contract(item);
    if (json_array_size(contracts) > 0)
        return;
    printf("no contract on the ledger has this plan; it needs the authorization of");
    json_array_foreach(json_object_get(value, "providers"), i, item)
        printf("%s %s", i > 0 ? "," : "", json_string_value(item));
    puts("");
}

static void print(const json_t *value)
{
    const json_t *item;
    size_t i;

    print_operators(value);
    puts("\nwho learns what:");
    json_array_foreach(json_object_get(value, "learns"), i, item)
        printf("  %-30s %s\n", cli_text(item, "who"), cli_text(item, "what"));
    json_array_foreach(json_object_get(value, "flags"), i, item)
        printf("  beside the result: whether there was %s\n", json_string_value(item));
    json_array_foreach(json_object_get(value, "protocols"), i, item) printf(
        "  by protocol %s instead of rep3, in %lld rounds: %s\n", cli_text(item, "protocol"),
        (long long)json_integer_value(json_object_get(item, "rounds")), cli_text(item, "leaks"));
    printf("\nuses:\n%s\n", cli_text(value, "uses_text"));
    print_needs(value);
    if (json_object_get(value, "not_run") != NULL)
        printf("cannot be run: %s\n", cli_text(value, "not_run"));
}

/* Each --option once, as a list; NULL: none was given. */
static json_t *all_of(const struct cli_args *args, const char *option)
{
    json_t *list = json_array();
    const char *text;

    for (size_t i = 0; (text = cli_value_at(args, option, i)) != NULL; i++)
        (void)json_array_append_new(list, json_string(text));
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

static fm_status explain(const struct cli_args *args, struct base_err *err)
{
    json_t *value = NULL, *values = NULL, *request = NULL;
    int64_t minimum = 5;
    fm_status st = cli_int(&minimum, args, "minimum-group", 1, INT64_MAX, err);

    if (st == FM_OK)
        st = cli_parameters(&values, args, err);
    if (st == FM_OK && (cli_value(args, "contract") == NULL) ==
                           (args->operand_count == 0 || !cli_flag(args, "recipient")))
        st = base_err_set(err, FM_E_ARG,
                          "either SQL and --recipient ALIAS, or --contract ID by itself");
    if (st == FM_OK && cli_value(args, "contract") != NULL)
        request =
            json_pack("{s:s, s:O*, s:s*}", "contract", cli_value(args, "contract"), "values",
                      json_array_size(values) > 0 ? values : NULL, "over", cli_value(args, "link"));
    else if (st == FM_OK)
        request =
            json_pack("{s:s, s:o, s:I, s:o*, s:O*, s:s*}", "sql", args->operands[0], "recipients",
                      all_of(args, "recipient"), "minimum_group", (json_int_t)minimum, "compute",
                      all_of(args, "compute"), "values",
                      json_array_size(values) > 0 ? values : NULL, "over", cli_value(args, "link"));
    if (st == FM_OK)
        st = cli_call(&value, args, "query.explain", request, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame_lines(value);
        print(value);
    }
    json_decref(values);
    json_decref(value);
    return st;
}

static const struct cli_option explain_options[] = {
    CLI_HOME_OPTION,
    {"recipient", "ALIAS", "who would get the result; once for each", CLI_REPEATED},
    {"contract", "ID", "explain a contract of the ledger (8 digits of its id are enough)",
     CLI_OPTIONAL},
    {"minimum-group", "N", "fewest subjects of others behind a value (default 5)", CLI_OPTIONAL},
    {"link", "LINK",
     "what lies between the parties, for the estimate: lan (default), metro, wan, local, or "
     "measured: as this node's own pings say",
     CLI_OPTIONAL},
    {"compute", "ALIAS", "one of the three who would compute (default: providers first)",
     CLI_REPEATED},
    {"param", "N=VALUE", "the value of parameter $N, which makes the estimate closer",
     CLI_REPEATED},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_explain = {
    "explain",
    "[SQL]",
    0,
    1,
    "show what a query would do and cost: operators, rows, rounds, bytes, seconds, memory, uses, "
    "who learns what, what is missing",
    "Nothing is asked of anybody and nothing is recorded: the node compiles the text against the "
    "published datasets. Rounds and bytes are what a run would count (sorts: nearly), seconds what "
    "it would take on such a link at the least load.\n"
    "Example: firmiana explain --recipient bank_a \"SELECT grade, COUNT(*) FROM loans GROUP BY "
    "grade\"",
    explain_options,
    explain};
