#include "exchange/cli/keys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "did/keystore.h"
#include "did/token.h"
#include "exchange/cli/officers.h"
#include "exchange/node/home.h"

fm_status cli_passphrase_check(const struct did_passphrase *pass, struct base_err *err)
{
    size_t least =
               base_profile_is_national() ? CLI_PASSPHRASE_LEAST_NATIONAL : CLI_PASSPHRASE_LEAST,
           len;

    (void)did_passphrase_bytes(pass, &len);
    return len >= least ? FM_OK
                        : base_err_set(err, FM_E_ARG,
                                       "the passphrase is too short: at least %zu bytes, better a "
                                       "few words that nobody else would put together",
                                       least);
}

static fm_status read_passphrase(struct did_passphrase **out, const struct cli_args *args,
                                 enum cli_passphrase_use use, struct base_err *err)
{
    int64_t fd = -1;
    int tty;
    fm_status st = cli_int(&fd, args, "passphrase-fd", 0, 1 << 20, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    if (fd >= 0)
        return did_passphrase_from_fd(out, (int)fd, err);
    if (getenv("FIRMIANA_PASSPHRASE") != NULL)
        return did_passphrase_from_env(out, "FIRMIANA_PASSPHRASE", err);
    tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0) /* The key store would say so too, but it does not know our options. */
        return base_err_set(err, FM_E_ARG,
                            "there is no terminal to ask for the passphrase: give it with "
                            "--passphrase-fd N or in FIRMIANA_PASSPHRASE");
    (void)close(tty);
    return use == CLI_PASSPHRASE_NEW ? did_passphrase_prompt_new(out, "new passphrase", err)
                                     : did_passphrase_prompt(out, "passphrase", err);
}

fm_status cli_passphrase(struct did_passphrase **out, const struct cli_args *args,
                         enum cli_passphrase_use use, struct base_err *err)
{
    fm_status st = read_passphrase(out, args, use, err);

    if (st == FM_OK && use == CLI_PASSPHRASE_NEW)
        st = cli_passphrase_check(*out, err);
    if (st != FM_OK) {
        did_passphrase_free(*out);
        *out = NULL;
    }
    return st;
}

fm_status cli_new_key(struct did_secret **out, const struct cli_args *args,
                      const struct did_suite *suite, const char *role, struct base_err *err)
{
    const char *path = cli_value(args, "out"), *uri = cli_value(args, "token");
    int64_t now_s = base_clock_unix_ms(base_clock_system()) / 1000;
    struct did_passphrase *pass = NULL;
    fm_status st =
        cli_passphrase(&pass, args, uri != NULL ? CLI_PASSPHRASE_OLD : CLI_PASSPHRASE_NEW, err);

    *out = NULL;
    if (st == FM_OK && uri == NULL)
        st = did_suite_allowed(suite, err);
    if (st == FM_OK)
        st = uri != NULL ? did_token_open(out, uri, NULL, pass, err)
                         : did_secret_generate(out, suite, base_random_system(), err);
    if (st == FM_OK)
        st = uri != NULL ? did_keystore_save_token(path, did_secret_key(*out), role, now_s, uri,
                                                   base_random_system(), err)
                         : did_keystore_save(path, DID_KEYSTORE_NEW, *out, role, now_s, pass, NULL,
                                             base_random_system(), err);
    did_passphrase_free(pass);
    return st;
}

fm_status cli_officer_key(struct did_secret **out, const struct cli_args *args,
                          struct base_err *err)
{
    const char *path = cli_value(args, "key"), *home;
    struct did_passphrase *pass = NULL;
    char fallback[HOME_PATH];
    fm_status st = FM_OK;

    *out = NULL;
    if (path == NULL) {
        st = cli_home(&home, args, err);
        if (st == FM_OK)
            st = home_path(fallback, home, "keys/officer.json", err);
        path = fallback;
    }
    if (st == FM_OK)
        st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);
    if (st == FM_OK)
        st = did_keystore_load(out, NULL, path, pass, err);
    did_passphrase_free(pass);
    return st;
}

enum { HAND_TO_HAND_MS = 23 * 3600 * 1000, AT_ONCE_MS = 600000 };

/* sender: a DID, NULL for this member's. */
static fm_status build(json_t **tx, const struct cli_args *args, const char *sender,
                       enum ledger_tx_type type, json_t *body, int64_t life_ms, const char *what,
                       struct base_err *err)
{
    json_t *me = NULL;
    uint8_t chain[32];
    fm_status st = body != NULL ? cli_call(&me, args, "me", NULL, err) : base_err_memory(err, what);

    if (st == FM_OK)
        st = base_json_get_hex(chain, 32, me, "chain", err);
    if (st == FM_OK)
        st = ledger_tx_build(tx, chain, type, sender != NULL ? sender : cli_text(me, "did"),
                             base_clock_unix_ms(base_clock_system()) + life_ms, body, err);
    json_decref(me);
    return st;
}

fm_status cli_submit_by_officer(const struct cli_args *args, enum ledger_tx_type type, json_t *body,
                                const char *what, struct base_err *err)
{
    struct did_document *doc = NULL;
    struct did_secret *secret = NULL;
    json_t *tx = NULL;
    fm_status st = officers_document(&doc, args, err);

    if (st == FM_OK)
        st = build(&tx, args, NULL, type, body,
                   did_document_threshold(doc) > 1 ? HAND_TO_HAND_MS : AT_ONCE_MS, what, err);
    if (st == FM_OK)
        st = cli_officer_key(&secret, args, err);
    if (st == FM_OK)
        st = officers_sign(args, tx, secret, doc, cli_value(args, "partial"), what, err);
    did_document_free(doc);
    did_secret_free(secret);
    json_decref(tx);
    json_decref(body);
    return st;
}

fm_status cli_submit_by_key(const struct cli_args *args, const char *sender,
                            enum ledger_tx_type type, json_t *body, const char *what,
                            struct base_err *err)
{
    struct did_secret *secret = NULL;
    json_t *tx = NULL;
    fm_status st = build(&tx, args, sender, type, body, AT_ONCE_MS, what, err);

    if (st == FM_OK)
        st = cli_officer_key(&secret, args, err);
    if (st == FM_OK)
        st = ledger_tx_sign(tx, secret, base_clock_unix_ms(base_clock_system()) / 1000, err);
    if (st == FM_OK)
        st = cli_submit(args, json_incref(tx), what, err);
    did_secret_free(secret);
    json_decref(tx);
    json_decref(body);
    return st;
}
