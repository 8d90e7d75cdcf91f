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
#include "exchange/cli/keys.h"
#include "ledger/inner.h"

static fm_status hex_option(uint8_t out32[32], const struct cli_args *args, const char *name,
                            struct base_err *err)
{
    const char *text = cli_value(args, name);

    if (!base_unhex(out32, 32, text, strlen(text)))
        return base_err_set(err, FM_E_ARG, "--%s must be 64 lower-case hex digits", name);
    return FM_OK;
}

/* What the command line says, and the fresh nonce. */
static fm_status read_consent(struct ledger_consent *c, uint8_t nonce32[32],
                              const struct cli_args *args, struct base_err *err)
{
    const char *identifier = cli_value(args, "identifier"), *valid = cli_value(args, "valid-for");
    int64_t valid_ms = 30LL * 86400000;

    *c = (struct ledger_consent){.mode = "signed",
                                 .scheme = cli_value(args, "scheme"),
                                 .grantee = cli_value(args, "grantee"),
                                 .purpose = cli_value(args, "purpose"),
                                 .uses = 1};
    c->has_contract = cli_flag(args, "contract");
    if (c->has_contract == (c->purpose != NULL))
        return base_err_set(err, FM_E_ARG,
                            "consent create needs exactly one of --contract and --purpose");
    if (hex_option(c->chain, args, "chain", err) != FM_OK ||
        (c->has_contract && hex_option(c->contract, args, "contract", err) != FM_OK) ||
        cli_int(&c->uses, args, "uses", 1, 1000000, err) != FM_OK ||
        (valid != NULL && cli_duration(&valid_ms, valid, "valid-for", err) != FM_OK) ||
        base_random_fill(base_random_system(), nonce32, 32, err) != FM_OK)
        return err->code;
    c->not_before = base_clock_unix_ms(base_clock_system());
    c->expires = c->not_before + valid_ms;
    ledger_subject_commit(c->commitment, c->chain, identifier, strlen(identifier), nonce32);
    return FM_OK;
}

/* What the asker needs to open the commitment towards the providers: no key in it. */
static fm_status write_opening(const char *path, const struct ledger_consent *parsed,
                               const uint8_t nonce32[32], struct base_err *err)
{
    char id[65], nonce[65];
    json_t *file;
    fm_status st;

    base_hex(id, parsed->id, 32);
    base_hex(nonce, nonce32, 32);
    file = json_pack("{s:s,s:s}", "consent", id, "nonce", nonce);
    st = file != NULL ? cli_write_json(path, file, 0600, err) : base_err_memory(err, path);
    json_decref(file);
    return st;
}

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

static fm_status create(const struct cli_args *args, struct base_err *err)
{
    struct ledger_consent consent, parsed;
    struct did_secret *secret = NULL;
    json_t *document = NULL;
    uint8_t nonce[32];
    char id[65];
    fm_status st = read_consent(&consent, nonce, args, err);

    if (st == FM_OK)
        st = did_secret_generate(&secret, did_suite_ed25519(), base_random_system(), err);
    if (st == FM_OK)
        st = ledger_consent_build(&document, &consent, secret, err);
    if (st == FM_OK)
        st = ledger_subject_sign(document, secret, consent.not_before / 1000, err);
    if (st == FM_OK)
        st = ledger_consent_parse(&parsed, document, err);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "out"), document, 0644, err);
    if (st == FM_OK)
        st = write_opening(cli_value(args, "opening"), &parsed, nonce, err);
    if (st == FM_OK)
        st = save_key(args, secret, err);
    if (st == FM_OK) {
        base_hex(id, parsed.id, 32);
        printf("consent %s\n  grantee %s, %lld use(s), signed by %s\n", id, consent.grantee,
               (long long)consent.uses, parsed.subject);
    }
    base_wipe(nonce, sizeof nonce);
    did_secret_free(secret);
    json_decref(document);
    return st;
}

static const struct cli_option create_options[] = {
    {"chain", "HEX", "the ledger's chain id (firmiana status shows it)", CLI_REQUIRED},
    {"identifier", "ID", "the subject's identifier, as the datasets hold it", CLI_REQUIRED},
    {"scheme", "SCHEME", "its scheme: cn.id, cn.uscc, ...", CLI_REQUIRED},
    {"grantee", "ALIAS", "the member that may ask", CLI_REQUIRED},
    {"contract", "HEX", "for this contract only", CLI_OPTIONAL},
    {"purpose", "TEXT", "or: for any contract with this purpose", CLI_OPTIONAL},
    {"uses", "N", "how many queries (default 1)", CLI_OPTIONAL},
    {"valid-for", "TIME", "how long: 30d, 12h, 90s (default 30d)", CLI_OPTIONAL},
    {"out", "FILE", "the signed consent, for consent relay", CLI_REQUIRED},
    {"opening", "FILE", "what the grantee needs to use it, for query run", CLI_REQUIRED},
    {"key", "FILE", "where to keep the sealed key that can revoke", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
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
    "providers.",
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
        st = cli_submit_by_node(args, "consent.grant", json_pack("{s:O}", "consent", document),
                                "consent", err);
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
