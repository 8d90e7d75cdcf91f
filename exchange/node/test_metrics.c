/* The metrics' text, read back by a strict checker of Prometheus' format, and the port's manners.
 * With the name of a file as argument the program checks that file instead, and prints how many
 * samples it has (tests/operate.sh hands it what a real node served). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "exchange/node/metrics.h"

/* ---- the checker: exposition format 0.0.4, and the conventions for names ---- */

enum { MAX_SERIES = 4096, MAX_FAMILIES = 256 };

struct checker {
    char *families[MAX_FAMILIES];
    size_t n_families;
    char *series[MAX_SERIES];
    size_t n_series;
    char name[128], type[16]; /* the family being read */
    double bucket_le, bucket_n, buckets_inf;
    char why[256];
};

static bool wrong(struct checker *c, const char *what, const char *line)
{
    (void)snprintf(c->why, sizeof c->why, "%s: %.180s", what, line);
    return false;
}

static size_t name_length(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");

    return n > 0 && (s[0] < '0' || s[0] > '9') ? n : 0;
}

static bool remember(char **list, size_t *n, size_t max, const char *s, size_t len)
{
    for (size_t i = 0; i < *n; i++)
        if (strlen(list[i]) == len && memcmp(list[i], s, len) == 0)
            return false;
    if (*n == max)
        return false;
    list[*n] = strndup(s, len);
    return list[(*n)++] != NULL;
}

/* "# HELP name text", then "# TYPE name type"; each family once. */
static bool take_comment(struct checker *c, const char *line)
{
    size_t n = name_length(line + 7);

    if (strncmp(line, "# HELP ", 7) == 0) {
        if (n == 0 || n >= sizeof c->name || line[7 + n] != ' ' || line[8 + n] == '\0' ||
            line[strlen(line) - 1] != '.')
            return wrong(c, "help", line);
        memcpy(c->name, line + 7, n);
        c->name[n] = '\0';
        c->type[0] = '\0';
        return remember(c->families, &c->n_families, MAX_FAMILIES, c->name, n)
                   ? true
                   : wrong(c, "a family twice", line);
    }
    if (strncmp(line, "# TYPE ", 7) != 0 || n != strlen(c->name) ||
        memcmp(line + 7, c->name, n) != 0 || line[7 + n] != ' ' || c->type[0] != '\0')
        return wrong(c, "type", line);
    (void)snprintf(c->type, sizeof c->type, "%s", line + 8 + n);
    if (strcmp(c->type, "gauge") != 0 && strcmp(c->type, "counter") != 0 &&
        strcmp(c->type, "histogram") != 0)
        return wrong(c, "unknown type", line);
    if ((strcmp(c->type, "counter") == 0) != (n > 6 && strcmp(c->name + n - 6, "_total") == 0))
        return wrong(c, "counters, and they alone, end in _total", line);
    c->bucket_le = c->bucket_n = -1;
    return true;
}

/* {a="...",b="..."}: its length, 0 if there is none, (size_t)-1 if it is wrong. le, if it is there,
 * is copied. */
static size_t take_labels(const char *s, char le[32])
{
    const char *at = s;

    le[0] = '\0';
    if (*at != '{')
        return 0;
    do {
        size_t n = name_length(++at);
        bool is_le = n == 2 && strncmp(at, "le", 2) == 0;
        size_t k = 0;
        if (n == 0 || at[n] != '=' || at[n + 1] != '"')
            return (size_t)-1;
        for (at += n + 2; *at != '"'; at++) {
            if ((unsigned char)*at < ' ' || *at == '\\')
                return (size_t)-1; /* ours need no escapes */
            if (is_le && k < 31)
                le[k++] = *at;
        }
        if (is_le)
            le[k] = '\0';
        at++;
    } while (*at == ',');
    return *at == '}' ? (size_t)(at + 1 - s) : (size_t)-1;
}

static bool take_histogram(struct checker *c, const char *rest, const char *le, double v,
                           const char *line)
{
    if (strcmp(rest, "_bucket") == 0) {
        double bound = strcmp(le, "+Inf") == 0 ? 1e300 : strtod(le, NULL);
        if (le[0] == '\0' || bound <= c->bucket_le || v < c->bucket_n)
            return wrong(c, "buckets must rise", line);
        c->bucket_le = bound;
        c->bucket_n = v;
        return true;
    }
    if (c->bucket_le < 1e300)
        return wrong(c, "no bucket +Inf", line);
    if (strcmp(rest, "_count") == 0)
        return v == c->bucket_n ? true : wrong(c, "count is not the last bucket", line);
    return strcmp(rest, "_sum") == 0 ? true : wrong(c, "not of its family", line);
}

static bool take_sample(struct checker *c, const char *line)
{
    size_t n = name_length(line), family = strlen(c->name), labels;
    char le[32], rest[128] = "", *end;
    double v;

    if (c->type[0] == '\0' || n < family || n - family >= sizeof rest ||
        memcmp(line, c->name, family) != 0)
        return wrong(c, "not of its family", line);
    memcpy(rest, line + family, n - family);
    labels = take_labels(line + n, le);
    if (labels == (size_t)-1 || line[n + labels] != ' ')
        return wrong(c, "labels", line);
    if (!remember(c->series, &c->n_series, MAX_SERIES, line, n + labels))
        return wrong(c, "a series twice, or too many", line);
    if (strspn(line + n + labels + 1, "-0123456789.") != strlen(line + n + labels + 1))
        return wrong(c, "value", line);
    v = strtod(line + n + labels + 1, &end);
    if (*end != '\0' || end == line + n + labels + 1)
        return wrong(c, "value", line);
    if (strcmp(c->type, "gauge") != 0 && v < 0)
        return wrong(c, "a count below zero", line);
    if (strcmp(c->type, "histogram") == 0)
        return take_histogram(c, rest, le, v, line);
    return rest[0] == '\0' ? true : wrong(c, "not of its family", line);
}

/* True if it is right; c->why says what is not. */
static bool check(struct checker *c, const char *text, size_t len)
{
    bool good = len > 0 && text[len - 1] == '\n' && strlen(text) == len;
    char *copy = strndup(text, len), *at = copy, *newline;

    if (!good)
        (void)wrong(c, "not lines of text", "");
    while (good && copy != NULL && (newline = strchr(at, '\n')) != NULL) {
        *newline = '\0';
        good = at[0] == '#' ? take_comment(c, at) : take_sample(c, at);
        at = newline + 1;
    }
    free(copy);
    return good;
}

static struct checker *checker_new(void)
{
    struct checker *c = calloc(1, sizeof *c);

    if (c == NULL)
        abort();
    return c;
}

static void checker_free(struct checker *c)
{
    for (size_t i = 0; i < c->n_families; i++)
        free(c->families[i]);
    for (size_t i = 0; i < c->n_series; i++)
        free(c->series[i]);
    free(c);
}

/* ---- tests ---- */

static void expect(const char *text, const char *why)
{
    struct checker *c = checker_new();

    if (check(c, text, strlen(text)) != (why == NULL))
        fail_msg("%s: %s", text, c->why);
    if (why != NULL && strncmp(c->why, why, strlen(why)) != 0)
        fail_msg("%s: says '%s' and not '%s'", text, c->why, why);
    checker_free(c);
}

#define A_GAUGE "# HELP a An a.\n# TYPE a gauge\n"
#define A_COUNTER "# HELP a_total An a.\n# TYPE a_total counter\n"
#define A_HISTOGRAM "# HELP h An h.\n# TYPE h histogram\n"

static void test_checker_finds_what_is_wrong(void **state)
{
    (void)state;
    expect(A_GAUGE "a 1\n", NULL);
    expect(A_GAUGE "a{b=\"c\",d=\"\"} -1.5\na{b=\"d\"} 0\n", NULL);
    expect(A_GAUGE "a 1", "not lines");
    expect("a 1\n", "not of its family");
    expect(A_GAUGE "ab 1\n", "not of its family");
    expect(A_GAUGE "a 1\na 2\n", "a series twice");
    expect(A_GAUGE "a{b=\"c\"} 1\na{b=\"c\"} 2\n", "a series twice");
    expect(A_GAUGE "a{b=c} 1\n", "labels");
    expect(A_GAUGE "a{b=\"c\" 1\n", "labels");
    expect(A_GAUGE "a 0x1\n", "value");
    expect(A_GAUGE "a \n", "value");
    expect(A_GAUGE "a 1\n" A_GAUGE, "a family twice");
    expect("# HELP a An a.\n# TYPE b gauge\n", "type");
    expect("# HELP a An a.\n# TYPE a counter\n", "counters");
    expect("# HELP a_total An a.\n# TYPE a_total gauge\n", "counters");
    expect(A_COUNTER "a_total -1\n", "a count below zero");
    expect(A_HISTOGRAM "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n", NULL);
    expect(A_HISTOGRAM "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n", "buckets must rise");
    expect(A_HISTOGRAM "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 2\n", "buckets must rise");
    expect(A_HISTOGRAM "h_bucket{le=\"1\"} 1\nh_sum 1\n", "no bucket +Inf");
    expect(A_HISTOGRAM "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n", "count is not");
}

static json_t *some_status(void)
{
    return json_pack(
        "{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:b,s:{s:[{s:s,s:b,s:i},{s:s,s:b}]},s:[{s:s,s:b,s:s,s:i,s:i,"
        "s:i,s:i,s:i},{s:s,s:b}],s:{s:i},s:i,s:{s:i},s:{s:i},s:{s:s,s:i}}",
        "alias", "bank_a", "sequencer", "bank_a", "state", "pending", "height", 12, "final_height",
        11, "log_size", 30, "behind_blocks", 0, "draining", 0, "checkpoint", "cosigners", "alias",
        "bank_a", "signed", 1, "age_ms", -5, "alias", "bank_b", "signed", 0, "peers", "alias",
        "bank_b", "up", 1, "version", "0.2", "rules", 2, "at", 13, "final", 12, "rtt_ms", 3,
        "skew_ms", -1207, "alias", "bank_c", "up", 0, "queries", "running", 1, "strangers", 4,
        "disk", "free_bytes", 1000, "memory", "rss_bytes", 5000, "software", "firmiana", "0.1.0",
        "rules", 1);
}

static void fill(struct node_counts *counts)
{
    counts->started_unix_ms = 1795169460007;
    count_add(&counts->transactions, "query.open", "");
    count_add(&counts->transactions, "query.open", "consent.missing");
    counts_query(counts, "refused", "evil\"} 1\nfirmiana_x{y=\"", 0);
    count_time(&counts->finality, 12);
    count_time(&counts->finality, 1e7);
}

static void test_what_a_node_writes(void **state)
{
    static const char *const lines[] = {
        "firmiana_build_info{version=\"0.1.0\",rules=\"1\"} 1\n",
        "firmiana_start_time_seconds 1795169460.007\n",
        "firmiana_ledger_state{state=\"pending\"} 1\n",
        "firmiana_ledger_state{state=\"settled\"} 0\n",
        "firmiana_ledger_sequencing 1\n",
        "firmiana_checkpoint_age_seconds{member=\"bank_a\"} -0.005\n",
        "firmiana_ledger_transactions_total{type=\"query.open\",rule=\"consent.missing\"} 1\n",
        "firmiana_peer_up{peer=\"bank_b\"} 1\n",
        "firmiana_peer_up{peer=\"bank_c\"} 0\n",
        "firmiana_peer_round_trip_seconds{peer=\"bank_b\"} 0.003\n",
        "firmiana_peer_clock_skew_seconds{peer=\"bank_b\"} -1.207\n",
        "firmiana_peer_info{peer=\"bank_b\",version=\"0.2\",rules=\"2\"} 1\n",
        "firmiana_queries_running 1\n",
        "firmiana_strangers_refused_total 4\n",
        "firmiana_queries_total{outcome=\"refused\",rule=\"evil_} 1_firmiana_x{y=_\"} 1\n",
        "firmiana_finality_seconds_bucket{le=\"0.010\"} 0\n",
        "firmiana_finality_seconds_bucket{le=\"0.020\"} 1\n",
        "firmiana_finality_seconds_bucket{le=\"600.000\"} 1\n",
        "firmiana_finality_seconds_bucket{le=\"+Inf\"} 2\n",
        "firmiana_finality_seconds_sum 10000.012\n",
    };
    static struct node_counts counts;
    struct checker *c = checker_new();
    struct base_buf out = {0};
    json_t *status = some_status();

    (void)state;
    assert_non_null(status);
    fill(&counts);
    metrics_write(&out, status, &counts);
    assert_false(out.failed);
    if (!check(c, base_buf_cstr(&out), out.len))
        fail_msg("%s", c->why);
    assert_true(c->n_series > 60);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(base_buf_cstr(&out), lines[i]) == NULL)
            fail_msg("not there: %s", lines[i]);
    checker_free(c);
    base_buf_release(&out);
    json_decref(status);
}

static int check_file(const char *path)
{
    struct checker *c = checker_new();
    struct base_buf text = {0};
    struct base_err err = {0};
    int code = 1;

    if (base_file_read(&text, path, 1 << 24, &err) != FM_OK)
        fprintf(stderr, "%s\n", err.text);
    else if (!check(c, base_buf_cstr(&text), text.len))
        fprintf(stderr, "%s: %s\n", path, c->why);
    else
        code = 0;
    if (code == 0)
        printf("%zu samples in %zu families\n", c->n_series, c->n_families);
    base_buf_release(&text);
    checker_free(c);
    return code;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checker_finds_what_is_wrong),
        cmocka_unit_test(test_what_a_node_writes),
    };

    return argc > 1 ? check_file(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
