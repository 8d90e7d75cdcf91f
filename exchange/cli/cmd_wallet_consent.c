/* firmiana wallet trust, did, grant, revoke, consents, find: what a subject permits, to whom, and
 * where it stands on the ledger. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/consent_form.h"
#include "exchange/cli/trail.h"
#include "exchange/cli/wallet_args.h"
#include "exchange/wallet/consent.h"
#include "exchange/wallet/ledger.h"
#include "exchange/wallet/trail.h"

enum { GENESIS_MAX = 1 << 24 };

/* ---- the ledger ---- */

static fm_status trust(const struct cli_args *args, struct base_err *err)
{
    struct base_buf bytes = {0};
    struct wallet_file f;
    const json_t *ledger;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);

    if (st == FM_OK)
        st = base_file_read(&bytes, args->operands[0], GENESIS_MAX, err);
    while (bytes.len > 0 && bytes.p[bytes.len - 1] == '\n')
        bytes.len--;
    if (st == FM_OK && wallet_ledger_trust(&f.w, bytes.p, bytes.len, err) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    ledger = json_object_get(f.w.content, "ledger");
    if (st == FM_OK)
        printf("%s: %zu member(s)\n  chain %s\n  compare the chain with what your bank publishes: "
               "all that is verified later rests on it\n",
               wallet_text(ledger, "name"), json_object_size(json_object_get(ledger, "members")),
               wallet_text(ledger, "chain"));
    base_buf_release(&bytes);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option trust_options[] = {WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, {0}};

const struct cli_command cli_wallet_trust = {
    "wallet trust",
    "GENESIS.json",
    1,
    1,
    "the ledger that this wallet deals with, and its members",
    "One wallet deals with one ledger. GENESIS.json has no secrets: any member gives it to you.",
    trust_options,
    trust};

/* ---- DIDs ---- */

static fm_status did(const struct cli_args *args, struct base_err *err)
{
    enum wallet_use use = cli_flag(args, "mandate") ? WALLET_MANDATE : WALLET_PAIRWISE;
    const char *peer = cli_value(args, "with"), *out = "";
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);

    if (st == FM_OK && strncmp(peer, "did:", 4) != 0)
        st = wallet_ledger_did(&peer, &f.w, peer, err);
    if (st == FM_OK)
        st = wallet_identity(&out, &f.w, use, peer, err);
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_made(
            json_pack("{s:s, s:s, s:s}", "did", out, "use", wallet_use_name(use), "with", peer),
            err);
    else if (st == FM_OK)
        printf("%s\n", out);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option did_options[] = {
    WALLET_FILE_OPTION,
    {"with", "ALIAS|DID", "who will know you by it", CLI_REQUIRED},
    {"mandate", NULL,
     "a new one, to be a company's representative by a mandate that this member attests",
     CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_wallet_did = {
    "wallet did",
    "",
    0,
    0,
    "your DID towards one counterpart, for credentials: no other counterpart sees it",
    NULL,
    did_options,
    did};

/* ---- grant ---- */

static fm_status sign(const json_t **record, struct wallet *w, struct wallet_draft *d,
                      const struct cli_args *args, struct base_err *err)
{
    struct base_buf identifier = {0};
    struct ledger_consent consent;
    uint8_t chain[32];
    fm_status st = wallet_ledger_chain(chain, w, err);

    if (st == FM_OK)
        st = consent_form_identifier(&identifier, args, err);
    if (st == FM_OK)
        st = consent_form_read(&consent, d->nonce, args, chain, base_buf_cstr(&identifier), false,
                               err);
    if (st == FM_OK) {
        consent.attestor = cli_value(args, "attestor");
        st = wallet_consent_sign(record, w, d, &consent, base_buf_cstr(&identifier), err);
    }
    base_buf_release_secret(&identifier);
    return st;
}

/* For a person, or by --mandate for a company. */
static fm_status begin(struct wallet_draft *d, const struct wallet *w, const struct cli_args *args,
                       struct base_err *err)
{
    const char *mandate = cli_value(args, "mandate");

    *d = (struct wallet_draft){.key = NULL};
    if (mandate != NULL && cli_value(args, "attestor") != NULL)
        return base_err_set(err, FM_E_ARG,
                            "--attestor is for a person, --mandate for a company: not both");
    return wallet_consent_begin(d, w, cli_value(args, "grantee"), mandate,
                                base_clock_unix_ms(base_clock_system()), err);
}

static fm_status write_out(const struct wallet *w, const json_t *record,
                           const struct cli_args *args, struct base_err *err)
{
    json_t *opening = NULL;
    fm_status st =
        cli_write_json(cli_value(args, "out"), json_object_get(record, "consent"), 0644, err);

    if (st == FM_OK)
        st = wallet_consent_opening(&opening, w, record, err);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "opening"), opening, 0600, err);
    json_decref(opening);
    return st;
}

static void tell(const json_t *record, const struct cli_args *args)
{
    const json_t *consent = json_object_get(record, "consent");
    const char *attestor = cli_value(args, "attestor"), *grantee = wallet_text(consent, "grantee");
    char until[32];

    printf("consent %s\n  %s may ask, %lld time(s), until %s\n", wallet_text(record, "id"), grantee,
           (long long)json_integer_value(json_object_get(consent, "uses")),
           wallet_args_moment(until, json_integer_value(json_object_get(consent, "expires"))));
    if (attestor != NULL)
        printf("  not valid until %s has countersigned it: take %s there (consent attest)\n",
               attestor, cli_value(args, "out"));
    else
        printf("  any member puts %s on the ledger (consent relay); %s to %s alone\n",
               cli_value(args, "out"), cli_value(args, "opening"), grantee);
}

static fm_status grant(const struct cli_args *args, struct base_err *err)
{
    struct wallet_draft d = {.key = NULL};
    const json_t *record = NULL;
    struct wallet_file f;
    fm_status st = consent_form_check(args, err);

    f = (struct wallet_file){.lock = -1};
    if (st == FM_OK)
        st = cli_fresh(cli_value(args, "out"), err);
    if (st == FM_OK)
        st = cli_fresh(cli_value(args, "opening"), err);
    if (st == FM_OK)
        st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);
    if (st == FM_OK)
        st = begin(&d, &f.w, args, err);
    if (st == FM_OK)
        st = sign(&record, &f.w, &d, args, err);
    if (st == FM_OK) /* before anybody else can have it: the key is then known to be used */
        st = wallet_args_save(&f, err);
    if (st == FM_OK)
        st = write_out(&f.w, record, args, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_made(json_pack("{s:s, s:O}", "id", wallet_text(record, "id"), "consent",
                                      json_object_get(record, "consent")),
                            err);
    else if (st == FM_OK)
        tell(record, args);
    wallet_draft_release(&d);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option grant_options[] = {
    WALLET_FILE_OPTION,
    CONSENT_FORM_OPTIONS,
    {"attestor", "ALIAS",
     "a member that will countersign it at its counter, once you have shown who you are",
     CLI_OPTIONAL},
    {"mandate", "DID", "for a company: your DID that its mandate names", CLI_OPTIONAL},
    {"out", "FILE", "the signed consent, for consent relay or consent attest", CLI_REQUIRED},
    {"opening", "FILE", "what the grantee needs to use it, and nobody else", CLI_REQUIRED},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_wallet_grant = {
    "wallet grant",
    "",
    0,
    0,
    "permit a member to ask about you, for a purpose or a contract, until a day",
    "Signed with a key that is used for nothing else, derived for that member: on the ledger no "
    "two consents of yours\nhave anything in common. The identifier is hidden behind a salted "
    "commitment.",
    grant_options,
    grant};

/* ---- revoke ---- */

static fm_status revoke(const struct cli_args *args, struct base_err *err)
{
    const json_t *revocation = NULL;
    struct wallet_file f = {.lock = -1};
    json_t *record = NULL;
    fm_status st = cli_fresh(cli_value(args, "out"), err);

    if (st == FM_OK)
        st = wallet_args_open(&f, args, WALLET_TO_CHANGE, err);
    if (st == FM_OK)
        st = wallet_record(&record, &f.w, "consents", "consent", args->operands[0], err);
    if (st == FM_OK)
        st = wallet_consent_revoke(&revocation, &f.w, record,
                                   base_clock_unix_ms(base_clock_system()) / 1000, err);
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "out"), revocation, 0644, err);
    if (st == FM_OK)
        printf("%s: give it to any member for firmiana consent relay: from its block on, consent "
               "%.12s permits nothing\n",
               cli_value(args, "out"), wallet_text(record, "id"));
    wallet_file_close(&f);
    return st;
}

static const struct cli_option revoke_options[] = {
    WALLET_FILE_OPTION,
    {"out", "FILE", "the signed revocation, for consent relay", CLI_REQUIRED},
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_wallet_revoke = {
    "wallet revoke",
    "CONSENT",
    1,
    1,
    "withdraw a consent",
    "CONSENT is its id, or enough of its first digits (wallet consents).",
    revoke_options,
    revoke};

/* ---- list ---- */

static const char *state_of(const json_t *record)
{
    int64_t until =
        json_integer_value(json_object_get(json_object_get(record, "consent"), "expires"));

    if (json_object_get(record, "withdrawn") != NULL)
        return "withdrawn";
    if (json_object_get(record, "revocation") != NULL)
        return "withdrawal signed; whether it is on the ledger: wallet find TRAIL";
    if (until <= base_clock_unix_ms(base_clock_system()))
        return "expired";
    return json_object_get(record, "granted") != NULL
               ? "on the ledger when last looked up"
               : "unknown until it is looked up (wallet find TRAIL)";
}

static void print_receipt(const json_t *record, const char *name)
{
    const json_t *place = json_object_get(record, name);
    char when[32];

    if (place != NULL)
        printf("    %-10s %s, height %lld, leaf %lld\n", name,
               wallet_args_moment(when, json_integer_value(json_object_get(place, "time"))),
               (long long)json_integer_value(json_object_get(place, "height")),
               (long long)json_integer_value(json_object_get(place, "leaf")));
}

static void print(const struct wallet *w)
{
    const json_t *record;
    size_t i;

    json_array_foreach(wallet_list(w, "consents"), i, record)
    {
        const json_t *c = json_object_get(record, "consent");
        const char *purpose = wallet_text(c, "purpose"), *attestor = wallet_text(c, "attestor");
        char until[32];
        printf("%.12s  to %s (%s%s%s): %s\n", wallet_text(record, "id"), wallet_text(c, "grantee"),
               wallet_text(c, "mode"), attestor[0] != '\0' ? " by " : "", attestor,
               state_of(record));
        printf("    permits    %lld use(s) until %s, %s%s%s\n",
               (long long)json_integer_value(json_object_get(c, "uses")),
               wallet_args_moment(until, json_integer_value(json_object_get(c, "expires"))),
               purpose[0] != '\0' ? "for \"" : "by contract ",
               BASE_LINE(purpose[0] != '\0' ? purpose : wallet_text(c, "contract")),
               purpose[0] != '\0' ? "\"" : "");
        print_receipt(record, "granted");
        print_receipt(record, "withdrawn");
    }
    if (i == 0)
        printf("no consents\n");
}

static fm_status consents(const struct cli_args *args, struct base_err *err)
{
    struct wallet_file f;
    fm_status st = wallet_args_open(&f, args, WALLET_TO_READ, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(wallet_list(&f.w, "consents"), err);
    else if (st == FM_OK)
        print(&f.w);
    wallet_file_close(&f);
    return st;
}

static const struct cli_option consents_options[] = {
    WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_wallet_consents = {
    "wallet consents", "",      0, 0, "what you have permitted, and where it stands", NULL,
    consents_options,  consents};

/* ---- find ---- */

static fm_status find_in(size_t *news, struct wallet *w, const struct cli_args *args, FILE *trail,
                         struct base_err *err)
{
    const struct ledger_bundle_source source = {cli_trail_read, trail};
    struct ledger_verified *report = NULL;
    fm_status st = cli_trail_verify(&report, args, trail, err);

    if (st == FM_OK)
        st = wallet_ledger_learn(w, report->chain, report->members, err);
    if (st == FM_OK)
        st = wallet_trail_find(news, w, report, &source, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_made(json_pack("{s:I, s:I}", "height", (json_int_t)report->height, "found",
                                      (json_int_t)*news),
                            err);
    else if (st == FM_OK)
        printf("valid to height %llu: %zu receipt(s) found\n", (unsigned long long)report->height,
               *news);
    ledger_verified_free(report);
    return st;
}

static fm_status find(const struct cli_args *args, struct base_err *err)
{
    FILE *trail = fopen(args->operands[0], "rb");
    struct wallet_file f = {.lock = -1};
    size_t news = 0;
    fm_status st = trail == NULL ? base_err_errno(err, args->operands[0])
                                 : wallet_args_open(&f, args, WALLET_TO_CHANGE, err);

    if (st == FM_OK && find_in(&news, &f.w, args, trail, err) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK)
        st = wallet_args_save(&f, err);
    wallet_file_close(&f);
    if (trail != NULL)
        (void)fclose(trail);
    return st;
}

static const struct cli_option find_options[] = {
    WALLET_FILE_OPTION, CLI_PASSPHRASE_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_wallet_find = {
    "wallet find",
    "TRAIL",
    1,
    1,
    "keep the receipts of your consents, from a trail; after wallet recover, the consents too",
    "TRAIL is a bundle that a member exported (audit export). It is verified whole, offline, "
    "before anything in it is believed.\nAfter wallet recover it must be whole (no --entry) and "
    "the "
    "newest there is: DIDs given for mandates in what it does not\nhave could be given again.",
    find_options,
    find};
