#include "exchange/comet/member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "base/secret.h"
#include "did/document.h"
#include "did/multibase.h"
#include "ledger/machine/validator.h"

#define TEMPLATE "did:firmiana:" DID_CHAIN_PLACEHOLDER ":" DID_SCID_PLACEHOLDER

void comet_key_name(char out[COMET_ID], const uint8_t key32[32])
{
    uint8_t hash[32];

    base_sha256(hash, key32, 32);
    base_hex(out, hash, 20);
}

void comet_base64(struct base_buf *out, const void *bytes, size_t len)
{
    uint8_t *at = base_buf_extend(out, (len + 2) / 3 * 4 + 1);

    if (at != NULL) {
        (void)EVP_EncodeBlock(at, bytes, (int)len);
        out->len--; /* its NUL */
    }
}

/* ---- reading ---- */

static const char *endpoint_of(const json_t *document, const char *type)
{
    json_t *list = json_object_get(document, "service"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *t = json_string_value(json_object_get(item, "type"));
        if (t != NULL && strcmp(t, type) == 0)
            return json_string_value(json_object_get(item, "serviceEndpoint"));
    }
    return NULL;
}

static bool is_v6(const char *text, size_t len)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return inet_pton(AF_INET6, copy, &address) == 1;
}

/* HOST:PORT or [IPv6]:PORT: CometBFT does not start at all where one of its peers is not. */
static bool is_address(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    bool v6 = text[0] == '[';
    size_t host = v6 ? strcspn(++text, "]") : strspn(text, letters);
    const char *port = text + host;
    size_t digits;

    if (v6 ? !is_v6(text, host) || *port++ != ']' : host == 0)
        return false;
    if (*port++ != ':')
        return false;
    digits = strspn(port, "0123456789");
    return digits <= 5 && port[digits] == '\0' && atoi(port) >= 1 && atoi(port) <= 65535;
}

static bool read_node(struct comet_member *out, const char *uri)
{
    uint8_t id[20];
    const char *at = strncmp(uri, "tcp://", 6) == 0 ? uri + 6 : "";

    if (strlen(at) < 42 || at[40] != '@' || !base_unhex(id, sizeof id, at, 40) ||
        strlen(at + 41) >= sizeof out->address || !is_address(at + 41))
        return false;
    memcpy(out->id, at, 40);
    out->id[40] = '\0';
    memcpy(out->address, at + 41, strlen(at + 41) + 1);
    return true;
}

fm_status comet_member_read(struct comet_member *out, bool *found, const json_t *document,
                            struct base_err *err)
{
    const char *node = endpoint_of(document, "CometBFTNode");
    fm_status st;

    *out = (struct comet_member){0};
    st = ledger_validator_read(out->validator, found, document, err);
    *found = *found && node != NULL;
    if (*found && !read_node(out, node))
        return base_err_set(err, FM_E_INPUT, "service CometBFTNode is not tcp://ID@HOST:PORT");
    return st;
}

fm_status comet_genesis_asks(bool *out, const json_t *genesis, struct base_err *err)
{
    json_t *members = json_object_get(genesis, "members"), *item;
    const char *with = NULL, *without = NULL;
    size_t i;

    *out = false;
    json_array_foreach(members, i, item)
    {
        const char *alias = json_string_value(json_object_get(item, "alias"));
        struct comet_member member;
        bool found;
        fm_status st = comet_member_read(&member, &found, json_object_get(item, "document"), err);
        if (st != FM_OK)
            return base_err_prefix(err, "%s", alias != NULL ? alias : "a member");
        *(found ? &with : &without) = alias != NULL ? alias : "?";
    }
    if (with != NULL && without != NULL)
        return base_err_set(err, FM_E_INPUT,
                            "%s is prepared for CometBFT and %s is not: all founding members run "
                            "it, or none (firmiana init --engine cometbft)",
                            with, without);
    *out = with != NULL;
    if (*out && base_profile_is_national())
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "the profile national has no CometBFT: its votes are Ed25519's, its "
                            "hashes SHA-256's");
    return FM_OK;
}

/* ---- making ---- */

/* CometBFT's form of a secret: the seed, and the key after it. */
static void put_private(struct base_buf *out, const struct did_secret *secret)
{
    uint8_t both[64];

    memcpy(both, did_secret_bytes(secret), 32);
    memcpy(both + 32, did_secret_key(secret)->bytes, 32);
    base_buf_put_str(out, "{\"type\":\"tendermint/PrivKeyEd25519\",\"value\":\"");
    comet_base64(out, both, sizeof both);
    base_buf_put_str(out, "\"}");
    base_wipe(both, sizeof both);
}

static fm_status make_folder(const char *dir, const char *name, struct base_err *err)
{
    struct base_buf path = {0};
    fm_status st;

    base_buf_putf(&path, "%s/%s", dir, name);
    st = base_buf_status(&path, "path", err);
    if (st == FM_OK && mkdir(base_buf_cstr(&path), 0700) != 0 && errno != EEXIST)
        st = base_err_errno(err, base_buf_cstr(&path));
    base_buf_release(&path);
    return st;
}

static fm_status write_key(const char *dir, const char *name, struct base_buf *content,
                           struct base_err *err)
{
    struct base_buf path = {0};
    fm_status st = base_buf_status(content, "key", err);

    base_buf_putf(&path, "%s/cometbft/config/%s", dir, name);
    if (st == FM_OK)
        st = base_buf_status(&path, "path", err);
    if (st == FM_OK && access(base_buf_cstr(&path), F_OK) == 0)
        st = base_err_set(err, FM_E_CONFLICT, "%s: it is there already", base_buf_cstr(&path));
    if (st == FM_OK)
        st = base_file_write(base_buf_cstr(&path), content->p, content->len, 0600, err);
    base_buf_release(&path);
    return st;
}

void comet_key_file(struct base_buf *out, const struct did_secret *secret)
{
    const uint8_t *key = did_secret_key(secret)->bytes;
    char name[COMET_ID];

    comet_key_name(name, key);
    for (char *c = name; *c != '\0'; c++)
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    base_buf_putf(out, "{\"address\":\"%s\",\"pub_key\":{\"type\":\"tendermint/PubKeyEd25519\",",
                  name);
    base_buf_put_str(out, "\"value\":\"");
    comet_base64(out, key, 32);
    base_buf_put_str(out, "\"},\"priv_key\":");
    put_private(out, secret);
    base_buf_put_str(out, "}\n");
}

static fm_status save(const char *dir, const struct did_secret *node,
                      const struct did_secret *validator, struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st;

    base_buf_put_str(&text, "{\"priv_key\":");
    put_private(&text, node);
    base_buf_put_str(&text, "}\n");
    st = write_key(dir, "node_key.json", &text, err);
    base_buf_release_secret(&text);
    if (st != FM_OK)
        return st;
    comet_key_file(&text, validator);
    st = write_key(dir, "priv_validator_key.json", &text, err);
    base_buf_release_secret(&text);
    return st;
}

fm_status comet_validator_service(json_t **out, const char *did, const uint8_t key32[32],
                                  struct base_err *err)
{
    char multikey[DID_MULTIKEY_TEXT], id[DID_FIRMIANA_TEXT + 16], uri[DID_MULTIKEY_TEXT + 16];
    struct did_key key;
    fm_status st = did_key_make(&key, did_suite_ed25519(), key32, 32, DID_RULES_VERSION, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_multikey_encode(multikey, &key, err);
    if (st != FM_OK)
        return st;
    (void)snprintf(id, sizeof id, "%s#validator", did);
    (void)snprintf(uri, sizeof uri, "ed25519://%s", multikey);
    *out =
        json_pack("{s:s,s:s,s:s}", "id", id, "type", "CometBFTValidator", "serviceEndpoint", uri);
    return *out != NULL ? FM_OK : base_err_memory(err, "service");
}

static fm_status make_services(json_t **out, const struct did_secret *node,
                               const struct did_secret *validator, const char *endpoint,
                               struct base_err *err)
{
    struct base_buf where = {0};
    json_t *orders;
    char id[COMET_ID];
    fm_status st =
        comet_validator_service(&orders, TEMPLATE, did_secret_key(validator)->bytes, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    comet_key_name(id, did_secret_key(node)->bytes);
    base_buf_putf(&where, "tcp://%s@%s", id, endpoint + strlen("tcp://"));
    *out = json_pack("[{s:s,s:s,s:s},o]", "id", TEMPLATE "#cometbft", "type", "CometBFTNode",
                     "serviceEndpoint", base_buf_cstr(&where), orders);
    base_buf_release(&where);
    return *out != NULL ? FM_OK : base_err_memory(err, "services");
}

fm_status comet_keys_new(struct comet_keys *out, const char *endpoint, struct base_err *err)
{
    fm_status st;

    *out = (struct comet_keys){0};
    st = did_secret_generate(&out->node, did_suite_ed25519(), base_random_system(), err);
    if (st == FM_OK)
        st = did_secret_generate(&out->validator, did_suite_ed25519(), base_random_system(), err);
    if (st == FM_OK)
        st = make_services(&out->services, out->node, out->validator, endpoint, err);
    return st;
}

fm_status comet_keys_save(const struct comet_keys *keys, const char *dir, struct base_err *err)
{
    fm_status st = make_folder(dir, "cometbft", err);

    if (st == FM_OK)
        st = make_folder(dir, "cometbft/config", err);
    return st == FM_OK ? save(dir, keys->node, keys->validator, err) : st;
}

void comet_keys_release(struct comet_keys *keys)
{
    did_secret_free(keys->node);
    did_secret_free(keys->validator);
    json_decref(keys->services);
    *keys = (struct comet_keys){0};
}
