/* firmiana ledger prune: what is old is erased, for good. Without a node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "did/moment.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "exchange/node/openings_prune.h"

/* HEIGHT, or YYYY-MM-DD: the first block of that day (UTC). */
static fm_status parse_before(uint64_t *height, const char *text, const char *path,
                              struct base_err *err)
{
    struct ledger_reader *reader;
    char moment[DID_MOMENT_TEXT + 16];
    struct base_err none;
    uint64_t size, final = 0;
    int64_t unix_s;
    char *end;
    fm_status st;

    *height = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && end - text < 19)
        return FM_OK;
    if (strlen(text) != 10)
        unix_s = -1;
    else {
        (void)snprintf(moment, sizeof moment, "%.10sT00:00:00Z", text);
        if (!did_moment_parse(&unix_s, moment))
            unix_s = -1;
    }
    if (unix_s < 0)
        return base_err_set(err, FM_E_ARG,
                            "--before %s: a block's height, or a day as 2026-11-20 (UTC)", text);
    st = ledger_reader_open(&reader, path, err);
    if (st != FM_OK)
        return st;
    st = ledger_height_at(reader, height, unix_s * 1000, err);
    if (st == FM_OK && ledger_reader_final(reader, &size, &final, NULL, &none) != FM_OK)
        final = 0;
    if (*height > final) /* only what is final is pruned */
        *height = final;
    ledger_reader_close(reader);
    return st;
}

/* A query's opening goes with its payloads: it is over, and was opened below that height. */
struct forget {
    struct ledger_reader *reader;
    uint64_t before;
};

static fm_status is_gone(void *ctx, bool *out, const char *query_hex, struct base_err *err)
{
    const struct forget *f = ctx;
    const char *status;
    json_t *value;
    char key[96];
    fm_status st;

    *out = false;
    if (snprintf(key, sizeof key, "query/%s", query_hex) >= (int)sizeof key)
        return FM_OK;
    st = ledger_reader_get(f->reader, &value, key, err);
    if (st == FM_E_NOT_FOUND)
        return FM_OK; /* it may yet come */
    if (st != FM_OK)
        return st;
    status = json_string_value(json_object_get(value, "status"));
    *out = status != NULL && strcmp(status, "open") != 0 &&
           (uint64_t)json_integer_value(json_object_get(value, "height")) < f->before;
    json_decref(value);
    return FM_OK;
}

static fm_status prune_openings(const struct cli_args *args, struct ledger_chain *chain,
                                uint64_t before, uint64_t *n, struct base_err *err)
{
    struct forget f = {ledger_chain_reader(chain), before};
    char path[HOME_PATH];
    const char *dir;
    fm_status st;

    if (!cli_flag(args, "openings") || cli_flag(args, "dry-run"))
        return FM_OK;
    st = cli_home(&dir, args, err);
    if (st == FM_OK)
        st = home_path(path, dir, "sessions.db", err);
    return st == FM_OK ? node_openings_prune(n, path, is_gone, &f, err) : st;
}

static fm_status tell_pruned(const struct cli_args *args, const struct ledger_prune_report *r,
                             uint64_t openings, struct base_err *err)
{
    bool dry = cli_flag(args, "dry-run");
    struct base_buf text = {0};
    json_t *value = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "before", (json_int_t)r->before,
                              "erased", (json_int_t)r->erased, "already", (json_int_t)r->already,
                              "identity", (json_int_t)r->identity, "needed", (json_int_t)r->needed,
                              "bytes_before", (json_int_t)r->bytes_before, "bytes_after",
                              (json_int_t)r->bytes_after, "openings", (json_int_t)openings);
    fm_status st;

    base_buf_putf(&text,
                  "blocks below %llu: %llu payloads %s, %llu were already; kept: %llu of "
                  "members and keys, %llu still needed\n",
                  (unsigned long long)r->before, (unsigned long long)r->erased,
                  dry ? "would be erased" : "erased", (unsigned long long)r->already,
                  (unsigned long long)r->identity, (unsigned long long)r->needed);
    if (cli_flag(args, "openings") && !dry)
        base_buf_putf(&text, "%llu openings erased from sessions.db\n",
                      (unsigned long long)openings);
    if (!dry)
        base_buf_putf(&text,
                      "the file was %llu KiB and is %llu KiB; older backups and exports "
                      "still hold what was erased\n",
                      (unsigned long long)r->bytes_before / 1024,
                      (unsigned long long)r->bytes_after / 1024);
    st = ledger_cli_print(args, value, base_buf_cstr(&text), err);
    base_buf_release(&text);
    return st;
}

static fm_status prune(const struct cli_args *args, struct base_err *err)
{
    struct ledger_prune_report report;
    struct ledger_chain *chain;
    struct ledger_line line = {0};
    char path[HOME_PATH];
    uint64_t before = 0, openings = 0;
    fm_status st = ledger_cli_path(path, args, err);

    if (st == FM_OK)
        st = parse_before(&before, cli_value(args, "before"), path, err);
    if (st == FM_OK)
        st = ledger_chain_open(&chain, path, err);
    if (st != FM_OK)
        return st;
    st = ledger_prune(chain, before, cli_flag(args, "dry-run") ? LEDGER_PRUNE_DRY : 0, &report,
                      &(struct ledger_progress){ledger_line_tell, &line}, err);
    ledger_line_wipe(&line);
    if (st == FM_OK)
        st = prune_openings(args, chain, before, &openings, err);
    ledger_chain_close(chain);
    return st == FM_OK ? tell_pruned(args, &report, openings, err) : st;
}

static const struct cli_option prune_options[] = {
    CLI_HOME_OPTION,
    {"before", "HEIGHT|DAY", "look at blocks below this height, or before this day (UTC)",
     CLI_REQUIRED},
    {"openings", NULL, "also erase what sessions.db keeps of those queries: who asked, about whom",
     CLI_OPTIONAL},
    {"dry-run", NULL, "only say what would be erased", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_ledger_prune = {
    "ledger prune",
    "",
    0,
    0,
    "erase payloads of old transactions, for good; hashes and proofs stay",
    "Stop the node first. Kept are members and keys, and what is still needed: open queries, "
    "contracts,\n"
    "authorizations and consents in force, each dataset's newest version. Exports carry hashes for "
    "the rest and\n"
    "verify as before. This node can no longer replay those blocks nor give them to a new member: "
    "let one member\n"
    "keep all, or give a backup. Without openings a person's complaint cannot be answered. The "
    "disk "
    "needs room for\n"
    "the file once more.",
    prune_options,
    prune};
