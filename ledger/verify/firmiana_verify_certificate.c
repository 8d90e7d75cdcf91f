#include <stdio.h>

#include "ledger/verify/certificate.h"
#include "ledger/verify/firmiana_verify_own.h"

fm_status verify_certificate(const struct verify_options *o, struct base_err *err)
{
    FILE *f = fopen(o->bundle, "rb");
    struct ledger_certificate_report r = {0};
    fm_status st;

    if (f == NULL)
        return base_err_errno(err, o->bundle);
    st = ledger_certificate_verify(&r, f, o->chain_given ? o->chain : NULL, o->ca, err);
    (void)fclose(f);
    if (st != FM_OK)
        (void)base_err_prefix(err, "%s", o->bundle);
    else if (o->json)
        st = verify_print_report(ledger_certificate_json(&r), err);
    else
        ledger_certificate_print(stdout, &r);
    ledger_certificate_report_release(&r);
    return st;
}
