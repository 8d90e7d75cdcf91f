/* member.propose, member.suspend, member.vote: who belongs (format.md section 3, "Proposals").
 *
 *   absent --propose/suspend--> open --vote--> accepted: the effect happens in the same transaction
 *                                 |    vote--> rejected: refused by half, or no longer possible
 *                                 +----vote--> open */
#include <string.h>

#include "base/json.h"
#include "did/succession.h"
#include "ledger/machine/machine_rule.h"

/* ---- effects ---- */

/* A proposal's document, as the first one of a new member. */
static fm_status parse_first(struct ledger_context *c, struct did_document **doc,
                             const json_t *body, struct base_err *err)
{
    const char *alias = ledger_text(body, "alias");
    fm_status st;

    *doc = NULL;
    st = did_document_parse(doc, json_object_get(body, "document"), c->rules_version, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_DID_SHAPE, err);
    if (strcmp(did_document_alias(*doc), alias) != 0)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_SHAPE, err, "the document's alias is %s, not %s",
                             did_document_alias(*doc), alias);
    st = did_succession_check_first(*doc, c->chain, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_DID_CHAIN, err);
    return FM_OK;
}

/* Whether a member of this alias and document may join now. */
static fm_status check_join(struct ledger_context *c, const char *alias,
                            const struct did_document *doc, struct base_err *err)
{
    const json_t *there;
    fm_status st = ledger_member_get(c, &there, alias, err);

    if (st != FM_OK)
        return st;
    if (there != NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_EXISTS, err, "%s is a member's alias", alias);
    st = ledger_state_get(c, &there, "did", did_document_id(doc), err);
    if (st != FM_OK)
        return st;
    if (there != NULL)
        return ledger_refuse(c, LEDGER_RULE_DID_EXISTS, err, "%s is on the ledger already",
                             did_document_id(doc));
    return FM_OK;
}

static fm_status check_suspend(struct ledger_context *c, const char *alias, struct base_err *err)
{
    const json_t *member;
    bool can;
    fm_status st = ledger_member_get(c, &member, alias, err);

    if (st != FM_OK)
        return st;
    if (member == NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_UNKNOWN, err, "there is no member %s", alias);
    if (!ledger_member_is_active(member))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_SUSPENDED, err, "%s is suspended already",
                             alias);
    st = ledger_member_can_leave(c, &can, err);
    if (st == FM_OK && !can)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_QUORUM, err,
                             "without %s the active members would be fewer than the quorum", alias);
    return st;
}

static fm_status join(struct ledger_context *c, const json_t *body, struct base_err *err)
{
    const char *alias = ledger_text(body, "alias");
    char key[LEDGER_KEY_TEXT];
    struct did_document *doc;
    fm_status st = parse_first(c, &doc, body, err);

    if (st == FM_OK)
        st = check_join(c, alias, doc, err);
    if (st == FM_OK)
        st = ledger_document_put(c, doc, err);
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key(key, "member", alias),
                             json_pack("{s:s, s:O, s:O, s:s, s:I}", "did", did_document_id(doc),
                                       "roles", json_object_get(body, "roles"), "endpoint",
                                       json_object_get(body, "endpoint"), "status", "active",
                                       "since", (json_int_t)c->height),
                             err);
    did_document_free(doc);
    return st;
}

static fm_status take_effect(struct ledger_context *c, const char *kind, const json_t *body,
                             struct base_err *err)
{
    const char *alias = ledger_text(body, "alias");
    fm_status st;

    if (strcmp(kind, "member.propose") == 0)
        return join(c, body, err);
    st = check_suspend(c, alias, err);
    if (st == FM_OK)
        st = ledger_member_set_status(c, alias, "suspended", err);
    return st;
}

/* ---- voting ---- */

/* The votes of members that are active now. */
static fm_status count_votes(struct ledger_context *c, const json_t *votes, size_t *accepting,
                             size_t *refusing, struct base_err *err)
{
    size_t i;

    *accepting = *refusing = 0;
    for (i = 0; i < json_array_size(votes); i++) {
        const json_t *vote = json_array_get(votes, i);
        const json_t *member;
        fm_status st = ledger_member_get(c, &member, ledger_text(vote, "alias"), err);

        if (st != FM_OK)
            return st;
        if (!ledger_member_is_active(member))
            continue;
        if (json_is_true(json_object_get(vote, "accept")))
            ++*accepting;
        else
            ++*refusing;
    }
    return FM_OK;
}

/* Puts the proposal with these votes, decides it if they suffice, and does what it says. Takes the
 * reference to proposal. */
static fm_status decide(struct ledger_context *c, const char *id, json_t *proposal,
                        struct base_err *err)
{
    const char *kind = ledger_text(proposal, "kind");
    const json_t *body = json_object_get(proposal, "body");
    const char *status = "open";
    char key[LEDGER_KEY_TEXT];
    size_t active, accepting, refusing;
    fm_status st = ledger_member_count_active(c, &active, err);

    if (st == FM_OK)
        st = count_votes(c, json_object_get(proposal, "votes"), &accepting, &refusing, err);
    if (st != FM_OK)
        goto done;
    if (2 * accepting > active) {
        status = "accepted";
        st = take_effect(c, kind, body, err);
        if (st == FM_E_REFUSED) {
            status = "rejected"; /* the world moved on: the vote counts, the effect is void */
            st = FM_OK;
        }
    } else if (2 * refusing >= active) {
        status = "rejected";
    }
    if (st == FM_OK && strcmp(status, "open") != 0)
        st = ledger_view_remove(c->view, ledger_key(key, "pending", ledger_text(body, "alias")),
                                err);
    if (st == FM_OK && json_object_set_new(proposal, "status", json_string(status)) != 0)
        st = base_err_memory(err, "proposal");
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key(key, "proposal", id), json_incref(proposal), err);
done:
    json_decref(proposal);
    return st;
}

/* A new proposal, with its proposer's vote. */
static fm_status propose(struct ledger_context *c, struct base_err *err)
{
    const char *about = ledger_text(c->body, "alias");
    const char *kind = ledger_tx_type_name(c->tx->type);
    char key[LEDGER_KEY_TEXT];
    const json_t *pending;
    json_t *proposal;
    fm_status st = ledger_state_get(c, &pending, "pending", about, err);

    if (st != FM_OK)
        return st;
    if (pending != NULL)
        return ledger_refuse(c, LEDGER_RULE_PROPOSAL_EXISTS, err,
                             "proposal %s about %s is open: vote on that",
                             ledger_text(pending, "proposal"), about);
    st = ledger_view_put(c->view, ledger_key(key, "pending", about),
                         json_pack("{s:s}", "proposal", c->id), err);
    if (st != FM_OK)
        return st;
    proposal = json_pack("{s:s, s:O, s:s, s:s, s:I, s:[{s:s, s:b}]}", "kind", kind, "body", c->body,
                         "proposer", c->alias, "status", "open", "height", (json_int_t)c->height,
                         "votes", "alias", c->alias, "accept", 1);
    if (proposal == NULL)
        return base_err_memory(err, "proposal");
    return decide(c, c->id, proposal, err);
}

fm_status ledger_rule_member_propose(struct ledger_context *c, struct base_err *err)
{
    struct did_document *doc = NULL;
    fm_status st = ledger_member_check_shape(json_object_get(c->body, "roles"),
                                             json_object_get(c->body, "endpoint"), err);

    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_MEMBER_SHAPE, err);
    st = parse_first(c, &doc, c->body, err);
    if (st == FM_OK)
        st = check_join(c, ledger_text(c->body, "alias"), doc, err);
    did_document_free(doc);
    if (st == FM_OK)
        st = propose(c, err);
    return st;
}

fm_status ledger_rule_member_suspend(struct ledger_context *c, struct base_err *err)
{
    fm_status st = check_suspend(c, ledger_text(c->body, "alias"), err);

    if (st == FM_OK)
        st = propose(c, err);
    return st;
}

fm_status ledger_rule_member_vote(struct ledger_context *c, struct base_err *err)
{
    const char *id = ledger_text(c->body, "proposal");
    const json_t *proposal, *votes;
    json_t *copy, *copy_votes;
    size_t i;
    fm_status st = ledger_state_get(c, &proposal, "proposal", id, err);

    if (st != FM_OK)
        return st;
    if (proposal == NULL)
        return ledger_refuse(c, LEDGER_RULE_PROPOSAL_UNKNOWN, err, "there is no proposal %s", id);
    if (!ledger_text_is(proposal, "status", "open"))
        return ledger_refuse(c, LEDGER_RULE_PROPOSAL_CLOSED, err, "the proposal was %s",
                             ledger_text(proposal, "status"));
    votes = json_object_get(proposal, "votes");
    for (i = 0; i < json_array_size(votes); i++)
        if (ledger_text_is(json_array_get(votes, i), "alias", c->alias))
            return ledger_refuse(c, LEDGER_RULE_PROPOSAL_VOTED, err, "%s voted already", c->alias);

    copy = json_copy((json_t *)(uintptr_t)proposal);
    copy_votes = json_copy((json_t *)(uintptr_t)votes);
    if (copy_votes == NULL ||
        json_array_append_new(copy_votes, json_pack("{s:s, s:O}", "alias", c->alias, "accept",
                                                    json_object_get(c->body, "accept"))) != 0 ||
        json_object_set(copy, "votes", copy_votes) != 0) {
        json_decref(copy);
        json_decref(copy_votes);
        return base_err_memory(err, "proposal");
    }
    json_decref(copy_votes);
    return decide(c, id, copy, err);
}
