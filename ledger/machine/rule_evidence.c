/* evidence.deposit: a member anchors digests (format.md section 13). What they are of, nobody
 * learns here. */
#include <string.h>

#include "base/profile.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/evidence.h"

/* Under the profile national a digest is SM3's, as every other hash. */
static bool is_foreign(const struct ledger_context *c)
{
    return base_profile_is_national() && c->rules_version >= LEDGER_NATIONAL_EVIDENCE_SINCE &&
           strcmp(ledger_text(c->body, "algorithm"), "sm3") != 0;
}

fm_status ledger_rule_evidence_deposit(struct ledger_context *c, struct base_err *err)
{
    const char *root = ledger_text(c->body, "root");
    char key[LEDGER_KEY_TEXT];
    const json_t *there;
    fm_status st = ledger_state_get(c, &there, "evidence", root, err);

    if (st != FM_OK)
        return st;
    if (!ledger_evidence_is_algorithm(ledger_text(c->body, "algorithm")) ||
        ledger_int(c->body, "count") > LEDGER_EVIDENCE_MAX)
        return ledger_refuse(c, LEDGER_RULE_EVIDENCE_SHAPE, err,
                             "the algorithm must be sha256 or sm3, the count at most %d",
                             LEDGER_EVIDENCE_MAX);
    if (is_foreign(c))
        return ledger_refuse(c, LEDGER_RULE_EVIDENCE_SHAPE, err,
                             "the algorithm must be sm3: the ledger's profile is national");
    if (there != NULL)
        return ledger_refuse(c, LEDGER_RULE_EVIDENCE_EXISTS, err, "%s deposited it at height %lld",
                             ledger_text(there, "depositor"),
                             (long long)ledger_int(there, "height"));
    return ledger_view_put(c->view, ledger_key(key, "evidence", root),
                           json_pack("{s:s, s:s, s:O, s:I}", "depositor", c->alias, "tx", c->id,
                                     "count", json_object_get(c->body, "count"), "height",
                                     (json_int_t)c->height),
                           err);
}
