#include <stdio.h>

#include "ledger/verify/firmiana_verify_own.h"
#include "ledger/verify/signed.h"

fm_status verify_signed(const struct verify_options *o, struct base_err *err)
{
    FILE *f = fopen(o->bundle, "rb");
    struct ledger_signed s = {0};
    fm_status st;

    if (f == NULL)
        return base_err_errno(err, o->bundle);
    st = ledger_signed_verify(&s, f, o->chain_given ? o->chain : NULL, o->ca,
                              &did_signature_did_keys, err);
    (void)fclose(f);
    if (st == FM_OK)
        st = verify_stamp_fits(o, s.file.anchored && s.file.certificate.stamped, err);
    if (st == FM_OK && o->document != NULL)
        st = ledger_signed_compare(&s, o->document, err);
    if (st != FM_OK)
        (void)base_err_prefix(err, "%s", o->bundle);
    else if (o->json)
        st = verify_print_report(ledger_signed_json(&s, o->document != NULL), err);
    else
        ledger_signed_print(stdout, &s, o->document != NULL);
    ledger_signed_release(&s);
    return st;
}
