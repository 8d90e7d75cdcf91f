/* The trail as a bundle (format.md section 8), for anyone to check offline with firmiana-verify. */
#ifndef FIRMIANA_LEDGER_EXPORT_H
#define FIRMIANA_LEDGER_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/store/chain.h"

enum ledger_export_form { LEDGER_EXPORT_WHOLE, LEDGER_EXPORT_COMPACT };

struct ledger_export_options {
    /* COMPACT: only txs, and what changed members and parameters; of all else not even a hash of
     * each (format.md section 8). Whole nevertheless if the ledger changed its epoch once. With
     * txs alone, not with queries; needs the newest state, as keys do. */
    enum ledger_export_form compact;
    /* Disclose only the leaves of these queries (query.open, query.close, query.receipt; the
     * contracts, authorizations, datasets and consents that they stand on) and every identity leaf;
     * for the rest their hashes. None: disclose everything that is not erased. */
    const uint8_t (*queries)[32];
    size_t n_queries;
    /* These transactions, whatever they are, and what every bundle discloses. */
    const uint8_t (*txs)[32];
    size_t n_txs;
    /* State keys to prove, present or not, in any order, each once. Only while the newest state is
     * the final one: FM_E_CONFLICT otherwise ("try again when block N is final"). */
    const char *const *keys;
    size_t n_keys;
};

/* What was written. */
struct ledger_export_report {
    uint64_t size; /* leaves */
    uint64_t height;
    uint64_t disclosed; /* leaves with their payload, block leaves included */
    uint64_t bytes;
};

/* Writes the newest final state to a new file at path: first beside it, then renamed, so that no
 * half bundle is ever there. options may be NULL. From one snapshot, while the replica goes on;
 * bounded memory. Errors: FM_E_NOT_FOUND (nothing is final; no such query), FM_E_CONFLICT (path
 * exists; see keys), FM_E_IO. */
fm_status ledger_export(struct ledger_reader *reader, const char *path,
                        const struct ledger_export_options *options,
                        struct ledger_export_report *report, struct base_err *err) FM_CHECK;

/* The same into an open file, which is the caller's to sync, name and close. */
fm_status ledger_export_to(struct ledger_reader *reader, int fd,
                           const struct ledger_export_options *options,
                           struct ledger_export_report *report, struct base_err *err) FM_CHECK;

/* These entries of the log, 1 at least, and proof that no member's keys changed in what is left
 * out: compact where that can be. The state can only be proven while the newest block is the final
 * one: on a busy ledger that is a matter of trying again, for 10 s (FM_E_CONFLICT). fd is a file's,
 * at its end. */
fm_status ledger_export_entries(struct ledger_reader *reader, int fd, const uint8_t ids[][32],
                                size_t n, struct ledger_export_report *report,
                                struct base_err *err) FM_CHECK;

#endif
