#include "exchange/cli/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"

/* How many words of `name` ("query run") the arguments at argv[1..] match; 0 if not all of them do.
 */
static int words_matched(const char *name, int argc, char *const *argv)
{
    int i = 1;

    for (const char *at = name; *at != '\0'; i++) {
        size_t len = strcspn(at, " ");
        if (i >= argc || strlen(argv[i]) != len || memcmp(argv[i], at, len) != 0)
            return 0;
        at += len;
        at += strspn(at, " ");
    }
    return i - 1;
}

const struct cli_command *cli_find(const struct cli_command *const *commands, int argc,
                                   char *const *argv, int *words)
{
    const struct cli_command *best = NULL;

    *words = 0;
    for (; *commands != NULL; commands++) {
        int matched = words_matched((*commands)->name, argc, argv);
        if (matched > *words) {
            best = *commands;
            *words = matched;
        }
    }
    return best;
}

static const struct cli_option no_options[] = {{0}};

static const struct cli_option *options_of(const struct cli_command *command)
{
    return command->options != NULL ? command->options : no_options;
}

static const struct cli_option *option_named(const struct cli_command *command, const char *name,
                                             size_t len)
{
    for (const struct cli_option *o = options_of(command); o->name != NULL; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

static fm_status unknown_option(const struct cli_command *command, const char *word,
                                struct base_err *err)
{
    const char *names[CLI_MAX_OPTIONS + 2];
    int len = (int)strcspn(word, "=");
    const char *nearest;
    char name[64];
    size_t n = 0;

    for (const struct cli_option *o = options_of(command); o->name != NULL && n < CLI_MAX_OPTIONS;
         o++)
        names[n++] = o->name;
    names[n++] = "help";
    names[n] = NULL;
    (void)snprintf(name, sizeof name, "%.*s", len - 2, word + 2);
    nearest = base_nearest(name, names);
    if (nearest != NULL)
        return base_err_set(err, FM_E_ARG, "%s: unknown option %.*s: did you mean --%s?",
                            command->name, len, word, nearest);
    return base_err_set(err, FM_E_ARG, "%s: unknown option %.*s: see firmiana %s --help",
                        command->name, len, word, command->name);
}

static fm_status take_option(struct cli_args *out, int argc, char *const *argv, int *at,
                             struct base_err *err)
{
    const char *word = argv[*at];
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    const struct cli_option *option = option_named(out->command, word + 2, len);
    const char *value = equals != NULL ? equals + 1 : NULL;

    if (option == NULL)
        return unknown_option(out->command, word, err);
    if (option->value == NULL && value != NULL)
        return base_err_set(err, FM_E_ARG, "option --%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= argc)
            return base_err_set(err, FM_E_ARG, "option --%s needs a value: --%s %s", option->name,
                                option->name, option->value);
        value = argv[++*at];
    }
    if (value != NULL && !base_text_is_utf8(value, strlen(value)))
        return base_err_set(err, FM_E_ARG, "option --%s: its value is not UTF-8 text",
                            option->name);
    if ((option->flags & CLI_REPEATED) == 0 &&
        (cli_value(out, option->name) != NULL || cli_flag(out, option->name)))
        return base_err_set(err, FM_E_ARG, "option --%s is given twice", option->name);
    if (out->given_count == CLI_MAX_OPTIONS)
        return base_err_set(err, FM_E_ARG, "more than %d options", CLI_MAX_OPTIONS);
    out->given[out->given_count].option = option;
    out->given[out->given_count++].value = value;
    return FM_OK;
}

static fm_status check_complete(const struct cli_args *args, struct base_err *err)
{
    const struct cli_command *c = args->command;

    for (const struct cli_option *o = options_of(c); o->name != NULL; o++)
        if ((o->flags & CLI_REQUIRED) != 0 && !cli_flag(args, o->name))
            return base_err_set(err, FM_E_ARG, "%s needs --%s %s", c->name, o->name, o->value);
    if (args->operand_count < c->min_operands)
        return base_err_set(err, FM_E_ARG, "%s needs %s", c->name, c->operands);
    if (args->operand_count > c->max_operands)
        return base_err_set(err, FM_E_ARG, "%s: unexpected argument '%s'", c->name,
                            args->operands[c->max_operands]);
    return FM_OK;
}

/* "-x"; not "-" and not "-5". */
static bool is_short_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

fm_status cli_parse(struct cli_args *out, const struct cli_command *command, int argc,
                    char *const *argv, int first, struct base_err *err)
{
    bool options_over = false;

    *out = (struct cli_args){.command = command};
    for (int i = first; i < argc; i++) {
        if (!options_over && strcmp(argv[i], "--") == 0) {
            options_over = true;
        } else if (!options_over && strncmp(argv[i], "--", 2) == 0) {
            fm_status st = take_option(out, argc, argv, &i, err);
            if (st != FM_OK)
                return st;
        } else if (!options_over && is_short_option(argv[i])) {
            return base_err_set(err, FM_E_ARG,
                                "%s: unknown option %s: options begin with two dashes",
                                command->name, argv[i]);
        } else {
            if (out->operand_count == CLI_MAX_OPERANDS)
                return base_err_set(err, FM_E_ARG, "more than %d arguments", CLI_MAX_OPERANDS);
            if (!base_text_is_utf8(argv[i], strlen(argv[i])))
                return base_err_set(err, FM_E_ARG, "%s: argument %zu is not UTF-8 text",
                                    command->name, out->operand_count + 1);
            out->operands[out->operand_count++] = argv[i];
        }
    }
    return check_complete(out, err);
}

const char *cli_value_at(const struct cli_args *args, const char *name, size_t i)
{
    for (size_t k = 0; k < args->given_count; k++)
        if (strcmp(args->given[k].option->name, name) == 0 && i-- == 0)
            return args->given[k].value;
    return NULL;
}

const char *cli_value(const struct cli_args *args, const char *name)
{
    return cli_value_at(args, name, 0);
}

bool cli_flag(const struct cli_args *args, const char *name)
{
    for (size_t k = 0; k < args->given_count; k++)
        if (strcmp(args->given[k].option->name, name) == 0)
            return true;
    return false;
}

fm_status cli_int(int64_t *out, const struct cli_args *args, const char *name, int64_t low,
                  int64_t high, struct base_err *err)
{
    const char *text = cli_value(args, name);
    char *end;
    long long v;

    if (text == NULL)
        return FM_OK;
    errno = 0;
    v = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < low || v > high)
        return base_err_set(err, FM_E_ARG, "--%s %s: must be a whole number from %lld to %lld",
                            name, text, (long long)low, (long long)high);
    *out = v;
    return FM_OK;
}

void cli_help_command(const struct cli_command *command)
{
    printf("usage: firmiana %s%s%s%s\n\n%s\n", command->name,
           options_of(command)->name != NULL ? " [options]" : "",
           command->operands[0] != '\0' ? " " : "", command->operands, command->summary);
    if (command->detail != NULL)
        printf("\n%s\n", command->detail);
    if (options_of(command)->name != NULL)
        printf("\noptions:\n");
    for (const struct cli_option *o = options_of(command); o->name != NULL; o++) {
        char left[80];
        (void)snprintf(left, sizeof left, "--%s%s%s", o->name, o->value != NULL ? " " : "",
                       o->value != NULL ? o->value : "");
        printf("  %-26s %s%s\n", left, o->help, (o->flags & CLI_REQUIRED) ? " (required)" : "");
    }
}
