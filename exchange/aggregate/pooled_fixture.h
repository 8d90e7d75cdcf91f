/* For the tests of this folder: banks with rows, a threshold key of fixed primes, and a run of the
 * protocol among threads. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_POOLED_FIXTURE_H
#define FIRMIANA_EXCHANGE_AGGREGATE_POOLED_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exchange/aggregate/run_own.h"
#include "exchange/sql/bind/compile.h"
#include "mpc/paillier/threshold_own.h"
#include "net/loop.h"

enum { POOLED_ROWS = 60, POOLED_KEY_BITS = 1024 };

struct pooled_row {
    bool x_null, g_null, y_null, f;
    int64_t id, x, g;
    char y[5];
};

/* Table u of each bank: id, x in [-500, 500], g in [1, 4], f, y. */
struct pooled_world {
    unsigned parties, banks, decryptors;
    const char *const *names;            /* of parties */
    unsigned sources[AGGREGATE_SOURCES]; /* party of each bank */
    unsigned recipient;
    struct sql_catalog catalog;
    struct mpc_pai_thr *key; /* 2 of 3 */
    struct mpc_pai_thr_share *shares[MPC_PAI_THR_PARTIES];
    struct pooled_row rows[AGGREGATE_SOURCES][POOLED_ROWS];
    size_t counts[AGGREGATE_SOURCES];
    struct base_err err;
};
extern struct pooled_world pooled;

void pooled_ok(fm_status st);
/* names, sources and counts are set before; rows are drawn where there are none. */
void pooled_make(unsigned parties, const char *const *names, unsigned banks);
void pooled_release(void);
void pooled_compile(struct sql_plan *plan, struct aggregate_shape *shape, const char *text,
                    int64_t minimum);

struct pooled_party {
    const struct aggregate_shape *shape;
    struct net_transport *transport;
    unsigned self, minimum, decryptors;
    bool lies; /* its share is another's */
    /* In place of the protocol: a cheat. */
    void (*instead)(struct pooled_party *p, void *ctx);
    void *ctx;
    fm_status (*may_open)(void *ctx, struct base_err *err);
    struct sql_value value;
    struct sql_result result;
    struct aggregate_record record;
    struct net_stats stats;
    fm_status status;
    struct base_err err;
};
struct pooled_fault {
    enum net_loop_fault_kind kind;
    unsigned party;
    uint64_t at, bit;
    bool fired; /* out */
};
/* parties[i].instead, .lies, .minimum, .may_open and .ctx are set before. fault: or NULL. */
void pooled_run(struct pooled_party *parties, const struct aggregate_shape *shape,
                unsigned decryptors, struct pooled_fault *fault);
void pooled_results_release(struct pooled_party *parties);
/* The configuration of that party's run. */
struct aggregate_config pooled_config(const struct pooled_party *p);

#endif
