/* What the files of this folder share. */
#ifndef FIRMIANA_MPC_CURVE_CURVE_OWN_H
#define FIRMIANA_MPC_CURVE_CURVE_OWN_H

#include "base/hash.h"
#include "mpc/curve/curve.h"
#include "mpc/curve/field.h"

/* Numbers in the form of field.h, but for the order. */
struct mpc_curve {
    struct curve_field f;
    uint64_t b[CURVE_LIMBS];
    uint64_t gx[CURVE_LIMBS], gy[CURVE_LIMBS];
    uint64_t z[CURVE_LIMBS], root[CURVE_LIMBS]; /* of the map, and a square root of -z */
    uint64_t order[CURVE_LIMBS];
    void (*hash)(struct base_hash *h);
};

/* z = x^3 - 3 x + b. */
void mpc_curve_right_side(uint64_t *z, const uint64_t *x, const struct mpc_curve *curve);

#endif
