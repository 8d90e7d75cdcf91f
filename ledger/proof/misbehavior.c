#include "ledger/proof/misbehavior.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/shape.h"

static const struct {
    const char *code, *text;
} acts[LEDGER_ACT_COUNT] = {
    [LEDGER_ACT_VOTED_TWICE] = {"duplicate.vote", "voted twice"},
    [LEDGER_ACT_LIGHT_CLIENT] = {"light.client", "lied to light clients"},
};

const char *ledger_act_code(enum ledger_act act)
{
    assert(act < LEDGER_ACT_COUNT);
    return acts[act].code;
}

const char *ledger_act_text(enum ledger_act act)
{
    assert(act < LEDGER_ACT_COUNT);
    return acts[act].text;
}

enum ledger_act ledger_act_find(const char *code)
{
    unsigned i = 0;

    while (i < LEDGER_ACT_COUNT && (code == NULL || strcmp(acts[i].code, code) != 0))
        i++;
    return (enum ledger_act)i;
}

fm_status ledger_misbehavior_write(struct base_buf *out, const struct ledger_misbehavior *what,
                                   const uint8_t chain32[32], struct base_err *err)
{
    char chain[65], validator[41];
    json_t *json;
    fm_status st;

    base_hex(chain, chain32, 32);
    base_hex(validator, what->validator, sizeof what->validator);
    json =
        json_pack("{s:s, s:s, s:{s:s, s:I, s:s*, s:I, s:s}}", "type", LEDGER_MISBEHAVIOR_TYPE,
                  "chain", chain, "body", "act", ledger_act_code(what->act), "height",
                  (json_int_t)what->height, "member", what->member[0] != '\0' ? what->member : NULL,
                  "time", (json_int_t)what->time_ms, "validator", validator);
    if (json == NULL)
        return base_err_memory(err, "misbehavior");
    st = base_json_canonical(out, json, err);
    json_decref(json);
    return st == FM_OK ? base_buf_status(out, "misbehavior", err) : st;
}

bool ledger_misbehavior_is(const json_t *payload)
{
    const char *type = json_string_value(json_object_get(payload, "type"));

    return type != NULL && strcmp(type, LEDGER_MISBEHAVIOR_TYPE) == 0;
}

fm_status ledger_misbehavior_read(struct ledger_misbehavior *out, const json_t *payload,
                                  const uint8_t chain32[32], struct base_err *err)
{
    static const struct ledger_member shape[] = {
        {"type", LEDGER_IS_NAME, false},
        {"chain", LEDGER_IS_HASH, false},
        {"body", LEDGER_IS_OBJECT, false},
        {NULL, LEDGER_IS_OBJECT, false},
    };
    static const struct ledger_member body_shape[] = {
        {"act", LEDGER_IS_NAME, false},       {"height", LEDGER_IS_NUMBER, false},
        {"member", LEDGER_IS_ALIAS, true},    {"time", LEDGER_IS_NUMBER, false},
        {"validator", LEDGER_IS_TEXT, false}, {NULL, LEDGER_IS_OBJECT, false},
    };
    const json_t *body = json_object_get(payload, "body");
    const char *member = json_string_value(json_object_get(body, "member"));
    uint8_t chain[32];
    fm_status st = ledger_shape_check(payload, shape, err);

    *out = (struct ledger_misbehavior){0};
    if (st == FM_OK)
        st = ledger_shape_check(body, body_shape, err);
    if (st == FM_OK)
        st = base_json_get_hex(chain, sizeof chain, payload, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->validator, sizeof out->validator, body, "validator", err);
    if (st != FM_OK)
        return st;
    out->act = ledger_act_find(json_string_value(json_object_get(body, "act")));
    if (out->act == LEDGER_ACT_COUNT || !ledger_misbehavior_is(payload))
        return base_err_set(err, FM_E_INPUT, "no such act of a validator is known");
    if (memcmp(chain, chain32, sizeof chain) != 0)
        return base_err_set(err, FM_E_INPUT, "it is of another ledger");
    out->height = (uint64_t)json_integer_value(json_object_get(body, "height"));
    out->time_ms = json_integer_value(json_object_get(body, "time"));
    (void)snprintf(out->member, sizeof out->member, "%s", member != NULL ? member : "");
    return FM_OK;
}
