#include "exchange/comet/key.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "ledger/machine/validator.h"

#define PRESENT "priv_validator_key.json"
#define NEXT "priv_validator_key.next.json"

enum { KEY_FILE_MAX = 4096, PATH_MAX_LEN = 640 };

static fm_status path_of(char out[PATH_MAX_LEN], const char *home, const char *name,
                         struct base_err *err)
{
    int n = snprintf(out, PATH_MAX_LEN, "%s/cometbft/config/%s", home, name);

    return n > 0 && n < PATH_MAX_LEN ? FM_OK
                                     : base_err_set(err, FM_E_LIMIT, "the home's path is too long");
}

static bool is_there(const char *home, const char *name)
{
    char path[PATH_MAX_LEN];
    struct base_err err = {0};

    return path_of(path, home, name, &err) == FM_OK && access(path, F_OK) == 0;
}

bool comet_key_waits(const char *home)
{
    return is_there(home, NEXT);
}

/* Whether the file's public key is this one. */
static fm_status is_key(bool *out, const char *home, const char *name, const uint8_t key32[32],
                        struct base_err *err)
{
    struct base_buf text = {0}, key = {0};
    char path[PATH_MAX_LEN];
    const char *value;
    json_t *json = NULL, *pub;
    fm_status st = path_of(path, home, name, err);

    *out = false;
    comet_base64(&key, key32, 32);
    if (st == FM_OK)
        st = base_file_read(&text, path, KEY_FILE_MAX, err);
    if (st == FM_OK)
        st = base_json_parse(&json, base_buf_cstr(&text), text.len, err);
    if (st == FM_OK)
        st = base_json_get_object(&pub, json, "pub_key", err);
    if (st == FM_OK)
        st = base_json_get_str(&value, pub, "value", err);
    if (st == FM_OK)
        *out = strcmp(value, base_buf_cstr(&key)) == 0;
    json_decref(json);
    base_buf_release_secret(&text);
    base_buf_release(&key);
    return st;
}

/* The key that the member's document names, and the height since which it is this document. */
static fm_status named(uint8_t key32[32], bool *found, uint64_t *since, struct ledger_chain *chain,
                       const char *alias, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(chain);
    json_t *member = NULL, *did = NULL;
    struct base_buf key = {0};
    fm_status st = ledger_reader_member(reader, &member, alias, err);

    *found = false;
    *since = 0;
    if (st == FM_E_NOT_FOUND)
        return FM_OK;
    if (st == FM_OK)
        st = ledger_validator_read(key32, found, json_object_get(member, "document"), err);
    base_buf_putf(&key, "did/%s", json_string_value(json_object_get(member, "did")));
    if (st == FM_OK)
        st = base_buf_status(&key, "key", err);
    if (st == FM_OK)
        st = ledger_reader_get(reader, &did, base_buf_cstr(&key), err);
    *since = (uint64_t)json_integer_value(json_object_get(did, "height"));
    json_decref(member);
    json_decref(did);
    base_buf_release(&key);
    return st;
}

static fm_status replace(const char *home, struct base_err *err)
{
    char from[PATH_MAX_LEN], to[PATH_MAX_LEN];
    fm_status st = path_of(from, home, NEXT, err);

    if (st == FM_OK)
        st = path_of(to, home, PRESENT, err);
    if (st == FM_OK && rename(from, to) != 0)
        st = base_err_errno(err, from);
    return st == FM_OK ? base_file_sync_folder(to, err) : st;
}

fm_status comet_key_settle(enum comet_key *out, const char *home, const char *alias,
                           struct ledger_chain *chain, struct base_err *err)
{
    uint8_t key[32];
    bool found, same = false, next = false;
    uint64_t since;
    fm_status st = FM_OK;

    *out = COMET_KEY_GOOD;
    if (!is_there(home, PRESENT) || !is_there(home, "node_key.json"))
        return base_err_set(err, FM_E_NOT_FOUND,
                            "%s/cometbft/config: no keys of CometBFT: they were made with the "
                            "home, by firmiana init --engine cometbft",
                            home);
    st = named(key, &found, &since, chain, alias, err);
    if (st != FM_OK || !found)
        return st;
    st = is_key(&same, home, PRESENT, key, err);
    if (st != FM_OK || same)
        return st;
    if (is_there(home, NEXT))
        st = is_key(&next, home, NEXT, key, err);
    if (st != FM_OK)
        return st;
    if (!next) {
        *out = COMET_KEY_OTHER;
        return FM_OK;
    }
    *out = ledger_chain_head(chain)->height > since ? COMET_KEY_CHANGED : COMET_KEY_SOON; /* K1 */
    return *out == COMET_KEY_CHANGED ? replace(home, err) : FM_OK;
}

fm_status comet_key_next(uint8_t key32[32], const char *home, const json_t *current,
                         struct base_err *err)
{
    struct did_secret *secret = NULL;
    struct base_buf text = {0};
    char path[PATH_MAX_LEN];
    uint8_t now[32];
    bool found, next = false;
    fm_status st = ledger_validator_read(now, &found, current, err);

    if (st == FM_OK && !is_there(home, PRESENT))
        st =
            base_err_set(err, FM_E_NOT_FOUND, "%s/cometbft/config: no keys of CometBFT here", home);
    if (st == FM_OK && found && is_there(home, NEXT))
        st = is_key(&next, home, NEXT, now, err);
    if (st == FM_OK && next)
        st =
            base_err_set(err, FM_E_CONFLICT,
                         "the key that was made last is about to take its place: wait for a block");
    if (st == FM_OK)
        st = path_of(path, home, NEXT, err);
    if (st == FM_OK)
        st = did_secret_generate(&secret, did_suite_ed25519(), base_random_system(), err);
    if (st == FM_OK) {
        comet_key_file(&text, secret);
        st = base_buf_status(&text, "key", err);
    }
    if (st == FM_OK)
        st = base_file_write(path, text.p, text.len, 0600, err);
    if (st == FM_OK)
        memcpy(key32, did_secret_key(secret)->bytes, 32);
    base_buf_release_secret(&text);
    did_secret_free(secret);
    return st;
}
