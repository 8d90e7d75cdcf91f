#include "ledger/abci/frame.h"

#include <string.h>

void ledger_frames_release(struct ledger_frames *frames)
{
    base_buf_release(&frames->in);
    frames->at = 0;
}

void ledger_frames_put(struct ledger_frames *frames, const void *bytes, size_t len)
{
    if (frames->at > 0) {
        memmove(frames->in.p, frames->in.p + frames->at, frames->in.len - frames->at);
        frames->in.len -= frames->at;
        frames->at = 0;
    }
    base_buf_put(&frames->in, bytes, len);
}

/* LEDGER_FRAME_MAX takes four bytes: what goes on beyond is refused before it is read. */
static fm_status read_length(const uint8_t *p, size_t left, size_t *head, size_t *len,
                             struct base_err *err)
{
    *len = 0;
    for (*head = 0; *head < left; (*head)++) {
        *len |= (size_t)(p[*head] & 0x7f) << (7 * *head);
        if (*len > LEDGER_FRAME_MAX || (*head == 3 && p[*head] >= 0x80))
            return base_err_set(err, FM_E_INPUT, "an ABCI frame longer than %zu bytes",
                                LEDGER_FRAME_MAX);
        if (p[*head] < 0x80) {
            (*head)++;
            return FM_OK;
        }
    }
    *head = 0; /* not all of it is there */
    return FM_OK;
}

fm_status ledger_frames_next(struct ledger_frames *frames, bool *got, const uint8_t **bytes,
                             size_t *len, struct base_err *err)
{
    size_t left = frames->in.len - frames->at, head = 0;
    fm_status st = base_buf_status(&frames->in, "ABCI frame", err);

    *got = false;
    *bytes = NULL;
    *len = 0;
    if (st == FM_OK && left > 0)
        st = read_length(frames->in.p + frames->at, left, &head, len, err);
    if (st != FM_OK || left == 0 || head == 0 || left - head < *len)
        return st;
    *bytes = frames->in.p + frames->at + head;
    frames->at += head + *len;
    *got = true;
    return FM_OK;
}

void ledger_frame_length(struct base_buf *out, size_t len)
{
    for (; len >= 0x80; len >>= 7)
        base_buf_put_u8(out, (uint8_t)(len | 0x80));
    base_buf_put_u8(out, (uint8_t)len);
}
