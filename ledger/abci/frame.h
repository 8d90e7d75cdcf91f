/* ABCI frames: an unsigned varint with the length, then so many bytes. */
#ifndef FIRMIANA_LEDGER_ABCI_FRAME_H
#define FIRMIANA_LEDGER_ABCI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* No longer than this: a block of a ledger's greatest limits, with room. */
#define LEDGER_FRAME_MAX ((size_t)64 << 20)

/* What has come on one connection and is not yet taken. {0} to begin with. */
struct ledger_frames {
    struct base_buf in;
    size_t at; /* taken before this */
};

void ledger_frames_release(struct ledger_frames *frames);
void ledger_frames_put(struct ledger_frames *frames, const void *bytes, size_t len);

/* The next whole frame, lent until the next put or next. *got is false if more bytes are needed.
 * FM_E_INPUT: a length that is none, or beyond LEDGER_FRAME_MAX; the stream is then lost. */
fm_status ledger_frames_next(struct ledger_frames *frames, bool *got, const uint8_t **bytes,
                             size_t *len, struct base_err *err) FM_CHECK;

/* Appends a frame's length; its bytes follow. */
void ledger_frame_length(struct base_buf *out, size_t len);

#endif
