/* Messages of a private intersection sum: an input is one byte that says to whom and at which step,
 * then the message. The side under attack is honest and has run up to that step.
 *
 * Laws: what is no specimen is refused as the peer's fault, or leads on without a result that the
 * honest rows do not allow (a size beyond them); after an error there is no further step; messages
 * are no longer than said. */
#include <stdlib.h>
#include <string.h>

#include "mpc/psi/psi.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS = 3, STEPS = 5, MESSAGE = 1024 };

static const uint8_t ids[2][ROWS] = {{1, 2, 3}, {2, 3, 4}};
static const struct mpc_psi_terms terms = {.session32 = {9},
                                           .matcher_rows = ROWS,
                                           .holder_rows = ROWS,
                                           .minimum = 1,
                                           .recipients = MPC_PSI_MATCHER};

/* The same scalars each time: an input stands for itself. */
static fm_status steady(void *ctx, void *out, size_t len, struct base_err *err)
{
    (void)ctx, (void)err;
    memset(out, 0x5a, len);
    return FM_OK;
}
static const struct base_random random_steady = {steady, NULL};

static struct {
    struct base_buf message[STEPS]; /* what the honest ones say */
} world;

static void ok(fm_status st)
{
    fuzz_law(st == FM_OK, "honest sides go on");
}

static struct mpc_psi *side_new(unsigned side)
{
    struct mpc_psi_rows rows = {ROWS, ids[side], 1, NULL};
    struct mpc_psi *psi;
    struct base_err err;

    ok(side == 0 ? mpc_psi_matcher_new(&psi, &terms, &rows, 1, &random_steady, &err)
                 : mpc_psi_holder_new(&psi, &terms, &rows, NULL, 1, &random_steady, &err));
    return psi;
}

/* The side that takes message `step`, ready for it. */
static struct mpc_psi *ready_for(unsigned step)
{
    unsigned side = step % 2 == 0 ? 1 : 0;
    struct mpc_psi *psi = side_new(side);
    struct base_buf out = {0};
    struct base_err err;

    if (side == 0)
        ok(mpc_psi_step(psi, NULL, 0, &out, &err));
    for (unsigned i = side == 0 ? 1 : 0; i < step; i += 2)
        ok(mpc_psi_step(psi, world.message[i].p, world.message[i].len, &out, &err));
    base_buf_release(&out);
    return psi;
}

static void run(const uint8_t *data, size_t size)
{
    unsigned step = size > 0 ? data[0] : STEPS;
    struct base_buf out = {0};
    struct base_err err = {0};
    struct mpc_psi *psi;
    size_t count = 0;
    fm_status st;

    if (step >= STEPS)
        return;
    psi = ready_for(step);
    st = mpc_psi_step(psi, data + 1, size - 1, &out, &err);
    fuzz_law(st == FM_OK || st == FM_E_PEER, "what is wrong is the peer's fault");
    fuzz_law(st != FM_OK || size - 1 <= terms.matcher_rows * 64 + 256, "no longer than said");
    if (st != FM_OK) {
        fuzz_law(out.len == 0, "nothing is said after an error");
        fuzz_law(mpc_psi_step(psi, data + 1, size - 1, &out, &err) == FM_E_CONFLICT &&
                     !mpc_psi_waits(psi),
                 "after an error there is no further step");
    }
    if (mpc_psi_result(psi, &count, NULL, &err) == FM_OK)
        fuzz_law(st == FM_OK && count >= terms.minimum && count <= ROWS, "a size that can be");
    base_buf_release(&out);
    mpc_psi_free(psi);
}

static void begin(struct fuzz_corpus *corpus)
{
    struct mpc_psi *side[2] = {side_new(0), side_new(1)};
    const struct base_buf *in = NULL;
    struct base_err err;

    for (unsigned i = 0; i < STEPS; i++) {
        struct base_buf specimen = {0};
        ok(mpc_psi_step(side[i % 2], in != NULL ? in->p : NULL, in != NULL ? in->len : 0,
                        &world.message[i], &err));
        in = &world.message[i];
        base_buf_put_u8(&specimen, (uint8_t)i);
        base_buf_put(&specimen, in->p, in->len);
        fuzz_add(corpus, specimen.p, specimen.len);
        base_buf_release(&specimen);
    }
    mpc_psi_free(side[0]);
    mpc_psi_free(side[1]);
}

static const char *const words[] = {"\x01\x01", "\x01\x02", "\x01\x03", "\x01\x04",
                                    "\x01\x05", "\x01\x06", NULL};
const struct fuzz_target fuzz_target = {"psi", FUZZ_BYTES, MESSAGE, words, begin, run};
