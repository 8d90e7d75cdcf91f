/* The deposit that a certificate is for, while the log goes by (format.md section 13). */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/verify/verify_impl.h"

fm_status ledger_verify_deposit(struct ledger_verifier *v, const struct ledger_tx *tx,
                                const struct ledger_identity *sender, struct base_err *err)
{
    struct ledger_deposit *d = v->deposit;
    fm_status st;

    if (d == NULL || memcmp(tx->id, d->certificate->tx, 32) != 0)
        return FM_OK;
    v->out->check = "certificate";
    if (memcmp(v->out->chain, d->certificate->chain, 32) != 0)
        return ledger_verify_fail(err, "it is for another ledger");
    if (tx->type != LEDGER_TX_EVIDENCE_DEPOSIT)
        return ledger_verify_fail(err, "its transaction is a %s", ledger_tx_type_name(tx->type));
    st = ledger_certificate_check(d->certificate, tx->body, err);
    if (st == FM_OK)
        st = base_json_get_hex(d->anchor, 32, tx->body, "root", err);
    if (st != FM_OK)
        return st;
    (void)snprintf(d->depositor, sizeof d->depositor, "%s", sender->alias);
    d->leaf = v->reader.leaf;
    return d->judge != NULL ? d->judge(d->ctx, v->out->members, err) : FM_OK;
}
