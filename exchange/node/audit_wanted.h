/* What of the trail somebody asks for: which entries a compact bundle is to disclose. */
#ifndef FIRMIANA_EXCHANGE_NODE_AUDIT_WANTED_H
#define FIRMIANA_EXCHANGE_NODE_AUDIT_WANTED_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/store/chain.h"

struct audit_wanted {
    uint8_t (*id)[32]; /* owned; ascending, each once */
    size_t n, cap;
};
void audit_wanted_release(struct audit_wanted *wanted);

/* wanted has one of
 *   "entries"   [leaf ...], of transactions
 *   "lottery"   the id of one: it, all others over its list, and what members gave to them
 *   "version"   {"member", "dataset", "data_version"}: the entry that published it
 * FM_E_ARG: none of them, or a leaf that is no transaction; FM_E_NOT_FOUND. */
fm_status audit_wanted_find(struct audit_wanted *out, struct ledger_reader *reader,
                            const json_t *wanted, struct base_err *err) FM_CHECK;

#endif
