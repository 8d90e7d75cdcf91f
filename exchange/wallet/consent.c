#include "exchange/wallet/consent.h"

#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "exchange/wallet/ledger.h"

/* How many numbers beyond the last one that was seen are looked for in a trail: DIDs for mandates
 * that no consent shows leave gaps, and so does a recovery: it must stay well below. */
enum { GAP = 40, STRIDE = 20 };

static uint64_t number_of(const json_t *record)
{
    return (uint64_t)json_integer_value(json_object_get(record, "number"));
}

/* The moment, or the next that no consent for that counterpart has. */
static uint64_t free_moment(const struct wallet *w, const char *peer, int64_t now_ms)
{
    uint64_t moment = (uint64_t)now_ms;
    const json_t *item;
    bool taken = true;
    size_t i;

    while (taken) {
        taken = false;
        json_array_foreach(wallet_list(w, "consents"), i, item)
        {
            if (number_of(item) == moment && strcmp(wallet_text(item, "peer"), peer) == 0)
                taken = true;
        }
        moment += taken;
    }
    return moment;
}

bool wallet_is_unsearched(const struct wallet *w)
{
    return json_is_true(json_object_get(w->content, "recovered"));
}

fm_status wallet_check_searched(const struct wallet *w, struct base_err *err)
{
    return !wallet_is_unsearched(w)
               ? FM_OK
               : base_err_set(err, FM_E_CONFLICT,
                              "the wallet was recovered and does not know which keys it has used: "
                              "firmiana wallet find TRAIL first, with a whole trail that any "
                              "member exports");
}

uint64_t wallet_stride(const struct wallet *w, enum wallet_use use, const char *peer)
{
    const json_t *item;
    size_t i;

    if (json_object_get(w->content, "recovered") == NULL)
        return 1;
    json_array_foreach(wallet_list(w, "identities"), i, item)
    {
        if (strcmp(wallet_text(item, "use"), wallet_use_name(use)) == 0 &&
            strcmp(wallet_text(item, "peer"), peer) == 0 && json_object_get(item, "found") == NULL)
            return 1;
    }
    return STRIDE;
}

/* ---- signing ---- */

static fm_status take_mandate(struct wallet_draft *d, const struct wallet *w, const char *did,
                              struct base_err *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach(wallet_list(w, "mandates"), i, item)
    {
        if (strcmp(wallet_text(item, "did"), did) != 0)
            continue;
        d->use = WALLET_MANDATE;
        d->number = 0;
        d->mandate = json_object_get(item, "mandate");
        if (base_json_get_hex(d->nonce, 32, item, "nonce", err) != FM_OK)
            return err->code;
        return wallet_identity_key(&d->key, NULL, w, did, err);
    }
    return base_err_set(err, FM_E_NOT_FOUND,
                        "the wallet has no mandate for %.80s: wallet receive MANDATE --opening "
                        "FILE",
                        did);
}

fm_status wallet_consent_begin(struct wallet_draft *d, const struct wallet *w, const char *grantee,
                               const char *did, int64_t now_ms, struct base_err *err)
{
    fm_status st;

    *d = (struct wallet_draft){.use = WALLET_CONSENT};
    st = wallet_ledger_did(&d->peer, w, grantee, err);
    if (st == FM_OK && now_ms < 1)
        st = base_err_set(err, FM_E_ARG, "the clock says %lld ms: it is wrong", (long long)now_ms);
    if (st != FM_OK)
        return st;
    if (did != NULL)
        return take_mandate(d, w, did, err);
    d->number = free_moment(w, d->peer, now_ms);
    st = wallet_nonce(d->nonce, w, d->peer, d->number, err);
    return st == FM_OK ? wallet_key(&d->key, w, WALLET_CONSENT, d->peer, d->number, err) : st;
}

void wallet_draft_release(struct wallet_draft *d)
{
    did_secret_free(d->key);
    base_wipe(d->nonce, sizeof d->nonce);
    d->key = NULL;
}

static fm_status keep(json_t **out, struct wallet *w, const struct wallet_draft *d,
                      json_t *document, const char *identifier, struct base_err *err)
{
    struct ledger_consent parsed;
    char id[65];
    json_t *record;
    fm_status st = ledger_consent_parse(&parsed, document, err);

    if (st != FM_OK)
        return st;
    base_hex(id, parsed.id, 32);
    record = json_pack("{s:O,s:s,s:s*,s:I,s:s,s:s}", "consent", document, "id", id, "identifier",
                       identifier, "number", (json_int_t)d->number, "peer", d->peer, "use",
                       wallet_use_name(d->use));
    if (record == NULL || json_array_append_new(wallet_list(w, "consents"), record) != 0)
        return base_err_memory(err, "wallet");
    *out = record;
    return FM_OK;
}

fm_status wallet_consent_sign(const json_t **out, struct wallet *w, const struct wallet_draft *d,
                              struct ledger_consent *consent, const char *identifier,
                              struct base_err *err)
{
    json_t *document = NULL, *record = NULL;
    fm_status st;

    if (d->use == WALLET_CONSENT) { /* its key is that moment's */
        consent->expires += (int64_t)d->number - consent->not_before;
        consent->not_before = (int64_t)d->number;
    }
    consent->mandate = d->mandate;
    consent->mode = d->mandate != NULL          ? "mandate"
                    : consent->attestor != NULL ? "attested"
                                                : "signed";
    st = ledger_consent_build(&document, consent, d->key, err);
    if (st == FM_OK)
        st = ledger_subject_sign(document, d->key, consent->not_before / 1000, err);
    if (st == FM_OK)
        st = keep(&record, w, d, document, identifier, err);
    json_decref(document);
    *out = record;
    return st;
}

/* ---- what was signed ---- */

static fm_status key_of(struct did_secret **out, const struct wallet *w, const json_t *record,
                        struct base_err *err)
{
    if (strcmp(wallet_text(record, "use"), "mandate") == 0)
        return wallet_identity_key(out, NULL, w,
                                   wallet_text(json_object_get(record, "consent"), "subject"), err);
    return wallet_key(out, w, WALLET_CONSENT, wallet_text(record, "peer"), number_of(record), err);
}

/* Under a mandate the nonce is the mandate's. */
static fm_status nonce_of(uint8_t out32[32], const struct wallet *w, const json_t *record,
                          struct base_err *err)
{
    struct wallet_draft d = {.key = NULL};
    fm_status st;

    if (strcmp(wallet_text(record, "use"), "mandate") != 0)
        return wallet_nonce(out32, w, wallet_text(record, "peer"), number_of(record), err);
    st = take_mandate(&d, w, wallet_text(json_object_get(record, "consent"), "subject"), err);
    memcpy(out32, d.nonce, 32);
    wallet_draft_release(&d);
    return st;
}

fm_status wallet_consent_opening(json_t **out, const struct wallet *w, const json_t *record,
                                 struct base_err *err)
{
    uint8_t nonce[32];
    char hex[65];
    fm_status st = nonce_of(nonce, w, record, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    base_hex(hex, nonce, 32);
    *out = json_pack("{s:s,s:s}", "consent", wallet_text(record, "id"), "nonce", hex);
    base_wipe(nonce, sizeof nonce);
    base_wipe(hex, sizeof hex);
    return *out != NULL ? FM_OK : base_err_memory(err, "opening");
}

fm_status wallet_consent_revoke(const json_t **out, const struct wallet *w, json_t *record,
                                int64_t now_s, struct base_err *err)
{
    struct ledger_consent consent;
    struct did_secret *key = NULL;
    json_t *document = NULL;
    fm_status st;

    *out = json_object_get(record, "revocation");
    if (*out != NULL)
        return FM_OK;
    st = ledger_consent_parse(&consent, json_object_get(record, "consent"), err);
    if (st == FM_OK)
        st = ledger_revocation_build(&document, consent.chain, consent.id, err);
    if (st == FM_OK)
        st = key_of(&key, w, record, err);
    if (st == FM_OK)
        st = ledger_subject_sign(document, key, now_s, err);
    if (st == FM_OK && json_object_set(record, "revocation", document) != 0)
        st = base_err_memory(err, "wallet");
    did_secret_free(key);
    json_decref(document);
    *out = json_object_get(record, "revocation");
    return st;
}

/* ---- finding them again ---- */

/* The DIDs for mandates of one counterpart. */
static fm_status look_ahead(struct wallet_search *s, const char *peer, uint64_t from, uint64_t to,
                            struct base_err *err)
{
    for (uint64_t number = from; number <= to; number++) {
        char did[DID_KEY_DID_TEXT];
        fm_status st = wallet_did(did, s->w, WALLET_MANDATE, peer, number, err);
        if (st != FM_OK)
            return st;
        if (json_object_set_new(
                s->dids, did, json_pack("{s:I,s:s}", "number", (json_int_t)number, "peer", peer)) !=
            0)
            return base_err_memory(err, "wallet");
    }
    return FM_OK;
}

fm_status wallet_search_begin(struct wallet_search *s, struct wallet *w, struct base_err *err)
{
    json_t *members = json_object_get(json_object_get(w->content, "ledger"), "members"), *did;
    fm_status st = FM_OK;
    const char *alias;

    *s = (struct wallet_search){w, json_object()};
    if (s->dids == NULL)
        return base_err_memory(err, "wallet");
    json_object_foreach(members, alias, did)
    {
        const char *peer = json_string_value(did);
        if (st == FM_OK && peer != NULL)
            st = look_ahead(s, peer, 0, wallet_identity_next(w, WALLET_MANDATE, peer) + GAP, err);
    }
    return st;
}

void wallet_search_release(struct wallet_search *s)
{
    json_decref(s->dids);
    s->dids = NULL;
}

/* The identity of a mandate, and what may follow it. */
static fm_status identity_again(struct wallet_search *s, const json_t *place, struct base_err *err)
{
    const char *peer = wallet_text(place, "peer");
    uint64_t before = wallet_identity_next(s->w, WALLET_MANDATE, peer);
    fm_status st = wallet_identity_again(s->w, WALLET_MANDATE, peer, number_of(place), err);

    return st == FM_OK ? look_ahead(s, peer, before + GAP + 1,
                                    wallet_identity_next(s->w, WALLET_MANDATE, peer) + GAP, err)
                       : st;
}

/* One of the wallet's, of which it has no record. place: of a mandate's DID, NULL of a consent's
 * own key. */
static fm_status found_again(json_t **out, struct wallet_search *s, const json_t *document,
                             const struct ledger_consent *parsed, const json_t *place,
                             struct base_err *err)
{
    struct wallet_draft d = {.use = place != NULL ? WALLET_MANDATE : WALLET_CONSENT,
                             .number = place != NULL ? 0 : (uint64_t)parsed->not_before};
    json_t *copy = json_deep_copy(document);
    fm_status st = copy != NULL ? FM_OK : base_err_memory(err, "wallet");

    if (st == FM_OK && place != NULL)
        st = identity_again(s, place, err);
    if (st == FM_OK)
        st = wallet_ledger_did(&d.peer, s->w, parsed->grantee, err);
    if (st == FM_OK)
        st = keep(out, s->w, &d, copy, NULL, err);
    if (st == FM_OK && json_object_set_new(*out, "found", json_true()) != 0)
        st = base_err_memory(err, "wallet");
    json_decref(copy);
    return st;
}

/* Whether a consent's key is the wallet's: that of its grantee and moment. */
static fm_status is_own(bool *own, const struct wallet *w, const struct ledger_consent *parsed,
                        struct base_err *err)
{
    char did[DID_KEY_DID_TEXT];
    struct base_err unknown = {0};
    const char *peer;
    fm_status st;

    *own = false;
    if (parsed->mandate != NULL || parsed->not_before < 1 ||
        wallet_ledger_did(&peer, w, parsed->grantee, &unknown) != FM_OK)
        return FM_OK;
    st = wallet_did(did, w, WALLET_CONSENT, peer, (uint64_t)parsed->not_before, err);
    *own = st == FM_OK && strcmp(did, parsed->subject) == 0;
    return st;
}

fm_status wallet_search_consent(json_t **out, struct wallet_search *s, const json_t *document,
                                struct base_err *err)
{
    struct ledger_consent parsed;
    const json_t *place;
    bool own = false;
    char id[65];
    size_t i;
    fm_status st = ledger_consent_parse(&parsed, document, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    base_hex(id, parsed.id, 32);
    json_array_foreach(wallet_list(s->w, "consents"), i,
                       *out) if (strcmp(wallet_text(*out, "id"), id) == 0) return FM_OK;
    *out = NULL;
    if (parsed.subject == NULL)
        return FM_OK;
    place = json_object_get(s->dids, parsed.subject);
    if (place == NULL)
        st = is_own(&own, s->w, &parsed, err);
    return st == FM_OK && (place != NULL || own)
               ? found_again(out, s, document, &parsed, place, err)
               : st;
}
