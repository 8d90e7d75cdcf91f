/* The eight side by side against libsodium: on points, on what is none, on scalars and derived
 * points at the corners; RFC 9496's vectors; the field's corners through encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "mpc/psi/curve.h"

static uint64_t state;

static uint64_t draw(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int group_setup(void **ctx)
{
    const char *given = getenv("FIRMIANA_SEED");
    struct base_err err;

    (void)ctx;
    if (given != NULL)
        state = strtoull(given, NULL, 10);
    else
        assert_int_equal(base_random_fill(base_random_system(), &state, sizeof state, &err), FM_OK);
    print_message("FIRMIANA_SEED=%llu\n", (unsigned long long)state);
    return sodium_init() < 0;
}

/* 2^255 - 19 and what is near, little-endian. */
static void near_p(uint8_t x[32], int off)
{
    memset(x, 0xff, 32);
    x[0] = (uint8_t)(0xed + off);
    x[31] = 0x7f;
}

/* Zeros, ones, near p, long runs, anything. */
static void corner(uint8_t x[32])
{
    uint64_t how = draw() % 6;

    if (how == 0 || how == 1)
        memset(x, how == 0 ? 0 : 0xff, 32);
    else if (how == 2)
        near_p(x, (int)(draw() % 30) - 12);
    else
        for (int i = 0; i < 32; i++)
            x[i] = (uint8_t)(how == 3 || draw() % 3 == 0 ? draw() : draw() % 2 ? 0xff : 0);
    if (draw() % 4 == 0)
        x[draw() % 32] ^= (uint8_t)(1u << draw() % 8);
}

/* 1, 2, the order less 1, digits of 7, 8, 9 and 15, few bits, anything below the order. */
static void draw_scalar(uint8_t s[32])
{
    static const uint8_t order_less_1[32] = {0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                             0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                             0,    0,    0,    0,    0,    0,    0,    0,
                                             0,    0,    0,    0,    0,    0,    0,    0x10};
    static const uint8_t digits[] = {0x77, 0x88, 0x99, 0xff, 0x78, 0x80, 0x0f};
    uint64_t how = draw() % 5;

    memset(s, 0, 32);
    if (how == 0)
        s[0] = (uint8_t)(1 + draw() % 2);
    else if (how == 1)
        memcpy(s, order_less_1, 32);
    else if (how == 2)
        memset(s, digits[draw() % sizeof digits], 31), s[31] = (uint8_t)(draw() % 16);
    else if (how == 3)
        s[draw() % 31] = (uint8_t)(1u << draw() % 8);
    else
        crypto_core_ristretto255_scalar_random(s);
}

/* Equal answers and, where they are points, equal points. */
static void compare(const uint8_t x[][32], const uint8_t h[][64], size_t n, const uint8_t s[32])
{
    const struct mpc_psi_curve *one = &mpc_psi_curve_sodium, *other = mpc_psi_curve_best();
    uint8_t a[MPC_PSI_BATCH][32], b[MPC_PSI_BATCH][32];
    unsigned bad_a, bad_b;

    memset(b, 0x55, sizeof b);
    bad_a = x != NULL ? one->times(a, x, n, s) : one->times_derived(a, h, n, s);
    bad_b = x != NULL ? other->times(b, x, n, s) : other->times_derived(b, h, n, s);
    assert_int_equal(bad_a, bad_b);
    for (size_t i = 0; i < n; i++)
        if ((bad_a >> i & 1) == 0)
            assert_memory_equal(a[i], b[i], 32);
    for (size_t i = n; i < MPC_PSI_BATCH; i++)
        assert_true(b[i][0] == 0x55 && b[i][31] == 0x55);
}

static void points_agree(void **ctx)
{
    uint8_t x[MPC_PSI_BATCH][32], s[32];

    (void)ctx;
    for (int round = 0; round < 150; round++) {
        size_t n = 1 + draw() % MPC_PSI_BATCH;
        for (size_t i = 0; i < n; i++) {
            uint64_t how = draw() % 4;
            crypto_core_ristretto255_random(x[i]);
            if (how == 0)
                corner(x[i]);
            else if (how == 1) /* a point but for one bit */
                x[i][draw() % 32] ^= (uint8_t)(1u << draw() % 8);
        }
        draw_scalar(s);
        compare((const uint8_t(*)[32])x, NULL, n, s);
    }
}

static void derived_agree(void **ctx)
{
    uint8_t h[MPC_PSI_BATCH][64], s[32];

    (void)ctx;
    for (int round = 0; round < 150; round++) {
        size_t n = 1 + draw() % MPC_PSI_BATCH;
        for (size_t i = 0; i < n; i++) {
            corner(h[i]);
            corner(h[i] + 32);
            if (draw() % 8 == 0) /* twice the same point, or one and its neighbour's */
                memcpy(h[i] + 32, h[i], 32);
        }
        draw_scalar(s);
        compare(NULL, (const uint8_t(*)[64])h, n, s);
    }
}

/* Every encoding near zero and near p: almost all are refused, for all reasons. */
static void encodings_agree(void **ctx)
{
    uint8_t x[MPC_PSI_BATCH][32], s[32] = {1};

    (void)ctx;
    for (int v = -40; v < 40; v += MPC_PSI_BATCH) {
        for (int i = 0; i < MPC_PSI_BATCH; i++) {
            memset(x[i], 0, 32);
            x[i][0] = (uint8_t)(v + i + 40);
        }
        compare((const uint8_t(*)[32])x, NULL, MPC_PSI_BATCH, s);
        for (int i = 0; i < MPC_PSI_BATCH; i++)
            near_p(x[i], (v + i) / 3);
        compare((const uint8_t(*)[32])x, NULL, MPC_PSI_BATCH, s);
    }
}

/* RFC 9496, appendix A.1: multiples 1, 2, 3 and 15 of the generator. */
static void vectors(void **ctx)
{
    static const struct {
        uint8_t times;
        const char *hex;
    } known[] = {
        {1, "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"},
        {2, "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"},
        {3, "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259"},
        {15, "e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e"},
    };
    uint8_t base[1][32], want[32], got[1][32], s[32] = {0};

    (void)ctx;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(sodium_hex2bin(want, 32, known[i].hex, 64, NULL, NULL, NULL), 0);
        if (i == 0)
            memcpy(base[0], want, 32);
        s[0] = known[i].times;
        assert_int_equal(mpc_psi_curve_best()->times(got, (const uint8_t(*)[32])base, 1, s), 0);
        assert_memory_equal(got[0], want, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(encodings_agree),
        cmocka_unit_test(points_agree),
        cmocka_unit_test(derived_agree),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
