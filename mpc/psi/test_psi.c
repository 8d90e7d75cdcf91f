/* Private intersection sums against the plain intersection; what each side sees; what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/psi/psi_own.h"

#define OK(call) assert_int_equal((call), FM_OK)

enum { ROWS = 700, COLUMNS = 40, ID = 8 };

static struct mpc_psi_key key;
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
    struct mpc_pai_djn *k;
    struct mpc_pai_secret *s;

    (void)ctx;
    if (given != NULL)
        state = strtoull(given, NULL, 10);
    else
        OK(base_random_fill(base_random_system(), &state, sizeof state, &err));
    print_message("FIRMIANA_SEED=%llu\n", (unsigned long long)state);
    OK(mpc_pai_djn_generate(&k, &s, 2048, &err));
    key = (struct mpc_psi_key){k, s};
    return sodium_init() < 0;
}

static int group_teardown(void **ctx)
{
    (void)ctx;
    mpc_pai_djn_free((struct mpc_pai_djn *)(uintptr_t)key.key);
    mpc_pai_secret_free((struct mpc_pai_secret *)(uintptr_t)key.secret);
    return 0;
}

/* Two tables, and what a plain intersection says of them. */
struct world {
    uint8_t ids[2][ROWS][ID];
    int64_t values[COLUMNS][ROWS];
    const int64_t *columns[COLUMNS];
    struct mpc_psi_rows rows[2]; /* matcher, holder */
    struct mpc_psi_terms terms;
    size_t size;
    int64_t sums[COLUMNS];
    struct mpc_psi *side[2];
    struct base_buf message[6];
    unsigned messages;
};

/* Identifiers from a small range, so that both have some; each once a side. */
static void world_rows(struct world *w, size_t n, size_t m, size_t range)
{
    size_t count[2] = {n, m}, at[2] = {0, 0};

    for (uint64_t v = 0; at[0] < n || at[1] < m; v++)
        for (int s = 0; s < 2; s++)
            if (at[s] < count[s] && (draw() % range == 0 || v > 20 * ROWS))
                memcpy(w->ids[s][at[s]++], &v, ID);
    for (size_t c = 0; c < COLUMNS; c++) {
        w->columns[c] = w->values[c];
        for (size_t j = 0; j < m; j++) {
            int64_t limit = ((int64_t)1 << w->terms.value_bits) - 1;
            uint64_t how = draw() % 4;
            w->values[c][j] = how == 0   ? limit
                              : how == 1 ? -limit
                                         : (int64_t)(draw() % (uint64_t)limit) - limit / 2;
        }
    }
    w->rows[0] = (struct mpc_psi_rows){n, w->ids[0][0], ID, NULL};
    w->rows[1] = (struct mpc_psi_rows){m, w->ids[1][0], ID, w->columns};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            if (memcmp(w->ids[0][i], w->ids[1][j], ID) == 0) {
                w->size++;
                for (size_t c = 0; c < w->terms.columns; c++)
                    w->sums[c] += w->values[c][j];
            }
}

static struct world *world_new(size_t n, size_t m, size_t columns, unsigned value_bits)
{
    struct world *w = calloc(1, sizeof *w);
    struct base_err err;

    assert_non_null(w);
    w->terms = (struct mpc_psi_terms){.matcher_rows = n + draw() % 5 + 1,
                                      .holder_rows = m + draw() % 5 + 1,
                                      .columns = columns,
                                      .value_bits = value_bits,
                                      .key_bits = 2048,
                                      .minimum = 1,
                                      .recipients = MPC_PSI_MATCHER | MPC_PSI_HOLDER};
    OK(base_random_fill(base_random_system(), w->terms.session32, 32, &err));
    world_rows(w, n, m, 3);
    return w;
}

static void world_free(struct world *w)
{
    mpc_psi_free(w->side[0]);
    mpc_psi_free(w->side[1]);
    for (int i = 0; i < 6; i++)
        base_buf_release(&w->message[i]);
    free(w);
}

static void sides_new(struct world *w)
{
    struct base_err err;

    if (mpc_psi_matcher_new(&w->side[0], &w->terms, &w->rows[0], 2, base_random_system(), &err) !=
            FM_OK ||
        mpc_psi_holder_new(&w->side[1], &w->terms, &w->rows[1], &key, 1, base_random_system(),
                           &err) != FM_OK)
        fail_msg("%s", err.text);
}

/* Message by message until nobody waits, or `stop` messages were made. */
static void play(struct world *w, unsigned stop)
{
    struct base_err err;
    const struct base_buf *in = NULL;

    sides_new(w);
    for (w->messages = 0; w->messages < stop; w->messages++) {
        struct mpc_psi *to = w->side[w->messages % 2];
        struct base_buf *out = &w->message[w->messages];
        if (in != NULL)
            assert_true(mpc_psi_waits(to) && in->len <= mpc_psi_message_max(to));
        if (mpc_psi_step(to, in != NULL ? in->p : NULL, in != NULL ? in->len : 0, out, &err) !=
            FM_OK)
            fail_msg("message %u: %s", w->messages, err.text);
        in = out;
        if (out->len == 0)
            break;
    }
}

static void check_result(const struct world *w, int s)
{
    unsigned mine = s == 0 ? MPC_PSI_MATCHER : MPC_PSI_HOLDER;
    int64_t sums[COLUMNS];
    struct base_err err;
    size_t size = 0;

    memset(sums, 0x55, sizeof sums);
    if (w->size < w->terms.minimum) {
        assert_int_equal(mpc_psi_result(w->side[s], &size, sums, &err), FM_E_REFUSED);
        assert_non_null(strstr(err.text, "below the minimum"));
        return;
    }
    OK(mpc_psi_result(w->side[s], &size, sums, &err));
    assert_int_equal(size, w->size);
    for (size_t c = 0; c < w->terms.columns; c++)
        assert_int_equal(sums[c], w->terms.recipients & mine ? w->sums[c] : 0x5555555555555555);
}

static void test_like_plain(void **ctx)
{
    static const struct {
        size_t n, m, columns;
        unsigned bits, recipients;
    } cases[] = {
        {0, 0, 0, 1, 3},   {1, 1, 0, 1, 3},      {60, 0, 1, 40, 3},  {0, 60, 1, 40, 3},
        {90, 70, 0, 1, 3}, {300, 300, 3, 45, 1}, {40, 700, 1, 1, 2}, {90, 300, 40, 50, 3},
    };

    (void)ctx;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = world_new(cases[i].n, cases[i].m, cases[i].columns, cases[i].bits);
        w->terms.recipients = cases[i].recipients;
        play(w, 6);
        check_result(w, 0);
        check_result(w, 1);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_plain),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
