/* A box: what a keeper of a copy sees. A file's bytes, encrypted in chunks under a key of their own
 * that seals nothing else; addressed by base_hash of the whole box.
 *
 *   header, 24 bytes   "FMBOX1\r\n" || u8 aead (1: aes-256-gcm, 2: sm4-ctr-hmac-sm3) || 3 zeros ||
 *                      u32 bytes of a chunk, BOX_CHUNK || u64 length of the content
 *   chunk i            its content (BOX_CHUNK bytes, the last one the rest) sealed by base/aead.h:
 *                      nonce u32 (1 for the last chunk, else 0) || u64 i; the header goes with it
 *
 * An empty content has one empty chunk. Chunks can neither be left out, repeated, swapped nor taken
 * from another box: the nonce says which one it is and whether it is the last, the header how much
 * there is (STREAM of Hoang, Reyhanitabar, Rogaway and Vizar, CRYPTO 2015, eprint 2015/189, with
 * the length known beforehand). A keeper learns the length, and nothing else. */
#ifndef FIRMIANA_EXCHANGE_COPIES_BOX_H
#define FIRMIANA_EXCHANGE_COPIES_BOX_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/aead.h"
#include "base/status.h"

enum {
    BOX_HEADER = 24,
    BOX_CHUNK = 1 << 16,
    BOX_MAX = 64 << 20, /* bytes of a box that members keep for each other */
    BOX_LEAST = BOX_HEADER + BASE_AEAD_TAG
};

/* Bytes of the box of so much content. */
int64_t box_size(int64_t content);
/* The greatest content whose box members keep. */
int64_t box_content_max(void);

/* Reads exactly `content` bytes through read() and writes the box to out, from where that file
 * stands. key32: fresh, of this box alone. FM_E_LIMIT: too long. Errors of read() as they are. */
struct box_source {
    /* Fills out with len bytes, or fails. */
    fm_status (*read)(void *ctx, void *out, size_t len, struct base_err *err);
    void *ctx;
};
fm_status box_seal(int out, const struct box_source *source, int64_t content,
                   const uint8_t key32[32], struct base_err *err) FM_CHECK;

/* Reads the box in a file from its beginning and gives its content in order to take(). What was
 * taken before an error is true but not all. FM_E_INPUT: not a box, FM_E_AUTH: altered, or of
 * another key; FM_E_UNSUPPORTED: of the other profile. */
struct box_sink {
    fm_status (*take)(void *ctx, const void *bytes, size_t len, struct base_err *err);
    void *ctx;
};
fm_status box_open(const struct box_sink *sink, int in, const uint8_t key32[32],
                   struct base_err *err) FM_CHECK;

/* A file's base_hash and size. stop (may be NULL): FM_E_CANCELLED once it is set. */
fm_status box_address(uint8_t out32[32], int64_t *size, int in, const atomic_bool *stop,
                      struct base_err *err) FM_CHECK;

/* Whole reads and writes at a place. box_read_at(): FM_E_INPUT if the file ends before. */
fm_status box_read_at(int fd, void *out, size_t len, int64_t at, struct base_err *err) FM_CHECK;
fm_status box_write_at(int fd, const void *bytes, size_t len, int64_t at,
                       struct base_err *err) FM_CHECK;

/* Copies `size` bytes from the beginning of one file to that of another. */
fm_status box_copy(int to, int from, int64_t size, const atomic_bool *stop,
                   struct base_err *err) FM_CHECK;

#endif
