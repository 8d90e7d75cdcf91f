#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/verify/certificate.h"
#include "ledger/verify/firmiana_verify_own.h"

bool verify_is_certificate(const char *path)
{
    char first[3];
    FILE *f = fopen(path, "rb");
    bool is = f != NULL && fread(first, 1, 3, f) == 3 && ledger_certificate_begins(first);

    if (f != NULL)
        (void)fclose(f);
    return is;
}

static fm_status print(const struct verify_options *o, const struct ledger_certificate_report *r,
                       struct base_err *err)
{
    struct base_buf text = {0};
    json_t *json;
    fm_status st;

    if (!o->json) {
        ledger_certificate_print(stdout, r);
        return FM_OK;
    }
    json = ledger_certificate_json(r);
    st = json != NULL ? base_json_canonical(&text, json, err) : base_err_memory(err, "report");
    if (st == FM_OK)
        st = base_buf_status(&text, "report", err);
    if (st == FM_OK)
        puts(base_buf_cstr(&text));
    base_buf_release(&text);
    json_decref(json);
    return st;
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
    if (st == FM_OK)
        st = print(o, &r, err);
    else
        (void)base_err_prefix(err, "%s", o->bundle);
    ledger_certificate_report_release(&r);
    return st;
}
