/* The file that says in which token a key is. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "did/moment.h"
#include "did/multibase.h"
#include "did/token.h"

#define FORMAT "firmiana-token-1"

bool did_token_is_file(const void *bytes, size_t len)
{
    struct base_err err = {0};
    json_t *json = NULL;
    const char *format;
    bool is = base_json_parse(&json, bytes, len, &err) == FM_OK &&
              base_json_get_str(&format, json, "format", &err) == FM_OK &&
              strcmp(format, FORMAT) == 0;

    json_decref(json);
    return is;
}

static bool is_role(const char *role)
{
    size_t len = strspn(role, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    return len >= 1 && len <= DID_KEYFILE_ROLE_MAX && role[len] == '\0';
}

static bool is_uri(const char *uri)
{
    return strlen(uri) < DID_TOKEN_URI && strncmp(uri, "pkcs11:", 7) == 0 &&
           strstr(uri, "pin-value") == NULL;
}

fm_status did_token_file_put(struct base_buf *out, const struct did_key *key, const char *role,
                             int64_t created_s, const char *uri, struct base_err *err)
{
    char created[DID_MOMENT_TEXT], multikey[DID_MULTIKEY_TEXT];
    json_t *json;
    fm_status st = did_moment_format(created, created_s, err);

    if (!is_role(role))
        return base_err_set(err, FM_E_ARG, "role '%.40s' of a key must be 1 to %d of [A-Za-z0-9-]",
                            role, DID_KEYFILE_ROLE_MAX);
    if (!is_uri(uri))
        return base_err_set(err, FM_E_ARG,
                            "a token's URI begins with pkcs11:, has at most %d characters, and no "
                            "PIN",
                            DID_TOKEN_URI - 1);
    if (st == FM_OK)
        st = did_multikey_encode(multikey, key, err);
    if (st != FM_OK)
        return st;
    json = json_pack("{s:s, s:s, s:s, s:s, s:s}", "created", created, "format", FORMAT, "public",
                     multikey, "role", role, "uri", uri);
    st = json != NULL ? base_json_canonical(out, json, err) : base_err_memory(err, "key file");
    base_buf_put_u8(out, '\n');
    json_decref(json);
    return st == FM_OK ? base_buf_status(out, "key file", err) : st;
}

static fm_status read_members(struct did_keyfile *info, char uri[DID_TOKEN_URI], const json_t *json,
                              struct base_err *err)
{
    static const char *const members[] = {"created", "format", "public", "role", "uri", NULL};
    const char *created, *format, *multikey, *role, *text;
    fm_status st;

    if ((st = base_json_only(json, members, err)) != FM_OK ||
        (st = base_json_get_str(&format, json, "format", err)) != FM_OK ||
        (st = base_json_get_str(&created, json, "created", err)) != FM_OK ||
        (st = base_json_get_str(&multikey, json, "public", err)) != FM_OK ||
        (st = base_json_get_str(&role, json, "role", err)) != FM_OK ||
        (st = base_json_get_str(&text, json, "uri", err)) != FM_OK ||
        (st = did_multikey_decode(&info->key, multikey, DID_RULES_VERSION, err)) != FM_OK)
        return st;
    if (strcmp(format, FORMAT) != 0 || !did_moment_parse(&info->created_s, created) ||
        !is_role(role) || !is_uri(text))
        return base_err_set(err, FM_E_INPUT, "'format', 'created', 'role' or 'uri' is malformed");
    (void)snprintf(info->role, sizeof info->role, "%s", role);
    (void)snprintf(uri, DID_TOKEN_URI, "%s", text);
    return FM_OK;
}

fm_status did_token_file_read(struct did_keyfile *info, char uri[DID_TOKEN_URI], const void *bytes,
                              size_t len, struct base_err *err)
{
    json_t *json = NULL;
    fm_status st = len > 0 && ((const char *)bytes)[len - 1] == '\n'
                       ? base_json_parse_canonical(&json, bytes, len - 1, err)
                       : base_err_set(err, FM_E_INPUT, "truncated");

    memset(info, 0, sizeof *info);
    if (st == FM_OK)
        st = read_members(info, uri, json, err);
    json_decref(json);
    if (st == FM_OK || st == FM_E_MEMORY)
        return st;
    memset(info, 0, sizeof *info);
    err->code = FM_E_CORRUPT;
    return base_err_prefix(err, "not a file of a token's key");
}
