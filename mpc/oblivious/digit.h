/* Inside of oblivious/: one pass of a radix sort, over a digit given by its indicators (Asharov et
 * al., CCS 2022, section 4.3).
 *
 * With place_v[i] = (rows of smaller digits) + (rows of digit v up to row i) - 1, a local sum, row
 * i goes to the place_v[i] of its digit: place_last + sum over v < last of e_v (place_v -
 * place_last), one product for each digit value but the last, in one round. The ranks become an
 * order (order.h).
 *
 * Cost over rep3, n rows, V values, all parties: 24 n (V - 1) + 56 n bytes, 4 rounds. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_DIGIT_H
#define FIRMIANA_MPC_OBLIVIOUS_DIGIT_H

#include "mpc/oblivious/order.h"

enum { MPC_DIGIT_VALUES = 16 };

/* Stable, by ascending digit. e[v], v < values - 1: ring 0 / 1, set where the digit is v; where
 * none is set it is values - 1. 2 to MPC_DIGIT_VALUES values. */
fm_status mpc_order_by_digit(struct mpc_order **out, const struct mpc_share *const *e,
                             unsigned values, struct base_err *err) FM_CHECK;

#endif
