/* A transport inside one process, for tests of mpc/ and for running all parties as threads:
 * blocking queues, no sealing, no sockets, real time. It keeps transport.h to the letter: exact
 * counters, window, message lengths checked, abort and its names. Whole consortia in virtual time
 * with real channels are net/sim.h's business.
 *
 * Use: net_loop_new(); give net_loop_transport(loop, i) to party i's threads; join all threads;
 * net_loop_free(). A party that gives up early calls net_abort() on its transport, and every other
 * party's calls then fail with its name. Thread-safe as transport.h says. */
#ifndef FIRMIANA_NET_LOOP_H
#define FIRMIANA_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/transport.h"

struct net_loop;

/* names: parties names, copied; NULL gives "p0", "p1", ... Errors: FM_E_ARG (parties not in 1 ..
 * NET_MAX_PARTIES), FM_E_MEMORY. */
fm_status net_loop_new(struct net_loop **out, unsigned parties, const char *const *names,
                       struct base_err *err) FM_CHECK;

/* Party's end; owned by the loop, valid until net_loop_free(). */
struct net_transport *net_loop_transport(struct net_loop *loop, unsigned party);

/* No thread may be inside a call of any of the transports. NULL is allowed. */
void net_loop_free(struct net_loop *loop);

/* How long a call may wait before the session ends with FM_E_TIMEOUT; 60 s unless set. Set before
 * use. */
void net_loop_set_timeout_ms(struct net_loop *loop, uint32_t timeout_ms);

enum net_loop_fault_kind {
    NET_LOOP_ALTER, /* one bit of the message is flipped: what a cheating party could send */
    NET_LOOP_DROP,  /* the message is lost: its receiver times out or meets a wrong length */
    NET_LOOP_KILL   /* the sender dies: its own calls fail with FM_E_CANCELLED, all others' with
                       FM_E_PEER naming it */
};

/* Injects one fault at the at-th message (from 1) that `party` sends; party = NET_LOOP_ANY counts
 * the messages of all parties in whatever order they come. For ALTER, bit selects the bit, modulo
 * the message's bits (an empty message stays as it is and counts as no fault). Set before use. */
enum { NET_LOOP_ANY = NET_MAX_PARTIES };
void net_loop_set_fault(struct net_loop *loop, enum net_loop_fault_kind kind, unsigned party,
                        uint64_t at, uint64_t bit);

/* Whether the fault happened: a fault loop raises `at` until it did not. */
bool net_loop_fault_fired(struct net_loop *loop);

#endif
