/* A checksum on every page of an SQLite file, so that a page that the disk gives back otherwise
 * than it was written is an error when it is read, and never a wrong answer. (SQLite itself notices
 * only what breaks its trees.) Against accidents; who can write the file can write the sums too.
 *
 * A VFS between SQLite and its own. Each page of the main file keeps its last 8 bytes free
 * (reserved bytes, byte 20 of the header, is 8) and holds there two sums over its 32-bit words,
 * little-endian: s1 = the sum of the words, s2 = the sum of all s1 along the way, both modulo 2^32
 * (Fletcher): every single error of up to 32 bits shows. A page of zeros has sums of zero: SQLite
 * leaves pages unwritten that it freed before their first commit. The WAL has SQLite's own sums,
 * which are checked when it is recovered.
 *
 * A connection's writes to the WAL are gathered into larger ones, each as late as SQLite's own
 * order of writes, syncs and barriers allows (sum_vfs.c, W1 to W5).
 *
 * Files without reserved bytes, and other tools on files that have them, work as ever; but what
 * another tool writes has no valid sums. */
#ifndef FIRMIANA_LEDGER_SUM_VFS_H
#define FIRMIANA_LEDGER_SUM_VFS_H

#include <sqlite3.h>

#define LEDGER_SUM 8 /* reserved bytes of a page */

/* The name for sqlite3_open_v2(); NULL (which is SQLite's own VFS) if it cannot be registered.
 * Thread-safe. A damaged page is SQLITE_IOERR_DATA. */
const char *ledger_sum_vfs(void);

/* A new, empty file will have sums: before anything is put in. SQLite's code. */
int ledger_sum_enable(sqlite3 *db);

#endif
