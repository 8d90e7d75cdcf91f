/* firmiana init, firmiana ledger init: a member's home, and the genesis of a consortium. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "did/document.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/identity.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/officers.h"
#include "exchange/cli/profile.h"
#include "exchange/comet/member.h"
#include "ledger/store/chain.h"

static fm_status fill_home(struct home *h, const struct cli_args *args, struct base_err *err)
{
    const char *dir, *alias = cli_value(args, "alias"), *listen = cli_value(args, "listen");
    const char *endpoint = cli_value(args, "endpoint");

    *h = (struct home){0};
    if (cli_home(&dir, args, err) != FM_OK)
        return err->code;
    if (!did_alias_is_valid(alias))
        return base_err_set(err, FM_E_ARG, "--alias %s: an alias is [a-z][a-z0-9_]*, at most %d",
                            alias, HOME_ALIAS - 1);
    if (!home_is_address(listen))
        return base_err_set(err, FM_E_ARG, "--listen %s: must look like tcp://HOST:PORT", listen);
    if (endpoint != NULL && !home_is_address(endpoint))
        return base_err_set(err, FM_E_ARG, "--endpoint %s: must look like tcp://HOST:PORT",
                            endpoint);
    if (strlen(dir) >= sizeof h->dir)
        return base_err_set(err, FM_E_ARG, "--home: path too long");
    (void)snprintf(h->dir, sizeof h->dir, "%s", dir);
    (void)snprintf(h->alias, sizeof h->alias, "%s", alias);
    (void)snprintf(h->listen, sizeof h->listen, "%s", listen);
    return FM_OK;
}

/* --engine: who orders the ledger. */
static fm_status engine_of(bool *comet, const struct cli_args *args, struct base_err *err)
{
    const char *engine = cli_value(args, "engine");

    *comet = engine != NULL && strcmp(engine, "cometbft") == 0;
    if (*comet)
        return cli_profile_allows_comet(err);
    if (engine == NULL || strcmp(engine, "embedded") == 0)
        return FM_OK;
    return base_err_set(err, FM_E_ARG, "--engine %s: embedded or cometbft", engine);
}

/* Keys for its CometBFT, if it is to have one; released by the caller in any case. */
static fm_status new_comet(struct comet_keys *keys, struct home *h, const struct cli_args *args,
                           struct base_err *err)
{
    const char *listen = cli_value(args, "consensus");
    const char *endpoint = cli_value(args, "consensus-endpoint");
    bool comet;
    fm_status st = engine_of(&comet, args, err);

    if (st != FM_OK)
        return st;
    if (!comet)
        return listen == NULL && endpoint == NULL
                   ? FM_OK
                   : base_err_set(err, FM_E_ARG, "--consensus goes with --engine cometbft");
    endpoint = endpoint != NULL ? endpoint : listen;
    if (listen == NULL || !home_is_address(listen) || !home_is_address(endpoint))
        return base_err_set(err, FM_E_ARG,
                            "--engine cometbft needs --consensus tcp://HOST:PORT, where its "
                            "CometBFT listens");
    (void)snprintf(h->consensus, sizeof h->consensus, "%s", listen);
    return comet_keys_new(keys, endpoint, err);
}

/* --officer given: people who hold their own keys. Else one officer's key is made. */
static fm_status new_identity(struct identity *id, const struct home *h, const char *endpoint,
                              json_t *services, const struct cli_args *args, struct base_err *err)
{
    struct did_key officers[DID_KEYS_MAX];
    int64_t threshold = 1;
    const char *name;
    size_t n = 0;
    fm_status st = cli_int(&threshold, args, "threshold", 1, DID_KEYS_MAX, err);

    for (; st == FM_OK && (name = cli_value_at(args, "officer", n)) != NULL; n++)
        st = n < DID_KEYS_MAX - 2
                 ? officers_key(&officers[n], name, err)
                 : base_err_set(err, FM_E_LIMIT, "at most %d officers", DID_KEYS_MAX - 2);
    if (st == FM_OK && threshold > (int64_t)(n > 0 ? n : 1))
        st = base_err_set(err, FM_E_ARG, "--threshold %lld, and there %s %zu --officer",
                          (long long)threshold, n == 1 ? "is" : "are", n);
    if (st != FM_OK)
        return st;
    return n > 0 ? identity_new_for(id, h->alias, endpoint, officers, n, (size_t)threshold,
                                    services, err)
                 : identity_new(id, h->alias, endpoint, services, err);
}

static fm_status init(const struct cli_args *args, struct base_err *err)
{
    const char *endpoint = cli_value(args, "endpoint");
    struct did_passphrase *pass = NULL;
    struct comet_keys comet = {0};
    struct identity id = {0};
    struct home h;
    char path[HOME_PATH];
    fm_status st = fill_home(&h, args, err);

    if (st == FM_OK)
        st = new_comet(&comet, &h, args, err);
    if (st == FM_OK)
        st = new_identity(&id, &h, endpoint != NULL ? endpoint : h.listen, comet.services, args,
                          err);
    if (st == FM_OK)
        st = cli_passphrase(&pass, args, CLI_PASSPHRASE_NEW, err);
    if (st == FM_OK)
        st = home_create(&h, err);
    if (st == FM_OK)
        st = identity_save(&id, h.dir, pass, err);
    if (st == FM_OK && comet.validator != NULL)
        st = comet_keys_save(&comet, h.dir, err);
    if (st == FM_OK)
        st = home_path(path, h.dir, "member.json", err);
    if (st == FM_OK)
        st = cli_write_json(path, id.member, 0644, err);
    if (st == FM_OK)
        printf(
            "%s: home of %s\n  keys/authentication.json, assertion.json, salts.json   the node's\n"
            "  keys/%srecovery.json                        %smove to people, "
            "offline\n"
            "  member.json                                             give it to who makes the "
            "genesis\n",
            h.dir, h.alias, id.keys.officer != NULL ? "officer.json, " : "",
            id.keys.officer != NULL ? "" : "              ");
    identity_release(&id);
    comet_keys_release(&comet);
    did_passphrase_free(pass);
    return st;
}

static const struct cli_option init_options[] = {
    CLI_HOME_OPTION,
    {"alias", "NAME", "the member's name on the ledger and in SQL: [a-z][a-z0-9_]*", CLI_REQUIRED},
    {"listen", "ADDRESS", "where the node listens: tcp://HOST:PORT", CLI_REQUIRED},
    {"endpoint", "ADDRESS", "where others reach it, if that is another address", CLI_OPTIONAL},
    {"engine", "NAME",
     "who orders the ledger: embedded (default; one member sequences), or cometbft (all do)",
     CLI_OPTIONAL},
    {"consensus", "ADDRESS", "with cometbft: where it listens for the others: tcp://HOST:PORT",
     CLI_OPTIONAL},
    {"consensus-endpoint", "ADDRESS", "... and where they reach it, if that is another address",
     CLI_OPTIONAL},
    CLI_PROFILE_OPTION,
    {"officer", "KEY",
     "an officer who holds the own key: its public key or key file, from firmiana officer create "
     "(default: one is made here)",
     CLI_REPEATED},
    {"threshold", "K", "how many officers must sign together (default 1)", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_init = {
    "init",
    "",
    0,
    0,
    "make a member's home: keys, DID document, node.json",
    "Writes sealed keys: the node's, and for people the recovery key and, unless "
    "--officer says who they are,\nthe officer's: take these off "
    "this machine.",
    init_options,
    init};

static fm_status load_members(json_t **out, const struct cli_args *args, struct base_err *err)
{
    const char *path;

    *out = json_array();
    for (size_t i = 0; (path = cli_value_at(args, "member", i)) != NULL; i++) {
        json_t *member;
        if (base_json_load_file(&member, path, 1 << 20, err) != FM_OK)
            return err->code;
        if (json_array_append_new(*out, member) != 0)
            return base_err_memory(err, path);
        if (!json_is_string(json_object_get(member, "alias")))
            return base_err_set(err, FM_E_INPUT,
                                "%s: no member 'alias': is it a member.json of firmiana init?",
                                path);
    }
    return FM_OK;
}

/* The ledger itself says whether it would begin with this: a trial run in a temporary file. */
static fm_status check_genesis(const struct base_buf *genesis, struct base_err *err)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    struct ledger_chain *chain;
    char folder[] = "/tmp/firmiana-genesis.XXXXXX", path[64], with_ending[80];
    fm_status st;

    if (mkdtemp(folder) == NULL)
        return base_err_errno(err, folder);
    (void)snprintf(path, sizeof path, "%s/ledger.db", folder);
    st = ledger_chain_create(&chain, path, genesis->p, genesis->len, err);
    if (st == FM_OK)
        ledger_chain_close(chain);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(with_ending, sizeof with_ending, "%s%s", path, endings[i]);
        (void)remove(with_ending);
    }
    (void)rmdir(folder);
    return st;
}

/* What the members are prepared for is what is asked; the genesis must have a sequencer in any
 * case. */
static fm_status check_engine(const char **sequencer, bool *comet, json_t *members,
                              const struct cli_args *args, struct base_err *err)
{
    json_t *view = json_pack("{s:O}", "members", members);
    bool prepared = false;
    fm_status st = engine_of(comet, args, err);

    *sequencer = cli_value(args, "sequencer");
    if (st == FM_OK && view == NULL)
        st = base_err_memory(err, "genesis");
    if (st == FM_OK)
        st = comet_genesis_asks(&prepared, view, err);
    json_decref(view);
    if (st != FM_OK)
        return st;
    if (*comet != prepared)
        return base_err_set(err, FM_E_ARG,
                            prepared
                                ? "the members are prepared for CometBFT: say --engine cometbft"
                                : "--engine cometbft: the members are not prepared for it: "
                                  "firmiana init --engine cometbft makes its keys");
    if (*comet && *sequencer == NULL)
        *sequencer = json_string_value(json_object_get(json_array_get(members, 0), "alias"));
    if (*sequencer == NULL)
        return base_err_set(err, FM_E_ARG, "--sequencer ALIAS: who orders transactions?");
    return FM_OK;
}

static void say_genesis(const char *out, const struct base_buf *genesis, size_t members,
                        int64_t quorum, const char *sequencer)
{
    uint8_t chain[32];
    char chain_hex[65];

    base_hash(chain, genesis->p, genesis->len); /* under the profile that it names */
    base_hex(chain_hex, chain, 32);
    if (sequencer != NULL && 2 * quorum <= (int64_t)members + 1)
        fprintf(stderr,
                "note: with %lld of %zu cosigners a dishonest sequencer could make two histories "
                "final\n",
                (long long)quorum, members);
    if (sequencer == NULL && members < 4)
        fprintf(stderr,
                "note: with %zu validators CometBFT stops when one is down; four bear one that "
                "fails or lies\n",
                members);
    printf("%s: chain %s\n  %zu members, %lld must cosign, %s %s, profile %s; copy it into each "
           "home as genesis.json\n",
           out, chain_hex, members, (long long)quorum, sequencer != NULL ? sequencer : "all",
           sequencer != NULL ? "sequences" : "validate",
           base_profile_is_national() ? "national" : "international");
}

static fm_status ledger_init(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out"), *name = cli_value(args, "name"), *sequencer = NULL;
    int64_t quorum = 0, now = base_clock_unix_ms(base_clock_system());
    struct base_buf genesis = {0};
    json_t *members = NULL;
    bool comet = false;
    fm_status st = load_members(&members, args, err);

    /* 2 quorum > members + 1: then even a sequencer that shows two histories cannot make both final
     * (engine.h). */
    quorum = ((int64_t)json_array_size(members) + 1) / 2 + 1;
    if (quorum > (int64_t)json_array_size(members))
        quorum = (int64_t)json_array_size(members);
    if (st == FM_OK)
        st = check_engine(&sequencer, &comet, members, args, err);
    if (st == FM_OK)
        st = cli_int(&quorum, args, "quorum", 1, 64, err);
    if (st == FM_OK)
        st = identity_genesis(&genesis, name, members, quorum, sequencer, IDENTITY_REAL, now, err);
    if (st == FM_OK)
        st = check_genesis(&genesis, err);
    if (st == FM_OK && access(out, F_OK) == 0)
        st =
            base_err_set(err, FM_E_CONFLICT,
                         "%s: it exists already: a second genesis is another ledger; remove it, or "
                         "choose another name",
                         out);
    if (st == FM_OK)
        st = base_file_write(out, genesis.p, genesis.len, 0644, err);
    if (st == FM_OK)
        say_genesis(out, &genesis, json_array_size(members), quorum, comet ? NULL : sequencer);
    base_buf_release(&genesis);
    json_decref(members);
    return st;
}

static const struct cli_option ledger_init_options[] = {
    {"name", "TEXT", "the consortium's name", CLI_REQUIRED},
    {"member", "FILE", "a member.json, from firmiana init", CLI_REQUIRED | CLI_REPEATED},
    {"quorum", "N",
     "how many members must cosign (default: the least that a lying sequencer cannot fool)",
     CLI_OPTIONAL},
    {"engine", "NAME",
     "who orders transactions: embedded (default; the sequencer) or cometbft (all members' nodes, "
     "prepared by firmiana init --engine cometbft)",
     CLI_OPTIONAL},
    {"sequencer", "ALIAS", "the member whose node orders transactions; not with cometbft",
     CLI_OPTIONAL},
    CLI_PROFILE_OPTION,
    {"out", "FILE", "genesis.json", CLI_REQUIRED},
    {0}};

const struct cli_command cli_ledger_init = {
    "ledger init",
    "",
    0,
    0,
    "make the genesis of a consortium's ledger",
    "With cometbft, everything that its network needs (validators, peers, limits, times) follows "
    "from the\nmembers' documents in the genesis: each node writes its CometBFT's files from it.",
    ledger_init_options,
    ledger_init};
