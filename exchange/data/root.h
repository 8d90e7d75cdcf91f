/* The data version root: one hash that commits a provider to all rows of a published dataset, gives
 * nothing about them away, and lets a court check a single row that is opened later.
 *
 * All integers big-endian; H is SHA-256; a row's index is its place, from 0, in rowid order.
 *
 *   salt key   K      = HMAC-H(secret32, "firmiana/row-salts/1" || data_version u64)
 *   salt       s_i    = the first 16 bytes of HMAC-H(K, i u64)
 *   row bytes  b_i    = 0x01 || column count u32 || cell ... in the schema's order, or 0x00 alone:
 *                       there is no such row. A cell is
 *                         0x00                          NULL
 *                         0x01 || value i64             INTEGER, DECIMAL, BOOLEAN, DATE (scaled)
 *                         0x02 || length u32 || bytes   TEXT
 *   row hash   h_i    = H("firmiana/row/1" || s_i || b_i)
 *   root              = RFC 6962 tree over h_0 ... h_(rows-1) as leaf data, rows being the schema's
 *                       padded row count; leaf hash H(0x00 || h_i), inner node H(0x01 || l || r)
 *
 * A root binds neither the number of leaves nor the schema: both stand with it in one
 * dataset.publish, and a proof is checked against all three.
 *
 * The tree always has as many leaves as the schema declares rows, so neither the root nor the
 * length of a proof tells how many there are. (The index of an opened row tells that there are more
 * than index.) Without the salt, 128 bits that nobody else can compute, a hash cannot be tried
 * against guessed rows; and opening one row opens no other salt.
 *
 * Every data version salts every row afresh, the unchanged ones too. Were their hashes kept, then
 * whoever sees rows opened from two versions (a court, an expert of the other side) could compare
 * the nodes beside the two paths and learn which *unopened* rows changed in between; and a salt
 * opened in one version would let the row's later content be guessed, unless each row's salt also
 * told when it last changed, which would have to be kept for years beside the rows. As it is, a
 * root depends on rows, secret and version alone: any backup of the table reproduces it. The price
 * is hashing all rows for each version: scan and root of 10^6 rows of ten columns, on two cores,
 * took 1.1 s together.
 *
 * A row proof is JSON: {"format":"firmiana-row-proof-1","index":i,"path":[hex, lowest first],
 * "row":hex of b_i,"salt":hex of s_i}. */
#ifndef FIRMIANA_EXCHANGE_DATA_ROOT_H
#define FIRMIANA_EXCHANGE_DATA_ROOT_H

#include <jansson.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "exchange/data/cell.h"
#include "exchange/data/schema.h"

#define DATA_SALT_SIZE 16

/* What rows are hashed with. secret32: the dataset's secret, drawn once by the provider, kept with
 * its keys, never published. Borrowed. */
struct data_version_key {
    const uint8_t *secret32;
    uint64_t data_version;
};

/* b_i of a row; row == NULL: there is no such row. Errors show in the buffer. */
void data_row_encode(struct base_buf *out, const struct data_cell *row, size_t columns);

/* Reads all rows of the source (at most schema->rows: FM_E_INPUT) and gives the root.
 * Cost: O(rows) hashes, on up to four threads of its own beside the reading. Memory: eight batches
 * of 1 MB and a row each, whatever the number of rows. */
fm_status data_root_compute(uint8_t root32[32], const struct data_row_source *source,
                            const struct data_schema *schema, const struct data_version_key *key,
                            struct base_err *err) FM_CHECK;

/* The proof of one row, and the root that it belongs to: the caller compares it with the published
 * one before handing the proof out. index < schema->rows (FM_E_ARG); beyond the last row it proves
 * that there is none. Reads all rows. The caller owns *proof. The proof holds the row: it goes to
 * whoever is entitled to see it, and to nobody else. */
fm_status data_root_prove(json_t **proof, uint8_t root32[32], const struct data_row_source *source,
                          const struct data_schema *schema, const struct data_version_key *key,
                          uint64_t index, struct base_err *err) FM_CHECK;

/* The index of the one row with that value: key is "COLUMN=VALUE", the value as describe and CSV
 * files write it. Reads all rows. Errors: FM_E_ARG (no such column, no value of its type),
 * FM_E_NOT_FOUND (no row has it), FM_E_CONFLICT (several have: the text names the first ones'
 * indices). No text holds the value. */
fm_status data_root_find(uint64_t *index, const struct data_row_source *source,
                         const struct data_schema *schema, const char *key,
                         struct base_err *err) FM_CHECK;

/* Checks a proof against the published root and schema; needs no secret and no database. *row is
 * {"index":i,"present":true,"values":{column: text, ...},"null":[column, ...]} or {"index":i,
 * "present":false}; the caller owns it.
 * Errors: FM_E_INPUT (not a proof), FM_E_INVALID (it proves nothing about this root, or its row is
 * none of this schema). */
fm_status data_root_verify(json_t **row, const json_t *proof, const uint8_t root32[32],
                           const struct data_schema *schema, struct base_err *err) FM_CHECK;

#endif
