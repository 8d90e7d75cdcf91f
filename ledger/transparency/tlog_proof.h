/* That an entry is in the log, as a file that any tool for such logs reads: C2SP tlog-proof.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra BASE64(the entry: H(payload), 32 bytes)      believed as the path leads from it to the
 * root index 17 BASE64(hash)                                       the inclusion path, lowest
 * sibling first empty line firmiana/CHAIN ...                                 a checkpoint that is
 * final (checkpoint.h)
 *
 * Writing is exact, and parsing accepts exactly what writing gives. */
#ifndef FIRMIANA_LEDGER_TLOG_PROOF_H
#define FIRMIANA_LEDGER_TLOG_PROOF_H

#include "ledger/proof/log_proof.h"
#include "ledger/transparency/published.h"

#define LEDGER_TLOG_PROOF_MAX ((size_t)1 << 17)

struct ledger_tlog_proof {
    uint64_t index;
    uint8_t entry[32];
    struct ledger_log_proof path;
    struct ledger_checkpoint checkpoint;
};

/* True if a file that begins with this text (16 bytes of it are enough) may be one. */
bool ledger_tlog_proof_begins(const char *text);

/* Makes the path of entry `index` to proof->checkpoint, which the caller has set, out of the log's
 * nodes. FM_E_ARG: the checkpoint is over fewer entries. FM_E_CONFLICT: it is of another history.
 */
fm_status ledger_tlog_prove(struct ledger_tlog_proof *proof, uint64_t index,
                            const struct ledger_tile_log *log, struct base_err *err) FM_CHECK;

/* Appends the text. */
fm_status ledger_tlog_proof_encode(struct base_buf *out, const struct ledger_tlog_proof *proof,
                                   struct base_err *err) FM_CHECK;
/* FM_E_INPUT names what is wrong. Nothing is verified. */
fm_status ledger_tlog_proof_parse(struct ledger_tlog_proof *out, const char *text, size_t len,
                                  struct base_err *err) FM_CHECK;

/* Enough of the trusted keys cosigned the checkpoint, and the entry is in its tree. FM_E_INVALID,
 * FM_E_AUTH. */
fm_status ledger_tlog_proof_verify(const struct ledger_tlog_proof *proof, size_t *signers,
                                   const struct ledger_trust *trust, struct base_err *err) FM_CHECK;

#endif
