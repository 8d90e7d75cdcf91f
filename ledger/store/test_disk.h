/* A disk that loses power, for tests of what is kept in SQLite files.
 *
 * It stands between SQLite and its own VFS and records what is asked of one folder's files: writes,
 * truncations, syncs, creations, deletions. Afterwards the folder can be made to look as a power
 * cut at any moment of the record might have left it:
 *
 *   - what was written before a file's last sync is there;
 *   - of what was written or cut after it, each 512 bytes are, by a seeded choice, lost, kept, torn
 *     (their beginning is new, the rest old) or trashed (noise where the new bytes were to stand);
 *     bytes beside the written ones stay, which is what SQLite asks of a disk ("powersafe
 *     overwrite") and what its VFS for Unix takes for granted;
 *   - a file that was made or removed since the folder was last synced may or may not be there. The
 *     folder is synced when SQLite's VFS for Unix does it: with the first sync of a new journal or
 *     WAL.
 *
 * So one run gives all crashes of that run. One record at a time; not thread-safe. The idea is
 * SQLite's test6.c. */
#ifndef FIRMIANA_LEDGER_TEST_DISK_H
#define FIRMIANA_LEDGER_TEST_DISK_H

#include <stddef.h>
#include <stdint.h>

/* Makes it SQLite's default VFS, for the rest of the process. */
void test_disk_install(void);

/* Records from here on: what is in the folder now is safe on disk. Files have no folder of their
 * own in it. The record before is forgotten. */
void test_disk_start(const char *folder);
/* No more is recorded, until the next start. */
void test_disk_stop(void);
/* How many moments the record has by now: a crash at moment m means that the first m operations
 * were asked for. */
size_t test_disk_moment(void);

/* Makes the folder look as a power cut at this moment would have left it. No file of the folder may
 * be open. Fast for moments that do not fall. */
void test_disk_crash(size_t moment, uint64_t seed);

/* Empties the folder of its files and forgets the record. */
void test_disk_forget(void);

#endif
