/* firmiana ledger publish, ledger witness: the log as static files for outsiders, and cosignatures
 * of those who are no members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "did/document.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"
#include "ledger/transparency/published.h"

enum { KEYS_MAX = 1 << 18 };

/* ---- publishing ---- */

fm_status ledger_cli_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                          struct base_err *err)
{
    return ledger_reader_node(ctx, out32, level, index, err);
}

fm_status ledger_cli_entry(void *ctx, uint8_t out32[32], uint64_t leaf, struct base_err *err)
{
    return ledger_reader_payload_hash(ctx, out32, leaf, err);
}

struct keys {
    struct ledger_reader *reader;
    struct base_buf text;
};

/* The cosigning keys of an active member. */
static fm_status add_keys(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct keys *k = ctx;
    struct did_document *doc = NULL;
    const struct did_method *method;
    json_t *member = NULL;
    size_t n = 0;
    fm_status st;

    if (strcmp(cli_text(value, "status"), "active") != 0)
        return FM_OK;
    st = ledger_reader_member(k->reader, &member, key + strlen("member/"), err);
    if (st == FM_OK)
        st = did_document_parse(&doc, json_object_get(member, "document"), DID_RULES_VERSION, err);
    method = st == FM_OK ? did_document_methods(doc, &n) : NULL;
    for (size_t i = 0; st == FM_OK && i < n; i++)
        if ((method[i].roles & DID_ROLE_ASSERTION) != 0 &&
            method[i].key.suite == did_suite_usual()) {
            st = ledger_vkey_put(&k->text, did_document_id(doc), &method[i].key, err);
            break; /* one line a name */
        }
    did_document_free(doc);
    json_decref(member);
    return st;
}

static fm_status publish_from(struct ledger_reader *reader, const char *dir,
                              struct ledger_tile_report *report, struct base_err *err)
{
    const struct ledger_tile_log log = {{ledger_cli_node, reader}, ledger_cli_entry, reader};
    struct ledger_checkpoint *checkpoint = malloc(sizeof *checkpoint);
    struct keys keys = {reader, {0}};
    struct base_buf text = {0};
    uint64_t size, height;
    fm_status st = checkpoint != NULL ? ledger_reader_final(reader, &size, &height, &text, err)
                                      : base_err_memory(err, "checkpoint");

    if (st == FM_OK)
        st = ledger_checkpoint_parse(checkpoint, (const char *)text.p, text.len, err);
    if (st == FM_OK)
        st = ledger_reader_list(reader, "member/", add_keys, &keys, err);
    if (st == FM_OK)
        st = ledger_tiles_publish(dir, &log, checkpoint, base_buf_cstr(&keys.text), report, err);
    base_buf_release(&keys.text);
    base_buf_release(&text);
    free(checkpoint);
    return st;
}

static fm_status load_keys(struct ledger_vkey **out, size_t *n, const char *path,
                           struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = base_file_read(&text, path, KEYS_MAX, err);

    *n = 0;
    *out = calloc(LEDGER_COSIGNERS_MAX, sizeof **out);
    if (st == FM_OK && *out == NULL)
        st = base_err_memory(err, "keys");
    if (st == FM_OK) {
        st = ledger_vkeys_parse(*out, LEDGER_COSIGNERS_MAX, n, (const char *)text.p, text.len, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", path);
    }
    base_buf_release(&text);
    return st;
}

/* A witness's cosignature, which came as a file, into what is published. */
static fm_status add_cosignature(const struct cli_args *args, struct base_err *err)
{
    const char *dir = args->operands[0], *key = cli_value(args, "witness");
    struct ledger_checkpoint *done = malloc(sizeof *done);
    struct ledger_vkey *keys = NULL;
    char line[2 * HOME_PATH];
    size_t n = 0;
    fm_status st = done != NULL ? FM_OK : base_err_memory(err, "checkpoint");

    if (st == FM_OK && key == NULL)
        st = base_err_set(err, FM_E_ARG, "--cosignature needs --witness FILE, the witness's key");
    if (st == FM_OK)
        st = load_keys(&keys, &n, key, err);
    if (st == FM_OK && n != 1)
        st = base_err_set(err, FM_E_ARG, "%s: %zu keys, not the one of the witness", key, n);
    if (st == FM_OK)
        st = ledger_published_add(done, dir, cli_value(args, "cosignature"), &keys[0], err);
    if (st == FM_OK) {
        (void)snprintf(line, sizeof line, "%s: %llu entries, cosigned by %s\n", dir,
                       (unsigned long long)done->size, keys[0].name);
        st = ledger_cli_print(
            args, json_pack("{s:I,s:s}", "size", (json_int_t)done->size, "cosigner", keys[0].name),
            line, err);
    }
    free(keys);
    free(done);
    return st;
}

static fm_status publish(const struct cli_args *args, struct base_err *err)
{
    const char *dir = args->operands[0];
    struct ledger_tile_report report = {0};
    struct ledger_reader *reader = NULL;
    char path[HOME_PATH], line[HOME_PATH + 128];
    fm_status st;

    if (cli_value(args, "cosignature") != NULL)
        return add_cosignature(args, err);
    if (cli_value(args, "witness") != NULL)
        return base_err_set(err, FM_E_ARG, "--witness goes with --cosignature");
    st = ledger_cli_path(path, args, err);
    if (st == FM_OK)
        st = ledger_reader_open(&reader, path, err);
    if (st == FM_OK)
        st = publish_from(reader, dir, &report, err);
    ledger_reader_close(reader);
    if (st != FM_OK)
        return st;
    (void)snprintf(line, sizeof line, "%s: %llu entries, %llu tiles new%s\n", dir,
                   (unsigned long long)report.size, (unsigned long long)report.files,
                   report.repaired ? "; the checkpoint there was damaged: written anew, without "
                                     "witnesses' cosignatures"
                                   : "");
    return ledger_cli_print(args,
                            json_pack("{s:I,s:I,s:b}", "size", (json_int_t)report.size, "tiles",
                                      (json_int_t)report.files, "repaired", report.repaired),
                            line, err);
}

static const struct cli_option publish_options[] = {
    {"cosignature", "FILE",
     "put a witness's cosignature (ledger witness --out) into DIR, which stays as it is otherwise",
     0},
    {"witness", "FILE", "with --cosignature: that witness's key line, by which it is checked", 0},
    CLI_HOME_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_ledger_publish = {
    "ledger publish",
    "DIR",
    1,
    1,
    "the final log as static files for outsiders (C2SP tlog-tiles); the node may run",
    "Any web server serves DIR: checkpoint, tile/..., and members, the keys that cosign. It shows "
    "that entries are there,\nin which order and how many, and never what is in them. Run it "
    "again, "
    "as from a timer: only what is new is\nwritten. Anyone checks it: firmiana-verify --keys FILE "
    "--quorum K DIR, or any tool for C2SP logs.",
    publish_options,
    publish};

/* ---- witnessing ---- */

static fm_status witness_with(const struct cli_args *args, const struct ledger_trust *trust,
                              const struct did_secret *secret, struct base_err *err)
{
    const char *dir = args->operands[0];
    const struct ledger_witness w = {cli_value(args, "name"), secret, cli_value(args, "memory"),
                                     cli_value(args, "out")};
    struct ledger_checkpoint *done = malloc(sizeof *done);
    struct base_buf key = {0};
    fm_status st = done == NULL ? base_err_memory(err, "checkpoint")
                                : ledger_vkey_put(&key, w.name, did_secret_key(secret), err);

    if (st == FM_OK)
        st = ledger_witness_cosign(done, dir, &w, trust,
                                   base_clock_unix_ms(base_clock_system()) / 1000, err);
    if (st == FM_OK)
        printf("%s: %llu entries, cosigned by %s\n%s", w.note != NULL ? w.note : dir,
               (unsigned long long)done->size, w.name, base_buf_cstr(&key));
    base_buf_release(&key);
    free(done);
    return st;
}

static fm_status witness(const struct cli_args *args, struct base_err *err)
{
    struct ledger_vkey *keys = NULL;
    struct did_secret *secret = NULL;
    struct ledger_trust trust = {0};
    int64_t quorum = 0;
    fm_status st = cli_int(&quorum, args, "quorum", 1, LEDGER_COSIGNERS_MAX, err);

    if (st == FM_OK)
        st = load_keys(&keys, &trust.n, cli_value(args, "keys"), err);
    if (st == FM_OK)
        st = cli_officer_key(&secret, args, err);
    trust.keys = keys;
    trust.quorum = (size_t)quorum;
    if (st == FM_OK)
        st = witness_with(args, &trust, secret, err);
    did_secret_free(secret);
    free(keys);
    return st;
}

static const struct cli_option witness_options[] = {
    {"key", "FILE", "the witness's sealed key (firmiana officer create makes one)", CLI_REQUIRED},
    {"name", "NAME", "the witness's name in the signature line, as witness.example/1",
     CLI_REQUIRED},
    {"keys", "FILE", "the members' keys that it believes: DIR/members as it was when it began",
     CLI_REQUIRED},
    {"quorum", "K", "how many of them must have cosigned", CLI_REQUIRED},
    {"memory", "FILE", "what it cosigned last; made the first time, never to be lost",
     CLI_REQUIRED},
    {"out", "FILE", "write the cosignature there, and nothing into DIR: whoever publishes adds it",
     0},
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_ledger_witness = {
    "ledger witness",
    "DIR",
    1,
    1,
    "cosign what a ledger publishes, as one who is no member",
    "Checks the members' cosignatures and, by a proof out of the tiles, that nothing which it "
    "cosigned before has changed;\nthen adds its own line to DIR/checkpoint and prints its key for "
    "those who want to check that. No node, no home.\nA witness that may not write there, or has "
    "only a copy of DIR, hands over its line: --out FILE, which\nfirmiana ledger publish DIR "
    "--cosignature FILE --witness KEY adds.",
    witness_options,
    witness};
