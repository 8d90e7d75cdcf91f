/* What the program says of all its commands, of a group of them, and of a word that is none. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "exchange/cli/args.h"

enum { NAMES = 256 };

static size_t first_word(const char *name)
{
    return strcspn(name, " ");
}

static bool same_group(const char *a, const char *b)
{
    return first_word(a) == first_word(b) && strncmp(a, b, first_word(a)) == 0;
}

static void put_command(const struct cli_command *command)
{
    printf("  %-22s %s\n", command->name, command->summary);
}

void cli_help_all(const struct cli_command *const *commands)
{
    printf("usage: firmiana COMMAND [options]\n\ncommands:\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (i > 0 && !same_group(commands[i - 1]->name, commands[i]->name) &&
            (strchr(commands[i]->name, ' ') != NULL || strchr(commands[i - 1]->name, ' ') != NULL))
            putchar('\n');
        put_command(commands[i]);
    }
    printf("\nfirmiana COMMAND --help explains one of them, firmiana GROUP --help (ledger, wallet, "
           "...) lists a group; --version, --manual [COMMAND] (a man page), --completion (for "
           "bash).\n\nexit codes:\n");
    for (int code = 0; code < 16; code++)
        for (int s = 0; s < FM_STATUS_COUNT; s++)
            if (fm_status_exit((fm_status)s) == code)
                printf("  %2d  %s\n", code, fm_status_words((fm_status)s));
}

bool cli_is_group(const struct cli_command *const *commands, const char *word)
{
    for (; *commands != NULL; commands++)
        if (same_group((*commands)->name, word) && strchr((*commands)->name, ' ') != NULL)
            return true;
    return false;
}

void cli_help_group(const struct cli_command *const *commands, const char *word)
{
    printf("usage: firmiana %s ...\n\ncommands:\n", word);
    for (; *commands != NULL; commands++)
        if (same_group((*commands)->name, word))
            put_command(*commands);
    printf("\nfirmiana COMMAND --help explains one of them.\n");
}

/* The second words of a group, as "list, show". */
static void members_of(const struct cli_command *const *commands, const char *word, char *out,
                       size_t max)
{
    size_t used = 0;

    out[0] = '\0';
    for (; *commands != NULL; commands++) {
        const char *name = (*commands)->name;
        if (!same_group(name, word) || name[first_word(name)] == '\0' || used >= max)
            continue;
        used += (size_t)snprintf(out + used, max - used, "%s%s", used > 0 ? ", " : "",
                                 name + first_word(name) + 1);
    }
}

/* The nearest of the commands, or of the group's second words where the first is a group. */
static const char *nearest_of(const struct cli_command *const *commands, const char *group,
                              const char *word)
{
    const char *names[NAMES + 1];
    size_t n = 0;

    for (; *commands != NULL && n < NAMES; commands++) {
        const char *name = (*commands)->name;
        size_t skip = group != NULL ? first_word(name) + 1 : 0;
        if (group == NULL || (same_group(name, group) && skip < strlen(name)))
            names[n++] = name + skip;
    }
    names[n] = NULL;
    return base_nearest(word, names);
}

const char *cli_nearest_in_group(const struct cli_command *const *commands, const char *group,
                                 const char *word)
{
    return nearest_of(commands, group, word);
}

static fm_status unknown_in_group(const struct cli_command *const *commands, const char *group,
                                  const char *word, struct base_err *err)
{
    const char *nearest = word != NULL ? nearest_of(commands, group, word) : NULL;
    char list[512];

    if (nearest != NULL)
        return base_err_set(err, FM_E_ARG, "no command '%s %s': did you mean '%s %s'?", group, word,
                            group, nearest);
    members_of(commands, group, list, sizeof list);
    return base_err_set(err, FM_E_ARG, "no command '%s%s%s': firmiana %s has %s", group,
                        word != NULL ? " " : "", word != NULL ? word : "", group, list);
}

fm_status cli_unknown_command(const struct cli_command *const *commands, int argc,
                              char *const *argv, struct base_err *err)
{
    const char *second = argc > 2 && argv[2][0] != '-' ? argv[2] : NULL;
    const char *nearest;
    char words[128];

    if (cli_is_group(commands, argv[1]))
        return unknown_in_group(commands, argv[1], second, err);
    (void)snprintf(words, sizeof words, "%s%s%s", argv[1], second != NULL ? " " : "",
                   second != NULL ? second : "");
    nearest = nearest_of(commands, NULL, words);
    if (nearest != NULL)
        return base_err_set(err, FM_E_ARG, "no command '%s': did you mean '%s'?", words, nearest);
    return base_err_set(err, FM_E_ARG, "no command '%s': see firmiana --help", words);
}
