/* firmiana consent attest, mandate, withdraw, key: a member's counter, where people come with a
 * paper or a key of their own, and companies send a representative. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "did/key_did.h"
#include "did/keystore.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/consent_form.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/profile.h"

enum { EVIDENCE_MAX = 256 << 20 };

/* The member's own alias and ledger. */
static fm_status who_attests(json_t **me, uint8_t chain32[32], const struct cli_args *args,
                             struct base_err *err)
{
    fm_status st = cli_call(me, args, "me", NULL, err);

    return st == FM_OK ? base_json_get_hex(chain32, 32, *me, "chain", err) : st;
}

/* ---- attest ---- */

static fm_status digest(struct ledger_consent *c, const char *path, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = base_file_read(&bytes, path, EVIDENCE_MAX, err);

    if (st == FM_OK) {
        base_hash(c->evidence, bytes.p, bytes.len);
        c->has_evidence = true;
    }
    base_buf_release_secret(&bytes);
    return st;
}

/* A paper: everything is said here, and the file with its scan stays at the member. */
static fm_status from_paper(json_t **document, uint8_t nonce32[32], const struct cli_args *args,
                            const json_t *me, const uint8_t chain32[32], struct base_err *err)
{
    const char *evidence = cli_value(args, "evidence");
    struct base_buf identifier = {0};
    struct ledger_consent c;
    fm_status st = FM_OK;

    if (evidence == NULL || cli_value(args, "opening") == NULL)
        return base_err_set(err, FM_E_ARG,
                            "consent attest needs a CONSENT.json to countersign, or --evidence and "
                            "--opening for a paper");
    st = consent_form_check(args, err);
    if (st == FM_OK)
        st = consent_form_identifier(&identifier, args, err);
    if (st == FM_OK)
        st = consent_form_read(&c, nonce32, args, chain32, base_buf_cstr(&identifier), true, err);
    if (st == FM_OK) {
        c.mode = "attested";
        c.attestor = cli_text(me, "alias");
        st = digest(&c, evidence, err);
    }
    if (st == FM_OK)
        st = ledger_consent_build(document, &c, NULL, err);
    base_buf_release_secret(&identifier);
    return st;
}

static fm_status submit(const struct cli_args *args, const char *request, json_t *body,
                        const char *what, struct base_err *err)
{
    json_t *value = NULL;
    fm_status st = cli_call(&value, args, request, body, err);

    if (st == FM_OK)
        st = cli_report(args, value, what, err);
    json_decref(value);
    return st;
}

static fm_status attest(const struct cli_args *args, struct base_err *err)
{
    struct ledger_consent parsed;
    json_t *me = NULL, *document = NULL;
    uint8_t chain[32], nonce[32];
    bool paper = args->operand_count == 0;
    fm_status st = who_attests(&me, chain, args, err);

    if (st == FM_OK)
        st = paper ? from_paper(&document, nonce, args, me, chain, err)
                   : base_json_load_file(&document, args->operands[0], 1 << 20, err);
    if (st == FM_OK)
        st = ledger_consent_parse(&parsed, document, err);
    if (st == FM_OK && ledger_consent_is_self_attested(&parsed))
        fprintf(stderr,
                "note: %s attests a permission for itself: everyone who reads the trail "
                "sees this flagged\n",
                parsed.grantee);
    if (st == FM_OK && paper)
        st = consent_form_write_opening(cli_value(args, "opening"), parsed.id, nonce, err);
    if (st == FM_OK)
        st =
            submit(args, "consent.attest", json_pack("{s:O}", "consent", document), "consent", err);
    base_wipe(nonce, sizeof nonce);
    json_decref(document);
    json_decref(me);
    return st;
}

static const struct cli_option attest_options[] = {
    CLI_HOME_OPTION,
    CONSENT_FORM_OPTIONS,
    {"evidence", "FILE", "the scan or record that the member keeps; its SHA-256 goes on the ledger",
     CLI_OPTIONAL},
    {"opening", "FILE", "where to write what the grantee needs to use it", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_consent_attest = {
    "consent attest",
    "[CONSENT.json]",
    0,
    1,
    "a member says that this person consented: on paper, or with the key that it countersigns",
    "With CONSENT.json, from consent create --attestor, after the person has shown who it is. "
    "Without it, for a paper:\n"
    "--identifier, --scheme, --grantee, --contract or --purpose, --evidence and --opening say what "
    "was signed.",
    attest_options,
    attest};

/* ---- withdraw ---- */

static fm_status withdraw(const struct cli_args *args, struct base_err *err)
{
    return submit(args, "consent.withdraw", json_pack("{s:s}", "consent", args->operands[0]),
                  "revocation", err);
}

static const struct cli_option withdraw_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_consent_withdraw = {
    "consent withdraw",
    "ID",
    1,
    1,
    "a member withdraws a consent that it attested, for the person at its counter",
    "ID is the consent's, 64 hex digits, as audit subject and the opening have it.",
    withdraw_options,
    withdraw};

/* ---- representatives ---- */

static fm_status key(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "out");
    struct did_passphrase *pass = NULL;
    struct did_secret *secret = NULL;
    char did[DID_KEY_DID_TEXT];
    fm_status st = cli_passphrase(&pass, args, CLI_PASSPHRASE_NEW, err);

    if (st == FM_OK)
        st = did_secret_generate(&secret, did_suite_usual(), base_random_system(), err);
    if (st == FM_OK)
        st = did_key_did_encode(did, did_secret_key(secret), err);
    if (st == FM_OK)
        st = did_keystore_save(out, DID_KEYSTORE_NEW, secret, "subject",
                               base_clock_unix_ms(base_clock_system()) / 1000, pass, NULL,
                               base_random_system(), err);
    if (st == FM_OK)
        printf("%s: sealed; give this to the member that will attest the mandate\n%s\n", out, did);
    did_secret_free(secret);
    did_passphrase_free(pass);
    return st;
}

static const struct cli_option key_options[] = {
    {"out", "FILE", "where to keep the sealed key", CLI_REQUIRED}, CLI_PASSPHRASE_OPTION, {0}};

const struct cli_command cli_consent_key = {
    "consent key",
    "",
    0,
    0,
    "a company's representative makes a key (runs at the representative)",
    NULL,
    key_options,
    key};

static fm_status build_mandate(json_t **out, uint8_t nonce32[32], const struct cli_args *args,
                               const json_t *me, const uint8_t chain32[32], struct base_err *err)
{
    const char *valid = cli_value(args, "valid-for");
    int64_t valid_ms = 365LL * 86400000;
    struct ledger_mandate m = {.attestor = cli_text(me, "alias"),
                               .representative = cli_value(args, "representative"),
                               .scheme = cli_value(args, "scheme")};
    struct base_buf identifier = {0};
    fm_status st = consent_form_identifier(&identifier, args, err);

    if (st == FM_OK && valid != NULL)
        st = cli_duration(&valid_ms, valid, "valid-for", err);
    if (st == FM_OK)
        st = base_random_fill(base_random_system(), nonce32, 32, err);
    if (st == FM_OK) {
        m.expires = base_clock_unix_ms(base_clock_system()) + valid_ms;
        memcpy(m.chain, chain32, 32);
        ledger_subject_commit(m.commitment, chain32, (const char *)identifier.p, identifier.len,
                              nonce32);
        st = ledger_mandate_build(out, &m, err);
    }
    base_buf_release_secret(&identifier);
    return st;
}

static fm_status write_nonce(const char *path, const uint8_t nonce32[32], struct base_err *err)
{
    char nonce[65];
    json_t *file;
    fm_status st;

    base_hex(nonce, nonce32, 32);
    file = json_pack("{s:s}", "nonce", nonce);
    st = file != NULL ? cli_write_json(path, file, 0600, err) : base_err_memory(err, path);
    json_decref(file);
    return st;
}

static fm_status mandate(const struct cli_args *args, struct base_err *err)
{
    json_t *me = NULL, *document = NULL, *value = NULL;
    uint8_t chain[32], nonce[32];
    fm_status st = who_attests(&me, chain, args, err);

    if (st == FM_OK)
        st = build_mandate(&document, nonce, args, me, chain, err);
    if (st == FM_OK)
        st =
            cli_call(&value, args, "consent.mandate", json_pack("{s:O}", "mandate", document), err);
    if (st == FM_OK)
        st = cli_write_json(cli_value(args, "out"), json_object_get(value, "mandate"), 0644, err);
    if (st == FM_OK)
        st = write_nonce(cli_value(args, "opening"), nonce, err);
    if (st == FM_OK)
        printf("%s, %s: give both to the representative, who signs consents with them: consent "
               "create --mandate\n",
               cli_value(args, "out"), cli_value(args, "opening"));
    base_wipe(nonce, sizeof nonce);
    json_decref(value);
    json_decref(document);
    json_decref(me);
    return st;
}

static const struct cli_option mandate_options[] = {
    CLI_HOME_OPTION,
    {"representative", "DID", "the representative's did:key, from consent key", CLI_REQUIRED},
    {"identifier", "ID", "the company's identifier, as the datasets hold it", CLI_OPTIONAL},
    {"identifier-file", "FILE", "the same from a file", CLI_OPTIONAL},
    {"scheme", "SCHEME", "its scheme: cn.uscc, ...", CLI_REQUIRED},
    {"valid-for", "TIME", "how long: 365d (default), 30d, ...", CLI_OPTIONAL},
    {"out", "FILE", "the signed mandate", CLI_REQUIRED},
    {"opening", "FILE", "what opens its commitment to the company", CLI_REQUIRED},
    CLI_PROFILE_OPTION,
    {0}};

const struct cli_command cli_consent_mandate = {
    "consent mandate",
    "",
    0,
    0,
    "a member says that this key's holder represents this company",
    "Whoever runs this has seen the company's register entry and the representative's papers. The "
    "mandate goes into\n"
    "every consent that the representative signs; it can be used until it expires.",
    mandate_options,
    mandate};
