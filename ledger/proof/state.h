/* The state tree: ICS-23's SmtSpec (format.md section 6), a sparse Merkle tree over 256-bit paths
 * with SHA-256.
 *
 *   path = H(key), leaf = H(0x00 || path || H(value)), inner = H(0x01 || left || right), an empty
 * subtree is 32 zero bytes, and a subtree with exactly one leaf is that leaf. Bit 0 of a path is
 * its first byte's highest bit.
 *
 * The root depends on the set of (path, value hash) alone, not on the order of updates nor on how
 * it is stored.
 *
 * Storage: pages, because a row per node is slow. A page covers the subtree under a prefix of whole
 * nibbles:
 *   - a bucket lists up to LEDGER_STATE_BUCKET leaves, (path, value hash), sorted;
 *   - a fan holds for each of its 16 children (one nibble deeper) whether it is empty, a leaf or
 * more, and its hash. A bucket that overflows becomes a fan; a fan whose last leaf goes is deleted;
 * other fans stay fans. A block's changes are applied together, so a page is read and written once
 * per block however many of its leaves changed, and depth is log16 of the number of keys. Page
 * layout: bucket: 0x01, then 64 bytes per leaf;   fan: 0x02, then 16 times kind (0 empty, 1 leaf, 2
 * more) and 32 bytes. Pages are local: no other node sees them, only hashes and proofs. */
#ifndef FIRMIANA_LEDGER_STATE_H
#define FIRMIANA_LEDGER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define LEDGER_STATE_BUCKET 16
#define LEDGER_STATE_PAGE_MAX (1 + 64 * 16) /* bytes of the largest page: 1025 */
#define LEDGER_STATE_ID_MAX 33              /* bytes of the longest page id */

struct ledger_state_change {
    uint8_t path[32];
    uint8_t value_hash[32]; /* unused when removed */
    bool removed;
};

/* Where pages live. A page's id is 1 byte with the number of nibbles of its prefix (0 to 63), then
 * the prefix, two nibbles a byte, high one first, a last odd nibble padded with 0: at most
 * LEDGER_STATE_ID_MAX bytes, one id per page, fit for a primary key. Calls come in the order of
 * paths; no page is asked for after it was put in the same update. */
struct ledger_state_pages {
    /* Copies the page into out, which has room for LEDGER_STATE_PAGE_MAX; *len = 0 if there is
     * none. */
    fm_status (*get)(void *ctx, uint8_t *out, size_t *len, const uint8_t *id, size_t id_len,
                     struct base_err *err);
    fm_status (*put)(void *ctx, const uint8_t *id, size_t id_len, const uint8_t *page, size_t len,
                     struct base_err *err);
    /* The page is there. */
    fm_status (*del)(void *ctx, const uint8_t *id, size_t id_len, struct base_err *err);
    void *ctx;
    /* Told first what an update is about to change, in the order of paths. NULL: nobody asks. */
    fm_status (*begin)(void *ctx, const struct ledger_state_change *changes, size_t n,
                       struct base_err *err);
};

/* path = H(key). */
void ledger_state_path(uint8_t out32[32], const char *key);

/* Applies a block's changes and gives the new root. changes are sorted in place; two of the same
 * path are FM_E_ARG. Removing what is not there changes nothing. On an error some pages may have
 * been written: roll them back. Errors: FM_E_CORRUPT (a page is not what we wrote), and the pages'
 * own. */
fm_status ledger_state_update(uint8_t root32[32], const struct ledger_state_pages *pages,
                              struct ledger_state_change *changes, size_t n,
                              struct base_err *err) FM_CHECK;

/* The same for one subtree alone, whatever the page above it says: changes share `depth` nibbles,
 * and what is above stays as it is. begin is not called. */
fm_status ledger_state_update_below(const struct ledger_state_pages *pages,
                                    struct ledger_state_change *changes, size_t n, unsigned depth,
                                    struct base_err *err) FM_CHECK;

/* The root of what is stored: 32 zero bytes for an empty tree. Reads one page. */
fm_status ledger_state_root(uint8_t root32[32], const struct ledger_state_pages *pages,
                            struct base_err *err) FM_CHECK;

#endif
