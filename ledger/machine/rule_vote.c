/* member.vote, and how votes on any kind of proposal are counted (format.md section 3,
 * "Proposals").
 *
 *   absent --a proposal--> open --vote--> accepted: the effect happens in the same transaction
 *                            |    vote--> rejected: refused by half, or no longer possible
 *                            +----vote--> open */
#include "ledger/machine/rule_vote.h"

#include <string.h>

/* Whom a proposal is about; "*" are the ledger's parameters, which is no alias. */
static const char *about(const json_t *body)
{
    const char *alias = ledger_text(body, "alias");

    return alias[0] != '\0' ? alias : "*";
}

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
    enum ledger_tx_type kind = ledger_tx_type_find(ledger_text(proposal, "kind"));
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
        st = ledger_vote_take_effect(c, kind, body, err);
        if (st == FM_E_REFUSED) {
            status = "rejected"; /* the world moved on: the vote counts, the effect is void */
            st = FM_OK;
        }
    } else if (2 * refusing >= active) {
        status = "rejected";
    }
    if (st == FM_OK && strcmp(status, "open") != 0)
        st = ledger_view_remove(c->view, ledger_key(key, "pending", about(body)), err);
    if (st == FM_OK && json_object_set_new(proposal, "status", json_string(status)) != 0)
        st = base_err_memory(err, "proposal");
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key(key, "proposal", id), json_incref(proposal), err);
done:
    json_decref(proposal);
    return st;
}

fm_status ledger_vote_open(struct ledger_context *c, struct base_err *err)
{
    const char *what = about(c->body);
    const char *kind = ledger_tx_type_name(c->tx->type);
    char key[LEDGER_KEY_TEXT];
    const json_t *pending;
    json_t *proposal;
    fm_status st = ledger_state_get(c, &pending, "pending", what, err);

    if (st != FM_OK)
        return st;
    if (pending != NULL)
        return ledger_refuse(
            c, LEDGER_RULE_PROPOSAL_EXISTS, err, "proposal %s about %s is open: vote on that",
            ledger_text(pending, "proposal"), what[0] != '*' ? what : "the parameters");
    st = ledger_view_put(c->view, ledger_key(key, "pending", what),
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
