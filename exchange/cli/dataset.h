/* What the dataset commands share. Private to exchange/cli. */
#ifndef FIRMIANA_EXCHANGE_CLI_DATASET_H
#define FIRMIANA_EXCHANGE_CLI_DATASET_H

#include "exchange/cli/args.h"
#include "exchange/data/import.h"

/* A line on a terminal that is written over and over; nothing elsewhere. */
bool cli_dataset_progress(void *ctx, enum data_import_pass pass, uint64_t rows, uint64_t bytes,
                          uint64_t bytes_total);
void cli_dataset_progress_end(void);

/* --separator: ',' or ';', or 0 if it was not given. FM_E_ARG. */
fm_status cli_dataset_separator(char *out, const struct cli_args *args,
                                struct base_err *err) FM_CHECK;

#endif
