/* firmiana wallet history: who asked about me. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/consent_form.h"
#include "exchange/cli/trail.h"
#include "exchange/cli/wallet_args.h"
#include "exchange/wallet/history.h"
#include "exchange/wallet/ledger.h"

/* ---- statements ---- */

static fm_status borne_out(struct ledger_statement *s, const struct cli_args *args, size_t i,
                           struct base_err *err)
{
    FILE *trail = fopen(args->operands[i], "rb");
    const struct ledger_bundle_source source = {cli_trail_read, trail};
    struct ledger_verified *report = NULL;
    fm_status st;

    if (trail == NULL)
        return base_err_errno(err, args->operands[i]);
    st = ledger_verify_statement(&report, &source, NULL, s, err);
    ledger_verified_free(report);
    (void)fclose(trail);
    return st;
}

/* One of the trails must bear it out: those that are shorter than its ledger was cannot. */
static fm_status hear_one(struct wallet_history *h, const char *path, const char *identifier,
                          const struct cli_args *args, struct base_err *err)
{
    struct ledger_statement *s = NULL;
    json_t *json = NULL;
    fm_status st = base_json_load_file(&json, path, LEDGER_STATEMENT_MAX, err), held = FM_E_INVALID;

    if (st != FM_OK) /* the path is in it */
        return st;
    for (size_t i = 0; st == FM_OK && held == FM_E_INVALID && i < args->operand_count; i++) {
        ledger_statement_free(s);
        st = ledger_statement_new(&s, json, err);
        if (st == FM_OK)
            held = borne_out(s, args, i, err);
    }
    if (st == FM_OK)
        st = held;
    if (st == FM_OK)
        st = wallet_history_hear(h, s, identifier, err);
    ledger_statement_free(s);
    json_decref(json);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

static fm_status hear(struct wallet_history *h, const struct cli_args *args, struct base_err *err)
{
    bool given = cli_flag(args, "identifier") || cli_flag(args, "identifier-file");
    struct base_buf identifier = {0};
    const char *path;
    fm_status st = given ? consent_form_identifier(&identifier, args, err) : FM_OK;

    for (size_t i = 0; st == FM_OK && (path = cli_value_at(args, "statement", i)) != NULL; i++)
        st = hear_one(h, path, given ? base_buf_cstr(&identifier) : NULL, args, err);
    base_buf_release_secret(&identifier);
    return st;
}

/* ---- trails ---- */

static fm_status read_one(struct wallet_history *h, struct ledger_verified **report,
                          const char *path, const struct cli_args *args, struct base_err *err)
{
    FILE *trail = fopen(path, "rb");
    const struct ledger_bundle_source source = {cli_trail_read, trail};
    fm_status st;

    if (trail == NULL)
        return base_err_errno(err, path);
    st = cli_trail_verify(report, args, trail, err);
    if (st == FM_OK)
        st = wallet_ledger_learn(h->search.w, (*report)->chain, (*report)->members, err);
    if (st == FM_OK)
        st = wallet_history_read(h, &source, *report, err);
    (void)fclose(trail);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", path);
}

/* All of them; *longest is the report of that which goes furthest. */
static fm_status read_all(struct wallet_history *h, struct ledger_verified **longest,
                          const struct cli_args *args, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < args->operand_count; i++) {
        struct ledger_verified *report = NULL;
        st = read_one(h, &report, args->operands[i], args, err);
        if (st == FM_OK && (*longest == NULL || report->size > (*longest)->size)) {
            struct ledger_verified *other = *longest;
            *longest = report;
            report = other;
        }
        ledger_verified_free(report);
    }
    return st;
}

/* ---- for a person ---- */

static void print_asked(const json_t *e)
{
    const char *rule = wallet_text(e, "rule"), *outcome = wallet_text(e, "outcome");
    const char *party = wallet_text(e, "party"), *name = wallet_text(e, "name");
    const json_t *told;
    size_t i;

    printf("%s asked: %s%s%s%s%s%s\n", BASE_LINE(wallet_text(e, "member")),
           strcmp(outcome, "refused") == 0 ? "REFUSED" : BASE_LINE(outcome),
           rule[0] != '\0' ? " (" : "", BASE_LINE(rule), rule[0] != '\0' ? ")" : "",
           party[0] != '\0' ? ", naming " : "", BASE_LINE(party));
    if (json_object_get(e, "consent") != NULL)
        printf("    under      your consent %.12s\n", wallet_text(e, "consent"));
    else
        printf("    under      no consent of this wallet\n");
    if (name[0] != '\0')
        printf("    contract   %.12s \"%s\", for \"%s\"\n", BASE_LINE(wallet_text(e, "contract")),
               BASE_LINE(name), BASE_LINE(wallet_text(e, "purpose")));
    else
        printf("    contract   %.12s, which the ledger does not know\n",
               BASE_LINE(wallet_text(e, "contract")));
    json_array_foreach(json_object_get(e, "told"), i, told)
    {
        const char *requester = wallet_text(told, "requester");
        if (requester[0] != '\0')
            printf("    asked by   %s, ticket %s: so says %s, as it committed to\n",
                   BASE_LINE(requester), BASE_LINE(wallet_text(told, "ticket")),
                   BASE_LINE(wallet_text(told, "member")));
        else
            printf("    told by    %s\n", BASE_LINE(wallet_text(told, "member")));
    }
}

static void print_event(const json_t *e)
{
    const char *what = wallet_text(e, "what");
    char when[32];

    printf("%s  ", wallet_args_moment(when, json_integer_value(json_object_get(e, "time"))));
    if (strcmp(what, "asked") == 0)
        print_asked(e);
    else
        printf(strcmp(what, "granted") == 0 ? "you permitted %s to ask\n    consent    %.12s\n"
                                            : "you withdrew from %s\n    consent    %.12s\n",
               BASE_LINE(wallet_text(e, "member")), wallet_text(e, "consent"));
    printf("    proof      height %lld, leaf %lld\n",
           (long long)json_integer_value(json_object_get(e, "height")),
           (long long)json_integer_value(json_object_get(e, "leaf")));
}

static fm_status print(const json_t *events, const struct ledger_verified *report,
                       const struct cli_args *args, struct base_err *err)
{
    const json_t *e;
    char chain[65];
    size_t i;

    if (cli_flag(args, "json")) {
        json_t *all;
        fm_status st;
        base_hex(chain, report->chain, 32);
        all = json_pack("{s:s,s:O,s:I,s:I}", "chain", chain, "events", events, "height",
                        (json_int_t)report->height, "size", (json_int_t)report->size);
        st = all != NULL ? cli_print_json(all, err) : base_err_memory(err, "history");
        json_decref(all);
        return st;
    }
    json_array_foreach(events, i, e) print_event(e);
    base_hex(chain, report->chain, 32);
    printf("%zu event(s), to height %llu. Each leaf is in the log that these members signed as "
           "final:\n  chain    %s, as the wallet trusts it\n",
           i, (unsigned long long)report->height, chain);
    cli_trail_print_final(stdout, report);
    if (report->hidden + report->skipped > 0)
        printf("%llu entries are not disclosed in the longest trail: another member's may show "
               "them\n",
               (unsigned long long)(report->hidden + report->skipped));
    printf("not in this list: queries over many people, which name nobody; and those under no "
           "consent of this wallet,\nunless a member admits to them: ask it for a statement "
           "(audit subject --out), and give it with --statement\n");
    return FM_OK;
}

static fm_status history(const struct cli_args *args, struct base_err *err)
{
    struct wallet_history h = {.told = NULL};
    struct ledger_verified *report = NULL;
    json_t *events = NULL;
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_READ, err);

    if (st == FM_OK)
        st = wallet_history_begin(&h, &f.w, err);
    if (st == FM_OK)
        st = hear(&h, args, err);
    if (st == FM_OK)
        st = read_all(&h, &report, args, err);
    if (st == FM_OK)
        st = wallet_history_events(&events, &h, err);
    if (st == FM_OK)
        st = print(events, report, args, err);
    json_decref(events);
    ledger_verified_free(report);
    wallet_history_release(&h);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option history_options[] = {
    WALLET_FILE_OPTION,
    {"statement", "FILE", "what a member says it knows about you, signed (audit subject --out)",
     CLI_REPEATED},
    {"identifier", "ID", "yours, if no consent in the wallet names it; better: --identifier-file",
     CLI_OPTIONAL},
    {"identifier-file", "FILE",
     "the same from a file: arguments can be seen by every user of this machine", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_wallet_history = {
    "wallet history",
    "TRAIL...",
    1,
    CLI_MAX_OPERANDS,
    "who asked about me, when, under which consent, and how it ended: verified offline",
    "TRAIL is a bundle that a member exported (audit export); it is verified whole, from the "
    "genesis on. With several, of\nseveral members, none can leave out what another shows.",
    history_options,
    history};
