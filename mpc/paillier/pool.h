/* Blindings made ahead of time, kept sealed in a file, and used at most once each, also across
 * crashes: what makes an encryption under a std key cost one product. (With one blinding under two
 * ciphertexts, their quotient shows the difference of the plaintexts.)
 *
 * Invariants: (1) the number of blindings used is on disk (fdatasync) before take() hands any of
 * them out; (2) it only grows; (3) one process at a time has the file (flock). A blinding that was
 * reserved when the process died is lost, never given again. What no file can see is that an older
 * copy of it was put back: a pool is left out of backups.
 *
 * File: 4096 bytes of head, then entries. Head: "FPAIPOOL", u32 version 1, u32 kind (key.h), 32
 * bytes of the modulus's id, 32 random bytes; at 512 and at 1024 the two places where u64 used and
 * H(head's 80 bytes, used), H as base/hash.h says, are written by turns: the greater one that
 * verifies counts, a torn one was never acted upon. Entry: 12-byte random nonce, the blinding (2
 * bits/8 bytes) under base/aead.h's usual cipher, 16-byte tag; associated data: head's 80 bytes,
 * u64 index. The sealing key is the caller's, from its key store. Integers are big-endian. Each
 * function may be called by any thread.
 */
#ifndef FIRMIANA_MPC_PAILLIER_POOL_H
#define FIRMIANA_MPC_PAILLIER_POOL_H

#include "mpc/paillier/cipher.h"

struct mpc_pai_pool;

/* Opens, or makes, mode 0600. The key must outlive the pool. Errors: FM_E_CONFLICT if another
 * process has it; FM_E_CORRUPT if it is not a pool of this key and kind. */
fm_status mpc_pai_pool_open_std(struct mpc_pai_pool **pool, const char *path,
                                const struct mpc_pai_std *key, const uint8_t seal32[32],
                                const struct base_random *random, struct base_err *err) FM_CHECK;
fm_status mpc_pai_pool_open_djn(struct mpc_pai_pool **pool, const char *path,
                                const struct mpc_pai_djn *key, const uint8_t seal32[32],
                                const struct base_random *random, struct base_err *err) FM_CHECK;
fm_status mpc_pai_pool_open_sub(struct mpc_pai_pool **pool, const char *path,
                                const struct mpc_pai_sub *key, const uint8_t seal32[32],
                                const struct base_random *random, struct base_err *err) FM_CHECK;
void mpc_pai_pool_close(struct mpc_pai_pool *pool); /* ends the thread first; wipes */

/* Makes n more, in this thread; a file whose entries are all used is begun anew first. */
fm_status mpc_pai_pool_fill(struct mpc_pai_pool *pool, size_t n, struct base_err *err) FM_CHECK;
/* From now on a thread keeps at least `target` ready, at the lowest priority. Once a pool. An error
 * ends the thread; take() tells it when the pool is empty. */
fm_status mpc_pai_pool_start(struct mpc_pai_pool *pool, size_t target,
                             struct base_err *err) FM_CHECK;
size_t mpc_pai_pool_ready(struct mpc_pai_pool *pool);
/* blinding->v.n of them, for mpc_pai_encrypt_with or a product. Errors: FM_E_NOT_FOUND if fewer are
 * ready (none is used up then); FM_E_CORRUPT if one does not open: all n are used up. */
fm_status mpc_pai_pool_take(struct mpc_pai_pool *pool, struct mpc_pai_cipher *blinding,
                            struct base_err *err) FM_CHECK;

#endif
