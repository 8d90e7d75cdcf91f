/* firmiana did key, did rotate, did recover: new keys for a member, by its officers, or by its
 * recovery key when theirs are lost or stolen. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "did/draft.h"
#include "did/keystore.h"
#include "did/suite.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/keys.h"
#include "exchange/cli/officers.h"

#define RECOVERY "recovery"

/* ---- did key ---- */

static fm_status key(const struct cli_args *args, struct base_err *err)
{
    static const char *const purposes[] = {"authentication", "assertionMethod", RECOVERY, NULL};
    struct did_secret *secret = NULL;
    fm_status st;
    size_t i = 0;

    while (purposes[i] != NULL && strcmp(purposes[i], args->operands[0]) != 0)
        i++;
    if (purposes[i] == NULL)
        return base_err_set(err, FM_E_ARG,
                            "'%.40s': there are authentication, assertionMethod and recovery (an "
                            "officer's: officer create)",
                            args->operands[0]);
    st = cli_new_key(&secret, args, did_suite_usual(), purposes[i], err);
    if (st == FM_OK)
        printf("%s: a key for %s, sealed\n", cli_value(args, "out"), purposes[i]);
    did_secret_free(secret);
    return st;
}

static const struct cli_option key_options[] = {
    {"out", "FILE", "where to keep the sealed key", CLI_REQUIRED}, CLI_PASSPHRASE_OPTION, {0}};

const struct cli_command cli_did_key = {
    "did key",
    "authentication|assertionMethod|recovery",
    1,
    1,
    "make a new key of a member's node, or a new recovery key, for did rotate or did recover",
    "A node's key is sealed under the node's own passphrase; a recovery key under another one, for "
    "a safe.",
    key_options,
    key};

/* ---- the next document ---- */

/* Takes the role from every key that has it; keys without any go. */
static void clear_role(struct did_draft *draft, enum did_role role)
{
    size_t kept = 0;

    for (size_t i = 0; i < draft->n_keys; i++) {
        draft->keys[i].roles &= ~(unsigned)role;
        if (draft->keys[i].roles != 0)
            draft->keys[kept++] = draft->keys[i];
    }
    draft->n_keys = kept;
}

static fm_status role_of(enum did_role *out, struct did_key *key, const char *path,
                         struct base_err *err)
{
    struct did_keyfile info;
    fm_status st = did_keystore_peek(&info, path, err);

    *key = info.key;
    for (size_t i = 0; st == FM_OK && i < DID_ROLE_COUNT; i++)
        if (strcmp(did_role_name(did_roles[i]), info.role) == 0) {
            *out = did_roles[i];
            return FM_OK;
        }
    return st != FM_OK ? st
                       : base_err_set(err, FM_E_ARG, "%s: a key for %s has no place in a document",
                                      path, info.role);
}

/* The keys of --with in place of those that had their roles; *roles: which. */
static fm_status replace_keys(struct did_draft *draft, unsigned *roles, const struct cli_args *args,
                              struct base_err *err)
{
    const char *path;
    fm_status st = FM_OK;

    *roles = 0;
    for (size_t i = 0; st == FM_OK && (path = cli_value_at(args, "with", i)) != NULL; i++) {
        struct did_key fresh;
        enum did_role role = DID_ROLE_INVOCATION;
        st = role_of(&role, &fresh, path, err);
        if (st == FM_OK && (*roles & (unsigned)role) == 0)
            clear_role(draft, role);
        if (st == FM_OK)
            st = did_draft_add(draft, &fresh, (unsigned)role, err);
        if (st == FM_OK)
            *roles |= (unsigned)role;
    }
    return st;
}

/* {"document", "previous"} of what follows doc. */
static fm_status make_body(json_t **out, const struct did_draft *draft,
                           const struct did_document *doc, struct base_err *err)
{
    struct did_document *next = NULL;
    char previous[65];
    fm_status st = did_draft_build(&next, draft, DID_RULES_VERSION, err);

    *out = NULL;
    base_hex(previous, did_document_hash32(doc), 32);
    if (st == FM_OK) {
        *out = json_pack("{s:O,s:s}", "document", did_document_json(next), "previous", previous);
        st = *out != NULL ? FM_OK : base_err_memory(err, "document");
    }
    did_document_free(next);
    return st;
}

/* Said first: where the quorum needs this member, the change is final only once its node signs with
 * the new key. */
static void say_what_next(const struct cli_args *args, unsigned roles)
{
    if (!cli_flag(args, "json") && (roles & (DID_ROLE_AUTHENTICATION | DID_ROLE_ASSERTION)) != 0)
        puts("from the block of this change on the node's old keys are refused everywhere: put the "
             "new ones into HOME/keys, and restart the node");
    (void)fflush(stdout);
}

/* ---- did rotate ---- */

static fm_status rotate(const struct cli_args *args, struct base_err *err)
{
    struct did_document *doc = NULL;
    struct did_draft draft = {0};
    json_t *body = NULL;
    unsigned roles = 0;
    fm_status st = officers_document(&doc, args, err);

    if (st == FM_OK)
        st = did_draft_next(&draft, doc, err);
    if (st == FM_OK)
        st = replace_keys(&draft, &roles, args, err);
    if (st == FM_OK && (roles & DID_ROLE_INVOCATION) != 0)
        st = base_err_set(err, FM_E_ARG,
                          "--with: officers change by officer add and officer remove");
    if (st == FM_OK)
        st = make_body(&body, &draft, doc, err);
    if (st == FM_OK) {
        say_what_next(args, roles);
        st = cli_submit_by_officer(args, LEDGER_TX_DID_UPDATE, body, "new keys", err);
    }
    did_draft_release(&draft);
    did_document_free(doc);
    return st;
}

static const struct cli_option rotate_options[] = {
    CLI_HOME_OPTION,
    {"with", "FILE", "a new key of did key: it takes the place of those with its role",
     CLI_REQUIRED | CLI_REPEATED},
    CLI_KEY_OPTION,
    CLI_PARTIAL_OPTION,
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_did_rotate = {
    "did rotate",
    "",
    0,
    0,
    "officers give this member's node new keys",
    "What the old keys signed before stays valid; from the block of the change on they are refused "
    "on the ledger, in\n"
    "channels (open ones end) and in running queries. Put the new files into HOME/keys "
    "(authentication.json,\n"
    "assertion.json) and restart the node.",
    rotate_options,
    rotate};

/* ---- did recover ---- */

static fm_status commit_to(struct did_draft *draft, const char *path, struct base_err *err)
{
    struct did_keyfile info;
    fm_status st = did_keystore_peek(&info, path, err);

    if (st == FM_OK && strcmp(info.role, RECOVERY) != 0)
        st = base_err_set(err, FM_E_ARG, "%s: a key for %s, not for recovery", path, info.role);
    if (st == FM_OK)
        did_recovery_commit(draft->recovery32, &info.key);
    return st;
}

/* The current document of --of, else of this member. */
static fm_status whose_document(struct did_document **out, const struct cli_args *args,
                                struct base_err *err)
{
    const char *name = cli_value(args, "of");
    json_t *member = NULL;
    fm_status st;

    if (name == NULL)
        return officers_document(out, args, err);
    st = cli_call(&member, args, "member.get", json_pack("{s:s}", "name", name), err);
    if (st == FM_OK)
        st = did_document_parse(out, json_object_get(member, "document"), DID_RULES_VERSION, err);
    json_decref(member);
    return st;
}

/* What follows doc: it, or, where that is deactivated and has nothing left, the one before it. */
static fm_status begin_recovery(struct did_draft *draft, const struct did_document *doc,
                                const struct cli_args *args, struct base_err *err)
{
    struct did_document *before = NULL;
    json_t *value = NULL;
    fm_status st;

    if (!did_document_is_deactivated(doc))
        return did_draft_next(draft, doc, err);
    st = cli_call(&value, args, "did.resolve",
                  json_pack("{s:s,s:I}", "did", did_document_id(doc), "version",
                            (json_int_t)did_document_version(doc) - 1),
                  err);
    if (st == FM_OK)
        st =
            did_document_parse(&before, json_object_get(value, "document"), DID_RULES_VERSION, err);
    if (st == FM_OK)
        st = did_draft_next(draft, before, err);
    draft->version = did_document_version(doc) + 1;
    memcpy(draft->previous32, did_document_hash32(doc), 32);
    did_document_free(before);
    json_decref(value);
    return st;
}

static fm_status recover(const struct cli_args *args, struct base_err *err)
{
    struct did_document *doc = NULL;
    struct did_draft draft = {0};
    json_t *body = NULL;
    unsigned roles = 0;
    int64_t threshold = 1;
    fm_status st = whose_document(&doc, args, err);

    if (st == FM_OK)
        st = begin_recovery(&draft, doc, args, err);
    if (st == FM_OK)
        st = replace_keys(&draft, &roles, args, err);
    if (st == FM_OK && (roles & DID_ROLE_INVOCATION) == 0)
        st = base_err_set(err, FM_E_ARG,
                          "--with: needed is an officer's key at least, of officer create: whoever "
                          "has the present ones could undo the recovery");
    if (st == FM_OK)
        st = commit_to(&draft, cli_value(args, "new-recovery"), err);
    if (st == FM_OK)
        st = cli_int(&threshold, args, "threshold", 1, DID_KEYS_MAX, err);
    draft.threshold = (size_t)threshold;
    if (st == FM_OK)
        st = make_body(&body, &draft, doc, err);
    if (st == FM_OK) {
        say_what_next(args, roles);
        st = cli_submit_by_key(args, did_document_id(doc), LEDGER_TX_DID_RECOVER, body, "recovery",
                               err);
    }
    did_draft_release(&draft);
    did_document_free(doc);
    return st;
}

static const struct cli_option recover_options[] = {
    CLI_HOME_OPTION,
    {"key", "FILE", "the recovery key, from its safe", CLI_REQUIRED},
    {"of", "MEMBER", "at another member's node: whose DID, once it is deactivated", CLI_OPTIONAL},
    {"new-recovery", "FILE", "the next one (did key recovery): the present one is shown by its use",
     CLI_REQUIRED},
    {"with", "FILE",
     "a new key, of officer create or did key: those with its role go; an officer's at least",
     CLI_REQUIRED | CLI_REPEATED},
    {"threshold", "K", "how many of the new officers sign together (default 1)", CLI_OPTIONAL},
    CLI_PASSPHRASE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_did_recover = {
    "did recover",
    "",
    0,
    0,
    "take a member's DID back with its recovery key, when its officers' keys are lost or stolen",
    "Nobody without that key can prevent it: officers cannot change which one it is. What they "
    "changed in the 72 hours\n"
    "before counts as overridden (did resolve says so). If they deactivated the DID in that time, "
    "this undoes it: from the\nnode of another member, with --of, since nobody talks to that "
    "member's; its membership then takes a vote (governance\npropose reinstate).",
    recover_options,
    recover};
