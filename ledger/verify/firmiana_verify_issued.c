#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "did/signature.h"
#include "ledger/verify/firmiana_verify_own.h"
#include "ledger/verify/issued.h"

static fm_status find_list(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    *out = json_incref(json_object_get(ctx, id));
    return *out != NULL ? FM_OK
                        : base_err_set(err, FM_E_NOT_FOUND,
                                       "the status list %.120s is not at hand: fetch "
                                       "it and give it with --list",
                                       id);
}

static fm_status load_lists(json_t *lists, const struct verify_options *o, struct base_err *err)
{
    for (size_t i = 0; i < o->list_count; i++) {
        json_t *list;
        const char *id;
        fm_status st = base_json_load_file(&list, o->list[i], LEDGER_ISSUED_MAX * 4, err);
        if (st == FM_OK && (st = base_json_get_str(&id, list, "id", err)) != FM_OK)
            (void)base_err_prefix(err, "%s", o->list[i]);
        if (st == FM_OK && json_object_set(lists, id, list) != 0)
            st = base_err_memory(err, o->list[i]);
        json_decref(list);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

fm_status verify_issued(const struct verify_options *o, struct base_err *err)
{
    const struct did_resolver *by_did_key = &did_signature_did_keys.resolver;
    json_t *lists = json_object();
    const struct credential_lists source = {find_list, lists};
    const struct credential_verifier v = {by_did_key, &source, DID_RULES_VERSION,
                                          base_clock_unix_ms(base_clock_system()) / 1000};
    FILE *f = fopen(o->bundle, "rb");
    struct ledger_issued issued = {0};
    fm_status st = lists == NULL ? base_err_memory(err, "lists")
                   : f == NULL   ? base_err_errno(err, o->bundle)
                                 : load_lists(lists, o, err);

    if (st == FM_OK) {
        st = ledger_issued_verify(&issued, f, o->chain_given ? o->chain : NULL, o->ca, &v, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", o->bundle);
    }
    if (f != NULL)
        (void)fclose(f);
    if (st == FM_OK && o->json)
        st = verify_print_report(ledger_issued_json(&issued), err);
    else if (st == FM_OK)
        ledger_issued_print(stdout, &issued);
    ledger_issued_release(&issued);
    json_decref(lists);
    return st;
}
