/* Input and output: arguments checked here, once for all protocols; packing between elements and
 * planes. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/kernels.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

size_t mpc_plane_words(size_t n)
{
    return n / 64 + (n % 64 != 0);
}

void mpc_pack(uint64_t *planes, const uint64_t *values, size_t n, unsigned width)
{
    mpc_k_to_planes(planes, mpc_plane_words(n), width, values, n);
}

void mpc_pack_bytes(uint64_t *planes, const uint8_t *bytes, size_t n, unsigned width)
{
    size_t words = mpc_plane_words(n);
    size_t len = width / 8;

    memset(planes, 0, words * width * 8);
    for (size_t i = 0; i < n; i++)
        for (unsigned j = 0; j < width; j++)
            planes[j * words + i / 64] |= (uint64_t)(bytes[i * len + len - 1 - j / 8] >> j % 8 & 1)
                                          << i % 64;
}

static fm_status check_item(const struct mpc_session *s, const struct mpc_input *item, size_t i,
                            struct base_err *err)
{
    const void *given = item->domain == MPC_RING64 ? (const void *)item->values : item->planes;

    if (item->owner >= s->parties)
        return base_err_set(err, FM_E_ARG, "input %zu: owner %u of %u parties", i, item->owner,
                            s->parties);
    if (item->domain != MPC_RING64 && item->domain != MPC_BITS)
        return base_err_set(err, FM_E_ARG, "input %zu: no such domain", i);
    if (item->domain == MPC_RING64 && item->range.lo > item->range.hi)
        return base_err_set(err, FM_E_ARG, "input %zu: its range is empty", i);
    if (item->owner == s->self && given == NULL && item->n > 0)
        return base_err_set(err, FM_E_ARG, "input %zu: this party owns it and gave no values", i);
    if (item->owner != s->self && given != NULL)
        return base_err_set(err, FM_E_ARG, "input %zu: values given for a column of party %u", i,
                            item->owner);
    return FM_OK;
}

static fm_status check_values(const struct mpc_session *s, const struct mpc_input *item, size_t i,
                              struct base_err *err)
{
    if (item->owner != s->self || item->domain != MPC_RING64)
        return FM_OK;
    for (size_t row = 0; row < item->n; row++)
        if (item->values[row] < item->range.lo || item->values[row] > item->range.hi)
            return base_err_set(err, FM_E_INPUT,
                                "column %zu: row %zu is outside the declared range %lld..%lld", i,
                                row, (long long)item->range.lo, (long long)item->range.hi);
    return FM_OK;
}

fm_status mpc_input(struct mpc_session *s, struct mpc_share **out, const struct mpc_input *items,
                    size_t count, struct base_err *err)
{
    struct mpc_record record = {.op = MPC_OP_INPUT, .z = out, .count = count};
    fm_status status = FM_OK;

    for (size_t i = 0; i < count; i++)
        out[i] = NULL;
    if (count == 0 || count > MPC_MAX_LIST)
        return base_err_set(err, FM_E_ARG, "input: a list of %zu columns: 1 to %d", count,
                            MPC_MAX_LIST);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = check_item(s, &items[i], i, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = check_values(s, &items[i], i, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = mpc_share_new(
            &out[i], s, items[i].domain, items[i].n, items[i].width,
            items[i].domain == MPC_RING64 ? items[i].range : (struct mpc_range){0, 0}, err);
    if (status == FM_OK)
        status = s->row->input(s, out, items, count, err);
    if (status == FM_OK && s->computes)
        status = s->row->record(s, &record, err);
    status = mpc_finish(s, MPC_OP_INPUT, status, err);
    if (status != FM_OK)
        mpc_share_free_all(out, count);
    return status;
}

/* One buffer for the opened words of all columns, and where each begins in it. */
struct opened {
    uint64_t *block;
    uint64_t **at;
    size_t words;
};

static fm_status opened_new(struct opened *o, const struct mpc_share *const *x, size_t count,
                            bool receives, struct base_err *err)
{
    size_t at = 0;

    *o = (struct opened){0};
    for (size_t i = 0; i < count; i++)
        o->words += x[i]->comp_words;
    o->at = calloc(count, sizeof *o->at);
    if (o->at == NULL)
        return base_err_memory(err, "opened values");
    if (!receives || o->words == 0)
        return FM_OK;
    o->block = malloc(o->words * 8);
    if (o->block == NULL)
        return base_err_memory(err, "opened values");
    for (size_t i = 0; i < count; i++) {
        o->at[i] = o->block + at;
        at += x[i]->comp_words;
    }
    return FM_OK;
}

static void opened_release(struct opened *o)
{
    if (o->block != NULL)
        base_wipe(o->block, o->words * 8);
    free(o->block);
    free(o->at);
}

static void unpack_opened(const struct opened *o, const struct mpc_share *const *x, size_t count,
                          int64_t *const *out)
{
    for (size_t i = 0; i < count && o->block != NULL; i++) {
        if (x[i]->domain == MPC_RING64)
            memcpy(out[i], o->at[i], x[i]->n * 8);
        else
            mpc_k_from_planes((uint64_t *)out[i], o->at[i], x[i]->plane_words, x[i]->width,
                              x[i]->n);
    }
}

static fm_status check_openable(const struct mpc_share *const *x, size_t count, bool receives,
                                int64_t *const *out, const char *what, struct base_err *err)
{
    fm_status status = mpc_check_list(x, count, what, err);

    if (status != FM_OK)
        return status;
    if (receives && out == NULL)
        return base_err_set(err, FM_E_ARG, "%s: this party receives and gave no place for it",
                            what);
    for (size_t i = 0; i < count; i++) {
        if (x[i]->domain == MPC_BITS && x[i]->width > 64)
            return base_err_set(err, FM_E_ARG, "%s: column %zu has %u planes: at most 64", what, i,
                                x[i]->width);
        if (receives && out[i] == NULL && x[i]->n > 0)
            return base_err_set(err, FM_E_ARG, "%s: no place for column %zu", what, i);
    }
    return FM_OK;
}

static fm_status check_recipients(const struct mpc_session *s, const unsigned *recipients,
                                  size_t len, bool *receives, struct base_err *err)
{
    *receives = false;
    if (len == 0)
        return base_err_set(err, FM_E_ARG, "reveal: no recipients");
    for (size_t i = 0; i < len; i++) {
        if (recipients[i] >= s->parties)
            return base_err_set(err, FM_E_ARG, "reveal: recipient %u of %u parties", recipients[i],
                                s->parties);
        for (size_t j = 0; j < i; j++)
            if (recipients[i] == recipients[j])
                return base_err_set(err, FM_E_ARG, "reveal: recipient %u is listed twice",
                                    recipients[i]);
        if (recipients[i] == s->self)
            *receives = true;
    }
    return FM_OK;
}

fm_status mpc_reveal(const struct mpc_share *const *x, size_t count, const unsigned *recipients,
                     size_t recipients_len, int64_t *const *out, struct base_err *err)
{
    struct mpc_session *s;
    struct opened o = {0};
    bool receives;
    fm_status status = mpc_check_list(x, count, "reveal", err);

    if (status != FM_OK)
        return status;
    s = x[0]->session;
    status = check_recipients(s, recipients, recipients_len, &receives, err);
    if (status == FM_OK)
        status = check_openable(x, count, receives, out, "reveal", err);
    if (status != FM_OK)
        return status;
    status = opened_new(&o, x, count, receives, err);
    if (status == FM_OK && s->computes)
        status = s->row->check(s, err);
    if (status == FM_OK)
        status = s->row->reveal_to(s, x, count, recipients, recipients_len, o.at, err);
    if (status == FM_OK)
        unpack_opened(&o, x, count, out);
    opened_release(&o);
    return mpc_finish(s, MPC_OP_REVEAL, status, err);
}

fm_status mpc_open_masked(const struct mpc_share *const *x, size_t count, int64_t *const *out,
                          struct base_err *err)
{
    struct mpc_session *s;
    struct opened o = {0};
    fm_status status = mpc_check_list(x, count, "open", err);

    if (status != FM_OK)
        return status;
    s = x[0]->session;
    status = check_openable(x, count, s->computes, out, "open", err);
    if (status != FM_OK || !s->computes)
        return status;
    status = opened_new(&o, x, count, true, err);
    if (status == FM_OK)
        status = s->row->check(s, err);
    if (status == FM_OK)
        status = s->row->open_masked(s, x, count, o.at, err);
    if (status == FM_OK)
        unpack_opened(&o, x, count, out);
    opened_release(&o);
    return mpc_finish(s, MPC_OP_OPEN_MASKED, status, err);
}

fm_status mpc_open_masked_planes(const struct mpc_share *x, uint64_t *out, struct base_err *err)
{
    struct mpc_session *s = x->session;
    fm_status status = mpc_check_domain(x, MPC_BITS, "open", err);

    if (status == FM_OK && s->computes && out == NULL && x->n > 0)
        status = base_err_set(err, FM_E_ARG, "open: no place for the planes");
    if (status != FM_OK || !s->computes)
        return status;
    status = s->row->check(s, err);
    if (status == FM_OK)
        status = s->row->open_masked(s, &x, 1, &out, err);
    for (unsigned j = 0; status == FM_OK && x->n % 64 != 0 && j < x->width; j++)
        out[(j + 1) * x->plane_words - 1] &= mpc_tail_mask(x->n);
    return mpc_finish(s, MPC_OP_OPEN_MASKED, status, err);
}
