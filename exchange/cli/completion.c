/* The bash completion: firmiana [word [word]] by prefix, then the options of the command that
 * stands there, then a file where an option's value or an operand is one. */
#include <stdio.h>
#include <string.h>

#include "exchange/cli/manual.h"

static bool is_path(const char *value)
{
    return strcmp(value, "FILE") == 0 || strcmp(value, "DIR") == 0 || strcmp(value, "PATH") == 0 ||
           strstr(value, "FILE") != NULL;
}

enum { MOST_WORDS = 4 };

enum wanted { ALL_OPTIONS, PATH_VALUES, OTHER_VALUES };

static void put_options(const struct cli_command *c, const char *variable, enum wanted wanted)
{
    printf("%s=\"", variable);
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
        if (wanted == ALL_OPTIONS ||
            (o->value != NULL && is_path(o->value) == (wanted == PATH_VALUES)))
            printf("--%s ", o->name);
    fputs(wanted == ALL_OPTIONS ? "--help\"" : "\"; ", stdout);
}

static size_t words_of(const char *name)
{
    size_t n = 1;

    for (; *name != '\0'; name++)
        n += *name == ' ';
    return n;
}

void cli_manual_completion(const struct cli_command *const *commands)
{
    puts("# bash completion for firmiana\n"
         "_firmiana() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= paths= "
         "values= "
         "line\n"
         "  line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n"
         "  case \"$line\" in");
    for (size_t words = MOST_WORDS; words >= 1; words--) /* "node check" before "node" */
        for (const struct cli_command *const *c = commands; *c != NULL; c++) {
            if (words_of((*c)->name) != words)
                continue;
            printf("    \"%s\" | \"%s \"*) ", (*c)->name, (*c)->name);
            put_options(*c, "paths", PATH_VALUES);
            put_options(*c, "values", OTHER_VALUES);
            put_options(*c, "words", ALL_OPTIONS);
            /* "firmiana node" may go on with "check" */
            if (words == 1)
                for (const struct cli_command *const *d = commands; *d != NULL; d++)
                    if (words_of((*d)->name) == 2 &&
                        strncmp((*d)->name, (*c)->name, strlen((*c)->name)) == 0 &&
                        (*d)->name[strlen((*c)->name)] == ' ')
                        printf("; [ \"$line\" != \"%s\" ] || words+=\" %s\"", (*c)->name,
                               (*d)->name + strlen((*c)->name) + 1);
            puts(" ;;");
        }
    fputs("    *) words=$(printf '%s\\n' ", stdout);
    for (const struct cli_command *const *c = commands; *c != NULL; c++)
        printf("\"%s\" ", (*c)->name);
    puts("| sed -n \"s/^${line:+$line }\\([^ ]*\\).*/\\1/p\" | sort -u) ;;\n"
         "  esac\n"
         "  case \" $paths\" in *\" $prev \"*) COMPREPLY=($(compgen -f -- \"$cur\")); return ;; "
         "esac\n"
         "  case \" $values\" in *\" $prev \"*) COMPREPLY=(); return ;; esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  if [ ${#COMPREPLY[@]} = 0 ]; then COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
         "}\n"
         "complete -o filenames -F _firmiana firmiana");
}
