/* firmiana ledger epoch ...: the ledger gets another sequencer. firmiana ledger evidence: what a
 * node that met two histories kept. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/officers.h"
#include "exchange/node/home.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/store/chain.h"

/* ---- showing ---- */

static void print_names(const char *what, const json_t *list, int64_t needed)
{
    const json_t *item;
    size_t i;

    printf("  %-9s %zu of %" PRId64, what, json_array_size(list), needed);
    json_array_foreach(list, i, item) printf("%s%s", i == 0 ? ": " : ", ", json_string_value(item));
    putchar('\n');
}

static void print_handover(const json_t *v)
{
    const json_t *p = json_object_get(v, "proposal");

    printf("epoch %" JSON_INTEGER_FORMAT ", sequenced by %s\n",
           json_integer_value(json_object_get(v, "epoch")), cli_text(v, "sequencer"));
    if (p == NULL) {
        puts("no other sequencer is proposed");
        return;
    }
    printf("proposed: %s for epoch %" JSON_INTEGER_FORMAT "\n", cli_text(p, "sequencer"),
           json_integer_value(json_object_get(p, "epoch")));
    print_names("approved", json_object_get(p, "approved"),
                json_integer_value(json_object_get(p, "approvals_needed")));
    print_names("promised", json_object_get(p, "promised"),
                json_integer_value(json_object_get(p, "promises_needed")));
    if (json_is_true(json_object_get(v, "pledged")))
        puts("this node has promised: it cosigns nothing of the present epoch any more");
}

static fm_status show_value(const struct cli_args *args, json_t *value, struct base_err *err)
{
    if (cli_flag(args, "json"))
        return cli_print_json(value, err);
    cli_tame(value);
    print_handover(value);
    return FM_OK;
}

static fm_status show(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    fm_status st = cli_call(&value, args, "epoch.show", NULL, err);

    if (st == FM_OK)
        st = show_value(args, value, err);
    json_decref(value);
    return st;
}

static const struct cli_option show_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_epoch_show = {
    "ledger epoch show",
    "",
    0,
    0,
    "who sequences, and who waits for whom while another takes over",
    NULL,
    show_options,
    show};

/* ---- approving ---- */

#define GATHER_MS (23 * 3600 * 1000LL) /* the ledger takes a day; members' officers live apart */

/* Builds the approval and has this officer sign it; complete, it goes to the node. */
static fm_status sign_approval(const struct cli_args *args, int64_t epoch, const char *sequencer,
                               struct base_err *err)
{
    int64_t now = base_clock_unix_ms(base_clock_system());
    struct did_document *doc = NULL;
    struct did_secret *secret = NULL;
    json_t *me = NULL, *body = NULL, *tx = NULL;
    uint8_t chain[32];
    fm_status st = cli_call(&me, args, "me", NULL, err);

    if (st == FM_OK)
        st = base_json_get_hex(chain, 32, me, "chain", err);
    if (st == FM_OK)
        st = officers_document(&doc, args, err);
    if (st == FM_OK)
        st = cli_officer_key(&secret, args, err);
    if (st == FM_OK) {
        body = json_pack("{s:I,s:s}", "epoch", (json_int_t)epoch, "sequencer", sequencer);
        st = body == NULL ? base_err_memory(err, "approval")
                          : ledger_tx_build(&tx, chain, LEDGER_TX_EPOCH_APPROVE,
                                            cli_text(me, "did"), now + GATHER_MS, body, err);
    }
    if (st == FM_OK)
        st = officers_sign(args, tx, secret, doc, cli_value(args, "partial"), "approval", err);
    did_secret_free(secret);
    did_document_free(doc);
    json_decref(tx);
    json_decref(body);
    json_decref(me);
    return st;
}

static fm_status approve(const struct cli_args *args, int64_t epoch, const char *sequencer,
                         struct base_err *err)
{
    json_t *value = NULL;
    fm_status st = sign_approval(args, epoch, sequencer, err);

    if (st == FM_OK)
        st = cli_call(&value, args, "epoch.show", NULL, err);
    if (st == FM_OK)
        st = show_value(args, value, err);
    json_decref(value);
    return st;
}

static fm_status propose(const struct cli_args *args, struct base_err *err)
{
    json_t *value, *member = NULL;
    fm_status st = cli_call(&value, args, "epoch.show", NULL, err);

    if (st == FM_OK)
        st = cli_call(&member, args, "member.get", json_pack("{s:s}", "name", args->operands[0]),
                      err);
    if (st == FM_OK && strcmp(cli_text(member, "status"), "active") != 0)
        st =
            base_err_set(err, FM_E_ARG, "ledger epoch propose: %s is suspended", args->operands[0]);
    if (st == FM_OK)
        st = approve(args, json_integer_value(json_object_get(value, "next_epoch")),
                     cli_text(member, "alias"), err);
    json_decref(member);
    json_decref(value);
    return st;
}

static fm_status agree(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    const json_t *p;
    fm_status st = cli_call(&value, args, "epoch.show", NULL, err);

    p = json_object_get(value, "proposal");
    if (st == FM_OK && p == NULL)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "no other sequencer is proposed: firmiana ledger epoch propose ALIAS");
    if (st == FM_OK && strcmp(cli_text(p, "sequencer"), args->operands[0]) != 0)
        st = base_err_set(err, FM_E_CONFLICT,
                          "%s is proposed, not %s: approve that, or propose anew",
                          cli_text(p, "sequencer"), args->operands[0]);
    if (st == FM_OK)
        st = approve(args, json_integer_value(json_object_get(p, "epoch")), args->operands[0], err);
    json_decref(value);
    return st;
}

static const struct cli_option approve_options[] = {CLI_HOME_OPTION,       CLI_KEY_OPTION,
                                                    CLI_PASSPHRASE_OPTION, CLI_PARTIAL_OPTION,
                                                    CLI_JSON_OPTION,       {0}};

const struct cli_command cli_epoch_propose = {
    "ledger epoch propose",
    "ALIAS",
    1,
    1,
    "an officer proposes that this member sequences from now on (and approves it)",
    "For a sequencer that is lost, or to move on purpose. No old sequencer is needed: once "
    "officers of "
    "more than half of the active members approve, within 23 hours, every node promises to cosign "
    "nothing of the old epoch any more, and says what it has; when a quorum has promised, ALIAS "
    "goes on "
    "from the greatest state that may be final. Nothing final is lost. A later proposal replaces "
    "an earlier one that got stuck.",
    approve_options,
    propose};

const struct cli_command cli_epoch_approve = {
    "ledger epoch approve",
    "ALIAS",
    1,
    1,
    "an officer approves the member that is proposed to sequence",
    NULL,
    approve_options,
    agree};

/* ---- evidence ---- */

struct listing {
    json_t *list;
};

static fm_status add_pair(void *ctx, const char *theirs, const char *ours, struct base_err *err)
{
    struct listing *l = ctx;
    struct ledger_checkpoint a, b;
    uint8_t hash[32];
    char hex[65];
    json_t *signers = json_array();
    fm_status st = ledger_checkpoint_parse(&a, theirs, strlen(theirs), err);

    if (st == FM_OK)
        st = ledger_checkpoint_parse(&b, ours, strlen(ours), err);
    base_hash(hash, theirs, strlen(theirs));
    base_hex(hex, hash, 32);
    for (size_t i = 0; st == FM_OK && i < a.n; i++)
        (void)json_array_append_new(signers, json_string(a.cosigner[i].name));
    if (st == FM_OK &&
        json_array_append_new(l->list,
                              json_pack("{s:s,s:O,s:I,s:I,s:s,s:s}", "id", hex, "signers", signers,
                                        "size", (json_int_t)a.size, "our_size", (json_int_t)b.size,
                                        "theirs", theirs, "ours", ours)) != 0)
        st = base_err_memory(err, "evidence");
    json_decref(signers);
    return st;
}

static fm_status open_ledger(struct ledger_reader **reader, const struct cli_args *args,
                             struct base_err *err)
{
    char path[HOME_PATH];
    const char *home;
    fm_status st = cli_home(&home, args, err);

    *reader = NULL;
    if (st == FM_OK)
        st = home_path(path, home, "ledger.db", err);
    return st == FM_OK ? ledger_reader_open(reader, path, err) : st;
}

static fm_status evidence(const struct cli_args *args, struct base_err *err)
{
    struct listing l = {json_array()};
    struct ledger_reader *reader;
    const json_t *item, *who;
    size_t i, k;
    fm_status st = open_ledger(&reader, args, err);

    if (st == FM_OK)
        st = ledger_reader_evidence(reader, add_pair, &l, err);
    ledger_reader_close(reader);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(l.list, err);
    else if (st == FM_OK && json_array_size(l.list) == 0)
        puts("no contradiction was ever signed, as far as this node has seen");
    else if (st == FM_OK) {
        json_array_foreach(l.list, i, item)
        {
            printf("%s%.16s: signed by", i > 0 ? "\n" : "", cli_text(item, "id"));
            json_array_foreach(json_object_get(item, "signers"), k, who)
                printf(" %s", json_string_value(who));
            printf("\n--- theirs ---\n%s--- ours ---\n%s", cli_text(item, "theirs"),
                   cli_text(item, "ours"));
        }
    }
    json_decref(l.list);
    return st;
}

const struct cli_command cli_evidence = {
    "ledger evidence",
    "",
    0,
    0,
    "signed checkpoints that contradict this node's log (the node may be stopped)",
    "A node that is shown signatures on two histories keeps both and, if they are the sequencer's "
    "or so "
    "many that its own could lose, stops with exit code 11, again after each start. Compare with "
    "the "
    "other members: a member that signed both has lied, or runs an old copy of its disk. Whose "
    "history "
    "is not the others' begins a new replica from the genesis or a backup of theirs; the rest go "
    "on.",
    show_options,
    evidence};
