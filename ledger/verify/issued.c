#include "ledger/verify/issued.h"

#include <string.h>

#include "did/moment.h"

void ledger_issued_release(struct ledger_issued *i)
{
    ledger_anchored_release(&i->file);
}

bool ledger_issued_begins(const char *text)
{
    static const char first[] = "{\"@context\":";

    return strncmp(text, first, sizeof first - 1) == 0;
}

/* ---- judging ---- */

struct judging {
    struct credential_facts *out;
    const struct credential_verifier *v;
};

/* Anchored: the issuer's signature, under its key of then. The rest is for the end. */
static fm_status judge(void *ctx, const json_t *record, const struct ledger_members *members,
                       struct base_err *err)
{
    struct judging *j = ctx;
    const struct did_resolver then = ledger_anchored_resolver(members);
    struct credential_verifier v = *j->v;

    if (members == NULL)
        return credential_verify(j->out, record, j->v, err);
    v.resolver = &then;
    return credential_verify_signature(j->out, record, &v, err);
}

/* Keys of today: as the caller has them; where he has none, as the bundle ends. */
struct today {
    struct did_resolver given, end;
};

static fm_status key_of(void *ctx, struct did_key *out, const char *method, enum did_role role,
                        struct base_err *err)
{
    const struct today *t = ctx;
    fm_status st = t->given.key(t->given.ctx, out, method, role, err);

    return st == FM_E_NOT_FOUND ? t->end.key(t->end.ctx, out, method, role, err) : st;
}

/* What may have changed since: the period, and status lists, which are signed by keys of today. */
static fm_status judge_today(struct ledger_issued *out, const struct credential_verifier *v,
                             struct base_err *err)
{
    struct today today = {*v->resolver,
                          ledger_anchored_resolver(out->file.certificate.log->members)};
    const struct did_resolver resolver = {key_of, &today};
    struct credential_verifier now = *v;
    fm_status st;

    now.resolver = &resolver;
    st = credential_verify_claims(&out->facts, out->file.record, &now, err);
    if (st == FM_OK)
        st = ledger_verified_stands(out->file.certificate.log, out->facts.issuer,
                                    out->facts.proof.method, DID_ROLE_ASSERTION, err);
    if (st == FM_OK)
        out->open_until_ms =
            ledger_verified_open_until(out->file.certificate.log, out->facts.issuer,
                                       out->facts.proof.method, DID_ROLE_ASSERTION);
    return st == FM_E_INPUT || st == FM_E_AUTH ? (err->code = FM_E_INVALID) : st;
}

fm_status ledger_issued_verify(struct ledger_issued *out, FILE *file, const uint8_t *expect_chain32,
                               const char *ca_file, const struct credential_verifier *v,
                               struct base_err *err)
{
    struct judging judging = {.out = &out->facts, .v = v};
    const struct ledger_anchored_judge by = {judge, &judging};
    fm_status st;

    *out = (struct ledger_issued){0};
    st = ledger_anchored_verify(&out->file, file, LEDGER_ISSUED_MAX, expect_chain32, ca_file, &by,
                                err);
    return st == FM_OK && out->file.anchored ? judge_today(out, v, err) : st;
}

/* ---- saying ---- */

/* The alias of the issuer, as the log names it; "" if it is not anchored, or no member. */
static const char *alias_of(const struct ledger_issued *i)
{
    const struct ledger_identity *member =
        i->file.anchored ? ledger_members_by_did(i->file.certificate.log->members, i->facts.issuer)
                         : NULL;

    return member != NULL ? member->alias : "";
}

void ledger_issued_print(FILE *out, const struct ledger_issued *i)
{
    const char *alias = alias_of(i);
    char until[DID_MOMENT_TEXT] = "for ever";
    struct base_err ignored = {0};

    if (i->facts.valid_until_s != INT64_MAX &&
        did_moment_format(until, i->facts.valid_until_s, &ignored) != FM_OK)
        until[0] = '\0';
    (void)fprintf(out, "valid: credential, %s\n  issuer     %s%s%s%s\n  until      %s\n",
                  i->facts.form, i->facts.issuer, alias[0] != '\0' ? " (" : "", alias,
                  alias[0] != '\0' ? ")" : "", until);
    (void)fprintf(out, "  status     %s\n",
                  json_object_get(i->file.record, "credentialStatus") == NULL
                      ? "it has no list: it cannot be revoked"
                      : "not revoked, not suspended, by the given list under its issuer's keys at "
                        "the end of this file's ledger");
    if (i->file.anchored)
        ledger_certificate_print_anchor(out, &i->file.certificate);
    ledger_certificate_print_open(out, i->open_until_ms);
    (void)fprintf(out, "  proves     that its issuer said this%s; not that it is true\n",
                  i->file.anchored ? ", with a key that was its own when it was deposited" : "");
}

json_t *ledger_issued_json(const struct ledger_issued *i)
{
    const char *alias = alias_of(i);
    json_t *out =
        json_pack("{s:b, s:s, s:s, s:b, s:O*}", "valid", 1, "form", i->facts.form, "issuer",
                  i->facts.issuer, "anchored", (int)i->file.anchored, "credentialSubject",
                  json_object_get(i->file.record, "credentialSubject"));

    if (out != NULL && alias[0] != '\0')
        (void)json_object_set_new(out, "alias", json_string(alias));
    if (out != NULL && i->facts.valid_until_s != INT64_MAX)
        (void)json_object_set_new(out, "valid_until", json_integer(i->facts.valid_until_s));
    if (out != NULL && i->open_until_ms != 0)
        (void)json_object_set_new(out, "overridable_until_ms", json_integer(i->open_until_ms));
    if (out != NULL && i->file.anchored)
        (void)json_object_set_new(out, "anchor", ledger_certificate_json(&i->file.certificate));
    return out;
}
