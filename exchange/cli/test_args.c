/* Command lines: what is found, what is taken, and what is said about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/cli/args.h"

static const struct cli_option options[] = {{"data", "FILE", "", CLI_REQUIRED | CLI_REPEATED},
                                            {"count", "N", "", CLI_OPTIONAL},
                                            {"json", NULL, "", CLI_OPTIONAL},
                                            {0}};
static const struct cli_command query = {"query", "", 0, 0, "", NULL, NULL, NULL};
static const struct cli_command query_run = {"query run", "SQL", 1, 2, "", NULL, options, NULL};
static const struct cli_command node = {"node", "", 0, 0, "", NULL, NULL, NULL};
static const struct cli_command node_check = {"node check", "", 0, 0, "", NULL, NULL, NULL};
static const struct cli_command *const commands[] = {&query, &query_run, &node, &node_check, NULL};

enum { MOST = 200 };

struct line {
    char *argv[MOST];
    int argc;
};

/* "firmiana" and the words that follow; one of them is empty where '' stands. */
static struct line line_of(char *words)
{
    static char program[] = "firmiana", empty[] = "";
    struct line l = {{program}, 1};

    for (char *w = strtok(words, " "); w != NULL; w = strtok(NULL, " ")) {
        assert_true(l.argc < MOST);
        l.argv[l.argc++] = strcmp(w, "''") == 0 ? empty : w;
    }
    return l;
}

static fm_status take(struct cli_args *out, char *words, struct base_err *err)
{
    struct line l = line_of(words);

    *err = (struct base_err){0};
    return cli_parse(out, &query_run, l.argc, l.argv, 1, err);
}

static void the_longest_name_is_found(void **state)
{
    static const struct {
        const char *words;
        const struct cli_command *want;
        int took;
    } lines[] = {
        {"query run x", &query_run, 2},
        {"query", &query, 1},
        {"query runs", &query, 1},
        {"node check", &node_check, 2},
        {"node --home check", &node, 1},
        {"nod", NULL, 0},
        {"nodes", NULL, 0},
        {"run query", NULL, 0},
        {"''", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char words[64];
        struct line l;
        int took = -1;
        (void)strncpy(words, lines[i].words, sizeof words - 1);
        words[sizeof words - 1] = '\0';
        l = line_of(words);
        assert_ptr_equal(cli_find(commands, l.argc, l.argv, &took), lines[i].want);
        assert_int_equal(took, lines[i].took);
    }
    {
        struct line none = {{NULL}, 1};
        int took = -1;
        assert_null(cli_find(commands, none.argc, none.argv, &took));
    }
}

static void values_flags_and_operands_are_taken(void **state)
{
    char words[] = "--data a --data=b=c --count -7 S --json -- --data";
    char empty_value[] = "S --data= --count ''";
    struct base_err err;
    struct cli_args args;
    int64_t count = 1;

    (void)state;
    assert_int_equal(take(&args, words, &err), FM_OK);
    assert_string_equal(cli_value(&args, "data"), "a");
    assert_string_equal(cli_value_at(&args, "data", 1), "b=c");
    assert_null(cli_value_at(&args, "data", 2));
    assert_true(cli_flag(&args, "json"));
    assert_int_equal(cli_int(&count, &args, "count", -10, 10, &err), FM_OK);
    assert_int_equal(count, -7);
    assert_int_equal(args.operand_count, 2);
    assert_string_equal(args.operands[0], "S");
    assert_string_equal(args.operands[1], "--data"); /* after "--" all are operands */
    assert_int_equal(take(&args, empty_value, &err), FM_OK);
    assert_string_equal(cli_value(&args, "data"), "");
    assert_false(cli_flag(&args, "json"));
}

static void the_rest_is_refused_by_name(void **state)
{
    static const struct {
        const char *words, *says;
    } wrong[] = {
        {"S", "query run needs --data FILE"},
        {"--data a", "query run needs SQL"},
        {"--data a S T U", "query run: unexpected argument 'U'"},
        {"--data", "option --data needs a value: --data FILE"},
        {"--data a --count 1 --count 2 S", "option --count is given twice"},
        {"--data a --json --json S", "option --json is given twice"},
        {"--data a --json=1 S", "option --json takes no value"},
        {"--dat a S", "query run: unknown option --dat: did you mean --data?"},
        {"--dat=a S", "query run: unknown option --dat: did you mean --data?"},
        {"--data a --zzzzzzzzzzzzzz S",
         "query run: unknown option --zzzzzzzzzzzzzz: see firmiana query run --help"},
        {"--=a S", "query run: unknown option --: see firmiana query run --help"},
        {"--data a -x S", "query run: unknown option -x: options begin with two dashes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char words[128];
        struct base_err err;
        struct cli_args args;
        (void)strncpy(words, wrong[i].words, sizeof words - 1);
        words[sizeof words - 1] = '\0';
        assert_int_equal(take(&args, words, &err), FM_E_ARG);
        assert_string_equal(err.text, wrong[i].says);
    }
}

/* A dash alone is a file's name by custom, and a negative number is no option. */
/* Whatever goes on into JSON would be refused there, as if memory were out. */
static void what_is_no_utf8_is_refused_by_name(void **state)
{
    char option[] = "--count \xff S", glued[] = "--count=\xed\xa0\x80 S", operand[] = "S \xc3";
    char fine[] = "--data \xc3\xa4 \xe5\x85\xac";
    struct base_err err;
    struct cli_args args;

    (void)state;
    assert_int_equal(take(&args, option, &err), FM_E_ARG);
    assert_string_equal(err.text, "option --count: its value is not UTF-8 text");
    assert_int_equal(take(&args, glued, &err), FM_E_ARG);
    assert_string_equal(err.text, "option --count: its value is not UTF-8 text");
    assert_int_equal(take(&args, operand, &err), FM_E_ARG);
    assert_string_equal(err.text, "query run: argument 2 is not UTF-8 text");
    assert_int_equal(take(&args, fine, &err), FM_OK);
}

static void dashes_that_are_no_options(void **state)
{
    char words[] = "--data a - -5";
    struct base_err err;
    struct cli_args args;

    (void)state;
    assert_int_equal(take(&args, words, &err), FM_OK);
    assert_string_equal(args.operands[0], "-");
    assert_string_equal(args.operands[1], "-5");
}

static void there_is_an_end_to_it(void **state)
{
    static char data[] = "--data=x", operand[] = "x", program[] = "firmiana";
    struct line l = {{program}, 1};
    struct base_err err = {0};
    struct cli_args args;

    (void)state;
    while (l.argc <= CLI_MAX_OPTIONS)
        l.argv[l.argc++] = data;
    l.argv[l.argc++] = operand;
    assert_int_equal(cli_parse(&args, &query_run, l.argc, l.argv, 1, &err), FM_OK);
    assert_int_equal(args.given_count, CLI_MAX_OPTIONS);
    l.argv[l.argc++] = data;
    assert_int_equal(cli_parse(&args, &query_run, l.argc, l.argv, 1, &err), FM_E_ARG);
    assert_string_equal(err.text, "more than 64 options");
    l.argc = 1;
    while (l.argc <= CLI_MAX_OPERANDS + 1)
        l.argv[l.argc++] = operand;
    assert_int_equal(cli_parse(&args, &query_run, l.argc, l.argv, 1, &err), FM_E_ARG);
    assert_string_equal(err.text, "more than 64 arguments");
}

static void numbers_are_whole_and_in_range(void **state)
{
    static const char *const wrong[] = {
        "x", "1x", "''", "1.0", "11", "-11", "0x5", "99999999999999999999", "1e3",
    };
    struct base_err err;
    struct cli_args args;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char words[64] = "S --data a --count ";
        int64_t n = 3;
        (void)strncat(words, wrong[i], 24);
        assert_int_equal(take(&args, words, &err), FM_OK);
        assert_int_equal(cli_int(&n, &args, "count", -10, 10, &err), FM_E_ARG);
        assert_non_null(strstr(err.text, "must be a whole number from -10 to 10"));
        assert_int_equal(n, 3);
    }
    {
        char none[] = "S --data a";
        int64_t n = 3;
        assert_int_equal(take(&args, none, &err), FM_OK);
        assert_int_equal(cli_int(&n, &args, "count", -10, 10, &err), FM_OK);
        assert_int_equal(n, 3);
    }
}

static const struct cli_command audit_list = {.name = "audit list"},
                                audit_export = {.name = "audit export"},
                                anchor = {.name = "anchor"}, asks = {.name = "query run"};
static const struct cli_command *const grouped[] = {&audit_list, &audit_export, &anchor, &asks,
                                                    NULL};

static void check_unknown(const char *first, const char *second, const char *wanted)
{
    char *argv[] = {(char *)(uintptr_t) "firmiana", (char *)(uintptr_t)first,
                    (char *)(uintptr_t)second, NULL};
    struct base_err err = {0};

    assert_int_equal(cli_unknown_command(grouped, second != NULL ? 3 : 2, argv, &err), FM_E_ARG);
    assert_string_equal(err.text, wanted);
}

static void a_group_says_what_it_has_and_a_slip_is_named(void **state)
{
    (void)state;
    assert_true(cli_is_group(grouped, "audit"));
    assert_false(cli_is_group(grouped, "anchor"));
    assert_false(cli_is_group(grouped, "aud"));
    check_unknown("audit", NULL, "no command 'audit': firmiana audit has list, export");
    check_unknown("audit", "lits", "no command 'audit lits': did you mean 'audit list'?");
    check_unknown("audit", "init", "no command 'audit init': firmiana audit has list, export");
    check_unknown("anchro", NULL, "no command 'anchro': did you mean 'anchor'?");
    check_unknown("qurey", "run", "no command 'qurey run': did you mean 'query run'?");
    check_unknown("did", NULL, "no command 'did': see firmiana --help");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_name_is_found),
        cmocka_unit_test(a_group_says_what_it_has_and_a_slip_is_named),
        cmocka_unit_test(values_flags_and_operands_are_taken),
        cmocka_unit_test(the_rest_is_refused_by_name),
        cmocka_unit_test(what_is_no_utf8_is_refused_by_name),
        cmocka_unit_test(dashes_that_are_no_options),
        cmocka_unit_test(there_is_an_end_to_it),
        cmocka_unit_test(numbers_are_whole_and_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
