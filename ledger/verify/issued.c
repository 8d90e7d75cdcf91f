#include "ledger/verify/issued.h"

#include <string.h>

#include "did/moment.h"

void ledger_issued_release(struct ledger_issued *i)
{
    ledger_anchored_release(&i->file);
}

bool ledger_issued_begins(const char first[3])
{
    return memcmp(first, "{\"@", 3) == 0;
}

/* ---- judging ---- */

struct judging {
    struct credential_facts *out;
    const struct credential_verifier *v;
    struct did_resolver then;
};

/* The members' keys of then; else what is known today: a list's, which was signed since. */
static fm_status key_of(void *ctx, struct did_key *out, const char *method, enum did_role role,
                        struct base_err *err)
{
    const struct judging *j = ctx;
    struct base_err first = {0};
    fm_status st = j->then.key(j->then.ctx, out, method, role, &first);

    if (st == FM_OK)
        return FM_OK;
    if (j->v->resolver->key(j->v->resolver->ctx, out, method, role, err) == FM_OK)
        return FM_OK;
    *err = first;
    return st;
}

static fm_status judge(void *ctx, const json_t *record, const struct ledger_members *members,
                       struct base_err *err)
{
    struct judging *j = ctx;
    const struct did_resolver resolver = {key_of, j};
    struct credential_verifier v = *j->v;

    if (members == NULL)
        return credential_verify(j->out, record, j->v, err);
    j->then = ledger_anchored_resolver(members);
    v.resolver = &resolver;
    return credential_verify(j->out, record, &v, err);
}

fm_status ledger_issued_verify(struct ledger_issued *out, FILE *file, const uint8_t *expect_chain32,
                               const char *ca_file, const struct credential_verifier *v,
                               struct base_err *err)
{
    struct judging judging = {.out = &out->facts, .v = v};
    const struct ledger_anchored_judge by = {judge, &judging};

    *out = (struct ledger_issued){0};
    return ledger_anchored_verify(&out->file, file, LEDGER_ISSUED_MAX, expect_chain32, ca_file, &by,
                                  err);
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
                      : "not revoked, not suspended, by the given list");
    if (i->file.anchored)
        ledger_certificate_print_anchor(out, &i->file.certificate);
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
    if (out != NULL && i->file.anchored)
        (void)json_object_set_new(out, "anchor", ledger_certificate_json(&i->file.certificate));
    return out;
}
