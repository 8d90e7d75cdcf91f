/* Stage 5, run: one party's part of a physical plan, over an mpc session. Every party of the
 * session runs the same program, whatever its roles: a provider puts in its rows, a compute party
 * computes on shares, a recipient gets the result, and one party may be all three or only some.
 * Which protocol runs is not seen here.
 *
 * TEXT. Texts are compared by keyed hashes: the first source's provider draws a key, sends it to
 * the other providers over the transport (and to nobody else: parties that only compute see shares
 * of hashes, and hashes mean nothing without the key), and every text enters as the first 128 bits
 * of HMAC(key, bytes) with base_hash. Texts of the query itself enter as inputs of the first
 * provider, so that they mean nothing to parties that only compute either. Two different texts are
 * taken for equal with probability 2^-128.
 *
 * What each party learns: recipients the result; everybody the sizes in the plan; nobody anything
 * else. Sizes are the declared ones: rows beyond a provider's own are padding with a secret valid
 * bit. */
#ifndef FIRMIANA_EXCHANGE_RUN_RUN_H
#define FIRMIANA_EXCHANGE_RUN_RUN_H

#include "exchange/sql/physical/physical.h"
#include "exchange/sql/physical/result.h"
#include "mpc/protocol.h"

/* One value of a row: TEXT uses text and len, everything else value. */
struct sql_cell {
    bool null;
    int64_t value;
    const char *text;
    size_t len;
};

/* A source's rows, in an order of the provider's own, which is one for all mentions of a dataset:
 * these are read together (physical/local_once.h), tables that are looked up in (local_join.h)
 * before those whose rows look there. next() fills
 * cells[i] for each column i of the plan (plan->columns) that is of the source's table, or sets
 * *end. Texts stay valid until the next call. */
struct sql_rows {
    fm_status (*next)(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err);
    void *ctx;
};

/* Places where a session looks in. Each may be NULL; an error from one ends the run as a failure of
 * this party. */
struct sql_run_hooks {
    /* After all input is shared: source's column (a source input step) as this party holds it. */
    fm_status (*input_shared)(void *ctx, size_t source, size_t step, const struct mpc_share *share,
                              struct base_err *err);
    /* Before anything is opened: the place for "every compute party confirms", and for the last
     * look at revocations. */
    fm_status (*before_reveal)(void *ctx, struct base_err *err);
    /* What is about to be revealed: output's value (part 0), known (1), shown (2). */
    fm_status (*result_shared)(void *ctx, size_t output, unsigned part,
                               const struct mpc_share *share, struct base_err *err);
    /* Operator `at` of `of` begins, from 1: "rows" and "share" put the inputs in, "open" is the
     * last, those between are named as sql_step_name() does. A function of the plan alone. */
    void (*progress)(void *ctx, unsigned at, unsigned of, const char *name);
    void *ctx;
};

struct sql_run_config {
    const struct sql_physical *physical;
    struct mpc_session *session;
    struct net_transport *transport; /* the session's; NULL where the session has none */
    unsigned stream;                 /* of the transport, for the text key: the session's first */
    const unsigned *sources;         /* party of each plan source */
    const unsigned *recipients;      /* party of each plan recipient */
    unsigned asker;                  /* party that puts in hidden parameters */
    const struct sql_value *params;  /* all of the plan's; hidden ones are read at the asker only */
    const struct sql_rows *const *rows; /* for each source: its rows at its provider, else NULL */
    const struct base_random *random;
    struct sql_run_hooks hooks;
};

/* Runs it all. *out is initialised at recipients and empty ({0}) elsewhere and after a failure; the
 * caller releases it.
 * Errors: FM_E_INPUT, FM_E_LIMIT: this provider's rows break what its dataset declares (row number
 * and column are named, values are not; "row" counts from 1 in the order of its source); FM_E_PEER,
 * FM_E_TIMEOUT and others from mpc/ and the transport, prefixed with what was being done;
 * FM_E_UNSUPPORTED: a hidden TEXT parameter of an asker that is no provider. After any failure of
 * its own this party has aborted the transport, so that nobody waits. */
fm_status sql_run(struct sql_result *out, const struct sql_run_config *config,
                  struct base_err *err) FM_CHECK;

/* The hash that stands for a text: for tests and for courts that get the key. */
fm_status sql_text_hash(uint8_t out16[16], const uint8_t key32[32], const char *text, size_t len,
                        struct base_err *err) FM_CHECK;

#endif
