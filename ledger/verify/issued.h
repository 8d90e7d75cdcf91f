/* A credential's file as a batch gives it to its holder: the credential (did/credential),
 * canonical, and behind it that it was deposited (anchored.h). Its issuer's key is that of the
 * deposit's leaf, so a diploma outlives the keys of who signed it; a key that came with a change
 * which a recovery within 72 hours overrode counts as never valid. Revoked it can be nevertheless:
 * a credential with a status needs its list. */
#ifndef FIRMIANA_LEDGER_VERIFY_ISSUED_H
#define FIRMIANA_LEDGER_VERIFY_ISSUED_H

#include <stdio.h>

#include "did/credential/credential.h"
#include "ledger/verify/anchored.h"

#define LEDGER_ISSUED_MAX ((size_t)1 << 20) /* bytes of a credential */

struct ledger_issued {
    struct ledger_anchored file;
    struct credential_facts facts; /* texts are the record's */
    int64_t open_until_ms;         /* of the key: ledger_verified_open_until(); 0 if none */
};
void ledger_issued_release(struct ledger_issued *i); /* {0} is fine */

/* True if a file that begins with this text (16 bytes of it are enough) is of this kind. */
bool ledger_issued_begins(const char *text);

/* Reads and checks it all. expect_chain32, ca_file: NULL is allowed. v: the time, lists, and what
 * keys there are today, for a credential that is not anchored and for status lists, which are
 * signed later: theirs are asked first, then the members' at the end of the bundle. FM_E_INVALID
 * says what does not hold; others are no verdict. The caller releases *out in any case. */
fm_status ledger_issued_verify(struct ledger_issued *out, FILE *file, const uint8_t *expect_chain32,
                               const char *ca_file, const struct credential_verifier *v,
                               struct base_err *err) FM_CHECK;

/* What it shows, and what not: for people, and as one object (the caller's; NULL: memory). */
void ledger_issued_print(FILE *out, const struct ledger_issued *i);
json_t *ledger_issued_json(const struct ledger_issued *i);

#endif
