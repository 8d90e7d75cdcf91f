/* mpc/: secret sharing over whole columns. This header is the room's front door: sessions, shares,
 * and the operations table that every protocol fills. circuit/ (comparisons, select, extremes,
 * division) and oblivious/ (orders, sorting, scans, grouping, joins) are written once over it and
 * never ask which protocol runs.
 *
 * HOW A CALLER USES IT
 *
 *   struct mpc_session_config c = {.protocol = mpc_protocol_find("rep3"), .transport = t,
 *       .compute = (unsigned[]){0, 1, 2}, .compute_len = 3, .first_stream = 0, .streams = 1,
 *       .profile = MPC_LAN, .random = base_random_system()};
 *   memcpy(c.context32, descriptor_hash, 32);
 *   mpc_session_open(&s, &c, err);
 *   struct mpc_input in[] = {
 *       {.domain = MPC_RING64, .owner = 3, .n = rows, .range = {0, 99999}, .values = mine_or_null},
 *       {.domain = MPC_BITS, .owner = 3, .n = rows, .width = 1, .planes = valid_or_null}};
 *   struct mpc_share *col[2], *hit, *mask, *sum;
 *   mpc_input(s, col, in, 2, err);                         all providers' columns in one call
 *   mpc_less_public(&hit, col[0], 5000, err);              circuit/compare.h: col[0] < 5000
 *   mpc_and(&mask, hit, col[1], err);
 *   mpc_sum_where(&sum, col[0], mask, err);                circuit/aggregate.h
 *   mpc_reveal((const struct mpc_share *[]){sum}, 1, &asker, 1, &answer_or_null, err);
 *   mpc_session_close(s);                                  wipes and frees every share left
 *
 * EVERY PARTY RUNS THE SAME PROGRAM, compute party or not: the same calls in the same order with
 * the same public arguments (lengths, ranges, constants, recipients). At a party that does not
 * compute (a provider or recipient that is only a party of the transport), shares are hollow: they
 * carry length, domain, width and range, all arguments are checked, and operations do nothing,
 * except that input sends what it owns and reveal receives what it is a recipient of.
 *
 * SHARES. A share is this party's part of one secret vector of n elements, of one domain:
 *
 *   - MPC_RING64: n integers, two's complement in Z_2^64, with a public inclusive range lo..hi that
 *     the caller vouches for at input and that every operation carries forward. Widths, and so
 *     costs, follow the range: a column of 0..999999 pays for 20 bits and a sign, not for 64. An
 *     operation whose result could leave 64 bits is refused (FM_E_LIMIT), except that an operand
 *     with the full range lo = INT64_MIN, hi = INT64_MAX means "any ring element, arithmetic wraps
 *     mod 2^64": results of such operands have the full range.
 *   - MPC_BITS: n bit strings of `width` bits, XOR-shared and bit-sliced: plane j holds bit j of
 *     all n elements, packed 64 to a word, bit i % 64 of word i / 64 for element i. A truth value
 *     is width 1. An integer in this form is two's complement, plane 0 its lowest bit.
 *
 * A share belongs to its session: mpc_share_free() gives its memory back to the session (for reuse
 * there), mpc_session_close() wipes and frees all of it; a block is not wiped between uses inside
 * the session. One column is one 64-byte aligned block of `held` components, each rounded up to 64
 * bytes (ring: 8n; bits: 8 * width * ceil(n / 64)), the block rounded up to the next quarter of a
 * power of two; held is 1 for plain, 2 for rep3, 0 at an outsider. Outputs are fresh shares,
 * written only on success (*out is NULL after a failure); they never alias an input, and inputs are
 * never changed.
 *
 * ERRORS. FM_E_ARG: our caller's mistake (lengths differ, shares of two sessions, wrong domain or
 * width), the same at every party; nothing was sent and peers are not told: the caller aborts.
 * FM_E_LIMIT: the range rule above. FM_E_PEER, FM_E_TIMEOUT: the transport's own words behind the
 * operation's name ("rep3 mul: bank_b ..."); the session is then of no more use, and other failures
 * (FM_E_MEMORY) abort the transport so that nobody waits. FM_E_INPUT: a value that this party
 * wanted to input is outside its declared range (its position is named, its value is not); the
 * transport is aborted.
 *
 * THREADS. One session is used by one thread at a time. Several sessions may run over one transport
 * on different streams. A session with several streams does mul, and, a2b, b2a, bit2a, msb and eqz
 * of long vectors by as many threads of its own, the caller's among them (lanes.h).
 *
 * COSTS are per session and exact: bytes as the transport counts them (payload, summed over all
 * parties in the tables of rep3/rep3.h), rounds as the longest chain of messages of which each must
 * wait for the one before. mpc_session_stats() reports them. Long vectors go in chunks of
 * MPC_CHUNK_WORDS words so that sending overlaps computing: the transport's own round counter then
 * counts chunks, ours does not.
 *
 * WHAT LEAKS: lengths, widths, ranges and the order of operations, all public; values only through
 * mpc_reveal() (to its recipients) and mpc_open_masked() (to the compute parties). */
#ifndef FIRMIANA_MPC_PROTOCOL_H
#define FIRMIANA_MPC_PROTOCOL_H

#include "mpc/ops.h"
#include "mpc/session.h"

/* ---- the operations table ---- */

/* One plane of one bits share. */
struct mpc_wire {
    struct mpc_share *share;
    unsigned plane;
};
/* z = (x op y) ^ w on whole planes of one length; w.share may be NULL (nothing is added), and for
 * xor always is. Within a list no gate reads a plane that another one writes. and: z is none of x,
 * y, w. xor: z may be x or y. */
struct mpc_gate {
    struct mpc_wire z;
    struct mpc_wire x;
    struct mpc_wire y;
    struct mpc_wire w;
};

enum mpc_op {
    MPC_OP_OPEN,
    MPC_OP_INPUT,
    MPC_OP_REVEAL,
    MPC_OP_OPEN_MASKED,
    MPC_OP_CHECK,
    MPC_OP_PREPARE,
    MPC_OP_LINEAR,
    MPC_OP_MUL,
    MPC_OP_DOT,
    MPC_OP_AND,
    MPC_OP_A2B,
    MPC_OP_B2A,
    MPC_OP_BIT2A,
    MPC_OP_MSB,
    MPC_OP_EQZ,
    MPC_OP_BIT_COUNT,
    MPC_OP_PERM,
    MPC_OP_COIN,
    MPC_OP_ZERO_SHARE,
    MPC_OP_RANDOM,
    MPC_OP_MSB_LINKED,
    MPC_OP_DOT_COLUMNS,
    MPC_OP_COUNT
};
const char *mpc_op_name(enum mpc_op op); /* "mul": stable, lower case */

/* What a malicious row is told after every interactive operation. The shares stay unchanged and
 * alive until its next check: a row that needs that makes mpc_share_free() wait (share.h: pin). The
 * hook may run a check itself, which bounds its batch. */
struct mpc_record {
    enum mpc_op op;
    struct mpc_share *const *z;
    const struct mpc_share *const *x;
    const struct mpc_share *const *y; /* NULL for conversions */
    const struct mpc_gate *gates;     /* MPC_OP_AND: in place of z, x, y */
    size_t count;
};

/* Costs as fields: bytes summed over all parties, for one element (AND: for 64 gates). */
struct mpc_costs {
    unsigned mul_rounds;
    unsigned mul_bytes;
    unsigned and_rounds;
    unsigned and_bytes;
    unsigned bit2a_rounds;
    unsigned bit2a_bytes;
    unsigned open_rounds;
    unsigned open_bytes;
};

/* A protocol: a const struct of typed functions, each called once per column or list. Arguments
 * have been checked by the wrappers above (domains, lengths, sessions); outputs are allocated with
 * n, domain and width set, contents unspecified. Compute parties only, but for open, close, input
 * and reveal. Every slot is filled; registration refuses NULL. A missing operation is a named
 * `..._unsupported`. */
struct mpc_protocol {
    const char *name;
    unsigned parties; /* compute parties */
    unsigned corrupt; /* how many of them may be */
    enum mpc_adversary adversary;
    unsigned components; /* of one sharing, over all parties */
    unsigned held;       /* of them at one compute party */
    struct mpc_costs costs;
    unsigned most_lanes; /* sessions of one party that may share a vector's work; 1: no lanes */

    fm_status (*open)(struct mpc_session *s, struct base_err *err); /* makes the row's state */
    void (*close)(struct mpc_session *s);
    /* Makes the state of a lane inside an open session, without a message; close() ends it. */
    fm_status (*lane)(const struct mpc_session *s, struct mpc_session *lane, struct base_err *err);
    void (*held_components)(const struct mpc_session *s, unsigned *held);

    fm_status (*input)(struct mpc_session *s, struct mpc_share *const *z,
                       const struct mpc_input *items, size_t count, struct base_err *err);
    fm_status (*reveal_to)(
        struct mpc_session *s, const struct mpc_share *const *x, size_t count,
        const unsigned *recipients, size_t recipients_len, uint64_t *const *words,
        struct base_err *err); /* words: ring elements or planes, at recipients */
    fm_status (*open_masked)(struct mpc_session *s, const struct mpc_share *const *x, size_t count,
                             uint64_t *const *words, struct base_err *err);
    fm_status (*check)(struct mpc_session *s, struct base_err *err);
    fm_status (*prepare)(struct mpc_session *s, const struct mpc_counts *counts,
                         struct base_err *err);
    fm_status (*record)(struct mpc_session *s, const struct mpc_record *record,
                        struct base_err *err);

    void (*zero)(struct mpc_session *s, struct mpc_share *z); /* the all-zero public vector */
    void (*add)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                const struct mpc_share *y);
    void (*sub)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                const struct mpc_share *y);
    void (*scale)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                  uint64_t c);
    void (*add_constant)(struct mpc_session *s, struct mpc_share *z, uint64_t c); /* in place */
    void (*sum)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x);
    void (*spread)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x);
    /* z[at + i] = x[from + i], 0 <= i < n, all planes; the rest of z stays. */
    void (*place)(struct mpc_session *s, struct mpc_share *z, size_t at, const struct mpc_share *x,
                  size_t from, size_t n);
    /* z[i] = x[map[i]], all planes; every map[i] is a place of x. */
    void (*gather)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                   const uint32_t *map);
    /* z[i] = x[p[i]] - x[q[i]], ring. */
    void (*gather_sub)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                       const uint32_t *p, const uint32_t *q);
    /* z[i] = x[0] + .. + x[i] mod 2^64, XOR for bits (plane by plane). */
    void (*prefix)(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x);
    void (*xor)(struct mpc_session *s, const struct mpc_gate *gates,
                size_t count); /* z may be x or y */
    void (*flip)(struct mpc_session *s, const struct mpc_wire *wires, size_t count); /* in place */

    fm_status (*mul)(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     size_t count, struct base_err *err);
    fm_status (*dot)(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     size_t count, struct base_err *err);
    /* One z: x[0] y[0] + x[1] y[1] + ... elementwise. A y[k] of one element multiplies every
     * element of x[k]. */
    fm_status (*dot_columns)(struct mpc_session *s, struct mpc_share *z,
                             const struct mpc_share *const *x, const struct mpc_share *const *y,
                             size_t count, struct base_err *err);
    fm_status (*and)(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                     struct base_err *err);

    fm_status (*a2b)(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count,
                     struct base_err *err); /* widths: of z */
    fm_status (*b2a)(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, size_t count, enum mpc_sign sign,
                     struct base_err *err);
    fm_status (*bit2a)(struct mpc_session *s, struct mpc_share *const *z,
                       const struct mpc_share *const *x, size_t count, struct base_err *err);
    /* msb, eqz: of x[i] - y[i] mod 2^64, or of x[i] where y, or y[i], is NULL. y[i] has the length
     * of x[i] or one element, which is then taken from all. */
    fm_status (*msb)(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     const unsigned *width, size_t count, struct base_err *err);
    /* One z: the sign of the first of x[0], x[1], ... that is not zero, 0 if all are. x[k] and
     * x[k] - 1 fit width[k] bits. linked.h has the generic default, right for every row. */
    fm_status (*msb_linked)(struct mpc_session *s, struct mpc_share *z,
                            const struct mpc_share *const *x, const unsigned *width, size_t count,
                            struct base_err *err);
    fm_status (*eqz)(struct mpc_session *s, struct mpc_share *const *z,
                     const struct mpc_share *const *x, const struct mpc_share *const *y,
                     const unsigned *width, size_t count, struct base_err *err);
    fm_status (*bit_count)(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_share *const *x, size_t count, struct base_err *err);

    fm_status (*perm_random)(struct mpc_session *s, struct mpc_perm *perm, struct base_err *err);
    fm_status (*perm_apply)(const struct mpc_perm *perm, enum mpc_direction direction,
                            struct mpc_share *const *z, const struct mpc_share *const *x,
                            size_t count, struct base_err *err);
    void (*perm_free)(struct mpc_perm *perm); /* wipes what perm_random made */

    fm_status (*coin)(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err);
    /* This party's summand of a fresh sharing of `words` zeros (sum, or XOR for bits). */
    fm_status (*zero_share)(struct mpc_session *s, enum mpc_domain domain, uint64_t *out,
                            size_t words, struct base_err *err);
    fm_status (*random)(struct mpc_session *s, struct mpc_share *z, struct base_err *err);
};

/* The rows, by name: "plain" (one party, no security: the oracle of the tests) and "rep3". NULL if
 * there is none. */
const struct mpc_protocol *mpc_protocol_find(const char *name);
/* For iteration: row i, or NULL past the last. */
const struct mpc_protocol *mpc_protocol_at(size_t i);
/* FM_E_ARG naming the first empty slot or senseless field. mpc_session_open() insists on it. */
fm_status mpc_protocol_validate(const struct mpc_protocol *p, struct base_err *err) FM_CHECK;

#endif
