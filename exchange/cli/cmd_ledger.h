/* What the commands on a ledger's file share. */
#ifndef FIRMIANA_EXCHANGE_CLI_CMD_LEDGER_H
#define FIRMIANA_EXCHANGE_CLI_CMD_LEDGER_H

#include "exchange/cli/common.h"
#include "exchange/node/home.h"
#include "ledger/store/upkeep.h"

/* One line on the terminal that says how far it is: ctx of struct ledger_progress. */
struct ledger_line {
    int64_t told_ms;
    bool shown;
};
void ledger_line_tell(void *ctx, const char *what, uint64_t done, uint64_t total);
void ledger_line_wipe(const struct ledger_line *line);

/* The home's ledger.db. */
fm_status ledger_cli_path(char out[HOME_PATH], const struct cli_args *args,
                          struct base_err *err) FM_CHECK;
/* The log of a struct ledger_reader, as struct ledger_tile_log asks for it. */
fm_status ledger_cli_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                          struct base_err *err) FM_CHECK;
fm_status ledger_cli_entry(void *ctx, uint8_t out32[32], uint64_t leaf,
                           struct base_err *err) FM_CHECK;
/* Prints value (used up; NULL: out of memory) with --json, else the text. */
fm_status ledger_cli_print(const struct cli_args *args, json_t *value, const char *text,
                           struct base_err *err) FM_CHECK;

#endif
