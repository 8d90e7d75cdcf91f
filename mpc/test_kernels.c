/* All sets of kernels that this processor runs give what the portable one gives, at every length up
 * to a few vectors; and bit transposes are what they should be by definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mpc/kernels_own.h"
#include "mpc/test_world.h"

enum { MOST = 200, AREA = 16 * MOST, SINGLES = 6 };

/* Operands, and what one kernel made of them: all words of both areas are compared, so that a write
 * past the end shows. */
struct trial {
    uint64_t x[AREA];
    uint64_t y[AREA];
    uint64_t a[MOST];
    uint64_t b[MOST];
    uint64_t c[MOST];
    uint64_t d[MOST];
    uint32_t map[MOST];
};

struct made {
    uint64_t z[AREA];
    uint64_t w[AREA];
    uint64_t one[SINGLES];
};

static void simple_kernels(const struct mpc_kernels *k, struct made *m, const struct trial *t,
                           size_t n)
{
    k->add(m->z, t->x, t->y, n);
    k->sub(m->z + MOST, t->x, t->y, n);
    k->scale(m->z + 2 * MOST, t->x, t->y[0], n);
    k->add_scaled(m->z + 3 * MOST, t->x, t->y[1], n);
    k->add_constant(m->z + 4 * MOST, t->y[2], n);
    k->fill(m->z + 5 * MOST, t->y[3], n);
    k->mul(m->z + 6 * MOST, t->x, t->y, n);
    k->xor (m->z + 7 * MOST, t->x, t->y, n);
    k->and (m->z + 8 * MOST, t->x, t->y, n);
    k->not(m->z + 9 * MOST, n);
    k->gather(m->z + 10 * MOST, t->x, t->map, n);
    k->add(m->z + 11 * MOST, m->z + 11 * MOST, t->x, n); /* in place */
    k->scatter(m->z + 12 * MOST, t->x, t->map, n);
    m->one[0] = k->sum(t->x, n);
    m->one[1] = k->dot(t->x, t->y, n);
    m->one[2] = k->popcount(t->x, n * 64);
    m->one[3] = k->popcount(t->x, n * 64 == 0 ? 0 : n * 64 - 17);
    m->one[5] = k->most(t->map, n);
    k->rep3_mul_add(m->z + 13 * MOST, t->a, t->b, t->c, t->d, n);
    m->one[4] = k->rep3_dot(t->a, t->b, t->c, t->d, n);
}

static void shaped_kernels(const struct mpc_kernels *k, struct made *m, const struct trial *t,
                           size_t n)
{
    k->rep3_mul(m->w, t->a, t->b, t->c, t->d, t->x, t->y, n);
    k->rep3_and(m->w + MOST, t->a, t->b, t->c, t->d, t->x, t->y, n);
    k->signed_less(m->w + 2 * MOST, t->a, t->b, t->c, n);
    k->signed_plus_less(m->w + 3 * MOST, t->a, t->b, t->c, n);
    k->bits_to_words(m->w + 4 * MOST, t->a, n);
    k->gather_bits(m->w + 5 * MOST, t->a, t->map, n);
    k->gather_sub(m->w + 6 * MOST, t->x, t->map, t->map + MOST / 2, n < MOST / 2 ? n : MOST / 2);
    k->scatter_bits(m->w + 7 * MOST, t->a, t->map, n);
}

/* size wires, their sets' lambdas, and all three kinds of public factors. */
static void masked_kernels(const struct mpc_kernels *k, struct made *m, const struct trial *t,
                           unsigned size, size_t n)
{
    const uint64_t *wires[4];
    const uint64_t *lambda[15];

    for (unsigned j = 0; j < 4; j++)
        wires[j] = t->x + j * MOST;
    for (unsigned j = 0; j < 15; j++)
        lambda[j] = t->y + j * MOST;
    for (unsigned kind = 0; kind < 6; kind++) {
        const uint64_t *times[2] = {kind % 3 > 0 ? t->a : NULL, kind % 3 > 1 ? t->b : NULL};

        k->masked_and(m->w + (4 + kind) * MOST, wires, lambda, kind < 3 ? size : size - 1, times,
                      kind % 2 == 0 ? ~UINT64_C(0) : 0, n);
    }
    k->and_xor(m->w + 10 * MOST, m->w + 11 * MOST, t->a, t->b, t->c, n);
}

static void grouped_kernels(const struct mpc_kernels *k, struct made *m, const struct trial *t,
                            unsigned size, size_t n)
{
    k->monomials(m->z, t->x, size, n);
    k->group_products(m->w, m->w + MOST, t->y, t->x, size, n);
    k->group_products(m->w + 2 * MOST, NULL, t->y, t->x, size, n);
    k->xor_product(m->w + 3 * MOST, t->x, size, n);
    masked_kernels(k, m, t, size, n);
}

static void fill(struct trial *t, struct test_rng *rng)
{
    uint64_t *words = t->x;

    for (size_t i = 0; i < offsetof(struct trial, map) / 8; i++)
        words[i] = rng_next(rng);
    for (size_t i = 0; i < MOST; i++)
        t->map[i] = (uint32_t)(rng_next(rng) % MOST);
}

static void compare(const char *name, const struct made *m, const struct made *want, size_t n)
{
    if (memcmp(m, want, sizeof *m) != 0)
        fail_msg("%s differs from portable at n = %zu", name, n);
}

static void all_sets_agree(void **state)
{
    static struct trial t;
    static struct made want;
    static struct made made;
    const struct mpc_kernels *set;
    struct test_rng rng = {7};

    (void)state;
    for (size_t i = 0; (set = mpc_kernels_at(i)) != NULL; i++) {
        print_message("%s\n", set->name);
        for (size_t n = 0; n < MOST; n += n < 70 ? 1 : 13) {
            fill(&t, &rng);
            memset(&want, 0x5a, sizeof want);
            made = want;
            simple_kernels(&mpc_kernels_portable, &want, &t, n);
            shaped_kernels(&mpc_kernels_portable, &want, &t, n);
            simple_kernels(set, &made, &t, n);
            shaped_kernels(set, &made, &t, n);
            compare(set->name, &made, &want, n);
            for (unsigned size = 1; size <= 4; size++) {
                memset(&want, 0x5a, sizeof want);
                made = want;
                grouped_kernels(&mpc_kernels_portable, &want, &t, size, n);
                grouped_kernels(set, &made, &t, size, n);
                compare(set->name, &made, &want, n);
            }
        }
    }
    assert_ptr_equal(mpc_kernels(), mpc_kernels_at(0));
}

/* By definition, one bit at a time. Long columns go several blocks at a time. */
static void transposes_are_transposes(void **state)
{
    enum { LONG = 1200, STRIDE = LONG / 64 + 2 };
    static uint64_t values[LONG];
    static uint64_t more[LONG];
    static uint64_t sums[LONG];
    static uint64_t total[LONG];
    static uint64_t back[LONG];
    static uint64_t planes[64 * STRIDE];
    static uint64_t planes_of_sums[64 * STRIDE];
    const struct mpc_kernels *set;
    struct test_rng rng = {11};

    (void)state;
    for (size_t i = 0; (set = mpc_kernels_at(i)) != NULL; i++) {
        for (size_t n = 1; n < LONG; n += n < MOST ? 7 : 239) {
            for (unsigned width = 1; width <= 64; width += n < MOST ? 1 : 21) {
                for (size_t r = 0; r < n; r++) {
                    values[r] = rng_next(&rng);
                    more[r] = rng_next(&rng);
                }
                for (unsigned parts = 0; parts < 4; parts++) {
                    const uint64_t *const terms[4] = {values, parts & 1 ? more : NULL,
                                                      parts & 2 ? back : NULL,
                                                      parts == 3 ? sums : NULL};

                    for (size_t r = 0; r < n; r++)
                        total[r] = values[r] + (parts & 1 ? more[r] : 0) -
                                   (parts & 2 ? back[r] : 0) - (parts == 3 ? sums[r] : 0) + 5;
                    memset(planes, 0xff, sizeof planes);
                    memset(planes_of_sums, 0xff, sizeof planes);
                    set->to_planes(planes, STRIDE, width, total, n);
                    set->sum_to_planes(planes_of_sums, STRIDE, width, terms, 5, n);
                    assert_memory_equal(planes, planes_of_sums, sizeof planes);
                    sums[parts] += n;
                }
                memset(planes, 0xff, sizeof planes);
                set->to_planes(planes, STRIDE, width, values, n);
                for (unsigned j = 0; j < width; j++)
                    for (size_t r = 0; r < (n + 63) / 64 * 64; r++)
                        assert_int_equal(planes[STRIDE * j + r / 64] >> r % 64 & 1,
                                         r < n ? values[r] >> j & 1 : 0);
                set->from_planes(back, planes, STRIDE, width, n);
                for (size_t r = 0; r < n; r++)
                    assert_int_equal(back[r], values[r] << (64 - width) >> (64 - width));
            }
        }
    }
}

/* Generate and propagate of a group, from what they mean: u's parts and v for every u and v. */
static void groups_generate_and_propagate(void **state)
{
    (void)state;
    for (unsigned size = 1; size <= 4; size++) {
        for (unsigned u = 0; u < 1u << size; u++) {
            for (unsigned v = 0; v < 1u << size; v++) {
                uint64_t ubits[4];
                uint64_t vbits[4];
                uint64_t m[15] = {0};
                uint64_t g = 0;
                uint64_t p = 0;

                for (unsigned j = 0; j < size; j++) {
                    ubits[j] = u >> j & 1;
                    vbits[j] = v >> j & 1;
                }
                mpc_k_monomials(m, ubits, size, 1);
                mpc_k_group_products(&g, &p, m, vbits, size, 1);
                mpc_k_xor_product(&p, vbits, size, 1);
                assert_int_equal(g & 1, u + v >= 1u << size);
                assert_int_equal(p & 1, (u ^ v) == (1u << size) - 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sets_agree),
        cmocka_unit_test(transposes_are_transposes),
        cmocka_unit_test(groups_generate_and_propagate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
