/* What an operator does to a replica as a whole: check, backup, restore, replay, prune. */
#ifndef FIRMIANA_LEDGER_UPKEEP_H
#define FIRMIANA_LEDGER_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/store/chain.h"

/* Told now and then how far it is; tell may be NULL. */
struct ledger_progress {
    void (*tell)(void *ctx, const char *what, uint64_t done, uint64_t total);
    void *ctx;
};

/* ---- check (upkeep_check.c) ---- */

struct ledger_check_report {
    uint64_t height, leaves, states;
    uint64_t erased;     /* leaves whose payload was pruned */
    uint64_t final_size; /* 0: nothing is final yet */
};

/* Reads every page and row of one snapshot and recomputes what follows from what: page checksums,
 * SQLite's trees; payload hashes, the log's nodes and root, each block leaf's links and roots;
 * the state tree's root from all values. What it cannot see: whether the blocks lead to this state
 * (ledger_replay()), and who signed what (firmiana-verify on an export).
 * Memory: 64 bytes for each key of the state. FM_E_CORRUPT names what does not fit. */
fm_status ledger_check(struct ledger_reader *reader, struct ledger_check_report *report,
                       const struct ledger_progress *progress, struct base_err *err) FM_CHECK;

/* ---- backup and restore (upkeep_backup.c) ---- */

/* Copies one snapshot of the replica to a new file, which is checked as above before it has its
 * name; the writer, in this process or another, goes on meanwhile. The file is a whole replica.
 * Errors: FM_E_CONFLICT (path exists), FM_E_IO (no room, ...), FM_E_CORRUPT (the replica is
 * damaged: no backup is made of that); nothing is left behind. */
fm_status ledger_backup(struct ledger_reader *reader, const char *path,
                        struct ledger_check_report *report, const struct ledger_progress *progress,
                        struct base_err *err) FM_CHECK;

enum ledger_restore_flags {
    LEDGER_RESTORE_OVER_NEWER = 1, /* also over a replica that is ahead of the backup */
};

struct ledger_restore_report {
    struct ledger_check_report check;
    bool replaced;            /* there was a replica: it is PATH.old now */
    uint64_t replaced_height; /* 0 where it could not be read */
};

/* Puts a backup in the place of the replica at path (which may be missing or damaged). The backup
 * is copied beside it, checked as above, and its whole trail verified as firmiana-verify does, with
 * every signature and the quorum's, from a genesis with this hash: so a backup made by another
 * member is as good. Notes of this node (chain.h) are taken over from the old replica if it can be
 * read: promises are not forgotten. The old replica is kept as PATH.old.
 * Errors: FM_E_CONFLICT (a node runs on path; the replica there is of another ledger, or ahead),
 * FM_E_INPUT (no backup of ours; of another ledger), FM_E_CORRUPT, FM_E_INVALID (the backup is
 * damaged; its trail does not verify), FM_E_IO; the replica at path is then what it was. */
fm_status ledger_restore(const char *backup, const char *path, const uint8_t chain32[32],
                         unsigned flags, struct ledger_restore_report *report,
                         const struct ledger_progress *progress, struct base_err *err) FM_CHECK;

/* ---- replay (upkeep_replay.c) ---- */

struct ledger_replay_report {
    uint64_t height;  /* blocks executed */
    uint64_t leaves;  /* of the log at that height */
    uint64_t missing; /* the first block that cannot be replayed, its payloads being erased; 0: none
                       */
};

/* Executes all blocks from the genesis on in a fresh replica in a folder of its own under `folder`
 * (removed at the end), compares the log's root after each and the state's root at the end, and
 * every result on the way (they are leaves' parts of result_root). FM_E_CORRUPT: block N leads
 * elsewhere than the ledger says. Where payloads were erased it ends before that block: FM_OK, and
 * report->missing says so. */
fm_status ledger_replay(struct ledger_reader *reader, const char *folder,
                        struct ledger_replay_report *report, const struct ledger_progress *progress,
                        struct base_err *err) FM_CHECK;

/* ---- prune (upkeep_prune.c) ---- */

enum ledger_prune_flags {
    LEDGER_PRUNE_DRY = 1, /* says what it would erase, and erases nothing */
};

struct ledger_prune_report {
    uint64_t before;   /* blocks below this height were looked at */
    uint64_t erased;   /* payloads erased now */
    uint64_t already;  /* erased before */
    uint64_t identity; /* kept for good: members and documents, by which all else is verified */
    uint64_t needed;   /* kept as yet: see below */
    uint64_t bytes_before, bytes_after; /* of the file */
};

/* Erases the payloads of transactions in final blocks below a height, and every trace of them from
 * the file: zeros over what is freed, the file written anew, the WAL cut to nothing. Hashes,
 * results and all proofs stay; exports carry the hashes. (What the disk below keeps of old blocks
 * is not in a program's hands: encrypt the disk.)
 *
 * Kept: who is a member under which document, for good (firmiana-verify follows it from the
 * genesis), and whatever type this program does not know; and as long as that lasts: transactions
 * whose not_after is not past, all of a query that is open, contracts and their authorizations
 * until the contract expires, consents (and revocations) that could still be used, the newest
 * version of each dataset.
 *
 * Followers cannot be given pruned blocks: a new member begins with a backup.
 * Nobody else may read the file meanwhile (FM_E_CONFLICT). The disk needs room for the file once
 * more. FM_E_ARG: the height is beyond what is final. After any other error it can be called again:
 * what is not in the report may be erased and yet not gone from the file. The reader that
 * ledger_chain_reader() gave before is no longer valid. */
fm_status ledger_prune(struct ledger_chain *chain, uint64_t before_height, unsigned flags,
                       struct ledger_prune_report *report, const struct ledger_progress *progress,
                       struct base_err *err) FM_CHECK;

/* The first block that is not before this time: all below are. */
fm_status ledger_height_at(struct ledger_reader *reader, uint64_t *height, int64_t time_ms,
                           struct base_err *err) FM_CHECK;

#endif
