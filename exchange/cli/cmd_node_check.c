/* firmiana node check: what check.h looks at, as lines or JSON. */
#include <stdarg.h>
#include <stdio.h>

#include "exchange/cli/check.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"

static const char *const verdicts[] = {"ok", "warn", "BAD"};

void check_tell(struct check *c, enum check_verdict verdict, const char *name, fm_status code,
                const char *fmt, ...)
{
    struct base_err said = {0};
    char text[BASE_ERR_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* Takes control characters out. */
    (void)base_err_set(&said, code != FM_OK ? code : FM_E_INPUT, "%s", text);
    (void)json_array_append_new(c->findings, json_pack("{s:s,s:s,s:s}", "check", name, "verdict",
                                                       verdicts[verdict], "text", said.text));
    c->warned += verdict == CHECK_WARN;
    c->failed += verdict == CHECK_BAD;
    if (verdict == CHECK_BAD && c->failed == 1)
        (void)base_err_set(&c->first, said.code, "%s: %s", name, said.text);
}

static void look(struct check *c)
{
    if (!check_owner(c))
        return;
    check_running(c);
    check_ledger(c);
    check_keys(c);
    check_files(c);
    check_ports(c);
    check_clock(c);
    check_room(c);
}

static fm_status show(const struct check *c, const struct cli_args *args, struct base_err *err)
{
    const json_t *item;
    size_t i;

    if (cli_flag(args, "json"))
        return cli_print_json(c->findings, err);
    json_array_foreach(c->findings, i, item)
        printf("%-5s %-8s %s\n", cli_text(item, "verdict"), cli_text(item, "check"),
               cli_text(item, "text"));
    return FM_OK;
}

static fm_status check_node(const struct cli_args *args, struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    struct home h;
    struct check c = {.home = &h, .findings = json_array()};
    const char *dir;
    fm_status st = cli_home(&dir, args, err);

    if (st == FM_OK)
        st = home_load(&h, dir, err);
    if (st == FM_OK && (cli_flag(args, "keys") || cli_value(args, "passphrase-fd") != NULL))
        st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);
    c.pass = pass;
    if (st == FM_OK) {
        check_tell(&c, CHECK_GOOD, "settings", FM_OK, "%s/node.json is good: %s listens on %s",
                   h.dir, h.alias, h.listen);
        look(&c);
        st = show(&c, args, err);
    }
    if (st == FM_OK && c.failed > 0)
        st = base_err_set(err, c.first.code, "%s: %u of %zu checks failed; first: %s", h.dir,
                          c.failed, json_array_size(c.findings), c.first.text);
    did_passphrase_free(pass);
    json_decref(c.document);
    json_decref(c.findings);
    return st;
}

static const struct cli_option check_options[] = {
    CLI_HOME_OPTION,
    {"keys", NULL, "also open the node's keys, with the passphrase", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_node_check = {
    "node check",
    "",
    0,
    0,
    "check a home before its node starts: settings, files, keys, ledger, ports, clock",
    "Starts nothing and changes nothing, but that SQLite takes over what a crash has left beside "
    "the "
    "ledger; a node may be running. What would keep the node from starting is BAD, and the exit "
    "code is "
    "the one that starting would have ended with; what somebody should look at is a warning. Keys "
    "are "
    "compared with the ledger by their public halves; --keys also opens them.",
    check_options,
    check_node};
