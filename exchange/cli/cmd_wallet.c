/* firmiana wallet create, recover, show, phrase, passphrase: a data subject's file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "base/secret.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/profile.h"
#include "exchange/cli/wallet_args.h"
#include "exchange/wallet/key.h"

static int64_t now_s(void)
{
    return base_clock_unix_ms(base_clock_system()) / 1000;
}

/* A new file: of a fresh secret, or of one that is recovered. */
static fm_status make(const char *path, const uint8_t *secret32, const struct did_suite *suite,
                      const struct cli_args *args, struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    struct wallet w = {0};
    fm_status st = cli_passphrase(&pass, args, CLI_PASSPHRASE_NEW, err);

    if (st == FM_OK)
        st = wallet_new(&w, secret32, suite, now_s(), pass, NULL, base_random_system(), err);
    if (st == FM_OK)
        st = wallet_file_create(&w, path, base_random_system(), err);
    wallet_release(&w);
    did_passphrase_free(pass);
    return st;
}

static fm_status create(const struct cli_args *args, struct base_err *err)
{
    fm_status st = make(args->operands[0], NULL, NULL, args, err);

    if (st == FM_OK)
        printf("%s: sealed. Without its recovery phrase a lost file or passphrase is lost for "
               "good: write it down now\n  firmiana wallet phrase --wallet %s\n",
               args->operands[0], args->operands[0]);
    return st;
}

static const struct cli_option create_options[] = {CLI_PASSPHRASE_OPTION, CLI_PROFILE_OPTION, {0}};

const struct cli_command cli_wallet_create = {
    "wallet create",
    "FILE",
    1,
    1,
    "a data subject's wallet: one sealed file, no phone, no network",
    "Keys towards each bank are derived from its one secret: two banks cannot tell by a DID that "
    "they deal with the same person.",
    create_options,
    create};

/* ---- the phrase ---- */

static fm_status phrase(const struct cli_args *args, struct base_err *err)
{
    char text[WALLET_PHRASE_TEXT];
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_READ, err);

    if (st == FM_OK)
        st = wallet_phrase(text, &f.w, err);
    if (st == FM_OK) {
        printf("%s\n", text);
        if (fflush(stdout) != 0)
            st = base_err_errno(err, "standard output");
    }
    base_wipe(text, sizeof text);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option phrase_options[] = {WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, {0}};

const struct cli_command cli_wallet_phrase = {
    "wallet phrase",
    "",
    0,
    0,
    "print the recovery phrase, to be written down: whoever has it has the wallet's keys",
    "Bech32m: letters and digits in groups of four, with a checksum that finds any four wrong "
    "characters.",
    phrase_options,
    phrase};

static fm_status read_phrase(uint8_t secret32[32], const struct did_suite **suite,
                             const struct cli_args *args, struct base_err *err)
{
    struct did_passphrase *line = NULL;
    const char *text;
    int64_t fd = -1;
    size_t len;
    fm_status st = cli_int(&fd, args, "phrase-fd", 0, 1 << 20, err);

    if (st == FM_OK)
        st = fd >= 0 ? did_passphrase_from_fd(&line, (int)fd, err)
                     : did_passphrase_prompt(&line, "recovery phrase", err);
    if (st == FM_OK) {
        text = did_passphrase_bytes(line, &len);
        st = wallet_phrase_read(secret32, suite, text, len, err);
    }
    did_passphrase_free(line);
    return st;
}

static fm_status recover(const struct cli_args *args, struct base_err *err)
{
    uint8_t *secret = base_secret_alloc(32);
    const struct did_suite *suite = NULL;
    fm_status st = secret != NULL ? read_phrase(secret, &suite, args, err)
                                  : base_err_memory(err, "recovery phrase");

    if (st == FM_OK && strcmp(suite->name, "sm2") == 0)
        st = base_profile_adopt(BASE_PROFILE_NATIONAL, err);
    if (st == FM_OK)
        st = make(args->operands[0], secret, suite, args, err);
    base_secret_free(secret, 32);
    if (st == FM_OK)
        printf("%s: has the keys again. Consents and the like: wallet trust GENESIS, then wallet "
               "find TRAIL; credentials: wallet receive, from copies\n",
               args->operands[0]);
    return st;
}

static const struct cli_option recover_options[] = {
    {"phrase-fd", "N", "read the recovery phrase from file descriptor N (default: a prompt)",
     CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_PROFILE_OPTION,
    {0}};

const struct cli_command cli_wallet_recover = {
    "wallet recover", "FILE", 1, 1, "make the wallet again from its recovery phrase", NULL,
    recover_options,  recover};

/* ---- another passphrase ---- */

static fm_status new_passphrase(struct did_passphrase **out, const struct cli_args *args,
                                struct base_err *err)
{
    int64_t fd = -1;
    fm_status st = cli_int(&fd, args, "new-passphrase-fd", 0, 1 << 20, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    if (fd >= 0)
        return did_passphrase_from_fd(out, (int)fd, err);
    if (getenv("FIRMIANA_NEW_PASSPHRASE") != NULL)
        return did_passphrase_from_env(out, "FIRMIANA_NEW_PASSPHRASE", err);
    return did_passphrase_prompt_new(out, "new passphrase", err);
}

static fm_status passphrase(const struct cli_args *args, struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);

    if (st == FM_OK)
        st = new_passphrase(&pass, args, err);
    if (st == FM_OK)
        st = cli_passphrase_check(pass, err);
    if (st == FM_OK)
        st = wallet_reseal(&f.w, pass, NULL, base_random_system(), err);
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    if (st == FM_OK)
        printf("%s: sealed under the new passphrase; older copies open under the old one\n",
               f.path);
    did_passphrase_free(pass);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option passphrase_options[] = {
    WALLET_FILE_OPTION,
    CLI_PASSPHRASE_OPTION,
    {"new-passphrase-fd", "N",
     "read the new one from file descriptor N (default: $FIRMIANA_NEW_PASSPHRASE, or a prompt)",
     CLI_OPTIONAL},
    {0}};

const struct cli_command cli_wallet_passphrase = {
    "wallet passphrase", "",        0, 0, "seal the wallet under another passphrase", NULL,
    passphrase_options,  passphrase};

/* ---- what is in it ---- */

static void print(const struct wallet_file *f)
{
    static const char *const lists[] = {"identities", "consents", "mandates", "credentials"};
    const json_t *ledger = json_object_get(f->w.content, "ledger");
    char when[32];

    printf("%s: made %s, %s algorithms\n", f->path,
           wallet_args_moment(when, f->w.info.created_s * 1000),
           strcmp(f->w.info.key.suite->name, "sm2") == 0 ? "national" : "international");
    if (ledger != NULL)
        printf("ledger       %s, chain %s, %zu members\n", wallet_text(ledger, "name"),
               wallet_text(ledger, "chain"), json_object_size(json_object_get(ledger, "members")));
    else
        printf("ledger       none yet: firmiana wallet trust GENESIS.json\n");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        printf("%-12s %zu\n", lists[i], json_array_size(wallet_list(&f->w, lists[i])));
}

/* Without what opens commitments. */
static fm_status print_content(const struct wallet *w, struct base_err *err)
{
    json_t *copy = json_deep_copy(w->content), *record;
    fm_status st;
    size_t i;

    if (copy == NULL)
        return base_err_memory(err, "wallet");
    json_array_foreach(json_object_get(copy, "mandates"), i, record)(void)
        json_object_del(record, "nonce");
    json_array_foreach(json_object_get(copy, "consents"), i, record)(void)
        json_object_del(record, "identifier");
    st = cli_print_json(copy, err);
    json_decref(copy);
    return st;
}

static fm_status show(const struct cli_args *args, struct base_err *err)
{
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_READ, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = print_content(&f.w, err);
    else if (st == FM_OK)
        print(&f);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option show_options[] = {
    WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_wallet_show = {
    "wallet show",
    "",
    0,
    0,
    "what is in the wallet; no key, no identifier, and not the phrase",
    NULL,
    show_options,
    show};
