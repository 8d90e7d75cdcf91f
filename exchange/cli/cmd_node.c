/* firmiana node: runs a member's node. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "did/keystore.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"
#include "exchange/node/notify.h"
#include "exchange/node/serve.h"

enum { GENESIS_MAX = 16 << 20 };

static fm_status load_key(struct did_secret **out, const struct home *h, const char *name,
                          const struct did_passphrase *pass, struct base_err *err)
{
    char path[HOME_PATH];

    if (home_path(path, h->dir, name, err) != FM_OK)
        return err->code;
    if (did_keystore_load(out, NULL, path, pass, err) != FM_OK)
        return err->code;
    /* Channels and seals are derived from the bytes, and a node signs at every block. */
    if (did_secret_bytes(*out) == NULL)
        return base_err_set(
            err, FM_E_UNSUPPORTED,
            "%s: a node's own keys are sealed files; an officer's may be in a token", path);
    return FM_OK;
}

static fm_status load_keys(struct serve_keys *keys, const struct home *h,
                           const struct cli_args *args, struct base_err *err)
{
    struct did_passphrase *pass;
    fm_status st = cli_passphrase(&pass, args, CLI_PASSPHRASE_OLD, err);

    if (st == FM_OK)
        st = load_key(&keys->authentication, h, "keys/authentication.json", pass, err);
    if (st == FM_OK)
        st = load_key(&keys->assertion, h, "keys/assertion.json", pass, err);
    if (st == FM_OK)
        st = load_key(&keys->salts, h, "keys/salts.json", pass, err);
    did_passphrase_free(pass);
    return st;
}

static fm_status load_genesis(struct base_buf *out, const struct home *h, struct base_err *err)
{
    char path[HOME_PATH];

    if (home_path(path, h->dir, "genesis.json", err) != FM_OK)
        return err->code;
    return access(path, F_OK) == 0 ? base_file_read_filled(out, path, GENESIS_MAX, err) : FM_OK;
}

static void say_ready(void *ctx)
{
    const struct home *h = ctx;

    printf("%s: node of %s is ready on %s\n", h->dir, h->alias, h->listen);
    (void)fflush(stdout);
    notify_send("READY=1\nSTATUS=taking requests");
}

static fm_status run_node(const struct cli_args *args, struct base_err *err)
{
    struct base_buf genesis = {0};
    struct serve_keys keys = {0};
    struct home h;
    const char *dir;
    fm_status st = cli_home(&dir, args, err);

    if (st == FM_OK)
        st = home_load(&h, dir, err);
    if (st == FM_OK)
        st = load_keys(&keys, &h, args, err);
    if (st == FM_OK)
        st = load_genesis(&genesis, &h, err);
    if (st == FM_OK)
        st = serve_node(&h, &keys, genesis.p, genesis.len, say_ready, &h, err);
    did_secret_free(keys.authentication);
    did_secret_free(keys.assertion);
    did_secret_free(keys.salts);
    base_buf_release(&genesis);
    return st;
}

static const struct cli_option node_options[] = {CLI_HOME_OPTION, CLI_PASSPHRASE_OPTION, {0}};

const struct cli_command cli_node = {
    "node",
    "",
    0,
    0,
    "run the member's node (SIGTERM ends it: running queries are ended by name first)",
    "Reads HOME/node.json, keys and genesis.json; keeps HOME/ledger.db and sessions.db; logs JSON "
    "lines.",
    node_options,
    run_node};
