/* The members of bench_ledger as processes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "benches/ledger_members.h"
#include "benches/parties.h"
#include "benches/place.h"

/* Before anybody forks: everybody knows everybody's channel key and address. */
static void make_channels(struct ledger_bench *b, struct bench_place *places)
{
    for (size_t i = 0; i < b->n; i++) {
        struct ledger_bench_member *m = &b->member[i];
        struct net_identity *identity;
        ledger_must(base_random_fill(base_random_system(), m->channel_seed, 32, &ledger_bench_err));
        ledger_must(
            net_identity_from_seed(&identity, m->alias, m->channel_seed, &ledger_bench_err));
        memcpy(m->channel_key, net_identity_key(identity), NET_KEY);
        net_identity_free(identity);
        ledger_must(bench_place_of(&places[i], (unsigned)i, &ledger_bench_err));
        ledger_must(bench_free_port(m->endpoint, &places[i], &ledger_bench_err));
    }
}

static void begin(struct ledger_bench_member *m, const struct bench_place *place)
{
    int back; /* the process ends there: nobody goes back */

    ledger_must(bench_place_enter(place, &back, &ledger_bench_err));
    ledger_member_open(m);
    ledger_member_connect(m);
}

/* Secret keys do not pass a fork: the child makes its own from the seed. */
static void child(struct ledger_bench_member *m, const struct bench_place *place)
{
    ledger_must(
        did_secret_import(&m->node, did_suite_usual(), m->node_seed, 32, &ledger_bench_err));
    begin(m, place);
    (void)ledger_member_run(m);
    ledger_member_close(m);
    _exit(0);
}

void ledger_sealed_start(struct ledger_bench *b, pid_t *pids)
{
    struct bench_place places[LEDGER_MEMBERS_MAX];

    make_channels(b, places);
    (void)fflush(NULL);
    for (size_t i = 0; i + 1 < b->n; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            child(&b->member[i], &places[i]);
        if (pids[i] < 0)
            ledger_must(base_err_errno(&ledger_bench_err, "fork"));
    }
    begin(&b->member[b->n - 1], &places[b->n - 1]);
}

void ledger_sealed_join(struct ledger_bench *b, const pid_t *pids)
{
    for (size_t i = 0; i + 1 < b->n; i++) {
        int status = 0;
        if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
            ledger_must(base_err_set(&ledger_bench_err, FM_E_PEER, "%s ended before its time",
                                     b->member[i].alias));
        did_secret_free(b->member[i].node);
    }
}
