#include "ledger/store/chain_summary.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ledger/proof/misbehavior.h"

enum { SHOWN = 7 };

/* What is worth showing of each type: paths into the payload's body. Hashes are cut to 12 digits.
 */
static const struct {
    const char *type;
    const char *show[SHOWN];
} worth_showing[] = {
    {"member.propose", {"alias", "endpoint"}},
    {"member.suspend", {"alias", "reason"}},
    {"member.vote", {"proposal", "accept"}},
    {"member.reinstate", {"alias", "reason"}},
    {"member.change", {"alias", "endpoint"}},
    {"member.rekey", {"alias", "reason"}},
    {"parameter.propose", {"quorum", "rules.version", "rules.height", "reason"}},
    {"did.update", {"document.firmiana.version", "previous"}},
    {"did.recover", {"document.firmiana.version", "previous"}},
    {"did.deactivate", {"previous"}},
    {"dataset.publish", {"dataset", "data_version", "rows"}},
    {"contract.propose", {"name", "version", "purpose"}},
    {"authorization.grant", {"contract", "runs"}},
    {"authorization.revoke", {"contract", "reason"}},
    {"consent.grant",
     {"consent.mode", "consent.attestor", "consent.mandate.attestor", "consent.grantee",
      "consent.purpose", "consent.contract", "consent.uses"}},
    {"consent.revoke", {"revocation.consent"}},
    {"epoch", {"epoch", "sequencer"}},
    {LEDGER_MISBEHAVIOR_TYPE, {"act", "height", "validator"}},
    {"evidence.deposit", {"algorithm", "count", "root"}},
    {"status.publish", {"list", "version"}},
    {"lottery.open", {"name", "count", "winners"}},
    {"lottery.commit", {"lottery"}},
    {"lottery.reveal", {"lottery"}},
    {"query.open", {"contract", "height"}},
    {"query.close", {"receipt.query", "receipt.outcome", "receipt.rule", "receipt.party"}},
    {"query.receipt", {"receipt.query", "receipt.outcome", "receipt.rule", "receipt.party"}},
};

/* By what other commands name it: a contract by the hash of its body, a proposal, a lottery and a
 * query by its transaction's id. */
static fm_status put_id(struct base_buf *out, const struct ledger_entry *entry, const json_t *body,
                        struct base_err *err)
{
    uint8_t id[32];

    memcpy(id, entry->id, 32);
    if (strcmp(entry->type, "contract.propose") == 0) {
        if (base_json_hash(id, body, err) != FM_OK)
            return err->code;
    } else if (strcmp(entry->type, "lottery.open") != 0 && strcmp(entry->type, "query.open") != 0) {
        return FM_OK;
    }
    base_buf_put_str(out, "id=");
    base_buf_put_hex(out, id, 6);
    return FM_OK;
}

/* Follows "a.b.c" and names the last part. */
static const json_t *follow(const json_t *at, const char *path, const char **last)
{
    const char *dot;
    char part[32];

    while ((dot = strchr(path, '.')) != NULL) {
        assert((size_t)(dot - path) < sizeof part);
        memcpy(part, path, (size_t)(dot - path));
        part[dot - path] = '\0';
        at = json_object_get(at, part);
        path = dot + 1;
    }
    *last = path;
    return json_object_get(at, path);
}

static void put_text(struct base_buf *out, const char *text)
{
    uint8_t hash[32];
    const char *line;
    size_t n = strlen(text);

    if (n == 64 && base_unhex(hash, sizeof hash, text, n)) {
        base_buf_put(out, text, 12);
        return;
    }
    line = BASE_LINE(text);
    n = strlen(line);
    if (n > 120) /* not in the middle of a character of several bytes */
        for (n = 120; n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80; n--)
            ;
    base_buf_put(out, line, n);
}

static void put_value(struct base_buf *out, const char *name, const json_t *value)
{
    if (out->len > 0)
        base_buf_put_u8(out, ' ');
    base_buf_putf(out, "%s=", name);
    if (json_is_string(value))
        put_text(out, json_string_value(value));
    else if (json_is_integer(value))
        base_buf_putf(out, "%lld", (long long)json_integer_value(value));
    else
        base_buf_put_str(out, json_is_true(value) ? "yes" : "no");
}

fm_status ledger_summarize(struct base_buf *out, const struct ledger_entry *entry,
                           struct base_err *err)
{
    struct base_err ignored;
    json_t *payload = NULL;
    size_t i, k;

    if (entry->is_block) {
        base_buf_putf(out, "block %llu", (unsigned long long)entry->height);
        return base_buf_status(out, "summary", err);
    }
    if (entry->erased) {
        base_buf_put_str(out, "(erased)");
        return base_buf_status(out, "summary", err);
    }
    if (base_json_parse(&payload, (const char *)entry->payload.p, entry->payload.len, &ignored) !=
        FM_OK)
        base_buf_put_str(out, "(unreadable)");
    else
        (void)put_id(out, entry, json_object_get(payload, "body"), &ignored);
    for (i = 0; i < sizeof worth_showing / sizeof worth_showing[0]; i++) {
        if (strcmp(worth_showing[i].type, entry->type) != 0)
            continue;
        for (k = 0; k < SHOWN && worth_showing[i].show[k] != NULL; k++) {
            const char *last;
            const json_t *value =
                follow(json_object_get(payload, "body"), worth_showing[i].show[k], &last);

            if (value != NULL)
                put_value(out, last, value);
        }
    }
    json_decref(payload);
    return base_buf_status(out, "summary", err);
}
