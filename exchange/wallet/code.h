/* Texts as QR codes (ISO/IEC 18004, by libqrencode), for a clerk's scanner: on a terminal, as SVG
 * or as PNG; and back from what a scanner read. A text that is too long for one code becomes
 * several, each
 *
 *   FIRMIANA:i/n:h:part      i from 1 to n; h: 8 hex digits of the SHA-256 of the whole text
 *
 * which may be read in any order, and more than once. */
#ifndef FIRMIANA_EXCHANGE_WALLET_CODE_H
#define FIRMIANA_EXCHANGE_WALLET_CODE_H

#include <stddef.h>

#include "base/bytes.h"

#define WALLET_CODES_MAX 16

enum { WALLET_CODE_SMALL = 400, WALLET_CODE_LARGE = 1000 }; /* bytes: a terminal's, an image's */

struct wallet_codes {
    char *texts[WALLET_CODES_MAX];
    size_t count;
};

/* One code if at most `most` bytes (WALLET_CODE_*) do, else several. FM_E_LIMIT says how many
 * bytes there are and how many may be; FM_E_INPUT: not one line of printable text. */
fm_status wallet_codes_split(struct wallet_codes *out, const char *text, size_t most,
                             struct base_err *err) FM_CHECK;
void wallet_codes_release(struct wallet_codes *codes);

/* The whole text from lines, each what one code said; appended. FM_E_INPUT says which codes are
 * missing, or that they are of two texts, or damaged. */
fm_status wallet_codes_join(struct base_buf *out, const char *lines, struct base_err *err) FM_CHECK;

/* A code, appended: blocks of UTF-8 for light modules on a dark ground; SVG; PNG with four pixels a
 * module. With the quiet zone of four modules. FM_E_LIMIT: more than a code can hold. */
fm_status wallet_code_terminal(struct base_buf *out, const char *text,
                               struct base_err *err) FM_CHECK;
fm_status wallet_code_svg(struct base_buf *out, const char *text, struct base_err *err) FM_CHECK;
fm_status wallet_code_png(struct base_buf *out, const char *text, struct base_err *err) FM_CHECK;

#endif
