/* The home's files: whose they are, who else may read them, whether the keys are those of the
 * ledger. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "did/document.h"
#include "did/keystore.h"
#include "exchange/cli/check.h"
#include "ledger/machine/machine.h"

bool check_owner(struct check *c)
{
    const char *dir = c->home->dir;
    struct base_err err = {0};
    struct stat st;

    if (stat(dir, &st) != 0) {
        (void)base_err_errno(&err, dir);
        check_tell(c, CHECK_BAD, "home", err.code, "%s", err.text);
        return false;
    }
    if (st.st_uid != geteuid()) {
        check_tell(
            c, CHECK_BAD, "home", FM_E_ARG,
            "%s belongs to user %u, and this is user %u: check it as the node's user (runuser "
            "-u USER -- firmiana node check ...)",
            dir, (unsigned)st.st_uid, (unsigned)geteuid());
        return false;
    }
    if ((st.st_mode & 077) != 0)
        check_tell(c, CHECK_BAD, "home", FM_E_INPUT,
                   "%s may be entered by others (mode %03o): chmod 700 %s", dir,
                   (unsigned)(st.st_mode & 0777), dir);
    else if (access(dir, W_OK | X_OK) != 0)
        check_tell(c, CHECK_BAD, "home", FM_E_IO, "%s cannot be written", dir);
    else
        check_tell(c, CHECK_GOOD, "home", FM_OK, "%s is its owner's alone", dir);
    return true;
}

/* ---- keys ---- */

/* Is this public key in the member's document, in that role? */
static bool is_ours(const struct check *c, const struct did_key *key, unsigned role)
{
    struct base_err err = {0};
    struct did_document *doc;
    const struct did_method *methods;
    bool found = false;
    size_t n;

    if (did_document_parse(&doc, c->document, LEDGER_RULES_VERSION, &err) != FM_OK)
        return false;
    methods = did_document_methods(doc, &n);
    for (size_t i = 0; i < n; i++)
        found = found || ((methods[i].roles & role) != 0 && methods[i].key.suite == key->suite &&
                          memcmp(methods[i].key.bytes, key->bytes, key->suite->key_len) == 0);
    did_document_free(doc);
    return found;
}

static fm_status open_key(const struct check *c, const char *path, struct base_err *err)
{
    struct did_secret *secret;
    fm_status st = did_keystore_load(&secret, NULL, path, c->pass, err);

    did_secret_free(secret);
    return st;
}

/* role 0: a key that the ledger does not know. */
static void check_key(struct check *c, const char *name, unsigned role)
{
    char path[HOME_PATH], file[64];
    struct did_keyfile info;
    struct base_err err = {0};

    (void)snprintf(file, sizeof file, "keys/%s.json", name);
    if (home_path(path, c->home->dir, file, &err) != FM_OK ||
        did_keystore_peek(&info, path, &err) != FM_OK) {
        check_tell(c, CHECK_BAD, "keys", err.code, "%s", err.text);
        return;
    }
    if (role != 0 && c->document != NULL && !is_ours(c, &info.key, role))
        check_tell(c, CHECK_BAD, "keys", FM_E_AUTH,
                   "%s is not the %s key that the ledger has for %s", path, name, c->home->alias);
    else if (c->pass != NULL && open_key(c, path, &err) != FM_OK)
        check_tell(c, CHECK_BAD, "keys", err.code, "%s", err.text);
    else
        check_tell(c, CHECK_GOOD, "keys", FM_OK, "%s%s%s", file,
                   role != 0 && c->document != NULL ? " is the ledger's" : " is there",
                   c->pass != NULL ? ", and opens" : "");
}

static void check_offline_key(struct check *c, const char *name)
{
    char path[HOME_PATH], file[64];
    struct base_err err = {0};

    (void)snprintf(file, sizeof file, "keys/%s.json", name);
    if (home_path(path, c->home->dir, file, &err) == FM_OK && access(path, F_OK) == 0)
        check_tell(c, CHECK_WARN, "keys", FM_OK,
                   "%s is here: it is a person's, and belongs off this machine", file);
}

void check_keys(struct check *c)
{
    check_key(c, "authentication", DID_ROLE_AUTHENTICATION);
    check_key(c, "assertion", DID_ROLE_ASSERTION);
    check_key(c, "salts", 0);
    check_offline_key(c, "officer");
    check_offline_key(c, "recovery");
}

/* ---- other files ---- */

static bool is_inside(const char *dir, const char *path)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && path[n] == '/' && strstr(path + n, "/..") == NULL;
}

static void check_data(struct check *c)
{
    const char *path = c->home->data;
    struct stat st;

    if (stat(path, &st) != 0)
        check_tell(
            c, CHECK_WARN, "data", FM_OK,
            "%s is not there: firmiana dataset import makes it, where this member has tables",
            path);
    else if (!S_ISREG(st.st_mode) || access(path, R_OK) != 0)
        check_tell(c, CHECK_BAD, "data", FM_E_IO, "%s cannot be read", path);
    else if ((st.st_mode & 077) != 0 && !is_inside(c->home->dir, path))
        check_tell(c, CHECK_BAD, "data", FM_E_INPUT, "%s may be read by others: chmod 600 %s", path,
                   path);
    else
        check_tell(c, CHECK_GOOD, "data", FM_OK, "%s, %.1f MB", path, (double)st.st_size / 1e6);
}

/* The node makes one when it starts for the first time; after that it is part of the home. */
static void check_sessions(struct check *c)
{
    char path[HOME_PATH];
    struct base_err err = {0};
    struct stat st;

    if (c->newest_block_ms > 0 && home_path(path, c->home->dir, "sessions.db", &err) == FM_OK &&
        (stat(path, &st) != 0 || st.st_size == 0))
        check_tell(c, CHECK_WARN, "sessions", FM_OK,
                   "%s is not there, or empty: the node begins anew, without the answers and "
                   "openings that it kept; is there a copy?",
                   path);
}

/* A file that the node will open for writing: its folder must be there. */
static void check_written(struct check *c, const char *name, const char *path)
{
    char folder[HOME_PATH];
    char *slash;

    if (path[0] == '\0')
        return;
    (void)snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder)
        *slash = '\0';
    if (slash == NULL || access(folder, F_OK) != 0)
        check_tell(c, CHECK_BAD, name, FM_E_IO, "%s: the folder %s is not there", path, folder);
    else if (access(folder, W_OK | X_OK) != 0 ||
             (access(path, F_OK) == 0 && access(path, W_OK) != 0))
        check_tell(c, CHECK_BAD, name, FM_E_IO, "%s cannot be written", path);
    else
        check_tell(c, CHECK_GOOD, name, FM_OK, "%s can be written", path);
}

void check_files(struct check *c)
{
    check_data(c);
    check_sessions(c);
    check_written(c, "log", c->home->log);
    check_written(c, "socket", c->home->socket);
}
