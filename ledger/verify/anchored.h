/* The file of something that was signed and put on the ledger: one line, a canonical JSON object
 * (the record), and, once it is anchored, behind it the certificate (certificate.h) of that line,
 * newline included, as evidence. With it nothing else is needed to check who signed, years later:
 * members' keys are those of the leaf where the record was deposited. Records are signatures of
 * documents (signed.h) and credentials (issued.h). */
#ifndef FIRMIANA_LEDGER_VERIFY_ANCHORED_H
#define FIRMIANA_LEDGER_VERIFY_ANCHORED_H

#include <jansson.h>
#include <stdio.h>

#include "did/proof.h"
#include "ledger/verify/certificate.h"

struct ledger_anchored {
    json_t *record;
    bool anchored;
    struct ledger_certificate_report certificate; /* if so */
};
void ledger_anchored_release(struct ledger_anchored *a); /* {0} is fine */

/* Judges the record, once. members: as they were at the deposit; NULL if it is not anchored. Its
 * FM_E_INPUT and FM_E_AUTH become FM_E_INVALID: what does not hold is one verdict. */
struct ledger_anchored_judge {
    fm_status (*judge)(void *ctx, const json_t *record, const struct ledger_members *members,
                       struct base_err *err);
    void *ctx;
};

/* Reads and checks it all. line_max: bytes of the record. expect_chain32, ca_file: NULL is allowed;
 * they are for anchored files. FM_E_INVALID says what does not hold; others are no verdict. The
 * caller releases *out in any case. */
fm_status ledger_anchored_verify(struct ledger_anchored *out, FILE *file, size_t line_max,
                                 const uint8_t *expect_chain32, const char *ca_file,
                                 const struct ledger_anchored_judge *judge,
                                 struct base_err *err) FM_CHECK;

/* The keys of did:key and of these members. */
struct did_resolver ledger_anchored_resolver(const struct ledger_members *members);

#endif
