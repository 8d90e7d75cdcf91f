/* For the tests of oblivious/: a program on every row and in both profiles. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_TEST_ROWS_H
#define FIRMIANA_MPC_OBLIVIOUS_TEST_ROWS_H

#include <stdlib.h>
#include <string.h>

#include "mpc/test_world.h"

static inline void on_every_row(world_program *program, void *arg)
{
    for (size_t i = 0; mpc_protocol_at(i) != NULL; i++)
        for (unsigned profile = 0; profile < 2; profile++) {
            struct world w = {.row = mpc_protocol_at(i),
                              .outsiders = mpc_protocol_at(i)->parties > 1 ? 1 : 0,
                              .profile = profile == 0 ? MPC_FEW_ROUNDS : MPC_FEW_BYTES};

            world_must_run(&w, program, arg);
        }
}

/* How often random tables are tried: FIRMIANA_FULL=1 many times more. */
static inline unsigned repeats(void)
{
    const char *full = getenv("FIRMIANA_FULL");

    return full != NULL && strcmp(full, "0") != 0 ? 200 : 1;
}

/* z, which is freed, must be want[0..n). Programs may run it at every party: only party 0 looks. */
static inline fm_status same(struct mpc_session *s, struct mpc_share *z, int64_t *got,
                             const int64_t *want, const char *what, struct base_err *err)
{
    size_t n = mpc_share_n(z);

    TRY(tell(z, 0, got, err));
    mpc_share_free(z);
    for (size_t i = 0; mpc_session_self(s) == 0 && i < n; i++)
        if (got[i] != want[i])
            return base_err_set(err, FM_E_INVALID, "%s: %zu of %zu: %lld, not %lld", what, i, n,
                                (long long)got[i], (long long)want[i]);
    return FM_OK;
}

/* A call that must be refused, in so many words. */
#define REFUSED(call, code_, text_)                  \
    do {                                             \
        fm_status refused = (call);                  \
        assert_int_equal(refused, code_);            \
        assert_non_null(strstr(err->text, (text_))); \
    } while (0)

#endif
