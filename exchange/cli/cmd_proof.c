/* firmiana ledger proof: that one entry is in the log, as a C2SP tlog-proof. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "ledger/transparency/tlog_proof.h"

/* By its number in audit list, or by a transaction's id. */
static fm_status find(struct ledger_entry *out, struct ledger_reader *reader, const char *text,
                      struct base_err *err)
{
    char *end;
    uint8_t id[32];
    unsigned long long leaf;

    if (strlen(text) == 64 && base_unhex(id, sizeof id, text, 64))
        return ledger_reader_tx(reader, out, id, err);
    leaf = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || strlen(text) > 16)
        return base_err_set(err, FM_E_ARG,
                            "%.80s: neither an entry's number in audit list nor a transaction's id",
                            text);
    return ledger_reader_leaf(reader, out, leaf, err);
}

/* The checkpoint of what is published there, or the newest final one. */
static fm_status checkpoint(struct ledger_checkpoint *out, struct ledger_reader *reader,
                            const char *site, struct base_err *err)
{
    struct base_buf text = {0};
    uint64_t size, height;
    fm_status st;

    if (site != NULL)
        return ledger_published_checkpoint(out, site, err);
    st = ledger_reader_final(reader, &size, &height, &text, err);
    if (st == FM_OK)
        st = ledger_checkpoint_parse(out, (const char *)text.p, text.len, err);
    base_buf_release(&text);
    return st;
}

static fm_status write_payload(const char *path, const struct ledger_entry *entry,
                               struct base_err *err)
{
    if (entry->erased)
        return base_err_set(err, FM_E_NOT_FOUND, "entry %llu: its payload was erased here",
                            (unsigned long long)entry->leaf);
    return base_file_write(path, entry->payload.p, entry->payload.len, 0600, err);
}

static fm_status prove(const struct cli_args *args, struct ledger_reader *reader,
                       struct ledger_tlog_proof *proof, struct base_err *err)
{
    const struct ledger_tile_log log = {{ledger_cli_node, reader}, ledger_cli_entry, reader};
    const char *out = cli_value(args, "out"), *payload = cli_value(args, "payload");
    struct ledger_entry entry = {0};
    struct base_buf text = {0};
    char line[HOME_PATH + 128];
    fm_status st = find(&entry, reader, args->operands[0], err);

    if (st == FM_OK)
        st = checkpoint(&proof->checkpoint, reader, cli_value(args, "site"), err);
    if (st == FM_OK && memcmp(proof->checkpoint.chain, ledger_reader_id(reader), 32) != 0)
        st = base_err_set(err, FM_E_CONFLICT, "%s: another ledger is published there",
                          cli_value(args, "site"));
    if (st == FM_OK)
        st = ledger_tlog_prove(proof, entry.leaf, &log, err);
    if (st == FM_OK)
        st = ledger_tlog_proof_encode(&text, proof, err);
    if (st == FM_OK && payload != NULL)
        st = write_payload(payload, &entry, err);
    if (st == FM_OK)
        st = base_file_write(out, text.p, text.len, 0644, err);
    if (st == FM_OK) {
        (void)snprintf(line, sizeof line, "%s: entry %llu of %llu, %zu cosignatures\n", out,
                       (unsigned long long)proof->index, (unsigned long long)proof->checkpoint.size,
                       proof->checkpoint.n);
        st = ledger_cli_print(args,
                              json_pack("{s:I,s:I,s:I}", "leaf", (json_int_t)proof->index, "size",
                                        (json_int_t)proof->checkpoint.size, "cosignatures",
                                        (json_int_t)proof->checkpoint.n),
                              line, err);
    }
    base_buf_release(&text);
    ledger_entry_release(&entry);
    return st;
}

static fm_status run(const struct cli_args *args, struct base_err *err)
{
    struct ledger_tlog_proof *proof = calloc(1, sizeof *proof);
    struct ledger_reader *reader = NULL;
    char path[HOME_PATH];
    fm_status st = proof != NULL ? ledger_cli_path(path, args, err) : base_err_memory(err, "proof");

    if (st == FM_OK)
        st = ledger_reader_open(&reader, path, err);
    if (st == FM_OK)
        st = prove(args, reader, proof, err);
    ledger_reader_close(reader);
    free(proof);
    return st;
}

static const struct cli_option options[] = {
    {"out", "FILE", "the proof (usually FILE.tlog-proof)", CLI_REQUIRED},
    {"payload", "FILE", "also the entry's content, which the proof holds only the hash of", 0},
    {"site", "DIR", "under the checkpoint that is published there, witnesses' cosignatures too", 0},
    CLI_HOME_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_ledger_proof = {
    "ledger proof",
    "LEAF|ID",
    1,
    1,
    "that an entry is in the final log, as a file for any tool (C2SP tlog-proof); the node may run",
    "LEAF is the entry's number in audit list, ID a transaction's. Anyone checks the file: "
    "firmiana-verify --keys FILE --quorum K\nPROOF, with --document PAYLOAD also the content. It "
    "shows that the entry is there, not that the ledger's rules let it in:\nthat is what "
    "firmiana audit export --entry shows.",
    options,
    run};
