/* Proposals: format.md section 3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/succession.h"
#include "ledger/verify/members_impl.h"

void ledger_proposal_release(struct ledger_proposal *p)
{
    json_decref(p->body);
    free(p->ballot);
    *p = (struct ledger_proposal){0};
}

static void close_proposal(struct ledger_members *m, size_t at)
{
    ledger_proposal_release(&m->open[at]);
    m->open[at] = m->open[--m->n_open];
}

/* ---- what an accepted proposal does ---- */

static fm_status first_document(struct did_document **out, const struct ledger_members *m,
                                const char *alias, const json_t *json, struct base_err *err)
{
    fm_status st = did_document_parse(out, json, m->terms.rules_version, err);

    if (st != FM_OK)
        return st;
    st = did_succession_check_first(*out, m->chain, err);
    if (st == FM_OK && strcmp(did_document_alias(*out), alias) != 0)
        st = ledger_members_refute(err, "the document has another alias");
    if (st != FM_OK) {
        did_document_free(*out);
        *out = NULL;
    }
    return st;
}

static fm_status join(struct ledger_members *m, const struct ledger_proposal *p,
                      struct base_err *err)
{
    struct did_document *doc;
    fm_status st = first_document(&doc, m, p->alias, json_object_get(p->body, "document"), err);

    if (st != FM_OK)
        return st;
    if (ledger_members_by_alias(m, p->alias) != NULL ||
        ledger_members_by_did(m, did_document_id(doc)) != NULL) {
        did_document_free(doc);
        return FM_OK;
    }
    m->joined = true;
    return ledger_members_join(m, p->alias, doc, err);
}

/* Whether a proposal of this kind about a member (NULL: there is none) has an effect now. */
static bool possible(const struct ledger_members *m, enum ledger_tx_type kind,
                     const struct ledger_identity *member, const json_t *body)
{
    switch (kind) {
    case LEDGER_TX_PARAMETER_PROPOSE:
        return ledger_members_can_change(m, body);
    case LEDGER_TX_MEMBER_SUSPEND:
        return member != NULL && member->active && ledger_members_can_leave(m);
    case LEDGER_TX_MEMBER_REINSTATE:
        return member != NULL && !member->active && !did_document_is_deactivated(member->doc);
    default:
        return member != NULL;
    }
}

/* Whether these keys may follow a member's own: FM_E_REFUSED and its like if not. */
static fm_status check_rekey(const struct ledger_members *m, const struct ledger_identity *member,
                             const json_t *body, struct base_err *err)
{
    struct did_document *next = NULL;
    fm_status st =
        did_document_parse(&next, json_object_get(body, "document"), m->terms.rules_version, err);

    if (st == FM_OK)
        st = did_succession_check_next(member->doc, next, DID_BY_MEMBERS, err);
    did_document_free(next);
    return st;
}

/* One whose effect has become impossible is void: that is no contradiction. */
static fm_status take_effect(struct ledger_members *m, const struct ledger_proposal *p,
                             struct base_err *err)
{
    const struct ledger_identity *about = ledger_members_by_alias(m, p->alias);
    struct ledger_identity *member;

    if (p->kind == LEDGER_TX_MEMBER_PROPOSE)
        return join(m, p, err);
    if (!possible(m, p->kind, about, p->body))
        return FM_OK;
    if (p->kind == LEDGER_TX_PARAMETER_PROPOSE)
        return ledger_members_change(m, p->body, err);
    member = &m->member[about->index];
    if (p->kind == LEDGER_TX_MEMBER_SUSPEND)
        member->active = false;
    if (p->kind == LEDGER_TX_MEMBER_REINSTATE)
        member->active = m->joined = true;
    if (p->kind != LEDGER_TX_MEMBER_REKEY || check_rekey(m, member, p->body, err) != FM_OK)
        return FM_OK; /* of roles and addresses nothing here depends */
    return ledger_members_succeed(m, member, json_object_get(p->body, "document"), DID_BY_MEMBERS,
                                  err);
}

/* With a members active and counting only their votes: 2 accepting > a accepts, else 2 refusing >=
 * a rejects. */
static fm_status decide(struct ledger_members *m, size_t at, struct base_err *err)
{
    const struct ledger_proposal *p = &m->open[at];
    size_t active = ledger_members_active(m), accepting = 0, refusing = 0;
    fm_status st = FM_OK;

    for (size_t i = 0; i < p->n; i++) {
        if (!m->member[p->ballot[i].voter].active)
            continue;
        accepting += p->ballot[i].accept;
        refusing += !p->ballot[i].accept;
    }
    if (2 * accepting > active)
        st = take_effect(m, p, err);
    if (2 * accepting > active || 2 * refusing >= active)
        close_proposal(m, at);
    return st;
}

/* ---- casting ---- */

static fm_status cast(struct ledger_members *m, size_t at, size_t voter, bool accept,
                      struct base_err *err)
{
    struct ledger_proposal *p = &m->open[at];
    struct ledger_ballot *ballot = realloc(p->ballot, (p->n + 1) * sizeof *ballot);

    if (ballot == NULL)
        return base_err_memory(err, "members");
    p->ballot = ballot;
    p->ballot[p->n++] = (struct ledger_ballot){voter, accept};
    return decide(m, at, err);
}

/* What the rules ask when it is proposed. */
static fm_status check_proposal(const struct ledger_members *m, const struct ledger_tx *tx,
                                const char *alias, struct base_err *err)
{
    const struct ledger_identity *about = ledger_members_by_alias(m, alias);
    struct did_document *doc;
    fm_status st;

    for (size_t i = 0; i < m->n_open; i++) {
        if (strcmp(m->open[i].alias, alias) == 0)
            return ledger_members_refute(err, alias[0] == '\0'
                                                  ? "a proposal about the parameters is open"
                                                  : "a proposal about this alias is open");
    }
    if (tx->type != LEDGER_TX_MEMBER_PROPOSE) {
        if (!possible(m, tx->type, about, tx->body))
            return ledger_members_refute(err, tx->type == LEDGER_TX_MEMBER_SUSPEND
                                                  ? "that member cannot be suspended"
                                                  : "what it proposes is not possible");
        return tx->type == LEDGER_TX_MEMBER_REKEY ? check_rekey(m, about, tx->body, err) : FM_OK;
    }
    st = first_document(&doc, m, alias, json_object_get(tx->body, "document"), err);
    if (st != FM_OK)
        return st;
    if (about != NULL || ledger_members_by_did(m, did_document_id(doc)) != NULL)
        st = ledger_members_refute(err, "the alias or the DID is a member's already");
    did_document_free(doc);
    return st;
}

fm_status ledger_members_propose(struct ledger_members *m, const struct ledger_tx *tx,
                                 size_t sender, struct base_err *err)
{
    const char *alias = json_string_value(json_object_get(tx->body, "alias"));
    struct ledger_proposal *p;
    fm_status st;

    if (alias == NULL)
        alias = "";
    st = check_proposal(m, tx, alias, err);
    if (st != FM_OK)
        return st;
    if (!ledger_members_room((void **)&m->open, &m->cap_open, m->n_open, sizeof *m->open))
        return base_err_memory(err, "members");
    p = &m->open[m->n_open++];
    *p = (struct ledger_proposal){.kind = tx->type};
    memcpy(p->id, tx->id, 32);
    (void)snprintf(p->alias, sizeof p->alias, "%s", alias);
    p->body = json_incref((json_t *)(uintptr_t)tx->body);
    return cast(m, m->n_open - 1, sender, true, err);
}

fm_status ledger_members_vote(struct ledger_members *m, const struct ledger_tx *tx, size_t sender,
                              struct base_err *err)
{
    uint8_t id[32];
    size_t at = 0;
    fm_status st = base_json_get_hex(id, 32, tx->body, "proposal", err);

    if (st != FM_OK)
        return st;
    while (at < m->n_open && memcmp(m->open[at].id, id, 32) != 0)
        at++;
    if (at == m->n_open)
        return ledger_members_refute(err, "no such proposal is open");
    for (size_t i = 0; i < m->open[at].n; i++) {
        if (m->open[at].ballot[i].voter == sender)
            return ledger_members_refute(err, "the member has voted already");
    }
    return cast(m, at, sender, json_is_true(json_object_get(tx->body, "accept")), err);
}
