/* firmiana status: what the node's operator looks at. The node gives it as JSON (node_status.c). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/governance.h"
#include "ledger/proof/misbehavior.h"

static int64_t number(const json_t *v, const char *name)
{
    return json_integer_value(json_object_get(v, name));
}

static bool has(const json_t *v, const char *name)
{
    return json_object_get(v, name) != NULL;
}

/* "3.4 MB": three digits, decimal units. */
static const char *bytes_text(char out[32], int64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double v = (double)bytes;
    size_t unit = 0;

    while (v >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        v /= 1000;
        unit++;
    }
    (void)snprintf(out, 32, unit > 0 && v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[unit]);
    return out;
}

/* "340 ms", "12 s", "3 min", "5 h 10 min", "12 d 3 h". */
static const char *span_text(char out[48], int64_t ms)
{
    int64_t s = ms / 1000;

    if (ms < 1000)
        (void)snprintf(out, 48, "%" PRId64 " ms", ms);
    else if (s < 100)
        (void)snprintf(out, 48, "%" PRId64 " s", s);
    else if (s < 6000)
        (void)snprintf(out, 48, "%" PRId64 " min", s / 60);
    else if (s < 172800)
        (void)snprintf(out, 48, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, 48, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
    return out;
}

static void print_software(const json_t *v)
{
    const json_t *software = json_object_get(v, "software"), *memory = json_object_get(v, "memory");
    char up[48], now[32], peak[32];

    printf("%s  %s\nchain      %s\n", cli_text(v, "alias"), cli_text(v, "did"),
           cli_text(v, "chain"));
    printf("node       firmiana %s, up %s, %s of memory (%s at most)%s\n",
           cli_text(software, "firmiana"), span_text(up, number(v, "up_ms")),
           bytes_text(now, number(memory, "rss_bytes")),
           bytes_text(peak, number(memory, "peak_bytes")),
           json_is_true(json_object_get(v, "draining")) ? ", stopping" : "");
}

static void print_ledger(const json_t *v)
{
    int64_t behind = number(v, "behind_blocks");

    printf("ledger     %s, height %" PRId64 ", final %" PRId64 ", %" PRId64
           " entries, epoch %" PRId64 ", rules %" PRId64 ", sequenced by %s\n",
           cli_text(v, "state"), number(v, "height"), number(v, "final_height"),
           number(v, "log_size"), number(v, "epoch"), number(v, "rules"), cli_text(v, "sequencer"));
    if (behind > 0)
        printf("           %" PRId64 " blocks behind the newest final one that a peer told of\n",
               behind);
    if (number(v, "waiting_transactions") > 0)
        printf("           %" PRId64 " own transactions wait to become final\n",
               number(v, "waiting_transactions"));
}

static void print_comet(const json_t *v)
{
    const json_t *c = json_object_get(v, "cometbft"), *item;
    size_t i;

    if (c == NULL)
        return;
    printf("cometbft   %s, %s%s, block %" PRId64 ", %" PRId64 " peers, process %" PRId64,
           cli_text(c, "version"), cli_text(c, "state"),
           json_is_true(json_object_get(c, "catching_up")) ? ", catching up" : "",
           number(c, "height"), number(c, "peers"), number(c, "pid"));
    if (number(c, "restarts") > 0)
        printf(", started again %" PRId64 " times", number(c, "restarts"));
    putchar('\n');
    json_array_foreach(json_object_get(c, "validators"), i, item) printf(
        "%s%s", i == 0 ? "           blocks are ordered by " : ", ", json_string_value(item));
    printf("%s", i > 0 ? "\n" : "");
}

/* Of the ledger; before rules version 3, of what this node's CometBFT told. */
static void print_misbehavior(const json_t *v)
{
    const json_t *list = json_object_get(v, "misbehavior"), *item;
    size_t i;

    json_array_foreach(list, i, item) cli_print_misbehavior("           PROVEN: ", item);
    if (number(v, "rules") >= LEDGER_MISBEHAVIOR_SINCE || json_array_size(list) > 0)
        return;
    json_array_foreach(json_object_get(json_object_get(v, "cometbft"), "misbehavior"), i, item)
    {
        const char *member = cli_text(item, "member");
        printf("           PROVEN: the validator of %s %s at block %" PRId64 " (in block %" PRId64
               ")\n",
               member[0] != '\0' ? member : cli_text(item, "address"), cli_text(item, "did"),
               number(item, "height"), number(item, "in_block"));
    }
}

static void print_handover(const json_t *v)
{
    const json_t *handover = json_object_get(v, "handover");
    const json_t *p = json_object_get(handover, "proposal"), *item;
    size_t i;

    if (p == NULL)
        return;
    printf("handover   %s is to sequence epoch %" PRId64 ": %zu of %" PRId64 " members approve",
           cli_text(p, "sequencer"), number(p, "epoch"),
           json_array_size(json_object_get(p, "approved")), number(p, "approvals_needed"));
    json_array_foreach(json_object_get(p, "approved"), i, item)
        printf("%s%s", i == 0 ? " (" : ", ", json_string_value(item));
    printf("%s, %zu of %" PRId64 " nodes have promised\n", i > 0 ? ")" : "",
           json_array_size(json_object_get(p, "promised")), number(p, "promises_needed"));
}

static void print_names(const json_t *cosigners, const char *before, bool signed_it)
{
    const json_t *item;
    size_t i;

    json_array_foreach(cosigners, i, item)
    {
        if (json_is_true(json_object_get(item, "signed")) != signed_it)
            continue;
        printf("%s%s", before, cli_text(item, "alias"));
        before = ", ";
    }
}

static void print_quorum(const json_t *v)
{
    const json_t *checkpoint = json_object_get(v, "checkpoint"), *item;
    const json_t *cosigners = json_object_get(checkpoint, "cosigners");
    int64_t age = -1;
    char text[48];
    size_t i;

    json_array_foreach(cosigners, i,
                       item) if (has(item, "age_ms") && (age < 0 || number(item, "age_ms") < age))
        age = number(item, "age_ms") < 0 ? 0 : number(item, "age_ms");
    printf("quorum     %" PRId64 " of %" PRId64 " members must cosign; ", number(v, "quorum"),
           number(v, "members"));
    if (cosigners == NULL) {
        puts("nothing is final yet");
        return;
    }
    printf("the newest checkpoint is %s old", span_text(text, age < 0 ? 0 : age));
    print_names(cosigners, ", by ", true);
    print_names(cosigners, "; not by ", false);
    putchar('\n');
}

static void print_peer(const json_t *v, const json_t *peer)
{
    bool up = json_is_true(json_object_get(peer, "up"));
    char text[48], skew[48];

    printf("  %-16s %-13s", cli_text(peer, "alias"), up ? "connected" : "not connected");
    if (up && has(peer, "rtt_ms"))
        printf("  round trip %s, clock %s%s", span_text(text, number(peer, "rtt_ms")),
               number(peer, "skew_ms") < 0 ? "-" : "+",
               span_text(skew, number(peer, "skew_ms") < 0 ? -number(peer, "skew_ms")
                                                           : number(peer, "skew_ms")));
    if (!up && has(peer, "heard_ms"))
        printf("  last heard %s ago", span_text(text, number(peer, "heard_ms")));
    if (has(peer, "version"))
        printf("%s height %" PRId64 ", firmiana %s, rules %" PRId64, up ? "," : "; was at",
               number(peer, "at"), cli_text(peer, "version"), number(peer, "rules"));
    if (strcmp(cli_text(peer, "alias"), cli_text(v, "sequencer")) == 0)
        printf(" (sequencer)");
    if (json_is_false(json_object_get(peer, "active")))
        printf(" (suspended)");
    putchar('\n');
}

static void print_queries(const json_t *v)
{
    const json_t *today = json_object_get(v, "today"), *item;
    const json_t *sessions = json_object_get(v, "sessions"), *load = json_object_get(v, "queries");
    char used[32], limit[32];
    size_t i;

    printf("queries    %" PRId64 " running, %" PRId64
           " waiting (%s of %s of memory); today %" PRId64 " done, %" PRId64 " refused, %" PRId64
           " aborted\n",
           number(load, "running"), number(load, "waiting"),
           bytes_text(used, number(load, "memory_bytes")),
           bytes_text(limit, number(load, "memory_limit_bytes")), number(today, "done"),
           number(today, "refused"), number(today, "aborted"));
    json_array_foreach(sessions, i, item)
        printf("  %.16s  asked by %s: %s\n", cli_text(item, "query"), cli_text(item, "asker"),
               cli_text(item, "where"));
}

static void print_disk(const json_t *v)
{
    const json_t *disk = json_object_get(v, "disk");
    char ledger[32], sessions[32], data[32], left[32];

    printf("disk       ledger %s, sessions %s, data %s; %s free\n",
           bytes_text(ledger, number(disk, "ledger_bytes")),
           bytes_text(sessions, number(disk, "sessions_bytes")),
           bytes_text(data, number(disk, "data_bytes")),
           bytes_text(left, number(disk, "free_bytes")));
}

static void print_status(const json_t *v)
{
    const json_t *peers = json_object_get(v, "peers"), *item;
    size_t i;

    print_software(v);
    print_ledger(v);
    print_comet(v);
    print_misbehavior(v);
    print_handover(v);
    print_quorum(v);
    printf("peers      %" PRId64 " of %zu connected\n", number(v, "connected"),
           json_array_size(peers));
    json_array_foreach(peers, i, item) print_peer(v, item);
    print_queries(v);
    print_disk(v);
}

static fm_status status(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    fm_status st = cli_call(&value, args, "status", NULL, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        print_status(value);
    }
    json_decref(value);
    return st;
}

static const struct cli_option status_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_status = {
    "status",
    "",
    0,
    0,
    "the node's ledger, quorum, peers, queries and disk",
    "Round trip and clock of a peer are measured every 5 seconds over its channel; a clock is the "
    "peer's minus this one's, within half of the round trip. Blocks more than 5 s off are refused. "
    "\"today\" is the UTC day, since the node started.",
    status_options,
    status};
