/* What changed in a table since its provider last published it: rows changed, added, removed. For
 * the provider's own eyes; of it one digest is published, which cannot be tried against guesses.
 *
 * It is told from the contents of published rows that versions.db keeps (kept.h), by a keyed digest
 * of each. Which of the versions there was published, the ledger's root tells: one that was refused
 * or given up is undone once another with its number is on the ledger, and stays until then, beside
 * what is published in its place, because its transaction may only be on its way. Losing the file
 * loses this comparison, and the means to prove rows of older versions, and nothing else.
 *
 * A row whose digest stands under the same rowid is the same. Of the others, those that have only
 * moved (equal digests under other rowids, as after a new import of a file with a line more) are
 * taken out; then a new content under a rowid that was there before is a changed row, and what is
 * left was added or removed. */
#ifndef FIRMIANA_EXCHANGE_DATA_CHANGES_H
#define FIRMIANA_EXCHANGE_DATA_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exchange/data/cell.h"
#include "exchange/data/schema.h"

struct data_changes {
    bool known; /* there are digests of what is published */
    uint64_t same, changed, added, removed;
    /* H("firmiana/changes/1" || root before || root now || for each row that is not alike under its
     * rowid, first those before, then those now, by rowid: 0 or 1 (u8), rowid (i64), its keyed
     * digest): goes to the ledger, tells nobody anything, and shows to whom the provider opens the
     * two versions' digests that these rows changed and no others. */
    uint8_t digest32[32];
};

struct data_changes_job {
    const char *path;        /* of the database, made if it is not there */
    const uint8_t *secret32; /* the dataset's (root.h) */
    const char *table;
    const struct data_schema *schema; /* of the rows that come */
    uint64_t data_version;            /* what they shall be */
    const uint8_t *published32;       /* the root that stands on the ledger; NULL: none */
};

/* Compares rows with those published while somebody reads them, and keeps those that are new or
 * other. Nothing is kept before data_changes_end(). */
struct data_changes_writer;

/* job: copied, what it points to borrowed. Errors: FM_E_IO, FM_E_CORRUPT, FM_E_CONFLICT of the
 * database. */
fm_status data_changes_begin(struct data_changes_writer **out, const struct data_changes_job *job,
                             struct base_err *err) FM_CHECK;
/* The next row, in the order of rowids. */
fm_status data_changes_row(struct data_changes_writer *w, int64_t rowid,
                           const struct data_cell *row, size_t columns,
                           struct base_err *err) FM_CHECK;
/* root32: of all those rows. */
fm_status data_changes_end(struct data_changes *out, struct data_changes_writer *w,
                           const uint8_t root32[32], struct base_err *err) FM_CHECK;
void data_changes_free(struct data_changes_writer *w); /* NULL is allowed */

#endif
