/* Inside of rep3: boolean circuits on the two summands of a ring element, whole circuits at a time.
 *
 * For a dealer d every sharing of a bit x has two parts: m = x_{d+2}, which parties d + 1 and d + 2
 * both know, and lambda = x_d ^ x_{d+1}, which d knows and the other two share between them: x = m
 * ^ lambda. So the AND of k wires is
 *
 *     prod_i (m_i ^ lambda_i) = XOR over all sets S of lambda_S prod_{i not in S} m_i,
 *
 * with lambda_S the product of lambda_i over i in S. The dealer, who knows all of these before the
 * computation begins, shares the lambda_S between the other two: F(k_d) at d + 2, lambda_S ^ F(k_d)
 * sent to d + 1. Those two then hold shares of the AND and open to each other its m, which is the
 * AND ^ lambda for the fresh lambda = F(k_d) ^ F(k_{d+1}) of its wire. That is 1 bit dealt for each
 * set of two or more wires and 2 bits opened: for 2 wires the 3 bits of three products, for 3 wires
 * 6 bits, as much as two ANDs, in one round. All dealing is one message in the first round,
 * whatever the circuit's depth (multi-input gates: Patra, Schneider, Suresh, Yalame, ABY2.0, USENIX
 * Security 2021, section 3.1, eprint 2020/1225; a dealer who takes part only at the beginning:
 * Chaudhari et al., ASTRA, CCSW 2019, eprint 2019/429).
 *
 * Inputs may be shared bits x_j, added to a number r that d + 1 and d + 2 know: leaf j is the wire
 * x_j ^ r_j, with lambda = x_d ^ x_{d+1}, of which these two hold a summand each already, m =
 * x_{d+2} ^ r_j, and r_j as the factor that both know. No leaf is dealt. Else inputs are the bits
 * of x = u + v, u = x_d + x_{d+1} and v = x_{d+2}: u is dealt bit by bit, v is known to the other
 * two, so leaf j is the wire u_j ^ v_j, with m = v_j, and v_j may also stand as a factor that both
 * know. Outputs are wires or XORs of two, already in shared form.
 *
 * Privacy: what d + 1 is dealt is masked by F(k_d), which it lacks; of a gate, d + 1 sends its
 * share under F(k_{d+1}) and d + 2 under F(k_d), which the receiver lacks, so every m is uniform to
 * both. The dealer receives nothing. Which messages are sent depends on the circuit and the
 * lengths. */
#ifndef FIRMIANA_MPC_REP3_MASKED_H
#define FIRMIANA_MPC_REP3_MASKED_H

#include "mpc/rep3/state.h"

enum {
    MASKED_WIRES = 4,     /* inputs of one AND, at most */
    MASKED_LEVELS = 16,   /* of gates */
    MASKED_FRESH = 1024,  /* wire and lambda numbers from here on are made by gates */
    MASKED_NONE = 0xffff, /* no wire */
    MASKED_MOST = 1024    /* dealt planes, gates, or made wires */
};

/* Wire `out` ^= the AND of `k` wires, times v of leaf times[0] (or v of times[0] ^ v of times[1]),
 * unless these are MASKED_NONE. k may be 0: what is added is then known to both. */
struct masked_gate {
    uint16_t out;
    uint16_t times[2];
    uint16_t k;
    uint16_t wire[MASKED_WIRES];
    uint16_t lambda[(1 << MASKED_WIRES) - 1]; /* of set S: number S - 1 */
};

/* A dealt plane that is the product of two earlier lambdas. */
struct masked_product {
    uint16_t a;
    uint16_t b;
};

struct masked_program {
    unsigned leaves;
    unsigned dealt; /* leaves and products */
    unsigned fresh; /* wires made by gates */
    unsigned gates;
    unsigned levels;
    unsigned outs;
    unsigned level_gate[MASKED_LEVELS + 1];
    unsigned level_fresh[MASKED_LEVELS + 1];
    struct masked_gate *gate;
    struct masked_product *product; /* number i is dealt plane leaves + i */
    uint16_t out[64][2];            /* the XOR of two wires; the second may be MASKED_NONE */
    uint64_t and_gates;
    void *found; /* the builder's: monomials there are */
    bool failed;
};

/* Building. A gate that finds no memory or no room is remembered and reported by masked_run(). */
void masked_init(struct masked_program *p, unsigned leaves);
void masked_release(struct masked_program *p);
/* A new wire of the level that is being built: 0 until gates add to it. */
uint16_t masked_wire(struct masked_program *p);
/* wires: of earlier levels, distinct. */
void masked_and(struct masked_program *p, uint16_t out, const uint16_t *wire, unsigned k,
                uint16_t times0, uint16_t times1);
void masked_level_end(struct masked_program *p);
void masked_out(struct masked_program *p, uint16_t a, uint16_t b);

static inline uint64_t masked_bytes(const struct masked_program *p) /* all parties, 64 elements */
{
    return 8 * ((uint64_t)p->dealt + 2 * p->fresh);
}
static inline unsigned masked_rounds(const struct masked_program *p)
{
    return 1 + p->levels;
}

/* One column: z has the program's `outs` planes. x in the ring: v is v + add to the circuit. x of
 * bits: leaves past its width are 0. */
struct masked_item {
    const struct mpc_share *x;
    const struct mpc_share *y; /* NULL, or x - y is meant; it may have one element */
    struct mpc_share *z;
    const struct masked_program *program;
    uint64_t add;
    const uint64_t *known; /* bits: r, unit after unit, 64 planes of unit_words each; read by the
                              two who know it */
    bool flip;             /* bits: the top plane of x is meant turned round */
};
/* Words of a plane that are one unit of a column; dealer of unit i: that of the first, and i on. */
size_t masked_unit_words(const struct masked_program *p);
/* The whole list in as many rounds as the deepest program has. */
fm_status masked_run(struct mpc_session *s, const struct masked_item *items, size_t count,
                     struct base_err *err) FM_CHECK;

#endif
