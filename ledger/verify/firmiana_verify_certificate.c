#include <stdio.h>

#include "ledger/verify/certificate.h"
#include "ledger/verify/firmiana_verify_own.h"

static json_t *with_compared(json_t *report, const struct verify_options *o)
{
    if (report != NULL)
        (void)json_object_set_new(report, "compared", json_boolean(o->document != NULL));
    return report;
}

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
    if (st == FM_OK)
        st = verify_stamp_fits(o, r.stamped, err);
    if (st == FM_OK && o->document != NULL)
        st = ledger_certificate_compare(&r, o->document, err);
    if (st == FM_OK && o->json)
        st = verify_print_report(with_compared(ledger_certificate_json(&r), o), err);
    else if (st == FM_OK) {
        ledger_certificate_print(stdout, &r);
        if (o->document != NULL)
            printf("  compared   %s is that document\n", o->document);
    }
    ledger_certificate_report_release(&r);
    return st;
}
