#include "exchange/cli/officers.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/random.h"
#include "did/keystore.h"
#include "did/moment.h"
#include "did/multibase.h"
#include "ledger/proof/tx.h"

fm_status officers_document(struct did_document **out, const struct cli_args *args,
                            struct base_err *err)
{
    json_t *me = NULL, *member = NULL;
    fm_status st = cli_call(&me, args, "me", NULL, err);

    *out = NULL;
    if (st == FM_OK)
        st = cli_call(&member, args, "member.get", json_pack("{s:s}", "name", cli_text(me, "did")),
                      err);
    if (st == FM_OK)
        st = did_document_parse(out, json_object_get(member, "document"), DID_RULES_VERSION, err);
    json_decref(me);
    json_decref(member);
    return st;
}

fm_status officers_key(struct did_key *out, const char *name, struct base_err *err)
{
    struct did_keyfile info;
    fm_status st;

    if (access(name, F_OK) != 0) {
        st = did_multikey_decode(out, name, DID_RULES_VERSION, err);
        return st == FM_OK
                   ? st
                   : base_err_set(err, FM_E_ARG,
                                  "%.120s: neither a key file nor a public key (z6Mk..., as "
                                  "officer create prints it)",
                                  name);
    }
    st = did_keystore_peek(&info, name, err);
    if (st == FM_OK && strcmp(info.role, did_role_name(DID_ROLE_INVOCATION)) != 0)
        st = base_err_set(err, FM_E_ARG, "%s: a key for %s, not an officer's", name, info.role);
    *out = info.key;
    return st;
}

/* FM_OK if the secret is one of the document's officers'. */
static fm_status is_officer(const struct did_document *doc, const struct did_secret *key,
                            struct base_err *err)
{
    size_t n;
    const struct did_method *m = did_document_methods(doc, &n);

    for (size_t i = 0; i < n; i++)
        if ((m[i].roles & DID_ROLE_INVOCATION) != 0 &&
            did_key_equal(&m[i].key, did_secret_key(key)))
            return FM_OK;
    return base_err_set(err, FM_E_REFUSED,
                        "this key is none of the officers' of %s: firmiana officer list shows them",
                        did_document_alias(doc));
}

/* How many officers have signed; every proof verified. */
static fm_status count_signers(size_t *signers, bool *complete, json_t *tx,
                               const struct did_document *doc, struct base_err *err)
{
    struct ledger_tx_auth auth;
    struct ledger_tx parsed;
    fm_status st = ledger_tx_parse_json(&parsed, tx, err);

    if (st != FM_OK)
        return st;
    st = ledger_tx_authenticate(&auth, &parsed, doc, DID_RULES_VERSION, err);
    *signers = st == FM_OK ? auth.signers : 0;
    *complete = st == FM_OK && auth.rule == LEDGER_RULE_OK;
    if (st == FM_OK && auth.rule == LEDGER_RULE_AUTH_ROLE)
        st = base_err_set(err, FM_E_REFUSED, "it is signed by a key that is no officer's");
    ledger_tx_release(&parsed);
    return st;
}

static fm_status pass_on(json_t *tx, size_t signers, const struct did_document *doc,
                         const char *path, const char *what, struct base_err *err)
{
    char until[DID_MOMENT_TEXT], name[128], hex[65];
    uint8_t id[32];
    fm_status st = ledger_tx_id(id, tx, err);

    base_hex(hex, id, 32);
    if (path == NULL) {
        (void)snprintf(name, sizeof name, "%.64s-%.8s.json", what, hex);
        path = name;
    }
    if (st == FM_OK)
        st = cli_write_json(path, tx, 0600, err);
    if (st == FM_OK)
        st = did_moment_format(until, json_integer_value(json_object_get(tx, "not_after")) / 1000,
                               err);
    if (st == FM_OK)
        printf("%s: signed by %zu of the %zu officers that %s needs, good until %s; the next one "
               "runs: firmiana officer sign %s\n",
               path, signers, did_document_threshold(doc), did_document_alias(doc), until, path);
    return st;
}

fm_status officers_sign(const struct cli_args *args, json_t *tx, const struct did_secret *key,
                        const struct did_document *doc, const char *path, const char *what,
                        struct base_err *err)
{
    size_t signers = 0;
    bool complete = false;
    fm_status st = is_officer(doc, key, err);

    if (st == FM_OK)
        st = ledger_tx_sign(tx, key, base_clock_unix_ms(base_clock_system()) / 1000, err);
    if (st == FM_E_CONFLICT)
        return base_err_set(err, FM_E_CONFLICT,
                            "this officer has signed it already: another one must");
    if (st == FM_OK)
        st = count_signers(&signers, &complete, tx, doc, err);
    if (st != FM_OK)
        return st;
    return complete ? cli_submit(args, json_incref(tx), what, err)
                    : pass_on(tx, signers, doc, path, what, err);
}
