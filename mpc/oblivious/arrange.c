#include "mpc/oblivious/arrange.h"

#include <stdlib.h>
#include <string.h>

#include "mpc/choice.h"
#include "mpc/oblivious/versus.h"
#include "mpc/share.h"

/* Rows [at, at + len) whose order among themselves is not known yet. */
struct segment {
    uint32_t at;
    uint32_t len;
    uint32_t sample; /* its first rows; len: all pairs, and then it is done */
    uint32_t offset; /* pivot k is number offset + k * step of the sample */
    uint32_t step;
    unsigned levels; /* t */
    bool wide;       /* every row against every pivot at once, instead of level by level */
};

struct arrange {
    size_t n;
    size_t first;
    size_t limbs;
    const struct mpc_share *const *limb;
    struct mpc_share *here[MPC_ARRANGE_LIMBS]; /* the limbs in the present order */
    uint32_t *row;                             /* what stands where: the answer in the end */
    uint32_t *next;                            /* scratch: the new order in terms of the old */
    uint32_t *bucket;                          /* of each row in this stage */
    struct segment *segment;
    size_t segments;
    struct segment *later;
    uint64_t *tally; /* TALLY */
    uint32_t *drawn; /* a session that only reckons: the rank of what stands where; else NULL */
    struct mpc_versus batch;
    bool noted; /* lists_of() stands in the account */
    enum mpc_profile profile;
};

static uint64_t pairs_of(uint64_t len)
{
    return len * (len - 1) / 2;
}

enum { SHORT_MOST = 4096, SHORT_LEAST = 4, LEVELS_MOST = 12, TALLY = 8192 };

/* Comparisons that may be made at once, beyond those that are needed, to save a batch: some 12
 * bytes each, and a batch is some 6 rounds, of which several are saved. No more than a burst of
 * some megabytes, for which a TCP connection would open its window over several round trips. */
static uint64_t wide_most(const struct arrange *a)
{
    enum { LEAST = 1 << 16, BURST = 1 << 18 };
    uint64_t most = 2 * mpc_round_bytes(a->profile);

    if (a->profile == MPC_FEW_BYTES || most < LEAST)
        return a->profile == MPC_FEW_BYTES ? 0 : LEAST;
    return most < BURST ? most : BURST;
}

/* What the pairs of one stage may come to. */
static uint64_t budget(const struct arrange *a)
{
    uint64_t share = a->profile == MPC_FEW_BYTES ? a->n / 8 : a->n / 2;
    uint64_t least = a->profile == MPC_FEW_BYTES ? 1024 : wide_most(a) / 2;

    return share > least ? share : least;
}

/* The greatest length up to which all segments together stay within the budget. */
static uint32_t short_length(const struct arrange *a)
{
    uint64_t *of_length = a->tally;
    uint64_t sum = 0;
    uint32_t len = SHORT_LEAST;

    memset(of_length, 0, (SHORT_MOST + 1) * sizeof *of_length);
    for (size_t i = 0; i < a->segments; i++)
        if (a->segment[i].len <= SHORT_MOST)
            of_length[a->segment[i].len] += pairs_of(a->segment[i].len);
    for (uint32_t k = 2; k <= SHORT_MOST; k++) {
        sum += of_length[k];
        if (sum > budget(a))
            break;
        len = k > len ? k : len;
    }
    return len;
}

static uint32_t pivots(const struct segment *g)
{
    return (1u << g->levels) - 1;
}

static uint32_t sample_of(const struct segment *g, uint32_t k)
{
    return g->offset + k * g->step;
}

/* Where only the first few rows of a segment are wanted: one pivot, a little above where the last
 * of them is to be expected. If it falls below, the next stage goes on from there. */
static void plan_cut(struct segment *g, uint64_t wanted)
{
    uint64_t expected = wanted * (g->sample + 1) / g->len + 1;
    uint64_t spread = 1;

    while (spread * spread < expected)
        spread++;
    g->levels = 1;
    g->offset = (uint32_t)(expected + 2 * spread);
    if (g->offset >= g->sample)
        g->offset = g->sample - 1;
}

/* How many levels can be one, where rounds count: at least three, or it is not worth it; else 0. */
static unsigned wide_levels(const struct arrange *a)
{
    unsigned levels = 0;

    while (((UINT64_C(2) << levels) - 1) * a->n <= wide_most(a))
        levels++;
    return levels >= 3 ? levels : 0;
}

/* The sample: as many rows as the segment's part of the budget allows pairs for, p or, for better
 * balanced pieces, 2p + 1 of them. */
static void plan_segment(const struct arrange *a, struct segment *g, uint32_t short_len)
{
    double allowed = (double)budget(a) * g->len / (double)a->n;
    unsigned wide = wide_levels(a);
    unsigned most = wide > 0 && wide < LEVELS_MOST ? wide : LEVELS_MOST;

    *g =
        (struct segment){.at = g->at, .len = g->len, .sample = g->len, .step = 1, .wide = wide > 0};
    if (g->len <= short_len)
        return;
    g->levels = 1;
    while (g->levels < most && (4u << g->levels) <= g->len &&
           (double)pairs_of((2u << g->levels) - 1) <= allowed)
        g->levels++;
    g->sample = pivots(g);
    if ((double)pairs_of(2 * g->sample + 1) <= 1.3 * allowed && 2 * g->sample + 1 < g->len) {
        g->sample = 2 * g->sample + 1;
        g->offset = 1;
        g->step = 2;
    }
    if (a->first - g->at < g->len / 4)
        plan_cut(g, a->first - g->at);
}

/* One exchange: every segment asks for its comparisons, and then hears the answers from number *at
 * on. */
struct exchange {
    fm_status (*ask)(struct arrange *a, const struct segment *g, unsigned level,
                     struct base_err *err);
    void (*hear)(struct arrange *a, const struct segment *g, unsigned level, size_t *at);
};

static fm_status run_exchange(struct arrange *a, const struct exchange *x, unsigned level,
                              struct base_err *err)
{
    size_t at = 0;
    fm_status status = FM_OK;

    mpc_versus_restart(&a->batch);
    for (size_t e = 0; status == FM_OK && e < a->segments; e++)
        status = x->ask(a, &a->segment[e], level, err);
    if (status == FM_OK)
        status = mpc_versus_run(&a->batch, err);
    for (size_t e = 0; status == FM_OK && e < a->segments; e++)
        x->hear(a, &a->segment[e], level, &at);
    return status;
}

/* The rows of all samples, in order in next[]. bucket[] counts how many of the sample are smaller.
 */
static fm_status ask_sample(struct arrange *a, const struct segment *g, unsigned level,
                            struct base_err *err)
{
    fm_status status = FM_OK;

    (void)level;
    for (uint32_t i = 1; i < g->sample; i++)
        for (uint32_t j = 0; status == FM_OK && j < i; j++)
            status = mpc_versus_push(&a->batch, g->at + i, g->at + j, err);
    return status;
}

static void hear_sample(struct arrange *a, const struct segment *g, unsigned level, size_t *at)
{
    const uint64_t *less = a->batch.less;
    uint32_t *smaller = a->bucket + g->at;

    (void)level;
    memset(smaller, 0, g->sample * sizeof *smaller);
    for (uint32_t i = 1; i < g->sample; i++)
        for (uint32_t j = 0; j < i; j++) {
            uint32_t bit = mpc_versus_answer(less, (*at)++);

            smaller[j] += bit;
            smaller[i] += 1 - bit;
        }
    for (uint32_t i = 0; i < g->sample; i++)
        a->next[g->at + smaller[i]] = g->at + i;
}

static const struct exchange samples = {ask_sample, hear_sample};

/* One level of the search: against the pivot in the middle of those left. */
static fm_status ask_level(struct arrange *a, const struct segment *g, unsigned level,
                           struct base_err *err)
{
    const uint32_t *sorted = a->next + g->at + sample_of(g, (1u << level) - 1);

    if (g->wide || level >= g->levels)
        return FM_OK;
    return mpc_versus_push_run(&a->batch, g->at + g->sample, g->len - g->sample, sorted,
                               a->bucket + g->at + g->sample, g->step, err);
}

static void hear_level(struct arrange *a, const struct segment *g, unsigned level, size_t *at)
{
    const uint64_t *less = a->batch.less;
    uint32_t *bucket = a->bucket + g->at;
    uint32_t half = 1u << level;

    for (uint32_t i = g->sample; !g->wide && level < g->levels && i < g->len; i++)
        bucket[i] += half & (mpc_versus_answer(less, (*at)++) - 1);
}

static const struct exchange search_level = {ask_level, hear_level};

/* Against all pivots at once. */
static fm_status ask_wide(struct arrange *a, const struct segment *g, unsigned level,
                          struct base_err *err)
{
    fm_status status = FM_OK;

    (void)level;
    for (uint32_t i = g->sample; g->wide && i < g->len; i++)
        for (uint32_t k = 0; status == FM_OK && k < pivots(g); k++)
            status = mpc_versus_push(&a->batch, g->at + i, a->next[g->at + sample_of(g, k)], err);
    return status;
}

static void hear_wide(struct arrange *a, const struct segment *g, unsigned level, size_t *at)
{
    (void)level;
    for (uint32_t i = g->sample; g->wide && i < g->len; i++)
        for (uint32_t k = 0; k < pivots(g); k++)
            a->bucket[g->at + i] += 1 - mpc_versus_answer(a->batch.less, (*at)++);
}

static const struct exchange search_wide = {ask_wide, hear_wide};

/* What stood at next[i] comes to stand at i, up to where rows are still compared. */
static fm_status move_limbs(struct arrange *a, struct base_err *err)
{
    const struct segment *last = &a->segment[a->segments - 1];
    size_t end = (size_t)last->at + last->len;

    for (size_t k = 0; k < a->limbs; k++) {
        struct mpc_share *moved;
        fm_status status = mpc_gather(&moved, a->here[k], a->next, end, err);

        if (status != FM_OK)
            return status;
        mpc_share_free(a->here[k]);
        a->here[k] = moved;
    }
    return FM_OK;
}

static void move(struct arrange *a, uint32_t *what)
{
    for (size_t i = 0; i < a->n; i++)
        a->bucket[i] = what[a->next[i]];
    memcpy(what, a->bucket, a->n * sizeof *what);
}

static void move_rows(struct arrange *a)
{
    move(a, a->row);
    if (a->drawn != NULL)
        move(a, a->drawn);
    for (size_t i = 0; i < a->n; i++)
        a->next[i] = (uint32_t)i;
}

static fm_status search(struct arrange *a, struct base_err *err)
{
    unsigned levels = 0;
    fm_status status = FM_OK;

    for (size_t e = 0; e < a->segments; e++) {
        const struct segment *g = &a->segment[e];

        levels = !g->wide && g->levels > levels ? g->levels : levels;
        memset(a->bucket + g->at + g->sample, 0, (g->len - g->sample) * sizeof *a->bucket);
    }
    for (unsigned level = levels; status == FM_OK && level > 0; level--)
        status = run_exchange(a, &search_level, level - 1, err);
    return status == FM_OK && wide_levels(a) > 0 ? run_exchange(a, &search_wide, 0, err) : status;
}

#define PIVOT UINT32_C(0x80000000)

/* The buckets of the sample's rows; a pivot is marked, and counts with the bucket above. */
static void bucket_sample(struct arrange *a, const struct segment *g)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < g->sample; i++) {
        bool pivot = k < pivots(g) && i == sample_of(g, k);

        k += pivot;
        a->bucket[a->next[g->at + i]] = k | (pivot ? PIVOT : 0);
    }
}

/* Splits one segment into next[], and pushes its pieces. A pivot comes first in its bucket. */
static void split(struct arrange *a, const struct segment *g, size_t *pieces)
{
    uint32_t buckets = pivots(g) + 1;
    uint64_t *start = a->tally;
    uint32_t at = g->at;

    bucket_sample(a, g);
    memset(start, 0, buckets * sizeof *start);
    for (uint32_t i = 0; i < g->len; i++)
        start[a->bucket[g->at + i] & ~PIVOT]++;
    for (uint32_t b = 0; b < buckets; b++) {
        uint32_t pivot = b > 0;
        uint32_t len = (uint32_t)start[b] - pivot;

        start[b] = at += pivot;
        if (len > 1 && at < a->first)
            a->later[(*pieces)++] = (struct segment){.at = at, .len = len};
        at += len;
    }
    for (uint32_t i = g->at; i < g->at + g->len; i++) {
        uint64_t *to = &start[a->bucket[i] & ~PIVOT];

        if ((a->bucket[i] & PIVOT) == 0)
            a->next[(*to)++] = i;
    }
    for (uint32_t i = g->at; i < g->at + g->len;
         i++) /* what is left is each bucket's first place */
        if ((a->bucket[i] & PIVOT) != 0)
            a->next[start[(a->bucket[i] & ~PIVOT) - 1]] = i;
}

static fm_status stage(struct arrange *a, struct base_err *err)
{
    uint32_t short_len = short_length(a);
    struct segment *done = a->segment;
    size_t pieces = 0;
    fm_status status;

    for (size_t e = 0; e < a->segments; e++)
        plan_segment(a, &a->segment[e], short_len);
    status = run_exchange(a, &samples, 0, err);
    if (status == FM_OK)
        status = search(a, err);
    if (status != FM_OK)
        return status;
    for (size_t e = 0; e < a->segments; e++)
        if (a->segment[e].levels > 0)
            split(a, &a->segment[e], &pieces);
    a->segment = a->later;
    a->later = done;
    a->segments = pieces;
    if (pieces > 0)
        status = move_limbs(a, err);
    move_rows(a);
    return status;
}

/* An order for the simulator, the same each time: it stands for what the parties draw together. */
static fm_status draw_order(struct arrange *a, struct base_err *err)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    a->drawn = malloc(a->n * sizeof *a->drawn + 1);
    if (a->drawn == NULL)
        return mpc_no_memory(a->limb[0]->session, "sort", err);
    for (size_t i = 0; i < a->n; i++) {
        size_t j;

        state ^= state << 13; /* xorshift: Marsaglia 2003 */
        state ^= state >> 7;
        state ^= state << 17;
        j = (size_t)((state >> 32) * (i + 1) >> 32);
        a->drawn[i] = a->drawn[j];
        a->drawn[j] = (uint32_t)i;
    }
    return FM_OK;
}

/* Bytes, without what stands in for the others' choices. */
static size_t lists_of(const struct arrange *a)
{
    return a->n * (sizeof *a->next + sizeof *a->bucket) + 2 * (a->n / 2 + 1) * sizeof *a->segment +
           TALLY * sizeof *a->tally;
}

static fm_status begin(struct arrange *a, struct base_err *err)
{
    struct mpc_session *s = a->limb[0]->session;

    a->next = malloc(a->n * sizeof *a->next + 1);
    a->bucket = malloc(a->n * sizeof *a->bucket + 1);
    a->segment = malloc((a->n / 2 + 1) * sizeof *a->segment);
    a->later = malloc((a->n / 2 + 1) * sizeof *a->later);
    a->tally = malloc(TALLY * sizeof *a->tally);
    if (a->next == NULL || a->bucket == NULL || a->segment == NULL || a->later == NULL ||
        a->tally == NULL)
        return mpc_no_memory(s, "sort", err);
    mpc_heap_more(s, lists_of(a));
    a->noted = true;
    for (size_t i = 0; i < a->n; i++)
        a->row[i] = a->next[i] = (uint32_t)i;
    if (a->n > 1 && a->first > 0)
        a->segment[a->segments++] = (struct segment){.len = (uint32_t)a->n};
    for (size_t k = 0; k < a->limbs; k++) {
        fm_status status = mpc_slice(&a->here[k], a->limb[k], 0, a->n, err);

        if (status != FM_OK)
            return status;
    }
    if (s->hollow && draw_order(a, err) != FM_OK)
        return err->code;
    if (mpc_versus_init(&a->batch, a->here, a->limbs, 2 * a->n + budget(a), err) != FM_OK)
        return err->code;
    a->batch.drawn = a->drawn;
    return FM_OK;
}

fm_status mpc_arrange(uint32_t *place, const struct mpc_share *const *limb, size_t limbs,
                      size_t first, struct base_err *err)
{
    struct arrange a = {.n = limb[0]->n,
                        .first = first,
                        .limbs = limbs,
                        .limb = limb,
                        .row = place,
                        .profile = limb[0]->session->profile};
    fm_status status = begin(&a, err);

    while (status == FM_OK && a.segments > 0)
        status = stage(&a, err);
    mpc_share_free_all(a.here, limbs);
    mpc_versus_release(&a.batch);
    if (a.noted)
        mpc_heap_less(limb[0]->session, lists_of(&a));
    free(a.next);
    free(a.bucket);
    free(a.segment);
    free(a.later);
    free(a.tally);
    free(a.drawn);
    return status;
}
