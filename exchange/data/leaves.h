/* Rows into the leaves of the tree (root.h), many at a time: while the caller reads rows, other
 * threads hash those that it has read. Private to exchange/data.
 *
 * Rows gather in batches. A full batch is hashed by whichever worker is free; its leaves are
 * appended to the log by the caller's own thread, batch after batch, so the log sees them in order
 * and needs no lock. Fewer rows than a batch holds start no thread at all. */
#ifndef FIRMIANA_EXCHANGE_DATA_LEAVES_H
#define FIRMIANA_EXCHANGE_DATA_LEAVES_H

#include "exchange/data/root.h"
#include "ledger/proof/log.h"

struct data_leaves;

/* Leaves go to *log, which must be empty, and to sink (NULL: none); both must outlive *out, which
 * the caller frees with data_leaves_free(). Errors: FM_E_MEMORY. */
fm_status data_leaves_open(struct data_leaves **out, struct ledger_log *log,
                           const struct ledger_log_sink *sink, const struct data_version_key *key,
                           struct base_err *err) FM_CHECK;
/* The next row, as data_row_encode() takes it; it is copied. The log grows now or later. */
fm_status data_leaves_add(struct data_leaves *leaves, const struct data_cell *row, size_t columns,
                          struct base_err *err) FM_CHECK;
/* Afterwards the log has a leaf for each row added. */
fm_status data_leaves_finish(struct data_leaves *leaves, struct base_err *err) FM_CHECK;
void data_leaves_free(struct data_leaves *leaves); /* NULL is allowed; ends the threads, wipes */

/* s_i of root.h. Not while rows are being added. */
fm_status data_leaves_salt(uint8_t out16[DATA_SALT_SIZE], struct data_leaves *leaves,
                           uint64_t index, struct base_err *err) FM_CHECK;

/* The leaf of a row from its bytes. scratch is used and left dirty: the caller wipes it. */
fm_status data_leaf_hash(uint8_t out32[32], struct base_buf *scratch,
                         const uint8_t salt16[DATA_SALT_SIZE], const uint8_t *row, size_t len,
                         struct base_err *err) FM_CHECK;

#endif
