/* Command lines: one table of commands, from which parsing, --help, and later man pages and
 * completion are made. A command is one or two words ("query run"), then options (--name VALUE,
 * --name=VALUE, or a flag) and operands. */
#ifndef FIRMIANA_EXCHANGE_CLI_ARGS_H
#define FIRMIANA_EXCHANGE_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { CLI_MAX_OPTIONS = 64, CLI_MAX_OPERANDS = 64 };

enum cli_option_flags {
    CLI_OPTIONAL = 0,
    CLI_REQUIRED = 1,
    CLI_REPEATED = 2, /* may be given several times */
};

struct cli_option {
    const char *name;  /* without "--" */
    const char *value; /* what the help calls its value; NULL for a flag */
    const char *help;
    unsigned flags;
};

struct cli_args {
    const struct cli_command *command;
    struct {
        const struct cli_option *option;
        const char *value;
    } given[CLI_MAX_OPTIONS];
    size_t given_count;
    const char *operands[CLI_MAX_OPERANDS];
    size_t operand_count;
};

struct cli_command {
    const char *name;     /* "query run" */
    const char *operands; /* as shown in the help: "CONTRACT", "FILE...", "" */
    size_t min_operands;
    size_t max_operands;
    const char *summary;              /* one line */
    const char *detail;               /* some lines more for --help, or NULL */
    const struct cli_option *options; /* ends with {0}; may be NULL */
    fm_status (*run)(const struct cli_args *args, struct base_err *err);
};

/* Finds the command named by argv[1..] in the NULL-terminated table and how many words it took;
 * NULL if there is none. */
const struct cli_command *cli_find(const struct cli_command *const *commands, int argc,
                                   char *const *argv, int *words);

/* Parses argv[first..argc). FM_E_ARG names the option or operand at fault, with the nearest known
 * option. What it takes is UTF-8: most of it goes into JSON, or into a line that is printed. */
fm_status cli_parse(struct cli_args *out, const struct cli_command *command, int argc,
                    char *const *argv, int first, struct base_err *err) FM_CHECK;

/* The value of an option: the last one given, or NULL. cli_flag: was it given? */
const char *cli_value(const struct cli_args *args, const char *name);
bool cli_flag(const struct cli_args *args, const char *name);
/* The i-th value of a repeated option, NULL past the last. */
const char *cli_value_at(const struct cli_args *args, const char *name, size_t i);
/* A whole number in [low, high]; *out keeps its value when the option was not given. */
fm_status cli_int(int64_t *out, const struct cli_args *args, const char *name, int64_t low,
                  int64_t high, struct base_err *err) FM_CHECK;

void cli_help_command(const struct cli_command *command);
/* All commands, in their groups, and the exit codes. */
void cli_help_all(const struct cli_command *const *commands);
/* Whether commands begin with this word and another ("audit", of "audit list"). */
bool cli_is_group(const struct cli_command *const *commands, const char *word);
/* The commands of a group, a line each. */
void cli_help_group(const struct cli_command *const *commands, const char *word);
/* The second word of the group's command that `word` is nearly; NULL if it is near none. */
const char *cli_nearest_in_group(const struct cli_command *const *commands, const char *group,
                                 const char *word);
/* FM_E_ARG: no such command; the nearest is named, or those of the group. */
fm_status cli_unknown_command(const struct cli_command *const *commands, int argc,
                              char *const *argv, struct base_err *err);

#endif
