/* Passphrases: asked at the terminal, read from a file descriptor or from the environment. Never
 * from an argument, which every user of the machine can read in the process list. 1 to
 * DID_PASSPHRASE_MAX bytes, no NUL, no newline. Held in pages of base_secret_alloc(). */
#ifndef FIRMIANA_DID_PASSPHRASE_H
#define FIRMIANA_DID_PASSPHRASE_H

#include <stddef.h>

#include "base/status.h"

#define DID_PASSPHRASE_MAX 1023

struct did_passphrase;

/* Asks at /dev/tty with echo off: "PROMPT: ". FM_E_ARG if there is no terminal (the text names the
 * other two ways), FM_E_CANCELLED on Ctrl-C. The terminal's settings are put back whatever happens
 * short of a killed process. */
fm_status did_passphrase_prompt(struct did_passphrase **out, const char *prompt,
                                struct base_err *err) FM_CHECK;
/* The same twice, for a new passphrase. FM_E_ARG if the two differ. */
fm_status did_passphrase_prompt_new(struct did_passphrase **out, const char *prompt,
                                    struct base_err *err) FM_CHECK;
/* One line, without its newline; what follows the line stays unread. fd is not closed. */
fm_status did_passphrase_from_fd(struct did_passphrase **out, int fd,
                                 struct base_err *err) FM_CHECK;
/* The variable's value. It is then wiped and removed, so that no child inherits it and
 * /proc/self/environ does not show it: a second call finds nothing. Not thread-safe (environ). */
fm_status did_passphrase_from_env(struct did_passphrase **out, const char *name,
                                  struct base_err *err) FM_CHECK;
/* From memory, which stays the caller's to wipe. */
fm_status did_passphrase_from_bytes(struct did_passphrase **out, const char *bytes, size_t len,
                                    struct base_err *err) FM_CHECK;
void did_passphrase_free(struct did_passphrase *pass); /* wipes; NULL is fine */

const char *did_passphrase_bytes(const struct did_passphrase *pass, size_t *len);

#endif
