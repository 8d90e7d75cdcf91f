#include "exchange/evidence/page.h"

#include <inttypes.h>
#include <string.h>

#include "did/moment.h"

static void put_text(struct base_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *special = *text == '&'   ? "&amp;"
                              : *text == '<' ? "&lt;"
                              : *text == '>' ? "&gt;"
                              : *text == '"' ? "&quot;"
                                             : NULL;
        if (special != NULL)
            base_buf_put_str(out, special);
        else
            base_buf_put_u8(out, (uint8_t)*text);
    }
}

static void row(struct base_buf *out, const char *what, const char *value)
{
    base_buf_put_str(out, "<tr><th>");
    put_text(out, what);
    base_buf_put_str(out, "</th><td>");
    put_text(out, value);
    base_buf_put_str(out, "</td></tr>\n");
}

static void row_hex(struct base_buf *out, const char *what, const uint8_t bytes32[32])
{
    char hex[65];

    base_hex(hex, bytes32, 32);
    row(out, what, hex);
}

static void row_time(struct base_buf *out, const char *what, int64_t ms)
{
    char text[DID_MOMENT_TEXT] = "";
    struct base_err err = {0};

    if (did_moment_format(text, (ms + 999) / 1000, &err) == FM_OK)
        row(out, what, text);
}

static void rows(struct base_buf *out, const struct ledger_certificate_report *r)
{
    const struct ledger_certificate *c = &r->certificate;
    struct base_buf text = {0};

    row(out, "Document", c->name);
    row_hex(out, strcmp(c->algorithm, "sm3") == 0 ? "SM3 digest" : "SHA-256 digest",
            c->item.digest);
    row_time(out, "Existed at the latest", ledger_certificate_time_ms(r));
    base_buf_putf(&text, "%d s: the block's time, plus what members' clocks may differ",
                  LEDGER_EVIDENCE_SKEW_MS / 1000);
    row(out, "Error bound", base_buf_cstr(&text));
    row(out, "Deposited by", r->deposit.depositor);
    base_buf_clear(&text);
    base_buf_putf(&text, "%" PRIu64 " of %" PRIu64, c->index + 1, c->count);
    row(out, "Number in the deposit", base_buf_cstr(&text));
    row_hex(out, "Anchor", r->deposit.anchor);
    row(out, "Ledger", ledger_members_terms(r->log->members)->name);
    row_hex(out, "Chain", c->chain);
    base_buf_clear(&text);
    base_buf_putf(&text, "block %" PRIu64 ", leaf %" PRIu64, r->deposit.height, r->deposit.leaf);
    row(out, "Place", base_buf_cstr(&text));
    base_buf_clear(&text);
    for (size_t i = 0; i < r->log->checkpoint.n; i++)
        base_buf_putf(
            &text, "%s%s", i > 0 ? ", " : "",
            ledger_members_by_did(r->log->members, r->log->checkpoint.cosigner[i].name)->alias);
    row(out, "Final by the signatures of", base_buf_cstr(&text));
    if (r->stamped)
        row_time(out,
                 r->trusted ? "RFC 3161 time stamp (signature checked)"
                            : "RFC 3161 time stamp (signature not checked here)",
                 r->stamp.time_ms);
    row_hex(out, "SHA-256 of the certificate's file", r->file32);
    base_buf_release(&text);
}

void evidence_page(struct base_buf *out, const struct ledger_certificate_report *report)
{
    base_buf_put_str(
        out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<title>Certificate of deposit</title>\n<style>\n"
             "@page { size: A4; margin: 20mm }\n"
             "body { font: 11pt/1.4 serif; max-width: 170mm; margin: auto }\n"
             "th { text-align: left; vertical-align: top; padding: 1mm 4mm 1mm 0; width: 45mm }\n"
             "td { overflow-wrap: anywhere; font-family: monospace; font-size: 9.5pt }\n"
             "h1 { font-size: 16pt }\n</style></head><body>\n<h1>Certificate of deposit</h1>\n"
             "<p>A document with the digest below existed at the time below. This page does not "
             "prove it: the certificate's file does, and anyone checks that with "
             "<code>firmiana-verify</code>, with no network and no trust in a single member.</p>\n"
             "<table>\n");
    rows(out, report);
    base_buf_put_str(out, "</table>\n<p>It says nothing about who made the document, or whether "
                          "what it says is true.</p>\n</body></html>\n");
}
