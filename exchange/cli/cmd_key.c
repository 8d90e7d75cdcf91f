/* firmiana key ...: threshold keys for protocol aggregate. A dealer makes one and hands out its
 * shares; each member's node keeps its own, sealed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "did/key_did.h"
#include "did/keyfile.h"
#include "did/keystore.h"
#include "exchange/aggregate/key.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/keys.h"
#include "exchange/contract/dealer.h"
#include "exchange/node/home.h"
#include "exchange/node/vault.h"

/* A share on its way, one file: {"box", "format", "key", "lock", "member"}. lock: a fresh key,
 * sealed under a passphrase (did/keyfile.h); box: base64url of the share, sealed under that key
 * (vault.h) as a "share" by the name of the key's id. */
#define SHARE_FORMAT "firmiana-share-1"
#define SHARE_ROLE "share"

enum { SHARE_FILE_MAX = 1 << 18 };

/* ---- sealing ---- */

static fm_status lock_new(json_t **lock, struct vault *vault, const struct did_passphrase *pass,
                          struct base_err *err)
{
    struct base_buf bytes = {0};
    struct did_secret *secret = NULL;
    fm_status st = did_secret_generate(&secret, did_suite_usual(), base_random_system(), err);

    if (st == FM_OK)
        st = did_keyfile_seal(&bytes, secret, SHARE_ROLE,
                              base_clock_unix_ms(base_clock_system()) / 1000, pass,
                              &did_kdf_default, base_random_system(), err);
    if (st == FM_OK)
        st = base_json_parse(lock, base_buf_cstr(&bytes), bytes.len, err);
    if (st == FM_OK)
        st = vault_init(vault, did_secret_bytes(secret), err);
    did_secret_free(secret);
    base_buf_release(&bytes);
    return st;
}

static fm_status seal_share(json_t **file, const struct mpc_pai_thr_share *share, const json_t *key,
                            const char *id_hex, const char *member,
                            const struct did_passphrase *pass, struct base_err *err)
{
    struct base_buf plain = {0}, box = {0}, text = {0};
    struct vault vault = {0};
    json_t *lock = NULL;
    fm_status st = lock_new(&lock, &vault, pass, err);

    *file = NULL;
    if (st == FM_OK)
        st = mpc_pai_thr_share_put(&plain, share, err);
    if (st == FM_OK)
        st = vault_seal(&vault, &box, SHARE_ROLE, id_hex, plain.p, plain.len, base_random_system(),
                        err);
    if (st == FM_OK) {
        base_base64url(&text, box.p, box.len);
        *file = json_pack("{s:s,s:s,s:O,s:O,s:s}", "box", base_buf_cstr(&text), "format",
                          SHARE_FORMAT, "key", key, "lock", lock, "member", member);
        if (*file == NULL)
            st = base_err_memory(err, "share");
    }
    vault_release(&vault);
    json_decref(lock);
    base_buf_release_secret(&plain);
    base_buf_release(&box);
    base_buf_release(&text);
    return st;
}

static fm_status open_lock(struct vault *vault, const json_t *lock,
                           const struct did_passphrase *pass, struct base_err *err)
{
    struct base_buf bytes = {0};
    struct did_secret *secret = NULL;
    fm_status st = base_json_canonical(&bytes, lock, err);

    base_buf_put_str(&bytes, "\n");
    if (st == FM_OK)
        st = base_buf_status(&bytes, "share", err);
    if (st == FM_OK)
        st = did_keyfile_open(&secret, NULL, bytes.p, bytes.len, pass, err);
    if (st == FM_OK)
        st = vault_init(vault, did_secret_bytes(secret), err);
    did_secret_free(secret);
    base_buf_release(&bytes);
    return st;
}

/* The share's bytes, as base64url. */
static fm_status open_share(struct base_buf *text, const json_t *file,
                            const struct did_passphrase *pass, struct base_err *err)
{
    static const char *const names[] = {"box", "format", "key", "lock", "member", NULL};
    struct aggregate_key_public key = {0};
    struct base_buf box = {0}, plain = {0};
    struct vault vault = {0};
    const char *format, *boxed;
    json_t *key_json, *lock;
    fm_status st = base_json_only(file, names, err);

    if (st == FM_OK)
        st = base_json_get_str(&format, file, "format", err);
    if (st == FM_OK && strcmp(format, SHARE_FORMAT) != 0)
        st = base_err_set(err, FM_E_UNSUPPORTED, "format '%s' is not " SHARE_FORMAT, format);
    if (st == FM_OK)
        st = base_json_get_object(&key_json, file, "key", err);
    if (st == FM_OK)
        st = base_json_get_object(&lock, file, "lock", err);
    if (st == FM_OK)
        st = base_json_get_str(&boxed, file, "box", err);
    if (st == FM_OK && !base_unbase64url(&box, boxed, strlen(boxed)))
        st = base_err_set(err, FM_E_INPUT, "member 'box' must be base64url");
    if (st == FM_OK)
        st = aggregate_key_open(&key, key_json, err);
    if (st == FM_OK)
        st = open_lock(&vault, lock, pass, err);
    if (st == FM_OK)
        st = vault_open(&vault, &plain, SHARE_ROLE, key.id_hex, box.p, box.len, err);
    if (st == FM_OK)
        base_base64url(text, plain.p, plain.len);
    aggregate_key_close(&key);
    vault_release(&vault);
    base_buf_release(&box);
    base_buf_release_secret(&plain);
    return st;
}

/* ---- waiting for primes ---- */

/* On a terminal, a line that says for how long primes have been sought: nobody knows for how long
 * they will be. */
struct seeking {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done, runs;
    unsigned bits;
};

static void *tell(void *arg)
{
    struct seeking *s = arg;
    int64_t began = base_clock_mono_ms(base_clock_system());
    struct timespec until;

    (void)pthread_mutex_lock(&s->lock);
    while (!s->done) {
        fprintf(stderr, "\r\033[K%6.1f s  seeking two safe primes of %u bits",
                (double)(base_clock_mono_ms(base_clock_system()) - began) / 1e3, s->bits / 2);
        (void)fflush(stderr);
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        (void)pthread_cond_timedwait(&s->ended, &s->lock, &until);
    }
    (void)pthread_mutex_unlock(&s->lock);
    fputs("\r\033[K", stderr);
    return NULL;
}

static void seeking_begin(struct seeking *s, unsigned bits)
{
    *s = (struct seeking){.bits = bits};
    if (!isatty(STDERR_FILENO) || pthread_mutex_init(&s->lock, NULL) != 0)
        return;
    if (pthread_cond_init(&s->ended, NULL) == 0)
        s->runs = pthread_create(&s->thread, NULL, tell, s) == 0;
    if (!s->runs)
        (void)pthread_mutex_destroy(&s->lock);
}

static void seeking_end(struct seeking *s)
{
    if (!s->runs)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->done = true;
    (void)pthread_cond_signal(&s->ended);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->thread, NULL);
    (void)pthread_cond_destroy(&s->ended);
    (void)pthread_mutex_destroy(&s->lock);
}

/* ---- key deal ---- */

struct dealing {
    const struct cli_args *args;
    const char *out;
    const char *members[AGGREGATE_KEY_PARTIES];
    unsigned count;
    struct did_passphrase *pass; /* of the dealer's key */
    bool one_for_all;            /* it is that of the shares too */
    struct mpc_pai_thr *key;
    struct mpc_pai_thr_share *shares[AGGREGATE_KEY_PARTIES];
    json_t *json;
    struct aggregate_key_public opened;
};

static fm_status take_members(struct dealing *d, struct base_err *err)
{
    const char *member;

    while ((member = cli_value_at(d->args, "member", d->count)) != NULL) {
        if (d->count == AGGREGATE_KEY_PARTIES)
            return base_err_set(err, FM_E_LIMIT, "a key has at most %d members",
                                AGGREGATE_KEY_PARTIES);
        for (unsigned i = 0; i < d->count; i++)
            if (strcmp(d->members[i], member) == 0)
                return base_err_set(err, FM_E_ARG, "--member %s is given twice", member);
        d->members[d->count++] = member;
    }
    return FM_OK;
}

/* With a file descriptor or at a terminal each member has a passphrase of its own; in the
 * environment there is one. */
static fm_status write_share(const struct dealing *d, unsigned i, struct did_passphrase **pass,
                             struct base_err *err)
{
    char path[HOME_PATH];
    json_t *file = NULL;
    fm_status st = FM_OK;

    if (!d->one_for_all) {
        did_passphrase_free(*pass);
        *pass = NULL;
        if (cli_value(d->args, "passphrase-fd") == NULL)
            fprintf(stderr, "share of %s:\n", d->members[i]);
        st = cli_passphrase(pass, d->args, CLI_PASSPHRASE_NEW, err);
    }
    if (st == FM_OK)
        st = seal_share(&file, d->shares[i], d->json, d->opened.id_hex, d->members[i],
                        d->one_for_all ? d->pass : *pass, err);
    if (st == FM_OK &&
        snprintf(path, sizeof path, "%s/%s.share", d->out, d->members[i]) >= (int)sizeof path)
        st = base_err_set(err, FM_E_LIMIT, "--out: too long");
    if (st == FM_OK)
        st = cli_write_json(path, file, 0600, err);
    if (st == FM_OK)
        printf("%s: %s's share, sealed\n", path, d->members[i]);
    json_decref(file);
    return st;
}

static fm_status write_key(const struct dealing *d, struct base_err *err)
{
    char path[HOME_PATH];
    fm_status st;

    if (snprintf(path, sizeof path, "%s/key.json", d->out) >= (int)sizeof path)
        return base_err_set(err, FM_E_LIMIT, "--out: too long");
    st = cli_write_json(path, d->json, 0644, err);
    if (st == FM_OK)
        printf("%s: the public part of key %.16s, for contract draft --key\n", path,
               d->opened.id_hex);
    return st;
}

static fm_status write_all(struct dealing *d, struct base_err *err)
{
    struct did_passphrase *pass = NULL;
    fm_status st = FM_OK;

    if (mkdir(d->out, 0700) != 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: cannot be made, or is there already", d->out);
    for (unsigned i = 0; st == FM_OK && i < d->count; i++)
        st = write_share(d, i, &pass, err);
    did_passphrase_free(pass);
    return st == FM_OK ? write_key(d, err) : st;
}

/* The key, signed by its dealer. */
static fm_status deal_signed(struct dealing *d, unsigned threshold, unsigned bits,
                             struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT], dealer[CONTRACT_DEALER_TEXT];
    struct did_secret *secret = NULL;
    struct seeking seeking;
    json_t *bare = NULL;
    fm_status st = cli_passphrase(&d->pass, d->args, CLI_PASSPHRASE_OLD, err);

    if (st == FM_OK)
        st = did_keystore_load(&secret, NULL, cli_value(d->args, "key"), d->pass, err);
    if (st == FM_OK)
        st = did_key_method_encode(method, did_secret_key(secret), err);
    if (st == FM_OK)
        st = contract_dealer_name(dealer, cli_value(d->args, "dealer"), secret, err);
    if (st == FM_OK) {
        seeking_begin(&seeking, bits);
        st = mpc_pai_thr_deal(&d->key, d->shares, threshold, d->count, bits, dealer, err);
        seeking_end(&seeking);
    }
    if (st == FM_OK)
        st = aggregate_key_json(&bare, d->key, d->members, err);
    if (st == FM_OK)
        st = contract_dealer_sign(&d->json, bare, secret, method,
                                  base_clock_unix_ms(base_clock_system()) / 1000, err);
    json_decref(bare);
    did_secret_free(secret);
    return st;
}

static fm_status deal(const struct cli_args *args, struct base_err *err)
{
    struct dealing d = {.args = args,
                        .out = cli_value(args, "out"),
                        .one_for_all = cli_value(args, "passphrase-fd") == NULL &&
                                       getenv("FIRMIANA_PASSPHRASE") != NULL};
    int64_t threshold = 2, bits = 2048;
    fm_status st = take_members(&d, err);

    if (st == FM_OK)
        st = cli_int(&threshold, args, "threshold", 1, AGGREGATE_KEY_PARTIES, err);
    if (st == FM_OK)
        st = cli_int(&bits, args, "bits", 2048, 4096, err);
    if (st == FM_OK && threshold > d.count)
        st = base_err_set(err, FM_E_ARG, "--threshold %lld: only %u members hold shares",
                          (long long)threshold, d.count);
    if (st == FM_OK)
        st = deal_signed(&d, (unsigned)threshold, (unsigned)bits, err);
    if (st == FM_OK)
        st = aggregate_key_open(&d.opened, d.json, err);
    if (st == FM_OK)
        st = write_all(&d, err);
    aggregate_key_close(&d.opened);
    for (unsigned i = 0; i < AGGREGATE_KEY_PARTIES; i++)
        mpc_pai_thr_share_free(d.shares[i]);
    mpc_pai_thr_free(d.key);
    did_passphrase_free(d.pass);
    json_decref(d.json);
    return st;
}

static const struct cli_option deal_options[] = {
    {"member", "ALIAS", "who gets a share", CLI_REQUIRED | CLI_REPEATED},
    {"threshold", "T", "how many shares decrypt (default 2)", CLI_OPTIONAL},
    {"dealer", "NAME", "who deals, and is trusted to forget: stands in the key", CLI_REQUIRED},
    {"key", "FILE", "the dealer's own, of credential key: signs, and its did:key stands in the key",
     CLI_REQUIRED},
    {"bits", "N", "of the modulus: 2048, 3072 or 4096 (default 2048)", CLI_OPTIONAL},
    {"out", "DIR", "a new folder for key.json and the sealed shares", CLI_REQUIRED},
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_key_deal = {
    "key deal",
    "",
    0,
    0,
    "make a threshold key for protocol aggregate, and a sealed share for each member",
    "The dealer knows the whole key while this runs, and is trusted to forget it: delete the "
    "shares "
    "once they are imported.\n"
    "Each share is sealed under a passphrase of its own, asked for one after the other, or a line "
    "each from --passphrase-fd,\n"
    "after that of the dealer's key (with $FIRMIANA_PASSPHRASE all have that one). Nodes take no "
    "share of a key that its dealer did not sign.\n"
    "Example: firmiana key deal --member bank_a --member bank_b --member bank_c --threshold 2 "
    "--dealer regulator --key notary.key --out key",
    deal_options,
    deal};

/* ---- key import, key list ---- */

static fm_status import(const struct cli_args *args, struct base_err *err)
{
    const char *path = args->operands[0];
    struct did_passphrase *pass = NULL;
    struct base_buf share = {0};
    json_t *file = NULL, *value = NULL;
    fm_status st = base_json_load_file(&file, path, SHARE_FILE_MAX, err);

    if (st == FM_OK)
        st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);
    if (st == FM_OK && open_share(&share, file, pass, err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        st = cli_call(&value, args, "key.import",
                      json_pack("{s:O,s:s}", "key", json_object_get(file, "key"), "share",
                                base_buf_cstr(&share)),
                      err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK)
        printf("share %lld of key %.16s is kept by the node, sealed: %s is not needed any more\n",
               (long long)json_integer_value(json_object_get(value, "party")),
               cli_text(value, "id"), path);
    did_passphrase_free(pass);
    base_buf_release_secret(&share);
    json_decref(file);
    json_decref(value);
    return st;
}

static const struct cli_option import_options[] = {
    CLI_HOME_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_key_import = {
    "key import",
    "FILE",
    1,
    1,
    "give the node its share of a threshold key",
    "The node checks the share against the key and seals it in sessions.db. The passphrase is that "
    "of the file.",
    import_options,
    import};

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    json_t *value = NULL;
    const json_t *item;
    size_t i;
    fm_status st = cli_call(&value, args, "key.list", NULL, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK)
        json_array_foreach(json_object_get(value, "shares"), i, item)
            printf("%s\n", cli_text(item, "id"));
    json_decref(value);
    return st;
}

static const struct cli_option list_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_key_list = {
    "key list", "",           0,   0, "threshold keys of which this node has a share",
    NULL,       list_options, list};
