/* What a signed document's file shows: for people, and for programs. */
#include <string.h>

#include "did/moment.h"
#include "ledger/verify/signed.h"

/* The alias of a member, as the log names it; "" if it is not anchored, or no member. */
static const char *alias_of(const struct ledger_signed *s, const char *did)
{
    const struct ledger_identity *member =
        s->file.anchored ? ledger_members_by_did(s->file.certificate.log->members, did) : NULL;

    return member != NULL ? member->alias : "";
}

static void print_signer(FILE *out, const struct ledger_signed *s,
                         const struct did_signature_signer *signer)
{
    const char *alias = alias_of(s, signer->did);
    char when[DID_MOMENT_TEXT];
    struct base_err ignored = {0};

    (void)fprintf(out, "  %s %s%s%s%s", signer->done ? "signed    " : "missing   ", signer->did,
                  alias[0] != '\0' ? " (" : "", alias, alias[0] != '\0' ? ")" : "");
    if (signer->done && signer->by_key && strncmp(signer->did, "did:key:", 8) != 0)
        (void)fputs(", by its node's key", out);
    if (signer->officers > 0)
        (void)fprintf(out, ", by %zu officer%s, of whom %zu must sign", signer->officers,
                      signer->officers == 1 ? "" : "s", signer->threshold);
    if ((signer->done || signer->officers > 0) &&
        did_moment_format(when, signer->created_s, &ignored) == FM_OK)
        (void)fprintf(out, "; at %s by its own word", when);
    (void)fputs("\n", out);
}

void ledger_signed_print(FILE *out, const struct ledger_signed *s, bool compared)
{
    const struct did_signature_report *r = &s->signatures;
    char sha256[65], sm3[65];

    base_hex(sha256, r->document.sha256, 32);
    base_hex(sm3, r->document.sm3, 32);
    (void)fprintf(out, "%s: signed document\n  document   \"%s\", %lld bytes\n",
                  r->missing == 0 ? "valid" : "incomplete", r->document.name,
                  (long long)r->document.size);
    (void)fprintf(out, "  sha256     %s\n  sm3        %s\n", sha256, sm3);
    if (r->purpose != NULL)
        (void)fprintf(out, "  purpose    %s\n", r->purpose);
    (void)fprintf(out, "  signers    %zu, %s\n", r->count,
                  r->in_order ? "each over the signatures before it" : "each on its own");
    for (size_t i = 0; i < r->count; i++)
        print_signer(out, s, &r->signer[i]);
    if (s->file.anchored)
        ledger_certificate_print_anchor(out, &s->file.certificate);
    ledger_certificate_print_open(out, s->open_until_ms);
    (void)fprintf(out, "  proves     that these keys signed %s%s\n",
                  compared ? "this document" : "a document with these digests (none was compared)",
                  s->file.anchored
                      ? ", and were their signers' when that was put on the ledger"
                      : "; not when, nor that the keys were still good: it is not on a "
                        "ledger");
}

static json_t *signer_json(const struct ledger_signed *s, const struct did_signature_signer *signer)
{
    json_t *out = json_pack("{s:s, s:b, s:I, s:I}", "did", signer->did, "signed", (int)signer->done,
                            "officers", (json_int_t)signer->officers, "threshold",
                            (json_int_t)signer->threshold);
    const char *alias = alias_of(s, signer->did);

    if (out != NULL && alias[0] != '\0')
        (void)json_object_set_new(out, "alias", json_string(alias));
    if (out != NULL && (signer->done || signer->officers > 0))
        (void)json_object_set_new(out, "created", json_integer(signer->created_s));
    return out;
}

json_t *ledger_signed_json(const struct ledger_signed *s, bool compared)
{
    const struct did_signature_report *r = &s->signatures;
    json_t *signers = json_array(), *out;
    char sha256[65], sm3[65];

    for (size_t i = 0; i < r->count; i++)
        (void)json_array_append_new(signers, signer_json(s, &r->signer[i]));
    base_hex(sha256, r->document.sha256, 32);
    base_hex(sm3, r->document.sm3, 32);
    out =
        json_pack("{s:b, s:s, s:I, s:s, s:s, s:s*, s:b, s:b, s:b, s:o}", "valid", r->missing == 0,
                  "name", r->document.name, "size", (json_int_t)r->document.size, "sha256", sha256,
                  "sm3", sm3, "purpose", r->purpose, "in_order", (int)r->in_order, "compared",
                  (int)compared, "anchored", (int)s->file.anchored, "signers", signers);
    if (out != NULL && s->open_until_ms != 0)
        (void)json_object_set_new(out, "overridable_until_ms", json_integer(s->open_until_ms));
    if (out != NULL && s->file.anchored)
        (void)json_object_set_new(out, "anchor", ledger_certificate_json(&s->file.certificate));
    return out;
}
