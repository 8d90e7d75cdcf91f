/* The rows of every version of a dataset that its owner published, kept so that a row of any of
 * them can be proved later, whatever the table has become since (root.h). In versions.db, beside
 * the member's data; the comparison of changes.h reads and writes the same tables:
 *
 *   datasets   a name, its number
 *   published  a version: number, root, schema, seed; `forgotten` once its rows may have gone
 *   contents   a row's content from the version `since` until just before the version `until`
 * (NULL: it stands in the newest), with a keyed digest of it
 *
 * A content is kept once for all the versions in a row that have it under the same rowid: a version
 * costs the rows that it changed or added, the first one all. (So does an import that replaces the
 * table and gives every row another rowid; one with --update keeps them.) A row of six columns took
 * 171 bytes of disk, 57 in the table itself.
 *
 * At rest contents are sealed (base/aead.h): key H("firmiana/kept-rows/1" || dataset's secret32 ||
 * the seed of version `since`, 16 random bytes), nonce 0 (u32) || rowid (i64), with the digest
 * authenticated beside. Whoever has the file and not the member's salt secret can read none, and
 * once a version's contents and seed are deleted, neither can the member. What was unsealed is
 * proved against the published root before anybody trusts it. */
#ifndef FIRMIANA_EXCHANGE_DATA_KEPT_H
#define FIRMIANA_EXCHANGE_DATA_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exchange/data/cell.h"
#include "exchange/data/schema.h"

struct data_kept;

/* The version with that root. path: of versions.db. secret32 and table: borrowed for the call. The
 * caller frees *out (NULL on failure). Waits up to a minute for who writes.
 * Errors: FM_E_NOT_FOUND (no such file, or that version is not kept: the text says why), FM_E_IO,
 * FM_E_CORRUPT, FM_E_CONFLICT (in use). */
fm_status data_kept_open(struct data_kept **out, const char *path, const uint8_t *secret32,
                         const char *table, const uint8_t root32[32],
                         struct base_err *err) FM_CHECK;
void data_kept_free(struct data_kept *kept); /* NULL is allowed; wipes */
/* As it was declared for that version. Valid as long as kept. */
const struct data_schema *data_kept_schema(const struct data_kept *kept);
/* The version's rows in the order of rowids, from the first one on with each call, which ends those
 * before. Valid as long as kept. next()'s errors: FM_E_CORRUPT (the file was altered). */
struct data_row_source data_kept_source(struct data_kept *kept);

/* What data_kept_forget() did, or would do. */
struct data_forgotten {
    uint64_t versions; /* that can no longer be proved and could be before */
    uint64_t rows;     /* contents that only they had */
    int64_t oldest;    /* number of the oldest version that is still kept; 0: none */
};

/* Versions with a number below `before` are forgotten: the contents that no later version has go,
 * overwritten in the file, and so do seeds that nothing needs. (SQLite's journal, beside the file
 * while it is written, is removed and not overwritten: what it held can be in free blocks of the
 * disk until they are used again.) root32: of version `before` on the ledger; others with that
 * number that were kept before it were refused, and are forgotten too. NULL: it has none yet, or
 * none is known. After the ledger was put back to an older copy, versions with higher numbers that
 * it no longer has keep what they share with lower ones until they are published anew (oldest
 * tells). FM_E_NOT_FOUND: nothing of that table is kept. */
fm_status data_kept_forget(struct data_forgotten *out, const char *path, const char *table,
                           int64_t before, const uint8_t *root32, struct base_err *err) FM_CHECK;

#endif
