#include "ledger/verify/members.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/draft.h"
#include "did/succession.h"
#include "ledger/proof/limits.h"
#include "ledger/proof/shape.h"
#include "ledger/verify/members_impl.h"

/* ---- small things ---- */

fm_status ledger_members_refute(struct base_err *err, const char *why)
{
    return base_err_set(err, FM_E_INVALID, "it was accepted, but %s", why);
}

bool ledger_members_room(void **array, size_t *cap, size_t n, size_t size)
{
    size_t more = *cap == 0 ? 8 : 2 * *cap;
    void *p;

    if (n < *cap)
        return true;
    p = realloc(*array, more * size);
    if (p == NULL)
        return false;
    *array = p;
    *cap = more;
    return true;
}

static struct ledger_identity *find_did(const struct ledger_members *m, const char *did)
{
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(did_document_id(m->member[i].doc), did) == 0)
            return &m->member[i];
    }
    return NULL;
}

static struct ledger_identity *find_alias(const struct ledger_members *m, const char *alias)
{
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->member[i].alias, alias) == 0)
            return &m->member[i];
    }
    return NULL;
}

fm_status ledger_members_join(struct ledger_members *m, const char *alias, struct did_document *doc,
                              struct base_err *err)
{
    struct ledger_identity *new;

    assert(find_alias(m, alias) == NULL && find_did(m, did_document_id(doc)) == NULL);
    if (!ledger_members_room((void **)&m->member, &m->cap, m->n, sizeof *m->member)) {
        did_document_free(doc);
        return base_err_memory(err, "members");
    }
    new = &m->member[m->n];
    *new = (struct ledger_identity){.doc = doc, .active = true, .index = m->n++};
    (void)snprintf(new->alias, sizeof new->alias, "%s", alias);
    return FM_OK;
}

bool ledger_members_can_leave(const struct ledger_members *m)
{
    return ledger_members_active(m) > m->terms.quorum;
}

/* ---- genesis ---- */

static const struct ledger_member genesis_shape[] = {
    {"format", LEDGER_IS_COUNT, false},    {"name", LEDGER_IS_TEXT, false},
    {"time", LEDGER_IS_NUMBER, false},     {"rules_version", LEDGER_IS_COUNT, false},
    {"members", LEDGER_IS_ARRAY, false},   {"quorum", LEDGER_IS_COUNT, false},
    {"sequencer", LEDGER_IS_ALIAS, false}, {"limits", LEDGER_IS_OBJECT, false},
    {"profile", LEDGER_IS_TEXT, true},     {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member member_shape[] = {
    {"alias", LEDGER_IS_ALIAS, false}, {"document", LEDGER_IS_OBJECT, false},
    {"roles", LEDGER_IS_ARRAY, false}, {"endpoint", LEDGER_IS_TEXT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};

static fm_status first_member(struct ledger_members *m, const json_t *entry, struct base_err *err)
{
    struct did_document *raw = NULL, *doc = NULL;
    const char *alias;
    fm_status st = ledger_shape_check(entry, member_shape, err);

    if (st != FM_OK)
        return st;
    alias = json_string_value(json_object_get(entry, "alias"));
    st = did_document_parse(&raw, json_object_get(entry, "document"), m->terms.rules_version, err);
    if (st == FM_OK)
        st = did_document_bind(&doc, raw, m->chain, m->terms.rules_version, err);
    if (st == FM_OK)
        st = did_succession_check_first(doc, m->chain, err);
    did_document_free(raw);
    if (st == FM_OK && strcmp(did_document_alias(doc), alias) != 0)
        st = base_err_set(err, FM_E_INPUT, "the document's alias is %s", did_document_alias(doc));
    if (st == FM_OK && m->n > 0 && strcmp(m->member[m->n - 1].alias, alias) >= 0)
        st = base_err_set(err, FM_E_INPUT, "members are not sorted by alias");
    if (st != FM_OK) {
        did_document_free(doc);
        return st;
    }
    /* Sorted aliases differ, and so do DIDs: each commits to a first document, which holds the
     * alias. */
    return ledger_members_join(m, alias, doc, err);
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static fm_status read_terms(struct ledger_members *m, struct base_err *err)
{
    const json_t *g = m->genesis, *limits = json_object_get(g, "limits");
    fm_status st = ledger_shape_check(g, genesis_shape, err);

    if (st == FM_OK)
        st = ledger_limits_check(limits, LEDGER_LIMITS_ALL, err);
    if (st != FM_OK)
        return st;
    if (number(g, "format") != 1 || number(g, "rules_version") > LEDGER_RULES_VERSION)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "this tool knows format 1 and rules versions 1 to %d",
                            LEDGER_RULES_VERSION);
    m->terms = (struct ledger_terms){
        .name = json_string_value(json_object_get(g, "name")),
        .time = number(g, "time"),
        .rules_version = (uint32_t)number(g, "rules_version"),
        .quorum = (uint64_t)number(g, "quorum"),
    };
    m->limits = json_incref((json_t *)(uintptr_t)limits);
    ledger_members_set_limits(m, limits);
    return FM_OK;
}

static fm_status read_genesis(struct ledger_members *m, struct base_err *err)
{
    const json_t *members = json_object_get(m->genesis, "members");
    size_t n = json_array_size(members);
    fm_status st = read_terms(m, err);

    for (size_t i = 0; st == FM_OK && i < n; i++) {
        st = first_member(m, json_array_get(members, i), err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "members[%zu]", i);
    }
    if (st == FM_OK && (m->terms.quorum > n || n / 2 >= m->terms.quorum))
        st = base_err_set(err, FM_E_INPUT, "quorum must be more than half of the %zu members", n);
    if (st == FM_OK &&
        find_alias(m, json_string_value(json_object_get(m->genesis, "sequencer"))) == NULL)
        st = base_err_set(err, FM_E_INPUT, "the sequencer is no member");
    return st;
}

fm_status ledger_members_new(struct ledger_members **out, const json_t *genesis,
                             const uint8_t chain32[32], struct base_err *err)
{
    struct ledger_members *m = calloc(1, sizeof *m);
    fm_status st;

    *out = NULL;
    if (m == NULL)
        return base_err_memory(err, "members");
    m->genesis = json_incref((json_t *)(uintptr_t)genesis);
    memcpy(m->chain, chain32, 32);
    st = read_genesis(m, err);
    if (st != FM_OK) {
        ledger_members_free(m);
        return base_err_prefix(err, "genesis");
    }
    *out = m;
    return FM_OK;
}

void ledger_members_free(struct ledger_members *members)
{
    if (members == NULL)
        return;
    for (size_t i = 0; i < members->n; i++)
        did_document_free(members->member[i].doc);
    for (size_t i = 0; i < members->n_open; i++)
        ledger_proposal_release(&members->open[i]);
    free(members->member);
    free(members->open);
    json_decref(members->genesis);
    json_decref(members->limits);
    free(members);
}

/* ---- looking up ---- */

const struct ledger_terms *ledger_members_terms(const struct ledger_members *members)
{
    return &members->terms;
}

size_t ledger_members_count(const struct ledger_members *members)
{
    return members->n;
}

size_t ledger_members_active(const struct ledger_members *members)
{
    size_t active = 0;

    for (size_t i = 0; i < members->n; i++)
        active += members->member[i].active;
    return active;
}

const struct ledger_identity *ledger_members_at(const struct ledger_members *members, size_t index)
{
    return index < members->n ? &members->member[index] : NULL;
}

const struct ledger_identity *ledger_members_by_did(const struct ledger_members *members,
                                                    const char *did)
{
    return find_did(members, did);
}

const struct ledger_identity *ledger_members_by_alias(const struct ledger_members *members,
                                                      const char *alias)
{
    return find_alias(members, alias);
}

static fm_status resolve(void *ctx, struct did_key *out, const char *method, enum did_role role,
                         struct base_err *err)
{
    const struct ledger_members *m = ctx;
    const struct ledger_identity *member;
    char did[DID_METHOD_TEXT];

    memset(out, 0, sizeof *out);
    if (!did_method_split(did, method))
        return base_err_set(err, FM_E_AUTH, "%.80s names no key", method);
    member = find_did(m, did);
    if (member == NULL)
        return base_err_set(err, FM_E_AUTH, "%s is no member", did);
    return did_document_key(member->doc, out, role, method, err);
}

struct did_resolver ledger_members_resolver(const struct ledger_members *members)
{
    return (struct did_resolver){resolve, (void *)(uintptr_t)members};
}

/* ---- documents ---- */

static fm_status leave(struct ledger_members *m, struct ledger_identity *member,
                       struct base_err *err)
{
    if (!member->active)
        return FM_OK;
    if (!ledger_members_can_leave(m))
        return ledger_members_refute(err, "it leaves fewer active members than the quorum");
    member->active = false;
    return FM_OK;
}

/* The document after did.deactivate is not in the transaction: everyone computes the same one. */
static fm_status last_version(struct did_document **out, const struct did_document *doc,
                              uint32_t rules_version, struct base_err *err)
{
    struct did_draft draft = {0};
    fm_status st = did_draft_next(&draft, doc, err);

    if (st == FM_OK) {
        did_draft_deactivate(&draft);
        st = did_draft_build(out, &draft, rules_version, err);
    }
    did_draft_release(&draft);
    return st;
}

/* Deactivated by officers, and perhaps in time: when this block is, its end tells. */
static bool may_undo(const struct ledger_members *m, const struct ledger_identity *member)
{
    return m->terms.rules_version >= LEDGER_UNDO_SINCE &&
           did_document_is_deactivated(member->doc) && (member->ended || member->undo_before != 0);
}

/* next takes the place of the member's document; it is used up. */
static fm_status follow(struct ledger_members *m, struct ledger_identity *member,
                        struct did_document *next, enum did_authority authority,
                        struct base_err *err)
{
    bool undoing = authority == DID_BY_RECOVERY && may_undo(m, member);
    fm_status st =
        did_succession_check_next(member->doc, next, undoing ? DID_BY_UNDOING : authority, err);

    if (st == FM_OK && did_document_is_deactivated(next))
        st = leave(m, member, err);
    if (st != FM_OK) {
        did_document_free(next);
        return st;
    }
    if (undoing && !member->ended) /* else it is in time whatever the block's is */
        member->must_before = member->undo_before;
    member->ended = did_document_is_deactivated(next) && authority == DID_BY_OFFICERS &&
                    m->terms.rules_version >= LEDGER_UNDO_SINCE;
    member->undo_before = 0;
    did_document_free(member->doc);
    member->doc = next;
    return FM_OK;
}

fm_status ledger_members_succeed(struct ledger_members *m, struct ledger_identity *member,
                                 const json_t *document, enum did_authority authority,
                                 struct base_err *err)
{
    struct did_document *next;
    fm_status st = did_document_parse(&next, document, m->terms.rules_version, err);

    return st == FM_OK ? follow(m, member, next, authority, err) : st;
}

static fm_status succeed(struct ledger_members *m, const struct ledger_tx *tx,
                         struct ledger_identity *member, struct base_err *err)
{
    struct did_document *last = NULL;
    uint8_t previous[32];
    fm_status st = base_json_get_hex(previous, 32, tx->body, "previous", err);

    if (st != FM_OK)
        return st;
    if (memcmp(previous, did_document_hash32(member->doc), 32) != 0)
        return ledger_members_refute(err, "previous is not the hash of the current document");
    if (tx->type != LEDGER_TX_DID_DEACTIVATE)
        return ledger_members_succeed(
            m, member, json_object_get(tx->body, "document"),
            tx->type == LEDGER_TX_DID_RECOVER ? DID_BY_RECOVERY : DID_BY_OFFICERS, err);
    st = last_version(&last, member->doc, m->terms.rules_version, err);
    if (st == FM_OK)
        st = follow(m, member, last, DID_BY_OFFICERS, err);
    return st;
}

fm_status ledger_members_apply(struct ledger_members *members, const struct ledger_tx *tx,
                               struct base_err *err)
{
    struct ledger_identity *sender = find_did(members, tx->sender);

    if (sender == NULL)
        return ledger_members_refute(err, "its sender is no member");
    switch (tx->type) {
    case LEDGER_TX_DID_UPDATE:
    case LEDGER_TX_DID_RECOVER:
    case LEDGER_TX_DID_DEACTIVATE:
        return succeed(members, tx, sender, err);
    default:
        break;
    }
    if (!sender->active)
        return ledger_members_refute(err, "its sender is suspended");
    if (ledger_tx_type_is_proposal(tx->type))
        return ledger_members_propose(members, tx, sender->index, err);
    if (tx->type == LEDGER_TX_MEMBER_VOTE)
        return ledger_members_vote(members, tx, sender->index, err);
    return FM_OK;
}
