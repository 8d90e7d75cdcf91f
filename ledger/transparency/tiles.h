/* A log as static files in the form of C2SP tlog-tiles, for outsiders and their tools:
 *
 *   DIR/checkpoint                  the newest published one, with cosignatures (checkpoint.h)
 *   DIR/members                     the members' cosigning keys, one C2SP note verifier key a line
 *   DIR/tile/L/N                    256 hashes: the nodes of level 8L, from index 256N on
 *   DIR/tile/L/N.p/W                the same while only W of them exist
 *   DIR/tile/entries/N[.p/W]        the entries of tile/0/N, each its length (2, big-endian) and
 *                                   its data: H(payload), 32 bytes
 *
 * N in groups of three digits, all but the last with an x before: x001/x234/067. What is published
 * says that entries are there, in which order and number: never what is in them.
 *
 * Tiles are written before the checkpoint that needs them, each under another name first: a reader
 * never sees half of anything. Files that are there are not written again. All of it is for anybody
 * to read, whatever the umask: folders are 0755, files 0644. Who writes holds the folder's lock
 * (flock), so that of two writers none takes back what the other wrote. */
#ifndef FIRMIANA_LEDGER_TILES_H
#define FIRMIANA_LEDGER_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/proof/log_proof.h"

#define LEDGER_TILE 256       /* hashes in a full tile */
#define LEDGER_TILE_PATH 64   /* "tile/entries/x.../..." with the closing NUL */
#define LEDGER_TILE_ENTRIES 8 /* as a level: the entries of level 0 */

/* "tile/0/x001/067.p/12": width from 1 to LEDGER_TILE; level 0 to 7, or LEDGER_TILE_ENTRIES. */
const char *ledger_tile_path(char out[LEDGER_TILE_PATH], unsigned level, uint64_t index,
                             unsigned width);

/* Where a log is published from. */
struct ledger_tile_log {
    struct ledger_log_source nodes;
    /* H(payload) of a leaf. */
    fm_status (*entry)(void *ctx, uint8_t out32[32], uint64_t leaf, struct base_err *err);
    void *ctx;
};

struct ledger_tile_report {
    uint64_t size, files; /* leaves; files written */
    bool repaired;        /* the checkpoint that stood there could not be read */
};

/* Publishes the log up to the checkpoint's size into dir, which is made if it is not there. keys:
 * what goes to DIR/members. A checkpoint that is there already must be of the same chain and a
 * beginning of this one (FM_E_CONFLICT); of the same state, its cosignatures are kept beside the
 * new ones, witnesses' too. One that cannot be read is written anew: its first lines must be a
 * beginning of this log, if they can be read, and its cosignatures go. */
fm_status ledger_tiles_publish(const char *dir, const struct ledger_tile_log *log,
                               const struct ledger_checkpoint *checkpoint, const char *keys,
                               struct ledger_tile_report *report, struct base_err *err) FM_CHECK;

/* One writer at a time: waits, and holds dir until *fd is closed. */
fm_status ledger_published_lock(int *fd, const char *dir, struct base_err *err) FM_CHECK;

/* ---- reading what is published ---- */

/* A folder of tiles, of a log of `size` leaves: hashes come from its files. Nothing in them is
 * believed before a proof made of them holds. */
struct ledger_tile_reader {
    const char *dir;
    uint64_t size;
    /* the newest tile read */
    unsigned level, width;
    uint64_t index;
    uint8_t hash[LEDGER_TILE][32];
};
void ledger_tile_reader_init(struct ledger_tile_reader *reader, const char *dir, uint64_t size);
struct ledger_log_source ledger_tile_source(struct ledger_tile_reader *reader);

/* The root of the log's first `size` leaves from its nodes. */
fm_status ledger_tile_root(uint8_t out32[32], const struct ledger_log_source *source, uint64_t size,
                           struct base_err *err) FM_CHECK;

fm_status ledger_published_checkpoint(struct ledger_checkpoint *out, const char *dir,
                                      struct base_err *err) FM_CHECK;
fm_status ledger_published_put_checkpoint(const char *dir, const struct ledger_checkpoint *c,
                                          struct base_err *err) FM_CHECK;

#endif
