/* Sessions, shares, input and output: see protocol.h for how they are used. */
#ifndef FIRMIANA_MPC_SESSION_H
#define FIRMIANA_MPC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/status.h"
#include "net/transport.h"

struct mpc_session;
struct mpc_share;
struct mpc_perm;
struct mpc_protocol;

enum {
    MPC_MAX_COMPONENTS = 3,  /* components of one sharing, over all parties */
    MPC_MAX_WIDTH = 1024,    /* planes of one bits share */
    MPC_CHUNK_WORDS = 32768, /* 256 KiB: the largest message of an operation on long vectors */
    MPC_MAX_LIST = 4096      /* vectors in one list */
};
#define MPC_MAX_N ((size_t)1 << 32) /* elements of one share */

enum mpc_domain { MPC_RING64 = 1, MPC_BITS = 2 };
enum mpc_adversary { MPC_NO_ADVERSARY, MPC_SEMI_HONEST, MPC_MALICIOUS_ABORT };
enum mpc_sign { MPC_UNSIGNED, MPC_SIGNED };      /* how b2a reads the top plane */
enum mpc_direction { MPC_FORWARD, MPC_INVERSE }; /* of a permutation */
/* Part of the session descriptor: always the way of few rounds, always that of few bytes, or by
 * length, for what lies between the compute parties (choice.h). */
enum mpc_profile { MPC_FEW_ROUNDS, MPC_FEW_BYTES, MPC_LAN, MPC_METRO, MPC_WAN };

struct mpc_range {
    int64_t lo;
    int64_t hi;
};
#define MPC_RANGE_FULL ((struct mpc_range){INT64_MIN, INT64_MAX})

/* The smallest two's complement width that holds lo..hi (1..64): {0, 1} -> 2, {-1, 0} -> 1. */
unsigned mpc_range_width(struct mpc_range range);

/* ---- sessions ---- */

struct mpc_session_config {
    const struct mpc_protocol *protocol;
    struct net_transport
        *transport;           /* NULL only for a one-party protocol: then self is party 0 of 1 */
    const unsigned *compute;  /* the compute parties, by transport number, distinct */
    size_t compute_len;       /* == protocol->parties */
    uint8_t context32[32];    /* descriptor hash: keys every derivation of the session */
    unsigned first_stream;    /* streams [first_stream, first_stream + streams) are ours */
    unsigned streams;         /* at least 1: as many threads a party (lanes), if the row can */
    enum mpc_profile profile; /* the same at all parties */
    const struct base_random *random;
};

/* Opens a session; compute parties exchange fresh 32-byte seeds and key their joint generators with
 * HKDF-SHA256(seed, salt = context32). The transport and the random source must outlive it, the
 * arrays need not. rep3: 1 round, 32 bytes a compute party, whatever the streams. */
fm_status mpc_session_open(struct mpc_session **out, const struct mpc_session_config *config,
                           struct base_err *err) FM_CHECK;
/* Wipes and frees all. NULL is allowed. Says nothing to the peers: after a failure mpc has already
 * aborted the transport; a caller that stops early for its own reasons calls net_abort(). */
void mpc_session_close(struct mpc_session *s);

struct mpc_stats {
    uint64_t rounds;         /* longest chain of dependent messages so far */
    uint64_t bytes_sent;     /* by this party since the session was opened */
    uint64_t bytes_received; /* likewise */
    uint64_t and_gates;      /* secret AND gates, one per bit and element */
    uint64_t mul_gates;      /* secret ring products */
    uint64_t memory_peak;    /* bytes of columns alive at once, at most, at this party */
    uint64_t memory_pool; /* bytes taken for columns and scratch, alive or spare: a freed column's
                             memory serves the next of its size, and no other, until the session
                             is closed */
    uint64_t memory_heap; /* bytes at most of what is no column: maps and lists of sorts, orders */
};
void mpc_session_stats(const struct mpc_session *s, struct mpc_stats *out);
bool mpc_session_computes(const struct mpc_session *s); /* is this party a compute party? */
unsigned mpc_session_self(const struct mpc_session *s); /* its number in the transport */
unsigned mpc_session_parties(const struct mpc_session *s);
enum mpc_profile mpc_session_profile(const struct mpc_session *s);

/* ---- shares ---- */

void mpc_share_free(struct mpc_share *x);                    /* NULL allowed */
void mpc_share_free_all(struct mpc_share **x, size_t count); /* each, and sets each to NULL */
struct mpc_session *mpc_share_session(const struct mpc_share *x);
size_t mpc_share_n(const struct mpc_share *x);
enum mpc_domain mpc_share_domain(const struct mpc_share *x);
unsigned mpc_share_width(const struct mpc_share *x);         /* bits: planes; ring: of its range */
struct mpc_range mpc_share_range(const struct mpc_share *x); /* ring only; bits: 0..0 */
/* Declares a narrower range that the caller can prove (the planner does). Declaring one that does
 * not hold makes later results wrong, never unsafe. FM_E_ARG if not within the present range. */
fm_status mpc_share_narrow(struct mpc_share *x, struct mpc_range range,
                           struct base_err *err) FM_CHECK;

/* For receipts: which components of every sharing this party holds, by their number in the protocol
 * (rep3, compute party i: i and i+1 mod 3). Returns how many (0 at an outsider). */
unsigned mpc_session_held(const struct mpc_session *s, unsigned held[MPC_MAX_COMPONENTS]);
/* out32 = H("firmiana mpc share v1" | 0 | salt32 | domain u8 | component u8 | width u16 | n
 * u64 | words), integers big-endian; words: each 64-bit word as 8 bytes little-endian, ring
 * elements in order, or planes in order with ceil(n/64) words each, bits past n zero; width is 64
 * for the ring. Both holders of a component get the same value. FM_E_ARG if this party does not
 * hold it. */
fm_status mpc_share_digest(const struct mpc_share *x, unsigned component, const uint8_t salt32[32],
                           uint8_t out32[32], struct base_err *err) FM_CHECK;

/* ---- input and output ---- */

/* One column of one owner. values / planes are read at the owner only and must be NULL elsewhere.
 */
struct mpc_input {
    enum mpc_domain domain;
    unsigned owner; /* transport number; need not compute */
    size_t n;
    struct mpc_range range; /* ring */
    unsigned width;         /* bits */
    const int64_t *values;  /* ring: n values within range (checked: FM_E_INPUT) */
    const uint64_t *planes; /* bits: width planes of ceil(n/64) words, see mpc_pack() */
};
/* out[i] = a sharing of item i. Cost in rep3, for 8-byte words: an owner that computes sends them
 * once; another sends 2 * 32 bytes of seed to each holder pair and the words to both holders of the
 * third component, and the compute parties then compare 32-byte hashes (1 more round, once for the
 * whole list); who sent different shares is named. 1 round, or 2 with outside owners. */
fm_status mpc_input(struct mpc_session *s, struct mpc_share **out, const struct mpc_input *items,
                    size_t count, struct base_err *err) FM_CHECK;

/* Local helpers for providers. planes: width * ceil(n/64) words, all written. */
size_t mpc_plane_words(size_t n); /* ceil(n / 64) */
/* Plane j of element i from bit j of values[i]; width 1..64. */
void mpc_pack(uint64_t *planes, const uint64_t *values, size_t n, unsigned width);
/* The same from elements of `width` bits given as big-endian byte strings of width / 8 bytes each,
 * one after another (text hashes: width 128); width a multiple of 8. Plane 0 is the last bit. */
void mpc_pack_bytes(uint64_t *planes, const uint8_t *bytes, size_t n, unsigned width);

/* Every value to every recipient (transport numbers, distinct; need not compute), after check(),
 * and to nobody else: a recipient learns the values, and nothing beside them of the shares behind
 * them. out may be NULL where this party is no recipient; at a recipient out[i] gets n words: the
 * ring elements, or the bit strings zero-extended (width <= 64). 1 round; rep3: 8 bytes a word for
 * each recipient that computes, over all parties (it is sent the one component it lacks, by two
 * parties in turn), 24 for another (under a fresh zero-sharing).
 */
fm_status mpc_reveal(const struct mpc_share *const *x, size_t count, const unsigned *recipients,
                     size_t recipients_len, int64_t *const *out, struct base_err *err) FM_CHECK;
/* To all compute parties and only for values that say nothing (masked or shuffled): the caller
 * argues why, in a comment at the call. After check(). out[i] gets n words at compute parties; out
 * may be NULL at others. rep3: 1 round, 8 bytes a word and party. */
fm_status mpc_open_masked(const struct mpc_share *const *x, size_t count, int64_t *const *out,
                          struct base_err *err) FM_CHECK;
/* The same for one column of bits: out gets its planes of ceil(n / 64) words each, bits past n zero
 * (at compute parties; else it may be NULL). */
fm_status mpc_open_masked_planes(const struct mpc_share *x, uint64_t *out,
                                 struct base_err *err) FM_CHECK;

#endif
