/* Shared by the runner's files; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_RUN_RUN_INTERNAL_H
#define FIRMIANA_EXCHANGE_RUN_RUN_INTERNAL_H

#include <openssl/evp.h>

#include "exchange/run/run.h"

/* What a step has produced. Freed after its last use. */
struct sql_register {
    struct mpc_share *share; /* RING, BITS */
    struct mpc_share *extra; /* MIN, MAX: whether there was a row, until ANY takes it */
    int64_t value;           /* PUBLIC */
    size_t uses;             /* by later steps and reveals that have not run yet */
};

/* Text hashes under one key. */
struct sql_hasher {
    EVP_MAC_CTX *ctx;
};

struct sql_run {
    const struct sql_run_config *c;
    const struct sql_physical *p;
    struct sql_register *regs;
    bool rows;                /* expressions over rows of a relation: see finish_step() */
    unsigned at, of;          /* operators, for the progress hook */
    struct sql_hasher hasher; /* open at providers of queries with texts */
};

/* run_rows.c */
fm_status sql_hasher_open(struct sql_hasher *out, const uint8_t key32[32],
                          struct base_err *err) FM_CHECK;
void sql_hasher_close(struct sql_hasher *hasher);
fm_status sql_hasher_text(uint8_t out16[16], struct sql_hasher *hasher, const char *text,
                          size_t len, struct base_err *err) FM_CHECK;

/* run_input.c: the text key, then all inputs into registers. */
fm_status sql_run_inputs(struct sql_run *run, struct base_err *err) FM_CHECK;
/* run_rows.c: a provider's rows as the columns of its source's input steps. arrays[i] belongs to
 * the i-th source input step: int64_t[rows] for RING, planes for BITS. */
struct sql_loaded {
    size_t count;
    const size_t *steps;
    void **arrays;
    size_t *sizes; /* in bytes, for wiping */
};
fm_status sql_run_load(struct sql_loaded *out, struct sql_run *run, size_t source,
                       const size_t *steps, size_t count, struct base_err *err) FM_CHECK;
void sql_run_unload(struct sql_loaded *loaded);
/* A row of the source's, from 0, as its dataset declares it? */
fm_status sql_run_check_row(const struct sql_run *run, size_t source, size_t row,
                            const struct sql_cell *cells, struct base_err *err) FM_CHECK;
/* run_step.c: one level of the program. */
fm_status sql_run_level(struct sql_run *run, unsigned level, struct base_err *err) FM_CHECK;
/* How many operators sql_run_level() will announce in all. */
unsigned sql_run_operators(const struct sql_run *run);
/* Tells the progress hook that the next operator begins. */
void sql_run_announce(struct sql_run *run, const char *name);
void sql_run_used(struct sql_run *run, size_t step);

static inline size_t sql_run_elements(const struct sql_physical *p, const struct sql_step *s)
{
    return s->shape == SQL_ONE    ? 1
           : s->shape == SQL_ROWS ? (size_t)p->rows
                                  : (size_t)p->others_rows;
}

#endif
