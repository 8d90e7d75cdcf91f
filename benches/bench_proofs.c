/* bench_proofs: proofs about Paillier ciphertexts and keys, one thread. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benches/options.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_own.h"
#include "mpc/paillier/proof_slots.h"

enum { ROUNDS_MAX = 32 };

struct job {
    unsigned bits;
    size_t value_bits, batch, rounds;
    const char *bits_text;
};

struct world {
    struct mpc_pai_djn *key;
    struct mpc_pai_secret *secret;
    const struct mpc_pai_modulus *n;
    struct mpc_pai_pedersen pp;
    struct mpc_pai_bond bond;
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c;
    uint64_t *r;
    unsigned *bits;
    size_t k;
    struct base_buf proofs, one;
    size_t slot_count; /* of a ciphertext */
    struct mpc_pai_slot *slots;
    struct mpc_pai_slot_claim *claims;
    struct mpc_pai_generators *generators;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static fm_status world_open(struct world *w, const struct job *job, struct base_err *err)
{
    const struct base_random *random = base_random_system();
    struct mpc_pai_pedersen_secret *trapdoor = NULL;
    fm_status st;
    mpz_t p, q;

    *w = (struct world){0};
    mpc_pai_gmp_init();
    mpz_inits(p, q, NULL);
    mpc_pai_pedersen_init(&w->pp);
    st = mpc_pai_djn_generate(&w->key, &w->secret, job->bits, err);
    if (st == FM_OK) /* parameters of right length; their primes need not be safe to be timed */
        st = mpc_pai_prime_new(p, job->bits / 2, MPC_PAI_BLUM, err);
    if (st == FM_OK)
        st = mpc_pai_prime_new(q, job->bits / 2, MPC_PAI_BLUM, err);
    if (st == FM_OK)
        st = mpc_pai_pedersen_make(&w->pp, &trapdoor, p, q, err);
    mpc_pai_pedersen_secret_free(trapdoor);
    mpz_clears(p, q, NULL);
    if (st != FM_OK)
        return st;
    w->n = mpc_pai_djn_modulus(w->key);
    w->k = job->bits / 64;
    w->r = mpc_pai_words_new(w->k * job->batch);
    w->bits = calloc(job->batch, sizeof *w->bits);
    if (w->r == NULL || w->bits == NULL)
        return base_err_memory(err, "units");
    st = mpc_pai_plain_init(&w->m, w->n, job->batch, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_init(&w->c, w->n, job->batch, err);
    for (size_t i = 0; st == FM_OK && i < job->batch; i++) {
        w->bits[i] = (unsigned)job->value_bits;
        w->m.w[w->m.k * i] = i;
        st = mpc_pai_limbs_random_bits(w->r + w->k * i, job->bits - 1, random, err);
    }
    if (st == FM_OK)
        st = mpc_pai_std_encrypt_r(&w->c, mpc_pai_djn_as_std(w->key), &w->m, w->r, err);
    return st;
}

/* Slots of value_bits and what 16 terms take. */
static fm_status claims_open(struct world *w, const struct job *job, struct base_err *err)
{
    unsigned value_bits = job->value_bits < 62 ? (unsigned)job->value_bits : 62,
             wide = value_bits + 5;

    w->slot_count = (job->bits - 1) / wide;
    w->slots = calloc(w->slot_count, sizeof *w->slots);
    w->claims = calloc(job->batch, sizeof *w->claims);
    if (w->slots == NULL || w->claims == NULL)
        return base_err_memory(err, "claims");
    for (size_t j = 0; j < w->slot_count; j++)
        w->slots[j] = (struct mpc_pai_slot){(unsigned)j * wide, 0, ((uint64_t)1 << value_bits) - 1};
    for (size_t i = 0; i < job->batch; i++)
        w->claims[i] = (struct mpc_pai_slot_claim){w->slots, w->slot_count};
    return mpc_pai_generators_new(&w->generators, w->slot_count * value_bits, err);
}

static void world_close(struct world *w)
{
    mpc_pai_cipher_release(&w->c);
    mpc_pai_plain_release(&w->m);
    base_buf_release(&w->proofs);
    base_buf_release(&w->one);
    mpc_pai_words_free(w->r, w->k * w->m.n);
    free(w->bits);
    free(w->slots);
    free(w->claims);
    mpc_pai_generators_free(w->generators);
    mpc_pai_pedersen_release(&w->pp);
    mpc_pai_djn_free(w->key);
    mpc_pai_secret_free(w->secret);
}

static fm_status range_prove(struct world *w, struct base_err *err)
{
    base_buf_clear(&w->proofs);
    return mpc_pai_range_prove_all(&w->proofs, &w->c, w->bits, &w->pp, &w->m, w->r, &w->bond,
                                   base_random_system(), err);
}

static fm_status range_verify(struct world *w, struct base_err *err)
{
    size_t wrong;

    return mpc_pai_range_verify_all(&wrong, &w->c, w->bits, &w->pp, w->proofs.p, w->proofs.len,
                                    &w->bond, err);
}

static fm_status slots_prove(struct world *w, struct base_err *err)
{
    base_buf_clear(&w->proofs);
    return mpc_pai_slots_prove(&w->proofs, &w->c, w->claims, w->generators, &w->m, w->r, &w->bond,
                               base_random_system(), err);
}

static fm_status slots_verify(struct world *w, struct base_err *err)
{
    size_t wrong;

    return mpc_pai_slots_verify(&wrong, &w->c, w->claims, w->generators, w->proofs.p, w->proofs.len,
                                &w->bond, base_random_system(), err);
}

/* The first of the vector, by itself. */
static fm_status range_prove_one(struct world *w, struct base_err *err)
{
    struct mpc_pai_statement what = {{&w->c}, {0}, 1, w->bits[0]};
    const uint64_t *r[2] = {w->r, NULL};
    fm_status st;
    mpz_t lifted;

    mpz_init(lifted);
    mpz_setbit(lifted, w->bits[0]);
    base_buf_clear(&w->one);
    st = mpc_pai_range_prove_lifted(&w->one, &what, &w->pp, lifted, r, &w->bond,
                                    base_random_system(), err);
    mpz_clear(lifted);
    return st;
}

static fm_status range_verify_one(struct world *w, struct base_err *err)
{
    struct mpc_pai_statement what = {{&w->c}, {0}, 1, w->bits[0]};

    return mpc_pai_range_verify(&what, &w->pp, w->one.p, w->one.len, &w->bond, err);
}

static fm_status modulus_prove(struct world *w, struct base_err *err)
{
    base_buf_clear(&w->one);
    return mpc_pai_modulus_prove(&w->one, w->secret, &w->bond, err);
}

static fm_status modulus_verify(struct world *w, struct base_err *err)
{
    return mpc_pai_modulus_verify(w->n, w->one.p, w->one.len, &w->bond, err);
}

/* single: the same one by one, or NULL. */
static fm_status measure(struct world *w, const struct job *job, const char *op,
                         fm_status (*all)(struct world *, struct base_err *),
                         fm_status (*single)(struct world *, struct base_err *),
                         struct base_err *err)
{
    double us[ROUNDS_MAX], one[ROUNDS_MAX] = {0};
    size_t n = single != NULL ? job->batch : 1, bytes;

    for (size_t r = 0; r < job->rounds; r++) {
        double start = now();
        if (all(w, err) != FM_OK)
            return err->code;
        us[r] = (now() - start) / (double)n;
        start = now();
        if (single != NULL && single(w, err) != FM_OK)
            return err->code;
        one[r] = now() - start;
    }
    qsort(us, job->rounds, sizeof *us, bench_ascending);
    qsort(one, job->rounds, sizeof *one, bench_ascending);
    bytes = single != NULL ? w->proofs.len / n : w->one.len;
    char more[80] = "";
    if (single != NULL)
        (void)snprintf(more, sizeof more, ",\"single_us\":%.0f,\"speedup\":%.1f",
                       one[job->rounds / 2], one[job->rounds / 2] / us[job->rounds / 2]);
    bench_line(op,
               "\"batch\":%zu,\"bits\":%u,\"bytes\":%zu,\"ops_per_s\":%.1f,\"us_per_op\":%.0f%s", n,
               job->bits, bytes, 1e6 / us[job->rounds / 2], us[job->rounds / 2], more);
    return FM_OK;
}

static fm_status measure_slots(struct world *w, const struct job *job, const char *op,
                               fm_status (*all)(struct world *, struct base_err *),
                               struct base_err *err)
{
    double us[ROUNDS_MAX], slots = (double)w->slot_count;

    for (size_t r = 0; r < job->rounds; r++) {
        double start = now();
        if (all(w, err) != FM_OK)
            return err->code;
        us[r] = (now() - start) / (double)job->batch;
    }
    qsort(us, job->rounds, sizeof *us, bench_ascending);
    bench_line(op,
               "\"batch\":%zu,\"bits\":%u,\"bytes\":%zu,\"bytes_per_slot\":%.0f,\"ops_per_s\":%.1f,"
               "\"slots\":%zu,\"us_per_op\":%.0f,\"us_per_slot\":%.0f",
               job->batch, job->bits, w->proofs.len / job->batch,
               (double)w->proofs.len / (double)job->batch / slots, 1e6 / us[job->rounds / 2],
               w->slot_count, us[job->rounds / 2], us[job->rounds / 2] / slots);
    return FM_OK;
}

static struct job job = {.value_bits = 40, .batch = 16, .rounds = 5, .bits_text = "2048"};
static const struct bench_option options[] = {
    {"--bits", BENCH_TEXT, &job.bits_text, 0, 0, "2048|3072|4096", "of the key"},
    {"--batch", BENCH_SIZE, &job.batch, 1, 4096, NULL, "ciphertexts of a proof"},
    {"--value-bits", BENCH_SIZE, &job.value_bits, 13, 1500, NULL, "of a number"},
    {"--rounds", BENCH_SIZE, &job.rounds, 1, ROUNDS_MAX, NULL, "timed"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"bits", "", "of the key"},
    {"batch", "", "ciphertexts that are proven together; 1 for a modulus"},
    {"us_per_op", "us", "processor time of a ciphertext or modulus, median of the rounds"},
    {"ops_per_s", "1/s", "of the same"},
    {"bytes", "bytes", "of proof for each"},
    {"single_us", "us", "of range: one by one, in the same run"},
    {"speedup", "", "of range: single_us / us_per_op"},
    {"slots", "", "of slots: numbers in a ciphertext"},
    {"us_per_slot", "us", "of slots: us_per_op / slots"},
    {"bytes_per_slot", "bytes", "of slots: bytes / slots"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_proofs",
    "proofs about Paillier ciphertexts and keys, one thread: range of a vector, a number in each;\n"
    "slots: each full of numbers; modulus: of a key",
    options,
    fields,
    0,
    NULL};

int main(int argc, char **argv)
{
    struct base_err err = {0};
    struct world w;
    int status;
    fm_status st;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    job.bits = (unsigned)strtoul(job.bits_text, NULL, 10);
    st = world_open(&w, &job, &err);
    if (st == FM_OK)
        st = measure(&w, &job, "range_prove", range_prove, range_prove_one, &err);
    if (st == FM_OK)
        st = measure(&w, &job, "range_verify", range_verify, range_verify_one, &err);
    if (st == FM_OK)
        st = claims_open(&w, &job, &err);
    if (st == FM_OK)
        st = measure_slots(&w, &job, "slots_prove", slots_prove, &err);
    if (st == FM_OK)
        st = measure_slots(&w, &job, "slots_verify", slots_verify, &err);
    if (st == FM_OK)
        st = measure(&w, &job, "modulus_prove", modulus_prove, NULL, &err);
    if (st == FM_OK)
        st = measure(&w, &job, "modulus_verify", modulus_verify, NULL, &err);
    world_close(&w);
    if (st != FM_OK)
        fprintf(stderr, "bench_proofs: %s\n", err.text);
    return fm_status_exit(st);
}
