/* The protocol `rep3`: three parties, one of them corrupt and semi-honest, replicated sharing over
 * Z_2^64 and over bits.
 *
 * x = x_0 + x_1 + x_2 (XOR for bits). Compute party i holds x_i (held component 0, "a") and x_{i+1}
 * (held component 1, "b"), indices mod 3. Joint generators likewise: k_i at parties i and i - 1; so
 * party i has own = k_i and next = k_{i+1}. Products: each party computes a summand of the result,
 * masks it with F(k_i) - F(k_{i+1}) (the three masks sum to 0) and sends it to party i - 1, which
 * thereby holds the next component too (Araki et al., CCS 2016, section 2.2; eprint 2016/768).
 *
 * Conversions stand on this (ABY3, eprint 2018/403, section 5.3, semi-honest variant): of any
 * sharing one party d, the dealer, knows x_d + x_{d+1}, and the other two both know x_{d+2}. So the
 * dealer shares the bits of u = x_d + x_{d+1}: u_d = F(k_d), u_{d+1} = u ^ u_d (sent to party d+1),
 * u_{d+2} = 0; the bits of v = x_{d+2} are a sharing already, (0, 0, v); and x = u + v is one
 * addition of two numbers, not three. The dealer rotates by chunk and operation, so that the
 * parties' loads are even.
 *
 * Exact costs over all three parties, for n elements, W = ceil(n / 64), k = width:
 *     session          3 * 32 bytes                          1 round
 *     input            owner computes: 8 a word              1 round
 *                      outside: 128 + 16 a word, holders' check 96 an outside owner: 2 rounds
 *     reveal           8 a word for each recipient that computes, 24 for another: 1 round
 *     open_masked      24 a word                             1 round
 *     mul              24 n                                  1 round
 *     dot              24 an item                            1 round
 *     dot_columns      24 n, whatever the number of columns  1 round
 *     and              24 W a gate                           1 round
 *     deal             8 k W                                 1 round
 *     a2b              mpc_rep3_a2b_cost(k): few rounds, by groups of 1 to 4 bits in an up and down
 *                      sweep; few bytes, deal + mpc_sum_cost(k) ands  1 + its rounds
 *     msb              mpc_rep3_msb_cost(k): few rounds, by groups of 1 to 4 bits (masked.h) and a
 *                      tree; few bytes, deal + k - 1 ands    k
 *     msb_linked       mpc_rep3_linked_cost(), or msb of all x and all -x, and ANDs
 *     eqz              mpc_rep3_eqz_cost(k): 8 (k + 3 (k - 1)) W bytes by ANDs of up to three, in
 *                      1 + ceil(log3 k) rounds; up to four in short lists: 1 + ceil(log4 k)
 *     bit2a            24 n                                  2 rounds
 *     bit_count        8 n + 24 an item                      2 rounds
 *     b2a              by injection: 24 n k                  2 rounds
 *                      by masked wires: rep3_b2a_wires_cost(k): an a2b of k + 1 bits (64: 64) whose
 *                      leaves are not dealt, 8 k + 16 (64 - k) W + 8 n
 *                                              its rounds + 2, or 1 at k = 64
 *                      bit by bit, k < 64: mpc_sum_cost(k + 1) ands + 16 k W + 32 n
 *                                                            its rounds + 2
 *                      bit by bit, k = 64: mpc_sum_cost(64) ands + 16 k W + 8 n
 *                                                            its rounds + 1
 *     permutation      32 a word and column                  2 rounds
 *     coin             24 for each 8 bytes                   1 round
 *     zero_share, random and everything local: none
 * Mean bytes per element and party, and rounds. Few rounds, long lists:
 *     k = 20: msb 4.0 in 4, eqz 3.2 in 4, a2b 6.0 in 6, b2a 13.4 in 8
 *     k = 32: msb 6.8 in 5, eqz 5.2 in 5, a2b 11.7 in 6, b2a 16.0 in 8
 *     k = 64: msb 14.0 in 5, eqz 10.5 in 5, a2b 25.9 in 6, b2a 28.5 in 7
 * Short lists: k = 64: msb 17.0 in 4, eqz 14.0 in 4. Few bytes: k = 64: msb and a2b 10.5 in 64, eqz
 * 10.5 in 5, b2a 15.9 in 64.
 *
 * b2a injects where k is 1 and, in the few-rounds profile, where n k <= 65536; else it goes by
 * masked wires there, and bit by bit in the few-bytes profile.
 *
 * Privacy in one line each: a product's message is masked by a generator the receiver lacks; a
 * dealt u_{d+1} is masked by F(k_d), which party d+1 lacks; a reveal
 * sends an outside recipient x_i + zero-sharing, so that it sees three uniform words of the right
 * sum, and a recipient that computes the component it lacks, which follows from x and what it has.
 */
#ifndef FIRMIANA_MPC_REP3_H
#define FIRMIANA_MPC_REP3_H

#include "mpc/protocol.h"

extern const struct mpc_protocol mpc_rep3;

struct mpc_rep3_cost {
    uint64_t bytes; /* over all parties, for 64 elements */
    unsigned rounds;
    unsigned group; /* positions a group; 0: bit by bit */
};
/* Few bytes: bit by bit; else by groups of 1 to 4 positions in an up and down sweep. bytes:
 * UINT64_MAX where there is no memory to count them. */
struct mpc_rep3_cost mpc_rep3_a2b_cost(unsigned width, enum mpc_profile profile);
/* The profile by which a list of n elements in all goes whose widest has that width: a link's may
 * becomes one of the fixed, whichever is quicker (choice.h). a2b: it stays the link's where memory
 * is out: then a2b fails, rather than go another way than the other parties. */
enum mpc_profile mpc_rep3_a2b_way(unsigned widest, size_t n, enum mpc_profile profile);
enum mpc_profile mpc_rep3_msb_way(unsigned widest, size_t n, enum mpc_profile profile);
/* group: inputs of one gate, at most: 4 in the few-rounds profile where the list has up to 8192
 * elements in all, else 3; by link: whichever is quicker. */
struct mpc_rep3_cost mpc_rep3_eqz_cost(unsigned width, size_t n, enum mpc_profile profile);
/* msb_linked of two or more by one chain; group 0: not so, but by its generic default (more than 64
 * groups in all, or a width of 1). In the few-bytes profile, whichever of the two has fewer bytes.
 */
struct mpc_rep3_cost mpc_rep3_linked_cost(const unsigned *width, size_t count);
/* What msb_linked of n elements takes in that profile; group 0: the generic default. */
struct mpc_rep3_cost mpc_rep3_linked_way(const unsigned *width, size_t count, size_t n,
                                         enum mpc_profile profile);
/* width 1..64. Few rounds: the fewest rounds and of those plans the fewest bytes where the list has
 * up to 8192 elements (n) in all, else the fewest bytes that one round more can buy. By link: the
 * quickest of these plans. Few bytes: bit by bit. */
struct mpc_rep3_cost mpc_rep3_msb_cost(unsigned width, size_t n, enum mpc_profile profile);

#endif
