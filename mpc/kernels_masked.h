/* The loops on masked wires (rep3/masked.h): a part of kernels_loops.h, which alone includes it,
 * and which brings `lanes`, INLINE and KERNELS_LANES. */
/* z ^= this party's share of the AND of k masked wires, times what both know. */
INLINE void masked_of(uint64_t *z, const uint64_t *const *m, const uint64_t *const *lambda,
                      unsigned k, const uint64_t *t0, const uint64_t *t1, uint64_t known, size_t n)
{
    const unsigned all = (1u << k) - 1;
    size_t i = 0;

    for (; i + KERNELS_LANES <= n; i += KERNELS_LANES) {
        lanes v[16];
        lanes sum;

        v[0] = ~(lanes){0};
        for (unsigned j = 0; j < k; j++)
            for (unsigned s = 0; s < 1u << j; s++)
                v[(1u << j) + s] = v[s] & *(const lanes *)(m[j] + i);
        sum = v[all] & known;
        for (unsigned s = 1; s <= all; s++)
            sum ^= v[all & ~s] & *(const lanes *)(lambda[s - 1] + i);
        if (t1 != NULL)
            sum &= *(const lanes *)(t0 + i) ^ *(const lanes *)(t1 + i);
        else if (t0 != NULL)
            sum &= *(const lanes *)(t0 + i);
        *(lanes *)(z + i) ^= sum;
    }
    for (; i < n; i++) {
        uint64_t v[16];
        uint64_t sum;

        v[0] = ~UINT64_C(0);
        for (unsigned j = 0; j < k; j++)
            for (unsigned s = 0; s < 1u << j; s++)
                v[(1u << j) + s] = v[s] & m[j][i];
        sum = v[all] & known;
        for (unsigned s = 1; s <= all; s++)
            sum ^= v[all & ~s] & lambda[s - 1][i];
        if (t1 != NULL)
            sum &= t0[i] ^ t1[i];
        else if (t0 != NULL)
            sum &= t0[i];
        z[i] ^= sum;
    }
}

static void k_masked_and(uint64_t *z, const uint64_t *const *m, const uint64_t *const *lambda,
                         unsigned k, const uint64_t *const *times, uint64_t known, size_t n)
{
    const uint64_t *t0 = times[0];
    const uint64_t *t1 = times[1];

    if (k == 0)
        masked_of(z, m, lambda, 0, t0, t1, known, n);
    else if (k == 1)
        masked_of(z, m, lambda, 1, t0, t1, known, n);
    else if (k == 2)
        masked_of(z, m, lambda, 2, t0, t1, known, n);
    else if (k == 3)
        masked_of(z, m, lambda, 3, t0, t1, known, n);
    else
        masked_of(z, m, lambda, 4, t0, t1, known, n);
}

static void k_and_xor(uint64_t *z, uint64_t *w, const uint64_t *x, const uint64_t *y,
                      const uint64_t *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t product = x[i] & y[i];

        z[i] = product;
        w[i] = product ^ r[i];
    }
}
