/* The state as one transaction sees it: the source (the state after the block before), under the
 * changes of the block so far, under the changes of this transaction, which are kept or thrown away
 * together. Parsed values of keys that many transactions read stay in a cache from block to block.
 *
 * Values are jansson trees that nobody changes once they are in here: to change one, copy it
 * (json_copy, json_deep_copy) and put the copy. */
#ifndef FIRMIANA_LEDGER_MACHINE_VIEW_H
#define FIRMIANA_LEDGER_MACHINE_VIEW_H

#include "ledger/machine/machine.h"

struct ledger_view {
    const struct ledger_state_source *source;
    json_t *cache; /* key -> value, as in the source; hot keys only */
    json_t *loan;  /* values of other keys read during this transaction, so that borrows last */
    json_t *block; /* key -> value, or null where it is removed */
    json_t *tx;
    size_t cache_bytes;
};

fm_status ledger_view_init(struct ledger_view *view, const struct ledger_state_source *source,
                           struct base_err *err) FM_CHECK;
void ledger_view_release(struct ledger_view *view);

/* *value is borrowed until the transaction or the block ends, NULL where there is none. */
fm_status ledger_view_get(struct ledger_view *view, const json_t **value, const char *key,
                          struct base_err *err) FM_CHECK;
/* The same of what the block and the transaction have changed alone. */
const json_t *ledger_view_changed(const struct ledger_view *view, const char *key);
/* Whether the block so far, this transaction not counted, changed a key with the prefix. */
bool ledger_view_has_changed(const struct ledger_view *view, const char *prefix);
/* Takes the reference to value, also when it fails; NULL counts as out of memory, so that a
 * json_pack() can stand in the call. */
fm_status ledger_view_put(struct ledger_view *view, const char *key, json_t *value,
                          struct base_err *err) FM_CHECK;
fm_status ledger_view_remove(struct ledger_view *view, const char *key,
                             struct base_err *err) FM_CHECK;

/* Calls fn for each key with the prefix, changes included, in no order to rely on. */
fm_status ledger_view_list(struct ledger_view *view, const char *prefix,
                           fm_status (*fn)(void *ctx, const char *key, const json_t *value,
                                           struct base_err *err),
                           void *ctx, struct base_err *err) FM_CHECK;

/* Throws away what the transaction changed so far; what it borrowed stays. */
void ledger_view_undo(struct ledger_view *view);

/* The end of a transaction: changes kept, or not; borrows end. */
fm_status ledger_view_keep(struct ledger_view *view, struct base_err *err) FM_CHECK;
void ledger_view_drop(struct ledger_view *view);

/* The end of a block: its changes, by key in byte order, without those that change nothing. Then
 * ledger_view_reset() forgets them. */
fm_status ledger_view_updates(struct ledger_view *view, struct ledger_step *out,
                              struct base_err *err) FM_CHECK;
void ledger_view_reset(struct ledger_view *view);

/* The source has these values now. */
void ledger_view_applied(struct ledger_view *view, const json_t *values);

#endif
