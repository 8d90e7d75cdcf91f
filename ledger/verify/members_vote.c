/* Proposals: format.md section 3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/succession.h"
#include "ledger/verify/members_impl.h"

void ledger_proposal_release(struct ledger_proposal *p)
{
    json_decref(p->document);
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

/* One whose effect has become impossible is void: that is no contradiction. */
static fm_status take_effect(struct ledger_members *m, const struct ledger_proposal *p,
                             struct base_err *err)
{
    const struct ledger_identity *member = ledger_members_by_alias(m, p->alias);
    struct did_document *doc;
    fm_status st;

    if (!p->join) {
        if (member != NULL && member->active && ledger_members_can_leave(m))
            m->member[member->index].active = false;
        return FM_OK;
    }
    st = first_document(&doc, m, p->alias, p->document, err);
    if (st != FM_OK)
        return st;
    if (member != NULL || ledger_members_by_did(m, did_document_id(doc)) != NULL) {
        did_document_free(doc);
        return FM_OK;
    }
    return ledger_members_join(m, p->alias, doc, err);
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

fm_status ledger_members_propose(struct ledger_members *m, const struct ledger_tx *tx,
                                 size_t sender, struct base_err *err)
{
    const char *alias = json_string_value(json_object_get(tx->body, "alias"));
    const struct ledger_identity *about = ledger_members_by_alias(m, alias);
    bool join = tx->type == LEDGER_TX_MEMBER_PROPOSE;
    struct did_document *doc;
    struct ledger_proposal *p;
    fm_status st;

    for (size_t i = 0; i < m->n_open; i++) {
        if (strcmp(m->open[i].alias, alias) == 0)
            return ledger_members_refute(err, "a proposal about this alias is open");
    }
    if (join) {
        st = first_document(&doc, m, alias, json_object_get(tx->body, "document"), err);
        if (st != FM_OK)
            return st;
        if (about != NULL || ledger_members_by_did(m, did_document_id(doc)) != NULL)
            st = ledger_members_refute(err, "the alias or the DID is a member's already");
        did_document_free(doc);
        if (st != FM_OK)
            return st;
    } else if (about == NULL || !about->active || !ledger_members_can_leave(m)) {
        return ledger_members_refute(err, "that member cannot be suspended");
    }
    if (!ledger_members_room((void **)&m->open, &m->cap_open, m->n_open, sizeof *m->open))
        return base_err_memory(err, "members");
    p = &m->open[m->n_open++];
    *p = (struct ledger_proposal){.join = join};
    memcpy(p->id, tx->id, 32);
    (void)snprintf(p->alias, sizeof p->alias, "%s", alias);
    p->document = json_incref(json_object_get(tx->body, "document"));
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
