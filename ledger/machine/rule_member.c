/* What members may be asked to vote on (format.md section 3, "Proposals"): who belongs, in which
 * roles, under which keys, and the ledger's parameters. Each kind has a check, asked when it is
 * proposed, and an effect, which checks again: the world may have moved on between the two. How
 * votes are counted: rule_vote.c.
 *
 *   absent --propose--> active --suspend--> suspended --reinstate--> active
 *   active --did.deactivate--> suspended, for good */
#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "did/succession.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/machine/rule_vote.h"

/* ---- joining ---- */

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

/* ---- coming back ---- */

static fm_status check_reinstate(struct ledger_context *c, const char *alias, struct base_err *err)
{
    const struct did_document *doc;
    const json_t *member;
    fm_status st = ledger_member_get(c, &member, alias, err);

    if (st != FM_OK)
        return st;
    if (member == NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_UNKNOWN, err, "there is no member %s", alias);
    if (ledger_member_is_active(member))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_ACTIVE, err, "%s is active", alias);
    st = ledger_document_get(c, &doc, ledger_text(member, "did"), err);
    if (st == FM_OK && did_document_is_deactivated(doc))
        return ledger_refuse(c, LEDGER_RULE_DID_DEACTIVATED, err, "the DID of %s is deactivated",
                             alias);
    return st;
}

/* ---- other roles, another address ---- */

static fm_status change(struct ledger_context *c, const json_t *body, struct base_err *err)
{
    const char *alias = ledger_text(body, "alias");
    char key[LEDGER_KEY_TEXT];
    const json_t *member;
    json_t *next;
    fm_status st = ledger_member_get(c, &member, alias, err);

    if (st != FM_OK)
        return st;
    if (member == NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_UNKNOWN, err, "there is no member %s", alias);
    next = json_copy((json_t *)(uintptr_t)member);
    if (next != NULL &&
        (json_object_set(next, "roles", json_object_get(body, "roles")) != 0 ||
         json_object_set(next, "endpoint", json_object_get(body, "endpoint")) != 0)) {
        json_decref(next);
        next = NULL;
    }
    return ledger_view_put(c->view, ledger_key(key, "member", alias), next, err);
}

/* ---- new keys for a member that lost its own ---- */

/* The document that would follow; owned by the caller. */
static fm_status next_document(struct ledger_context *c, struct did_document **next,
                               const json_t *body, struct base_err *err)
{
    const char *alias = ledger_text(body, "alias");
    const struct did_document *doc;
    const json_t *member;
    fm_status st = ledger_member_get(c, &member, alias, err);

    *next = NULL;
    if (st != FM_OK)
        return st;
    if (member == NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_UNKNOWN, err, "there is no member %s", alias);
    st = ledger_document_get(c, &doc, ledger_text(member, "did"), err);
    if (st != FM_OK)
        return st;
    st = did_document_parse(next, json_object_get(body, "document"), c->rules_version, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_DID_SHAPE, err);
    st = did_succession_check_next(doc, *next, DID_BY_MEMBERS, err);
    return st == FM_OK ? FM_OK : ledger_refuse_as(c, LEDGER_RULE_DID_SUCCESSION, err);
}

static fm_status check_rekey(struct ledger_context *c, const json_t *body, struct base_err *err)
{
    struct did_document *next;
    fm_status st = next_document(c, &next, body, err);

    did_document_free(next);
    return st;
}

static fm_status rekey(struct ledger_context *c, const json_t *body, struct base_err *err)
{
    struct did_document *next;
    fm_status st = next_document(c, &next, body, err);

    if (st == FM_OK)
        st = ledger_document_put(c, next, err);
    did_document_free(next);
    return st;
}

/* ---- effects ---- */

fm_status ledger_vote_take_effect(struct ledger_context *c, enum ledger_tx_type kind,
                                  const json_t *body, struct base_err *err)
{
    const char *alias = ledger_text(body, "alias");
    fm_status st;

    switch (kind) {
    case LEDGER_TX_MEMBER_PROPOSE:
        return join(c, body, err);
    case LEDGER_TX_MEMBER_CHANGE:
        return change(c, body, err);
    case LEDGER_TX_MEMBER_REKEY:
        return rekey(c, body, err);
    case LEDGER_TX_PARAMETER_PROPOSE:
        return ledger_param_change(c, body, err);
    case LEDGER_TX_MEMBER_REINSTATE:
        st = check_reinstate(c, alias, err);
        return st == FM_OK ? ledger_member_set_status(c, alias, "active", err) : st;
    default:
        assert(kind == LEDGER_TX_MEMBER_SUSPEND);
        st = check_suspend(c, alias, err);
        return st == FM_OK ? ledger_member_set_status(c, alias, "suspended", err) : st;
    }
}

/* ---- proposing ---- */

static fm_status check_shape(struct ledger_context *c, struct base_err *err)
{
    fm_status st = ledger_member_check_shape(c->rules_version, json_object_get(c->body, "roles"),
                                             json_object_get(c->body, "endpoint"), err);

    return st == FM_OK ? FM_OK : ledger_refuse_as(c, LEDGER_RULE_MEMBER_SHAPE, err);
}

fm_status ledger_rule_member_propose(struct ledger_context *c, struct base_err *err)
{
    struct did_document *doc = NULL;
    fm_status st = check_shape(c, err);

    if (st != FM_OK)
        return st;
    st = parse_first(c, &doc, c->body, err);
    if (st == FM_OK)
        st = check_join(c, ledger_text(c->body, "alias"), doc, err);
    did_document_free(doc);
    if (st == FM_OK)
        st = ledger_vote_open(c, err);
    return st;
}

/* What a suspension rests on, if it names that: what was proven of this member's validator. */
static fm_status check_ground(struct ledger_context *c, struct base_err *err)
{
    const char *ground = ledger_text(c->body, "ground");
    const json_t *proven = NULL;
    fm_status st = FM_OK;

    if (ground[0] == '\0')
        return FM_OK;
    st = ledger_state_get(c, &proven, "misbehavior", ground, err);
    if (st == FM_OK &&
        (proven == NULL || !ledger_text_is(proven, "member", ledger_text(c->body, "alias"))))
        return ledger_refuse(c, LEDGER_RULE_MEMBER_GROUND, err,
                             "%.12s is no misbehavior of %s that the ledger has", ground,
                             ledger_text(c->body, "alias"));
    return st;
}

fm_status ledger_rule_member_suspend(struct ledger_context *c, struct base_err *err)
{
    fm_status st = check_suspend(c, ledger_text(c->body, "alias"), err);

    if (st == FM_OK)
        st = check_ground(c, err);
    if (st == FM_OK)
        st = ledger_vote_open(c, err);
    return st;
}

fm_status ledger_rule_member_reinstate(struct ledger_context *c, struct base_err *err)
{
    fm_status st = check_reinstate(c, ledger_text(c->body, "alias"), err);

    return st == FM_OK ? ledger_vote_open(c, err) : st;
}

fm_status ledger_rule_member_change(struct ledger_context *c, struct base_err *err)
{
    const char *alias = ledger_text(c->body, "alias");
    const json_t *member;
    fm_status st = check_shape(c, err);

    if (st == FM_OK)
        st = ledger_member_get(c, &member, alias, err);
    if (st == FM_OK && member == NULL)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_UNKNOWN, err, "there is no member %s", alias);
    return st == FM_OK ? ledger_vote_open(c, err) : st;
}

fm_status ledger_rule_member_rekey(struct ledger_context *c, struct base_err *err)
{
    fm_status st = check_rekey(c, c->body, err);

    return st == FM_OK ? ledger_vote_open(c, err) : st;
}

fm_status ledger_rule_parameter_propose(struct ledger_context *c, struct base_err *err)
{
    fm_status st = ledger_param_check(c, c->body, err);

    return st == FM_OK ? ledger_vote_open(c, err) : st;
}
