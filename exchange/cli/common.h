/* What the commands share: the home folder, the call to the node, times, and printing. */
#ifndef FIRMIANA_EXCHANGE_CLI_COMMON_H
#define FIRMIANA_EXCHANGE_CLI_COMMON_H

#include <jansson.h>

#include "did/moment.h"
#include "exchange/cli/args.h"

#define CLI_HOME_OPTION                                                                            \
    {                                                                                              \
        "home", "DIR", "the member's home folder, or its node's socket (default: $FIRMIANA_HOME)", \
            CLI_OPTIONAL                                                                           \
    }
#define CLI_JSON_OPTION                          \
    {                                            \
        "json", NULL, "print JSON", CLI_OPTIONAL \
    }
#define CLI_PASSPHRASE_OPTION                                                                  \
    {                                                                                          \
        "passphrase-fd", "N",                                                                  \
            "read the passphrase from file descriptor N (default: $FIRMIANA_PASSPHRASE, or a " \
            "prompt)",                                                                         \
            CLI_OPTIONAL                                                                       \
    }

/* --home or $FIRMIANA_HOME. FM_E_ARG if neither is there. */
fm_status cli_home(const char **out, const struct cli_args *args, struct base_err *err) FM_CHECK;

/* Sends {"do": name, ...members of request} to the home's node. request is used up (may be NULL: no
 * members). Progress goes to standard error when that is a terminal. */
fm_status cli_call(json_t **value, const struct cli_args *args, const char *name, json_t *request,
                   struct base_err *err) FM_CHECK;
/* The same for what may take long: a time limit between two signs of life, a line that says how far
 * it is, and Ctrl-C (live.h). */
fm_status cli_call_for(json_t **value, const struct cli_args *args, const char *name,
                       json_t *request, int timeout_ms, struct base_err *err) FM_CHECK;

/* The same, lending the node a file to write into (it opens no path that others choose). */
fm_status cli_call_file(json_t **value, const struct cli_args *args, const char *name,
                        json_t *request, int file, struct base_err *err) FM_CHECK;

/* One line of canonical JSON on standard output. */
fm_status cli_print_json(const json_t *value, struct base_err *err) FM_CHECK;

/* What a command that checks something found: with no key and passphrase of one's own at work,
 * malformed or signed by nobody (FM_E_INPUT, FM_E_AUTH) is not valid, FM_E_INVALID. */
fm_status cli_verdict(fm_status st, struct base_err *err);

/* FM_E_CONFLICT if there is a file of that name, which would be written over; NULL is fine. Before
 * the work begins. */
fm_status cli_fresh(const char *path, struct base_err *err) FM_CHECK;

/* The same of an object made for it, which is used up; NULL is one without memory. */
fm_status cli_print_made(json_t *value, struct base_err *err) FM_CHECK;

/* A file with that one line. */
fm_status cli_write_json(const char *path, const json_t *value, unsigned mode,
                         struct base_err *err) FM_CHECK;

/* "30d", "12h", "45m", "90s" -> milliseconds. */
fm_status cli_duration(int64_t *out_ms, const char *text, const char *option,
                       struct base_err *err) FM_CHECK;

/* --param N=VALUE and --param-file N=PATH, in any order, each once -> ["value of $1", ...]. */
fm_status cli_parameters(json_t **out, const struct cli_args *args, struct base_err *err) FM_CHECK;

/* A member of an answer that the node always gives; "" if it does not. */
const char *cli_text(const json_t *value, const char *name);

/* A member of an answer that is a moment (ms), as "2026-11-21T05:30:00Z"; returns out. */
const char *cli_moment(char out[DID_MOMENT_TEXT], const json_t *value, const char *name);
/* The same in an argument of printf: the room lives as long as the block around it. */
#define CLI_MOMENT(value, name) cli_moment((char[DID_MOMENT_TEXT]){0}, value, name)

/* Prints what somebody else chose, whole, with "?" for each character that could repaint what
 * stands around it (base/text.h), so that it begins no line of its own and commands no terminal. */
void cli_put_foreign(const char *text);
/* The same for all texts of an answer, in place, which is then printed for people, not as JSON. */
void cli_tame(json_t *value);
/* The same where the node put together lines: their ends stay. */
void cli_tame_lines(json_t *value);

/* The trail, or what of it is asked for (exchange/node/audit_wanted.h; used up, may be NULL), in a
 * new file. */
fm_status cli_export(json_t **value, const struct cli_args *args, const char *out, json_t *only,
                     struct base_err *err) FM_CHECK;

/* Submits a signed transaction (used up) and waits until it is final; prints its place in the
 * ledger. A refusal is FM_E_REFUSED with the rule. what: "authorization", for the line printed. */
fm_status cli_submit(const struct cli_args *args, json_t *tx, const char *what,
                     struct base_err *err) FM_CHECK;
/* The node's answer to a transaction that it waited for: printed, or FM_E_REFUSED with the rule. */
fm_status cli_report(const struct cli_args *args, const json_t *value, const char *what,
                     struct base_err *err) FM_CHECK;
/* The same for what has an id of its own, beside its transaction's: "contract 3f9a...: final at
 * height ...", and a member of that name in --json. body is used up; at most 60 bytes of kind. */
fm_status cli_submit_named(const struct cli_args *args, const char *type, json_t *body,
                           const char *kind, const uint8_t id32[32], struct base_err *err) FM_CHECK;
/* The same, signed by the node's own assertion key. body is used up. */
fm_status cli_submit_by_node(const struct cli_args *args, const char *type, json_t *body,
                             const char *what, struct base_err *err) FM_CHECK;

#endif
