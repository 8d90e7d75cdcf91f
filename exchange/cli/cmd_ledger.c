/* firmiana ledger backup, restore, check, replay: the replica's file. They work on the file
 * itself, with or without a node (restore: without). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "ledger/proof/profile.h"

enum { GENESIS_MAX = 16 << 20, TELL_MS = 200 };

/* ---- how far it is ---- */

void ledger_line_tell(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct ledger_line *line = ctx;
    int64_t now = base_clock_mono_ms(base_clock_system());

    if (!isatty(STDERR_FILENO) || (now - line->told_ms < TELL_MS && done != total))
        return;
    line->told_ms = now;
    line->shown = true;
    fprintf(stderr, "\r\033[K%s %llu of %llu", what, (unsigned long long)done,
            (unsigned long long)total);
}

void ledger_line_wipe(const struct ledger_line *line)
{
    if (line->shown)
        fprintf(stderr, "\r\033[K");
}

/* ---- the home's ledger ---- */

fm_status ledger_cli_path(char out[HOME_PATH], const struct cli_args *args, struct base_err *err)
{
    const char *dir;
    fm_status st = cli_home(&dir, args, err);

    return st == FM_OK ? home_path(out, dir, "ledger.db", err) : st;
}

static fm_status open_reader(struct ledger_reader **out, char path[HOME_PATH],
                             const struct cli_args *args, struct base_err *err)
{
    *out = NULL;
    if (ledger_cli_path(path, args, err) != FM_OK)
        return err->code;
    return ledger_reader_open(out, path, err);
}

/* The chain that the home's genesis.json begins. */
static fm_status home_chain(uint8_t out32[32], const struct cli_args *args, struct base_err *err)
{
    struct base_buf genesis = {0};
    char path[HOME_PATH];
    const char *dir;
    fm_status st = cli_home(&dir, args, err);

    if (st == FM_OK)
        st = home_path(path, dir, "genesis.json", err);
    if (st == FM_OK && access(path, F_OK) != 0)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "%s: not there: it says which ledger belongs into this home", path);
    if (st == FM_OK)
        st = base_file_read_filled(&genesis, path, GENESIS_MAX, err);
    if (st == FM_OK && ledger_genesis_chain(out32, genesis.p, genesis.len, err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    base_buf_release(&genesis);
    return st;
}

fm_status ledger_cli_print(const struct cli_args *args, json_t *value, const char *text,
                           struct base_err *err)
{
    fm_status st = FM_OK;

    if (value == NULL)
        return base_err_memory(err, "answer");
    if (cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else
        printf("%s", text);
    json_decref(value);
    return st;
}

static json_t *checked(const struct ledger_check_report *r)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "height", (json_int_t)r->height, "leaves",
                     (json_int_t)r->leaves, "erased", (json_int_t)r->erased, "states",
                     (json_int_t)r->states, "final", (json_int_t)r->final_size);
}

/* ---- backup ---- */

static fm_status backup(const struct cli_args *args, struct base_err *err)
{
    const char *out = args->operands[0];
    struct ledger_check_report report;
    struct ledger_reader *reader;
    struct ledger_line line = {0};
    struct base_buf text = {0};
    char path[HOME_PATH];
    fm_status st = open_reader(&reader, path, args, err);

    if (st != FM_OK)
        return st;
    st = ledger_backup(reader, out, &report, &(struct ledger_progress){ledger_line_tell, &line},
                       err);
    ledger_line_wipe(&line);
    ledger_reader_close(reader);
    if (st == FM_OK) {
        base_buf_putf(&text, "%s: the ledger up to height %llu, %llu leaves; checked\n", out,
                      (unsigned long long)report.height, (unsigned long long)report.leaves);
        st = ledger_cli_print(args, checked(&report), base_buf_cstr(&text), err);
    }
    base_buf_release(&text);
    return st;
}

static const struct cli_option file_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_ledger_backup = {
    "ledger backup",
    "FILE",
    1,
    1,
    "copy the ledger to a new file, checked, while the node goes on",
    "The file is a whole replica, for firmiana ledger restore here or at another member. "
    "sessions.db "
    "and keys are not in it.",
    file_options,
    backup};

/* ---- restore ---- */

static fm_status restore(const struct cli_args *args, struct base_err *err)
{
    unsigned flags = cli_flag(args, "over-newer") ? LEDGER_RESTORE_OVER_NEWER : 0;
    struct ledger_restore_report report;
    struct base_buf text = {0};
    struct ledger_line line = {0};
    char path[HOME_PATH];
    uint8_t chain[32];
    fm_status st = ledger_cli_path(path, args, err);

    if (st == FM_OK)
        st = home_chain(chain, args, err);
    if (st == FM_OK) {
        st = ledger_restore(args->operands[0], path, chain, flags, &report,
                            &(struct ledger_progress){ledger_line_tell, &line}, err);
        ledger_line_wipe(&line);
    }
    if (st != FM_OK)
        return st;
    base_buf_putf(&text, "%s: at height %llu, %llu leaves; checked, every signature verified\n",
                  path, (unsigned long long)report.check.height,
                  (unsigned long long)report.check.leaves);
    if (report.replaced)
        base_buf_putf(&text, "the ledger that was there is %s.old now\n", path);
    base_buf_put_str(&text, "start the node: it fetches what is newer from the other members\n");
    st = ledger_cli_print(args, checked(&report.check), base_buf_cstr(&text), err);
    base_buf_release(&text);
    return st;
}

static const struct cli_option restore_options[] = {
    CLI_HOME_OPTION,
    {"over-newer", NULL, "also when the ledger in the home is ahead of the backup", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_ledger_restore = {
    "ledger restore",
    "FILE",
    1,
    1,
    "put a backup in the place of the home's ledger, after checking all of it",
    "Stop the node first. The home must have the consortium's genesis.json: hashes, signatures and "
    "the quorum's\n"
    "checkpoint are verified from it. The ledger that was there is kept as ledger.db.old.",
    restore_options,
    restore};

/* ---- check ---- */

static fm_status check(const struct cli_args *args, struct base_err *err)
{
    struct ledger_check_report report;
    struct ledger_reader *reader;
    struct base_buf text = {0};
    struct ledger_line line = {0};
    char path[HOME_PATH];
    fm_status st = open_reader(&reader, path, args, err);

    if (st != FM_OK)
        return st;
    st = ledger_check(reader, &report, &(struct ledger_progress){ledger_line_tell, &line}, err);
    ledger_line_wipe(&line);
    ledger_reader_close(reader);
    if (st == FM_OK) {
        base_buf_putf(&text,
                      "%s: sound: height %llu, %llu leaves (%llu of them pruned), %llu values of "
                      "state\n",
                      path, (unsigned long long)report.height, (unsigned long long)report.leaves,
                      (unsigned long long)report.erased, (unsigned long long)report.states);
        st = ledger_cli_print(args, checked(&report), base_buf_cstr(&text), err);
    }
    base_buf_release(&text);
    return st;
}

const struct cli_command cli_ledger_check = {
    "ledger check",
    "",
    0,
    0,
    "read all of the ledger's file and recompute every hash (a node may run)",
    NULL,
    file_options,
    check};

/* ---- replay ---- */

static const char *temporary_folder(void)
{
    const char *dir = getenv("TMPDIR");

    return dir != NULL && dir[0] != '\0' ? dir : "/tmp";
}

static void replay_text(struct base_buf *text, const struct ledger_replay_report *r)
{
    if (r->missing == 1)
        base_buf_put_str(text, "block 1 was pruned here, so nothing can be replayed; firmiana "
                               "ledger check recomputes what is left\n");
    else if (r->missing > 0)
        base_buf_putf(text,
                      "blocks 1 to %llu lead to what the ledger says, %llu leaves; block %llu was "
                      "pruned here, so what follows cannot be replayed; firmiana ledger check "
                      "recomputes what is left\n",
                      (unsigned long long)r->height, (unsigned long long)r->leaves,
                      (unsigned long long)r->missing);
    else
        base_buf_putf(text,
                      "%llu blocks executed anew lead to what the ledger says after each: %llu "
                      "leaves, one state\n",
                      (unsigned long long)r->height, (unsigned long long)r->leaves);
}

static fm_status replay(const struct cli_args *args, struct base_err *err)
{
    struct ledger_replay_report report;
    struct ledger_reader *reader;
    struct base_buf text = {0};
    struct ledger_line line = {0};
    char path[HOME_PATH];
    fm_status st = open_reader(&reader, path, args, err);

    if (st != FM_OK)
        return st;
    st = ledger_replay(reader, temporary_folder(), &report,
                       &(struct ledger_progress){ledger_line_tell, &line}, err);
    ledger_line_wipe(&line);
    ledger_reader_close(reader);
    if (st == FM_OK) {
        replay_text(&text, &report);
        st = ledger_cli_print(args,
                              json_pack("{s:I,s:I,s:I}", "height", (json_int_t)report.height,
                                        "leaves", (json_int_t)report.leaves, "missing",
                                        (json_int_t)report.missing),
                              base_buf_cstr(&text), err);
    }
    base_buf_release(&text);
    return st;
}

const struct cli_command cli_ledger_replay = {
    "ledger replay",
    "",
    0,
    0,
    "execute all blocks anew from the genesis and compare every hash (a node may run)",
    "In a fresh replica under $TMPDIR, which needs room for one. Exit code 9 where a block leads "
    "elsewhere.",
    file_options,
    replay};
