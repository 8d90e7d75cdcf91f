/* firmiana lottery ...: a draw that nobody steers and anybody repeats (ledger/proof/lottery.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/lottery_list.h"
#include "exchange/cli/trail.h"
#include "ledger/proof/log.h"
#include "ledger/proof/lottery.h"
#include "ledger/verify/verify.h"

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

static fm_status open_lottery(const struct cli_args *args, struct base_err *err)
{
    int64_t winners = 0, close_ms = 0, reveal_ms = 0, now = base_clock_unix_ms(base_clock_system());
    struct cli_list list = {0};
    char root[65];
    json_t *body;
    fm_status st = cli_int(&winners, args, "winners", 1, LEDGER_LOTTERY_ENTRIES_MAX, err);

    if (st == FM_OK)
        st = cli_duration(&close_ms, cli_value(args, "close"), "close", err);
    if (st == FM_OK)
        st = cli_duration(&reveal_ms, cli_value(args, "reveal"), "reveal", err);
    if (st == FM_OK)
        st = cli_list_load(&list, args->operands[0], err);
    if (st == FM_OK)
        st = cli_list_check_once(&list, args->operands[0], err);
    if (st == FM_OK) {
        base_hex(root, list.root, 32);
        body =
            json_pack("{s:s, s:s, s:I, s:I, s:o, s:I, s:I}", "name", cli_value(args, "name"),
                      "root", root, "count", (json_int_t)list.count, "winners", (json_int_t)winners,
                      "members", members_of(args), "close", (json_int_t)(now + close_ms), "reveal",
                      (json_int_t)(now + close_ms + reveal_ms));
        if (body != NULL && cli_value(args, "repeats") != NULL)
            (void)json_object_set_new(body, "repeats", json_string(cli_value(args, "repeats")));
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

static fm_status check_id(uint8_t id32[32], const char *id, struct base_err *err)
{
    return base_unhex(id32, 32, id, strlen(id))
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "ID is the 64 hex digits that lottery open printed");
}

static fm_status commit(const struct cli_args *args, struct base_err *err)
{
    const char *id = args->operands[0], *path = cli_value(args, "share");
    uint8_t id32[32], share[32], hash[32];
    char share_hex[65], hash_hex[65];
    json_t *me = NULL, *kept;
    fm_status st = check_id(id32, id, err);

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
    const char *id = args->operands[0];
    uint8_t id32[32];
    json_t *kept = NULL;
    fm_status st = check_id(id32, id, err);

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

/* ---- drawing ---- */

/* A lottery as a valid trail tells it. */
struct story {
    uint8_t id32[32];
    char id[65];
    json_t *open, *commits, *shares; /* owned; alias -> hex */
    json_t *opened, *shown;          /* every lottery of the trail: id -> body, shares shown */
    bool after_share;                /* a commitment came behind a share */
    uint64_t missing;                /* entries that the trail leaves out or does not disclose */
};

static int count_share(struct story *s, const char *id)
{
    return json_object_set_new(s->shown, id,
                               json_integer(json_integer_value(json_object_get(s->shown, id)) + 1));
}

static fm_status see(struct story *s, const struct ledger_bundle_reader *r,
                     const struct ledger_members *members, struct base_err *err)
{
    const char *type = cli_text(r->payload, "type");
    const json_t *body = json_object_get(r->payload, "body");
    const struct ledger_identity *sender;
    bool commits = strcmp(type, "lottery.commit") == 0;
    char id[65];
    struct ledger_tx tx;
    fm_status st;

    if (strncmp(type, "lottery.", 8) != 0 || strcmp(cli_text(r->result, "code"), "ok") != 0)
        return FM_OK;
    if (strcmp(type, "lottery.open") == 0) {
        st = ledger_tx_parse_json(&tx, (json_t *)(uintptr_t)r->payload, err);
        if (st != FM_OK)
            return st;
        base_hex(id, tx.id, 32);
        ledger_tx_release(&tx);
        if (strcmp(id, s->id) == 0)
            s->open = json_incref((json_t *)(uintptr_t)body);
        return json_object_set(s->opened, id, (json_t *)(uintptr_t)body) == 0
                   ? FM_OK
                   : base_err_memory(err, "lottery");
    }
    if (!commits && count_share(s, cli_text(body, "lottery")) != 0)
        return base_err_memory(err, "lottery");
    if (strcmp(cli_text(body, "lottery"), s->id) != 0)
        return FM_OK;
    sender = ledger_members_by_did(members, cli_text(r->payload, "sender"));
    s->after_share = s->after_share || (commits && json_object_size(s->shares) > 0);
    if (sender == NULL ||
        json_object_set(commits ? s->commits : s->shares, sender->alias,
                        json_object_get(body, commits ? "commitment" : "share")) != 0)
        return base_err_memory(err, "lottery");
    return FM_OK;
}

static fm_status read_story(struct story *s, FILE *f, const struct ledger_members *members,
                            struct base_err *err)
{
    const struct ledger_bundle_source source = {cli_trail_read, f};
    struct ledger_bundle_reader r;
    fm_status st;

    ledger_bundle_reader_init(&r, &source);
    do {
        st = ledger_bundle_next(&r, err);
        if (st == FM_OK && r.kind == LEDGER_BUNDLE_LEAF && r.payload != NULL && r.result != NULL)
            st = see(s, &r, members, err);
    } while (st == FM_OK && r.kind != LEDGER_BUNDLE_END);
    ledger_bundle_reader_release(&r);
    if (st == FM_OK && s->open == NULL)
        st = base_err_set(err, FM_E_NOT_FOUND, "the trail does not show lottery %s", s->id);
    return st;
}

/* Every share is the one committed to, and no commitment came when shares were known. */
static fm_status check_shares(const struct story *s, struct base_err *err)
{
    const json_t *members = json_object_get(s->open, "members");

    if (s->after_share)
        return base_err_set(err, FM_E_INVALID, "a commitment came after a share was shown");
    for (size_t i = 0; i < json_array_size(members); i++) {
        const char *alias = json_string_value(json_array_get(members, i));
        uint8_t share[32], hash[32], want[32];

        if (json_object_get(s->shares, alias) == NULL && s->missing > 0)
            return base_err_set(
                err, FM_E_NOT_FOUND,
                "the trail shows no share of %s, and leaves %llu entries out: bring "
                "the whole trail",
                alias, (unsigned long long)s->missing);
        if (json_object_get(s->shares, alias) == NULL)
            return base_err_set(err, FM_E_REFUSED,
                                "%s %s: the draw does not count; once its time has passed, open it "
                                "again without %s: --repeats %s",
                                alias,
                                json_object_get(s->commits, alias) != NULL
                                    ? "committed and withholds its share"
                                    : "has not committed",
                                alias, s->id);
        if (base_json_get_hex(share, 32, s->shares, alias, err) != FM_OK ||
            base_json_get_hex(want, 32, s->commits, alias, err) != FM_OK)
            return base_err_set(err, FM_E_INVALID, "%s has a share without a commitment", alias);
        ledger_lottery_commit(hash, s->id32, alias, share);
        if (memcmp(hash, want, 32) != 0)
            return base_err_set(err, FM_E_INVALID, "the share of %s is not what it committed to",
                                alias);
    }
    return FM_OK;
}

/* Whoever may open lotteries until one pleases is not stopped, but seen. */
static void print_others(FILE *out, const struct story *s)
{
    const char *id, *root = cli_text(s->open, "root");
    json_t *other;

    json_object_foreach(s->opened, id, other)
    {
        size_t members = json_array_size(json_object_get(other, "members"));
        json_int_t shown = json_integer_value(json_object_get(s->shown, id));

        if (strcmp(id, s->id) == 0 || strcmp(cli_text(other, "root"), root) != 0)
            continue;
        (void)fprintf(out, "  ALSO     over this list: \"%s\" %s, %s (%lld of %zu shares)%s\n",
                      cli_text(other, "name"), id,
                      shown == (json_int_t)members ? "drawn as well" : "not drawn",
                      (long long)shown, members,
                      strcmp(cli_text(s->open, "repeats"), id) == 0    ? ", which this one repeats"
                      : strcmp(cli_text(other, "repeats"), s->id) == 0 ? ", which repeats this one"
                                                                       : "");
    }
}

static fm_status print_winners(FILE *out, bool all, const struct story *s,
                               const struct cli_list *list, const uint8_t seed32[32],
                               struct base_err *err)
{
    uint32_t n = (uint32_t)json_integer_value(json_object_get(s->open, "winners"));
    uint32_t *winner = calloc((size_t)n + 1, sizeof *winner);
    char seed[65];
    fm_status st = winner != NULL ? ledger_lottery_draw(winner, seed32, list->count, n, err)
                                  : base_err_memory(err, "draw");

    base_hex(seed, seed32, 32);
    if (st == FM_OK)
        (void)fprintf(out,
                      "  list     %" PRIu32 " entries, as fixed on the ledger\n"
                      "  seed     %s, from the shares of %zu members\n  drawn    %" PRIu32 "\n",
                      list->count, seed, json_array_size(json_object_get(s->open, "members")), n);
    for (uint32_t i = 0; st == FM_OK && i < n && (all || i < 20); i++)
        printf("%s%.*s\n", all ? "" : "  ", (int)cli_list_entry_len(list, winner[i]),
               (const char *)list->text.p + list->at[winner[i]]);
    if (st == FM_OK && !all && n > 20)
        printf("  ... (--winners prints all)\n");
    free(winner);
    return st;
}

static fm_status draw_from(const struct cli_args *args, struct story *s, FILE *f,
                           struct base_err *err)
{
    struct ledger_verified *report = NULL;
    struct cli_list list = {0};
    uint8_t root[32], seed[32];
    bool all = cli_flag(args, "winners");
    FILE *out = all ? stderr : stdout; /* then the winners stand alone */
    fm_status st = cli_trail_verify(&report, args, f, err);

    if (st == FM_OK) {
        s->missing = report->hidden_accepted + report->skipped;
        st = read_story(s, f, report->members, err);
    }
    if (st == FM_OK)
        st = cli_list_load(&list, args->operands[1], err);
    if (st == FM_OK)
        st = base_json_get_hex(root, 32, s->open, "root", err);
    if (st == FM_OK && (memcmp(root, list.root, 32) != 0 ||
                        json_integer_value(json_object_get(s->open, "count")) != list.count))
        st =
            base_err_set(err, FM_E_INVALID, "%s is not the list that was fixed", args->operands[1]);
    if (st == FM_OK)
        st = cli_list_check_once(&list, args->operands[1], err);
    if (st == FM_OK)
        st = check_shares(s, err);
    if (st == FM_OK)
        st =
            ledger_lottery_seed(seed, s->id32, json_object_get(s->open, "members"), s->shares, err);
    if (st == FM_OK) {
        (void)fprintf(out, "valid: lottery \"%s\"\n", cli_text(s->open, "name"));
        cli_trail_print(out, args, report);
        print_others(out, s);
        if (s->missing > 0)
            (void)fprintf(out,
                          "  others   over this list are shown as far as the trail goes: it leaves "
                          "%llu entries out\n",
                          (unsigned long long)s->missing);
        st = print_winners(out, all, s, &list, seed, err);
    }
    cli_list_release(&list);
    ledger_verified_free(report);
    return st;
}

static fm_status draw(const struct cli_args *args, struct base_err *err)
{
    struct story s = {.commits = json_object(),
                      .shares = json_object(),
                      .opened = json_object(),
                      .shown = json_object()};
    FILE *f = NULL;
    fm_status st = check_id(s.id32, args->operands[0], err);

    if (st == FM_OK) {
        (void)snprintf(s.id, sizeof s.id, "%s", args->operands[0]);
        f = fopen(args->operands[2], "rb");
        st = f != NULL ? draw_from(args, &s, f, err) : base_err_errno(err, args->operands[2]);
    }
    if (f != NULL)
        (void)fclose(f);
    json_decref(s.open);
    json_decref(s.commits);
    json_decref(s.shares);
    json_decref(s.opened);
    json_decref(s.shown);
    return st;
}

static const struct cli_option draw_options[] = {
    CLI_CHAIN_OPTION,
    {"winners", NULL,
     "print the winners' entries alone, in the order drawn; the rest goes to standard error",
     CLI_OPTIONAL},
    {0}};

const struct cli_command cli_lottery_draw = {
    "lottery draw",
    "ID LIST TRAIL",
    3,
    3,
    "draw, from the list and an exported trail: everyone gets the same winners",
    "No node and no network. The trail is checked whole; the list must be the one fixed; every "
    "share must be what its\nmember committed to before any was shown. Exit code 4: a member "
    "withholds, and is named.\nOther lotteries of the trail over the same list are listed too.",
    draw_options,
    draw};
