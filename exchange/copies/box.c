#include "exchange/copies/box.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/secret.h"

static const uint8_t magic[8] = "FMBOX1\r\n";

/* By the number that the header has. */
static const char *const aeads[] = {NULL, "aes-256-gcm", "sm4-ctr-hmac-sm3"};
enum { AEADS = sizeof aeads / sizeof aeads[0] };

struct box {
    uint8_t header[BOX_HEADER];
    const struct base_aead *aead;
    int64_t content, chunks;
};

static int64_t chunks_of(int64_t content)
{
    return content == 0 ? 1 : (content + BOX_CHUNK - 1) / BOX_CHUNK;
}

int64_t box_size(int64_t content)
{
    return BOX_HEADER + content + chunks_of(content) * BASE_AEAD_TAG;
}

int64_t box_content_max(void)
{
    return BOX_MAX - BOX_HEADER - (BOX_MAX / BOX_CHUNK) * BASE_AEAD_TAG;
}

static size_t chunk_len(const struct box *b, int64_t i)
{
    return i + 1 < b->chunks ? (size_t)BOX_CHUNK : (size_t)(b->content - i * BOX_CHUNK);
}

static void nonce_of(uint8_t out[BASE_AEAD_NONCE], const struct box *b, int64_t i)
{
    memset(out, 0, BASE_AEAD_NONCE);
    out[3] = i + 1 == b->chunks;
    base_store_u64(out + 4, (uint64_t)i);
}

/* ---- files ---- */

fm_status box_read_at(int fd, void *out, size_t len, int64_t at, struct base_err *err)
{
    uint8_t *p = out;

    while (len > 0) {
        ssize_t n = pread(fd, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, "read");
        if (n == 0)
            return base_err_set(err, FM_E_INPUT, "it ends too early");
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return FM_OK;
}

fm_status box_write_at(int fd, const void *bytes, size_t len, int64_t at, struct base_err *err)
{
    const uint8_t *p = bytes;

    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, "write");
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return FM_OK;
}

/* Gives all of a file to fn(), in blocks. */
static fm_status each_block(int fd, int64_t size, const atomic_bool *stop,
                            fm_status (*fn)(void *ctx, const void *bytes, size_t len, int64_t at,
                                            struct base_err *err),
                            void *ctx, struct base_err *err)
{
    uint8_t *block = malloc(BOX_CHUNK);
    fm_status st = block != NULL ? FM_OK : base_err_memory(err, "file");

    for (int64_t at = 0; st == FM_OK && at < size;) {
        size_t len = size - at < BOX_CHUNK ? (size_t)(size - at) : (size_t)BOX_CHUNK;
        if (stop != NULL && atomic_load(stop))
            st = base_err_set(err, FM_E_CANCELLED, "stopped");
        if (st == FM_OK)
            st = box_read_at(fd, block, len, at, err);
        if (st == FM_OK)
            st = fn(ctx, block, len, at, err);
        at += (int64_t)len;
    }
    free(block);
    return st;
}

static fm_status hash_block(void *ctx, const void *bytes, size_t len, int64_t at,
                            struct base_err *err)
{
    (void)at, (void)err;
    base_hash_update(ctx, bytes, len);
    return FM_OK;
}

fm_status box_address(uint8_t out32[32], int64_t *size, int in, const atomic_bool *stop,
                      struct base_err *err)
{
    struct base_hash h;
    struct stat info;
    fm_status st;

    if (fstat(in, &info) != 0)
        return base_err_errno(err, "file");
    *size = info.st_size;
    base_hash_init(&h);
    st = each_block(in, info.st_size, stop, hash_block, &h, err);
    base_hash_final(&h, out32);
    return st;
}

static fm_status copy_block(void *ctx, const void *bytes, size_t len, int64_t at,
                            struct base_err *err)
{
    return box_write_at(*(const int *)ctx, bytes, len, at, err);
}

fm_status box_copy(int to, int from, int64_t size, const atomic_bool *stop, struct base_err *err)
{
    return each_block(from, size, stop, copy_block, &to, err);
}

/* ---- sealing ---- */

static void header_make(struct box *b, int64_t content)
{
    b->aead = base_aead_usual();
    b->content = content;
    b->chunks = chunks_of(content);
    memset(b->header, 0, sizeof b->header);
    memcpy(b->header, magic, sizeof magic);
    while (strcmp(aeads[++b->header[8]], base_aead_name(b->aead)) != 0)
        ;
    b->header[13] = BOX_CHUNK >> 16;
    base_store_u64(b->header + 16, (uint64_t)content);
}

fm_status box_seal(int out, const struct box_source *source, int64_t content,
                   const uint8_t key32[32], struct base_err *err)
{
    uint8_t nonce[BASE_AEAD_NONCE], *plain = NULL, *sealed = NULL;
    off_t at = lseek(out, 0, SEEK_CUR);
    struct box b;
    fm_status st;

    if (content < 0 || content > box_content_max())
        return base_err_set(err, FM_E_LIMIT, "%lld bytes: members keep up to %lld for each other",
                            (long long)content, (long long)box_content_max());
    if (at < 0)
        return base_err_errno(err, "box");
    header_make(&b, content);
    plain = malloc(BOX_CHUNK);
    sealed = malloc(BOX_CHUNK + BASE_AEAD_TAG);
    st = plain != NULL && sealed != NULL ? box_write_at(out, b.header, BOX_HEADER, at, err)
                                         : base_err_memory(err, "box");
    at += BOX_HEADER;
    for (int64_t i = 0; st == FM_OK && i < b.chunks; i++) {
        size_t len = chunk_len(&b, i);
        nonce_of(nonce, &b, i);
        st = source->read(source->ctx, plain, len, err);
        if (st == FM_OK)
            st = base_aead_seal(b.aead, sealed, key32, nonce,
                                (struct base_aead_with){b.header, BOX_HEADER}, plain, len, err);
        if (st == FM_OK)
            st = box_write_at(out, sealed, len + BASE_AEAD_TAG, at, err);
        at += (off_t)(len + BASE_AEAD_TAG);
    }
    if (plain != NULL)
        base_wipe(plain, BOX_CHUNK);
    free(plain);
    free(sealed);
    return st;
}

/* ---- opening ---- */

static fm_status header_read(struct box *b, int in, struct base_err *err)
{
    static const uint8_t rest[7] = {0, 0, 0, 0, BOX_CHUNK >> 16, 0, 0};
    struct stat info;
    uint64_t content;

    if (fstat(in, &info) != 0)
        return base_err_errno(err, "box");
    if (info.st_size < BOX_LEAST || info.st_size > BOX_MAX)
        return base_err_set(err, FM_E_INPUT, "not a box: %lld bytes", (long long)info.st_size);
    if (box_read_at(in, b->header, BOX_HEADER, 0, err) != FM_OK)
        return err->code;
    content = base_load_u64(b->header + 16);
    if (memcmp(b->header, magic, sizeof magic) != 0 || b->header[8] == 0 || b->header[8] >= AEADS ||
        memcmp(b->header + 9, rest, sizeof rest) != 0)
        return base_err_set(err, FM_E_INPUT, "not a box of this format");
    if (content > (uint64_t)box_content_max() || box_size((int64_t)content) != info.st_size)
        return base_err_set(err, FM_E_INPUT, "not a box: its length is not what it says");
    b->aead = base_aead_by_name(aeads[b->header[8]]);
    b->content = (int64_t)content;
    b->chunks = chunks_of(b->content);
    if (b->aead != base_aead_usual())
        return base_err_set(err, FM_E_UNSUPPORTED, "sealed by %s, which this ledger does not use",
                            aeads[b->header[8]]);
    return FM_OK;
}

fm_status box_open(const struct box_sink *sink, int in, const uint8_t key32[32],
                   struct base_err *err)
{
    uint8_t nonce[BASE_AEAD_NONCE], *plain = NULL, *sealed = NULL;
    int64_t at = BOX_HEADER;
    struct box b;
    fm_status st = header_read(&b, in, err);

    if (st != FM_OK)
        return st;
    plain = malloc(BOX_CHUNK);
    sealed = malloc(BOX_CHUNK + BASE_AEAD_TAG);
    if (plain == NULL || sealed == NULL)
        st = base_err_memory(err, "box");
    for (int64_t i = 0; st == FM_OK && i < b.chunks; i++) {
        size_t len = chunk_len(&b, i);
        nonce_of(nonce, &b, i);
        st = box_read_at(in, sealed, len + BASE_AEAD_TAG, at, err);
        if (st == FM_OK)
            st = base_aead_open(b.aead, plain, key32, nonce,
                                (struct base_aead_with){b.header, BOX_HEADER}, sealed, len, err);
        if (st == FM_OK)
            st = sink->take(sink->ctx, plain, len, err);
        else if (st == FM_E_AUTH)
            st = base_err_set(err, FM_E_AUTH, "chunk %lld does not open: altered, or another key",
                              (long long)i);
        at += (int64_t)len + BASE_AEAD_TAG;
    }
    if (plain != NULL)
        base_wipe(plain, BOX_CHUNK);
    free(plain);
    free(sealed);
    return st;
}
