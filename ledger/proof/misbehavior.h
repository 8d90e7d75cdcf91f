/* What the engine that orders blocks has proven of a validator, as an entry of the log (format.md
 * section 15). Nobody sends it and nobody signs it: the proof was checked by every validator's
 * engine and stands in the engine's own block; all of them hand it to the ledger with that block,
 * alike, and the quorum's cosignatures say so. So it is no transaction: what looks like one of
 * these among a block's transactions is not well formed. */
#ifndef FIRMIANA_LEDGER_MISBEHAVIOR_H
#define FIRMIANA_LEDGER_MISBEHAVIOR_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define LEDGER_MISBEHAVIOR_SINCE 3 /* the rules version (format.md section 12) */
#define LEDGER_MISBEHAVIOR_TYPE "validator.misbehavior"

enum ledger_act {
    LEDGER_ACT_VOTED_TWICE,  /* two votes for one height and round */
    LEDGER_ACT_LIGHT_CLIENT, /* a block signed that light clients believe and the chain has not */
    LEDGER_ACT_COUNT
};

struct ledger_misbehavior {
    enum ledger_act act;
    uint64_t height;       /* of the block at which it was done */
    int64_t time_ms;       /* of that block */
    char member[33];       /* whose validator it is; "": nobody's that the ledger knows */
    uint8_t validator[20]; /* the address of its key: validators.h of ledger/abci */
};

/* "duplicate.vote": as it stands in the log; "voted twice": for people. act must be in range. */
const char *ledger_act_code(enum ledger_act act);
const char *ledger_act_text(enum ledger_act act);
/* LEDGER_ACT_COUNT if there is none of that code; NULL is allowed. */
enum ledger_act ledger_act_find(const char *code);

/* Appends the canonical payload. */
fm_status ledger_misbehavior_write(struct base_buf *out, const struct ledger_misbehavior *what,
                                   const uint8_t chain32[32], struct base_err *err) FM_CHECK;

/* Whether a payload is meant to be one: its type says so. */
bool ledger_misbehavior_is(const json_t *payload);

/* Reads a payload. FM_E_INPUT: it is malformed, or of another ledger. */
fm_status ledger_misbehavior_read(struct ledger_misbehavior *out, const json_t *payload,
                                  const uint8_t chain32[32], struct base_err *err) FM_CHECK;

#endif
