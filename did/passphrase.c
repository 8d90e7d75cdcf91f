#include "did/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"

/* Lives in its own secret pages, lengths and all. */
struct did_passphrase {
    size_t len;
    char bytes[DID_PASSPHRASE_MAX + 1];
};

static fm_status pass_new(struct did_passphrase **out, struct base_err *err)
{
    *out = base_secret_alloc(sizeof **out);
    return *out == NULL ? base_err_memory(err, "passphrase") : FM_OK;
}

void did_passphrase_free(struct did_passphrase *pass)
{
    base_secret_free(pass, sizeof *pass);
}

const char *did_passphrase_bytes(const struct did_passphrase *pass, size_t *len)
{
    *len = pass->len;
    return pass->bytes;
}

static fm_status too_long(struct base_err *err)
{
    return base_err_set(err, FM_E_ARG, "passphrase is longer than %d bytes", DID_PASSPHRASE_MAX);
}

static fm_status append(struct did_passphrase *pass, char c, struct base_err *err)
{
    if (c == '\0')
        return base_err_set(err, FM_E_ARG, "passphrase holds a NUL byte");
    if (pass->len == DID_PASSPHRASE_MAX)
        return too_long(err);
    pass->bytes[pass->len++] = c;
    return FM_OK;
}

/* Hands a filled passphrase to the caller, or frees it. */
static fm_status finish(struct did_passphrase **out, struct did_passphrase *pass, fm_status st,
                        struct base_err *err)
{
    if (st == FM_OK && pass->len == 0)
        st = base_err_set(err, FM_E_ARG, "passphrase is empty");
    if (st != FM_OK) {
        did_passphrase_free(pass);
        return st;
    }
    *out = pass;
    return FM_OK;
}

fm_status did_passphrase_from_bytes(struct did_passphrase **out, const char *bytes, size_t len,
                                    struct base_err *err)
{
    struct did_passphrase *pass;
    fm_status st = pass_new(&pass, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    for (size_t i = 0; st == FM_OK && i < len; i++)
        st = bytes[i] == '\n' ? base_err_set(err, FM_E_ARG, "passphrase holds a newline")
                              : append(pass, bytes[i], err);
    return finish(out, pass, st, err);
}

fm_status did_passphrase_from_env(struct did_passphrase **out, const char *name,
                                  struct base_err *err)
{
    char *value = getenv(name);
    fm_status st;

    *out = NULL;
    if (value == NULL)
        return base_err_set(err, FM_E_ARG, "environment variable %s with the passphrase is not set",
                            name);
    st = did_passphrase_from_bytes(out, value, strlen(value), err);
    base_wipe(value, strlen(value));
    (void)unsetenv(name); /* Fails only for a malformed name, which getenv() would not find. */
    return st == FM_OK ? FM_OK : base_err_prefix(err, "environment variable %s", name);
}

/* One byte; *end when the input is over. */
static fm_status read_byte(char *c, bool *end, int fd, struct base_err *err)
{
    ssize_t got;

    *end = false;
    do
        got = read(fd, c, 1);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return base_err_errno(err, "passphrase: read");
    *end = got == 0;
    return FM_OK;
}

fm_status did_passphrase_from_fd(struct did_passphrase **out, int fd, struct base_err *err)
{
    struct did_passphrase *pass;
    fm_status st = pass_new(&pass, err);
    bool end = false;

    *out = NULL;
    if (st != FM_OK)
        return st;
    while (st == FM_OK) {
        char c = 0;
        st = read_byte(&c, &end, fd, err);
        if (st != FM_OK || end || c == '\n')
            break;
        st = append(pass, c, err);
    }
    st = finish(out, pass, st, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "file descriptor %d", fd);
}

/* ---- the terminal ---- */

#define CTRL_C 0x03
#define CTRL_D 0x04
#define CTRL_U 0x15
#define BACKSPACE 0x08
#define DELETE 0x7f

static fm_status say(int tty, const char *text, struct base_err *err)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t put = write(tty, text, len);
        if (put < 0 && errno != EINTR)
            return base_err_errno(err, "/dev/tty");
        if (put > 0) {
            text += put;
            len -= (size_t)put;
        }
    }
    return FM_OK;
}

/* The terminal hands over each key as it is pressed: echo, line editing and its signals are off, so
 * editing is done here. A backspace takes back one whole UTF-8 character. */
static fm_status read_keys(struct did_passphrase *pass, int tty, struct base_err *err)
{
    for (;;) {
        bool end;
        char c = 0;
        fm_status st = read_byte(&c, &end, tty, err);
        if (st != FM_OK)
            return st;
        if (end || c == '\n' || c == '\r' || c == CTRL_D)
            return FM_OK;
        switch (c) {
        case CTRL_C:
            return base_err_set(err, FM_E_CANCELLED, "passphrase: cancelled");
        case CTRL_U:
            base_wipe(pass->bytes, pass->len);
            pass->len = 0;
            break;
        case BACKSPACE:
        case DELETE:
            while (pass->len > 0 && ((unsigned char)pass->bytes[pass->len - 1] & 0xc0) == 0x80)
                pass->bytes[--pass->len] = '\0';
            if (pass->len > 0)
                pass->bytes[--pass->len] = '\0';
            break;
        default:
            st = append(pass, c, err);
            if (st != FM_OK)
                return st;
        }
    }
}

static fm_status ask(struct did_passphrase *pass, int tty, const char *prompt, struct base_err *err)
{
    struct termios before, quiet;
    fm_status st;

    if (tcgetattr(tty, &before) != 0)
        return base_err_errno(err, "/dev/tty");
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    /* TCSAFLUSH drops what was typed ahead: it may have been meant for something else. */
    if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
        return base_err_errno(err, "/dev/tty");
    st = say(tty, prompt, err);
    if (st == FM_OK)
        st = say(tty, ": ", err);
    if (st == FM_OK)
        st = read_keys(pass, tty, err);
    if (tcsetattr(tty, TCSAFLUSH, &before) != 0 && st == FM_OK)
        st = base_err_errno(err, "/dev/tty");
    if (st == FM_OK)
        st = say(tty, "\n", err);
    return st;
}

fm_status did_passphrase_prompt(struct did_passphrase **out, const char *prompt,
                                struct base_err *err)
{
    struct did_passphrase *pass;
    fm_status st;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    *out = NULL;
    if (tty < 0)
        return base_err_set(err, FM_E_ARG,
                            "there is no terminal to ask for a passphrase: give it by a file "
                            "descriptor or an environment variable");
    st = pass_new(&pass, err);
    if (st == FM_OK)
        st = finish(out, pass, ask(pass, tty, prompt, err), err);
    (void)close(tty);
    return st;
}

fm_status did_passphrase_prompt_new(struct did_passphrase **out, const char *prompt,
                                    struct base_err *err)
{
    struct did_passphrase *first, *second;
    fm_status st = did_passphrase_prompt(&first, prompt, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    st = did_passphrase_prompt(&second, "once more", err);
    if (st == FM_OK && (first->len != second->len ||
                        !base_equal(first->bytes, second->bytes, sizeof first->bytes)))
        st = base_err_set(err, FM_E_ARG, "the two passphrases differ");
    did_passphrase_free(second);
    if (st != FM_OK) {
        did_passphrase_free(first);
        return st;
    }
    *out = first;
    return FM_OK;
}
