/* Sealing frames: AES-256-GCM or, where the profile is national, SM4-CTR and then HMAC-SM3 over the
 * ciphertext, with keys per direction and stream, derived from the channel's exporter. The counter
 * is implicit, so a frame that is lost, doubled, moved or altered does not open. The head (session,
 * stream, type, length) is authenticated with it. wire.md, "Keys". */
#ifndef FIRMIANA_NET_SEAL_H
#define FIRMIANA_NET_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "net/frame.h"

/* HKDF-Expand (RFC 5869) with base_hash, SHA-256 or SM3; info = label, then the context bytes.
 * out_len <= 32. Errors: FM_E_MEMORY. */
fm_status net_expand(uint8_t *out, size_t out_len, const uint8_t secret32[32], const char *label,
                     const void *context, size_t context_len, struct base_err *err) FM_CHECK;

enum net_seal_way { NET_SEAL, NET_OPEN };

/* GCM's bound of 2^32 blocks under one key (SP 800-38D counts 2^32 - 2 in one message; we rekey
 * when the sum over messages would pass it); SM4-CTR keeps it too: 2^32 of 2^64, the birthday of
 * its blocks. */
#define NET_SEAL_BLOCKS (UINT64_C(1) << 32)

/* One direction of one stream. In the caller's memory; secret; used by one thread at a time. A copy
 * must not be made: it would use a nonce twice. */
struct net_seal {
    const struct net_seal_kind *kind; /* of the profile when it was made */
    void *ctx;
    void *mac; /* SM4's HMAC, and */
    struct base_sm4 *sm4;
    enum net_seal_way way;
    uint8_t secret32[32];
    uint8_t iv12[12];
    uint64_t counter;
    uint64_t blocks;
    uint64_t limit_blocks;
};

/* limit_blocks: NET_SEAL_BLOCKS, or less in tests; both ends must agree. On failure the seal is
 * released. */
fm_status net_seal_init(struct net_seal *seal, enum net_seal_way way, const uint8_t secret32[32],
                        uint64_t limit_blocks, struct base_err *err) FM_CHECK;
void net_seal_release(struct net_seal *seal); /* wipes; {0} is allowed */

/* Writes head, ciphertext and tag of a frame: NET_HEAD + head->len + NET_TAG bytes at frame. plain
 * may be where the ciphertext goes (frame + NET_HEAD), but must not overlap otherwise. */
fm_status net_seal_frame(struct net_seal *seal, uint8_t *frame, const struct net_head *head,
                         const uint8_t *plain, struct base_err *err) FM_CHECK;

/* Opens a frame whose head net_head_read() accepted. plain: head->len bytes, may be frame +
 * NET_HEAD. FM_E_AUTH if it is not the next frame of this stream, exactly as sealed; plain is then
 * zeroed, and the seal may only be released. */
fm_status net_seal_open(struct net_seal *seal, uint8_t *plain, const uint8_t *frame,
                        const struct net_head *head, struct base_err *err) FM_CHECK;

#endif
