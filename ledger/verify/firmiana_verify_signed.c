#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/verify/firmiana_verify_own.h"
#include "ledger/verify/signed.h"

bool verify_is_signed(const char *path)
{
    char first[3];
    FILE *f = fopen(path, "rb");
    bool is = f != NULL && fread(first, 1, 3, f) == 3 && ledger_signed_begins(first);

    if (f != NULL)
        (void)fclose(f);
    return is;
}

static fm_status print(const struct verify_options *o, const struct ledger_signed *s,
                       struct base_err *err)
{
    struct base_buf text = {0};
    json_t *json;
    fm_status st;

    if (!o->json) {
        ledger_signed_print(stdout, s, o->document != NULL);
        return FM_OK;
    }
    json = ledger_signed_json(s, o->document != NULL);
    st = json != NULL ? base_json_canonical(&text, json, err) : base_err_memory(err, "report");
    if (st == FM_OK)
        st = base_buf_status(&text, "report", err);
    if (st == FM_OK)
        puts(base_buf_cstr(&text));
    base_buf_release(&text);
    json_decref(json);
    return st;
}

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
    if (st == FM_OK && o->document != NULL)
        st = ledger_signed_compare(&s, o->document, err);
    if (st == FM_OK && o->chain_given && !s.anchored)
        st = base_err_set(err, FM_E_INVALID, "it is not anchored on any ledger");
    if (st == FM_OK)
        st = print(o, &s, err);
    else
        (void)base_err_prefix(err, "%s", o->bundle);
    ledger_signed_release(&s);
    return st;
}
