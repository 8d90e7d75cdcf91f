#include "exchange/cli/identity.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "did/draft.h"
#include "did/keystore.h"
#include "ledger/proof/rules.h"

static fm_status fresh(struct did_secret **out, struct base_err *err)
{
    return did_secret_generate(out, did_suite_usual(), base_random_system(), err);
}

static fm_status first_document(struct did_document **out, const struct identity *id,
                                const char *alias, const struct did_key *officers, size_t n,
                                size_t threshold, json_t *services, struct base_err *err)
{
    struct did_draft draft = {0};
    uint8_t commitment[32];
    fm_status st;

    did_recovery_commit(commitment, did_secret_key(id->recovery));
    st = did_draft_first(&draft, NULL, alias, commitment, err);
    if (st == FM_OK)
        st = did_draft_add(&draft, did_secret_key(id->keys.authentication), DID_ROLE_AUTHENTICATION,
                           err);
    if (st == FM_OK)
        st = did_draft_add(&draft, did_secret_key(id->keys.assertion), DID_ROLE_ASSERTION, err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = did_draft_add(&draft, &officers[i], DID_ROLE_INVOCATION, err);
    draft.threshold = threshold;
    draft.service = json_incref(services);
    if (st == FM_OK)
        st = did_draft_build(out, &draft, DID_RULES_VERSION, err);
    did_draft_release(&draft);
    return st;
}

fm_status identity_new(struct identity *out, const char *alias, const char *endpoint,
                       json_t *services, struct base_err *err)
{
    struct did_secret *officer;
    fm_status st = fresh(&officer, err);

    *out = (struct identity){0};
    if (st != FM_OK)
        return st;
    st = identity_new_for(out, alias, endpoint, did_secret_key(officer), 1, 1, services, err);
    if (st == FM_OK)
        out->keys.officer = officer;
    else
        did_secret_free(officer);
    return st;
}

fm_status identity_new_for(struct identity *out, const char *alias, const char *endpoint,
                           const struct did_key *officers, size_t n, size_t threshold,
                           json_t *services, struct base_err *err)
{
    struct did_document *doc = NULL;
    fm_status st = FM_OK;

    *out = (struct identity){0};
    if (fresh(&out->keys.authentication, err) != FM_OK ||
        fresh(&out->keys.assertion, err) != FM_OK || fresh(&out->keys.salts, err) != FM_OK ||
        fresh(&out->recovery, err) != FM_OK)
        st = err->code;
    if (st == FM_OK)
        st = first_document(&doc, out, alias, officers, n, threshold, services, err);
    if (st == FM_OK) {
        /* Every member may take every part; a consortium that wants less edits member.json before
         * genesis. */
        out->member =
            json_pack("{s:s,s:O,s:[ssss],s:s}", "alias", alias, "document", did_document_json(doc),
                      "roles", "asker", "provider", "compute", "regulator", "endpoint", endpoint);
        if (out->member == NULL)
            st = base_err_memory(err, "member");
    }
    did_document_free(doc);
    if (st != FM_OK)
        identity_release(out);
    return st;
}

void identity_release(struct identity *id)
{
    did_secret_free(id->keys.authentication);
    did_secret_free(id->keys.assertion);
    did_secret_free(id->keys.salts);
    did_secret_free(id->keys.officer);
    did_secret_free(id->recovery);
    json_decref(id->member);
    *id = (struct identity){0};
}

fm_status identity_save(const struct identity *id, const char *dir,
                        const struct did_passphrase *pass, struct base_err *err)
{
    const struct {
        const char *file;
        const char *role;
        const struct did_secret *secret;
    } keys[] = {{"keys/authentication.json", "authentication", id->keys.authentication},
                {"keys/assertion.json", "assertionMethod", id->keys.assertion},
                {"keys/officer.json", "capabilityInvocation", id->keys.officer},
                {"keys/recovery.json", "recovery", id->recovery},
                {"keys/salts.json", "row-salts", id->keys.salts}};
    int64_t now_s = base_clock_unix_ms(base_clock_system()) / 1000;
    char path[HOME_PATH];

    if (home_path(path, dir, "keys", err) != FM_OK)
        return err->code;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return base_err_errno(err, path);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].secret != NULL &&
            (home_path(path, dir, keys[i].file, err) != FM_OK ||
             did_keystore_save(path, DID_KEYSTORE_NEW, keys[i].secret, keys[i].role, now_s, pass,
                               NULL, base_random_system(), err) != FM_OK))
            return err->code;
    return FM_OK;
}

static int by_alias(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;

    return strcmp(json_string_value(json_object_get(*x, "alias")),
                  json_string_value(json_object_get(*y, "alias")));
}

static fm_status sorted(json_t **out, json_t *members, struct base_err *err)
{
    json_t *list[64], *item;
    size_t i, n = json_array_size(members);

    *out = json_array();
    if (n == 0 || n > 64)
        return base_err_set(err, FM_E_ARG, "a ledger begins with 1 to 64 members, not %zu", n);
    json_array_foreach(members, i, item)
    {
        if (!json_is_string(json_object_get(item, "alias")))
            return base_err_set(err, FM_E_INPUT, "member %zu: no alias: is it a member.json?",
                                i + 1);
        list[i] = item;
    }
    for (i = 1; i < n; i++) { /* insertion sort: at most 64 */
        json_t *moving = list[i];
        size_t at = i;
        for (; at > 0 && by_alias(&list[at - 1], &moving) > 0; at--)
            list[at] = list[at - 1];
        list[at] = moving;
    }
    for (i = 0; i < n; i++)
        if (json_array_append(*out, list[i]) != 0)
            return base_err_memory(err, "genesis");
    return FM_OK;
}

fm_status identity_genesis(struct base_buf *out, const char *name, json_t *members, int64_t quorum,
                           const char *sequencer, enum identity_consortium kind, int64_t now_ms,
                           struct base_err *err)
{
    json_t *list = NULL, *genesis;
    fm_status st = sorted(&list, members, err);

    if (st != FM_OK) {
        json_decref(list);
        return st;
    }
    genesis = json_pack(
        "{s:i,s:s,s:s,s:I,s:i,s:O,s:I,s:s,s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}}", "format",
        1, "name", name, "profile", base_profile_is_national() ? "national" : "international",
        "time", (json_int_t)now_ms, "rules_version", LEDGER_RULES_VERSION, "members", list,
        "quorum", (json_int_t)quorum, "sequencer", sequencer, "limits", "tx_bytes", 262144,
        "block_txs", 4096, "block_bytes", 4194304, "not_after_ms", 86400000, "refused_per_day",
        1000, "open_queries", 64, "unreceipted_queries", 16, "consent_uses", 1000, "deadline_ms",
        3600000, "minimum_group", kind == IDENTITY_REAL ? 5 : 1);
    st = genesis != NULL ? base_json_canonical(out, genesis, err) : base_err_memory(err, "genesis");
    json_decref(genesis);
    json_decref(list);
    return st;
}
