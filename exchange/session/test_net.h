/* Sessions of one query, one a party, with a made-up host each and a network in memory that a test
 * can hold up, lose, double, alter and forge. Time is a number. */
#ifndef FIRMIANA_EXCHANGE_SESSION_TEST_NET_H
#define FIRMIANA_EXCHANGE_SESSION_TEST_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/session/session.h"

enum { NET_PARTIES_MAX = 5, NET_WIRE_MAX = 4096, NET_BEGIN_MS = 1000000, NET_QUERY_MS = 60000 };

struct net_party;

struct wire_message {
    unsigned from, to;
    json_t *message;
};

struct test_net {
    unsigned n;
    int64_t now;
    struct net_party *party[NET_PARTIES_MAX];
    struct wire_message wire[NET_WIRE_MAX]; /* under way, in order */
    unsigned count;
    /* the ledger: the first query.close stands */
    json_t *closed;
    unsigned closes, receipts;
    char blamed[SESSION_ALIAS]; /* by the last query.receipt */
};

struct net_party {
    struct test_net *net;
    unsigned self;
    struct session *session;
    /* what the host does */
    const char *refuse; /* prepare refuses with this rule */
    bool start_fails, submit_fails, prove_fails, gone;
    bool slow;      /* prepare takes until test_net_prepared() */
    unsigned place; /* in its queue meanwhile */
    /* what was asked of it */
    unsigned started, stopped, finished, submitted;
    bool running; /* the computation, until the test ends it */
    unsigned done_proofs, unshared_proofs;
    struct base_err end; /* as finished() said */
};

/* n parties p0, p1, ...; the first three compute, all but p2 provide, p`asker` asks and sees. */
void test_net_init(struct test_net *net, unsigned n, unsigned asker);
void test_net_release(struct test_net *net);

/* The asker's node hands over the openings. */
void test_net_open(struct test_net *net);
/* What a slow party promised: it is prepared, or refuses with the rule in `refuse`. */
void test_net_prepared(struct test_net *net, unsigned who);
/* Delivers the i-th message under way, or drops it. */
void test_net_deliver(struct test_net *net, unsigned i);
void test_net_drop(struct test_net *net, unsigned i);
/* Delivers everything, in order, until nothing is under way. */
void test_net_flow(struct test_net *net);
/* The computation of one party, or of all that run, ends well. */
void test_net_done(struct test_net *net, unsigned who);
void test_net_done_all(struct test_net *net);
/* query.close is final at one party, or at all; nothing if it was never submitted. */
void test_net_close_at(struct test_net *net, unsigned who);
void test_net_close(struct test_net *net);
/* Time passes; every session ticks. */
void test_net_pass(struct test_net *net, int64_t ms);
/* Lets everything run its course: messages, time, computations that still run (they fail, as when
 * their channels are aborted), closes. All sessions must be over afterwards. */
void test_net_finish(struct test_net *net);
/* session_check() of all, and what holds between them:
 *   - a close as done needs the proof of everyone, each given by a party whose own part it holds;
 *   - who started never says that nothing was shared;
 *   - nobody is DONE unless the ledger says so. */
void test_net_check(struct test_net *net);

enum session_state test_net_state(const struct test_net *net, unsigned who);
/* What party `who` reports of its computation: agrees with all others'. Caller owns. */
json_t *test_net_part(const struct test_net *net, unsigned who);
/* A message as party `from` would send it in this session, member NULL for none. value is used up.
 */
json_t *test_net_message(const char *kind, const char *member, json_t *value);
/* Hands party `to` a message from `from`; message is used up. */
void test_net_hand(struct test_net *net, unsigned from, unsigned to, json_t *message);

#endif
