#include "exchange/cli/deposit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sm3.h"
#include "exchange/cli/common.h"
#include "ledger/store/export.h"

static json_t *body_of(const struct evidence_receipt *r)
{
    char root[65], token[65];
    uint8_t hash[32];
    json_t *body;

    base_hex(root, r->root, 32);
    body = json_pack("{s:s, s:I, s:s}", "algorithm", r->algorithm, "count", (json_int_t)r->n,
                     "root", root);
    if (body == NULL || r->token.len == 0)
        return body;
    base_hash(hash, r->token.p, r->token.len);
    base_hex(token, hash, 32);
    if (json_object_set_new(body, "token", json_string(token)) != 0) {
        json_decref(body);
        return NULL;
    }
    return body;
}

fm_status cli_deposit_submit(const struct cli_args *args, const struct evidence_receipt *r,
                             struct base_err *err)
{
    json_t *body = body_of(r);

    return body == NULL ? base_err_memory(err, "deposit")
                        : cli_submit_by_node(args, "evidence.deposit", body, "deposit", err);
}

fm_status cli_deposit_find(uint8_t tx32[32], struct ledger_reader *reader,
                           const struct evidence_receipt *r, struct base_err *err)
{
    char key[96], root[65];
    json_t *value = NULL;
    fm_status st;

    if (memcmp(r->chain, ledger_reader_id(reader), 32) != 0)
        return base_err_set(err, FM_E_INPUT, "the receipt is of another ledger");
    base_hex(root, r->root, 32);
    (void)snprintf(key, sizeof key, "evidence/%s", root);
    st = ledger_reader_get(reader, &value, key, err);
    if (st == FM_E_NOT_FOUND)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "its anchor is not on the ledger here: was the deposit refused, or is "
                          "this node behind?");
    if (st == FM_OK)
        st = base_json_get_hex(tx32, 32, value, "tx", err);
    json_decref(value);
    return st;
}

/* ---- a certificate ---- */

fm_status cli_deposit_certify(FILE *f, struct ledger_reader *reader,
                              const struct ledger_certificate *c, struct base_err *err)
{
    struct base_buf line = {0};
    struct ledger_export_report report;
    fm_status st = ledger_certificate_encode(&line, c, err);

    if (st == FM_OK && (fwrite(line.p, 1, line.len, f) != line.len || fflush(f) != 0))
        st = base_err_errno(err, "certificate");
    if (st == FM_OK)
        st = ledger_export_entries(reader, fileno(f), (const uint8_t(*)[32])c->tx, 1, &report, err);
    base_buf_release(&line);
    return st;
}

fm_status cli_deposit_digest(uint8_t out32[32], const char *algorithm, const struct base_buf *line,
                             struct base_err *err)
{
    const struct base_sm3_part part = {line->p, line->len};

    if (strcmp(algorithm, "sm3") == 0)
        return base_sm3(out32, &part, 1, err);
    base_sha256(out32, line->p, line->len);
    return FM_OK;
}
