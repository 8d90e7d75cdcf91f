/* The list of a lottery: a file of entries, a line each (ledger/proof/lottery.h). */
#ifndef FIRMIANA_CLI_LOTTERY_LIST_H
#define FIRMIANA_CLI_LOTTERY_LIST_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct cli_list {
    struct base_buf text;
    size_t *at; /* where each entry begins; at[count] is the end */
    uint32_t count;
    uint8_t root[32];
};

/* One entry a line, none of them empty. Errors: FM_E_INPUT, FM_E_LIMIT, FM_E_IO. Release it also
 * when it fails. */
fm_status cli_list_load(struct cli_list *l, const char *path, struct base_err *err) FM_CHECK;
void cli_list_release(struct cli_list *l);

/* FM_E_INPUT with the lines, if an entry is there twice: whoever stands there twice has two
 * chances. */
fm_status cli_list_check_once(const struct cli_list *l, const char *path,
                              struct base_err *err) FM_CHECK;

/* Without the end of its line. */
size_t cli_list_entry_len(const struct cli_list *l, uint32_t i);

#endif
