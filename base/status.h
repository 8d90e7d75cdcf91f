/* Status codes and one-line error texts: the lowest floor of the house, depends on nothing above
 * it.
 *
 * Three kinds of failure, never mixed (the style of canonical/raft and secp256k1):
 *   - our bug: assert();
 *   - the world failed (disk, memory, network): FM_E_IO, FM_E_MEMORY, FM_E_TIMEOUT, ...;
 *   - an input or a peer misbehaved: FM_E_INPUT, FM_E_PEER, ..., whose text names file, line,
 * column, party or rule.
 *
 * The lowest layer that notices writes a sentence with base_err_set(); each caller on the way up
 * may prefix it with base_err_prefix(): "query 3f9a: rep3 open: bank_b closed the connection". A
 * text is one line, says what happened, where, and what to do, and never holds a secret. */
#ifndef FIRMIANA_BASE_STATUS_H
#define FIRMIANA_BASE_STATUS_H

#include <stddef.h>

/* Values are stable: logs and scripts use their names, the command line their exit codes
 * (status.c). */
typedef enum fm_status {
    FM_OK = 0,
    FM_E_ARG, /* the caller (a user's command line, a config value) asked for something malformed */
    FM_E_INPUT,       /* a file or message that came in is malformed: its place is named */
    FM_E_REFUSED,     /* a rule or policy refuses it: the rule is named */
    FM_E_PEER,        /* a peer left or broke the protocol: its name is in the text */
    FM_E_TIMEOUT,     /* a deadline passed: who was waited for is in the text */
    FM_E_AUTH,        /* a signature, key, certificate or passphrase is not right */
    FM_E_INVALID,     /* a proof or bundle was checked and is not valid */
    FM_E_IO,          /* the operating system failed us: disk, socket, process */
    FM_E_CORRUPT,     /* stored state is not what we wrote */
    FM_E_MEMORY,      /* out of memory */
    FM_E_CONFLICT,    /* it exists already, is in use, or is not in a state that allows it */
    FM_E_NOT_FOUND,   /* no such thing */
    FM_E_LIMIT,       /* a declared limit would be passed: the limit is named */
    FM_E_UNSUPPORTED, /* understood, but not offered here: the text says what to use instead */
    FM_E_CANCELLED,   /* the user or a shutdown ended it */
    FM_STATUS_COUNT
} fm_status;

#if defined(__GNUC__)
#define FM_CHECK __attribute__((warn_unused_result))
#define FM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define FM_CHECK
#define FM_PRINTF(fmt, args)
#endif

#define BASE_ERR_TEXT 512

/* An error on its way up. Owned by the outermost caller, usually on its stack. Zero-initialise, or
 * call base_err_clear(). Functions take it as their last argument and write it only when they fail.
 */
struct base_err {
    fm_status code;
    char text[BASE_ERR_TEXT];
};

void base_err_clear(struct base_err *err);

/* Sets code and text (cut at BASE_ERR_TEXT - 1 bytes; control characters become '?'); returns code.
 */
fm_status base_err_set(struct base_err *err, fm_status code, const char *fmt, ...) FM_PRINTF(3, 4);

/* Puts a prefix and ": " before the text that is there; returns err->code. */
fm_status base_err_prefix(struct base_err *err, const char *fmt, ...) FM_PRINTF(2, 3);

/* FM_E_MEMORY with the place: base_err_memory(err, "share column"). */
fm_status base_err_memory(struct base_err *err, const char *what);

/* The text as a person gets it: a place that two layers named, one after the other ("a.csv: a.csv:
 * ..."), is named once. For programs' last words alone: the ledger hashes details of refusals, so
 * base_err_set() and base_err_prefix() never change what they make. */
const char *base_err_shown(struct base_err *err);

/* FM_E_IO with errno's own words: base_err_errno(err, "open /x/y"). Reads errno first. */
fm_status base_err_errno(struct base_err *err, const char *what);

/* "peer", "timeout", ...: the stable lower-case name of a code, for logs and --json. */
const char *fm_status_name(fm_status code);

/* The same for people: "a peer", "stored data damaged", ...: --help, man pages, README.md. */
const char *fm_status_words(fm_status code);

/* The process exit code of a status: documented in README.md and `firmiana --help`. */
int fm_status_exit(fm_status code);

#endif
