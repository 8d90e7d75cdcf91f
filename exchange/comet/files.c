#include "exchange/comet/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "ledger/abci/app.h"
#include "ledger/abci/validators.h"

void comet_abci_path(struct base_buf *out, const char *home)
{
    base_buf_putf(out, "%s/cometbft/abci.sock", home);
}

void comet_rpc_path(struct base_buf *out, const char *home)
{
    base_buf_putf(out, "%s/cometbft/rpc.sock", home);
}

/* ---- genesis ---- */

/* Block 1 has CometBFT's genesis time, and must be later than block 0, which has ours. */
static void put_time(struct base_buf *out, int64_t ms)
{
    time_t s = (time_t)(ms / 1000);
    struct tm t;
    char text[32] = "";

    if (gmtime_r(&s, &t) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    base_buf_putf(out, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}

static fm_status put_validators(struct base_buf *out, const json_t *genesis, struct base_err *err)
{
    json_t *members = json_object_get(genesis, "members"), *item;
    size_t i;

    json_array_foreach(members, i, item)
    {
        struct comet_member member;
        bool found;
        fm_status st = comet_member_read(&member, &found, json_object_get(item, "document"), err);
        if (st != FM_OK)
            return st;
        base_buf_putf(out,
                      "%s\n    {\"pub_key\":{\"type\":\"tendermint/PubKeyEd25519\",\"value\":\"",
                      i == 0 ? "" : ",");
        comet_base64(out, member.validator, sizeof member.validator);
        base_buf_putf(out, "\"},\"power\":\"%d\",\"name\":\"%s\"}", LEDGER_VALIDATOR_POWER,
                      json_string_value(json_object_get(item, "alias")));
    }
    return FM_OK;
}

fm_status comet_genesis_write(struct base_buf *out, const json_t *genesis,
                              const uint8_t chain32[32], struct base_err *err)
{
    const json_t *limits = json_object_get(genesis, "limits");
    char chain[LEDGER_ABCI_CHAIN_TEXT], hex[65];
    fm_status st;

    ledger_abci_chain_text(chain, chain32);
    base_hex(hex, chain32, 32);
    base_buf_put_str(out, "{\n  \"genesis_time\":");
    put_time(out, json_integer_value(json_object_get(genesis, "time")) + 1);
    base_buf_putf(
        out,
        ",\n  \"chain_id\":\"%s\",\n  \"initial_height\":\"1\",\n  \"consensus_params\":{\n"
        "    \"block\":{\"max_bytes\":\"%lld\",\"max_gas\":\"-1\"},\n"
        "    \"evidence\":{\"max_age_num_blocks\":\"100000\","
        "\"max_age_duration\":\"172800000000000\",\"max_bytes\":\"65536\"},\n"
        "    \"validator\":{\"pub_key_types\":[\"ed25519\"]},\n"
        "    \"version\":{\"app\":\"0\"},\n"
        "    \"abci\":{\"vote_extensions_enable_height\":\"0\"}\n  },\n"
        "  \"validators\":[",
        chain, (long long)ledger_abci_room(limits));
    st = put_validators(out, genesis, err);
    base_buf_putf(out, "\n  ],\n  \"app_hash\":\"\",\n  \"app_state\":{\"chain\":\"%s\"}\n}\n",
                  hex);
    return st == FM_OK ? base_buf_status(out, "genesis", err) : st;
}

/* ---- members ---- */

/* What a walk over the members looks for. */
struct census {
    struct ledger_reader *reader;
    struct base_buf peers; /* of all but `self` */
    const char *self;
    const char *wanted; /* an id */
    bool is_member;
};

/* That one member's document is wrong is no reason to hear none of the others: it names no node. */
static fm_status read_if_right(struct comet_member *out, bool *found, const json_t *document,
                               struct base_err *err)
{
    fm_status st = comet_member_read(out, found, document, err);

    if (st == FM_OK || st == FM_E_MEMORY)
        return st;
    *found = false;
    *err = (struct base_err){0};
    return FM_OK;
}

static fm_status take_member(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct census *c = ctx;
    const char *alias = key + strlen("member/");
    struct comet_member m;
    const char *status;
    json_t *full = NULL;
    bool found = false;
    fm_status st = base_json_get_str(&status, value, "status", err);

    if (st == FM_OK)
        st = ledger_reader_member(c->reader, &full, alias, err);
    if (st == FM_OK)
        st = read_if_right(&m, &found, json_object_get(full, "document"), err);
    json_decref(full);
    if (st != FM_OK || !found || strcmp(status, "active") != 0)
        return st;
    if (c->wanted != NULL && strcmp(c->wanted, m.id) == 0)
        c->is_member = true;
    if (c->self == NULL || strcmp(c->self, alias) != 0)
        base_buf_putf(&c->peers, "%s%s@%s", c->peers.len > 0 ? "," : "", m.id, m.address);
    return FM_OK;
}

fm_status comet_is_member(bool *out, struct ledger_reader *reader, const char *id,
                          struct base_err *err)
{
    struct census c = {.reader = reader, .wanted = id};
    fm_status st = ledger_reader_list(reader, "member/", take_member, &c, err);

    *out = c.is_member;
    base_buf_release(&c.peers);
    return st;
}

/* ---- config.toml ---- */

static void put_sync(struct base_buf *out, const struct comet_settings *s)
{
    if (s->sync_from == NULL) {
        base_buf_put_str(out, "[statesync]\nenable = false\n");
        return;
    }
    base_buf_putf(out,
                  "[statesync]\nenable = true\nrpc_servers = \"%s\"\ntrust_height = %lld\n"
                  "trust_hash = \"%s\"\ntrust_period = \"168h0m0s\"\ndiscovery_time = \"5s\"\n",
                  s->sync_from, (long long)s->sync_height, s->sync_hash);
}

/* Timeouts for a consortium of some tens of members; empty blocks every ten seconds. A block's
 * time is that of the votes on the block before: what is sent after an idle while first meets an
 * empty block, whose votes have a fresh time (ledger/engine/external.h, X4), and stands in the
 * next. */
fm_status comet_config_write(struct base_buf *out, const struct comet_settings *s,
                             const char *peers, struct base_err *err)
{
    base_buf_putf(out,
                  "# Written by firmiana node at each start, from node.json and the ledger.\n"
                  "proxy_app = \"unix://%s/cometbft/abci.sock\"\nmoniker = \"%s\"\n"
                  "abci = \"socket\"\ndb_backend = \"goleveldb\"\nlog_level = \"error\"\n"
                  "log_format = \"json\"\nfilter_peers = true\n",
                  s->home, s->alias);
    if (s->rpc[0] != '\0')
        base_buf_putf(out, "[rpc]\nladdr = \"tcp://%s\"\n", s->rpc);
    else
        base_buf_putf(out, "[rpc]\nladdr = \"unix://%s/cometbft/rpc.sock\"\n", s->home);
    base_buf_putf(out,
                  "[p2p]\nladdr = \"%s\"\npersistent_peers = \"%s\"\npex = false\n"
                  "addr_book_strict = false\nallow_duplicate_ip = true\n"
                  "flush_throttle_timeout = \"10ms\"\nmax_num_inbound_peers = 128\n"
                  "max_num_outbound_peers = 128\nsend_rate = 51200000\nrecv_rate = 51200000\n"
                  "persistent_peers_max_dial_period = \"5s\"\n",
                  s->listen, peers);
    base_buf_put_str(out, "[mempool]\nsize = 20000\ncache_size = 100000\nmax_tx_bytes = 1048576\n"
                          "max_txs_bytes = 268435456\n");
    put_sync(out, s);
    base_buf_putf(out,
                  "[consensus]\ntimeout_propose = \"1s\"\ntimeout_propose_delta = \"500ms\"\n"
                  "timeout_prevote = \"500ms\"\ntimeout_prevote_delta = \"500ms\"\n"
                  "timeout_precommit = \"500ms\"\ntimeout_precommit_delta = \"500ms\"\n"
                  "timeout_commit = \"%lldms\"\nskip_timeout_commit = false\n"
                  "create_empty_blocks = true\ncreate_empty_blocks_interval = \"10s\"\n"
                  "peer_gossip_sleep_duration = \"5ms\"\n[tx_index]\nindexer = \"null\"\n",
                  (long long)s->commit_ms);
    return base_buf_status(out, "config.toml", err);
}

/* ---- all of it ---- */

static fm_status put_file(const char *home, const char *name, struct base_buf *content,
                          struct base_err *err)
{
    struct base_buf path = {0};
    fm_status st = base_buf_status(content, name, err);

    base_buf_putf(&path, "%s/cometbft/%s", home, name);
    if (st == FM_OK)
        st = base_buf_status(&path, "path", err);
    if (st == FM_OK)
        st = base_file_write(base_buf_cstr(&path), content->p, content->len, 0600, err);
    base_buf_release(&path);
    return st;
}

static bool is_there(const char *home, const char *name)
{
    struct base_buf path = {0};
    bool there;

    base_buf_putf(&path, "%s/cometbft/%s", home, name);
    there = access(base_buf_cstr(&path), F_OK) == 0;
    base_buf_release(&path);
    return there;
}

/* CometBFT would stop at this anyway, and say less. */
static fm_status check_together(const struct comet_settings *s, struct ledger_chain *chain,
                                struct base_err *err)
{
    uint64_t height = ledger_chain_head(chain)->height;

    if (height == 0 || is_there(s->home, "data/blockstore.db"))
        return FM_OK;
    return base_err_set(err, FM_E_CONFLICT,
                        "%s/ledger.db is at block %llu, but cometbft/data beside it is gone: they "
                        "go together; remove ledger.db, and the node fetches all from the others",
                        s->home, (unsigned long long)height);
}

static fm_status write_all(const struct comet_settings *s, struct ledger_chain *chain,
                           const char *peers, struct base_err *err)
{
    struct base_buf text = {0}, genesis = {0};
    json_t *json = NULL;
    fm_status st = comet_config_write(&text, s, peers, err);

    if (st == FM_OK)
        st = put_file(s->home, "config/config.toml", &text, err);
    base_buf_clear(&text);
    if (st == FM_OK)
        st = ledger_reader_genesis(ledger_chain_reader(chain), &genesis, err);
    if (st == FM_OK)
        st = base_json_parse(&json, (const char *)genesis.p, genesis.len, err);
    if (st == FM_OK)
        st = comet_genesis_write(&text, json, ledger_chain_id(chain), err);
    if (st == FM_OK)
        st = put_file(s->home, "config/genesis.json", &text, err);
    base_buf_clear(&text);
    base_buf_put_str(&text, "{\"height\":\"0\",\"round\":0,\"step\":0}\n");
    if (st == FM_OK && !is_there(s->home, "data/priv_validator_state.json"))
        st = put_file(s->home, "data/priv_validator_state.json", &text, err);
    json_decref(json);
    base_buf_release(&text);
    base_buf_release(&genesis);
    return st;
}

fm_status comet_files_write(const struct comet_settings *s, struct ledger_chain *chain,
                            struct base_err *err)
{
    struct census c = {.reader = ledger_chain_reader(chain), .self = s->alias};
    struct base_buf data = {0};
    fm_status st = ledger_reader_list(c.reader, "member/", take_member, &c, err);

    if (st == FM_OK)
        st = check_together(s, chain, err);
    base_buf_putf(&data, "%s/cometbft/data", s->home);
    if (st == FM_OK && mkdir(base_buf_cstr(&data), 0700) != 0 && errno != EEXIST)
        st = base_err_errno(err, base_buf_cstr(&data));
    if (st == FM_OK)
        st = write_all(s, chain, base_buf_cstr(&c.peers), err);
    base_buf_release(&data);
    base_buf_release(&c.peers);
    return st;
}
