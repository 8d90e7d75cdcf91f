/* bench_paillier: operations of Paillier on batches, one thread.
 *
 * With --compare the same operation by hand with mpz_powm or mpz_mul, and a table of 64 values a
 * row for fixed bases, for thr by one who has the whole key; one at a time, in the same run, turn
 * by turn; and with the ifma kernel the multiply-adds that mpc/paillier/ifma.h counts, at the rate
 * at which this processor was measured in each round to issue them (not of thr's decryption). All
 * times are processor time of the thread, so that a busy machine distorts them little. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benches/options.h"
#include "benches/paillier_by_hand.h"
#include "mpc/paillier/cipher.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/threshold_own.h"
#include "mpc/paillier/triples.h"

enum { ROUNDS = 5, ROUNDS_MAX = 32, THR_NEEDED = 2, THR_PARTIES = 3 };

struct job {
    const char *op, *kind, *bits_text, *kernel;
    unsigned bits;
    size_t batch, rounds, ms;
    double seconds; /* least time of a round */
    bool compare, gmp_kernel;
};

struct world {
    const struct job *job;
    struct mpc_pai_any key;
    struct mpc_pai_secret *secret;
    struct mpc_pai_thr *thr;
    struct mpc_pai_thr_share *shares[THR_PARTIES];
    const struct mpc_pai_modulus *n;
    struct mpc_pai_plain m;
    struct mpc_pai_cipher x, y, z, one;
    uint64_t *scalars;
    double bytes; /* sent for each operation */
    struct by_hand *hand;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A key that nobody holds alone. */
static fm_status deal(struct world *w, struct base_err *err)
{
    unsigned half = w->job->bits / 2;
    fm_status st;
    mpz_t p, q;

    mpz_inits(p, q, NULL);
    st = mpc_pai_prime_new(p, half, MPC_PAI_SAFE, err);
    if (st == FM_OK)
        st = mpc_pai_prime_new(q, half, MPC_PAI_SAFE, err);
    if (st == FM_OK)
        st = mpc_pai_thr_deal_with(&w->thr, w->shares, THR_NEEDED, THR_PARTIES, p, q, "bench",
                                   w->job->gmp_kernel ? &mpc_pai_ring_gmp : NULL, err);
    if (st == FM_OK) {
        w->n = mpc_pai_std_modulus(mpc_pai_thr_as_std(w->thr));
        w->hand = by_hand_new(p, q, p, 0);
    }
    mpz_clears(p, q, NULL);
    return st;
}

static fm_status make_key(struct world *w, struct base_err *err)
{
    const struct mpc_pai_ring_ops *engine = w->job->gmp_kernel ? &mpc_pai_ring_gmp : NULL;
    enum mpc_pai_kind kind = strcmp(w->job->kind, "djn") == 0   ? MPC_PAI_DJN
                             : strcmp(w->job->kind, "sub") == 0 ? MPC_PAI_SUB
                                                                : MPC_PAI_STD;
    mpz_t p, q, n, h, b;
    fm_status st;

    if (strcmp(w->job->kind, "thr") == 0)
        return deal(w, err);
    mpz_inits(p, q, n, h, NULL);
    mpz_init_set_ui(b, 1);
    st = mpc_pai_primes_new(p, q, b, w->job->bits, kind, err);
    mpz_mul(n, p, q);
    if (st == FM_OK)
        st = mpc_pai_blinding_base(h, n, b, err);
    if (st == FM_OK)
        st = mpc_pai_secret_make(&w->secret, p, q, engine, err);
    if (st == FM_OK)
        st = mpc_pai_any_make(&w->key, kind, n, h, engine, err);
    if (st == FM_OK) {
        w->n = mpc_pai_any_modulus(&w->key);
        w->hand = by_hand_new(p, q, h,
                              kind == MPC_PAI_DJN   ? w->job->bits / 2
                              : kind == MPC_PAI_SUB ? mpc_pai_sub_exponent_bits(w->job->bits)
                                                    : 0);
    }
    mpz_clears(p, q, n, h, b, NULL);
    return st;
}

static fm_status encrypt(struct world *w, struct mpc_pai_cipher *c, struct base_err *err)
{
    const struct base_random *random = base_random_system();

    if (strcmp(w->job->kind, "owner") == 0)
        return mpc_pai_owner_encrypt(c, w->secret, &w->m, random, err);
    if (w->key.djn != NULL)
        return mpc_pai_djn_encrypt(c, w->key.djn, &w->m, random, err);
    if (w->key.sub != NULL)
        return mpc_pai_sub_encrypt(c, w->key.sub, &w->m, random, err);
    return mpc_pai_std_encrypt(c, w->thr != NULL ? mpc_pai_thr_as_std(w->thr) : w->key.std, &w->m,
                               random, err);
}

/* What two parties do, and whoever puts their parts together. */
static fm_status decrypt_shared(struct world *w, struct base_err *err)
{
    struct mpc_pai_thr_part parts[THR_NEEDED];
    struct mpc_pai_bond bond = {{1}, 0};
    unsigned made = 0;
    uint32_t wrong;
    fm_status st = FM_OK;

    while (st == FM_OK && made < THR_NEEDED) {
        bond.party = made + 1;
        st = mpc_pai_thr_part_new(&parts[made], w->thr, w->shares[made], &w->x, &bond,
                                  base_random_system(), err);
        made += st == FM_OK;
    }
    if (st == FM_OK)
        st = mpc_pai_thr_combine(&w->m, &wrong, w->thr, parts, made, &w->x, bond.session32, err);
    for (unsigned i = 0; i < made; i++)
        mpc_pai_thr_part_release(&parts[i]);
    return st;
}

static fm_status world_open(struct world *w, const struct job *job, struct base_err *err)
{
    size_t batch = job->batch;
    fm_status st;

    *w = (struct world){.job = job};
    st = make_key(w, err);
    if (st == FM_OK)
        st = mpc_pai_plain_init(&w->m, w->n, batch, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_init(&w->x, w->n, batch, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_init(&w->y, w->n, batch, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_init(&w->z, w->n, batch, err);
    if (st == FM_OK)
        st = mpc_pai_cipher_init(&w->one, w->n, 1, err);
    w->scalars = calloc(batch, sizeof *w->scalars);
    if (st == FM_OK && w->scalars == NULL)
        st = base_err_memory(err, "scalars");
    if (st == FM_OK)
        st = base_random_fill(base_random_system(), w->scalars, batch * sizeof *w->scalars, err);
    for (size_t i = 0; st == FM_OK && i < batch; i++)
        st = mpc_pai_limbs_random_below(w->m.w + i * w->m.k, w->n->n2->m, w->n->bits,
                                        base_random_system(), err);
    if (st == FM_OK)
        st = encrypt(w, &w->x, err);
    if (st == FM_OK)
        st = encrypt(w, &w->y, err);
    return st;
}

static void world_close(struct world *w)
{
    mpc_pai_plain_release(&w->m);
    mpc_pai_cipher_release(&w->x);
    mpc_pai_cipher_release(&w->y);
    mpc_pai_cipher_release(&w->z);
    mpc_pai_cipher_release(&w->one);
    mpc_pai_any_free(&w->key);
    mpc_pai_secret_free(w->secret);
    mpc_pai_thr_free(w->thr);
    for (int i = 0; i < THR_PARTIES; i++)
        mpc_pai_thr_share_free(w->shares[i]);
    by_hand_free(w->hand);
    free(w->scalars);
}

/* Eight slots of a packed plaintext per operation: pack, encrypt; the shift is in the place. */
static fm_status pack(struct world *w, struct base_err *err)
{
    struct mpc_pai_slots s;
    int64_t *v = calloc(w->job->batch, sizeof *v);
    fm_status st =
        v != NULL ? mpc_pai_slots_init(&s, 40, 1024, w->n, err) : base_err_memory(err, "pack");

    if (st == FM_OK)
        st = mpc_pai_slots_place(&w->m, &s, s.slots - 1, v, err);
    if (st == FM_OK)
        st = encrypt(w, &w->z, err);
    free(v);
    return st;
}

/* Both parties' work for a batch of triples, and what they send. */
static fm_status triple(struct world *w, struct base_err *err)
{
    const struct base_random *random = base_random_system();
    struct base_buf asked = {0}, answer = {0};
    size_t n = w->job->batch;
    uint64_t *c = calloc(n, sizeof *c);
    fm_status st =
        c != NULL ? mpc_pai_triples_ask(&asked, w->key.djn, w->scalars, w->scalars, n, random, err)
                  : base_err_memory(err, "triples");

    if (st == FM_OK)
        st = mpc_pai_triples_answer(&answer, c, w->key.djn, asked.p, asked.len, w->scalars,
                                    w->scalars, n, random, err);
    if (st == FM_OK)
        st = mpc_pai_triples_take(c, w->key.djn, w->secret, answer.p, answer.len, w->scalars,
                                  w->scalars, n, err);
    w->bytes = (double)(asked.len + answer.len) / (double)n;
    base_buf_release(&asked);
    base_buf_release(&answer);
    free(c);
    return st;
}

/* The operation once, on the whole batch. */
static fm_status operate(struct world *w, struct base_err *err)
{
    const char *op = w->job->op;

    if (strcmp(op, "encrypt") == 0)
        return encrypt(w, &w->z, err);
    if (strcmp(op, "decrypt") == 0 && w->thr != NULL)
        return decrypt_shared(w, err);
    if (strcmp(op, "decrypt") == 0)
        return mpc_pai_decrypt(&w->m, w->secret, &w->x, err);
    if (strcmp(op, "add") == 0)
        return mpc_pai_add(&w->z, &w->x, &w->y, err);
    if (strcmp(op, "mul64") == 0)
        return mpc_pai_mul_u64(&w->z, &w->x, w->scalars, err);
    if (strcmp(op, "mul") == 0)
        return mpc_pai_mul(&w->z, &w->x, &w->m, err);
    if (strcmp(op, "dot") == 0)
        return mpc_pai_dot_u64(&w->one, &w->x, w->scalars, err);
    if (strcmp(op, "triple") == 0)
        return triple(w, err);
    return pack(w, err);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_size);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Is there a floor to tell? */
static bool has_floor(const struct world *w)
{
    return w->job->compare && strcmp(mpc_pai_modulus_engine(w->n), "ifma") == 0 &&
           !(w->thr != NULL && strcmp(w->job->op, "decrypt") == 0);
}

/* Medians over the rounds. */
struct figures {
    double us, gmp_us, speedup, floor_us, floor_percent;
};

static void print(const struct world *w, size_t n, const struct figures *f)
{
    const struct job *job = w->job;

    char bytes[40] = "", hand[96] = "", least[96] = "";

    if (w->bytes > 0)
        (void)snprintf(bytes, sizeof bytes, ",\"bytes\":%.1f", w->bytes);
    if (job->compare)
        (void)snprintf(hand, sizeof hand, ",\"gmp_us\":%.3f,\"speedup\":%.2f", f->gmp_us,
                       f->speedup);
    if (has_floor(w))
        (void)snprintf(least, sizeof least, ",\"floor_us\":%.3f,\"floor_percent\":%.0f",
                       f->floor_us, f->floor_percent);
    bench_line(job->op,
               "\"batch\":%zu,\"bits\":%u,\"kernel\":\"%s\",\"kind\":\"%s\",\"n\":%zu,"
               "\"ops_per_s\":%.0f,\"us_per_op\":%.3f%s%s%s",
               job->batch, job->bits, mpc_pai_modulus_engine(w->n), job->kind, n, 1e6 / f->us,
               f->us, bytes, hand, least);
}

/* One round: operations until the time is up; microseconds each. */
static fm_status round_of(struct world *w, double *us, size_t *n, struct base_err *err)
{
    double start = now(), t;
    size_t done = 0;

    do {
        if (operate(w, err) != FM_OK)
            return err->code;
        done += w->job->batch;
    } while ((t = now() - start) < w->job->seconds);
    *us = t / (double)done * 1e6;
    *n += done;
    return FM_OK;
}

static double hand_round(const struct world *w)
{
    double start = now(), t;
    size_t done = 0;

    do {
        by_hand_operate(w->hand, w->job->op, w->job->kind);
        done++;
    } while ((t = now() - start) < w->job->seconds);
    return t / (double)done * 1e6;
}

static fm_status keygen(const struct job *job, struct base_err *err)
{
    double us[ROUNDS_MAX], mid;

    for (size_t r = 0; r < job->rounds; r++) {
        struct world w = {.job = job};
        double start = now();
        fm_status st = make_key(&w, err);
        us[r] = (now() - start) * 1e6;
        world_close(&w);
        if (st != FM_OK)
            return st;
    }
    mid = median(us, job->rounds);
    bench_line("keygen",
               "\"batch\":1,\"bits\":%u,\"kernel\":\"%s\",\"kind\":\"%s\",\"n\":%zu,"
               "\"ops_per_s\":%.2f,\"us_per_op\":%.0f",
               job->bits, job->gmp_kernel ? "gmp" : mpc_pai_engine_at(0, job->bits)->name,
               job->kind, job->rounds, 1e6 / mid, mid);
    return FM_OK;
}

static fm_status run(const struct job *asked, struct base_err *err)
{
    struct job by_itself = *asked, *job = &by_itself;
    double us[ROUNDS_MAX], gmp[ROUNDS_MAX] = {0}, ratio[ROUNDS_MAX] = {0}, warm;
    double floor_us[ROUNDS_MAX] = {0}, percent[ROUNDS_MAX] = {0};
    size_t n = 0;
    struct world w;
    fm_status st;

    if (strcmp(job->op, "keygen") == 0)
        return keygen(job, err);
    job->compare = job->compare && strcmp(job->op, "triple") != 0; /* nobody's by hand */
    st = world_open(&w, job, err);
    if (st == FM_OK)
        st = round_of(&w, &warm, &n, err);
    n = 0;
    for (size_t r = 0; st == FM_OK && r < job->rounds; r++) {
        st = round_of(&w, &us[r], &n, err);
        if (job->compare)
            gmp[r] = hand_round(&w);
        ratio[r] = gmp[r] / us[r];
        if (has_floor(&w))
            floor_us[r] = by_hand_floor_us(job->op, job->kind, job->bits);
        percent[r] = 100 * floor_us[r] / us[r];
    }
    if (st == FM_OK)
        print(&w, n,
              &(struct figures){median(us, job->rounds), median(gmp, job->rounds),
                                median(ratio, job->rounds), median(floor_us, job->rounds),
                                median(percent, job->rounds)});
    world_close(&w);
    return st;
}

/* Of all kinds an operation runs on std alone, except where kinds differ. */
static bool wanted(const struct job *job, const char *op, const char *kind)
{
    bool all = strcmp(job->kind, "all") == 0;
    bool encrypts = strcmp(op, "encrypt") == 0 || strcmp(op, "pack") == 0;

    if (strcmp(job->op, "all") != 0 && strcmp(job->op, op) != 0)
        return false;
    if (strcmp(op, "triple") == 0)
        return strcmp(kind, "djn") == 0 && (all || strcmp(job->kind, kind) == 0);
    if (strcmp(kind, "owner") == 0 && !encrypts)
        return false;
    if (strcmp(kind, "thr") == 0) /* safe primes: only who asks for them waits for them */
        return strcmp(job->kind, kind) == 0;
    if (!all)
        return strcmp(job->kind, kind) == 0;
    return encrypts || strcmp(op, "keygen") == 0 || strcmp(kind, "std") == 0;
}

static struct job job = {.op = "all",
                         .kind = "all",
                         .bits_text = "2048",
                         .kernel = "best",
                         .batch = 64,
                         .rounds = ROUNDS,
                         .ms = 200};
static const struct bench_option options[] = {
    {"--op", BENCH_TEXT, &job.op, 0, 0, "keygen|encrypt|decrypt|add|mul64|mul|dot|pack|triple|all",
     "what to measure"},
    {"--kind", BENCH_TEXT, &job.kind, 0, 0, "std|djn|sub|owner|thr|all",
     "of key; owner: of std, by who has it, encrypts; thr: 2 of 3, not among all"},
    {"--bits", BENCH_TEXT, &job.bits_text, 0, 0, "2048|3072|4096", "of the key"},
    {"--batch", BENCH_SIZE, &job.batch, 1, 100000, NULL, "operations at once"},
    {"--rounds", BENCH_SIZE, &job.rounds, 1, ROUNDS_MAX, NULL, "timed"},
    {"--ms", BENCH_SIZE, &job.ms, 1, 60000, NULL, "processor milliseconds that a round takes"},
    {"--kernel", BENCH_TEXT, &job.kernel, 0, 0, "best|gmp", "our own, or GMP's"},
    {"--compare", BENCH_FLAG, &job.compare, 0, 0, NULL, "with GMP by hand, in the same run"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"bits", "", "of the key"},
    {"kind", "", "of key: std, djn, sub, owner, thr"},
    {"batch", "", "operations at once"},
    {"n", "", "operations timed"},
    {"us_per_op", "us", "processor time, median of the rounds"},
    {"ops_per_s", "1/s", "of the same"},
    {"kernel", "", "ifma or gmp"},
    {"bytes", "bytes", "of triple: sent for each"},
    {"gmp_us", "us", "with --compare: by hand with GMP, one at a time"},
    {"speedup", "", "with --compare: median of the rounds' ratios"},
    {"floor_us", "us", "with --compare, ifma: what this processor's multiply-adds take alone"},
    {"floor_percent", "%", "floor_us of us_per_op"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_paillier",
    "operations of Paillier and multiplication triples, batches on one thread",
    options,
    fields,
    0,
    NULL};

int main(int argc, char **argv)
{
    static const char *const ops[] = {"keygen", "encrypt", "decrypt", "add",   "mul64",
                                      "mul",    "dot",     "pack",    "triple"};
    static const char *const kinds[] = {"std", "djn", "sub", "owner", "thr"};
    struct base_err err = {0};
    bool some = false;
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    job.bits = (unsigned)strtoul(job.bits_text, NULL, 10);
    job.seconds = (double)job.ms / 1000;
    job.gmp_kernel = strcmp(job.kernel, "gmp") == 0;
    mpc_pai_gmp_init();
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct job one = job;
            one.op = ops[o], one.kind = kinds[k];
            if (!wanted(&job, ops[o], kinds[k]))
                continue;
            some = true;
            if (run(&one, &err) != FM_OK) {
                fprintf(stderr, "bench_paillier: %s: %s\n", ops[o], err.text);
                return fm_status_exit(err.code);
            }
        }
    if (some)
        return 0;
    fprintf(stderr, "bench_paillier: --op %s --kind %s: no such operation of that kind\n", job.op,
            job.kind);
    return 2;
}
