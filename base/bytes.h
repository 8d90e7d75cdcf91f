/* Bytes: a growing buffer to write into, a cursor to read from, and the text forms of binary (hex,
 * base64url). All integers on wires and disks of Firmiana are big-endian and of fixed width, unless
 * a format says otherwise. */
#ifndef FIRMIANA_BASE_BYTES_H
#define FIRMIANA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A growing buffer. {0} is an empty one. Once an append has failed for want of memory the buffer is
 * `failed`: later appends do nothing, and base_buf_status() says so once at the end. p is never
 * NULL-terminated unless base_buf_cstr() was called. */
struct base_buf {
    uint8_t *p;
    size_t len;
    size_t cap;
    bool failed;
};

void base_buf_release(struct base_buf *buf);
void base_buf_release_secret(struct base_buf *buf); /* wipes first */
void base_buf_clear(struct base_buf *buf);          /* len = 0, memory kept */
void base_buf_put(struct base_buf *buf, const void *bytes, size_t len);
void base_buf_put_str(struct base_buf *buf, const char *text);
void base_buf_putf(struct base_buf *buf, const char *fmt, ...) FM_PRINTF(2, 3);
void base_buf_put_u8(struct base_buf *buf, uint8_t v);
void base_buf_put_u16(struct base_buf *buf, uint16_t v);
void base_buf_put_u32(struct base_buf *buf, uint32_t v);
void base_buf_put_u64(struct base_buf *buf, uint64_t v);
void base_buf_put_hex(struct base_buf *buf, const uint8_t *bytes, size_t len);
/* Appends len bytes and returns where they begin, uninitialised; NULL when memory is out. */
uint8_t *base_buf_extend(struct base_buf *buf, size_t len);
/* FM_OK, or FM_E_MEMORY if any append failed. */
fm_status base_buf_status(const struct base_buf *buf, const char *what,
                          struct base_err *err) FM_CHECK;
/* The content as a C string (a NUL is kept just past len). "" when empty or failed. Valid until the
 * next append. */
const char *base_buf_cstr(struct base_buf *buf);

/* A reader over p[0..left). Every get checks the length first; after a short read the cursor is
 * `bad`, all later gets return zeros, and base_cur_status() reports it once. */
struct base_cur {
    const uint8_t *p;
    size_t left;
    bool bad;
};

struct base_cur base_cur_make(const void *bytes, size_t len);
uint8_t base_cur_u8(struct base_cur *cur);
uint16_t base_cur_u16(struct base_cur *cur);
uint32_t base_cur_u32(struct base_cur *cur);
uint64_t base_cur_u64(struct base_cur *cur);
/* The next len bytes in place, or NULL (and bad) if fewer are left. */
const uint8_t *base_cur_take(struct base_cur *cur, size_t len);
void base_cur_copy(struct base_cur *cur, void *out, size_t len); /* zeros on a short read */
/* FM_OK if nothing ran short and nothing is left; else FM_E_INPUT, "WHAT: truncated" or "WHAT: N
 * bytes left over". */
fm_status base_cur_end(const struct base_cur *cur, const char *what, struct base_err *err) FM_CHECK;

/* Text forms. The decoders accept exactly what the encoders write (lower-case hex; base64url
 * without padding and with zero spare bits) and return false for anything else. base64url is for
 * public data alone (the ledger's messages): time and cache lines follow the digits. */
void base_hex(char *out, const uint8_t *bytes, size_t len); /* out: 2 * len + 1 */
bool base_unhex(uint8_t *out, size_t out_len, const char *text, size_t text_len) FM_CHECK;
void base_base64url(struct base_buf *out, const uint8_t *bytes, size_t len);
bool base_unbase64url(struct base_buf *out, const char *text, size_t text_len) FM_CHECK;

void base_store_u64(uint8_t out8[8], uint64_t v);
uint64_t base_load_u64(const uint8_t in8[8]);

#endif
