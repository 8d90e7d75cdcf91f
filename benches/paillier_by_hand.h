/* Paillier as one writes it with GMP: what bench_paillier compares with. Time varies with secrets;
 * for measuring alone. */
#ifndef FIRMIANA_BENCHES_PAILLIER_BY_HAND_H
#define FIRMIANA_BENCHES_PAILLIER_BY_HAND_H

#include <gmp.h>

struct by_hand;

/* fixed_bits: length of the exponents of h^n, 0 for none. Aborts without memory. */
struct by_hand *by_hand_new(const mpz_t p, const mpz_t q, const mpz_t h, unsigned fixed_bits);
void by_hand_free(struct by_hand *b);
/* One operation of bench_paillier. */
void by_hand_operate(struct by_hand *b, const char *op, const char *kind);

/* Microseconds that the multiply-adds of an operation take at the rate at which this processor
 * issues them just now; only with AVX-512 IFMA. */
double by_hand_floor_us(const char *op, const char *kind, unsigned bits);

#endif
