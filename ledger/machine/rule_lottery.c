/* lottery.open, lottery.commit, lottery.reveal (ledger/proof/lottery.h).
 *
 *   absent --open--> open --commit, until close--> open --reveal, to `reveal`--> open
 *
 * and drawn once every member's share is there. Who committed and is not there after `reveal` has
 * withheld: the state says so to whoever reads it, and `repeats` may leave nobody else out. */
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/lottery.h"

static fm_status get(struct ledger_context *c, const json_t **lottery, const char *id,
                     struct base_err *err)
{
    fm_status st = ledger_state_get(c, lottery, "lottery", id, err);

    if (st == FM_OK && *lottery == NULL)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_UNKNOWN, err, "there is no lottery %s", id);
    return st;
}

/* ---- opening ---- */

static fm_status check_members(struct ledger_context *c, const json_t *names, struct base_err *err)
{
    const char *before = "";

    /* One alone could open again and again until it likes the draw. */
    if (!ledger_is_names(names, 0) || json_array_size(names) < 2)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHAPE, err,
                             "2 to %d members give shares, each once", LEDGER_PARTIES_MAX);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *alias = json_string_value(json_array_get(names, i));
        const json_t *member;
        fm_status st = ledger_member_get(c, &member, alias, err);

        if (st != FM_OK)
            return st;
        if (member == NULL || !ledger_member_is_active(member))
            return ledger_refuse(c, LEDGER_RULE_LOTTERY_MEMBER, err, "%s is no active member",
                                 alias);
        if (strcmp(before, alias) >= 0)
            return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHAPE, err,
                                 "the members must stand in the order of their aliases");
        before = alias;
    }
    return FM_OK;
}

/* Again for the same list, without those who withheld and with everybody else; from rules version
 * 4 on others may take their places, so that a lottery of two can be repeated too. A withholder
 * wins nothing by who comes for it: one repetition is all there is. */
static fm_status check_repeat(struct ledger_context *c, struct base_err *err)
{
    const char *id = ledger_text(c->body, "repeats");
    const json_t *names = json_object_get(c->body, "members"), *first, *was;
    size_t kept = 0, before;
    fm_status st;

    if (id[0] == '\0')
        return FM_OK;
    st = get(c, &first, id, err);
    if (st != FM_OK)
        return st;
    if (!ledger_text_is(first, "root", ledger_text(c->body, "root")) ||
        ledger_int(first, "winners") != ledger_int(c->body, "winners"))
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHAPE, err,
                             "it repeats a lottery over another list, or of other winners");
    if (json_object_get(first, "repeated") != NULL)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHAPE, err, "lottery %s repeats it already",
                             ledger_text(first, "repeated"));
    if (c->time_ms < ledger_int(first, "reveal"))
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_TIME, err,
                             "shares of the lottery it repeats may still be revealed");
    was = json_object_get(first, "members");
    for (size_t i = 0; i < json_array_size(was); i++) {
        const char *alias = json_string_value(json_array_get(was, i));
        bool gave = json_object_get(json_object_get(first, "shares"), alias) != NULL;

        if (gave != ledger_names_has(names, alias))
            return ledger_refuse(c, LEDGER_RULE_LOTTERY_MEMBER, err, "%s %s", alias,
                                 gave ? "gave its share and stays" : "gave no share and goes");
        kept += gave;
    }
    before = json_array_size(was);
    if (kept == before ||
        (c->rules_version < LEDGER_LOTTERY_PLACES_SINCE && kept != json_array_size(names)))
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_MEMBER, err,
                             "those who gave their shares draw again, and nobody else");
    if (json_array_size(names) > before)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_MEMBER, err,
                             "%zu gave no share: no more may take their places", before - kept);
    return FM_OK;
}

/* That it was, and by which, stays with the lottery. */
static fm_status put_repeated(struct ledger_context *c, struct base_err *err)
{
    const char *id = ledger_text(c->body, "repeats");
    char key[LEDGER_KEY_TEXT];
    const json_t *first;
    json_t *copy;
    fm_status st;

    if (id[0] == '\0')
        return FM_OK;
    st = get(c, &first, id, err);
    if (st != FM_OK)
        return st;
    copy = json_copy((json_t *)(uintptr_t)first);
    if (copy != NULL && json_object_set_new(copy, "repeated", json_string(c->id)) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    return ledger_view_put(c->view, ledger_key(key, "lottery", id), copy, err);
}

fm_status ledger_rule_lottery_open(struct ledger_context *c, struct base_err *err)
{
    int64_t count = ledger_int(c->body, "count"), close = ledger_int(c->body, "close");
    char key[LEDGER_KEY_TEXT];
    json_t *value;
    fm_status st = check_members(c, json_object_get(c->body, "members"), err);

    if (st != FM_OK)
        return st;
    if (count > LEDGER_LOTTERY_ENTRIES_MAX || ledger_int(c->body, "winners") > count)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHAPE, err,
                             "at most %d entries, and no more winners than entries",
                             LEDGER_LOTTERY_ENTRIES_MAX);
    if (close <= c->time_ms || ledger_int(c->body, "reveal") <= close)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_TIME, err,
                             "close must be ahead, and reveal after it");
    st = check_repeat(c, err);
    if (st == FM_OK)
        st = put_repeated(c, err);
    if (st != FM_OK)
        return st;
    value = json_copy((json_t *)(uintptr_t)c->body);
    if (value != NULL &&
        (json_object_set_new(value, "opener", json_string(c->alias)) != 0 ||
         json_object_set_new(value, "height", json_integer((json_int_t)c->height)) != 0 ||
         json_object_set_new(value, "commits", json_object()) != 0 ||
         json_object_set_new(value, "shares", json_object()) != 0)) {
        json_decref(value);
        value = NULL;
    }
    return ledger_view_put(c->view, ledger_key(key, "lottery", c->id), value, err);
}

/* ---- shares ---- */

/* Puts lottery/ID with one more member of `list`. */
static fm_status put(struct ledger_context *c, const json_t *lottery, const char *list,
                     const char *name, struct base_err *err)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)lottery);
    json_t *items = json_copy(json_object_get(lottery, list));
    char key[LEDGER_KEY_TEXT];

    if (copy == NULL || items == NULL ||
        json_object_set(items, c->alias, json_object_get(c->body, name)) != 0 ||
        json_object_set(copy, list, items) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    json_decref(items);
    return ledger_view_put(c->view, ledger_key(key, "lottery", ledger_text(c->body, "lottery")),
                           copy, err);
}

fm_status ledger_rule_lottery_commit(struct ledger_context *c, struct base_err *err)
{
    const json_t *lottery;
    fm_status st = get(c, &lottery, ledger_text(c->body, "lottery"), err);

    if (st != FM_OK)
        return st;
    if (!ledger_names_has(json_object_get(lottery, "members"), c->alias))
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_MEMBER, err, "%s gives no share to it",
                             c->alias);
    if (c->time_ms >= ledger_int(lottery, "close"))
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_TIME, err, "it is closed");
    if (json_object_get(json_object_get(lottery, "commits"), c->alias) != NULL)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHARE, err, "%s has committed already",
                             c->alias);
    return put(c, lottery, "commits", "commitment", err);
}

fm_status ledger_rule_lottery_reveal(struct ledger_context *c, struct base_err *err)
{
    const char *id = ledger_text(c->body, "lottery");
    uint8_t lottery32[32], share[32], commit[32], want[32];
    const json_t *lottery;
    fm_status st = get(c, &lottery, id, err);

    if (st != FM_OK)
        return st;
    if (c->time_ms < ledger_int(lottery, "close") || c->time_ms >= ledger_int(lottery, "reveal"))
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_TIME, err,
                             "shares are revealed from close until reveal");
    if (json_object_get(json_object_get(lottery, "commits"), c->alias) == NULL ||
        json_object_get(json_object_get(lottery, "shares"), c->alias) != NULL)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHARE, err,
                             "%s has not committed, or has revealed already", c->alias);
    if (!base_unhex(lottery32, 32, id, 64) ||
        base_json_get_hex(share, 32, c->body, "share", err) != FM_OK ||
        base_json_get_hex(want, 32, json_object_get(lottery, "commits"), c->alias, err) != FM_OK)
        return base_err_set(err, FM_E_CORRUPT, "lottery %s: its commitments are no hashes", id);
    ledger_lottery_commit(commit, lottery32, c->alias, share);
    if (memcmp(commit, want, 32) != 0)
        return ledger_refuse(c, LEDGER_RULE_LOTTERY_SHARE, err,
                             "it is not the share that %s committed to", c->alias);
    return put(c, lottery, "shares", "share", err);
}
