/* For the tests of mpc/: all parties of a session as threads over net_loop, a seeded generator that
 * seeks corners, and a meter of the longest chain of dependent messages. */
#ifndef FIRMIANA_MPC_TEST_WORLD_H
#define FIRMIANA_MPC_TEST_WORLD_H

#include "mpc/protocol.h"
#include "net/loop.h"

enum { WORLD_PARTIES = 6 };

/* What every party runs. Returns the status it ends with. */
typedef fm_status world_program(struct mpc_session *s, void *arg, struct base_err *err);

struct world {
    /* set before world_run() */
    const struct mpc_protocol *row;
    const struct mpc_protocol
        *row_of[WORLD_PARTIES]; /* overrides row, for debug rows: one a party */
    unsigned outsiders;         /* parties beside the compute parties, numbered after them */
    enum mpc_profile profile;
    enum net_loop_fault_kind fault_kind;
    unsigned fault_party;
    uint64_t fault_at; /* 0: no fault */
    uint64_t fault_bit;
    uint64_t
        seed;   /* not 0: what parties draw for themselves comes from here, not from the system */
    bool trace; /* keep the sizes and order of each party's messages */
    uint32_t timeout_ms;
    unsigned streams; /* 0 and 1: one. More: without the meter, which knows no streams */
    void (*on_send)(unsigned from, unsigned to, const void *bytes, size_t len); /* may be NULL */
    void (*before)(unsigned self); /* on the party's thread, around all it does; may be NULL */
    void (*after)(unsigned self);
    /* found after it */
    unsigned parties;
    fm_status status[WORLD_PARTIES];
    struct base_err err[WORLD_PARTIES];
    struct mpc_stats stats[WORLD_PARTIES];
    uint64_t depth; /* longest chain of messages, of which each was sent after the one before was
                       received */
    bool fault_fired;
    char *traces[WORLD_PARTIES]; /* malloc'd texts; world_clear() frees them */
};

/* Runs the program at all parties and waits for them. */
void world_run(struct world *w, world_program *program, void *arg);
/* The same, and every party must end well. */
void world_must_run(struct world *w, world_program *program, void *arg);
/* The same with a fault among the messages: all must end with an error if it was met, and well if
 * the program has fewer messages. Waits timeout_ms for what is lost, and twice that again where a
 * busy machine made somebody give up before. Returns whether the fault was met. */
bool world_meets_fault(struct world *w, world_program *program, void *arg);
void world_clear(struct world *w);

/* xorshift64*: seeded, printed on failure by the callers. next_value() likes zeros, ones, powers of
 * two and long runs. */
struct test_rng {
    uint64_t state;
};
uint64_t rng_next(struct test_rng *rng);
int64_t rng_value(struct test_rng *rng);
int64_t rng_in(struct test_rng *rng, struct mpc_range range); /* likes the ends */

/* Shorthands inside programs. n values of party `owner`; only that party passes them. */
fm_status feed(struct mpc_session *s, struct mpc_share **out, unsigned owner, const int64_t *values,
               size_t n, struct mpc_range range, struct base_err *err);
fm_status feed_bits(struct mpc_session *s, struct mpc_share **out, unsigned owner,
                    const uint64_t *values, size_t n, unsigned width, struct base_err *err);
/* Reveals x to party `to`, into out there. */
fm_status tell(const struct mpc_share *x, unsigned to, int64_t *out, struct base_err *err);

/* FM_OK or return from the program. */
#define TRY(call)                      \
    do {                               \
        fm_status try_status = (call); \
        if (try_status != FM_OK)       \
            return try_status;         \
    } while (0)

#endif
