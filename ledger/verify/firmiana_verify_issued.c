#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "did/moment.h"
#include "did/signature.h"
#include "ledger/verify/firmiana_verify_own.h"
#include "ledger/verify/issued.h"

struct lists {
    json_t *by_id, *used; /* objects */
};

static fm_status find_list(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    struct lists *l = ctx;

    *out = json_incref(json_object_get(l->by_id, id));
    if (*out != NULL && json_object_set(l->used, id, *out) != 0)
        return base_err_memory(err, id);
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

/* When a list was signed, by its own signed word; 0: it does not say. */
static int64_t signed_at(const json_t *list)
{
    const char *created =
        json_string_value(json_object_get(json_object_get(list, "proof"), "created"));
    int64_t at = 0;

    return created != NULL && did_moment_parse_any(&at, created) ? at : 0;
}

/* Lists that were given say something of this credential, and none is older than the user allows.
 */
static fm_status check_lists(const struct lists *l, const struct verify_options *o, int64_t now_s,
                             struct base_err *err)
{
    const char *id;
    json_t *list;

    if (o->list_count > 0 && json_object_size(l->used) == 0)
        return base_err_set(err, FM_E_ARG, "%s names no status list: --list is not for it",
                            o->bundle);
    json_object_foreach(l->used, id, list)
    {
        if (o->list_age_s > 0 && now_s - signed_at(list) > o->list_age_s)
            return base_err_set(err, FM_E_INVALID,
                                "the list %.120s is older than --list-max-age allows: fetch it "
                                "anew",
                                id);
    }
    return FM_OK;
}

static void print_lists(const struct lists *l)
{
    char when[DID_MOMENT_TEXT] = "";
    struct base_err ignored = {0};
    const char *id;
    json_t *list;

    json_object_foreach(l->used, id, list)
    {
        if (signed_at(list) == 0 || did_moment_format(when, signed_at(list), &ignored) != FM_OK)
            (void)snprintf(when, sizeof when, "an unknown time");
        printf("  list       %s, signed at %s by its own word; whether there is a newer one, "
               "firmiana credential verify --trail says\n",
               BASE_LINE(id), when);
    }
}

static json_t *with_lists(json_t *report, const struct lists *l)
{
    json_t *all = json_object();
    const char *id;
    json_t *list;

    json_object_foreach(l->used, id, list)
    {
        (void)json_object_set_new(all, id, json_integer(signed_at(list)));
    }
    if (report != NULL)
        (void)json_object_set_new(report, "lists_signed_at", all);
    else
        json_decref(all);
    return report;
}

fm_status verify_issued(const struct verify_options *o, struct base_err *err)
{
    const struct did_resolver *by_did_key = &did_signature_did_keys.resolver;
    struct lists lists = {json_object(), json_object()};
    const struct credential_lists source = {find_list, &lists};
    const struct credential_verifier v = {
        by_did_key, &source, DID_RULES_VERSION,
        o->at_s != 0 ? o->at_s : base_clock_unix_ms(base_clock_system()) / 1000};
    FILE *f = fopen(o->bundle, "rb");
    struct ledger_issued issued = {0};
    fm_status st = lists.by_id == NULL || lists.used == NULL ? base_err_memory(err, "lists")
                   : f == NULL                               ? base_err_errno(err, o->bundle)
                                                             : load_lists(lists.by_id, o, err);

    if (st == FM_OK) {
        st = ledger_issued_verify(&issued, f, o->chain_given ? o->chain : NULL, o->ca, &v, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", o->bundle);
    }
    if (f != NULL)
        (void)fclose(f);
    if (st == FM_OK)
        st = verify_stamp_fits(o, issued.file.anchored && issued.file.certificate.stamped, err);
    if (st == FM_OK)
        st = check_lists(&lists, o, v.now_s, err);
    if (st == FM_OK && o->json)
        st = verify_print_report(with_lists(ledger_issued_json(&issued), &lists), err);
    else if (st == FM_OK) {
        ledger_issued_print(stdout, &issued);
        print_lists(&lists);
    }
    ledger_issued_release(&issued);
    json_decref(lists.by_id);
    json_decref(lists.used);
    return st;
}
