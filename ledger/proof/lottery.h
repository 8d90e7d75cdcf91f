/* Notarized lotteries (format.md section 14): a list that is fixed before any randomness exists,
 * shares of k members who commit before any share is shown, and a draw that anybody repeats.
 *
 *   lottery.open    the list's root, how many entries and winners, who gives shares, two moments
 *   lottery.commit  until `close`, each of them: H("firmiana/lottery/share/1" || 0x00 || lottery ||
 * alias || share) lottery.reveal  from `close` to `reveal`: the share itself
 *
 *   seed   H("firmiana/lottery/seed/1" || 0x00 || lottery || share ... by alias), all of them
 * revealed draw   winner j, for j = 0, 1, ...: entry j changes places with entry j + r, r uniform
 * below count - j: the first 64-bit block H(seed || n u64)[8 i ..], n counting up, that is not
 *          among the last 2^64 mod (count - j) ones, modulo count - j. Winners are entries 0 to
 *          winners - 1 then (Fisher and Yates).
 *
 * One honest member makes the seed uniform, as long as nobody withholds: who does has seen the
 * others' shares and could prefer another draw. So a draw with a share missing does not count: the
 * ledger names who committed and did not reveal, and the lottery is opened again without them,
 * which a lottery says by `repeats`; others may take their places. */
#ifndef FIRMIANA_LEDGER_LOTTERY_H
#define FIRMIANA_LEDGER_LOTTERY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define LEDGER_LOTTERY_ENTRIES_MAX (1 << 24)

void ledger_lottery_commit(uint8_t out32[32], const uint8_t lottery32[32], const char *alias,
                           const uint8_t share32[32]);

/* shares: alias -> 64 hex digits; members: those that must have one, sorted. FM_E_NOT_FOUND names
 * the first that has none. */
fm_status ledger_lottery_seed(uint8_t out32[32], const uint8_t lottery32[32], const json_t *members,
                              const json_t *shares, struct base_err *err) FM_CHECK;

/* out: room for `winners` indexes, in the order drawn. 1 <= winners <= count <=
 * LEDGER_LOTTERY_ENTRIES_MAX. */
fm_status ledger_lottery_draw(uint32_t *out, const uint8_t seed32[32], uint32_t count,
                              uint32_t winners, struct base_err *err) FM_CHECK;

/* The list's root: RFC 6962 over H(entry), an entry being a line without its newline. Appends are
 * the caller's, with ledger_log_leaf_hash_of(). */

#endif
