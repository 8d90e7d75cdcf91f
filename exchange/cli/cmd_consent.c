/* firmiana consent ...: a subject gives and withdraws permission. create and revoke run at the
 * subject, with a fresh key and no node; relay runs at any member. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "did/keystore.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/consent_form.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/profile.h"
#include "ledger/proof/inner.h"

/* The subject keeps the key: with it, and only with it, the consent can be withdrawn. */
static fm_status save_key(const struct cli_args *args, const struct did_secret *secret,
                          struct base_err *err)
{
    const char *path = cli_value(args, "key");
    struct did_passphrase *pass;
    fm_status st;

    if (path == NULL)
        return FM_OK;
    st = cli_passphrase(&pass, args, CLI_PASSPHRASE_NEW, err);
    if (st == FM_OK)
        st = did_keystore_save(path, DID_KEYSTORE_NEW, secret, "subject",
                               base_clock_unix_ms(base_clock_system()) / 1000, pass, NULL,
                               base_random_system(), err);
    did_passphrase_free(pass);
    return st;
}

/* A representative's consent: the mandate's own commitment and nonce, and the key that it names. */
struct represented {
    json_t *mandate;
    struct did_secret *key;
};

static fm_status read_mandate(struct represented *r, uint8_t nonce32[32],
                              const struct cli_args *args, struct base_err *err)
{
    const char *path = cli_value(args, "mandate"), *opening = cli_value(args, "mandate-opening");
    json_t *file = NULL;
    fm_status st;

    if (opening == NULL || cli_value(args, "key") == NULL)
        return base_err_set(err, FM_E_ARG,
                            "consent create --mandate needs --mandate-opening and --key, the "
                            "representative's own");
    st = base_json_load_file(&r->mandate, path, 1 << 20, err);
    if (st == FM_OK)
        st = base_json_load_file(&file, opening, 65536, err);
    if (st == FM_OK && base_json_get_hex(nonce32, 32, file, "nonce", err) != FM_OK)
        st = base_err_prefix(err, "%s", opening);
    if (st == FM_OK)
        st = cli_officer_key(&r->key, args, err);
    json_decref(file);
    return st;
}

/* The mode, as the options say it; a fresh key, unless it is a representative's. */
static fm_status choose_mode(struct ledger_consent *c, struct did_secret **fresh,
                             const struct represented *r, const struct cli_args *args,
                             struct base_err *err)
{
    c->attestor = cli_value(args, "attestor");
    c->mandate = r->mandate;
    c->mode = c->mandate != NULL ? "mandate" : c->attestor != NULL ? "attested" : "signed";
    if (c->mandate != NULL && c->attestor != NULL)
        return base_err_set(err, FM_E_ARG,
                            "--attestor is for a person, --mandate for a company: not both");
    return r->key != NULL
               ? FM_OK
               : did_secret_generate(fresh, did_suite_usual(), base_random_system(), err);
}

static fm_status form(struct ledger_consent *c, struct represented *r, uint8_t nonce32[32],
                      const struct cli_args *args, struct base_err *err)
{
    struct base_buf identifier = {0};
    uint8_t chain[32];
    fm_status st = consent_form_check(args, err);

    if (st == FM_OK)
        st = consent_form_hex(chain, args, "chain", err);
    if (st == FM_OK)
        st = consent_form_identifier(&identifier, args, err);
    if (st == FM_OK && cli_flag(args, "mandate"))
        st = read_mandate(r, nonce32, args, err);
    if (st == FM_OK)
        st = consent_form_read(c, nonce32, args, chain, base_buf_cstr(&identifier),
                               r->mandate == NULL, err);
    base_buf_release_secret(&identifier);
    return st;
}

static void tell(const struct ledger_consent *parsed)
{
    char id[65];

    base_hex(id, parsed->id, 32);
    printf("consent %s\n  grantee %s, %lld use(s), signed by %s\n", id, parsed->grantee,
           (long long)parsed->uses, parsed->subject);
    if (strcmp(parsed->mode, "attested") == 0)
        printf("  not valid until %s has countersigned it: consent attest, at its counter\n",
               parsed->attestor);
}

static fm_status create(const struct cli_args *args, struct base_err *err)
{
    struct represented r = {NULL, NULL};
    struct ledger_consent consent, parsed;
    struct did_secret *fresh = NULL;
    json_t *document = NULL;
    uint8_t nonce[32];
    fm_status st = form(&consent, &r, nonce, args, err);

    if (st == FM_OK)
        st = choose_mode(&consent, &fresh, &r, args, err);
    if (st == FM_OK)
        st = ledger_consent_build(&document, &consent, r.key != NULL ? r.key : fresh, err);
    if (st == FM_OK)
        st = ledger_subject_sign(document, r.key != NULL ? r.key : fresh, consent.not_before / 1000,
                                 err);
    if (st == FM_OK)
        st = ledger_consent_parse(&parsed, document, err);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "out"), document, 0644, err);
    if (st == FM_OK)
        st = consent_form_write_opening(cli_value(args, "opening"), parsed.id, nonce, err);
    if (st == FM_OK && fresh != NULL)
        st = save_key(args, fresh, err);
    if (st == FM_OK)
        tell(&parsed);
    base_wipe(nonce, sizeof nonce);
    did_secret_free(fresh);
    did_secret_free(r.key);
    json_decref(r.mandate);
    json_decref(document);
    return st;
}

static const struct cli_option create_options[] = {
    {"chain", "HEX", "the ledger's chain id (firmiana status shows it)", CLI_REQUIRED},
    CONSENT_FORM_OPTIONS,
    {"attestor", "ALIAS",
     "a member that will countersign it, once the person has shown who it is (mode attested)",
     CLI_OPTIONAL},
    {"mandate", "FILE", "for a company: its representative's mandate (mode mandate)", CLI_OPTIONAL},
    {"mandate-opening", "FILE", "what came with the mandate", CLI_OPTIONAL},
    {"out", "FILE", "the signed consent, for consent relay or consent attest", CLI_REQUIRED},
    {"opening", "FILE", "what the grantee needs to use it, for query run", CLI_REQUIRED},
    {"key", "FILE",
     "where to keep the sealed key that can revoke; with --mandate: the representative's key",
     CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_PROFILE_OPTION,
    {0}};

const struct cli_command cli_consent_create = {
    "consent create",
    "",
    0,
    0,
    "a subject permits a member to ask about it (runs at the subject)",
    "A fresh key signs the consent, so two consents of one person cannot be linked on the ledger; "
    "the identifier is\n"
    "hidden behind a salted commitment, which only the holder of the opening can show to the "
    "providers.\nThat the key is this person's, nobody has checked: contracts that need more "
    "accept "
    "the modes attested or mandate.",
    create_options,
    create};

static fm_status revoke(const struct cli_args *args, struct base_err *err)
{
    struct did_secret *secret = NULL;
    struct ledger_consent consent;
    json_t *file = NULL, *document = NULL;
    fm_status st = base_json_load_file(&file, args->operands[0], 1 << 20, err);

    if (st == FM_OK && ledger_consent_parse(&consent, file, err) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK)
        st = cli_officer_key(&secret, args, err);
    if (st == FM_OK)
        st = ledger_revocation_build(&document, consent.chain, consent.id, err);
    if (st == FM_OK)
        st = ledger_subject_sign(document, secret, base_clock_unix_ms(base_clock_system()) / 1000,
                                 err);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "out"), document, 0644, err);
    if (st == FM_OK)
        printf("%s: give it to any member for firmiana consent relay\n", cli_value(args, "out"));
    did_secret_free(secret);
    json_decref(document);
    json_decref(file);
    return st;
}

static const struct cli_option revoke_options[] = {
    {"key", "FILE", "the subject's sealed key, from consent create", CLI_REQUIRED},
    {"out", "FILE", "the signed revocation, for consent relay", CLI_REQUIRED},
    CLI_PASSPHRASE_OPTION,
    {0}};

const struct cli_command cli_consent_revoke = {
    "consent revoke",
    "CONSENT.json",
    1,
    1,
    "a subject withdraws a consent (runs at the subject)",
    "CONSENT.json is the signed consent, as consent create --out wrote it.",
    revoke_options,
    revoke};

static fm_status relay_consent(const struct cli_args *args, json_t *document, struct base_err *err)
{
    struct ledger_consent parsed;
    fm_status st = ledger_consent_parse(&parsed, document, err);

    if (st != FM_OK)
        return base_err_prefix(err, "%s", args->operands[0]);
    return cli_submit_named(args, "consent.grant", json_pack("{s:O}", "consent", document),
                            "consent", parsed.id, err);
}

static fm_status relay(const struct cli_args *args, struct base_err *err)
{
    json_t *document;
    const char *type;
    fm_status st = base_json_load_file(&document, args->operands[0], 1 << 20, err);

    if (st == FM_OK && base_json_get_str(&type, document, "type", err) != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    if (st == FM_OK && strcmp(type, "FirmianaRevocation") == 0)
        st = cli_submit_by_node(args, "consent.revoke", json_pack("{s:O}", "revocation", document),
                                "revocation", err);
    else if (st == FM_OK)
        st = relay_consent(args, document, err);
    json_decref(document);
    return st;
}

static const struct cli_option relay_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_consent_relay = {
    "consent relay",
    "FILE",
    1,
    1,
    "a member puts a subject's consent or revocation on the ledger",
    NULL,
    relay_options,
    relay};
