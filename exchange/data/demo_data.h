/* A synthetic consortium: the same table `loans` at several banks, with subjects that are clients
 * of more than one, skewed amounts and delinquencies, and NULLs. Everything follows from the seed,
 * on every machine, for ever: tests and documents quote its numbers.
 *
 * The generator behind it is a plain mixing function. It is for made-up data and nothing else: no
 * key, salt or share ever comes from it.
 *
 * Nobody is meant: cn_id has the form and the check digit (GB 11643) of a Chinese identity number,
 * but begins with 99, which is no administrative division.
 *
 *   subject_id    INTEGER            8 digits; the subject of a row, scheme demo.id, at most 4 rows
 *   cn_id         TEXT(18)           one to one with subject_id
 *   loan_no       INTEGER            unique within a bank
 *   product       TEXT(12)           mortgage, consumer, card, auto, business
 *   balance       DECIMAL(12,2)      0.00 once closed
 *   collateral    DECIMAL(12,2)      NULL but for mortgage and auto
 *   overdue_days  INTEGER            NULL: not reported
 *   rate_bp       INTEGER            interest in basis points
 *   opened        DATE
 *   closed        BOOLEAN */
#ifndef FIRMIANA_EXCHANGE_DATA_DEMO_DATA_H
#define FIRMIANA_EXCHANGE_DATA_DEMO_DATA_H

#include <stdint.h>

#include "base/status.h"
#include "exchange/data/import.h"
#include "exchange/data/schema.h"

#define DATA_DEMO_BANKS_MAX 26
#define DATA_DEMO_ROWS_MAX 4000000
#define DATA_DEMO_TABLE "loans"

struct data_demo {
    const char *folder; /* made if it does not exist */
    uint64_t seed;
    unsigned banks; /* 1..26: bank_a, bank_b, ... */
    uint32_t rows;  /* of each bank, 1..4,000,000 */
    enum data_import_mode mode;
};

/* Writes bank_a.csv, bank_a.schema.json, bank_a.db (table loans, imported from the two), and so on.
 * The padded row count is a quarter above the rows, rounded up to a multiple of 64.
 * With DATA_IMPORT_NEW nothing that exists is touched.
 * Errors: FM_E_ARG (limits), FM_E_CONFLICT (a file exists), FM_E_IO, FM_E_MEMORY; files of banks
 * finished before stay. */
fm_status data_demo_write(const struct data_demo *demo, struct base_err *err) FM_CHECK;

/* The subject_id that has an open loan at every bank: whom examples ask about. */
int64_t data_demo_subject(uint64_t seed);

/* The schema that all banks of a consortium declare. */
fm_status data_demo_schema(struct data_schema *out, uint32_t rows, struct base_err *err) FM_CHECK;

#endif
