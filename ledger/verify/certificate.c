#include "ledger/verify/certificate.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/moment.h"

enum { LINE_MAX_BYTES = 1 << 17 };

void ledger_certificate_report_release(struct ledger_certificate_report *r)
{
    ledger_certificate_release(&r->certificate);
    ledger_verified_free(r->log);
    r->log = NULL;
}

bool ledger_certificate_begins(const char *text)
{
    static const char first[] = "{\"algorithm\":";

    return strncmp(text, first, sizeof first - 1) == 0;
}

/* ---- reading ---- */

struct input {
    FILE *file;
    struct base_hash hash;
};

static fm_status read_more(void *ctx, void *out, size_t len, size_t *got, struct base_err *err)
{
    struct input *in = ctx;

    errno = 0;
    *got = fread(out, 1, len, in->file);
    base_hash_update(&in->hash, out, *got);
    return ferror(in->file) ? base_err_errno(err, "read") : FM_OK;
}

static fm_status read_line(struct base_buf *line, struct input *in, struct base_err *err)
{
    int c = 0;

    while (line->len < LINE_MAX_BYTES && c != '\n' && (c = getc(in->file)) != EOF)
        base_buf_put_u8(line, (uint8_t)c);
    base_hash_update(&in->hash, line->p, line->len);
    if (ferror(in->file))
        return base_err_errno(err, "read");
    if (c != '\n')
        return base_err_set(err, FM_E_INVALID, "its first line does not end");
    return base_buf_status(line, "certificate", err);
}

static fm_status check(struct ledger_certificate_report *out, struct input *in,
                       const uint8_t *expect_chain32, const char *ca_file, struct base_err *err)
{
    const struct ledger_bundle_source source = {read_more, in};
    struct base_buf line = {0};
    fm_status st = read_line(&line, in, err);

    if (st == FM_OK) {
        st = ledger_certificate_parse(&out->certificate, line.p, line.len, err);
        if (st == FM_E_INPUT)
            st = err->code = FM_E_INVALID;
    }
    base_buf_release(&line);
    out->deposit.certificate = &out->certificate;
    if (st == FM_OK)
        st = ledger_verify_certificate(&out->log, &source, expect_chain32, &out->deposit, err);
    if (st != FM_OK || out->certificate.token.len == 0)
        return st;
    out->stamped = true;
    st = ledger_timestamp_check(&out->stamp, out->certificate.algorithm, out->deposit.anchor,
                                out->certificate.token.p, out->certificate.token.len, ca_file, err);
    out->trusted = st == FM_OK && ca_file != NULL;
    if (st == FM_E_INPUT)
        st = err->code = FM_E_INVALID;
    return st;
}

fm_status ledger_certificate_verify_judged(struct ledger_certificate_report *out, FILE *file,
                                           const uint8_t *expect_chain32, const char *ca_file,
                                           fm_status (*judge)(void *ctx,
                                                              const struct ledger_members *members,
                                                              struct base_err *err),
                                           void *ctx, struct base_err *err)
{
    struct input in = {.file = file};
    fm_status st;

    *out = (struct ledger_certificate_report){.deposit = {.judge = judge, .ctx = ctx}};
    base_sha256_init(&in.hash);
    st = check(out, &in, expect_chain32, ca_file, err);
    base_hash_final(&in.hash, out->file32);
    return st == FM_OK && judge != NULL ? ledger_verified_complete(out->log, err) : st;
}

fm_status ledger_certificate_verify(struct ledger_certificate_report *out, FILE *file,
                                    const uint8_t *expect_chain32, const char *ca_file,
                                    struct base_err *err)
{
    return ledger_certificate_verify_judged(out, file, expect_chain32, ca_file, NULL, NULL, err);
}

int64_t ledger_certificate_time_ms(const struct ledger_certificate_report *r)
{
    return r->deposit.time_ms + LEDGER_EVIDENCE_SKEW_MS;
}

/* ---- saying ---- */

static const char *moment(char out[DID_MOMENT_TEXT], int64_t ms)
{
    struct base_err err = {0};

    if (did_moment_format(out, ms / 1000, &err) != FM_OK)
        (void)snprintf(out, DID_MOMENT_TEXT, "(no such time)");
    return out;
}

/* Rounded up to whole seconds: a later bound is still one. */
static int64_t up(int64_t ms)
{
    return (ms + 999) / 1000 * 1000;
}

void ledger_certificate_print_open(FILE *out, int64_t open_until_ms)
{
    char when[DID_MOMENT_TEXT];

    if (open_until_ms != 0)
        (void)fprintf(out,
                      "  note       a key came with a change that a recovery could override until "
                      "%s, after this file's ledger ends: ask for a file of a later time\n",
                      moment(when, up(open_until_ms)));
}

void ledger_certificate_print_anchor(FILE *out, const struct ledger_certificate_report *r)
{
    const struct ledger_certificate *c = &r->certificate;
    const struct ledger_terms *terms = ledger_members_terms(r->log->members);
    char hex[65], when[DID_MOMENT_TEXT];

    base_hex(hex, r->deposit.anchor, 32);
    (void)fprintf(out, "  deposited  by %s, number %llu of %llu under anchor %s\n",
                  r->deposit.depositor, (unsigned long long)c->index + 1,
                  (unsigned long long)c->count, hex);
    base_hex(hex, c->chain, 32);
    (void)fprintf(out, "  ledger     \"%s\", chain %s, height %llu, leaf %llu\n", terms->name, hex,
                  (unsigned long long)r->deposit.height, (unsigned long long)r->deposit.leaf);
    (void)fprintf(out, "  existed    at %s at the latest",
                  moment(when, up(ledger_certificate_time_ms(r))));
    (void)fprintf(out,
                  ": its block says %s, and members that follow live refuse a block whose time is "
                  "more than %d s from their own clocks\n",
                  moment(when, r->deposit.time_ms), LEDGER_EVIDENCE_SKEW_MS / 1000);
    (void)fprintf(out, "  final      cosigned by %zu of %zu active members, quorum %llu:",
                  r->log->checkpoint.n, ledger_members_active(r->log->members),
                  (unsigned long long)terms->quorum);
    for (size_t i = 0; i < r->log->checkpoint.n; i++)
        (void)fprintf(
            out, " %s",
            ledger_members_by_did(r->log->members, r->log->checkpoint.cosigner[i].name)->alias);
    (void)fputs("\n", out);
}

void ledger_certificate_print(FILE *out, const struct ledger_certificate_report *r)
{
    const struct ledger_certificate *c = &r->certificate;
    char hex[65], when[DID_MOMENT_TEXT];

    base_hex(hex, c->item.digest, 32);
    (void)fprintf(out, "valid: certificate\n  document   \"%s\", %s %s\n", c->name, c->algorithm,
                  hex);
    ledger_certificate_print_anchor(out, r);
    if (r->stamped) {
        (void)fprintf(out, "  stamped    %s by an RFC 3161 authority",
                      moment(when, r->stamp.time_ms));
        if (r->stamp.accuracy_ms >= 0)
            (void)fprintf(out, ", within %lld ms by its own word", (long long)r->stamp.accuracy_ms);
        (void)fputs(r->trusted ? "; its signature holds under the given authorities\n"
                               : "; its signature was not checked: give --ca FILE\n",
                    out);
    }
    (void)fputs("  proves     that these bytes existed then; not who made them, nor that what they "
                "say is true\n",
                out);
}

json_t *ledger_certificate_json(const struct ledger_certificate_report *r)
{
    const struct ledger_certificate *c = &r->certificate;
    char digest[65], anchor[65], chain[65], tx[65];
    json_t *cosigners = json_array(), *out;

    base_hex(digest, c->item.digest, 32);
    base_hex(anchor, r->deposit.anchor, 32);
    base_hex(chain, c->chain, 32);
    base_hex(tx, c->tx, 32);
    for (size_t i = 0; i < r->log->checkpoint.n; i++)
        (void)json_array_append_new(
            cosigners,
            json_string(ledger_members_by_did(r->log->members, r->log->checkpoint.cosigner[i].name)
                            ->alias));
    out = json_pack(
        "{s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:I}", "valid",
        1, "name", c->name, "algorithm", c->algorithm, "digest", digest, "anchor", anchor, "index",
        (json_int_t)c->index, "count", (json_int_t)c->count, "chain", chain, "tx", tx, "depositor",
        r->deposit.depositor, "height", (json_int_t)r->deposit.height, "leaf",
        (json_int_t)r->deposit.leaf, "block_time", (json_int_t)r->deposit.time_ms,
        "existed_at_latest", (json_int_t)ledger_certificate_time_ms(r), "cosigners", cosigners,
        "quorum", (json_int_t)ledger_members_terms(r->log->members)->quorum);
    if (out != NULL && r->stamped &&
        json_object_set_new(out, "stamp",
                            json_pack("{s:I, s:I, s:b}", "time", (json_int_t)r->stamp.time_ms,
                                      "accuracy_ms", (json_int_t)r->stamp.accuracy_ms, "trusted",
                                      (int)r->trusted)) != 0) {
        json_decref(out);
        out = NULL;
    }
    return out;
}
