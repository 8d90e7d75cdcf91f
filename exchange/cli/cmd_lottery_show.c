/* firmiana lottery list, show: how far lotteries are, as this member's node has them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/lottery_state.h"

static size_t count(const json_t *lottery, const char *list)
{
    return json_is_array(json_object_get(lottery, list))
               ? json_array_size(json_object_get(lottery, list))
               : json_object_size(json_object_get(lottery, list));
}

/* One line: what is due, and until when. time_ms: of the newest final block. */
static void print_state(const json_t *lottery, int64_t time_ms)
{
    const json_t *commits = json_object_get(lottery, "commits");
    const json_t *shares = json_object_get(lottery, "shares");
    const char *alias = cli_lottery_missing(lottery, commits, shares);
    size_t members = count(lottery, "members");

    switch (cli_lottery_phase(lottery, commits, shares, time_ms)) {
    case CLI_LOTTERY_COMMITTING:
        printf("%zu of %zu have committed: until %s\n", count(lottery, "commits"), members,
               CLI_MOMENT(lottery, "close"));
        break;
    case CLI_LOTTERY_REVEALING:
        printf("%zu of %zu shares are shown: until %s\n", count(lottery, "shares"), members,
               CLI_MOMENT(lottery, "reveal"));
        break;
    case CLI_LOTTERY_COMPLETE:
        printf("all %zu shares are shown: it can be drawn\n", members);
        break;
    case CLI_LOTTERY_SPOILT:
    default:
        printf("spoilt: %s %s%s%.8s\n", alias,
               json_object_get(commits, alias) != NULL ? "withholds its share"
                                                       : "has not committed",
               cli_text(lottery, "repeated")[0] != '\0' ? "; repeated by " : "",
               cli_text(lottery, "repeated"));
    }
}

static int64_t time_of(const json_t *value)
{
    return json_integer_value(json_object_get(value, "time"));
}

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *item;
    fm_status st = cli_call(&value, args, "lottery.list", NULL, err);
    size_t i;

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        printf("%-8s  %-10s  %-22s  %7s  %s\n", "lottery", "opened by", "name", "winners", "state");
        json_array_foreach(json_object_get(value, "lotteries"), i, item)
        {
            printf("%.8s  %-10s  %-22s  %7lld  ", cli_text(item, "id"), cli_text(item, "opener"),
                   BASE_LINE(cli_text(item, "name")),
                   (long long)json_integer_value(json_object_get(item, "winners")));
            print_state(item, time_of(value));
        }
    }
    json_decref(value);
    return st;
}

static void print_lottery(const json_t *value)
{
    const json_t *alias;
    size_t i;

    printf("lottery    %s\nname       %s\nopened by  %s, in block %lld\nlist       %lld entries, "
           "root %s\nwinners    %lld\n",
           cli_text(value, "id"), BASE_LINE(cli_text(value, "name")), cli_text(value, "opener"),
           (long long)json_integer_value(json_object_get(value, "height")),
           (long long)json_integer_value(json_object_get(value, "count")), cli_text(value, "root"),
           (long long)json_integer_value(json_object_get(value, "winners")));
    printf("commit     until %s\nreveal     from then, until %s\n", CLI_MOMENT(value, "close"),
           CLI_MOMENT(value, "reveal"));
    if (cli_text(value, "repeats")[0] != '\0')
        printf("repeats    %s\n", cli_text(value, "repeats"));
    if (cli_text(value, "repeated")[0] != '\0')
        printf("repeated   by %s\n", cli_text(value, "repeated"));
    json_array_foreach(json_object_get(value, "members"), i, alias)
    {
        const char *name = json_string_value(alias);
        printf("%-9s  %s: %s\n", i == 0 ? "members" : "", name,
               json_object_get(json_object_get(value, "shares"), name) != NULL    ? "share shown"
               : json_object_get(json_object_get(value, "commits"), name) != NULL ? "committed"
                                                                                  : "nothing yet");
    }
    printf("state      ");
    print_state(value, time_of(value));
}

static fm_status show(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    fm_status st = cli_call(&value, args, "lottery.show",
                            json_pack("{s:s}", "lottery", args->operands[0]), err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK)
        print_lottery(value);
    json_decref(value);
    return st;
}

static const struct cli_option options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_lottery_list = {
    "lottery list",
    "",
    0,
    0,
    "the ledger's lotteries, and what is due until when",
    "By the time of the newest block: after the last moment of a lottery it is settled by any "
    "later entry of the ledger.",
    options,
    list};

const struct cli_command cli_lottery_show = {
    "lottery show",
    "ID",
    1,
    1,
    "one lottery: who has committed, who has shown its share, what is due until when",
    "ID is its first 8 digits or more.",
    options,
    show};
