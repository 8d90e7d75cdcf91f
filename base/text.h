/* Text that somebody else chose, on its way to a terminal. */
#ifndef FIRMIANA_BASE_TEXT_H
#define FIRMIANA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { BASE_TEXT_LINE = 256 };

/* Whether it is UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF. A NUL is. */
bool base_text_is_utf8(const char *text, size_t len);

/* Whether the character that begins there is C0, DEL, C1, or turns the direction of writing or ends
 * a line (U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069): with them a text could repaint what
 * is printed around it. utf8: valid, and closed by a NUL. */
bool base_text_is_control(const char *utf8);

/* Copies valid UTF-8 with "?" in place of each such character; what is too long ends in "...", and
 * never within a character. Returns out. */
const char *base_text_line(char out[BASE_TEXT_LINE], const char *utf8);

/* In place: "?" for each such character that is not one of keep ("" or "\n"). utf8: closed by a
 * NUL; what is no UTF-8 stays as it is. */
void base_text_tame(char *utf8, const char *keep);

/* base_text_line() in an argument of printf: the room lives as long as the block around it. */
#define BASE_LINE(utf8) base_text_line((char[BASE_TEXT_LINE]){0}, utf8)

#endif
