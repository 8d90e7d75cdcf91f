/* firmiana lottery draw: from a list and a trail, without a node (ledger/proof/lottery.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/lottery_list.h"
#include "exchange/cli/lottery_state.h"
#include "exchange/cli/trail.h"
#include "ledger/proof/lottery.h"
#include "ledger/verify/verify.h"

/* A lottery as a valid trail tells it. */
struct story {
    uint8_t id32[32];
    const char *digits;              /* that the id begins with */
    unsigned begin_so;               /* how many of the trail do */
    char id[65];                     /* "" until the trail shows it */
    int64_t time_ms;                 /* of the trail's newest block */
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
        if (strncmp(id, s->digits, strlen(s->digits)) == 0 && s->begin_so++ == 0) {
            memcpy(s->id32, tx.id, 32);
            memcpy(s->id, id, sizeof s->id);
            s->open = json_incref((json_t *)(uintptr_t)body);
        }
        ledger_tx_release(&tx);
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
        st = base_err_set(err, FM_E_NOT_FOUND, "the trail does not show lottery %s", s->digits);
    if (st == FM_OK && s->begin_so > 1)
        st = base_err_set(err, FM_E_ARG, "%u lotteries begin with %s: give more digits",
                          s->begin_so, s->digits);
    return st;
}

/* What is not over is nobody's fault: the trail may be older than the moments that count. */
static fm_status check_over(const struct story *s, struct base_err *err)
{
    enum cli_lottery_phase phase = cli_lottery_phase(s->open, s->commits, s->shares, s->time_ms);
    const json_t *trail = json_pack("{s:I}", "time", (json_int_t)s->time_ms);
    fm_status st = FM_OK;

    if (s->missing == 0 && (phase == CLI_LOTTERY_COMMITTING || phase == CLI_LOTTERY_REVEALING))
        st = base_err_set(err, FM_E_CONFLICT,
                          "the lottery is not over: its members %s until %s, and the newest block "
                          "of this trail is of %s: export it again once a later entry is on the "
                          "ledger",
                          phase == CLI_LOTTERY_COMMITTING ? "commit" : "show their shares",
                          CLI_MOMENT(s->open, phase == CLI_LOTTERY_COMMITTING ? "close" : "reveal"),
                          CLI_MOMENT(trail, "time"));
    json_decref((json_t *)(uintptr_t)trail);
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
                                "%s %s: the draw does not count; open it again without %s: "
                                "--repeats %s",
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
        s->time_ms = report->time_ms;
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
        st = check_over(s, err);
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
    const char *digits = args->operands[0];
    FILE *f = NULL;
    fm_status st = FM_OK;

    if (strlen(digits) < 8 || strspn(digits, "0123456789abcdef") != strlen(digits))
        st = base_err_set(err, FM_E_ARG, "ID is the first 8 hex digits of a lottery's id, or more");
    if (st == FM_OK) {
        s.digits = digits;
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
