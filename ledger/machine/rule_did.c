/* did.update, did.recover, did.deactivate: the sender's next document (format.md section 3,
 * did/succession.h). */
#include <string.h>

#include "base/json.h"
#include "did/draft.h"
#include "did/succession.h"
#include "ledger/machine/machine_rule.h"

/* "previous" names the document that the sender believes current: a race between two updates is
 * refused, not lost. */
static fm_status check_previous(struct ledger_context *c, struct base_err *err)
{
    uint8_t previous[32];
    fm_status st = base_json_get_hex(previous, sizeof previous, c->body, "previous", err);

    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_DID_SHAPE, err);
    if (memcmp(previous, did_document_hash32(c->document), sizeof previous) != 0)
        return ledger_refuse(c, LEDGER_RULE_DID_PREVIOUS, err,
                             "%s is at version %lld of its document, which has another hash",
                             c->alias, (long long)did_document_version(c->document));
    return FM_OK;
}

/* A member whose document is deactivated signs nothing any more, so it stops counting too. */
static fm_status leave(struct ledger_context *c, struct base_err *err)
{
    bool can;
    fm_status st;

    if (!ledger_member_is_active(c->member))
        return FM_OK;
    st = ledger_member_can_leave(c, &can, err);
    if (st != FM_OK)
        return st;
    if (!can)
        return ledger_refuse(c, LEDGER_RULE_MEMBER_QUORUM, err,
                             "without %s the active members would be fewer than the quorum",
                             c->alias);
    return ledger_member_set_status(c, c->alias, "suspended", err);
}

/* Officers deactivated, perhaps a thief in their place: for a while the recovery key may undo it.
 */
static fm_status remember_end(struct ledger_context *c, const struct did_document *last,
                              struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];

    if (c->rules_version < LEDGER_UNDO_SINCE)
        return FM_OK;
    return ledger_view_put(c->view, ledger_key(key, "undo", c->did),
                           json_pack("{s:I, s:I}", "until",
                                     (json_int_t)(c->time_ms + DID_OVERRIDE_MS), "version",
                                     (json_int_t)did_document_version(last)),
                           err);
}

/* A recovery of a DID that is deactivated, by officers, not long ago? */
static fm_status see_undoing(enum did_authority *authority, struct ledger_context *c,
                             struct base_err *err)
{
    const json_t *undo = NULL;
    fm_status st = FM_OK;

    if (c->rules_version >= LEDGER_UNDO_SINCE && did_document_is_deactivated(c->document))
        st = ledger_state_get(c, &undo, "undo", c->did, err);
    if (undo != NULL && ledger_int(undo, "version") == did_document_version(c->document) &&
        c->time_ms < ledger_int(undo, "until"))
        *authority = DID_BY_UNDOING;
    return st;
}

static fm_status succeed(struct ledger_context *c, enum did_authority authority,
                         struct base_err *err)
{
    struct did_document *next = NULL;
    fm_status st = check_previous(c, err);

    if (st == FM_OK && authority == DID_BY_RECOVERY)
        st = see_undoing(&authority, c, err);
    if (st != FM_OK)
        return st;
    st = did_document_parse(&next, json_object_get(c->body, "document"), c->rules_version, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_DID_SHAPE, err);
    st = did_succession_check_next(c->document, next, authority, err);
    if (st != FM_OK)
        st = ledger_refuse_as(c, LEDGER_RULE_DID_SUCCESSION, err);
    if (st == FM_OK)
        st = ledger_validator_check(c, next, err);
    if (st == FM_OK && did_document_is_deactivated(next))
        st = leave(c, err);
    if (st == FM_OK && did_document_is_deactivated(next) && authority == DID_BY_OFFICERS)
        st = remember_end(c, next, err);
    if (st == FM_OK)
        st = ledger_document_put(c, next, err);
    did_document_free(next);
    return st;
}

fm_status ledger_rule_did_update(struct ledger_context *c, struct base_err *err)
{
    return succeed(c, DID_BY_OFFICERS, err);
}

/* That the recovery key signed, tx.c has checked: the type asks for it. */
fm_status ledger_rule_did_recover(struct ledger_context *c, struct base_err *err)
{
    return succeed(c, DID_BY_RECOVERY, err);
}

fm_status ledger_rule_did_deactivate(struct ledger_context *c, struct base_err *err)
{
    struct did_document *last = NULL;
    struct did_draft draft = {0};
    fm_status st = check_previous(c, err);

    if (st != FM_OK)
        return st;
    /* The last version follows from the one before: everyone computes the same. */
    st = did_draft_next(&draft, c->document, err);
    if (st == FM_OK) {
        did_draft_deactivate(&draft);
        st = did_draft_build(&last, &draft, c->rules_version, err);
    }
    if (st != FM_OK)
        st = ledger_refuse_as(c, LEDGER_RULE_DID_SUCCESSION, err);
    if (st == FM_OK)
        st = leave(c, err);
    if (st == FM_OK)
        st = remember_end(c, last, err);
    if (st == FM_OK)
        st = ledger_document_put(c, last, err);
    did_draft_release(&draft);
    did_document_free(last);
    return st;
}
