/* firmiana-verify --x509: which organisation a member of a bundle is, by its X.509 certificate. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "did/moment.h"
#include "did/x509.h"
#include "ledger/verify/firmiana_verify_own.h"

#define ROOTS_MAX ((size_t)4 << 20)

static void print_facts(const struct ledger_identity *member, const struct did_x509_facts *f,
                        int64_t at_s)
{
    char at[DID_MOMENT_TEXT] = "-";
    struct base_err err = {0};

    if (did_moment_format(at, at_s, &err) != FM_OK)
        at[0] = '\0';
    printf("  x509     %s is %s, says %s; bound %s; valid at %s; revocation is not looked at\n",
           member->alias, f->subject, f->issuer, f->by_key ? "by its key" : "by the DID in it", at);
}

fm_status verify_x509(const struct verify_options *o, const struct ledger_verified *report,
                      struct base_err *err)
{
    struct did_x509_terms terms = {.at_s = o->at_s != 0 ? o->at_s : (int64_t)time(NULL),
                                   .rules_version = DID_RULES_VERSION};
    const struct ledger_identity *member = NULL;
    struct did_x509_facts facts;
    struct base_buf roots = {0};
    json_t *record = NULL;
    const char *did;
    fm_status st = ledger_verified_complete(report, err);

    if (st == FM_OK)
        st = base_json_load_file(&record, o->x509, DID_X509_RECORD_MAX, err);

    if (st == FM_OK)
        st = did_x509_did(&did, record, err);
    if (st == FM_OK && (member = ledger_members_by_did(report->members, did)) == NULL)
        st = base_err_set(err, FM_E_INVALID, "%.120s is no member", did);
    if (st == FM_OK)
        st = base_file_read(&roots, o->ca, ROOTS_MAX, err);
    if (st == FM_OK) {
        terms.roots = (const char *)roots.p;
        terms.roots_len = roots.len;
        st = did_x509_verify(&facts, record, member->doc, &terms, err);
    }
    if (st == FM_OK)
        print_facts(member, &facts, terms.at_s);
    else if (st == FM_E_INPUT || st == FM_E_AUTH) /* one that is not valid */
        st = err->code = FM_E_INVALID;
    json_decref(record);
    base_buf_release(&roots);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", o->x509);
}
