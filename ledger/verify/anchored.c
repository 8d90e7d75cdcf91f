#include "ledger/verify/anchored.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sm3.h"

void ledger_anchored_release(struct ledger_anchored *a)
{
    json_decref(a->record);
    a->record = NULL;
    if (a->anchored)
        ledger_certificate_report_release(&a->certificate);
    a->anchored = false;
}

/* ---- keys ---- */

static fm_status key_of(void *ctx, struct did_key *out, const char *method, enum did_role role,
                        struct base_err *err)
{
    struct did_resolver by_members = ledger_members_resolver(ctx);

    if (strncmp(method, "did:key:", 8) == 0)
        return did_proof_resolve_did_key(NULL, out, method, role, err);
    return by_members.key(by_members.ctx, out, method, role, err);
}

struct did_resolver ledger_anchored_resolver(const struct ledger_members *members)
{
    return (struct did_resolver){key_of, (void *)(uintptr_t)members};
}

/* ---- reading ---- */

struct reading {
    struct ledger_anchored *out;
    const struct ledger_anchored_judge *judge;
    fm_status judged; /* FM_OK until it says otherwise */
};

static fm_status as_verdict(fm_status st, struct base_err *err)
{
    return st == FM_E_INPUT || st == FM_E_AUTH ? (err->code = FM_E_INVALID) : st;
}

static fm_status judge_at_deposit(void *ctx, const struct ledger_members *members,
                                  struct base_err *err)
{
    struct reading *r = ctx;

    r->judged = as_verdict(r->judge->judge(r->judge->ctx, r->out->record, members, err), err);
    return r->judged;
}

static fm_status read_line(json_t **out, struct base_buf *line, FILE *f, size_t max,
                           struct base_err *err)
{
    int c = 0;
    fm_status st;

    errno = 0;
    while (line->len < max && c != '\n' && (c = getc(f)) != EOF)
        base_buf_put_u8(line, (uint8_t)c);
    if (ferror(f))
        return base_err_errno(err, "read");
    st = base_buf_status(line, "record", err);
    if (st != FM_OK)
        return st;
    if (c != '\n')
        return base_err_set(err, FM_E_INVALID, "line 1 does not end: it is cut short");
    return base_json_parse_canonical(out, line->p, line->len - 1, err);
}

/* Whether something follows. */
static fm_status look_ahead(bool *more, FILE *f, struct base_err *err)
{
    int next = getc(f);

    *more = next != EOF;
    return *more && ungetc(next, f) == EOF ? base_err_errno(err, "read") : FM_OK;
}

static fm_status check_digest(const struct ledger_certificate *c, const struct base_buf *line,
                              struct base_err *err)
{
    const struct base_sm3_part part = {line->p, line->len};
    uint8_t digest[32];
    fm_status st = FM_OK;

    if (strcmp(c->algorithm, "sm3") == 0)
        st = base_sm3(digest, &part, 1, err);
    else
        base_sha256(digest, line->p, line->len);
    if (st == FM_OK && memcmp(digest, c->item.digest, 32) != 0)
        st = base_err_set(err, FM_E_INVALID,
                          "its certificate is for another record than the one before it");
    return st;
}

fm_status ledger_anchored_verify(struct ledger_anchored *out, FILE *file, size_t line_max,
                                 const uint8_t *expect_chain32, const char *ca_file,
                                 const struct ledger_anchored_judge *judge, struct base_err *err)
{
    struct reading reading = {out, judge, FM_OK};
    struct base_buf line = {0};
    fm_status st;

    *out = (struct ledger_anchored){0};
    st = as_verdict(read_line(&out->record, &line, file, line_max, err), err);
    if (st == FM_OK)
        st = look_ahead(&out->anchored, file, err);
    if (st == FM_OK && !out->anchored)
        st = as_verdict(judge->judge(judge->ctx, out->record, NULL, err), err);
    else if (st == FM_OK)
        st = ledger_certificate_verify_judged(&out->certificate, file, expect_chain32, ca_file,
                                              judge_at_deposit, &reading, err);
    if (st != FM_OK && reading.judged != FM_OK) /* a status list missing is no fault of the log */
        st = err->code = reading.judged;
    if (st == FM_OK && out->anchored)
        st = check_digest(&out->certificate.certificate, &line, err);
    if (st == FM_OK && !out->anchored && expect_chain32 != NULL)
        st = base_err_set(err, FM_E_INVALID, "it is not anchored on any ledger");
    base_buf_release(&line);
    return st;
}
