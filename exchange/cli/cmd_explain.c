/* firmiana explain: what a query would do, before anybody is asked to allow it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"

static void print_operators(const json_t *operators)
{
    const json_t *o, *input;
    size_t i, k;

    printf("%3s  %-8s %12s  %s\n", "", "operator", "rows", "");
    json_array_foreach((json_t *)(uintptr_t)operators, i, o)
    {
        printf("%3lld  %-8s %12lld  ", (long long)json_integer_value(json_object_get(o, "number")),
               cli_text(o, "operator"), (long long)json_integer_value(json_object_get(o, "rows")));
        if (strcmp(cli_text(o, "operator"), "join") != 0 &&
            strcmp(cli_text(o, "operator"), "union") != 0) {
            json_array_foreach(json_object_get(o, "inputs"), k, input)
                printf("of %lld: ", (long long)json_integer_value(input));
        }
        puts(cli_text(o, "does"));
    }
}

static void print_needs(const json_t *value)
{
    const json_t *item, *contracts = json_object_get(value, "contracts");
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)contracts, i, item)
        printf("contract %.16s on the ledger has this plan; who has allowed it: firmiana contract "
               "show %.16s\n",
               json_string_value(item), json_string_value(item));
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

    print_operators(json_object_get(value, "operators"));
    puts("\nwho learns what:");
    json_array_foreach(json_object_get(value, "learns"), i, item)
        printf("  %-30s %s\n", cli_text(item, "who"), cli_text(item, "what"));
    json_array_foreach(json_object_get(value, "flags"), i, item)
        printf("  beside the result: whether there was %s\n", json_string_value(item));
    printf("\nuses:\n%s\n", cli_text(value, "uses_text"));
    print_needs(value);
    if (json_object_get(value, "not_run") != NULL)
        printf("cannot be run: %s\n", cli_text(value, "not_run"));
}

static fm_status explain(const struct cli_args *args, struct base_err *err)
{
    const char *recipient = cli_value(args, "recipient");
    json_t *value = NULL, *recipients = json_array();
    int64_t minimum = 5;
    fm_status st = cli_int(&minimum, args, "minimum-group", 1, INT64_MAX, err);

    if (st == FM_OK && json_array_append_new(recipients, json_string(recipient)) != 0)
        st = base_err_memory(err, "recipients");
    if (st == FM_OK)
        st = cli_call(&value, args, "query.explain",
                      json_pack("{s:s,s:O,s:I}", "sql", args->operands[0], "recipients", recipients,
                                "minimum_group", (json_int_t)minimum),
                      err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK)
        print(value);
    json_decref(recipients);
    json_decref(value);
    return st;
}

static const struct cli_option explain_options[] = {
    CLI_HOME_OPTION,
    {"recipient", "ALIAS", "who would get the result", CLI_REQUIRED},
    {"minimum-group", "N", "fewest subjects of others behind a value (default 5)", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_explain = {
    "explain",
    "SQL",
    1,
    1,
    "show what a query would do: operators, row bounds, uses, who learns what, what is missing",
    "Nothing is asked of anybody and nothing is recorded: the node compiles the text against the "
    "published datasets.\n"
    "Example: firmiana explain --recipient bank_a \"SELECT grade, COUNT(*) FROM loans GROUP BY "
    "grade\"",
    explain_options,
    explain};
