/* status.publish: an issuer of credentials anchors which version of a status list is the newest
 * (format.md section 16), so that an older one can be known for what it is. */
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/machine/machine_rule.h"

enum { LIST_MAX = 255 };

/* Where a list is found: printable ASCII without blanks. */
static bool is_place(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0 && len <= LIST_MAX;
}

fm_status ledger_rule_status_publish(struct ledger_context *c, struct base_err *err)
{
    const char *list = ledger_text(c->body, "list");
    int64_t version = ledger_int(c->body, "version"), next;
    char key[LEDGER_KEY_TEXT], name[LEDGER_HASH_TEXT];
    const json_t *before;
    uint8_t hash[32];
    fm_status st;

    if (!is_place(list))
        return ledger_refuse(c, LEDGER_RULE_STATUS_SHAPE, err,
                             "the list's id must be 1 to %d printable ASCII characters", LIST_MAX);
    base_hash(hash, list, strlen(list));
    base_hex(name, hash, 32);
    (void)ledger_key_2(key, "status", c->alias, name);
    st = ledger_view_get(c->view, &before, key, err);
    if (st != FM_OK)
        return st;
    next = 1 + ledger_int(before, "version");
    if (version != next)
        return ledger_refuse(c, LEDGER_RULE_STATUS_VERSION, err,
                             "version is %lld, the next is %lld", (long long)version,
                             (long long)next);
    return ledger_view_put(c->view, key,
                           json_pack("{s:s, s:I, s:O, s:s, s:I, s:I}", "list", list, "version",
                                     (json_int_t)version, "digest",
                                     json_object_get(c->body, "digest"), "tx", c->id, "height",
                                     (json_int_t)c->height, "time", (json_int_t)c->time_ms),
                           err);
}
