#include "did/keystore.h"

#include <string.h>

#include "did/private_file.h"
#include "did/token.h"

/* ---- reading ---- */

static fm_status read_file(struct base_buf *out, const char *path, struct base_err *err)
{
    return did_private_read(out, path, DID_KEYFILE_MAX, "key", err);
}

/* The key of a token whose file it is. */
static fm_status open_token(struct did_secret **out, struct did_keyfile *info,
                            const struct base_buf *bytes, const struct did_passphrase *pass,
                            struct base_err *err)
{
    struct did_keyfile read;
    char uri[DID_TOKEN_URI];
    fm_status st = did_token_file_read(&read, uri, bytes->p, bytes->len, err);

    if (st == FM_OK)
        st = did_token_open(out, uri, &read.key, pass, err);
    if (st == FM_OK && info != NULL)
        *info = read;
    return st;
}

fm_status did_keystore_load(struct did_secret **out, struct did_keyfile *info, const char *path,
                            const struct did_passphrase *pass, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = read_file(&bytes, path, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_token_is_file(bytes.p, bytes.len)
                 ? open_token(out, info, &bytes, pass, err)
                 : did_keyfile_open(out, info, bytes.p, bytes.len, pass, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

fm_status did_keystore_peek(struct did_keyfile *info, const char *path, struct base_err *err)
{
    struct base_buf bytes = {0};
    char uri[DID_TOKEN_URI];
    fm_status st = read_file(&bytes, path, err);

    memset(info, 0, sizeof *info);
    if (st == FM_OK)
        st = did_token_is_file(bytes.p, bytes.len)
                 ? did_token_file_read(info, uri, bytes.p, bytes.len, err)
                 : did_keyfile_peek(info, bytes.p, bytes.len, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

/* ---- writing ---- */

static fm_status write_file(const char *path, enum did_keystore_mode mode,
                            const struct base_buf *bytes, const struct base_random *random,
                            struct base_err *err)
{
    return did_private_write(path,
                             mode == DID_KEYSTORE_REPLACE ? DID_PRIVATE_REPLACE : DID_PRIVATE_NEW,
                             bytes, random, err);
}

fm_status did_keystore_save(const char *path, enum did_keystore_mode mode,
                            const struct did_secret *secret, const char *role, int64_t created_s,
                            const struct did_passphrase *pass, const struct did_kdf *kdf,
                            const struct base_random *random, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = did_keyfile_seal(&bytes, secret, role, created_s, pass,
                                    kdf == NULL ? &did_kdf_default : kdf, random, err);

    if (st == FM_OK)
        st = write_file(path, mode, &bytes, random, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

fm_status did_keystore_save_token(const char *path, const struct did_key *key, const char *role,
                                  int64_t created_s, const char *uri,
                                  const struct base_random *random, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = did_token_file_put(&bytes, key, role, created_s, uri, err);

    if (st == FM_OK)
        st = write_file(path, DID_KEYSTORE_NEW, &bytes, random, err);
    base_buf_release(&bytes);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}
