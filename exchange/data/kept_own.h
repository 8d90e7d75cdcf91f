/* What the files of versions.db share (kept.h). Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_KEPT_OWN_H
#define FIRMIANA_EXCHANGE_DATA_KEPT_OWN_H

#include "base/bytes.h"
#include "exchange/data/db.h"
#include "exchange/data/kept.h"

enum { KEPT_DIGEST = 16, KEPT_SEED = 16, KEPT_WAIT_MS = 60000 };

/* The tables of kept.h, made where they are not there. */
extern const char data_kept_sql[];

/* H("firmiana/kept-rows/1" || secret || seed). */
void data_kept_key(uint8_t key32[32], const uint8_t secret32[32], const uint8_t seed[KEPT_SEED]);
/* out: cleared first. */
fm_status data_kept_seal(struct base_buf *out, const uint8_t key32[32], int64_t rowid,
                         const uint8_t digest[KEPT_DIGEST], const uint8_t *row, size_t len,
                         struct base_err *err) FM_CHECK;

/* One statement with up to three numbers; *out (may be NULL) is the first column of its one row, 0
 * if there is none. */
fm_status data_kept_run(int64_t *out, const struct data_db *db, const char *sql,
                        const int64_t numbers[3], struct base_err *err) FM_CHECK;
/* The same about a text and, where the statement has a ?2, 32 bytes. */
fm_status data_kept_about(int64_t *out, const struct data_db *db, const char *sql, const char *text,
                          const uint8_t *root32, struct base_err *err) FM_CHECK;

#endif
