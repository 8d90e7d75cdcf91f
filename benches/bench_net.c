/* bench_net: one direction between two processes over loopback, messages of one size: a sealed
 * session stream against plain ZeroMQ (ROUTER to DEALER over TCP, nothing secured) and against
 * AES-256-GCM alone on one core, interleaved in the same run, since machines are noisy. `plain`
 * hands ZeroMQ the same buffer again and again and looks at nothing that comes; `plain-copy` does
 * what a transport promises, as the sealed stream does: the caller's buffer is its own again after
 * the send, and what comes is put into the receiver's memory.
 *
 * One JSON object a line and mode: size, mode, messages, seconds (median of the rounds),
 * bytes_per_s, cpu_seconds (of all processes: a busy machine distorts it least); for sealed also
 * share: its speed over the lower of gcm and plain, and share_copy: of gcm and plain-copy (medians
 * of the rounds'). */
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "benches/options.h"
#include "benches/parties.h"
#include "benches/place.h"

enum { ROUNDS_MAX = BENCH_RUNS_MAX, SIZE_MAX_BYTES = 64 << 20, STREAM = 0, BARRIER = 1 };

enum mode { GCM, PLAIN, PLAIN_COPY, SEALED, MODES };

static const char *const mode_names[MODES] = {"gcm", "plain", "plain-copy", "sealed"};

struct job {
    size_t size, messages;
    enum mode mode;
};

/* ---- AES-256-GCM alone: what OpenSSL seals in one thread, in place, a fresh nonce a message ----
 */

static fm_status run_gcm(const struct job *job, double *seconds, struct base_err *err)
{
    uint8_t key[32] = {1}, nonce[12] = {0}, tag[16], *bytes = calloc(1, job->size);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    double start = bench_now();
    int n, ok = bytes && ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, NULL) == 1;

    for (size_t i = 0; ok && i < job->messages; i++) {
        memcpy(nonce, &i, sizeof i);
        ok = EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce) == 1 &&
             EVP_EncryptUpdate(ctx, bytes, &n, bytes, (int)job->size) == 1 &&
             EVP_EncryptFinal_ex(ctx, tag, &n) == 1 &&
             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
    }
    *seconds = bench_now() - start;
    EVP_CIPHER_CTX_free(ctx);
    free(bytes);
    return ok ? FM_OK : base_err_memory(err, "AES-256-GCM");
}

/* ---- plain ZeroMQ ---- */

static void keep(void *bytes, void *hint)
{
    (void)bytes;
    (void)hint;
}

/* The child: takes everything and answers with one byte; twice, the first time to warm up. */
static int plain_receiver(const struct job *job, const char *endpoint)
{
    void *context = zmq_ctx_new(), *s = zmq_socket(context, ZMQ_DEALER);
    uint8_t *bytes = malloc(job->size);
    int none = 0;

    if (!s || !bytes || zmq_setsockopt(s, ZMQ_RCVHWM, &none, sizeof none) != 0 ||
        zmq_connect(s, endpoint) != 0 || zmq_send(s, "r", 1, 0) != 1)
        return 1;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < job->messages; i++) {
            zmq_msg_t m;
            if (job->mode == PLAIN_COPY) {
                if (zmq_recv(s, bytes, job->size, 0) != (int)job->size)
                    return 1;
                continue;
            }
            if (zmq_msg_init(&m) != 0 || zmq_msg_recv(&m, s, 0) < 0 ||
                zmq_msg_size(&m) != job->size)
                return 1;
            zmq_msg_close(&m);
        }
        if (zmq_send(s, "d", 1, 0) != 1)
            return 1;
    }
    zmq_close(s);
    zmq_ctx_term(context);
    free(bytes);
    return 0;
}

static bool plain_send(const struct job *job, void *s, uint8_t *bytes, const uint8_t *id, int len)
{
    uint8_t answer[8];

    for (size_t i = 0; i < job->messages; i++) {
        zmq_msg_t m;
        if (zmq_send(s, id, (size_t)len, ZMQ_SNDMORE) < 0)
            return false;
        if (job->mode == PLAIN_COPY ? zmq_send(s, bytes, job->size, 0) < 0
                                    : zmq_msg_init_data(&m, bytes, job->size, keep, NULL) != 0 ||
                                          zmq_msg_send(&m, s, 0) < 0)
            return false;
    }
    return zmq_recv(s, answer, sizeof answer, 0) > 0 && zmq_recv(s, answer, sizeof answer, 0) == 1;
}

/* The child: where party 1 is; learns the endpoint from the pipe. */
static int plain_child(const struct job *job, int from_parent)
{
    struct bench_place place;
    struct base_err err;
    char endpoint[128];
    int back;
    ssize_t got = read(from_parent, endpoint, sizeof endpoint - 1);

    if (got <= 0 || bench_place_of(&place, 1, &err) != FM_OK ||
        bench_place_enter(&place, &back, &err) != FM_OK)
        return 1;
    endpoint[got] = '\0';
    return plain_receiver(job, endpoint);
}

/* The parent, where party 0 is: one transfer to warm up, one that counts. */
static bool plain_sender(const struct job *job, void *context, const char *host, int to_child,
                         uint8_t *bytes, double *seconds)
{
    void *s = zmq_socket(context, ZMQ_ROUTER);
    int n = 0, mark = 64, patience_ms = 60000;
    char endpoint[128];
    size_t len = sizeof endpoint;
    uint8_t id[16];
    bool ok;

    snprintf(endpoint, sizeof endpoint, "tcp://%s:*", host);
    ok = s && zmq_setsockopt(s, ZMQ_SNDHWM, &mark, sizeof mark) == 0 &&
         zmq_setsockopt(s, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms) == 0 &&
         zmq_setsockopt(s, ZMQ_ROUTER_MANDATORY, &(int){1}, sizeof(int)) == 0 &&
         zmq_bind(s, endpoint) == 0 && zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0 &&
         write(to_child, endpoint, len) == (ssize_t)len &&
         (n = zmq_recv(s, id, sizeof id, 0)) > 0 && zmq_recv(s, endpoint, 8, 0) == 1 &&
         plain_send(job, s, bytes, id, n);
    *seconds = bench_now();
    ok = ok && plain_send(job, s, bytes, id, n);
    *seconds = bench_now() - *seconds;
    if (s)
        zmq_close(s);
    return ok;
}

static fm_status run_plain(const struct job *job, double *seconds, struct base_err *err)
{
    struct bench_place place;
    uint8_t *bytes = calloc(1, job->size);
    int pipes[2] = {-1, -1}, status = 1, back = -1;
    bool ok = bytes && pipe(pipes) == 0;
    pid_t pid = ok ? fork() : -1; /* before ZeroMQ has threads here */
    void *context = NULL;

    if (pid == 0)
        _exit(plain_child(job, pipes[0]));
    if (pid > 0 && bench_place_of(&place, 0, err) == FM_OK &&
        bench_place_enter(&place, &back, err) == FM_OK && (context = zmq_ctx_new()))
        ok = plain_sender(job, context, place.host, pipes[1], bytes, seconds);
    else
        ok = false;
    close(pipes[0]);
    close(pipes[1]);
    if (context)
        zmq_ctx_term(context);
    if (pid > 0)
        waitpid(pid, &status, 0);
    free(bytes);
    if (bench_place_leave(back, err) != FM_OK)
        return err->code;
    return ok && status == 0 ? FM_OK
                             : base_err_set(err, FM_E_IO, "plain ZeroMQ: %s", zmq_strerror(errno));
}

/* ---- a sealed session stream: party 0 sends, party 1 receives, party 2 only meets them ---- */

static fm_status sealed_turn(const struct job *job, struct net_transport *t, uint8_t *bytes,
                             struct base_err *err)
{
    fm_status st = FM_OK;
    uint8_t answer = 0;

    for (size_t i = 0; st == FM_OK && t->self == 0 && i < job->messages; i++)
        st = net_send(t, STREAM, 1, bytes, job->size, err);
    for (size_t i = 0; st == FM_OK && t->self == 1 && i < job->messages; i++)
        st = net_recv(t, STREAM, 0, bytes, job->size, err);
    if (st == FM_OK && t->self == 0)
        st = net_recv(t, STREAM, 1, &answer, 1, err);
    if (st == FM_OK && t->self == 1)
        st = net_send(t, STREAM, 0, &answer, 1, err);
    return st;
}

static fm_status sealed_body(void *ctx, struct net_transport *t, struct bench_report *report,
                             struct base_err *err)
{
    const struct job *job = ctx;
    uint8_t *bytes = calloc(1, job->size);
    fm_status st = bytes ? FM_OK : base_err_memory(err, "messages");

    for (int turn = 0; st == FM_OK && turn < 2; turn++) { /* the first warms up */
        double start;
        st = bench_barrier(t, BARRIER, err);
        start = bench_now();
        if (st == FM_OK)
            st = sealed_turn(job, t, bytes, err);
        report->seconds[0] = t->self == 0 ? bench_now() - start : 0;
    }
    free(bytes);
    return st;
}

static fm_status run_sealed(const struct job *job, double *seconds, struct base_err *err)
{
    struct bench_report reports[BENCH_PARTIES];
    struct job own = *job;
    fm_status st = bench_parties_run(reports, sealed_body, &own, err);

    *seconds = bench_median(reports, 1);
    return st;
}

/* ---- all of them, in turn ---- */

/* Processor time of this process and of its children that ended. */
static double cpu_now(void)
{
    double sum = 0;

    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage u;
        (void)getrusage(who, &u);
        sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    }
    return sum;
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, bench_ascending);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static fm_status measure(size_t size, size_t total, unsigned rounds, struct base_err *err)
{
    static fm_status (*const run[MODES])(const struct job *, double *, struct base_err *) = {
        run_gcm, run_plain, run_plain, run_sealed};
    struct job job = {size, total / size > 0 ? total / size : 1, GCM};
    double seconds[MODES][ROUNDS_MAX], cpu[MODES][ROUNDS_MAX], share[2][ROUNDS_MAX];

    if (size < 65536) /* small ones cost by the message, not by the byte */
        job.messages = job.messages > 100000 ? 100000 : job.messages;
    for (unsigned r = 0; r < rounds; r++) {
        for (job.mode = GCM; job.mode < MODES; job.mode++) {
            double before = cpu_now();
            if (run[job.mode](&job, &seconds[job.mode][r], err) != FM_OK)
                return base_err_prefix(err, "%s, %zu bytes", mode_names[job.mode], size);
            /* All but gcm went through it twice. */
            cpu[job.mode][r] = (cpu_now() - before) / (job.mode == GCM ? 1 : 2);
        }
        for (int i = 0; i < 2; i++) {
            double plain = seconds[PLAIN + i][r], gcm = seconds[GCM][r];
            share[i][r] = (gcm > plain ? gcm : plain) / seconds[SEALED][r];
        }
    }
    for (int m = 0; m < MODES; m++) {
        double s = median(seconds[m], rounds);
        char more[64] = "";
        if (m == SEALED)
            (void)snprintf(more, sizeof more, "\"share\":%.3f,\"share_copy\":%.3f,",
                           median(share[0], rounds), median(share[1], rounds));
        bench_line("stream",
                   "%s\"bytes_per_s\":%.0f,\"cpu_seconds\":%.6f,\"messages\":%zu,\"mode\":\"%s\","
                   "\"seconds\":%.6f,\"size\":%zu",
                   more, (double)(job.messages * size) / s, median(cpu[m], rounds), job.messages,
                   mode_names[m], s, size);
    }
    return FM_OK;
}

static size_t size, total = (size_t)512 << 20, rounds = 5;
static const struct bench_option options[] = {
    {"--size", BENCH_SIZE, &size, 1, SIZE_MAX_BYTES, NULL,
     "bytes of a message (without it: 1 kB to 4 MB in turn)"},
    {"--total", BENCH_SIZE, &total, 1, (size_t)1 << 40, NULL, "bytes sent each time"},
    {"--rounds", BENCH_SIZE, &rounds, 1, ROUNDS_MAX, NULL, "of all modes in turn"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"size", "bytes", "of a message"},
    {"mode", "", "sealed; plain: ZeroMQ; plain-copy: with a transport's copies; gcm: AES-256-GCM"},
    {"messages", "", "sent each time"},
    {"seconds", "s", "by the clock; median of the rounds"},
    {"bytes_per_s", "bytes/s", "messages times size over seconds"},
    {"cpu_seconds", "s", "processor time of all processes, median"},
    {"share", "", "of sealed: its speed over the lower of gcm and plain, median of the rounds'"},
    {"share_copy", "", "of sealed: likewise, of gcm and plain-copy"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_net",
    "one direction between two processes: sealed session stream, plain ZeroMQ, AES-256-GCM alone",
    options,
    fields,
    BENCH_PROFILE | BENCH_NETWORK,
    NULL};

int main(int argc, char **argv)
{
    static const size_t sizes[] = {1000, 4000, 16000, 64000, 250000, 1000000, 4000000};
    struct base_err err = {0};
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (size != 0 && i > 0)
            break;
        if (measure(size != 0 ? size : sizes[i], total, (unsigned)rounds, &err) != FM_OK) {
            fprintf(stderr, "bench_net: %s\n", err.text);
            return fm_status_exit(err.code);
        }
    }
    return 0;
}
