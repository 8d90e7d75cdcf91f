#include "exchange/node/metrics.h"

#include <string.h>

/* ---- the format ---- */

static void family(struct base_buf *out, const char *name, const char *type, const char *help)
{
    base_buf_putf(out, "# HELP firmiana_%s %s\n# TYPE firmiana_%s %s\n", name, help, name, type);
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *text(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));

    return s != NULL ? s : "";
}

static bool has(const json_t *object, const char *name)
{
    return json_object_get(object, name) != NULL;
}

/* A value in thousandths, "-0.005", exactly. */
static void put_milli(struct base_buf *out, int64_t milli)
{
    int64_t size = milli < 0 ? -milli : milli;

    base_buf_putf(out, "%s%lld.%03lld\n", milli < 0 ? "-" : "", (long long)(size / 1000),
                  (long long)(size % 1000));
}

static void single(struct base_buf *out, const char *name, const char *type, const char *help,
                   int64_t value)
{
    family(out, name, type, help);
    base_buf_putf(out, "firmiana_%s %lld\n", name, (long long)value);
}

static void set(struct base_buf *out, const char *name, const char *help, const char *label_a,
                const char *label_b, const struct count_set *counted)
{
    family(out, name, "counter", help);
    for (size_t i = 0; i < counted->used; i++) {
        const struct count_row *row = &counted->rows[i];
        base_buf_putf(out, "firmiana_%s{%s=\"%s\"", name, label_a, row->a);
        if (label_b != NULL)
            base_buf_putf(out, ",%s=\"%s\"", label_b, row->b);
        base_buf_putf(out, "} %llu\n", (unsigned long long)row->n);
    }
}

static void histogram(struct base_buf *out, const char *name, const char *help,
                      const struct count_times *t)
{
    uint64_t sum = 0;

    family(out, name, "histogram", help);
    for (unsigned i = 0; i < COUNT_BUCKETS; i++) {
        sum += t->bucket[i];
        base_buf_putf(out, "firmiana_%s_bucket{le=\"%u.%03u\"} %llu\n", name,
                      count_bounds_ms[i] / 1000, count_bounds_ms[i] % 1000,
                      (unsigned long long)sum);
    }
    base_buf_putf(out, "firmiana_%s_bucket{le=\"+Inf\"} %llu\nfirmiana_%s_sum ", name,
                  (unsigned long long)t->n, name);
    put_milli(out, (int64_t)(t->sum_ms + 0.5));
    base_buf_putf(out, "firmiana_%s_count %llu\n", name, (unsigned long long)t->n);
}

/* ---- the figures ---- */

static void put_process(struct base_buf *out, const json_t *status, const struct node_counts *c)
{
    const json_t *memory = json_object_get(status, "memory");
    const json_t *disk = json_object_get(status, "disk");
    const json_t *software = json_object_get(status, "software");

    family(out, "build_info", "gauge",
           "The software's version and the newest ledger rules it has.");
    base_buf_putf(out, "firmiana_build_info{version=\"%s\",rules=\"%lld\"} 1\n",
                  text(software, "firmiana"), (long long)number(software, "rules"));
    family(out, "start_time_seconds", "gauge", "When the node started, as unix time.");
    base_buf_put_str(out, "firmiana_start_time_seconds ");
    put_milli(out, c->started_unix_ms);
    single(out, "draining", "gauge", "1 while the node is stopping.",
           json_is_true(json_object_get(status, "draining")));
    single(out, "resident_memory_bytes", "gauge", "Memory in use.", number(memory, "rss_bytes"));
    single(out, "resident_memory_peak_bytes", "gauge", "The most it was since the start.",
           number(memory, "peak_bytes"));
    single(out, "disk_free_bytes", "gauge", "Free on the home's file system.",
           number(disk, "free_bytes"));
    family(out, "database_bytes", "gauge", "Size of each database with its write-ahead log.");
    base_buf_putf(out,
                  "firmiana_database_bytes{database=\"ledger\"} %lld\n"
                  "firmiana_database_bytes{database=\"sessions\"} %lld\n"
                  "firmiana_database_bytes{database=\"data\"} %lld\n",
                  (long long)number(disk, "ledger_bytes"),
                  (long long)number(disk, "sessions_bytes"), (long long)number(disk, "data_bytes"));
}

static void put_states(struct base_buf *out, const json_t *status)
{
    static const char *const states[] = {"settled", "pending", "behind", "forked"};

    family(out, "ledger_state", "gauge", "1 for the state that the replica is in.");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        base_buf_putf(out, "firmiana_ledger_state{state=\"%s\"} %d\n", states[i],
                      strcmp(states[i], text(status, "state")) == 0);
}

static void put_cosigners(struct base_buf *out, const json_t *status)
{
    const json_t *list = json_object_get(json_object_get(status, "checkpoint"), "cosigners"), *item;
    size_t i;

    family(out, "checkpoint_age_seconds", "gauge",
           "Age of each member's signature under the newest final checkpoint.");
    json_array_foreach(list, i, item)
    {
        if (!has(item, "age_ms"))
            continue;
        base_buf_putf(out, "firmiana_checkpoint_age_seconds{member=\"%s\"} ", text(item, "alias"));
        put_milli(out, number(item, "age_ms"));
    }
}

static void put_ledger(struct base_buf *out, const json_t *status, const struct node_counts *c)
{
    single(out, "ledger_height", "gauge", "Height of the replica's head.",
           number(status, "height"));
    single(out, "ledger_final_height", "gauge", "Height of the newest final block.",
           number(status, "final_height"));
    single(out, "ledger_entries", "gauge", "Leaves of the log.", number(status, "log_size"));
    single(out, "ledger_behind_blocks", "gauge",
           "Blocks between our final height and the greatest one that a peer told of.",
           number(status, "behind_blocks"));
    single(out, "ledger_behind_entries", "gauge",
           "Leaves between our head and the newest final checkpoint that we know of.",
           number(status, "behind_entries"));
    single(out, "ledger_epoch", "gauge", "The ledger's epoch.", number(status, "epoch"));
    single(out, "ledger_quorum", "gauge", "How many members must cosign.",
           number(status, "quorum"));
    single(out, "ledger_members", "gauge", "Active members.", number(status, "members"));
    single(out, "ledger_sequencing", "gauge", "1 if this node sequences.",
           strcmp(text(status, "sequencer"), text(status, "alias")) == 0);
    put_states(out, status);
    put_cosigners(out, status);
    set(out, "ledger_transactions_total",
        "Entries that became final here since the start, by type and by the rule that refused "
        "them.",
        "type", "rule", &c->transactions);
    single(out, "ledger_blocks_total", "counter", "Blocks that became final here since the start.",
           (int64_t)c->blocks);
    set(out, "transactions_sent_total", "This node's own transactions by what became of them.",
        "outcome", NULL, &c->sent);
    single(out, "transactions_waiting", "gauge", "This node's own transactions not yet final.",
           number(status, "waiting_transactions"));
    single(out, "transactions_pooled", "gauge", "Candidates at this node, where it sequences.",
           number(status, "pooled_transactions"));
    histogram(out, "finality_seconds", "From this node's submission to final.", &c->finality);
}

/* One gauge with a sample for each peer that has the member of the status. */
static void per_peer(struct base_buf *out, const json_t *status, const char *name, const char *help,
                     const char *member, unsigned per_unit)
{
    const json_t *peer;
    size_t i;

    family(out, name, "gauge", help);
    json_array_foreach(json_object_get(status, "peers"), i, peer)
    {
        if (!has(peer, member))
            continue;
        base_buf_putf(out, "firmiana_%s{peer=\"%s\"} ", name, text(peer, "alias"));
        if (per_unit == 1000)
            put_milli(out, number(peer, member));
        else
            base_buf_putf(out, "%lld\n",
                          (long long)(json_is_boolean(json_object_get(peer, member))
                                          ? json_is_true(json_object_get(peer, member))
                                          : number(peer, member)));
    }
}

static void put_peers(struct base_buf *out, const json_t *status, const struct node_counts *c)
{
    const json_t *peer;
    size_t i;

    per_peer(out, status, "peer_up", "1 while the peer's channel is there.", "up", 1);
    per_peer(out, status, "peer_round_trip_seconds", "Of the last ping.", "rtt_ms", 1000);
    per_peer(out, status, "peer_clock_skew_seconds",
             "The peer's clock minus ours, within half of the round trip.", "skew_ms", 1000);
    per_peer(out, status, "peer_height", "Height of the peer's head, as it told.", "at", 1);
    per_peer(out, status, "peer_final_height", "The peer's final height, as it told.", "final", 1);
    family(out, "peer_info", "gauge", "The peer's software version and newest rules, as it told.");
    json_array_foreach(json_object_get(status, "peers"), i, peer)
    {
        if (has(peer, "version"))
            base_buf_putf(out, "firmiana_peer_info{peer=\"%s\",version=\"%s\",rules=\"%lld\"} 1\n",
                          text(peer, "alias"), text(peer, "version"),
                          (long long)number(peer, "rules"));
    }
    single(out, "channels_connected_total", "counter", "Channels to peers that came up.",
           (int64_t)c->connected);
    single(out, "channels_lost_total", "counter", "Channels to peers that went down.",
           (int64_t)c->disconnected);
    single(out, "dials_refused_total", "counter",
           "Connections to peers that did not come about, or were refused by them.",
           (int64_t)c->refused);
    single(out, "strangers_refused_total", "counter",
           "Connections that came here and never authenticated.", number(status, "strangers"));
}

static void put_queries(struct base_buf *out, const json_t *status, const struct node_counts *c)
{
    const json_t *load = json_object_get(status, "queries");

    single(out, "queries_running", "gauge", "Queries that have a place to run here.",
           number(load, "running"));
    single(out, "queries_waiting", "gauge", "Queries in line for a place.",
           number(load, "waiting"));
    single(out, "query_memory_bytes", "gauge", "Estimated memory of those that have a place.",
           number(load, "memory_bytes"));
    single(out, "query_memory_limit_bytes", "gauge", "What they may take together.",
           number(load, "memory_limit_bytes"));
    set(out, "queries_total",
        "Queries that this node took part in, by outcome and by the rule that ended them.",
        "outcome", "rule", &c->queries);
    histogram(out, "query_computing_seconds", "Time of a query's computation here.", &c->computing);
    single(out, "mpc_rounds_total", "counter", "Rounds of communication in computations.",
           (int64_t)c->mpc_rounds);
    single(out, "mpc_sent_bytes_total", "counter", "Bytes sent in computations.",
           (int64_t)c->mpc_sent);
    single(out, "mpc_received_bytes_total", "counter", "Bytes received in computations.",
           (int64_t)c->mpc_received);
}

void metrics_write(struct base_buf *out, const json_t *status, const struct node_counts *counts)
{
    put_process(out, status, counts);
    put_ledger(out, status, counts);
    put_peers(out, status, counts);
    put_queries(out, status, counts);
}
