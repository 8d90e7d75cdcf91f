/* A certificate's file: one line (ledger/proof/evidence.h), and behind it the bundle that bears it
 * out. Nothing else is needed to check it. */
#ifndef FIRMIANA_LEDGER_VERIFY_CERTIFICATE_H
#define FIRMIANA_LEDGER_VERIFY_CERTIFICATE_H

#include <jansson.h>
#include <stdio.h>

#include "ledger/verify/timestamp.h"
#include "ledger/verify/verify.h"

struct ledger_certificate_report {
    struct ledger_certificate certificate;
    struct ledger_deposit deposit;
    struct ledger_verified *log;
    bool stamped; /* it has a token, */
    bool trusted; /* whose signature was checked under the given authorities */
    struct ledger_timestamp stamp;
    uint8_t file32[32]; /* H(the whole file) */
};
void ledger_certificate_report_release(struct ledger_certificate_report *r); /* {0} is fine */

/* True if a file that begins with this text (16 bytes of it are enough) is a certificate and no
 * bundle. */
bool ledger_certificate_begins(const char *text);

/* Reads and checks it all. expect_chain32, ca_file: NULL is allowed. FM_E_INVALID says what does
 * not hold; other errors are no verdict. The caller releases *out in any case. */
fm_status ledger_certificate_verify(struct ledger_certificate_report *out, FILE *file,
                                    const uint8_t *expect_chain32, const char *ca_file,
                                    struct base_err *err) FM_CHECK;

/* The same of what is left of the file, and judges more at the deposit (ledger_deposit);
 * then no change of a member's keys may be hidden (ledger_verified_complete). */
fm_status ledger_certificate_verify_judged(struct ledger_certificate_report *out, FILE *file,
                                           const uint8_t *expect_chain32, const char *ca_file,
                                           fm_status (*judge)(void *ctx,
                                                              const struct ledger_members *members,
                                                              struct base_err *err),
                                           void *ctx, struct base_err *err) FM_CHECK;

/* That these are the bytes that were deposited. FM_E_INVALID: others. */
fm_status ledger_certificate_compare(const struct ledger_certificate_report *r, const char *path,
                                     struct base_err *err) FM_CHECK;

/* The latest time by which the document existed: the block's, and what clocks may differ. */
int64_t ledger_certificate_time_ms(const struct ledger_certificate_report *r);

/* Where and by when it was deposited, and on what that rests: lines for people. */
void ledger_certificate_print_anchor(FILE *out, const struct ledger_certificate_report *r);
/* The note of ledger_verified_open_until(); nothing for 0. */
void ledger_certificate_print_open(FILE *out, int64_t open_until_ms);

/* What it shows, and what not: for people, and as one object (the caller's; NULL: memory). */
void ledger_certificate_print(FILE *out, const struct ledger_certificate_report *r);
json_t *ledger_certificate_json(const struct ledger_certificate_report *r);

#endif
