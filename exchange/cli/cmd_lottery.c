/* firmiana lottery ...: a draw that nobody steers and anybody repeats (ledger/proof/lottery.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/random.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/lottery_list.h"
#include "ledger/proof/lottery.h"

enum { LONGEST_DAYS = 366 };
#define LONGEST_MS (LONGEST_DAYS * INT64_C(86400000))

/* ---- opening ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *members_of(const struct cli_args *args)
{
    const char *names[CLI_MAX_OPTIONS];
    json_t *out = json_array();
    size_t n = 0;

    while (n < CLI_MAX_OPTIONS && (names[n] = cli_value_at(args, "member", n)) != NULL)
        n++;
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(out, json_string(names[i]));
    return out;
}

/* The whole id of the lottery that these digits mean: 8 or more. */
static fm_status find_id(uint8_t id32[32], char id[65], const struct cli_args *args,
                         const char *digits, struct base_err *err)
{
    json_t *value = NULL;
    fm_status st =
        cli_call(&value, args, "lottery.show", json_pack("{s:s}", "lottery", digits), err);

    if (st == FM_OK)
        st = base_json_get_hex(id32, 32, value, "id", err);
    if (st == FM_OK)
        base_hex(id, id32, 32);
    json_decref(value);
    return st;
}

/* Of --repeats; "" without. */
static fm_status repeated_id(char id[65], const struct cli_args *args, struct base_err *err)
{
    const char *digits = cli_value(args, "repeats");
    uint8_t id32[32];

    id[0] = '\0';
    return digits != NULL ? find_id(id32, id, args, digits, err) : FM_OK;
}

static fm_status open_lottery(const struct cli_args *args, struct base_err *err)
{
    int64_t winners = 0, close_ms = 0, reveal_ms = 0, now = base_clock_unix_ms(base_clock_system());
    struct cli_list list = {0};
    char root[65], repeats[65];
    json_t *body;
    fm_status st = cli_int(&winners, args, "winners", 1, LEDGER_LOTTERY_ENTRIES_MAX, err);

    if (st == FM_OK)
        st = cli_duration(&close_ms, cli_value(args, "close"), "close", err);
    if (st == FM_OK)
        st = cli_duration(&reveal_ms, cli_value(args, "reveal"), "reveal", err);
    if (st == FM_OK && (close_ms > LONGEST_MS || reveal_ms > LONGEST_MS))
        st = base_err_set(err, FM_E_ARG, "--%s %s: a lottery's times are at most 366d each",
                          close_ms > LONGEST_MS ? "close" : "reveal",
                          cli_value(args, close_ms > LONGEST_MS ? "close" : "reveal"));
    if (st == FM_OK)
        st = cli_list_load(&list, args->operands[0], err);
    if (st == FM_OK)
        st = cli_list_check_once(&list, args->operands[0], err);
    if (st == FM_OK)
        st = repeated_id(repeats, args, err);
    if (st == FM_OK) {
        base_hex(root, list.root, 32);
        body =
            json_pack("{s:s, s:s, s:I, s:I, s:o, s:I, s:I}", "name", cli_value(args, "name"),
                      "root", root, "count", (json_int_t)list.count, "winners", (json_int_t)winners,
                      "members", members_of(args), "close", (json_int_t)(now + close_ms), "reveal",
                      (json_int_t)(now + close_ms + reveal_ms));
        if (body != NULL && repeats[0] != '\0')
            (void)json_object_set_new(body, "repeats", json_string(repeats));
        st = body != NULL ? cli_submit_by_node(args, "lottery.open", body, "lottery", err)
                          : base_err_memory(err, "lottery");
    }
    cli_list_release(&list);
    return st;
}

static const struct cli_option open_options[] = {
    CLI_HOME_OPTION,
    {"name", "TEXT", "what is drawn, on the ledger", CLI_REQUIRED},
    {"winners", "N", "how many are drawn", CLI_REQUIRED},
    {"member", "ALIAS", "a member that gives a share of the randomness",
     CLI_REQUIRED | CLI_REPEATED},
    {"close", "TIME", "until when they commit, from now, as 10m or 1d", CLI_REQUIRED},
    {"reveal", "TIME", "how long after that they may reveal", CLI_REQUIRED},
    {"repeats", "ID", "a lottery that somebody spoilt by withholding, without whom this is",
     CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_lottery_open = {
    "lottery open",
    "LIST",
    1,
    1,
    "fix a list of entries, a line each, before any randomness exists",
    "The ledger gets the list's root, not the list. Then each named member runs lottery commit, "
    "and after the closing\ntime lottery reveal; anyone runs lottery draw.",
    open_options,
    open_lottery};

/* ---- shares ---- */

static fm_status commit(const struct cli_args *args, struct base_err *err)
{
    const char *path = cli_value(args, "share");
    uint8_t id32[32], share[32], hash[32];
    char id[65], share_hex[65], hash_hex[65];
    json_t *me = NULL, *kept;
    fm_status st = find_id(id32, id, args, args->operands[0], err);

    if (st == FM_OK && access(path, F_OK) == 0)
        st = base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
    if (st == FM_OK)
        st = cli_call(&me, args, "me", NULL, err);
    if (st == FM_OK)
        st = base_random_fill(base_random_system(), share, sizeof share, err);
    if (st == FM_OK) {
        base_hex(share_hex, share, 32);
        kept = json_pack("{s:s, s:s}", "lottery", id, "share", share_hex);
        st = kept != NULL ? cli_write_json(path, kept, 0600, err) : base_err_memory(err, "share");
        json_decref(kept);
    }
    if (st == FM_OK) {
        ledger_lottery_commit(hash, id32, cli_text(me, "alias"), share);
        base_hex(hash_hex, hash, 32);
        st = cli_submit_by_node(args, "lottery.commit",
                                json_pack("{s:s, s:s}", "lottery", id, "commitment", hash_hex),
                                "commitment", err);
    }
    json_decref(me);
    return st;
}

static fm_status reveal(const struct cli_args *args, struct base_err *err)
{
    uint8_t id32[32];
    char id[65];
    json_t *kept = NULL;
    fm_status st = find_id(id32, id, args, args->operands[0], err);

    if (st == FM_OK)
        st = base_json_load_file(&kept, cli_value(args, "share"), 4096, err);
    if (st == FM_OK && strcmp(cli_text(kept, "lottery"), id) != 0)
        st = base_err_set(err, FM_E_INPUT, "%s: it is a share of another lottery",
                          cli_value(args, "share"));
    if (st == FM_OK)
        st = cli_submit_by_node(
            args, "lottery.reveal",
            json_pack("{s:s, s:s}", "lottery", id, "share", cli_text(kept, "share")), "share", err);
    json_decref(kept);
    return st;
}

static const struct cli_option share_options[] = {
    CLI_HOME_OPTION,
    {"share", "FILE", "where the share is kept, secret until the reveal", CLI_REQUIRED},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_lottery_commit = {
    "lottery commit", "ID",  1, 1, "draw a secret share and commit to it", NULL,
    share_options,    commit};

const struct cli_command cli_lottery_reveal = {
    "lottery reveal",
    "ID",
    1,
    1,
    "show the share, after the lottery is closed",
    "Whoever committed and shows nothing is named by every draw, and the lottery is opened again "
    "without it.",
    share_options,
    reveal};
