/* Bech32m (BIP-350): bytes as letters and digits that can be written down and read aloud, with a
 * checksum that finds any four wrong characters, and more with all but 2^-30 certainty. A human
 * readable part says what it is, "1" ends it, then 5 bits a character, then six of checksum; at
 * most 90 characters, all in one case. For secrets: time and addresses depend on lengths alone,
 * once a text is well formed. */
#ifndef FIRMIANA_EXCHANGE_WALLET_BECH32M_H
#define FIRMIANA_EXCHANGE_WALLET_BECH32M_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define BECH32M_TEXT 91 /* with the closing NUL */

/* out: the text, lower case. FM_E_ARG if it would be longer than 90, or hrp is not 1 to 83
 * printable lower-case characters. */
fm_status bech32m_encode(char out[BECH32M_TEXT], const char *hrp, const uint8_t *bytes, size_t len,
                         struct base_err *err) FM_CHECK;

/* A text taken apart, in lower case: symbols of 5 bits, without the checksum. Wiped by who has it.
 */
struct bech32m {
    char hrp[BECH32M_TEXT];
    uint8_t symbols[BECH32M_TEXT];
    size_t count;
};

/* FM_E_INPUT says what is wrong, with the character's number, never the character. */
fm_status bech32m_decode(struct bech32m *out, const char *text, struct base_err *err) FM_CHECK;

/* The bytes that count symbols stand for; FM_E_INPUT unless they are exactly len and the spare bits
 * are zero. */
fm_status bech32m_bytes(uint8_t *out, size_t len, const uint8_t *symbols, size_t count,
                        struct base_err *err) FM_CHECK;

#endif
