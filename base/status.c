#include "base/status.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The one table of codes. Exit codes 64 and up are avoided: shells and sysexits give them meanings.
 */
static const struct {
    const char *name;
    const char *words;
    int exit_code;
} status_table[FM_STATUS_COUNT] = {
    [FM_OK] = {"ok", "ok", 0},
    [FM_E_INVALID] = {"invalid", "not valid (a bundle, a document, a credential)", 1},
    [FM_E_ARG] = {"argument", "argument", 2},
    [FM_E_INPUT] = {"input", "input", 3},
    [FM_E_REFUSED] = {"refused", "refused by a rule", 4},
    [FM_E_PEER] = {"peer", "a peer", 5},
    [FM_E_TIMEOUT] = {"timeout", "time-out", 6},
    [FM_E_AUTH] = {"auth", "key, signature or passphrase", 7},
    [FM_E_IO] = {"io", "disk or system", 8},
    [FM_E_CORRUPT] = {"corrupt", "stored data damaged", 9},
    [FM_E_MEMORY] = {"memory", "memory", 10},
    [FM_E_CONFLICT] = {"conflict", "conflict", 11},
    [FM_E_NOT_FOUND] = {"not-found", "not found", 12},
    [FM_E_LIMIT] = {"limit", "a limit", 13},
    [FM_E_UNSUPPORTED] = {"unsupported", "unsupported", 14},
    [FM_E_CANCELLED] = {"cancelled", "cancelled", 15},
};

void base_err_clear(struct base_err *err)
{
    err->code = FM_OK;
    err->text[0] = '\0';
}

fm_status base_err_set(struct base_err *err, fm_status code, const char *fmt, ...)
{
    va_list args;

    assert(code != FM_OK);
    err->code = code;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    base_text_tame(err->text, "");
    return code;
}

fm_status base_err_prefix(struct base_err *err, const char *fmt, ...)
{
    char below[BASE_ERR_TEXT];
    va_list args;
    size_t used;

    memcpy(below, err->text, sizeof below);
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    used = strlen(err->text);
    if (strncmp(below, err->text, used) == 0 && strncmp(below + used, ": ", 2) == 0)
        memcpy(err->text, below, sizeof below); /* whoever noticed has said so already */
    else
        (void)snprintf(err->text + used, sizeof err->text - used, ": %s", below);
    base_text_tame(err->text, "");
    return err->code;
}

fm_status base_err_memory(struct base_err *err, const char *what)
{
    return base_err_set(err, FM_E_MEMORY, "%s: out of memory", what);
}

fm_status base_err_errno(struct base_err *err, const char *what)
{
    int saved = errno;
    char reason[128];

    /* strerror_r: the XSI form, because errors are raised on worker threads too. */
    if (strerror_r(saved, reason, sizeof reason) != 0)
        (void)snprintf(reason, sizeof reason, "error %d", saved);
    return base_err_set(err, FM_E_IO, "%s: %s", what, reason);
}

const char *fm_status_name(fm_status code)
{
    assert(code >= FM_OK && code < FM_STATUS_COUNT);
    return status_table[code].name;
}

const char *fm_status_words(fm_status code)
{
    assert(code >= FM_OK && code < FM_STATUS_COUNT);
    return status_table[code].words;
}

int fm_status_exit(fm_status code)
{
    assert(code >= FM_OK && code < FM_STATUS_COUNT);
    return status_table[code].exit_code;
}
