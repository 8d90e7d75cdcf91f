#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/upkeep_impl.h"

/* The fresh replica is thrown away: it need not survive anything. */
static fm_status hurry(struct ledger_chain *chain, struct base_err *err)
{
    if (sqlite3_exec(chain->store->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK)
        return ledger_store_fail(chain->store, err);
    return FM_OK;
}

static fm_status begin(struct ledger_chain **out, struct ledger_reader *reader, const char *path,
                       struct base_err *err)
{
    struct base_buf genesis = {0};
    fm_status st = ledger_reader_genesis(reader, &genesis, err);

    *out = NULL;
    if (st == FM_OK)
        st = ledger_chain_create(out, path, genesis.p, genesis.len, err);
    if (st == FM_OK)
        st = hurry(*out, err);
    base_buf_release(&genesis);
    return st;
}

static fm_status execute(struct ledger_chain *fresh, struct ledger_reader *reader, uint64_t height,
                         struct base_err *err)
{
    struct base_buf bytes = {0};
    struct ledger_bytes *txs = NULL;
    struct ledger_store_block row;
    struct ledger_block block;
    fm_status st = ledger_store_get_block(reader->store, &row, height, err);

    if (st == FM_E_NOT_FOUND)
        return ledger_store_corrupt(reader->store, "a block's row is missing", err);
    if (st == FM_OK)
        st = ledger_reader_block(reader, &bytes, height, err);
    if (st == FM_OK) {
        st = ledger_block_decode(&block, &txs, bytes.p, bytes.len, err);
        if (st == FM_OK)
            st = ledger_chain_execute(fresh, NULL, &block, err);
        /* What we stored is what we once executed. */
        if (st == FM_E_INPUT || st == FM_E_LIMIT)
            err->code = st = FM_E_CORRUPT;
    }
    if (st == FM_OK &&
        ledger_chain_head(fresh)->log_size != row.first_leaf + row.txs + (row.txs > 0))
        st = ledger_store_corrupt(reader->store, "a transaction of it is not one", err);
    base_buf_release(&bytes);
    free(txs);
    return st;
}

static fm_status compare(struct ledger_chain *fresh, struct ledger_reader *reader,
                         struct base_err *err)
{
    const struct ledger_head *head = ledger_chain_head(fresh);
    char ours[65], theirs[65] = "nothing";
    uint8_t root[32];
    fm_status st = ledger_log_root_at(reader->store, root, head->log_size, err);

    if (st == FM_OK && memcmp(root, head->app_hash, sizeof root) == 0)
        return FM_OK;
    if (st != FM_OK && st != FM_E_CORRUPT)
        return st;
    base_hex(ours, head->app_hash, 32);
    if (st == FM_OK)
        base_hex(theirs, root, 32);
    return base_err_set(err, FM_E_CORRUPT,
                        "block %llu leads to %llu leaves with root %s, the ledger says %s: what is "
                        "stored is not what was executed: restore a backup",
                        (unsigned long long)head->height, (unsigned long long)head->log_size, ours,
                        theirs);
}

static fm_status compare_end(struct ledger_chain *fresh, const struct ledger_head *want,
                             struct base_err *err)
{
    const struct ledger_head *head = ledger_chain_head(fresh);

    if (head->log_size == want->log_size && head->time_ms == want->time_ms &&
        memcmp(head->app_hash, want->app_hash, 32) == 0 &&
        memcmp(head->state_root, want->state_root, 32) == 0)
        return FM_OK;
    return base_err_set(err, FM_E_CORRUPT,
                        "all blocks were replayed, and they do not lead to where the ledger says "
                        "that it stands: restore a backup");
}

static fm_status replay(struct ledger_reader *reader, const char *path,
                        struct ledger_replay_report *report, const struct ledger_progress *progress,
                        struct base_err *err)
{
    struct ledger_chain *fresh = NULL;
    struct ledger_head want;
    uint64_t height = 0;
    fm_status st = ledger_reader_head(reader, &want, err);

    if (st == FM_OK)
        st = begin(&fresh, reader, path, err);
    if (st == FM_OK)
        st = compare(fresh, reader, err);
    while (st == FM_OK && height < want.height) {
        height++;
        ledger_tell(progress, "block", height, want.height);
        st = execute(fresh, reader, height, err);
        if (st == FM_E_NOT_FOUND) {
            report->missing = height;
            st = FM_OK;
            break;
        }
        if (st == FM_OK)
            st = compare(fresh, reader, err);
        else
            (void)base_err_prefix(err, "block %llu", (unsigned long long)height);
    }
    if (fresh != NULL) {
        report->height = ledger_chain_head(fresh)->height;
        report->leaves = ledger_chain_head(fresh)->log_size;
    }
    if (st == FM_OK && report->missing == 0)
        st = compare_end(fresh, &want, err);
    ledger_chain_close(fresh);
    return st;
}

fm_status ledger_replay(struct ledger_reader *reader, const char *folder,
                        struct ledger_replay_report *report, const struct ledger_progress *progress,
                        struct base_err *err)
{
    size_t room = strlen(folder) + 64;
    char *inner = malloc(room), *path = malloc(room);
    fm_status st;

    memset(report, 0, sizeof *report);
    if (inner == NULL || path == NULL) {
        free(inner);
        free(path);
        return base_err_memory(err, "replay");
    }
    (void)snprintf(inner, room, "%s/firmiana-replay.XXXXXX", folder);
    if (mkdtemp(inner) == NULL) {
        st = base_err_errno(err, folder);
    } else {
        (void)snprintf(path, room, "%s/ledger.db", inner);
        st = ledger_reader_begin(reader, err);
        if (st == FM_OK) {
            st = replay(reader, path, report, progress, err);
            ledger_reader_end(reader);
        }
        ledger_store_remove_files(path, LEDGER_FILES_ALL);
        (void)rmdir(inner);
    }
    free(inner);
    free(path);
    return st;
}
