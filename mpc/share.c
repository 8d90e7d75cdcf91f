#define _DEFAULT_SOURCE /* madvise */
#include "mpc/share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/secret.h"

unsigned mpc_range_width(struct mpc_range range)
{
    unsigned width = 1;

    while (width < 64 &&
           (range.lo < -(INT64_C(1) << (width - 1)) || range.hi > (INT64_C(1) << (width - 1)) - 1))
        width++;
    return width;
}

/* Blocks come in size classes, four to each power of two, so that a freed block fits the next
 * column of about that size. Returns the class and rounds *bytes up to it. */
static unsigned size_class(size_t *bytes)
{
    size_t size = 256;
    unsigned class = 0;

    while (size * 2 <= *bytes) {
        size *= 2;
        class += 4;
    }
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        size_t candidate = size + size / 4 * quarter;
        if (*bytes <= candidate) {
            *bytes = candidate;
            return class + quarter;
        }
    }
    *bytes = size * 2;
    return class + 4;
}

static void link_live(struct mpc_session *s, struct mpc_share *x)
{
    x->prev = NULL;
    x->next = s->live;
    if (s->live != NULL)
        s->live->prev = x;
    s->live = x;
    s->memory += x->block_bytes;
    if (s->memory > s->stats.memory_peak)
        s->stats.memory_peak = s->memory;
}

static void unlink_live(struct mpc_session *s, struct mpc_share *x)
{
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        s->live = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    s->memory -= x->block_bytes;
}

enum { HUGE_PAGE = 1 << 21 };

/* Long columns lie on huge pages where the system gives them: their permutations and transpositions
 * touch hundreds of small pages in turn. */
static void *new_block(size_t bytes)
{
    size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *block;

    if (bytes < HUGE_PAGE)
        return aligned_alloc(64, bytes);
    block = aligned_alloc(HUGE_PAGE, whole);
#ifdef MADV_HUGEPAGE
    if (block != NULL)
        (void)madvise(block, whole, MADV_HUGEPAGE); /* it is advice: refused, pages are small */
#endif
    return block;
}

/* A share struct with a block of at least `bytes`: a spare one of that size class, or a new one. */
static struct mpc_share *obtain(struct mpc_session *s, size_t bytes)
{
    unsigned class = bytes == 0 ? MPC_SIZE_CLASSES - 1 : size_class(&bytes);
    struct mpc_share *x = s->spare[class];

    assert(class < MPC_SIZE_CLASSES);
    if (x != NULL) {
        s->spare[class] = x->next;
        return x;
    }
    x = calloc(1, sizeof *x);
    if (x == NULL || bytes == 0)
        return x;
    x->block_bytes = bytes;
    x->data = s->hollow ? NULL : new_block(bytes);
    if (x->data == NULL && !s->hollow) {
        free(x);
        return NULL;
    }
    s->stats.memory_pool += bytes;
    return x;
}

fm_status mpc_share_new(struct mpc_share **out, struct mpc_session *s, enum mpc_domain domain,
                        size_t n, unsigned width, struct mpc_range range, struct base_err *err)
{
    struct mpc_share *x;
    size_t plane_words = domain == MPC_RING64 ? n : mpc_plane_words(n);
    size_t comp_words;
    size_t stride;

    *out = NULL;
    if (n > MPC_MAX_N)
        return base_err_set(err, FM_E_ARG, "%zu elements in one column: at most 2^32", n);
    if (domain == MPC_BITS && (width == 0 || width > MPC_MAX_WIDTH))
        return base_err_set(err, FM_E_ARG, "width %u: 1 to %d planes", width, MPC_MAX_WIDTH);
    comp_words = domain == MPC_RING64 ? n : width * plane_words;
    stride = (comp_words + 7) / 8 * 8;
    x = obtain(s, s->held * stride * 8);
    if (x == NULL)
        return mpc_no_memory(s, "column of shares", err);
    x->session = s;
    x->domain = domain;
    x->width = width;
    x->n = x->whole = n;
    x->range = range;
    x->plane_words = plane_words;
    x->plane_stride = plane_words;
    x->comp_words = comp_words;
    x->comp_stride = stride;
    x->pins = 0;
    x->unwanted = false;
    link_live(s, x);
    *out = x;
    return FM_OK;
}

fm_status mpc_block_new(struct mpc_share **out, struct mpc_session *s, size_t bytes,
                        struct base_err *err)
{
    struct mpc_share *x = obtain(s, bytes == 0 ? 1 : bytes);

    *out = x;
    if (x == NULL)
        return base_err_memory(err, "scratch");
    x->session = s;
    x->pins = 0;
    x->unwanted = false;
    link_live(s, x);
    return FM_OK;
}

static void put_back(struct mpc_share *x)
{
    struct mpc_session *s = x->session;
    size_t bytes = x->block_bytes;
    unsigned class = bytes == 0 ? MPC_SIZE_CLASSES - 1 : size_class(&bytes);

    unlink_live(s, x);
    x->next = s->spare[class];
    s->spare[class] = x;
}

void mpc_share_free(struct mpc_share *x)
{
    if (x == NULL)
        return;
    if (x->pins > 0)
        x->unwanted = true;
    else
        put_back(x);
}

void mpc_share_free_all(struct mpc_share **x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mpc_share_free(x[i]);
        x[i] = NULL;
    }
}

void mpc_share_pin(struct mpc_share *x)
{
    x->pins++;
}

void mpc_share_unpin(struct mpc_share *x)
{
    assert(x->pins > 0);
    x->pins--;
    if (x->pins == 0 && x->unwanted)
        put_back(x);
}

static void release_list(struct mpc_share *x)
{
    while (x != NULL) {
        struct mpc_share *next = x->next;

        if (x->data != NULL)
            base_wipe(x->data, x->block_bytes);
        free(x->data);
        free(x);
        x = next;
    }
}

void mpc_pool_release(struct mpc_session *s)
{
    release_list(s->live);
    s->live = NULL;
    for (size_t i = 0; i < MPC_SIZE_CLASSES; i++) {
        release_list(s->spare[i]);
        s->spare[i] = NULL;
    }
    s->memory = 0;
}

struct mpc_session *mpc_share_session(const struct mpc_share *x)
{
    return x->session;
}

size_t mpc_share_n(const struct mpc_share *x)
{
    return x->n;
}

enum mpc_domain mpc_share_domain(const struct mpc_share *x)
{
    return x->domain;
}

unsigned mpc_share_width(const struct mpc_share *x)
{
    return x->domain == MPC_RING64 ? mpc_range_width(x->range) : x->width;
}

struct mpc_range mpc_share_range(const struct mpc_share *x)
{
    return x->range;
}

fm_status mpc_share_narrow(struct mpc_share *x, struct mpc_range range, struct base_err *err)
{
    if (x->domain != MPC_RING64)
        return base_err_set(err, FM_E_ARG, "narrow: only ring columns have a range");
    if (range.lo > range.hi || range.lo < x->range.lo || range.hi > x->range.hi)
        return base_err_set(err, FM_E_ARG, "narrow: %lld..%lld is not within %lld..%lld",
                            (long long)range.lo, (long long)range.hi, (long long)x->range.lo,
                            (long long)x->range.hi);
    x->range = range;
    return FM_OK;
}

unsigned mpc_session_held(const struct mpc_session *s, unsigned held[MPC_MAX_COMPONENTS])
{
    if (s->computes)
        s->row->held_components(s, held);
    return s->held;
}

/* The words of one component as the digest reads them: bits past n are cleared on the way. */
static void digest_words(struct base_hash *h, const struct mpc_share *x, unsigned comp)
{
    size_t planes = x->domain == MPC_RING64 ? 1 : x->width;

    for (size_t j = 0; j < planes && x->n > 0; j++) {
        const uint64_t *words = mpc_comp(x, comp) + j * x->plane_stride;
        size_t whole = x->domain == MPC_RING64 ? x->plane_words : x->plane_words - 1;

        base_hash_update(h, words, whole * 8);
        if (x->domain == MPC_BITS) {
            uint64_t last = words[whole] & mpc_tail_mask(x->n);
            base_hash_update(h, &last, 8);
        }
    }
}

fm_status mpc_share_digest(const struct mpc_share *x, unsigned component, const uint8_t salt32[32],
                           uint8_t out32[32], struct base_err *err)
{
    unsigned held[MPC_MAX_COMPONENTS];
    unsigned count = mpc_session_held(x->session, held);
    unsigned width = x->domain == MPC_RING64 ? 64 : x->width;
    uint8_t n[8];
    uint8_t head[4] = {(uint8_t)x->domain, (uint8_t)component, (uint8_t)(width >> 8),
                       (uint8_t)width};
    struct base_hash h;

    for (unsigned c = 0; c < count; c++) {
        if (held[c] != component)
            continue;
        base_hash_init(&h);
        base_hash_update(&h, "firmiana mpc share v1", 22);
        base_hash_update(&h, salt32, 32);
        base_hash_update(&h, head, sizeof head);
        base_store_u64(n, x->n);
        base_hash_update(&h, n, sizeof n);
        digest_words(&h, x, c);
        base_hash_final(&h, out32);
        return FM_OK;
    }
    return base_err_set(err, FM_E_ARG, "digest: this party does not hold component %u", component);
}
