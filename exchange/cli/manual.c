#include "exchange/cli/manual.h"

#include <stdio.h>
#include <string.h>

/* Text in roff: backslashes and leading dots or quotes would be commands. */
static void put_roff(const char *text)
{
    bool line_start = true;

    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
}

static void put_command(const struct cli_command *c)
{
    printf(".SS firmiana %s %s\n", c->name, c->operands);
    put_roff(c->summary);
    puts(".");
    if (c->detail != NULL) {
        puts(".PP");
        put_roff(c->detail);
        putchar('\n');
    }
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++) {
        puts(".TP");
        printf(".B \\-\\-");
        put_roff(o->name);
        printf("%s%s\n", o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        put_roff(o->help);
        puts((o->flags & CLI_REQUIRED) != 0 ? " (required)" : "");
    }
}

void cli_manual_page(const struct cli_command *const *commands)
{
    puts(".TH FIRMIANA 1 \"\" \"firmiana\" \"User Commands\"\n.SH NAME\n"
         "firmiana \\- joint queries over private tables, with an authority and a proof for every "
         "answer\n"
         ".SH SYNOPSIS\n.B firmiana\n.I COMMAND\n[options]\n.SH COMMANDS");
    for (; *commands != NULL; commands++)
        put_command(*commands);
    puts(".SH EXIT STATUS");
    for (int code = 0; code < 16; code++)
        for (int s = 0; s < FM_STATUS_COUNT; s++)
            if (fm_status_exit((fm_status)s) == code)
                printf(".TP\n.B %d\n%s\n", code, fm_status_name((fm_status)s));
    puts(".SH ENVIRONMENT\n.TP\n.B FIRMIANA_HOME\nthe member's home folder, where \\-\\-home is "
         "not given\n.TP\n"
         ".B FIRMIANA_PASSPHRASE\nthe passphrase of sealed keys; removed from the environment once "
         "read\n"
         ".SH SEE ALSO\n.BR firmiana\\-verify (1)");
}

/* firmiana [word [word]]: commands by prefix, then the options of the command that stands there. */
void cli_manual_completion(const struct cli_command *const *commands)
{
    puts("# bash completion for firmiana\n_firmiana() {\n  local cur=${COMP_WORDS[COMP_CWORD]} "
         "line words\n"
         "  line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n  case \"$line\" in");
    for (const struct cli_command *const *c = commands; *c != NULL; c++) {
        printf("    \"%s\"|\"%s \"*) words=\"", (*c)->name, (*c)->name);
        for (const struct cli_option *o = (*c)->options; o != NULL && o->name != NULL; o++)
            printf("--%s ", o->name);
        puts("--help\" ;;");
    }
    fputs("    *) words=$(printf '%s\\n' ", stdout);
    for (const struct cli_command *const *c = commands; *c != NULL; c++)
        printf("\"%s\" ", (*c)->name);
    puts("| sed -n \"s/^${line:+$line }\\([^ ]*\\).*/\\1/p\" | sort -u) ;;\n  esac\n"
         "  if [[ $cur == -* || $words != --* ]]; then COMPREPLY=($(compgen -W \"$words\" -- "
         "\"$cur\")); else\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\ncomplete -F _firmiana firmiana");
}
