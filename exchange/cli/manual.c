#include "exchange/cli/manual.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exchange/node/home.h"

enum { PAGE_PATH = 512 };

/* ---- roff ---- */

/* Text in roff: backslashes, and dots or quotes at the beginning of a line, would be commands. */
static void put_text(FILE *f, const char *text)
{
    bool line_start = true;

    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", f);
        if (*text == '\\')
            fputs("\\e", f);
        else if (*text == '-')
            fputs("\\-", f);
        else
            fputc(*text, f);
        line_start = *text == '\n';
    }
}

/* Text of several paragraphs: an empty line ends one. Indented lines stand as they are. */
static void put_paragraphs(FILE *f, const char *text)
{
    bool verbatim = false;

    for (const char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        char copy[1024];
        (void)snprintf(copy, sizeof copy, "%.*s", (int)(n < sizeof copy ? n : sizeof copy - 1),
                       line);
        if ((copy[0] == ' ') != verbatim && n > 0) {
            verbatim = !verbatim;
            fputs(verbatim ? ".PP\n.nf\n" : ".fi\n.PP\n", f);
        }
        if (n == 0)
            fputs(verbatim ? "\n" : ".PP\n", f);
        else {
            put_text(f, copy);
            fputc('\n', f);
        }
        line += n + (line[n] == '\n');
    }
    if (verbatim)
        fputs(".fi\n", f);
}

static void put_head(FILE *f, const char *title, int section)
{
    fprintf(f, ".TH \"%s\" %d \"\" \"firmiana\" \"%s\"\n", title, section,
            section == 1 ? "User Commands" : "File Formats");
}

/* "query run" -> "firmiana-query-run". */
static void page_name(char out[64], const struct cli_command *c)
{
    /* firmiana-verify(1) is the page of another program. */
    (void)snprintf(out, 64, "firmiana-%s",
                   strcmp(c->name, "verify") == 0 ? "verify-signed" : c->name);
    for (char *p = out; *p != '\0'; p++)
        *p = *p == ' ' ? '-' : *p;
}

static void put_option(FILE *f, const struct cli_option *o)
{
    fputs(".TP\n.B \\-\\-", f);
    put_text(f, o->name);
    fprintf(f, "%s%s\n", o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
    put_text(f, o->help);
    fputs((o->flags & CLI_REQUIRED) != 0   ? " (required"
          : (o->flags & CLI_REPEATED) != 0 ? " (may be repeated)"
                                           : "",
          f);
    if ((o->flags & CLI_REQUIRED) != 0)
        fputs((o->flags & CLI_REPEATED) != 0 ? "; may be repeated)" : ")", f);
    fputc('\n', f);
}

static void write_command(FILE *f, const struct cli_command *c)
{
    char name[64];

    page_name(name, c);
    put_head(f, name, 1);
    fputs(".SH NAME\n", f);
    put_text(f, name);
    fputs(" \\- ", f);
    put_text(f, c->summary);
    fprintf(f, "\n.SH SYNOPSIS\n.B firmiana %s\n", c->name);
    if (c->options != NULL && c->options[0].name != NULL)
        fputs("[options]\n", f);
    put_text(f, c->operands);
    fputs(c->operands[0] != '\0' ? "\n" : "", f);
    if (c->detail != NULL) {
        fputs(".SH DESCRIPTION\n", f);
        put_paragraphs(f, c->detail);
    }
    if (c->options != NULL && c->options[0].name != NULL)
        fputs(".SH OPTIONS\n", f);
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
        put_option(f, o);
    fputs(".SH EXIT STATUS\nAs\n.BR firmiana (1)\nsays.\n.SH SEE ALSO\n.BR firmiana (1)", f);
    fputs(strncmp(c->name, "node", 4) == 0 ? ",\n.BR firmiana\\-node.json (5)\n" : "\n", f);
}

static void write_overview(FILE *f, const struct cli_command *const *commands)
{
    char name[64];

    put_head(f, "firmiana", 1);
    fputs(".SH NAME\nfirmiana \\- joint queries over private tables, with an authority and a proof "
          "for every answer\n.SH SYNOPSIS\n.B firmiana\n.I COMMAND\n[options]\n.SH DESCRIPTION\n"
          "Each command has a page of its own; a member's people use them against the member's "
          "running node.\n.SH COMMANDS\n",
          f);
    for (; *commands != NULL; commands++) {
        page_name(name, *commands);
        fputs(".TP\n.BR ", f);
        put_text(f, name);
        fputs(" (1)\n", f);
        put_text(f, (*commands)->summary);
        fputc('\n', f);
    }
    fputs(".SH EXIT STATUS\n", f);
    for (int code = 0; code < 16; code++)
        for (int s = 0; s < FM_STATUS_COUNT; s++)
            if (fm_status_exit((fm_status)s) == code)
                fprintf(f, ".TP\n.B %d\n%s\n", code, fm_status_words((fm_status)s));
    fputs(
        ".SH ENVIRONMENT\n.TP\n.B FIRMIANA_HOME\nthe member's home folder, where \\-\\-home is not "
        "given\n.TP\n.B FIRMIANA_PASSPHRASE\nthe passphrase of sealed keys; removed from the "
        "environment once read\n.SH SEE ALSO\n.BR firmiana\\-verify (1),\n"
        ".BR firmiana\\-node.json (5)\n",
        f);
}

/* "a whole number from 1 to 60000, by default 5". */
static void put_type(FILE *f, const struct home_setting *s)
{
    switch (s->kind) {
    case HOME_NUMBER:
        fprintf(f, "a whole number from %lld to %lld", (long long)s->low, (long long)s->high);
        break;
    case HOME_CHOICE:
        fputs("one of", f);
        for (const char *const *w = s->words; *w != NULL; w++)
            fprintf(f, " \"%s\"%s", *w, w[1] != NULL ? "," : "");
        break;
    default:
        fputs(home_kind_name(s->kind), f);
    }
    if (s->fallback == NULL)
        fputs("; required", f);
    else if (s->fallback[0] != '\0')
        fprintf(f, s->kind == HOME_NUMBER ? "; by default %s" : "; by default \"%s\"", s->fallback);
}

static void write_node_json(FILE *f)
{
    put_head(f, "firmiana-node.json", 5);
    fputs(
        ".SH NAME\nfirmiana\\-node.json \\- the settings of a member's node\n.SH DESCRIPTION\n"
        "HOME/node.json is one JSON object with the members below. Relative paths are relative to "
        "the home. The node reads it when it starts;\n.BR firmiana\\-node\\-check (1)\n"
        "checks it, and what it names, without starting anything. Whatever is wrong is refused "
        "with line and column.\n.SH MEMBERS\n",
        f);
    for (const struct home_setting *s = home_settings(); s->name != NULL; s++) {
        fprintf(f, ".TP\n.B %s\n(", s->name);
        put_type(f, s);
        fputs(")\n", f);
        put_text(f, s->help);
        fputc('\n', f);
    }
    fputs(".SH EXAMPLE\n.nf\n{\n  \"alias\": \"bank_a\",\n  \"listen\": \"tcp://10.0.0.1:7100\",\n"
          "  \"metrics\": \"127.0.0.1:9464\"\n}\n.fi\n.SH SEE ALSO\n.BR firmiana\\-node (1),\n"
          ".BR firmiana\\-node\\-check (1)\n",
          f);
}

fm_status cli_manual_page(const struct cli_command *const *commands, const char *page,
                          struct base_err *err)
{
    if (page == NULL) {
        write_overview(stdout, commands);
        return FM_OK;
    }
    if (strcmp(page, "node.json") == 0) {
        write_node_json(stdout);
        return FM_OK;
    }
    for (; *commands != NULL; commands++)
        if (strcmp((*commands)->name, page) == 0) {
            write_command(stdout, *commands);
            return FM_OK;
        }
    return base_err_set(err, FM_E_ARG, "no manual page '%s': a command, or node.json", page);
}

static fm_status open_page(FILE **out, char path[PAGE_PATH], const char *folder, const char *name,
                           struct base_err *err)
{
    int n = snprintf(path, PAGE_PATH, "%s/%s", folder, name);

    if (n < 0 || n >= PAGE_PATH)
        return base_err_set(err, FM_E_ARG, "%s: path too long", folder);
    *out = fopen(path, "we");
    return *out != NULL ? FM_OK : base_err_errno(err, path);
}

static fm_status close_page(FILE *f, const char *path, struct base_err *err)
{
    bool failed = ferror(f) != 0;

    return fclose(f) == 0 && !failed ? FM_OK : base_err_errno(err, path);
}

fm_status cli_manual_pages(const struct cli_command *const *commands, const char *folder,
                           struct base_err *err)
{
    char path[PAGE_PATH], name[64], file[80];
    FILE *f;

    if (open_page(&f, path, folder, "firmiana.1", err) != FM_OK)
        return err->code;
    write_overview(f, commands);
    if (close_page(f, path, err) != FM_OK ||
        open_page(&f, path, folder, "firmiana-node.json.5", err) != FM_OK)
        return err->code;
    write_node_json(f);
    if (close_page(f, path, err) != FM_OK)
        return err->code;
    for (; *commands != NULL; commands++) {
        page_name(name, *commands);
        (void)snprintf(file, sizeof file, "%s.1", name);
        if (open_page(&f, path, folder, file, err) != FM_OK)
            return err->code;
        write_command(f, *commands);
        if (close_page(f, path, err) != FM_OK)
            return err->code;
    }
    return FM_OK;
}
