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

/* "?" for each byte of what base_text_is_control() says: the ledger hashes details of refusals, and
 * has one "?" for each byte beyond ASCII (ledger_detail_set), so no length may change here. */
static void one_line(char *utf8)
{
    for (size_t n; *utf8 != '\0'; utf8 += n) {
        bool control = base_text_is_control(utf8);
        for (n = 1; ((unsigned char)utf8[n] & 0xc0) == 0x80; n++)
            ;
        if (control)
            memset(utf8, '?', n);
    }
}

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
    one_line(err->text);
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
    (void)snprintf(err->text + used, sizeof err->text - used, ": %s", below);
    one_line(err->text);
    return err->code;
}

const char *base_err_shown(struct base_err *err)
{
    char *part = err->text, *end;

    while ((end = strstr(part, ": ")) != NULL) {
        size_t len = (size_t)(end - part) + 2;
        if (strncmp(part, end + 2, len) == 0)
            memmove(part, end + 2, strlen(end + 2) + 1);
        else
            part = end + 2;
    }
    return err->text;
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
