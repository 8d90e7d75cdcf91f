#include "exchange/run/test_estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool near(uint64_t estimated, uint64_t counted, double part)
{
    double off =
        estimated > counted ? (double)(estimated - counted) : (double)(counted - estimated);

    return off <= part * (double)counted;
}

/* The entries are all of it but the session's opening. */
static void check_entries(const struct sql_estimate *e, const char *text)
{
    uint64_t rounds = 0, bytes = 0;

    for (size_t i = 0; i < e->count; i++) {
        rounds += e->costs[i].rounds;
        bytes += e->costs[i].bytes;
    }
    if (e->count < 3 || rounds > e->all.rounds || bytes > e->all.bytes ||
        rounds + 2 < e->all.rounds || bytes + 1024 < e->all.bytes)
        fail_msg("%s\n%zu entries: %llu rounds, %llu bytes; all: %llu and %llu", text, e->count,
                 (unsigned long long)rounds, (unsigned long long)bytes,
                 (unsigned long long)e->all.rounds, (unsigned long long)e->all.bytes);
}

void estimate_check(const struct sql_estimate_config *config, const struct mpc_stats *stats,
                    double part, const char *text)
{
    struct sql_estimate e;
    struct base_err err;
    uint64_t sent = 0, rounds = stats[config->compute[0]].rounds;

    if (sql_estimate(&e, config, &err) != FM_OK)
        fail_msg("%s\n%s", text, err.text);
    for (unsigned p = 0; p < config->parties; p++)
        sent += stats[p].bytes_sent;
    if (!near(e.all.rounds, rounds, part) || !near(e.all.bytes, sent, part))
        fail_msg("%s\nestimated %llu rounds, %llu bytes; counted %llu and %llu", text,
                 (unsigned long long)e.all.rounds, (unsigned long long)e.all.bytes,
                 (unsigned long long)rounds, (unsigned long long)sent);
    check_entries(&e, text);
    sql_estimate_release(&e);
}
